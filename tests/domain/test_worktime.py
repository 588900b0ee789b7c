"""Working time against a slow second opinion, and the days on which calendars go wrong."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache

import chinese_calendar
import pytest
from structlog.testing import capture_logs

from domain import timing
from domain.clock import SHANGHAI
from domain.timing import Timing, parse_hours, parse_quiet, parse_shares, quiet_until
from domain.worktime import (
    TimeLimit,
    Unit,
    WorkCalendar,
    _library_days,
    due_at,
    limit_for,
    load_calendar,
    unknown_years,
)
from errors import BadRequest
from models.cases import SpecialDay
from models.enums import Urgency

HOURS = parse_hours("08:30-12:00,14:00-17:30")
CALENDAR = WorkCalendar(HOURS)
HOUR = timedelta(hours=1)


def at(*parts: int) -> datetime:
    """A time on a clock in Wuhan."""
    return datetime(*parts, tzinfo=SHANGHAI)


def end(start: datetime, written: str, calendar: WorkCalendar = CALENDAR) -> datetime:
    return calendar.end(start, TimeLimit.parse(written)).astimezone(SHANGHAI)


# -- the slow reference: it walks through the days one by one, and in each through every edge of working time ----------

SLOW_HOURS = ((8, 30, 12, 0), (14, 0, 17, 30))
SLOW_FIXED = ["01-01", "05-01", "05-02", "10-01", "10-02", "10-03"]


@cache
def slow_works(day: date) -> bool:
    """Whether a day is worked, from the library's tables of holidays and of worked weekends."""
    if day.year <= 2026:
        return day in chinese_calendar.constants.workdays or (
            day.weekday() < 5 and day not in chinese_calendar.constants.holidays
        )
    return day.weekday() < 5 and day.strftime("%m-%d") not in SLOW_FIXED


