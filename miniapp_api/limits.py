"""How often one person or address may ask: exact over all processes, in any window and not just in calendar minutes.

Redis keeps the times of the last `count` requests of each. While it is away sign-in and staff are refused (a guesser
must not get a fresh count by felling Redis), and everybody else is counted by each process for itself.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from redis import asyncio as aioredis
from redis.exceptions import RedisError

from errors import TooMany, Unavailable


@dataclass(frozen=True, slots=True)
class Limit:
    """`count` requests in any `seconds`. `closed`: refused while nobody can count over all processes."""

    count: int
    seconds: int
    closed: bool = False


#: What is counted, by kind. `address` is for requests without a token, `platform` for signed ones,
#: `user` and `staff` for those with a token, `console` for staff's pages.
LIMITS: Mapping[str, Limit] = {
    "address": Limit(100, 60),
    "user": Limit(200, 60),
    "staff": Limit(200, 60, closed=True),
    "console": Limit(600, 60, closed=True),
    "platform": Limit(600, 60),
    "login": Limit(5, 300, closed=True),
    "login_address": Limit(20, 60, closed=True),
    "report": Limit(10, 3600),
    "upload": Limit(60, 3600),
}

# KEYS: the list of times, newest first. ARGV: count, window, now (microseconds). Answers 0 and notes the time, or
# answers the time that has to pass out of the window first and notes nothing.
_TAKE = """
local oldest = redis.call('lindex', KEYS[1], ARGV[1] - 1)
if oldest and tonumber(oldest) > ARGV[3] - ARGV[2] then return tonumber(oldest) end
redis.call('lpush', KEYS[1], ARGV[3])
redis.call('ltrim', KEYS[1], 0, ARGV[1] - 1)
redis.call('pexpire', KEYS[1], math.ceil(ARGV[2] / 1000) + 1000)
return 0
"""
_MICRO = 1_000_000
_REDIS_SECONDS = 2.0
_REDIS_PAUSE = 5.0
"""Seconds for which a Redis that failed is not asked again: a request must not wait for it each time."""
_AT_ONCE = 16
"""Questions to Redis at a time: its pool of connections is everybody's, and refuses the hundred and first."""
_MOST_LOCAL = 10_000
"""Addresses and people a process counts for itself; past that it forgets those it has not seen for longest."""


class RateLimits:
    """Counts requests and refuses those beyond a limit."""

    def __init__(
        self,
        redis: aioredis.Redis,
        now: Callable[[], datetime],
        limits: Mapping[str, Limit] = LIMITS,
    ) -> None:
        self._script = redis.register_script(_TAKE)
        self._now = now
        self._limits = limits
        self._local: dict[str, deque[int]] = {}
        self._redis_from = 0.0
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def take(self, kind: str, who: str) -> None:
        """Count one request. Raises TooMany with `retry_after` seconds when the limit is reached, Unavailable when
        it may not be passed uncounted and Redis is away."""
        limit = self._limits[kind]
        now = int(self._now().timestamp() * _MICRO)
        oldest = await self._take_shared(kind, who, limit, now)
        if oldest is None and limit.closed:
            raise Unavailable(
                f"{kind}: Redis is away", say="系统正在维护，暂时不能登录和办理，请过一分钟再试。", retry_after=60
            )
        if oldest is None:
            oldest = self._take_local(f"{kind}:{who}", limit, now)
        if oldest:
            wait = max(1, math.ceil((oldest + limit.seconds * _MICRO - now) / _MICRO))
            raise TooMany(f"{kind} {who}: {limit.count} in {limit.seconds} s", say=_say(wait), retry_after=wait)

    async def _take_shared(self, kind: str, who: str, limit: Limit, now: int) -> int | None:
        """The oldest time in a full window, 0 when there was room; None when Redis is away."""
        clock = asyncio.get_running_loop().time()
        if clock < self._redis_from:
            return None
        try:
            async with self._turns, asyncio.timeout(_REDIS_SECONDS):
                key = f"linli:api:{kind}:{who}"
                return int(await self._script(keys=[key], args=[limit.count, limit.seconds * _MICRO, now]))
        except (RedisError, OSError, TimeoutError):
            self._redis_from = clock + _REDIS_PAUSE
            return None

    def _take_local(self, key: str, limit: Limit, now: int) -> int:
        times = self._local.pop(key, None) or deque(maxlen=limit.count)
        self._local[key] = times  # the newest is last, so that the first is whom we have not seen for longest
        if len(self._local) > _MOST_LOCAL:
            del self._local[next(iter(self._local))]
        if len(times) == limit.count and times[0] > now - limit.seconds * _MICRO:
            return times[0]
        times.append(now)
        return 0


def _say(seconds: int) -> str:
    wait = f"{seconds} 秒" if seconds < 60 else f"{math.ceil(seconds / 60)} 分钟"
    return f"请求太频繁了，请过 {wait}再试。"
