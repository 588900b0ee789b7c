"""Time limits as people write them, and when they end: on the clock, or in the working time of Chinese working days."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from time import monotonic
from typing import Any

import chinese_calendar
import structlog

from domain import timing
from domain.clock import SHANGHAI, due_time
from domain.timing import Span
from errors import BadRequest
from models.cases import Case
from models.database import connection, fetch
from models.enums import Urgency

log = structlog.get_logger(__name__)


class Unit(StrEnum):
    """What a limit is counted in: the clock's hours and days, or working ones."""

    HOURS = "小时"
    WORKING_HOURS = "工作时"
    DAYS = "天"
    WORKING_DAYS = "工作日"

    @property
    def working(self) -> bool:
        """Whether the limit stands still outside of working hours."""
        return self in (Unit.WORKING_HOURS, Unit.WORKING_DAYS)


_WRITTEN = re.compile(r"(\d{1,4})\s*(小时|工作时|天|工作日)")


_LENGTH = {
    Unit.HOURS: timedelta(hours=1),
    Unit.WORKING_HOURS: timedelta(hours=1),
    Unit.DAYS: timedelta(days=1),
    Unit.WORKING_DAYS: timedelta(days=1),
}


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """`2小时`, `4工作时`, `7天`, `3工作日`."""

    amount: int
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> TimeLimit:
        """Read a limit; raises BadRequest that shows the four forms."""
        found = _WRITTEN.fullmatch(text.strip())
        if found is None or int(found[1]) == 0:
            raise BadRequest(f"time limit {text!r}", say=f"时限“{text}”看不懂，请写成：2小时、4工作时、7天、3工作日。")
        return cls(int(found[1]), Unit(found[2]))

    def __str__(self) -> str:
        return f"{self.amount}{self.unit}"

    @property
    def shortest(self) -> timedelta:
        """How long it is by the clock at the least: working time may take any number of nights longer."""
        return self.amount * _LENGTH[self.unit]

    def may_exceed(self, other: TimeLimit) -> bool:
        """Whether it can end later than `other`, a limit by the clock, from the same start."""
        return self.unit.working or self.shortest > other.shortest


#: Where the duty list says nothing (DB11/T 2021 as drafted 2021-12: 2 h, 24 h, 7 d, 15 d).
DEFAULTS = {
    Urgency.URGENT: TimeLimit(2, Unit.HOURS),
    Urgency.PRESSING: TimeLimit(24, Unit.HOURS),
    Urgency.NORMAL: TimeLimit(7, Unit.DAYS),
    Urgency.COMPLEX: TimeLimit(15, Unit.DAYS),
}


def limit_for(written: str, urgency: Urgency) -> TimeLimit:
    """The duty list's limit, or the urgency's where it says nothing. What is urgent never waits longer than its own;
    what is pressing has the time of one class stricter than the duty list's limit: of what may take weeks nobody can
    promise that it is done tomorrow."""
    if not written:
        return DEFAULTS[urgency]
    limit = TimeLimit.parse(written)
    if urgency is Urgency.URGENT and limit.may_exceed(DEFAULTS[urgency]):
        return DEFAULTS[urgency]
    stricter = (Urgency.NORMAL, Urgency.PRESSING) if urgency is Urgency.PRESSING else ()
    return next((DEFAULTS[each] for each in stricter if limit.shortest > DEFAULTS[each].shortest), limit)


#: Holidays that fall on the same day each year (2025 rules), for years whose calendar is not announced yet.
_FIXED_HOLIDAYS = {(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)}
_EPOCH = 2024


@lru_cache(maxsize=128)
def _library_days(year: int) -> frozenset[int]:
    """Ordinals of a year's working days. A year not announced yet: Monday to Friday but the fixed holidays."""
    first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
    days = [date.fromordinal(number) for number in range(first, last + 1)]
    if year_is_announced(year):
        return frozenset(day.toordinal() for day in days if chinese_calendar.is_workday(day))
    log.warning("working days not announced yet: Monday to Friday, without 调休", year=year)
    weekdays = (day for day in days if day.weekday() < 5 and (day.month, day.day) not in _FIXED_HOLIDAYS)
    return frozenset(day.toordinal() for day in weekdays)


def year_is_announced(year: int) -> bool:
    """Whether the calendar library knows this year's holidays and 调休."""
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


