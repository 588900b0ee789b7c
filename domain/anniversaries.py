"""Ages and yearly days. Somebody born on 29 February has their day on the 28th in a common year (Civil Code, § 202: a
month without the day ends on its last)."""

from __future__ import annotations

from datetime import date


def years_after(day: date, years: int) -> date:
    """The same day so many years later."""
    return on_day(day.year + years, day.month, day.day)


def on_day(year: int, month: int, day: int) -> date:
    """A day of a year; 29 February is the 28th where there is none."""
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, month, 28)


def age_on(birthday: date, today: date) -> int:
    """Full years; below 0 for somebody not born yet."""
    years = today.year - birthday.year
    return years if years_after(birthday, years) <= today else years - 1
