"""Who is in which room, over all web processes, in Redis: it may be lost at any moment and is soon there again.

Each process keeps one set a room of the people it has there, which vanishes a minute after the process did. Somebody
with a phone and a computer is one person, also where two processes have one each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import uuid4

from redis import asyncio as aioredis
from redis.asyncio.client import Pipeline
from redis.exceptions import RedisError

_LIFE = 60  # seconds
_REFRESH = 20.0  # seconds after which a set without changes is told to live on
_PIECE = 1_000  # names in one command
_SECONDS = 0.5  # for all of it; else this process's own count must do

# KEYS: the sets of a room. How many people stand in at least one.
_UNION = "return #redis.call('SUNION', unpack(KEYS))"


@dataclass(slots=True)
class _Told:
    """What Redis has of one room, as far as this process knows, and when it was last told the whole of it."""

    people: frozenset[str]
    at: float


class RedisPresence:
    """The counts of one web process and all others."""

    def __init__(self, redis: aioredis.Redis, now: Callable[[], datetime]) -> None:
        self._redis, self._now = redis, now
        self._process = uuid4().hex[:12]
        self._told: dict[int, _Told] = {}

    async def counts(self, here: Mapping[int, frozenset[str]]) -> Mapping[int, int]:
        """Say who is in these rooms in this process, and give how many are in each over all; without Redis, here."""
        counts = {room_id: len(people) for room_id, people in here.items()}
        try:
            async with asyncio.timeout(_SECONDS):
                return counts | await self._unions(await self._tell(here))
        except (RedisError, OSError, TimeoutError):
            self._told.clear()
            return counts

    async def _tell(self, here: Mapping[int, frozenset[str]]) -> dict[int, list[str]]:
        """Bring Redis to what is so here; gives the sets of each room, where other processes have some too."""
        now, places = self._now().timestamp(), dict[int, int]()
        async with self._redis.pipeline(transaction=False) as pipe:
            for room_id, people in here.items():
                self._tell_room(pipe, room_id, people, now)
                places[room_id] = len(pipe)
                pipe.zrange(_room(room_id), str(now), "inf", byscore=True)
            answers = await pipe.execute()
        processes = {room_id: {name.decode() for name in answers[place]} for room_id, place in places.items()}
        return {
            room_id: [_set(room_id, process) for process in found | {self._process}]
            for room_id, found in processes.items()
            if found - {self._process}
        }

    def _tell_room(self, pipe: Pipeline, room_id: int, people: frozenset[str], now: float) -> None:
        own, told = _set(room_id, self._process), self._told.get(room_id)
        if not people:
            pipe.delete(own)
            pipe.zrem(_room(room_id), self._process)
            self._told.pop(room_id, None)
        elif told is None or people != told.people or now - told.at > _REFRESH:
            # Whole from time to time: Redis may have forgotten it.
            known = told.people if told and now - told.at <= _REFRESH else frozenset()
            for piece in _pieces(people - known):
                pipe.sadd(own, *piece)
            for piece in _pieces(told.people - people if told else frozenset()):
                pipe.srem(own, *piece)
            pipe.expire(own, _LIFE)
            pipe.zadd(_room(room_id), {self._process: now + _LIFE})
            pipe.zremrangebyscore(_room(room_id), "-inf", now)
            pipe.expire(_room(room_id), _LIFE)
            self._told[room_id] = _Told(people, now if told is None or not known else told.at)

    async def _unions(self, sets: Mapping[int, list[str]]) -> dict[int, int]:
        if not sets:
            return {}
        async with self._redis.pipeline(transaction=False) as pipe:
            for keys in sets.values():
                pipe.eval(_UNION, len(keys), *keys)
            return dict(zip(sets, await pipe.execute(), strict=True))


def _room(room_id: int) -> str:
    return f"linli:here:{{{room_id}}}"  # braces: all keys of a room on one node of a cluster


def _set(room_id: int, process: str) -> str:
    return f"linli:here:{{{room_id}}}:{process}"


def _pieces(people: frozenset[str]) -> Iterator[list[str]]:
    left = iter(people)
    while piece := list(islice(left, _PIECE)):
        yield piece
