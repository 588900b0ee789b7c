"""Redis holds nothing that may not be lost: killed or emptied in the middle of work, no message suffers."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis import asyncio as aioredis

from app.engines import Engines, engines
from app.serve import Parts, Served, serving
from app.settings import Settings
from models.database import fetch
from tests.conftest import free_port
from tests.waiting import eventually

GRID = "grid:429906001001001"


@pytest.fixture
async def served(database_url: str, tmp_path: Path) -> AsyncIterator[Served]:
    """A whole Linli, worker included, with a Valkey of its own that a test may kill."""
    with (
        tempfile.TemporaryDirectory(prefix="linli-redis-") as folder,
        engines(Path(folder), database_url=database_url) as own,
    ):
        settings = Settings(home=tmp_path, port=free_port(), simulator=True, _env_file=None)
        started = Engines(database_url, own.redis_url)
        async with serving(settings, started, Parts(web=True, worker=True)) as running:
            yield running


async def report(served: Served, openid: str) -> None:
    """One resident's whole report."""
    platform = served.platform
    assert platform
    for said in (
        platform.follow(openid, GRID),
        platform.send(openid, text="3栋楼道灯坏了"),
        platform.send(openid, text="提交"),
    ):
        delivery = await said
        assert delivery.outcome == "reply", delivery.reason


async def oracle(people: int) -> bool:
    """One case for everybody, and every notice delivered."""
    rows = await fetch(
        "SELECT (SELECT count(*) FROM cases) AS cases, (SELECT count(DISTINCT reporter_id) FROM cases) AS people, "
        "(SELECT count(*) FROM outbox WHERE state = 'sent') AS sent, (SELECT count(*) FROM outbox) AS jobs"
    )
    found = rows[0]
    assert found["cases"] == found["people"] <= people
    return found["cases"] == people and found["sent"] == found["jobs"] >= people


async def test_reports_and_notices_go_on_while_redis_is_dead(served: Served) -> None:
    redis: aioredis.Redis = served.services.redis
    pid = int((await redis.info("server"))["process_id"])
    await asyncio.gather(*(report(served, f"o_before_{number}") for number in range(5)))
    flow = asyncio.gather(*(report(served, f"o_during_{number}") for number in range(10)))
    os.kill(pid, signal.SIGKILL)
    await flow
    await asyncio.gather(*(report(served, f"o_after_{number}") for number in range(5)))
    await eventually(lambda: oracle(20))
    unfinished = await fetch("SELECT count(*) AS n FROM inbox WHERE state <> 'done'")
    assert unfinished[0]["n"] == 0


async def test_emptying_redis_again_and_again_changes_nothing(served: Served) -> None:
    redis: aioredis.Redis = served.services.redis
    for number in range(5):
        await asyncio.gather(redis.flushall(), *(report(served, f"o_{number}_{person}") for person in range(4)))
    await eventually(lambda: oracle(20))
