"""Real engines for every test: one embedded PostgreSQL and Valkey a session, a fresh database a test."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from redis import asyncio as aioredis

from app.demo import load_demo
from app.engines import Engines, engines
from app.logs import configure_logs
from app.serve import Parts, serving
from app.settings import Settings
from models.database import database, migrate, parse_url
from tests.town import Clock, Town

_TEMPLATE = "linli_template"


@pytest.fixture(scope="session", autouse=True)
def _quiet_logs() -> None:
    configure_logs("warning", "console")


@pytest.fixture(scope="session")
def started_engines() -> Iterator[Engines]:
    """One PostgreSQL and one Valkey for the session, in a folder any user may reach."""
    with tempfile.TemporaryDirectory(prefix="linli-tests-") as folder:
        Path(folder).chmod(0o755)
        with engines(Path(folder)) as started:
            yield started


@pytest.fixture(scope="session")
def redis_url(started_engines: Engines) -> str:
    """The session's Valkey."""
    return started_engines.redis_url


@pytest.fixture(scope="session")
async def template_database(started_engines: Engines) -> str:
    """The name of a migrated database with the demo community, copied for each test."""
    url = started_engines.database_url.replace("/linli?", f"/{_TEMPLATE}?")
    await migrate(url)
    async with database(url, 2):
        await load_demo(simulator=True)
    return _TEMPLATE


@pytest.fixture
async def empty_database(started_engines: Engines) -> AsyncIterator[str]:
    """The URL of a database that does not exist yet; dropped afterwards."""
    async with _database(started_engines, None) as url:
        yield url


@pytest.fixture
async def database_url(started_engines: Engines, template_database: str) -> AsyncIterator[str]:
    """A database of the demo community for this test alone."""
    async with _database(started_engines, template_database) as url:
        yield url


@pytest.fixture
async def orm(database_url: str) -> AsyncIterator[None]:
    """The ORM, open on this test's database."""
    async with database(database_url, 8):
        yield


@asynccontextmanager
async def _database(started: Engines, template: str | None) -> AsyncIterator[str]:
    name = f"test_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(**parse_url(started.database_url) | {"database": "postgres"})
    try:
        if template:
            await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield started.database_url.replace("/linli?", f"/{name}?")
    finally:
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await admin.close()


@pytest.fixture
def clock() -> Clock:
    """A clock the test moves; it starts on a Friday morning in Wuhan."""
    return Clock(datetime(2026, 11, 20, 2, 0, tzinfo=UTC))


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


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
