"""The working days of a year as people look at them: 调休, holidays, the community's own special days."""

from __future__ import annotations

from calendar import Calendar, isleap
from dataclasses import dataclass
from datetime import date

from domain import timing
from domain.worktime import WorkCalendar, year_is_announced
from models.database import fetch


@dataclass(frozen=True, slots=True)
class Day:
    """One day. `usual`: a weekday that works, a weekend that does not; `special`: the community's own word on it."""

    day: date
    works: bool
    usual: bool
    special: bool


@dataclass(frozen=True, slots=True)
class Month:
    """One month in weeks that begin on Monday; None where a week reaches into another month."""

    number: int
    working: int
    weeks: list[list[Day | None]]


@dataclass(frozen=True, slots=True)
class SpecialLine:
    """A day that is not what the national calendar says."""

    day: date
    works: bool
    name: str


@dataclass(frozen=True, slots=True)
class Year:
    """A whole year. `announced`: whether the national calendar of it is known."""

    number: int
    announced: bool
    days: int
    working: int
    months: list[Month]
    special: list[SpecialLine]


_SPECIAL = "SELECT day, works, name FROM special_day WHERE extract(year FROM day) = $1 ORDER BY day"


async def year_view(year: int) -> Year:
    """The year as deadlines count it."""
    special = [SpecialLine(**row) for row in await fetch(_SPECIAL, year)]
    # the community's days as they are now: the running calendar may be a minute behind
    known = WorkCalendar(timing.current().hours, {one.day: one.works for one in special})
    months = [_month(year, number, known, {one.day for one in special}) for number in range(1, 13)]
    working = sum(month.working for month in months)
    return Year(year, year_is_announced(year), 366 if isleap(year) else 365, working, months, special)


def _month(year: int, number: int, known: WorkCalendar, special: set[date]) -> Month:
    weeks = [
        [_day(day, known, special) if day.month == number else None for day in week]
        for week in Calendar().monthdatescalendar(year, number)
    ]
    working = sum(day.works for week in weeks for day in week if day)
    return Month(number, working, weeks)


def _day(day: date, known: WorkCalendar, special: set[date]) -> Day:
    works = known.works(day)
    return Day(day, works, works == (day.weekday() < 5), day in special)
