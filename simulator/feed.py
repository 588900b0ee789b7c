"""News of the platform for pages that look at it: bounded queues, so that a sleeping page costs nothing."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import orjson

from errors import Unavailable

QUEUED: Final = 256
"""News kept for a page that does not read; past it the page is told to load itself anew."""
READERS: Final = 64


class Feed:
    """Publishes to every reader without waiting for any."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[bytes | None]] = set()

    @property
    def watched(self) -> bool:
        """Whether anybody reads; publishers may save themselves the work."""
        return bool(self._queues)

    def publish(self, kind: str, **news: Any) -> None:
        """Tell every page."""
        if not self._queues:
            return
        line = orjson.dumps({"kind": kind, **news})
        for queue in self._queues:
            _put(queue, line)

    def close(self) -> None:
        """End every reader, so that a server can stop."""
        for queue in self._queues:
            while not queue.empty():
                queue.get_nowait()
            queue.put_nowait(None)

    @contextmanager
    def subscribe(self) -> Iterator[asyncio.Queue[bytes | None]]:
        """A queue of news for as long as the block lasts; None in it is the end. Raises Unavailable."""
        if len(self._queues) >= READERS:
            raise Unavailable("too many pages watch", say="打开的模拟器页面太多，请关掉几个。")
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUED + 1)
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)


async def next_news(queue: asyncio.Queue[bytes | None], quiet: float) -> bytes | None:
    """The next line; empty after `quiet` seconds without any, so that dead connections show; None at the end."""
    try:
        async with asyncio.timeout(quiet):
            return await queue.get()
    except TimeoutError:
        return b""


def _put(queue: asyncio.Queue[bytes | None], line: bytes) -> None:
    if queue.qsize() < QUEUED:
        queue.put_nowait(line)
        return
    while not queue.empty():
        queue.get_nowait()
    queue.put_nowait(b'{"kind":"reload"}')
