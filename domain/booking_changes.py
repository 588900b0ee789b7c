"""What happens to a booking besides being made and cancelled: another time, a rating, a mark taken back."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain import booking_notices as notices
from domain.booking_cards import Card, is_own, owners, read_card
from domain.booking_seats import LockedSlot, count, lock_slot, move_to, refuse_closed
from domain.bookings import LOOK, absent_slot, find_booking, hold, move_up, runs
from domain.journal import audit
from domain.people import Person
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.database import fetch, transaction
from models.enums import BookingState, PlanKind


async def move(person: Person, booking_id: int, slot_id: int, now: datetime, source: str = "") -> Card:
    """Another time of the same plan, if a seat is free there; the old one goes to who waits. The code stays.

    Raises NotFound, Conflict where the new time cannot be had (the old one is kept) or the old one has begun.
    """
    async with transaction():
        card = await find_booking(person, booking_id, "booking:move")
        if slot_id == card.slot_id:
            return card
        slots = {}
        for one in sorted((card.slot_id, slot_id)):
            slots[one] = await lock_slot(one, now)
        target = slots[slot_id]
        if target is None or target.plan_id != card.plan_id:
            raise absent_slot(slot_id)
        old, state = await hold(card.id, card.slot_id, now)
        await _check_move(card, old, target, state, now)
        await notices.take_back(card.id)  # looks at what they were reminded of, which moving forgets
        await move_to(card.id, target, now)
        await count(old, state, -1)
        await count(target, BookingState.BOOKED, 1)
        await audit(person.actor, "booking:move", card.id, now, source=source)
        moved = await _read(card.id)
        if not is_own(person, card):
            await notices.tell(notices.moved(moved, now), now)
        await move_up(old, now)
    return moved


async def _check_move(card: Card, old: LockedSlot, target: LockedSlot, state: BookingState, now: datetime) -> None:
    if state not in (BookingState.WAITING, BookingState.BOOKED) or old.starts_at <= now:
        raise Conflict(f"booking {card.id} is {state}", say="这个预约已经开始或结束了，不能再改。")
    if card.kind is PlanKind.COURSE:
        raise Conflict(f"booking {card.id} is of a course", say="课程要整期参加，不能换时间。不来了可以取消。")
    refuse_closed(target, now)
    if target.is_full:
        raise Conflict(f"slot {target.id} is full", say="那个时间已经约满，原来的预约还在。请换一个时间。", full=True)
    if await fetch(_THERE, card.id, target.id):
        raise Conflict(f"slot {target.id} twice", say="那个时间已经约过了。", chat=LOOK)


#: So long a number that somebody types without being asked anything else is how it was.
_ASKED_FOR = timedelta(days=3)
_THERE = """
SELECT o.id FROM booking b JOIN booking o ON o.slot_id = $2 AND o.state IN ('waiting', 'booked')
    AND (o.resident_id = b.resident_id OR b.resident_id IS NULL AND o.resident_id IS NULL AND o.name = b.name
        AND o.phone = b.phone)
WHERE b.id = $1
"""


async def _read(booking_id: int) -> Card:
    card = await read_card(booking_id)
    if card is None:
        raise NotFound(f"booking {booking_id}")
    return card


_RATE = "UPDATE booking SET stars = $2, comment = $3 WHERE id = $1 AND stars IS NULL RETURNING id"


async def rate(
    person: Person, booking_id: int, stars: int, now: datetime, *, comment: str = "", source: str = ""
) -> Card:
    """1 to 5, once, by whom it was for or who booked it, after they came. Raises NotFound, NotAllowed, Conflict."""
    if not 1 <= stars <= 5:
        raise BadRequest(f"{stars} stars", say="请打 1 到 5 分，5 分最满意。")
    async with transaction():
        card = await find_booking(person, booking_id, "booking:rate")
        if not is_own(person, card):
            raise NotAllowed(
                f"booking {card.id} is not theirs",
                say="只有来办事的人可以评价。",
                tag="booking:rate",
                object_id=card.id,
            )
        if card.state is not BookingState.ARRIVED:
            raise Conflict(f"booking {card.id} is {card.state}", say="办过以后才能评价。")
        if not await fetch(_RATE, card.id, stars, " ".join(comment.split())[:200]):
            raise Conflict(f"booking {card.id} is rated", say="您已经评过了，谢谢。")
        await audit(person.actor, "booking:rate", card.id, now, source=source)
        return await _read(card.id)


_UNRATED = """
SELECT b.id FROM booking b JOIN slot s ON s.id = b.slot_id
WHERE (b.resident_id = $1 OR b.by = ANY ($2)) AND b.state = 'arrived' AND b.stars IS NULL AND s.settled_at > $3
ORDER BY s.settled_at DESC, b.id DESC LIMIT 1
"""


async def asked_lately(person: Person, now: datetime) -> int | None:
    """The booking this person was last asked about how it was, if they have not said so."""
    rows = await fetch(_UNRATED, person.resident_id, owners(person), now - _ASKED_FOR)
    return rows[0]["id"] if rows else None


_EXCUSE = "UPDATE booking SET excused = true WHERE id = $1 AND state = 'missed' AND NOT excused RETURNING id"


async def excuse(person: Person, booking_id: int, now: datetime, source: str = "") -> Card:
    """Take the mark for staying away back; once more changes nothing. For who runs the plan. Raises NotFound,
    NotAllowed, Conflict where nobody stayed away."""
    async with transaction():
        card = await find_booking(person, booking_id, "booking:excuse")
        if not await runs(person, card.area_id):
            raise NotAllowed(
                f"{person.actor} does not run plan {card.plan_id}",
                say="请让办这项预约的社区来改。",
                tag="booking:excuse",
                object_id=card.id,
            )
        if card.state is not BookingState.MISSED:
            raise Conflict(f"booking {card.id} is {card.state}", say="只有没来的预约才用得着免除。")
        if await fetch(_EXCUSE, card.id):
            await audit(person.actor, "booking:excuse", card.id, now, source=source)
        return await _read(card.id)
