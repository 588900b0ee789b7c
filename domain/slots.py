"""号源: what is free, for whom; a time is closed with a reason, opened again, or gets more seats."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from domain import booking_notices as notices
from domain.booking_cards import read_cards
from domain.booking_rules import day_start
from domain.booking_seats import LockedSlot, lock_slot
from domain.bookings import absent_slot, end, move_up, runs
from domain.clock import SHANGHAI
from domain.journal import audit
from domain.people import Person
from domain.services import seen_areas
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.bookings import BookingPlan
from models.database import fetch, transaction
from models.enums import BookingState, PlanKind


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
    """A plan by its code; activities are looked up as such. Raises NotFound for one that is not there, or not for this
    person's area."""
    plan = await BookingPlan.filter(code=code, active=True, kind=PlanKind.COUNTER).select_related("item").first()
    if plan is None or plan.area_id not in await seen_areas(person):
        raise absent_plan(code, plan.id if plan else None)
    return plan


def absent_plan(code: str, plan_id: int | None) -> NotFound:
    """What everybody reads who asks for a plan there is not for them."""
    say, chat = "没有找到这项预约，可能已经停了。", "回复“预约”看现在能约什么。"
    return NotFound(f"plan {code[:20]!r}", say=say, chat=chat, tag="plan:read", object_id=plan_id)


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


_LIVE = "SELECT id FROM booking WHERE slot_id = $1 AND state IN ('waiting', 'booked') ORDER BY id"
_CLOSE = "UPDATE slot SET closed = $2 WHERE id = $1"
_RESIZE = "UPDATE slot SET capacity = $2 WHERE id = $1"


async def close_slot(person: Person, slot_id: int, reason: str, now: datetime, source: str = "") -> int:
    """Close a time that has not begun: whoever sits or waits is cancelled and told why. Gives how many. For who runs
    the plan; raises NotFound, NotAllowed, BadRequest without a reason, Conflict once it has begun."""
    reason = " ".join(reason.split())[:100]
    if not reason:
        raise BadRequest("no reason", say="请写一句为什么停办，会告诉已经约好的居民。")
    async with transaction():
        slot = await _own_slot(person, slot_id, now)
        await fetch(_CLOSE, slot.id, reason)
        told = await cancel_all(slot, reason, now, person.actor)
        await audit(person.actor, "slot:close", slot.id, now, source=source)
    return told


async def cancel_all(slot: LockedSlot, reason: str, now: datetime, by: str) -> int:
    """Everybody who sits or waits in a held slot is cancelled and told why; gives how many."""
    cards = await read_cards([row["id"] for row in await fetch(_LIVE, slot.id)])
    for card in cards:
        await end(slot, card.id, card.state, BookingState.CANCELLED, now, by, reason)
        await notices.tell(notices.cancelled(card, reason, now), now)
    return len(cards)


async def open_slot(person: Person, slot_id: int, now: datetime, source: str = "") -> None:
    """Open a closed time again; those who were cancelled book anew. Raises as `close_slot`."""
    async with transaction():
        slot = await _own_slot(person, slot_id, now)
        await fetch(_CLOSE, slot.id, "")
        await audit(person.actor, "slot:open", slot.id, now, source=source)


async def resize_slot(person: Person, slot_id: int, seats: int, now: datetime, source: str = "") -> int:
    """Another number of seats, never fewer than are taken; who waits moves up. Gives the number there is now."""
    if not 1 <= seats <= 1000:
        raise BadRequest(f"{seats} seats", say="名额写 1 到 1000。")
    async with transaction():
        slot = await _own_slot(person, slot_id, now)
        slot.capacity = max(seats, slot.taken)
        await fetch(_RESIZE, slot.id, slot.capacity)
        await move_up(slot, now)
        await audit(person.actor, "slot:resize", slot.id, now, source=source)
    return slot.capacity


async def _own_slot(person: Person, slot_id: int, now: datetime) -> LockedSlot:
    slot = await lock_slot(slot_id, now)
    if slot is None or slot.area_id not in await seen_areas(person):
        raise absent_slot(slot_id)
    if not await runs(person, slot.area_id):
        say = "这项预约由社区管理，请让社区来改。"
        raise NotAllowed(f"{person.actor} does not run slot {slot.id}", say=say, tag="slot:change", object_id=slot.id)
    if slot.starts_at <= now:
        raise Conflict(f"slot {slot.id} has begun", say="这个时间已经开始了，不能再改。")
    return slot
