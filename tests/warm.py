"""`linli` as processes that need not import anything first: each is forked from one that has.

A start costs two seconds of a processor, nearly all of them for imports and word lists, and the tests start a hundred
and fifty. Process id, signals, exit code, output, folder and environment are those of any process. That a start works
from nothing is tested where `linli run` is started and by the processes of the benches.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import nlp
from app import cli

#: What commands load when they are called; those not named here load it as ever.
_MODULES = ("app.commands", "app.doctor", "app.exchange", "app.formulas", "app.replay")
ROOT = Path(__file__).resolve().parents[1]


class Forked:
    """A running or ended `linli`."""

    def __init__(self, pid: int, stdout: asyncio.StreamReader, ending: asyncio.Task[bytes]) -> None:
        self.pid, self.stdout, self._ending = pid, stdout, ending

    @property
    def returncode(self) -> int | None:
        """Its exit code, or minus the signal that ended it; None while it runs."""
        return int(self._ending.result()) if self._ending.done() else None

    async def wait(self) -> int:
        """Until it has ended; gives its exit code."""
        return int(await asyncio.shield(self._ending))

    async def communicate(self) -> bytes:
        """All it still prints, until it has ended."""
        printed = await self.stdout.read()
        await self.wait()
        return printed


async def start(
    words: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    errors: int | None = None,
    output: int | None = None,
) -> Forked:
    """`linli WORDS` in this folder, in a group of its own. `output`: the file of its first channel, else a pipe read
    here; `errors`: that of its second, else the first."""
    reading, writing = os.pipe()
    first = writing if output is None else output
    wire = socket.socket(socket.AF_UNIX)
    wire.connect(_nursery())
    asked = json.dumps({"words": list(words), "environment": dict(environment), "folder": str(folder)})
    socket.send_fds(wire, [asked.encode() + b"\n"], [first, first if errors is None else errors])
    os.close(writing)
    said, kept = await asyncio.open_connection(sock=wire)
    pid = int(await said.readline())

    async def ending() -> bytes:
        code = await said.readline()
        kept.close()
        return code

    stdout = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stdout), os.fdopen(reading, "rb", 0)
    )
    return Forked(pid, stdout, asyncio.create_task(ending()))


@cache
def _nursery() -> str:
    """The address of the process that forks; it ends with this one."""
    address = str(Path(tempfile.mkdtemp(prefix="linli-warm-")) / "socket")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LINLI_")}
    begun = subprocess.Popen(
        [sys.executable, "-m", "tests.warm", address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=clean | {"PYTHONPATH": str(ROOT)},
    )
    _kept.append(begun)
    assert begun.stdout
    assert begun.stdout.readline() == b"ready\n"
    return address


_kept: list[subprocess.Popen[bytes]] = []  # its first channel stays open as long as we live


def _serve(address: str) -> None:
    """Fork whatever is asked for until nobody is left to ask. In a child this returns after `linli` has."""
    for module in _MODULES:
        import_module(module)
    nlp.prepare()
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen(64)
        print("ready", flush=True)
        while sys.stdin not in select.select([door, sys.stdin], [], [])[0]:
            wire, _ = door.accept()
            if os.fork() == 0:
                break
            wire.close()
        else:
            Path(address).unlink()
            Path(address).parent.rmdir()
            return
    _midwife(wire)


def _midwife(wire: socket.socket) -> None:
    """Start one `linli` and tell how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    asked, files, _, _ = socket.recv_fds(wire, 1 << 20, 2)
    while not asked.endswith(b"\n"):
        asked += wire.recv(1 << 20)
    pid = os.fork()
    if pid == 0:
        wire.close()
        _live(json.loads(asked), files)
        return
    for file in files:
        os.close(file)
    wire.sendall(f"{pid}\n".encode())
    ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    wire.sendall(f"{ended}\n".encode())
    os._exit(0)


def _live(asked: dict[str, Any], files: Sequence[int]) -> None:
    os.setsid()
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    tempfile.tempdir = None
    nothing = os.open(os.devnull, os.O_RDONLY)
    for ours, theirs in enumerate((nothing, *files)):
        os.dup2(theirs, ours)
    for file in {nothing, *files}:
        os.close(file)
    sys.argv = [str(ROOT / "app" / "cli.py"), *asked["words"]]
    cli.main()


if __name__ == "__main__":
    _serve(sys.argv[1])
