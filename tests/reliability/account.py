"""A Linli with credentials of its own choice, as against a real platform: no simulator inside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from app.engines import Engines
from app.serve import Parts, serving
from app.settings import Settings
from tests.conftest import free_port
from tests.reliability.wire import WeChat
from tests.town import Clock

# 43 base64 characters; the last leaves the two spare bits zero.
OLD_KEY, NEW_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcbA"


class Account:
    """Starts web processes' worth of Linli over one database, as often as a test asks."""

    def __init__(self, engines: Engines, home: Path, clock: Clock, session: aiohttp.ClientSession) -> None:
        self._engines, self._home, self.clock, self._session = engines, home, clock, session

    @asynccontextmanager
    async def serve(self, **changes: str) -> AsyncIterator[WeChat]:
        """Serve with these settings changed; gives the WeChat that knows them."""
        credentials = {
            "wechat_appid": "wx1234567890abcdef",
            "wechat_secret": "a-secret",
            "wechat_token": "a-token",
            "wechat_aes_key": NEW_KEY,
        }
        settings = Settings(home=self._home, port=free_port(), **credentials | changes, _env_file=None)
        async with serving(settings, self._engines, Parts(web=True, worker=False), now=self.clock) as served:
            yield WeChat(served.services.wechat, self._session, served.url)
