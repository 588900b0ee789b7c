"""Times as people type them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.clock import SHANGHAI
from domain.spoken_times import read_span

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)  # a Friday, ten in the morning


@pytest.mark.parametrize(
    ("text", "day", "begin", "end"),
    [
        ("明天下午3点到5点", "11-21", "15:00", "17:00"),
        ("11月28日 9:00-11:00", "11-28", "09:00", "11:00"),
        ("周六上午九点半到十一点", "11-21", "09:30", "11:00"),
        ("下周三 14：00 到 15：30", "11-25", "14:00", "15:30"),
        ("周三 14:00-15:00", "11-25", "14:00", "15:00"),
        ("今晚七点到八点半", "11-20", "19:00", "20:30"),
        ("后天中午12点到下午2点", "11-22", "12:00", "14:00"),
        ("12.5 10点-十二点一刻", "12-05", "10:00", "12:15"),
        ("星期天早上8点15分到10点", "11-22", "08:15", "10:00"),
        ("11月 20号晚上七点二十到8点 05分", "11-20", "19:20", "20:05"),
        ("明天下午", None, "", ""),
        ("9:00-11:00", None, "", ""),
        ("2月30日 9:00-10:00", None, "", ""),
        ("明天 11:00-9:00", None, "", ""),
        ("明天 25:00-26:00", None, "", ""),
    ],
)
def test_a_day_a_begin_and_an_end_are_read(text: str, day: str | None, begin: str, end: str):
    found = read_span(text, NOW)
    if day is None:
        assert found is None
    else:
        assert [f"{one.astimezone(SHANGHAI):%m-%d %H:%M}" for one in found or ()] == [f"{day} {begin}", f"{day} {end}"]


def test_a_date_that_has_passed_is_next_years():
    begin, _ = read_span("1月3日 9:00-10:00", NOW) or (NOW, NOW)
    assert begin.astimezone(SHANGHAI).year == 2027
