"""The bell over Redis: what one process commits, the hubs of all web processes hear of.

A message says only which room; the entries stay in PostgreSQL. While Redis is away nothing is heard, and the hubs see
for themselves once a second.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from uuid import uuid4

import structlog
from redis import asyncio as aioredis
from redis.exceptions import RedisError

from jobs.loops import REDIS_GONE, WAKE_CHANNEL

log = structlog.get_logger(__name__)

ROOM_CHANNEL, READ_CHANNEL = "linli:room", "linli:read"
_GATHER = 0.002  # seconds in which what commits together is published together
_PAUSE_AFTER_ERROR = 1.0


class RoomBell:
    """Rings for other processes, and for this one without the way over Redis."""

    def __init__(self, redis: aioredis.Redis) -> None:
        self._redis = redis
        self._process = uuid4().hex[:12]
        self._waiting: dict[tuple[str, str], None] = {}
        self._sending: asyncio.Task[None] | None = None
        self._rooms: Callable[[int], None] = _deaf
        self._reads: Callable[[int, str, int], None] = _deaf
        self._wakes: Callable[[], None] = _deaf

    def ring(self, room_id: int) -> None:
        """A room has something new."""
        self._rooms(room_id)
        self._publish(ROOM_CHANNEL, str(room_id))

    def read(self, room_id: int, who: str, seq: int) -> None:
        """Somebody has read up to a number."""
        self._reads(room_id, who, seq)
        self._publish(READ_CHANNEL, f"{room_id} {who} {seq}")

    def _publish(self, channel: str, text: str) -> None:
        self._waiting[channel, text] = None
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        await asyncio.sleep(_GATHER)
        while self._waiting:
            waiting, self._waiting = self._waiting, {}
            with contextlib.suppress(*REDIS_GONE):
                async with self._redis.pipeline(transaction=False) as pipe:
                    for channel, text in waiting:
                        pipe.publish(channel, f"{self._process} {text}")
                    await pipe.execute()

    async def listen(
        self, rooms: Callable[[int], None], reads: Callable[[int, str, int], None], wakes: Callable[[], None]
    ) -> None:
        """Hear every ring of this process and, until cancelled, of all others; `wakes` hears what wakes the workers:
        that something has committed."""
        self._rooms, self._reads, self._wakes = rooms, reads, wakes
        try:
            while True:
                try:
                    await self._hear()
                except (RedisError, OSError) as error:
                    log.info("no bell from other processes", error=repr(error))
                    await asyncio.sleep(_PAUSE_AFTER_ERROR)
        finally:
            self._rooms = self._reads = self._wakes = _deaf

    async def _hear(self) -> None:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as heard:
            await heard.subscribe(ROOM_CHANNEL, READ_CHANNEL, WAKE_CHANNEL)
            async for message in heard.listen():
                if message["channel"] == WAKE_CHANNEL.encode():
                    self._wakes()
                    continue
                process, *words = message["data"].decode().split(" ")
                if process == self._process:
                    continue
                if message["channel"] == ROOM_CHANNEL.encode():
                    self._rooms(int(words[0]))
                else:
                    self._reads(int(words[0]), words[1], int(words[2]))


def _deaf(*_rung: object) -> None:
    """Where no hub listens."""
