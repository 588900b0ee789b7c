"""Checks of pictures and recordings, whose results come as pushes to the mini-program's server (`wxa_media_check`)."""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any, Final, Literal

import aiohttp

from simulator.config import SimulatorConfig
from simulator.courier import Courier
from simulator.faults import Faults

MAX_BYTES: Final = 10 * 2**20
UNREACHABLE: Final = -1008
"""Of a result whose file could not be fetched (assumption: the sources give no list)."""
LABELS: Final = {"pass": 100, "review": 10001, "risky": 20002}
_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)

Suggest = Literal["pass", "review", "risky"]


class MediaChecks:
    """Fetches what it is to look at, and pushes what it was told to find: nobody here sees anything in a picture."""

    def __init__(self, config: SimulatorConfig, faults: Faults, now: Callable[[], datetime], random: Random) -> None:
        self.findings: deque[Suggest] = deque()
        """What the next files turn out to be; those after them pass."""
        self.silent = False
        """Whether results never arrive."""
        self.seen: list[tuple[str, int]] = []
        """The addresses fetched, with the bytes there (-1: not to be had)."""
        self._own = config.miniapp_pushes
        self._courier = Courier(self._own, faults, now, random) if self._own else None
        self._session: aiohttp.ClientSession | None = None
        self._now = now

    async def open(self) -> None:
        """Make the client sessions."""
        if self._courier is not None:
            await self._courier.open()
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=_TIMEOUT)

    async def close(self) -> None:
        """Close them."""
        if self._courier is not None:
            await self._courier.close()
        if self._session is not None:
            await self._session.close()

    async def run(self, trace_id: str, openid: str, url: str) -> str:
        """Fetch, judge, push; why the push did not arrive, "" when it did."""
        size = await self._fetch(url)
        self.seen.append((url, size))
        if self._own is None or self._courier is None:
            return "小程序没有设置消息推送"
        if self.silent:
            return "结果不推送（模拟）"
        delivery = await self._courier.deliver(openid, self._result(self._own, trace_id, openid, size >= 0))
        return delivery.reason

    def _result(self, own: SimulatorConfig, trace_id: str, openid: str, fetched: bool) -> dict[str, Any]:
        suggest: Suggest = self.findings.popleft() if fetched and self.findings else "pass"
        verdict = {"suggest": suggest, "label": LABELS[suggest]} if fetched else {}
        errcode = 0 if fetched else UNREACHABLE
        return {
            "ToUserName": own.account,
            "FromUserName": openid,
            "CreateTime": int(self._now().timestamp()),
            "MsgType": "event",
            "Event": "wxa_media_check",
            "appid": own.appid,
            "trace_id": trace_id,
            "version": 2,
            "detail": [{"strategy": "content_model", "errcode": errcode, **verdict, "prob": 90}],
            "errcode": errcode,
            "errmsg": "ok" if fetched else "download error",
            "result": verdict,
        }

    async def _fetch(self, url: str) -> int:
        """Bytes at the address; -1 when there is nothing to look at."""
        if self._session is None:
            return -1
        size = 0
        try:
            async with self._session.get(url, allow_redirects=False) as answer:
                async for chunk in answer.content.iter_chunked(64 * 1024):
                    size += len(chunk)
                    if size > MAX_BYTES:
                        return -1
                return size if answer.status == 200 else -1
        except (TimeoutError, aiohttp.ClientError):
            return -1
