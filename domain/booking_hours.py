"""Opening hours of a plan: weekly lines by names of weekdays, working days after 调休, and single days.

A line is `工作日｜9:00-11:30｜30｜2`: days, from and to, minutes of a slot, seats of a slot. Days are 周一 … 周日,
周一至周五, 每天, 工作日, 休息日, or dates (2026-12-24), several with 、 between. What stands for a date holds then
alone, whatever the weekday says; `2026-12-24｜停｜元旦前盘点` closes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from domain.clock import SHANGHAI
from domain.tables import Wrong

WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
EVERY_DAY, WORKING, FREE = "每天", "工作日", "休息日"
_NAMES = (*WEEKDAYS, EVERY_DAY, WORKING, FREE)
MOST_LINES = 30

_BAR = re.compile(r"\s*[|｜]\s*")
_BETWEEN = re.compile(r"[、,，\s]+")
_RANGE = re.compile(r"(周[一二三四五六日])[至到~—-](周[一二三四五六日])")
_DATE = re.compile(r"(20\d\d)[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_HOURS = re.compile(r"(\d{1,2})[:：](\d{2})\s*[-—~至到–]\s*(\d{1,2})[:：](\d{2})")
_MOST_SEATS, _SHORTEST, _LONGEST = 1000, 5, 720


@dataclass(frozen=True, slots=True)
class Time:
    """One slot as the plan has it."""

    starts_at: datetime
    ends_at: datetime
    capacity: int


def read_line(line: str) -> dict[str, Any]:
    """One line of opening hours as it is stored. Raises Wrong with how to write it."""
    days, *rest = _BAR.split(line.strip())
    names = _days(days)
    if rest and rest[0] in ("停", "休", "停办", "放假"):
        if not all(_DATE.fullmatch(name) for name in names):
            raise Wrong(f"“{line[:20]}”看不懂", "停办只能写在日期后面，比如 2026-12-24｜停｜盘点。")
        return {"days": names, "closed": (rest[1] if len(rest) > 1 else "")[:60] or "当天停办"}
    if len(rest) != 3 or not (hours := _HOURS.fullmatch(rest[0])):
        raise Wrong(f"“{line[:20]}”看不懂", "每行写：工作日｜9:00-11:30｜30｜2，就是日子｜时间｜每号几分钟｜几个号。")
    begin, end = (_clock(int(hours[place]), int(hours[place + 1])) for place in (1, 3))
    minutes, seats = _number(rest[1], _SHORTEST, _LONGEST, "每号几分钟"), _number(rest[2], 1, _MOST_SEATS, "几个号")
    if _minutes(end) - _minutes(begin) < minutes:
        raise Wrong(f"“{rest[0]}”不够一个号", "结束要比开始晚，至少够一个号的时间。")
    return {"days": names, "from": begin, "to": end, "minutes": minutes, "capacity": seats}


def _days(text: str) -> list[str]:
    found: list[str] = []
    for word in filter(None, _BETWEEN.split(text.replace("星期", "周").replace("周天", "周日").replace("礼拜", "周"))):
        if ranged := _RANGE.fullmatch(word):
            first, last = WEEKDAYS.index(ranged[1]), WEEKDAYS.index(ranged[2])
            found += [WEEKDAYS[place % 7] for place in range(first, last + 1 + (7 if last < first else 0))]
        elif word in _NAMES:
            found.append(word)
        elif parts := _DATE.fullmatch(word):
            found.append(_date(parts))
        else:
            raise Wrong(f"“{word}”不是日子", "写 周一、周一至周五、工作日、休息日、每天，或者 2026-12-24 这样的日期。")
    if not found:
        raise Wrong("没有写哪些日子", "写 周一、周一至周五、工作日、每天，或者日期。")
    return list(dict.fromkeys(found))


def _date(parts: re.Match[str]) -> str:
    try:
        return date(int(parts[1]), int(parts[2]), int(parts[3])).isoformat()
    except ValueError:
        raise Wrong(f"没有 {parts[0]} 这一天", "请检查日期。") from None


def _clock(hour: int, minute: int) -> str:
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        raise Wrong(f"没有 {hour}:{minute:02} 这个时间", "请写 0:00 到 24:00。")
    return f"{hour:02}:{minute:02}"


def _number(text: str, least: int, most: int, what: str) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise Wrong(f"{what}“{text[:10]}”不对", f"写 {least} 到 {most} 的数字。")
    return int(text)


def _minutes(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


def write_line(entry: Mapping[str, Any]) -> str:
    """As `read_line` reads it."""
    days = "、".join(entry["days"])
    if "closed" in entry:
        return f"{days}｜停｜{entry['closed']}"
    return f"{days}｜{entry['from']}-{entry['to']}｜{entry['minutes']}｜{entry['capacity']}"


def times_of(week: Sequence[Mapping[str, Any]], day: date, *, works: bool) -> list[Time]:
    """The slots of one day, by their begin; `works`: whether it is a working day after 调休. Of two lines that begin at
    once the first counts."""
    named = day.isoformat()
    own = [entry for entry in week if named in entry["days"]]
    entries = own or [entry for entry in week if _holds(entry["days"], day, works=works)]
    if any("closed" in entry for entry in entries):
        return []
    found: dict[datetime, Time] = {}
    midnight = datetime.combine(day, time(), SHANGHAI)
    for entry in entries:
        begin, end, minutes = _minutes(entry["from"]), _minutes(entry["to"]), entry["minutes"]
        for start in range(begin, end - minutes + 1, minutes):
            starts_at = midnight + timedelta(minutes=start)
            found.setdefault(starts_at, Time(starts_at, starts_at + timedelta(minutes=minutes), entry["capacity"]))
    return sorted(found.values(), key=lambda one: one.starts_at)


def _holds(days: Sequence[str], day: date, *, works: bool) -> bool:
    return bool({WEEKDAYS[day.weekday()], EVERY_DAY, WORKING if works else FREE}.intersection(days))


def closed_why(week: Sequence[Mapping[str, Any]], day: date) -> str:
    """Why a single day is closed, as the plan says; "" where it does not."""
    named = day.isoformat()
    return next((str(entry["closed"]) for entry in week if "closed" in entry and named in entry["days"]), "")
