"""A real headless Chromium (the system's own) on a running Linli with its worker."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright, expect
from redis import asyncio as aioredis

from app.engines import Engines
from app.serve import Parts, Served, serving
from app.settings import Settings
from tests.conftest import free_port
from tests.town import Clock

_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

expect.set_options(timeout=25_000)  # until something must be on the screen, on a slow and busy machine too


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The system's Chromium; `make test` installs it where it can."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium fonts-noto-cjk")
    async with async_playwright() as tools:
        browser = await tools.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        await browser.close()


class RunningClock(Clock):
    """Goes on by itself, and can be moved: what people type one after the other has different times."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self._begun = time.monotonic()

    def __call__(self) -> datetime:
        return super().__call__() + timedelta(seconds=time.monotonic() - self._begun)


@pytest.fixture
def clock(begins: datetime) -> RunningClock:
    """A clock that goes on by itself."""
    return RunningClock(begins)


@pytest.fixture
async def running(
    started_engines: Engines, database_url: str, tmp_path: Path, clock: RunningClock
) -> AsyncIterator[Served]:
    """Web and worker as `make run` starts them."""
    redis = aioredis.from_url(started_engines.redis_url)
    await redis.flushall()
    await redis.aclose()
    settings = Settings(home=tmp_path, port=free_port(), simulator=True, _env_file=None)
    own = Engines(database_url, started_engines.redis_url)
    async with serving(settings, own, Parts(web=True, worker=True), now=clock) as served:
        yield served
