"""Times as people say them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.clock import SHANGHAI, due_time, say_latest, say_moment, template_time


def at(*parts: int) -> datetime:
    """A time on a clock in Wuhan, as the database keeps it."""
    return datetime(*parts, tzinfo=SHANGHAI).astimezone(UTC)


NOW = datetime(2026, 11, 20, 10, 0, tzinfo=SHANGHAI)
FIRST, LAST = (datetime(year, 1, 1) for year in (2026, 2030))  # noqa: DTZ001 - hypothesis adds the zone itself


@pytest.mark.parametrize(
    ("due", "said"),
    [
        (at(2026, 11, 20, 18, 0), "最晚今天下午 6 点前"),
        (at(2026, 11, 21, 18, 0), "最晚明天下午 6 点前"),
        (at(2026, 11, 22, 8, 30), "最晚后天早上 8 点半前"),
        (at(2026, 11, 20, 12, 0), "最晚今天中午 12 点前"),
        (at(2026, 11, 20, 22, 30), "最晚今天晚上 10 点半前"),
        (at(2026, 11, 24, 9, 0), "最晚 11 月 24 日前"),
        (at(2027, 1, 4, 9, 0), "最晚 2027 年 1 月 4 日前"),
    ],
)
def test_a_promise_is_said_in_plain_words(due: datetime, said: str):
    assert say_latest(due, NOW.astimezone(UTC)) == said


def test_what_happened_is_said_by_day_and_clock():
    assert say_moment(NOW - timedelta(minutes=55), NOW) == "今天 9:05"
    assert say_moment(NOW - timedelta(hours=18, minutes=40), NOW) == "昨天 15:20"
    assert say_moment(NOW - timedelta(days=9), NOW) == "11 月 11 日 10:00"


def test_a_template_gets_the_form_wechat_takes():
    assert template_time(datetime(2026, 11, 24, 10, 0, tzinfo=UTC)) == "2026年11月24日 18:00"


@given(
    st.datetimes(FIRST, LAST, timezones=st.just(UTC)),
    st.timedeltas(timedelta(minutes=1), timedelta(days=20)),
)
def test_a_due_time_is_a_half_hour_not_before_the_limit_and_less_than_one_after(start: datetime, limit: timedelta):
    due = due_time(start, limit)
    assert timedelta() <= due - (start + limit) < timedelta(minutes=30)
    assert due.astimezone(SHANGHAI).minute in (0, 30)
    assert due.second == due.microsecond == 0
