"""`GET/POST /wechat/miniapp`: the mini-program's message server. Results of picture checks are taken in, all else is
only acknowledged: what people write to the mini-program's customer service stays with the platform."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog
from aiohttp import web

from bot.config import WeChatConfig
from bot.content_check import MediaResult, read_media_result
from bot.envelope import SUCCESS, Envelope, read_body, refusal
from errors import LinliError

log = structlog.get_logger(__name__)


class MiniappPush:
    """The two endpoints of one mini-program. `take` stores a result; what it raises makes WeChat push again."""

    def __init__(
        self, config: WeChatConfig, take: Callable[[MediaResult], Awaitable[None]], *, now: Callable[[], datetime]
    ) -> None:
        self._envelope = Envelope(config, now=now)
        self._take = take

    async def verify(self, request: web.Request) -> web.Response:
        """The check of the address when the server settings are saved."""
        return self._envelope.echo(request)

    async def receive(self, request: web.Request) -> web.Response:
        """One push. It is acknowledged once what it says is stored."""
        try:
            body, _ = self._envelope.open(request.query, await read_body(request))
            result = read_media_result(body)
        except LinliError as error:
            return refusal(error)
        if result is not None:
            try:
                await self._take(result)
            except Exception:
                log.exception("result of a check not stored: left to WeChat's next try", trace=result.trace_id)
                return web.Response(status=503)
        return web.Response(body=SUCCESS, content_type="text/plain")
