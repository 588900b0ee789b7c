"""When each piece of regular work was last done, how long it took, and what went wrong last: told to Redis by whichever
worker did it, read by the console.

It may be lost at any moment: the next round of each writes it again, and what went wrong is in the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog
from redis import asyncio as aioredis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

_PLANNED, _DONE, _FAILED = "linli:work:planned", "linli:work:done", "linli:work:failed"
_PATIENCE = 0.5  # seconds for Redis: work does not wait for its own notes
_PAUSE = 30.0  # seconds for which a Redis that failed is told nothing
_OFTEN = 5.0  # seconds between two notes of the same work, at least


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of regular work. `since`: when a worker last started, from which on it is expected."""

    name: str
    every: timedelta
    since: datetime
    done_at: datetime | None
    took: float  # seconds
    failed_at: datetime | None
    fault: str  # the kind of error; the log has the rest

    @property
    def due_at(self) -> datetime:
        """When it should be done next."""
        return max(self.done_at or self.since, self.since) + self.every

    def is_late(self, now: datetime) -> bool:
        """A whole round was left out, or a minute has passed: work takes its time, and clocks differ."""
        return now > self.due_at + max(self.every, timedelta(minutes=1))


class Ticks:
    """What one worker notes, and what all of them have noted."""

    def __init__(self, redis: aioredis.Redis, now: Callable[[], datetime]) -> None:
        self._redis, self._now = redis, now
        self._plan: dict[str, bytes] = {}
        self._noted: dict[str, float] = {}
        self._from = 0.0

    async def plan(self, every: Mapping[str, float]) -> None:
        """A worker has started: this is what it does, each so many seconds. What nobody does any more is forgotten."""
        since = self._now().isoformat()
        self._plan = {name: orjson.dumps({"every": seconds, "since": since}) for name, seconds in every.items()}
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(_PLANNED)
            for name, line in self._plan.items():
                pipe.hset(_PLANNED, name, line)
            await self._send(pipe)

    async def done(self, name: str, took: float) -> None:
        """It was done, and took so many seconds."""
        clock = asyncio.get_running_loop().time()
        if clock - self._noted.get(name, -_OFTEN) >= _OFTEN:
            self._noted[name] = clock
            await self._note(_DONE, name, {"took": round(took, 3)})

    async def failed(self, name: str, error: BaseException) -> None:
        """It was tried, and this came of it."""
        await self._note(_FAILED, name, {"fault": type(error).__name__})

    async def _note(self, key: str, name: str, said: dict[str, Any]) -> None:
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hset(key, name, orjson.dumps(said | {"at": self._now().isoformat()}))
            if name in self._plan:  # Redis may have forgotten it
                pipe.hset(_PLANNED, name, self._plan[name])
            await self._send(pipe)

    async def _send(self, pipe: aioredis.client.Pipeline) -> None:
        clock = asyncio.get_running_loop().time()
        if clock < self._from:
            return
        try:
            async with asyncio.timeout(_PATIENCE):
                await pipe.execute()
        except (RedisError, OSError, TimeoutError) as error:
            self._from = clock + _PAUSE
            log.info("regular work not noted", error=repr(error))

    async def read(self) -> list[Work]:
        """All work by name; none before a worker has started. Raises RedisError, OSError, TimeoutError."""
        async with asyncio.timeout(_PATIENCE):
            planned, done, failed = [_read(await self._redis.hgetall(key)) for key in (_PLANNED, _DONE, _FAILED)]
        return [_work(name, planned[name], done.get(name, {}), failed.get(name, {})) for name in sorted(planned)]


def _read(lines: Mapping[Any, Any]) -> dict[str, dict[str, Any]]:
    return {name.decode(): orjson.loads(line) for name, line in lines.items()}


def _work(name: str, plan: Mapping[str, Any], done: Mapping[str, Any], failed: Mapping[str, Any]) -> Work:
    return Work(
        name,
        timedelta(seconds=plan["every"]),
        datetime.fromisoformat(plan["since"]),
        datetime.fromisoformat(done["at"]) if done else None,
        done.get("took", 0.0),
        datetime.fromisoformat(failed["at"]) if failed else None,
        failed.get("fault", ""),
    )
