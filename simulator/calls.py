"""Daily numbers of API calls and their limits, as `/cgi-bin/openapi/quota/get` tells them."""

from collections import Counter
from datetime import date, datetime, timedelta, timezone
from typing import Final

from simulator.refusals import ApiRefusal

CHINA: Final = timezone(timedelta(hours=8))
"""Quotas start anew at midnight in China, which has no summer time."""
CLEARS_PER_MONTH: Final = 10
DEFAULT_LIMIT: Final = 1_000_000

LIMITS: Final = {
    "/cgi-bin/token": 2_000,
    "/cgi-bin/stable_token": 500_000,
    "/cgi-bin/menu/create": 1_000,
    "/cgi-bin/menu/get": 10_000,
    "/cgi-bin/menu/delete": 1_000,
    "/cgi-bin/media/upload": 100_000,
    "/cgi-bin/media/get": 200_000,
    "/cgi-bin/message/custom/send": 500_000,
    "/cgi-bin/message/template/send": 100_000,
    "/cgi-bin/message/mass/send": 100,
    "/cgi-bin/message/mass/sendall": 100,
    "/cgi-bin/message/mass/preview": 100,
    "/cgi-bin/qrcode/create": 100_000,
    "/cgi-bin/user/get": 500,
    "/cgi-bin/user/info": 5_000_000,
    "/wxa/msg_sec_check": 2_000_000,
    "/wxa/media_check_async": 200_000,
}
"""Calls a day of a new account."""

MINUTE_LIMITS: Final = {
    "/wxa/msg_sec_check": 4_000,
    "/wxa/media_check_async": 2_000,
    "/cgi-bin/message/mass/send": 60,
    "/cgi-bin/message/mass/sendall": 60,
}
"""Calls a minute, counted by the clock's minute (assumption)."""


class CallCounter:
    """Calls per appid and path since midnight."""

    def __init__(self) -> None:
        self._day = date.min
        self._calls: Counter[tuple[str, str]] = Counter()
        self._minutes: dict[tuple[str, str], tuple[int, int]] = {}
        self._clears: Counter[tuple[str, int, int]] = Counter()

    def count(self, appid: str, path: str, now: datetime) -> None:
        """One more call. Raises ApiRefusal 45009 past the day's limit, 45011 past the minute's."""
        self._turn_day(now)
        if most := MINUTE_LIMITS.get(path):
            minute, (before, calls) = int(now.timestamp() // 60), self._minutes.get((appid, path), (0, 0))
            calls = calls + 1 if minute == before else 1
            if calls > most:
                raise ApiRefusal(45011)
            self._minutes[appid, path] = minute, calls
        if self._calls[appid, path] >= LIMITS.get(path, DEFAULT_LIMIT):
            raise ApiRefusal(45009)
        self._calls[appid, path] += 1

    def quota(self, appid: str, path: str, now: datetime) -> dict[str, int]:
        """Limit, used and left of a path."""
        self._turn_day(now)
        limit, used = LIMITS.get(path, DEFAULT_LIMIT), self._calls[appid, path]
        return {"daily_limit": limit, "used": used, "remain": limit - used}

    def clear(self, appid: str, now: datetime) -> None:
        """All counters to zero. Raises ApiRefusal 48006 from the eleventh time in a month on."""
        today = now.astimezone(CHINA)
        month = (appid, today.year, today.month)
        if self._clears[month] >= CLEARS_PER_MONTH:
            raise ApiRefusal(48006)
        self._clears[month] += 1
        for key in [key for key in self._calls if key[0] == appid]:
            del self._calls[key]

    def _turn_day(self, now: datetime) -> None:
        today = now.astimezone(CHINA).date()
        if today != self._day:
            self._day = today
            self._calls.clear()
