"""号源: what is free, for whom; slots are made ahead from the plan's weekly hours, and closed with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from domain.booking_rules import day_start
from domain.clock import SHANGHAI
from domain.people import Person
from domain.services import seen_areas
from errors import NotFound
from models.bookings import BookingPlan
from models.database import fetch


@dataclass(frozen=True, slots=True)
class FreeSlot:
    """A time one may ask for: `left` seats are free now; where none is, `may_wait` says whether the list is open."""

    id: int
    starts_at: datetime
    ends_at: datetime
    left: int
    waiting: int
    may_wait: bool


async def find_plan(person: Person, code: str) -> BookingPlan:
    """A plan by its code. Raises NotFound for one that is not there, or not for this person's area."""
    plan = await BookingPlan.filter(code=code, active=True).select_related("item").first()
    if plan is None or plan.area_id not in await seen_areas(person):
        raise absent_plan(code, plan.id if plan else None)
    return plan


def absent_plan(code: str, plan_id: int | None) -> NotFound:
    """What everybody reads who asks for a plan there is not for them."""
    say = "没有找到这项预约，可能已经停了。回复“预约”看现在能约什么。"
    return NotFound(f"plan {code[:20]!r}", say=say, tag="plan:read", object_id=plan_id)


# What may be asked for now: open, far enough ahead, with a seat or a place on the list.
_FREE = """
SELECT s.id, s.starts_at, s.ends_at, CASE WHEN s.waiting > 0 THEN 0 ELSE s.capacity - s.taken END AS left, s.waiting,
    s.waiting < p.waiting_most AS may_wait
FROM slot s JOIN booking_plan p ON p.id = s.plan_id
WHERE s.plan_id = $1 AND s.starts_at >= $2 AND s.starts_at < $3 AND s.closed = ''
    AND s.starts_at > $4::timestamptz + make_interval(mins => p.closes_minutes)
    AND NOT EXISTS (SELECT FROM activity a WHERE a.plan_id = p.id AND NOT (a.state = 'open' AND a.until > $4))
ORDER BY s.starts_at LIMIT $5
"""


async def free_slots(
    person: Person, plan_code: str, now: datetime, *, first: date | None = None, last: date | None = None
) -> list[FreeSlot]:
    """The times of a plan from `first` to `last` (Shanghai days; as far ahead as the plan opens), full ones too: they
    may have a waiting list. Raises NotFound."""
    plan = await find_plan(person, plan_code)
    begin, end = day_start(now), day_start(now) + timedelta(days=plan.opens_days + 1)
    if first is not None:
        begin = max(begin, datetime.combine(first, time(), SHANGHAI))
    if last is not None:
        end = min(end, datetime.combine(last + timedelta(days=1), time(), SHANGHAI))
    return [FreeSlot(**row) for row in await fetch(_FREE, plan.id, begin, end, now, 500)]
