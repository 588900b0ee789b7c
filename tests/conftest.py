"""Real engines for every test: one embedded PostgreSQL and Valkey a session, a fresh database a test."""

from __future__ import annotations

import gc
import itertools
import os
import random
import re
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
import hypothesis
import pytest
from aiohttp import web_app
from redis import asyncio as aioredis
from tortoise.apps import Apps

import nlp
from app.demo import load_demo
from app.engines import Engines, engines
from app.logs import configure_logs
from app.serve import Parts, serving
from app.settings import Settings
from models.database import database, migrate, parse_url
from tests.notices import wrong_notices
from tests.town import Clock, Town

_TEMPLATE, _SETTLED = "linli_template", "linli_settled"

START = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)

# How many processes the whole suite goes over. Half of a test is waiting (for pushes, limits, dying processes), so
# there are twice as many as the cores of a small machine.
_PROCESSES = 4

# Folders whose tests start processes or browsers.
_LONG = {"bench", "browser", "fault"}

# Linux's folder in memory: there a test's database costs a tenth of what it costs on a disk. The engines' settings stay
# those of production. Used where all processes' engines find room in it.
_MEMORY, _ROOM = Path("/dev/shm"), 4 << 30  # noqa: S108 - the folder made in it has a random name

_PORTS = itertools.count(random.randrange(1000))  # not the same ones again in the next run: they may still be closing


# The tests start a hundred processes: each would compile our modules anew where the shell forbids to keep them.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# The patterns of all our routes are more than Python remembers: each town would compile all of them anew.
re._MAXCACHE = 8192  # type: ignore[attr-defined]