class WorkCalendar:
    """Which hours of which days are working time. `special` says of single days whether they work, whatever the
    library says.

    Every moment has a place on the axis of working time; ends and lengths are sums and differences of places.
    """

    def __init__(self, hours: Sequence[Span], special: Mapping[date, bool] | None = None) -> None:
        self._hours = tuple(hours)
        self._special = {day.toordinal(): works for day, works in (special or {}).items()}
        self._years: dict[int, list[int]] = {}
        self._before: dict[int, int] = {_EPOCH: 0}
        self.day = sum((span.length for span in self._hours), timedelta())

    def end(self, start: datetime, limit: TimeLimit) -> datetime:
        """When a limit that began at `start` is over, exactly."""
        return self.shift(start, limit.unit, self.length(limit))

    def length(self, limit: TimeLimit) -> timedelta:
        """How much time a limit is: of the clock, or working time (a working day is its working hours)."""
        return limit.amount * (self.day if limit.unit is Unit.WORKING_DAYS else _LENGTH[limit.unit])

    def shift(self, moment: datetime, unit: Unit, length: timedelta) -> datetime:
        """The first moment that is `length` (maybe negative) away from `moment`, in the unit's own time."""
        if not unit.working:
            return moment + length
        return self._moment(self._place(moment) + length).astimezone(moment.tzinfo) if length else moment

    def between(self, start: datetime, end: datetime, unit: Unit) -> timedelta:
        """How much of the unit's own time lies between; negative when `end` is earlier."""
        return self.worked(start, end) if unit.working else end - start

    def worked(self, start: datetime, end: datetime) -> timedelta:
        """Working time between two moments, exactly; negative when `end` is earlier."""
        return self._place(end) - self._place(start)

    def sayable(self, moment: datetime, unit: Unit) -> datetime:
        """Rounded up to a half hour people can say; the end of working time stays within its part of the day."""
        rounded = due_time(moment, timedelta())
        if not unit.working:
            return rounded
        local = moment.astimezone(SHANGHAI)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        ends = [midnight + span.end for span in self._hours if span.start <= local - midnight <= span.end]
        return min([rounded, *ends]).astimezone(moment.tzinfo)

    def works(self, day: date) -> bool:
        """Whether people work on this day (工作日, 调休 included)."""
        days, today = self._days(day.year), day.toordinal()
        index = bisect_left(days, today)
        return index < len(days) and days[index] == today

    def _days(self, year: int) -> list[int]:
        """Ordinals of a year's working days, rising."""
        if year not in self._years:
            days = set(_library_days(year))
            for day, works in self._special.items():
                if date.fromordinal(day).year == year:
                    (days.add if works else days.discard)(day)
            self._years[year] = sorted(days)
        return self._years[year]

    def _days_before(self, year: int) -> int:
        """Working days between the epoch and a year's beginning; negative before the epoch."""
        if year not in self._before:
            step = 1 if year > _EPOCH else -1
            known = year
            while known not in self._before:
                known -= step
            while known != year:
                count = len(self._days(known if step > 0 else known - 1))
                self._before[known + step] = self._before[known] + step * count
                known += step
        return self._before[year]

    def _place(self, moment: datetime) -> timedelta:
        """Working time since the epoch."""
        local = moment.astimezone(SHANGHAI)
        days, today = self._days(local.year), local.toordinal()
        index = bisect_left(days, today)
        whole = (self._days_before(local.year) + index) * self.day
        if index == len(days) or days[index] != today:
            return whole
        since = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return whole + sum((min(max(since, s.start), s.end) - s.start for s in self._hours), timedelta())

    def _moment(self, place: timedelta) -> datetime:
        """The first moment with this place: the end of a day's work, not the next day's beginning."""
        index, rest = divmod(place, self.day)
        if not rest:
            index, rest = index - 1, self.day
        year = _EPOCH + index // 262  # no year has more working days: never past the right one after the epoch
        while index < self._days_before(year):
            year -= 1
        while index >= self._days_before(year + 1):
            year += 1
        day = date.fromordinal(self._days(year)[index - self._days_before(year)])
        for span in self._hours:
            if rest <= span.length:
                return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) + span.start + rest
            rest -= span.length
        raise AssertionError("a place lies within its day")


#: Seconds for which a process believes what it read of special days.
_BELIEVE = 60.0
_loaded: dict[str, tuple[float, tuple[Span, ...], WorkCalendar]] = {}


async def load_calendar() -> WorkCalendar:
    """The calendar of this community: library, special days, working hours. What changes shows within a minute."""
    hours, database = timing.current().hours, _database()
    found = _loaded.get(database)
    if found and found[0] > monotonic() and found[1] == hours:
        return found[2]
    rows = await fetch("SELECT day, works FROM special_day")
    calendar = WorkCalendar(hours, {row["day"]: row["works"] for row in rows})
    _loaded[database] = (monotonic() + _BELIEVE, hours, calendar)
    return calendar


async def unknown_years(today: date) -> list[int]:
    """Years that are here, or begin within two months, of which neither the library nor anybody's special days say when
    people work."""
    years = {today.year, (today + timedelta(days=60)).year}
    unknown = sorted(year for year in years if not year_is_announced(year))
    rows = await fetch("SELECT DISTINCT extract(year FROM day)::int AS year FROM special_day") if unknown else []
    return [year for year in unknown if year not in {row["year"] for row in rows}]


def _database() -> str:
    """Which database the running connection is of."""
    client: Any = connection()
    return str(getattr(client, "_parent", client).database)


async def due_at(start: datetime, limit: TimeLimit) -> datetime:
    """When something that began at `start` must be done: a time people can say, no earlier than the limit."""
    if not limit.unit.working:
        return due_time(start, limit.shortest)
    calendar = await load_calendar()
    return calendar.sayable(calendar.end(start, limit), limit.unit)


def limit_of(case: Case) -> TimeLimit:
    """The limit a case's promised time was made with."""
    return TimeLimit.parse(case.handle_limit) if case.handle_limit else DEFAULTS[case.urgency]


def pause(case: Case, now: datetime) -> None:
    """The clock of a case stands from now on."""
    case.suspended_at = now


async def resume(case: Case, now: datetime) -> None:
    """The clock goes on: what was left of the limit (its working time, where it counts that) is left again."""
    if case.suspended_at is None:
        return
    since, case.suspended_at = case.suspended_at, None
    case.paused += now - since
    if case.due_at:
        calendar, unit = await load_calendar(), limit_of(case).unit
        case.due_at = calendar.shift(case.due_at, unit, calendar.between(since, now, unit))
