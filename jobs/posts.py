"""Posting JSON to other platforms, signed or not. Redirects are not followed: a body is for whom it was written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import aiohttp
import orjson

from domain.connectors import signature

TIMEOUT = aiohttp.ClientTimeout(total=8, connect=4)
MOST_BYTES = 64 * 1024  # of an answer


async def post_json(
    session: aiohttp.ClientSession, url: str, content: Mapping[str, Any], limits: aiohttp.ClientTimeout = TIMEOUT
) -> tuple[int, bytes]:
    """The status and the beginning of the answer. Raises aiohttp.ClientError, TimeoutError."""
    return await _post(session, url, orjson.dumps(content), {}, limits)


class SignedPosts:
    """Posts as connectors and groups check them: `X-Linli-Signature` over time and body, one key for each message."""

    def __init__(
        self, session: aiohttp.ClientSession, *, now: Callable[[], datetime], timeout: aiohttp.ClientTimeout = TIMEOUT
    ) -> None:
        self._session = session
        self._now = now
        self._timeout = timeout

    async def __call__(self, url: str, secret: str, key: str, content: Mapping[str, Any]) -> tuple[int, bytes]:
        """The status and the beginning of the answer. Raises aiohttp.ClientError, TimeoutError."""
        body = orjson.dumps({"id": key, **content})
        timestamp = str(int(self._now().timestamp()))
        headers = {
            "Idempotency-Key": key,
            "X-Linli-Timestamp": timestamp,
            "X-Linli-Signature": signature(secret, timestamp, body),
        }
        return await _post(self._session, url, body, headers, self._timeout)


async def _post(
    session: aiohttp.ClientSession,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    limits: aiohttp.ClientTimeout,
) -> tuple[int, bytes]:
    headers = {"Content-Type": "application/json", **headers}
    async with session.post(url, data=body, headers=headers, timeout=limits, allow_redirects=False) as answer:
        return answer.status, await _beginning(answer)


async def _beginning(answer: aiohttp.ClientResponse) -> bytes:
    """The answer's body; of a longer one than we take only so much that this shows."""
    said = bytearray()
    async for part in answer.content.iter_chunked(8192):
        said += part
        if len(said) > MOST_BYTES:
            answer.close()
            break
    return bytes(said[: MOST_BYTES + 1])
