"""Activities as staff write them, for whatever is tested with one."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.activities import Event, find_activity
from domain.activity_desk import NewActivity, NewSession, create_activity, open_activity
from domain.people import Person
from models.enums import PlanKind
from tests.domain.neighbours import officer

HOUR = timedelta(hours=1)


def times(now: datetime, *hours: float, seats: int = 2) -> list[NewSession]:
    """Two hours each, beginning so many hours from now."""
    return [NewSession(now + HOUR * one, now + HOUR * (one + 2), seats) for one in hours]


async def announced(
    now: datetime,
    *hours: float,
    title: str = "重阳节包饺子",
    kind: PlanKind = PlanKind.ACTIVITY,
    seats: int = 2,
    minutes: int = 0,
    waiting: int = 20,
    by: str = "S001",
    opened: bool = True,
) -> tuple[Person, Event]:
    """(who looks after it, the activity), open unless `opened` is off."""
    staff = await officer(by)
    sessions = times(now, *(hours or (24,)), seats=seats)
    new = NewActivity(kind, title, sessions, "自带围裙。", "社区活动室", minutes=minutes, waiting_most=waiting)
    made = await create_activity(staff, new, now)
    if opened:
        await open_activity(staff, made, now)
    return staff, await find_activity(staff, made)
