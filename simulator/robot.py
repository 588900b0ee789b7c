"""A WeCom group robot: takes what a real one takes (sizes, twenty a minute) and shows what it was sent.

`POST /wecom/cgi-bin/webhook/send?key=…` as on qyapi.weixin.qq.com; `GET /wecom/messages?key=…` is ours, for tests and
curious eyes.
"""

from collections import defaultdict, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from aiohttp import web

KEY: Final = "5117a7e0-0000-4000-8000-000000000001"
"""The one robot there is from the start."""
A_MINUTES_MESSAGES: Final = 20
SIZES: Final = {"text": 2048, "markdown": 4096}
_KEPT: Final = 200
_TEXTS: Final = {
    40008: "invalid message type",
    40058: "content exceed max length",
    44004: "empty content",
    45009: "api freq out of limit",
    47001: "data format error",
    93000: "invalid webhook url, hint: the key is unknown",
}


class Robot:
    """All robots of one simulated WeCom, by their keys."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.keys = {KEY}
        self.refusals: deque[int] = deque()
        """Codes the next messages are answered with."""
        self._now = now
        self._sent: defaultdict[str, deque[dict[str, Any]]] = defaultdict(lambda: deque(maxlen=_KEPT))
        self._times: defaultdict[str, deque[datetime]] = defaultdict(deque)

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Its two addresses."""
        router.add_post("/wecom/cgi-bin/webhook/send", self.send)
        router.add_get("/wecom/messages", self.show)

    def sent(self, key: str = KEY) -> list[dict[str, Any]]:
        """The messages a group has got, oldest first."""
        return list(self._sent[key])

    async def send(self, request: web.Request) -> web.Response:
        """Take a message, or say why not: always with status 200, as WeCom does."""
        code = self._take(request.query.get("key", ""), await request.read())
        return web.json_response({"errcode": code, "errmsg": _TEXTS.get(code, "refused") if code else "ok"})

    async def show(self, request: web.Request) -> web.Response:
        """What a group has got."""
        return web.json_response(self.sent(request.query.get("key", KEY)))

    def _take(self, key: str, body: bytes) -> int:
        if key not in self.keys:
            return 93000
        if self.refusals:
            return self.refusals.popleft()
        try:
            message = orjson.loads(body)
            kind = message["msgtype"]
            content = message[kind]["content"] if kind in SIZES else ""
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return 47001
        if kind not in SIZES:
            return 40008
        if not isinstance(content, str) or not content:
            return 44004
        if len(content.encode()) > SIZES[kind]:
            return 40058
        if not self._count(key):
            return 45009
        self._sent[key].append(message)
        return 0

    def _count(self, key: str) -> bool:
        """Whether the minute that ends now has room for one more."""
        times, now = self._times[key], self._now()
        while times and now - times[0] >= timedelta(minutes=1):
            times.popleft()
        if len(times) >= A_MINUTES_MESSAGES:
            return False
        times.append(now)
        return True
