"""Seats, one slot at a time: who holds a slot's row alone says who sits and who waits.

Locks are taken in this order everywhere: the person (their resident row, or a name's advisory lock), the slot (of two
the one with the smaller id first), its bookings. So nobody waits in a circle, and `taken` and `waiting` are always what
the bookings say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.booking_rules import day_start, reminder_due
from errors import Conflict
from models.database import fetch, from_json, to_json


@dataclass(slots=True)
class LockedSlot:
    """A slot whose row this transaction holds, with its plan as it is."""

    id: int
    plan_id: int
    is_counter: bool
    area_id: int
    title: str
    active: bool
    announced: bool
    starts_at: datetime
    ends_at: datetime
    capacity: int
    taken: int
    waiting: int
    closed: str
    settled_at: datetime | None
    opens_days: int
    closes_minutes: int
    cancel_minutes: int
    per_person: int
    waiting_most: int
    strikes: int
    strike_days: int
    pause_days: int

    @property
    def is_full(self) -> bool:
        """Whether a newcomer gets no seat: none is free, or those who wait come first."""
        return self.taken >= self.capacity or self.waiting > 0


# An activity's plan takes people only while the activity is open and its last moment has not passed ($2).
_LOCK = """
SELECT s.id, s.plan_id, p.kind = 'counter' AS is_counter, p.area_id, p.title, p.active,
    NOT EXISTS (SELECT FROM activity a WHERE a.plan_id = p.id AND NOT (a.state = 'open' AND a.until > $2)) AS announced,
    s.starts_at, s.ends_at, s.capacity, s.taken, s.waiting, s.closed, s.settled_at, p.opens_days, p.closes_minutes,
    p.cancel_minutes, p.per_person, p.waiting_most, p.strikes, p.strike_days, p.pause_days
FROM slot s JOIN booking_plan p ON p.id = s.plan_id WHERE s.id = $1 FOR NO KEY UPDATE OF s
"""


async def lock_slot(slot_id: int, now: datetime) -> LockedSlot | None:
    """Hold a slot until the transaction ends; None where there is none."""
    rows = await fetch(_LOCK, slot_id, now)
    return LockedSlot(**rows[0]) if rows else None


def refuse_closed(slot: LockedSlot, now: datetime) -> None:
    """Raises Conflict that says why a newcomer cannot have this time."""
    say = ""
    if slot.closed:
        say = f"这个时间停办：{slot.closed}。请选别的时间。"
    elif slot.starts_at <= now:
        say = "这个时间已经过了，请选后面的。"
    elif slot.starts_at <= now + timedelta(minutes=slot.closes_minutes) or not slot.announced:
        say = "这个时间已经截止预约了，请选后面的。"
    elif day_start(slot.starts_at) > day_start(now) + timedelta(days=slot.opens_days):
        say = f"这个时间还没放号，提前 {slot.opens_days} 天开始约。"
    if say:
        raise Conflict(f"slot {slot.id} cannot be booked", say=say)


_LOCK_RESIDENT = "SELECT id FROM resident WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE"


async def lock_resident(resident_id: int) -> bool:
    """One booking of a person after the other; whether there is such a resident."""
    return bool(await fetch(_LOCK_RESIDENT, resident_id))


async def lock_name(name: str, phone: str) -> None:
    """The same for somebody without WeChat."""
    await fetch("SELECT pg_advisory_xact_lock(hashtextextended('booking: ' || $1 || $2, 0))", name, phone)


# Codes are drawn until one is free among the plan's living ones; two that draw the same at once wait for each other,
# and the second draws again.
_TAKE = """
INSERT INTO booking (slot_id, plan_id, state, code, resident_id, name, phone, by, relation, note, booked_at, reminded,
    ended_by, reason, excused, comment)
VALUES ($1, $2, $3, lpad(floor(random() * 1000000)::int::text, 6, '0'), $4, $5, $6, $7, $8, $9, $10, '[]'::jsonb,
    '', '', false, '')
ON CONFLICT (plan_id, code) WHERE state IN ('waiting', 'booked') DO NOTHING RETURNING id
"""
_COUNT = "UPDATE slot SET taken = taken + $2, waiting = waiting + $3 WHERE id = $1"
_DRAWS = 50


@dataclass(frozen=True, slots=True)
class Sitter:
    """For whom a seat is, and who takes it for them."""

    resident_id: int | None
    name: str
    phone: str
    by: str
    relation: str
    note: str


async def take(slot: LockedSlot, sitter: Sitter, state: str, now: datetime) -> int:
    """Write a booking, `booked` or `waiting`, and count it; gives its id."""
    who = (sitter.resident_id, sitter.name, sitter.phone, sitter.by, sitter.relation, sitter.note)
    for _ in range(_DRAWS):
        made = await fetch(_TAKE, slot.id, slot.plan_id, state, *who, now)
        if made:
            await count(slot, state, 1)
            booking_id: int = made[0]["id"]
            return booking_id
    raise RuntimeError(f"plan {slot.plan_id}: no free code in {_DRAWS} draws")


async def count(slot: LockedSlot, state: str, step: int) -> None:
    """Note that one more (or one less) sits or waits."""
    taken, waiting = (step, 0) if state != "waiting" else (0, step)
    await fetch(_COUNT, slot.id, taken, waiting)
    slot.taken, slot.waiting = slot.taken + taken, slot.waiting + waiting


_NEXT = """
UPDATE booking SET state = 'booked', moved_up_at = $3 WHERE id IN (
    SELECT id FROM booking WHERE slot_id = $1 AND state = 'waiting' ORDER BY id LIMIT $2 FOR UPDATE
) RETURNING id
"""


async def refill(slot: LockedSlot, now: datetime) -> list[int]:
    """Give free seats to those who wait, in their order; gives the bookings that moved up. A slot that is closed or has
    begun is left as it is."""
    free = min(slot.capacity - slot.taken, slot.waiting)
    if free <= 0 or slot.closed or slot.starts_at <= now:
        return []
    moved = sorted(row["id"] for row in await fetch(_NEXT, slot.id, free, now))
    await fetch(_COUNT, slot.id, len(moved), -len(moved))
    slot.taken, slot.waiting = slot.taken + len(moved), slot.waiting - len(moved)
    return moved


_MOVE = """
UPDATE booking SET slot_id = $2, state = 'booked', reminded = $3::jsonb, moved_up_at = NULL WHERE id = $1
"""
_MINUTES = "SELECT remind_minutes FROM booking_plan WHERE id = $1"


async def move_to(booking_id: int, slot: LockedSlot, now: datetime) -> None:
    """A booking of a held slot sits in this one, also held; the callers count both."""
    await fetch(_MOVE, booking_id, slot.id, await known_reminders(slot.plan_id, slot.starts_at, now))


async def known_reminders(plan_id: int, starts_at: datetime, now: datetime) -> str:
    """As `booking.reminded` has it: reminders of a time that whoever learns of it now needs no more."""
    minutes = from_json((await fetch(_MINUTES, plan_id))[0]["remind_minutes"])
    return to_json([one for one in minutes if reminder_due(starts_at, one) <= now])
