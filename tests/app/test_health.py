"""What a load balancer and Prometheus ask: is this process alive, may it get traffic, what has it done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.engines import Engines
from app.serve import Parts, serving
from app.settings import Settings
from tests.conftest import free_port
from tests.town import CHEN, Town


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def without_redis(database_url: str, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a web process whose Redis is away."""
    settings = Settings(home=tmp_path, port=free_port(), simulator=True, _env_file=None)
    away = Engines(database_url, f"redis://127.0.0.1:{free_port()}/0")
    async with serving(settings, away, Parts(web=True, worker=False)) as served:
        yield served.url


async def test_with_both_engines_there_the_process_is_alive_and_ready(town: Town, session: aiohttp.ClientSession):
    async with session.get(f"{town.url}/healthz") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "ok"})
    async with session.get(f"{town.url}/readyz") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "ready", "database": "ok", "redis": "ok"})


async def test_without_redis_the_process_lives_but_readyz_names_what_is_missing(
    without_redis: str, session: aiohttp.ClientSession
):
    async with session.get(f"{without_redis}/healthz") as answer:
        assert answer.status == 200
    async with session.get(f"{without_redis}/readyz") as answer:
        said = await answer.json()
        assert answer.status == 503
    assert (said["status"], said["database"], said["redis"]) == ("not ready", "ok", "ConnectionError")


async def test_metrics_count_what_the_callback_answered(town: Town, session: aiohttp.ClientSession):
    before = await _count(town, session)
    await town.say(CHEN, "你好")
    assert await _count(town, session) == before + 1


async def _count(town: Town, session: aiohttp.ClientSession) -> float:
    async with session.get(f"{town.url}/metrics") as answer:
        assert answer.content_type == "text/plain"
        families = text_string_to_metric_families(await answer.text())
        samples = [sample for family in families for sample in family.samples]
    return sum(
        sample.value
        for sample in samples
        if sample.name == "linli_callback_messages_total" and sample.labels == {"kind": "text", "outcome": "ok"}
    )
