"""The times a community lives by: working hours, quiet hours, when deadlines are told. Set once at start by `use`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.clock import SHANGHAI

_SPAN = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)-([01]?\d|2[0-4]):([0-5]\d)")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """From one time of day to another, as times since midnight."""

    start: timedelta
    end: timedelta

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    @classmethod
    def parse(cls, text: str) -> Span:
        """Read `08:30-12:00`; raises ValueError that shows the form."""
        found = _SPAN.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} must look like 08:30-12:00")
        first, first_minute, last, last_minute = map(int, found.groups())
        span = cls(timedelta(hours=first, minutes=first_minute), timedelta(hours=last, minutes=last_minute))
        if span.start >= _DAY or span.end > _DAY or span.start == span.end:
            raise ValueError(f"{text!r} must lie between 00:00 and 24:00 and not be empty")
        return span


def parse_hours(text: str) -> tuple[Span, ...]:
    """Read the working hours of a day, `08:30-12:00,14:00-17:30`; raises ValueError."""
    spans = tuple(Span.parse(part) for part in text.split(","))
    edges = [edge for span in spans for edge in (span.start, span.end)]
    if edges != sorted(edges):
        raise ValueError(f"{text!r}: the parts of the day must follow one another")
    return spans


def parse_quiet(text: str) -> Span | None:
    """Read the quiet hours, `21:30-07:30`; "" is none. Raises ValueError."""
    return Span.parse(text) if text.strip() else None


def parse_shares(text: str) -> tuple[int, ...]:
    """Read the shares of a limit at which its holder is warned, `50,80` percent; "" is none. Raises ValueError."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    shares = tuple(int(part) if part.isdecimal() else 0 for part in parts)
    if list(shares) != sorted(set(shares)) or any(not 0 < share < 100 for share in shares):
        raise ValueError(f"{text!r} must be rising percentages between 1 and 99, like 50,80")
    return shares


_HOURS = parse_hours("08:30-12:00,14:00-17:30")
_QUIET = parse_quiet("21:30-07:30")


@dataclass(frozen=True, slots=True)
class Timing:
    """What a community has set; the defaults are those of `app.settings`."""

    hours: tuple[Span, ...] = _HOURS
    quiet: Span | None = _QUIET
    warn_at: tuple[int, ...] = (50, 80)  # percent of the limit
    escalate_every: int = 50  # percent of the limit, once it is over
    remind_after: timedelta = timedelta(days=3)  # a question to the resident, unanswered
    reminders: int = 2  # before the case is closed
    silence: timedelta = timedelta(days=7)  # a result without the resident's answer
    supplement_days: int = 3  # working days without what an applicant was asked to add; 0 = nobody is reminded

    @property
    def day(self) -> timedelta:
        """The working time of one working day."""
        return sum((span.length for span in self.hours), timedelta())


_set = Timing()


def current() -> Timing:
    """What holds in this process."""
    return _set


@contextmanager
def use(timing: Timing) -> Iterator[None]:
    """Let `timing` hold for the life of the context; a process does this once, at start."""
    global _set  # noqa: PLW0603 - a setting of the process, as the time zone is
    before, _set = _set, timing
    try:
        yield
    finally:
        _set = before


def quiet_until(moment: datetime) -> datetime | None:
    """When the quiet hours end that `moment` lies in; None outside of them."""
    quiet = _set.quiet
    if quiet is None:
        return None
    local = moment.astimezone(SHANGHAI)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    since = local - midnight
    if quiet.start < quiet.end:
        inside, end = quiet.start <= since < quiet.end, midnight + quiet.end
    else:
        inside = since >= quiet.start or since < quiet.end
        end = midnight + quiet.end + (_DAY if since >= quiet.start else timedelta())
    return end.astimezone(moment.tzinfo) if inside else None
