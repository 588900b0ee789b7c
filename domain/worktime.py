"""Time limits as people write them, and when they end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.clock import due_time
from errors import BadRequest
from models.cases import Case
from models.enums import Urgency


class Unit(StrEnum):
    """What a limit is counted in: the clock's hours and days, or working ones."""

    HOURS = "小时"
    WORKING_HOURS = "工作时"
    DAYS = "天"
    WORKING_DAYS = "工作日"


_WRITTEN = re.compile(r"(\d{1,4})\s*(小时|工作时|天|工作日)")


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


#: Where the duty list says nothing (DB11/T 2021 as drafted 2021-12: 2 h, 24 h, 7 d, 15 d).
DEFAULTS = {
    Urgency.URGENT: TimeLimit(2, Unit.HOURS),
    Urgency.PRESSING: TimeLimit(24, Unit.HOURS),
    Urgency.NORMAL: TimeLimit(7, Unit.DAYS),
    Urgency.COMPLEX: TimeLimit(15, Unit.DAYS),
}
_LENGTH = {
    Unit.HOURS: timedelta(hours=1),
    Unit.WORKING_HOURS: timedelta(hours=1),
    Unit.DAYS: timedelta(days=1),
    Unit.WORKING_DAYS: timedelta(days=1),
}


async def due_at(start: datetime, limit: TimeLimit) -> datetime:
    """When something that began at `start` must be done."""
    return due_time(start, limit.amount * _LENGTH[limit.unit])


def limit_for(written: str, urgency: Urgency) -> TimeLimit:
    """The duty list's limit, or the urgency's where it says nothing; what is urgent never waits longer than its own."""
    if not written:
        return DEFAULTS[urgency]
    limit = TimeLimit.parse(written)
    if urgency is Urgency.URGENT and limit.amount * _LENGTH[limit.unit] > timedelta(hours=DEFAULTS[urgency].amount):
        return DEFAULTS[urgency]
    return limit


def pause(case: Case, now: datetime) -> None:
    """The clock of a case stands from now on."""
    case.suspended_at = now


async def resume(case: Case, now: datetime) -> None:
    """The clock goes on; the promised time moves by as long as it stood."""
    if case.suspended_at is None:
        return
    stood = now - case.suspended_at
    case.suspended_at = None
    case.paused += stood
    if case.due_at:
        case.due_at += stood
