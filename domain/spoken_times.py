"""When something takes place, as people type it: 明天下午3点到5点, 11月28日 9:00-11:00, 周六上午九点半到十一点."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from domain.clock import SHANGHAI

_DIGITS = {"零": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}
_NEAR = {"今天": 0, "今晚": 0, "明天": 1, "明晚": 1, "后天": 2, "大后天": 3}
_WEEKDAYS = {name: place for place, name in enumerate("一二三四五六日")} | {"天": 6}
_DAY = re.compile(
    r"(?P<near>大后天|后天|明天|明晚|今天|今晚)|(?P<next>下)?(?:周|星期|礼拜)(?P<week>[一二三四五六日天])"
    r"|(?:(?P<year>20\d\d)\s*[年./-]\s*)?(?P<month>\d{1,2})\s*[月./-]\s*(?P<day>\d{1,2})\s*[日号]?"
)
_CLOCK = re.compile(
    r"(?P<part>凌晨|早上|早晨|上午|中午|下午|傍晚|晚上|晚)?\s*(?P<hour>\d{1,2}|[一二两三四五六七八九十]{1,3})\s*"
    r"(?:[:：]\s*(?P<minute>\d{2})|[点时]\s*(?P<spoken>半|一刻|三刻|\d{1,2}|[一二三四五]?十[一二三四五六七八九]?)?分?)"
)
_QUARTERS = {"半": 30, "一刻": 15, "三刻": 45}
_LATE = ("下午", "傍晚", "晚上", "晚")


def read_span(text: str, now: datetime) -> tuple[datetime, datetime] | None:
    """(begin, end) of words that name a day, a begin and an end; None where one of them is missing or there is no such
    time. A date without a year is this year's, or the next where it has passed."""
    found = _DAY.search(text)
    day = _day(found, now.astimezone(SHANGHAI).date()) if found else None
    clocks = list(_CLOCK.finditer(text, found.end())) if found else []
    if found is None or day is None or len(clocks) < 2:
        return None
    part = "晚上" if found["near"] in ("今晚", "明晚") else ""
    begin = _time(clocks[0], part)
    end = _time(clocks[1], clocks[0]["part"] or part)
    if begin is None or end is None or end <= begin:
        return None
    return datetime.combine(day, begin, SHANGHAI), datetime.combine(day, end, SHANGHAI)


def _day(found: re.Match[str], today: date) -> date | None:
    if found["near"]:
        return today + timedelta(days=_NEAR[found["near"]])
    if found["week"]:
        monday = today - timedelta(days=today.weekday())
        day = monday + timedelta(days=_WEEKDAYS[found["week"]])
        return day + timedelta(days=7) if found["next"] or day < today else day
    try:
        day = date(int(found["year"] or today.year), int(found["month"]), int(found["day"]))
        return day.replace(year=day.year + 1) if not found["year"] and day < today else day
    except ValueError:
        return None


def _time(found: re.Match[str], before: str) -> time | None:
    """A time of day; without a part of the day of its own it lies in that of the time before it."""
    hour, part = _number(found["hour"]), found["part"] or before
    spoken = found["spoken"] or ""
    minute = _QUARTERS.get(spoken) or _number(found["minute"] or spoken or "0")
    if part in _LATE and hour < 12:
        hour += 12
    if part == "中午" and hour < 3:
        hour += 12
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _number(text: str) -> int:
    if text.isascii():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    return (_DIGITS.get(tens, 1) * 10 if ten else 0) + (_DIGITS[ones[-1]] if ones else 0)
