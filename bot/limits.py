"""How often something may be done, counted over all processes in Redis: each WeChat API, the open interface.

WeChat's quotas belong to the account; past them every call fails until the minute or the day is over. We
stop before. While Redis is away each process counts for itself, over the same windows.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from redis import asyncio as aioredis
from redis.exceptions import RedisError

from errors import Unavailable

DAY = 86_400
_CHINA = 8 * 3_600
"""WeChat's day begins at midnight in China."""
_REDIS_SECONDS = 0.5
_REDIS_PAUSE = 5.0
"""Seconds for which a Redis that failed is not asked again: a call must not wait for it each time."""

# KEYS: this window and the one before, for each limit. ARGV: limit, weight of the window before, seconds to
# keep, for each limit. Counts one call in every window and answers 0, or answers which limit is reached and
# counts nothing.
_TAKE = """
local n = #KEYS / 2
for i = 1, n do
  local used = tonumber(redis.call('get', KEYS[2 * i - 1]) or '0')
  local before = tonumber(redis.call('get', KEYS[2 * i]) or '0')
  if used + math.floor(before * tonumber(ARGV[3 * i - 1])) >= tonumber(ARGV[3 * i - 2]) then return i end
end
for i = 1, n do
  redis.call('incr', KEYS[2 * i - 1])
  redis.call('expire', KEYS[2 * i - 1], ARGV[3 * i])
end
return 0
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """`count` calls in `seconds`. Windows shorter than a day slide; a day is a day in China."""

    count: int
    seconds: int


PLATFORM_LIMITS: Mapping[str, Sequence[Limit]] = {
    "cgi-bin/message/custom/send": (Limit(500_000, DAY),),
    "cgi-bin/message/template/send": (Limit(100_000, DAY),),
    "cgi-bin/message/mass/send": (Limit(60, 60), Limit(100, DAY)),
    "cgi-bin/menu/create": (Limit(1_000, DAY),),
    "cgi-bin/menu/get": (Limit(10_000, DAY),),
    "cgi-bin/menu/delete": (Limit(1_000, DAY),),
    "cgi-bin/media/upload": (Limit(100_000, DAY),),
    "cgi-bin/media/get": (Limit(200_000, DAY),),
    "cgi-bin/qrcode/create": (Limit(100_000, DAY),),
    "cgi-bin/user/info": (Limit(5_000_000, DAY),),
    "wxa/getwxacodeunlimit": (Limit(5_000, 60),),
    "wxa/msg_sec_check": (Limit(4_000, 60), Limit(2_000_000, DAY)),
    "wxa/media_check_async": (Limit(2_000, 60), Limit(200_000, DAY)),
}
"""The platform's defaults for a verified service account; its console shows the real ones."""
_COUNTED_WITH: Mapping[str, str] = {"cgi-bin/message/mass/sendall": "cgi-bin/message/mass/send"}
"""APIs that share another one's limit."""


@dataclass(frozen=True, slots=True)
class _Window:
    """One limit's present window: its two counters' names, how much of the window before still counts, when
    it ends."""

    limit: Limit
    name: str
    name_before: str
    weight: float
    ends_in: float


class RateLimits:
    """Counts calls by API name, and by who calls where that is given, and refuses those beyond a limit.

    `account` keeps counters of the same name apart: an app id, or what is limited.
    """

    def __init__(
        self,
        redis: aioredis.Redis,
        account: str,
        limits: Mapping[str, Sequence[Limit]] = PLATFORM_LIMITS,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._script = redis.register_script(_TAKE)
        self._account = account
        self._limits = limits
        self._now = now
        self._local: dict[str, int] = {}
        self._redis_from = 0.0

    async def take(self, api: str, who: str = "") -> None:
        """Count one call. Raises Unavailable with `retry_after` seconds when a limit is reached."""
        api = _COUNTED_WITH.get(api, api)
        limits = self._limits.get(api, ())
        if not limits:
            return
        counted = f"{api}:{who}" if who else api
        windows = [self._window(counted, limit) for limit in limits]
        reached = await self._take_shared(windows) if self._now() >= self._redis_from else None
        if reached is None:
            reached = self._take_local(windows)
        if reached:
            window = windows[reached - 1]
            raise Unavailable(
                f"{api}: {window.limit.count} calls in {window.limit.seconds} s are used up",
                retry_after=math.ceil(window.ends_in),
                api=api,
                seconds=window.limit.seconds,
            )

    def _window(self, api: str, limit: Limit) -> _Window:
        now = self._now() + _CHINA
        number, into = divmod(now, limit.seconds)
        # The braces keep an API's counters on one node of a Redis Cluster.
        name = f"linli:limit:{{{self._account}:{api}}}:{limit.seconds}"
        weight = 0.0 if limit.seconds >= DAY else 1 - into / limit.seconds
        return _Window(limit, f"{name}:{int(number)}", f"{name}:{int(number) - 1}", weight, limit.seconds - into)

    async def _take_shared(self, windows: Sequence[_Window]) -> int | None:
        """Number of the limit that is reached, 0 for none; None when Redis is away."""
        keys = [name for window in windows for name in (window.name, window.name_before)]
        args = [value for w in windows for value in (w.limit.count, w.weight, w.limit.seconds * 2)]
        try:
            async with asyncio.timeout(_REDIS_SECONDS):
                return int(await self._script(keys=keys, args=args))
        except (RedisError, OSError, TimeoutError):
            self._redis_from = self._now() + _REDIS_PAUSE
            return None

    def _take_local(self, windows: Sequence[_Window]) -> int:
        for number, window in enumerate(windows, 1):
            before = math.floor(self._local.get(window.name_before, 0) * window.weight)
            if self._local.get(window.name, 0) + before >= window.limit.count:
                return number
        if len(self._local) > 1_000:
            self._local.clear()
        for window in windows:
            self._local[window.name] = self._local.get(window.name, 0) + 1
        return 0