# Made-up examples are the same in each run, and may take as long as a busy machine needs for them.
hypothesis.settings.register_profile(
    "linli", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("linli")


# Nothing that is imported for the tests becomes garbage; the collector rests until they have been found.
gc.disable()

_build_queries = Apps._build_initial_querysets


def _build_queries_once(apps: Apps) -> None:
    """Tortoise makes the filters and first queries of all models anew each time it is opened, which was a third of a
    town. They are of the models alone: the first are as good as the next."""
    if not all(model._meta.filters for app in apps.apps.values() for model in app.values()):
        _build_queries(apps)


Apps._build_initial_querysets = _build_queries_once  # type: ignore[method-assign]


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """What `-n auto` means here: the whole suite goes over several processes, and whoever names a part of it stays in
    one, which starts sooner and stops at the first failure with `-x`."""
    whole = {config.rootpath, config.rootpath / "tests"}
    named = {(config.invocation_params.dir / argument).resolve() for argument in config.args}
    chosen = any(config.getoption(name, False) for name in ("keyword", "markexpr", "lf"))
    return _PROCESSES if named & whole and not chosen else 0


@pytest.fixture(scope="session", autouse=True)
def _quiet_logs() -> None:
    configure_logs("warning", "console")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each process gets a part of every file, and begins with what takes long: none is left with that at the end."""
    many = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if many > 1:
        items.sort(key=lambda item: not (_LONG & set(item.path.parts) or item.get_closest_marker("slow")))
    items[:] = [item for first in range(many) for item in items[first::many]]


def pytest_collection_finish() -> None:
    """What is imported by now stays: the collector need not look through it again, as in a process that serves. Looking
    seldom makes the suite a fifteenth cheaper."""
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session")
def started_engines() -> Iterator[Engines]:
    """One PostgreSQL and one Valkey for the session, in a folder any user may reach."""
    roomy = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ROOM
    with tempfile.TemporaryDirectory(prefix="linli-tests-", dir=_MEMORY if roomy else None) as folder:
        Path(folder).chmod(0o755)
        with engines(Path(folder)) as started:
            yield started


@pytest.fixture(scope="session")
def redis_url(started_engines: Engines) -> str:
    """The session's Valkey."""
    return started_engines.redis_url


@pytest.fixture(scope="session")
async def template_database(started_engines: Engines) -> str:
    """The name of a migrated database with the demo community, copied for each test.

    Word lists are read before any test, as in a process that serves: on a slow machine that takes longer than
    PostgreSQL lets a transaction stand still.
    """
    nlp.prepare()
    url = started_engines.database_url.replace("/linli?", f"/{_TEMPLATE}?")
    await migrate(url)
    async with database(url, 2):
        await load_demo(simulator=True)
    return _TEMPLATE


@pytest.fixture(scope="session")
async def admin(started_engines: Engines) -> AsyncIterator[asyncpg.Connection]:
    """A connection that makes and drops databases."""
    opened = await asyncpg.connect(**parse_url(started_engines.database_url) | {"database": "postgres"})
    yield opened
    await opened.close()


@pytest.fixture
async def empty_database(started_engines: Engines, admin: asyncpg.Connection) -> AsyncIterator[str]:
    """The URL of a database that does not exist yet; dropped afterwards."""
    async with _database(started_engines, admin, None) as url:
        yield url


@dataclass(frozen=True, slots=True)
class Settled:
    """The demo community whose people follow the account already: its database, and what the platform knows of it."""

    database: str
    platform: bytes


@pytest.fixture(scope="session")
async def settled(
    started_engines: Engines,
    admin: asyncpg.Connection,
    template_database: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Settled:
    """Everybody moves in once: a third of what a town cost was their first messages."""
    home = tmp_path_factory.mktemp("settled")
    await admin.execute(f"CREATE DATABASE {_SETTLED} TEMPLATE {template_database} STRATEGY FILE_COPY")
    own = Engines(started_engines.database_url.replace("/linli?", f"/{_SETTLED}?"), started_engines.redis_url)
    settings = Settings(home=home, port=free_port(), simulator=True, _env_file=None)
    async with serving(settings, own, Parts(web=True, worker=False), now=Clock(START)):
        pass
    return Settled(_SETTLED, (home / "simulator.json").read_bytes())


@pytest.fixture
def begins() -> datetime:
    """When the test begins: on a Friday morning in Wuhan."""
    return START


@pytest.fixture
def first_database(request: pytest.FixtureRequest, begins: datetime) -> str:
    """The database this test gets a copy of. In a town that begins at our usual time its people have settled in."""
    if "town" not in request.fixturenames or begins != START:
        return str(request.getfixturevalue("template_database"))
    known: Settled = request.getfixturevalue("settled")
    (request.getfixturevalue("tmp_path") / "simulator.json").write_bytes(known.platform)
    return known.database


@pytest.fixture
async def database_url(started_engines: Engines, admin: asyncpg.Connection, first_database: str) -> AsyncIterator[str]:
    """A database of the demo community for this test alone."""
    async with _database(started_engines, admin, first_database) as url:
        yield url


@pytest.fixture
async def orm(database_url: str) -> AsyncIterator[None]:
    """The ORM, open on this test's database."""
    async with database(database_url, 8):
        yield


@asynccontextmanager
async def _database(started: Engines, admin: asyncpg.Connection, template: str | None) -> AsyncIterator[str]:
    name = f"test_{uuid4().hex[:12]}"
    try:
        if template:
            # Copied file by file: the other way writes the whole template to the log of changes, compressed.
            await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        yield started.database_url.replace("/linli?", f"/{name}?")
    finally:
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def clock(begins: datetime) -> Clock:
    """A clock the test moves."""
    return Clock(begins)


@pytest.fixture
async def town(started_engines: Engines, database_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[Town]:
    """A whole Linli on real engines, on its own port, with the simulated platform and its people."""
    redis = aioredis.from_url(started_engines.redis_url)
    await redis.flushall()
    await redis.aclose()
    settings = Settings(home=tmp_path, port=free_port(), simulator=True, _env_file=None)
    own = Engines(database_url, started_engines.redis_url)
    async with serving(settings, own, Parts(web=True, worker=False), now=clock) as served:
        assert served.platform
        yield Town(served, served.platform, clock)
        assert await wrong_notices() == []
    web_app._cached_build_middleware.cache_clear()  # it would keep a thousand applications that are gone


def free_port() -> int:
    """A port nobody listens on, that nobody else takes before the test does.

    It lies below those the system gives to outgoing connections, and each process of the suite has a thousand.
    """
    first = 10_000 + 1000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for _ in range(1000):
        port = first + next(_PORTS) % 1000
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no port is free from {first} on")
