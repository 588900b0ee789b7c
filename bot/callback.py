"""`GET/POST /wechat/callback`: verify, open, store and answer, within WeChat's five seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter

import structlog
from aiohttp import web
from prometheus_client import Counter, Histogram

from bot.config import WeChatConfig
from bot.envelope import SUCCESS, Envelope, read_body, refusal
from bot.inbox import Inbox
from bot.messages import Message, to_message
from bot.replies import text_reply
from bot.wire import parse_body
from errors import LinliError

log = structlog.get_logger(__name__)

#: Seconds until we give up and let WeChat deliver again: its own patience is five.
BUDGET = 4.0
_PAUSE = 0.25  # seconds between tries while the database is away

MESSAGES = Counter("linli_callback_messages_total", "Messages from WeChat by kind and outcome", ["kind", "outcome"])
SECONDS = Histogram(
    "linli_callback_seconds",
    "Time to answer a callback",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4),
)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A verified message; `key` is the AES key that opened it, None for a plain one."""

    message: Message
    body: bytes
    key: int | None


class Callback:
    """The two endpoints of one official account. `wake` tells the workers that there may be something to
    send."""

    def __init__(
        self,
        config: WeChatConfig,
        inbox: Inbox,
        *,
        now: Callable[[], datetime],
        wake: Callable[[], Awaitable[None]],
    ) -> None:
        self._inbox = inbox
        self._now = now
        self._wake = wake
        self._envelope = Envelope(config, now=now)

    async def verify(self, request: web.Request) -> web.Response:
        """WeChat asks whether this is our server: the echo string comes back as it is, also in safe mode."""
        return self._envelope.echo(request)

    async def receive(self, request: web.Request) -> web.Response:
        """One push: the encrypted reply, or `success`. Bad input gets a bare 4xx and one log line."""
        started = perf_counter()
        try:
            opened = self._open(request.query, await read_body(request))
        except LinliError as error:
            MESSAGES.labels("refused", error.code).inc()
            return refusal(error)
        kind = opened.message.event or str(opened.message.kind)
        try:
            async with asyncio.timeout(BUDGET):
                text = await self._take(opened)
        except TimeoutError:
            log.error("message not stored: left to WeChat's next try", kind=kind)  # noqa: TRY400 - the cause is logged
            MESSAGES.labels(_known(opened.message), "not_stored").inc()
            return _no_answer(request)
        await self._wake()
        seconds = perf_counter() - started
        SECONDS.observe(seconds)
        MESSAGES.labels(_known(opened.message), "ok").inc()
        log.debug("message", kind=kind, ms=round(seconds * 1000, 1), reply=bool(text))
        return web.Response(
            body=self._answer(opened, text, request.query),
            content_type="application/xml" if text else "text/plain",
        )

    async def _take(self, opened: _Opened) -> str | None:
        """Handle the message; while the database is away, try again: most restarts are over within the budget."""
        tries = 0
        while True:
            try:
                return await self._inbox.take(opened.message, opened.body, self._now())
            except Exception as error:  # noqa: BLE001 - whatever it was, nothing is stored yet
                tries += 1
                if tries == 1:
                    log.warning("message not stored yet", error=type(error).__name__, detail=str(error)[:200])
                await asyncio.sleep(_PAUSE)

    def _open(self, query: Mapping[str, str], raw: bytes) -> _Opened:
        body, key = self._envelope.open(query, raw)
        return _Opened(to_message(parse_body(body)), body, key)

    def _answer(self, opened: _Opened, text: str | None, query: Mapping[str, str]) -> bytes:
        if text is None:
            return SUCCESS  # unencrypted in every mode
        now = int(self._now().timestamp())
        reply = text_reply(opened.message, text, now)
        return self._envelope.seal(reply, timestamp=str(now), nonce=query.get("nonce", ""), key=opened.key)


def _no_answer(request: web.Request) -> web.Response:
    """Hang up. WeChat delivers again what got no answer; what it does about an error page is nowhere written."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)


def _known(message: Message) -> str:
    """The kind as a metric's label: never a name that came from outside."""
    return str(message.kind)