def slow_parts(start: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Each stretch of working time from `start` on."""
    day = start.date()
    while True:
        if slow_works(day):
            for hour, minute, end_hour, end_minute in SLOW_HOURS:
                first = datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI)
                last = datetime(day.year, day.month, day.day, end_hour, end_minute, tzinfo=SHANGHAI)
                if last > start:
                    yield max(first, start), last
        day += timedelta(days=1)


def slow_end(start: datetime, amount: int, unit: Unit) -> datetime:
    """Takes away working time stretch by stretch until nothing is left."""
    left = amount * (7 * HOUR if unit is Unit.WORKING_DAYS else HOUR)
    for first, last in slow_parts(start):
        if left <= last - first:
            return first + left
        left -= last - first
    raise AssertionError("time does not end")


def slow_worked(start: datetime, finish: datetime) -> timedelta:
    total = timedelta()
    for first, last in slow_parts(start):
        if first >= finish:
            return total
        total += min(last, finish) - first
    raise AssertionError("time does not end")


def test_ten_thousand_random_limits_end_as_in_the_slow_reference():
    rng = random.Random(20261121)
    for _ in range(10_000):
        # 2027 and 2028 are not announced: the fall-back is compared as well
        start = at(2024, 1, 1) + timedelta(microseconds=rng.randrange(5 * 365 * 86_400 * 10**6))
        if rng.random() < 0.3:  # on an edge
            hour, minute = rng.choice([(8, 30), (12, 0), (14, 0), (17, 30), (0, 0), (23, 59)])
            start = start.replace(hour=hour, minute=minute, second=0, microsecond=0)
        unit = rng.choice(list(Unit))
        amount = rng.randint(1, 60 if unit is Unit.WORKING_HOURS else 25)
        if unit.working:
            expected = slow_end(start, amount, unit)
        else:
            expected = start + amount * (HOUR if unit is Unit.HOURS else timedelta(days=1))
        said = CALENDAR.end(start, TimeLimit(amount, unit))
        assert said == expected, (start, amount, unit)
        if unit.working:
            assert CALENDAR.worked(start, said) == CALENDAR.length(TimeLimit(amount, unit))
            other = start + timedelta(seconds=rng.randrange(40 * 86_400))
            assert CALENDAR.worked(start, other) == slow_worked(start, other), (start, other)
            assert CALENDAR.worked(other, start) == -CALENDAR.worked(start, other)


def test_the_reference_itself_agrees_with_counting_minutes():
    rng = random.Random(7)
    for _ in range(30):
        start = at(2026, 1, 1) + timedelta(minutes=rng.randrange(300 * 1440))
        finish = start + timedelta(minutes=rng.randrange(4 * 1440))
        minutes, moment = 0, start
        while moment < finish:
            clock = (moment.hour, moment.minute)
            minutes += slow_works(moment.date()) and ((8, 30) <= clock < (12, 0) or (14, 0) <= clock < (17, 30))
            moment += timedelta(minutes=1)
        assert slow_worked(start, finish) == timedelta(minutes=minutes)


# -- days on which calendars go wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "limit", "expected"),
    [
        # 春节 2026: off from 15 to 23 February; the Saturdays before and after are worked
        (at(2026, 2, 13, 16, 30), "1工作日", at(2026, 2, 14, 16, 30)),
        (at(2026, 2, 14, 16, 30), "2工作时", at(2026, 2, 24, 9, 30)),
        (at(2026, 2, 18, 10, 0), "1工作时", at(2026, 2, 24, 9, 30)),
        (at(2026, 2, 27, 17, 0), "1工作时", at(2026, 2, 28, 9, 0)),
        # 国庆 and 中秋 2025: off from 1 to 8 October; Sunday 28 September and Saturday 11 October are worked
        (at(2025, 9, 27, 12, 0), "1工作时", at(2025, 9, 28, 9, 30)),
        (at(2025, 9, 30, 17, 0), "1工作时", at(2025, 10, 9, 9, 0)),
        (at(2025, 10, 10, 17, 30), "1工作日", at(2025, 10, 11, 17, 30)),
        # 国庆 2026: off from 1 to 7 October; Sunday 20 September and Saturday 10 October are worked
        (at(2026, 9, 19, 9, 0), "7工作时", at(2026, 9, 20, 17, 30)),
        (at(2026, 9, 30, 15, 30), "1工作日", at(2026, 10, 8, 15, 30)),
        (at(2026, 10, 9, 17, 30), "1工作时", at(2026, 10, 10, 9, 30)),
        # the turn of the year, into one that is not announced
        (at(2025, 12, 31, 17, 0), "1工作时", at(2026, 1, 4, 9, 0)),
        (at(2026, 12, 31, 17, 0), "1工作时", at(2027, 1, 4, 9, 0)),
        # a leap day that is a Tuesday
        (at(2028, 2, 28, 17, 0), "1工作时", at(2028, 2, 29, 9, 0)),
        (at(2028, 2, 28, 10, 0), "2工作日", at(2028, 3, 1, 10, 0)),
        # the last second of a working day, and of a holiday
        (at(2026, 11, 20, 23, 59, 59), "1工作时", at(2026, 11, 23, 9, 30)),
        (at(2026, 2, 23, 23, 59, 59, 999_999), "1工作时", at(2026, 2, 24, 9, 30)),
        # begun inside the lunch break, at its beginning, at its end
        (at(2026, 11, 20, 12, 45), "1工作时", at(2026, 11, 20, 15, 0)),
        (at(2026, 11, 20, 12, 0), "1工作时", at(2026, 11, 20, 15, 0)),
        (at(2026, 11, 20, 14, 0), "1工作时", at(2026, 11, 20, 15, 0)),
        (at(2026, 11, 20, 11, 30), "1工作时", at(2026, 11, 20, 14, 30)),
        # what is over with the morning, or with the day, ends there
        (at(2026, 11, 20, 11, 0), "1工作时", at(2026, 11, 20, 12, 0)),
        (at(2026, 11, 20, 8, 30), "1工作日", at(2026, 11, 20, 17, 30)),
        # hours and days of the clock know no holidays
        (at(2026, 2, 14, 16, 30), "24小时", at(2026, 2, 15, 16, 30)),
        (at(2028, 2, 28, 10, 0), "2天", at(2028, 3, 1, 10, 0)),
    ],
)
def test_edge_days(start: datetime, limit: str, expected: datetime):
    assert end(start, limit) == expected


def test_no_time_is_over_at_once_wherever_one_is():
    for moment in (at(2026, 11, 20, 10, 0), at(2026, 11, 20, 12, 30), at(2026, 2, 18, 3, 0)):
        assert CALENDAR.shift(moment, Unit.WORKING_HOURS, timedelta()) == moment
        assert CALENDAR.worked(moment, moment) == timedelta()


def test_microseconds_are_kept():
    start = at(2026, 11, 20, 17, 29, 59, 999_999)
    assert end(start, "1工作时") == at(2026, 11, 23, 9, 29, 59, 999_999)
    assert CALENDAR.worked(start, at(2026, 11, 23, 8, 30, 0, 1)) == timedelta(microseconds=2)


def test_going_back_lands_where_the_time_was_left():
    due = at(2026, 10, 8, 9, 30)
    assert CALENDAR.shift(due, Unit.WORKING_HOURS, -2 * HOUR) == at(2026, 9, 30, 16, 30)
    assert CALENDAR.shift(due, Unit.HOURS, -2 * HOUR) == at(2026, 10, 8, 7, 30)


def test_times_come_back_in_the_zone_they_came_in():
    start = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)  # 17:00 in Wuhan
    due = CALENDAR.end(start, TimeLimit(1, Unit.WORKING_HOURS))
    assert (due, due.tzinfo) == (datetime(2026, 11, 23, 1, 0, tzinfo=UTC), UTC)


def test_a_year_that_is_not_announced_is_monday_to_friday_and_says_so_once():
    _library_days.cache_clear()
    calendar = WorkCalendar(HOURS)
    with capture_logs() as logs:
        assert end(at(2029, 10, 1, 9, 0), "1工作时", calendar) == at(2029, 10, 4, 9, 30)
        assert end(at(2029, 2, 13, 17, 0), "1工作时", calendar) == at(2029, 2, 14, 9, 0), "春节 is not known yet"
        assert end(at(2029, 6, 1, 9, 0), "1工作时", calendar) == at(2029, 6, 1, 10, 0)
    assert [entry["year"] for entry in logs].count(2029) == 1


def test_a_special_day_outranks_the_library_both_ways():
    saturday, monday = date(2026, 11, 21), date(2026, 11, 23)
    calendar = WorkCalendar(HOURS, {saturday: True, monday: False})
    assert end(at(2026, 11, 20, 17, 0), "1工作时", calendar) == at(2026, 11, 21, 9, 0)
    assert end(at(2026, 11, 21, 17, 0), "1工作时", calendar) == at(2026, 11, 24, 9, 0)
    assert calendar.worked(at(2026, 11, 20), at(2026, 11, 24)) == 14 * HOUR
    lunar_new_year = WorkCalendar(HOURS, {date(2029, 2, day): False for day in range(12, 17)})
    assert end(at(2029, 2, 9, 17, 0), "1工作时", lunar_new_year) == at(2029, 2, 19, 9, 0)


async def test_special_days_are_read_from_the_table(orm: None):
    await SpecialDay.create(day=date(2026, 11, 23), works=False, name="社区搬家")
    assert end(at(2026, 11, 20, 17, 0), "1工作时", await load_calendar()) == at(2026, 11, 24, 9, 0)


async def test_a_year_nobody_knows_is_named_until_its_days_are_entered(orm: None):
    assert await unknown_years(date(2026, 9, 1)) == []
    assert await unknown_years(date(2028, 12, 1)) == [2028, 2029]
    await SpecialDay.create(day=date(2029, 2, 12), works=False, name="除夕")
    assert await unknown_years(date(2028, 12, 1)) == [2028]


@pytest.mark.parametrize(
    ("start", "written", "said"),
    [
        (at(2026, 11, 20, 10, 12), "2小时", at(2026, 11, 20, 12, 30)),
        (at(2026, 11, 20, 10, 12), "1工作时", at(2026, 11, 20, 11, 30)),
        (at(2026, 11, 20, 10, 47), "1工作时", at(2026, 11, 20, 12, 0)),
        (at(2026, 11, 20, 16, 17), "1工作时", at(2026, 11, 20, 17, 30)),
        (at(2026, 11, 20, 17, 12), "1工作时", at(2026, 11, 23, 9, 30)),
    ],
)
async def test_promised_times_are_half_hours(orm: None, start: datetime, written: str, said: datetime):
    assert await due_at(start, TimeLimit.parse(written)) == said


async def test_rounding_never_leaves_the_working_day(orm: None):
    with timing.use(Timing(hours=parse_hours("08:15-11:45,13:20-17:10"))):
        calendar = await load_calendar()
        rng = random.Random(3)
        for _ in range(500):
            start = at(2026, 3, 2) + timedelta(minutes=rng.randrange(200 * 1440))
            limit = TimeLimit(rng.randint(1, 30), Unit.WORKING_HOURS)
            exact, due = calendar.end(start, limit), await due_at(start, limit)
            assert timedelta() <= due - exact < timedelta(minutes=30)
            assert calendar.worked(exact, due) == due - exact, "nothing but working time was added"


def test_what_is_urgent_never_waits_for_working_hours():
    assert limit_for("1工作日", Urgency.URGENT) == TimeLimit(2, Unit.HOURS)
    assert limit_for("1小时", Urgency.URGENT) == TimeLimit(1, Unit.HOURS)
    assert limit_for("3天", Urgency.URGENT) == TimeLimit(2, Unit.HOURS)
    assert limit_for("3工作日", Urgency.NORMAL) == TimeLimit(3, Unit.WORKING_DAYS)
    assert limit_for("", Urgency.COMPLEX) == TimeLimit(15, Unit.DAYS)


@pytest.mark.parametrize("text", ["", "0天", "3", "天", "三天", "3周", "-1天", "99999天"])
def test_a_limit_nobody_can_read_is_refused_with_the_four_forms(text: str):
    with pytest.raises(BadRequest) as refusal:
        TimeLimit.parse(text)
    assert "2小时、4工作时、7天、3工作日" in refusal.value.say


@pytest.mark.parametrize("text", ["", "8-12", "12:00-08:30", "08:30-12:00,11:00-15:00", "25:00-26:00", "08:00-08:00"])
def test_working_hours_that_make_no_sense_are_refused(text: str):
    with pytest.raises(ValueError, match=r"must"):
        parse_hours(text)


@pytest.mark.parametrize("text", ["80,50", "0,50", "50,100", "50,50"])
def test_shares_that_do_not_rise_are_refused(text: str):
    with pytest.raises(ValueError, match=r"must"):
        parse_shares(text)


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        (at(2026, 11, 20, 21, 29, 59), None),
        (at(2026, 11, 20, 21, 30), at(2026, 11, 21, 7, 30)),
        (at(2026, 12, 31, 23, 59, 59), at(2027, 1, 1, 7, 30)),
        (at(2026, 11, 21, 0, 0), at(2026, 11, 21, 7, 30)),
        (at(2026, 11, 21, 7, 29, 59), at(2026, 11, 21, 7, 30)),
        (at(2026, 11, 21, 7, 30), None),
    ],
)
def test_quiet_hours_span_midnight(moment: datetime, until: datetime | None):
    assert quiet_until(moment.astimezone(UTC)) == until


def test_quiet_hours_may_lie_within_a_day_or_not_be_at_all():
    with timing.use(Timing(quiet=parse_quiet("12:00-14:00"))):
        assert quiet_until(at(2026, 11, 20, 13, 0)) == at(2026, 11, 20, 14, 0)
        assert quiet_until(at(2026, 11, 20, 23, 0)) is None
    with timing.use(Timing(quiet=parse_quiet(""))):
        assert quiet_until(at(2026, 11, 20, 23, 0)) is None
