"""A real headless Chromium (the system's own) on a running Linli with its worker."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from app.engines import Engines
from app.serve import Parts, Served, serving
from app.settings import Settings
from tests.conftest import free_port

_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


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


@pytest.fixture
async def running(started_engines: Engines, database_url: str, tmp_path: Path) -> AsyncIterator[Served]:
    """Web and worker as `make run` starts them, on the wall clock."""
    settings = Settings(home=tmp_path, port=free_port(), simulator=True, _env_file=None)
    own = Engines(database_url, started_engines.redis_url)
    async with serving(settings, own, Parts(web=True, worker=True)) as served:
        yield served
