"""News of the platform for pages that look at it: bounded queues, so that a sleeping page costs nothing."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import orjson

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

    async def read(self, every: float) -> AsyncIterator[bytes]:
        """News as JSON lines; an empty line after `every` quiet seconds, so that dead connections show."""
        if len(self._queues) >= READERS:
            return
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUED + 1)
        self._queues.add(queue)
        try:
            while True:
                try:
                    async with asyncio.timeout(every):
                        line = await queue.get()
                except TimeoutError:
                    line = b""
                if line is None:
                    return
                yield line
        finally:
            self._queues.discard(queue)


def _put(queue: asyncio.Queue[bytes | None], line: bytes) -> None:
    if queue.qsize() < QUEUED:
        queue.put_nowait(line)
        return
    while not queue.empty():
        queue.get_nowait()
    queue.put_nowait(b'{"kind":"reload"}')
