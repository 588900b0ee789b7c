"""The account's own WeChat for tests that need requests which the simulator would never make."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog
from structlog.testing import capture_logs

from app.engines import Engines
from tests.reliability.account import Account
from tests.reliability.wire import WeChat
from tests.town import Clock, Town


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """One client session for a test."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as opened:
        yield opened


@pytest.fixture
def wechat(town: Town, session: aiohttp.ClientSession) -> WeChat:
    """WeChat with the town's real credentials."""
    return WeChat(town.services.wechat, session, town.url)


@pytest.fixture
def account(
    started_engines: Engines, database_url: str, clock: Clock, tmp_path: Path, session: aiohttp.ClientSession
) -> Account:
    """Linlis with credentials a test chooses."""
    return Account(Engines(database_url, started_engines.redis_url), tmp_path, clock, session)


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[MutableMapping[str, Any]]]:
    """What the callback logs. Fresh loggers: one used before keeps the configuration of its first line."""
    for module in ("bot.callback", "bot.envelope"):
        monkeypatch.setattr(f"{module}.log", structlog.get_logger(module))
    with capture_logs() as lines:
        yield lines
