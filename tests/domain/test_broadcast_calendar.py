"""When a broadcast goes out: names of days, 调休, the last day, and what has passed meanwhile."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from domain.broadcast_calendar import check_calendar, next_moment, say_calendar
from domain.clock import SHANGHAI
from domain.timing import parse_hours
from domain.worktime import WorkCalendar
from errors import BadRequest

FRIDAY = datetime(2026, 11, 20, 10, 0, tzinfo=SHANGHAI)
#: Saturday is worked, Monday is not, as around a holiday.
SHIFTED = WorkCalendar(parse_hours("08:30-17:30"), {date(2026, 11, 21): True, date(2026, 11, 23): False})


def days(calendar: dict[str, Any], count: int = 4) -> list[str]:
    """The next times, said shortly."""
    found, moment = [], FRIDAY
    for _ in range(count):
        following = next_moment(calendar, moment, SHIFTED, first=False)
        if following is None:
            break
        found.append(f"{following:%d %H:%M}")
        moment = following
    return found


@pytest.mark.parametrize(
    ("given", "times", "said"),
    [
        ({"days": ["工作日"], "time": "9:00"}, ["21 09:00", "24 09:00", "25 09:00", "26 09:00"], "每个工作日上午 9 点"),
        (
            {"days": ["休息日"], "time": "20:30"},
            ["22 20:30", "23 20:30", "28 20:30", "29 20:30"],
            "每个休息日晚上 8 点半",
        ),
        (
            {"days": ["周四", "周一"], "time": "09:00"},
            ["23 09:00", "26 09:00", "30 09:00", "03 09:00"],
            "每周一、周四上午 9 点",
        ),
        (
            {"days": ["每天"], "time": "10:30", "until": "2026-11-21"},
            ["20 10:30", "21 10:30"],
            "每天上午 10 点半，到 11 月 21 日",
        ),
    ],
)
def test_days_by_their_names(given: dict[str, Any], times: list[str], said: str) -> None:
    calendar = check_calendar(given, FRIDAY)
    assert days(calendar) == times
    assert say_calendar(calendar, FRIDAY) == said


def test_what_goes_out_once_goes_out_at_its_time_or_as_soon_as_it_may() -> None:
    once = check_calendar({"at": "2026-12-01 09:00"}, FRIDAY)
    first = next_moment(once, FRIDAY, SHIFTED, first=True)
    assert first == datetime(2026, 12, 1, 9, 0, tzinfo=SHANGHAI)
    late = datetime(2026, 12, 2, 8, 0, tzinfo=SHANGHAI)  # approved when its time had passed
    assert next_moment(once, late, SHIFTED, first=True) == late
    assert next_moment(once, late, SHIFTED, first=False) is None
    assert next_moment({}, FRIDAY, SHIFTED, first=True) == FRIDAY
    assert next_moment({}, FRIDAY, SHIFTED, first=False) is None
    assert say_calendar(once, FRIDAY) == "12 月 1 日上午 9 点"
    assert say_calendar(once, late, approved=True) == "现在就发"


def test_staff_read_when_what_is_meant_for_the_night_goes_out_really() -> None:
    night = datetime(2026, 11, 20, 23, 0, tzinfo=SHANGHAI)
    assert say_calendar({}, night, approved=True) == "早上 7 点半开始发，夜里不打扰居民"
    assert say_calendar({}, night, approved=True, urgent=True) == "现在就发"
    late = check_calendar({"at": "2026-12-01 22:00"}, FRIDAY)
    assert say_calendar(late, FRIDAY) == "12 月 1 日晚上 10 点（夜里不发，早上 7 点半起发）"
    assert say_calendar(late, FRIDAY, urgent=True) == "12 月 1 日晚上 10 点"
    assert say_calendar(check_calendar({"days": ["每天"], "time": "06:00"}, FRIDAY), FRIDAY) == (
        "每天早上 6 点（夜里不发，早上 7 点半起发）"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"at": "soon"},
        {"at": "2026-11-20 09:59"},
        {"at": "2028-01-01 09:00"},
        {"days": ["周八"], "time": "09:00"},
        {"days": "周一", "time": "09:00"},
        {"days": ["周一"], "time": "25:00"},
        {"days": ["周一"], "until": "2026-13-01"},
        {"at": "2026-12-01 09:00", "days": ["周一"]},
        {"time": "09:00"},
    ],
)
def test_what_nobody_can_keep_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        check_calendar(wrong, FRIDAY)
