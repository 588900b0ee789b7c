"""When a broadcast goes out: at once, at one moment, or on days by their names (周一, 工作日, 每天 …)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from domain.clock import SHANGHAI, say_date, say_hour
from domain.timing import quiet_until
from domain.worktime import WorkCalendar
from errors import BadRequest

WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
WORKING, FREE, EVERY = "工作日", "休息日", "每天"
NAMES = (*WEEKDAYS, WORKING, FREE, EVERY)
"""Names of days, as staff write them."""

_TIME = re.compile(r"([01]?\d|2[0-3])[:：]([0-5]\d)")
_FURTHEST = timedelta(days=366)
#: Days looked at for the next time: the longest holidays have nine.
_LOOK_AHEAD = 40
_EXAMPLE = '写成 {"at": "2026-12-01 09:00"}，或 {"days": ["工作日"], "time": "09:00", "until": "2026-12-31"}'


def check_calendar(given: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The calendar in its one form; {} = as soon as it is approved. Raises BadRequest that shows how to write it."""
    known = {name: value for name, value in given.items() if value not in ("", None, [])}
    if not known:
        return {}
    if set(known) == {"at"}:
        return {"at": _moment(known["at"], now).isoformat()}
    if not set(known) <= {"days", "time", "until"} or "days" not in known:
        raise BadRequest("calendar", say=f"时间安排看不懂，请{_EXAMPLE}。")
    days = known["days"]
    if not isinstance(days, list | tuple) or any(day not in NAMES for day in days):
        raise BadRequest("calendar.days", say=f"日子请从这些里选：{'、'.join(NAMES)}。")
    until = {"until": _day(known["until"]).isoformat()} if "until" in known else {}
    return {"days": [day for day in NAMES if day in days], "time": _time(known.get("time", "09:00")), **until}


def _moment(given: Any, now: datetime) -> datetime:
    try:
        at = datetime.fromisoformat(str(given))
    except ValueError:
        raise BadRequest("calendar.at", say=f"时间看不懂，请{_EXAMPLE}。") from None
    at = at if at.tzinfo else at.replace(tzinfo=SHANGHAI)
    if not now < at < now + _FURTHEST:
        raise BadRequest("calendar.at", say="发送时间要在现在之后、一年以内。")
    return at.astimezone(SHANGHAI)


def _time(given: Any) -> str:
    found = _TIME.fullmatch(str(given).strip())
    if found is None:
        raise BadRequest("calendar.time", say="几点发请写成 09:00 这样。")
    return f"{int(found[1]):02}:{found[2]}"


def _day(given: Any) -> date:
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        raise BadRequest("calendar.until", say="截止日期请写成 2026-12-31 这样。") from None


def next_moment(calendar: Mapping[str, Any], after: datetime, work: WorkCalendar, *, first: bool) -> datetime | None:
    """When the next run starts, `after` not included; None = never again. `first`: it has not run yet, so that what was
    to go out at once, or at a moment that has passed meanwhile, goes out now."""
    if not calendar:
        return after if first else None
    if at := calendar.get("at"):
        return max(datetime.fromisoformat(at), after) if first else None
    hour, minute = map(int, calendar["time"].split(":"))
    today = after.astimezone(SHANGHAI).date()
    until = date.fromisoformat(calendar["until"]) if "until" in calendar else None
    for day in (today + timedelta(days=step) for step in range(_LOOK_AHEAD)):
        moment = datetime.combine(day, time(hour, minute), SHANGHAI)
        if until and day > until:
            return None
        if moment > after and any(_is(day, name, work) for name in calendar["days"]):
            return moment
    return None


def _is(day: date, name: str, work: WorkCalendar) -> bool:
    if name in WEEKDAYS:
        return day.weekday() == WEEKDAYS.index(name)
    return name == EVERY or work.works(day) is (name == WORKING)


def say_calendar(calendar: Mapping[str, Any], now: datetime, *, approved: bool = False, urgent: bool = False) -> str:
    """`审批通过就发` (once it is: `现在就发`), `12 月 1 日上午 9 点`, `每周一、周三上午 9 点，到 12 月 31 日`.

    Of the quiet hours, unless it is `urgent`, also when it goes out really."""
    if not calendar and not approved:
        return "紧急，批了马上发" if urgent else "审批通过就发"
    if "days" not in calendar:
        local = datetime.fromisoformat(calendar["at"]).astimezone(SHANGHAI) if calendar else now
        if approved and local <= now:
            later = None if urgent else quiet_until(now)
            return f"{say_hour(later.astimezone(SHANGHAI))}开始发，夜里不打扰居民" if later else "现在就发"
        return f"{say_date(local, now)}{say_hour(local)}{_night(local, urgent)}"
    hour, minute = map(int, calendar["time"].split(":"))
    days = "、".join(calendar["days"])
    each = days if days == EVERY else f"每{days}" if calendar["days"][0] in WEEKDAYS else f"每个{days}"
    begins = datetime.combine(now.astimezone(SHANGHAI).date(), time(hour, minute), SHANGHAI)
    said = f"{each}{say_hour(begins)}{_night(begins, urgent)}"
    if "until" not in calendar:
        return said
    return f"{said}，到 {say_date(datetime.combine(date.fromisoformat(calendar['until']), time(12), SHANGHAI), now)}"


def _night(moment: datetime, urgent: bool) -> str:
    later = None if urgent else quiet_until(moment)
    return f"（夜里不发，{say_hour(later.astimezone(SHANGHAI))}起发）" if later else ""
