"""What is around a push of WeChat, for the account's as for the mini-program's server: signature, time, encryption."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import structlog
from aiohttp import web

from bot.config import WeChatConfig
from bot.crypto import Cryptor, check_signature
from bot.wire import encrypted_part, parse_body
from errors import BadMessage, BadSignature, LinliError, StaleTimestamp, TooLarge

log = structlog.get_logger(__name__)

MAX_BODY = 64 * 1024
SUCCESS = b"success"


class Envelope:
    """Opens what was pushed to one appid, and seals what is answered."""

    def __init__(self, config: WeChatConfig, *, now: Callable[[], datetime]) -> None:
        self._config = config
        self._now = now
        self._cryptor = Cryptor(config.appid, config.token, config.aes_keys) if config.aes_key else None

    def echo(self, request: web.Request) -> web.Response:
        """WeChat asks whether this is our server: the echo string comes back as it is, also in safe mode."""
        query = request.query
        try:
            self._check(query, "signature", query.get("timestamp", ""), query.get("nonce", ""))
        except LinliError as error:
            return refusal(error)
        return web.Response(text=query.get("echostr", ""))

    def open(self, query: Mapping[str, str], raw: bytes) -> tuple[bytes, int | None]:
        """The message inside, and the AES key that opened it (None: it came plain).

        Raises BadSignature, StaleTimestamp, BadMessage.
        """
        timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        if query.get("encrypt_type") != "aes":
            if self._config.mode == "safe":
                raise BadSignature("plain message in safe mode")
            self._check(query, "signature", timestamp, nonce)
            return raw, None
        encrypted = encrypted_part(parse_body(raw))
        if encrypted is None or self._cryptor is None:
            raise BadMessage("nothing to decrypt" if self._cryptor else "no AES key is set")
        self._check(query, "msg_signature", timestamp, nonce, encrypted)
        opened = self._cryptor.decrypt(encrypted)
        return opened.body, opened.key

    def seal(self, reply: bytes, *, timestamp: str, nonce: str, key: int | None) -> bytes:
        """The answer as its push came: sealed with the same key, or plain."""
        if key is None or self._cryptor is None:
            return reply
        return self._cryptor.seal(reply, timestamp=timestamp, nonce=nonce, key=key)

    def _check(self, query: Mapping[str, str], name: str, timestamp: str, *parts: str) -> None:
        check_signature(query.get(name, ""), self._config.token, timestamp, *parts)
        if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
            raise StaleTimestamp("timestamp is no number")
        if abs(self._now().timestamp() - int(timestamp)) > self._config.timestamp_window.total_seconds():
            raise StaleTimestamp(f"timestamp {timestamp} is outside the window")


async def read_body(request: web.Request) -> bytes:
    """The whole body. Raises TooLarge past 64 KiB."""
    if request.content_length is not None and request.content_length > MAX_BODY:
        raise TooLarge(f"{request.content_length} bytes")
    body = bytearray()
    async for chunk in request.content.iter_chunked(MAX_BODY):
        body += chunk
        if len(body) > MAX_BODY:
            raise TooLarge("more than 64 KiB")
    return bytes(body)


def refusal(error: LinliError) -> web.Response:
    """The caller learns the status and nothing else; the log says why."""
    log.warning("callback refused", code=error.code, detail=error.detail[:200])
    return web.Response(status=error.http_status)
