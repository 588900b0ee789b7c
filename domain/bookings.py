"""预约: a seat or a place on the waiting list, taken, given back, moved, shown at the counter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain import booking_notices as notices
from domain.booking_cards import Card, is_own, owners, read_card, read_cards
from domain.booking_rules import Other, day_start, pause_until
from domain.booking_seats import (
    LockedSlot,
    Sitter,
    count,
    lock_name,
    lock_resident,
    lock_slot,
    refill,
    refuse_closed,
    take,
)
from domain.clock import say_date
from domain.journal import audit
from domain.people import Person, ancestors
from domain.services import seen_areas
from errors import Conflict, NotAllowed, NotFound
from models.database import fetch, transaction
from models.enums import BookingState, Role

#: People without WeChat for whom one resident may hold seats of a plan at a time: nobody fills it with made-up names.
MOST_OTHERS = 5
#: For the chat: where one's bookings are.
LOOK = "回复“我的预约”看一看。"


async def book(
    person: Person,
    slot_id: int,
    now: datetime,
    *,
    other: Other | None = None,
    note: str = "",
    wait: bool = False,
    counter: bool = False,
    source: str = "",
) -> Card:
    """Take a seat for this person, or for somebody without WeChat; with `wait`, a place on the list where none is free.
    `counter`: of no activity, which has rules of its own (`domain.sign_ups`).

    Raises NotFound (not there, not for their area), Conflict with the reason (closed, full, booked already, too many,
    must pause), BadRequest for another's name or phone, NotAllowed for staff who name nobody and are no residents.
    """
    sitter = await _sitter(person, slot_id, other, note)
    areas = await seen_areas(person)  # looked up while nobody waits for the slot
    async with transaction():
        await _lock_people(person, sitter)
        slot = await lock_slot(slot_id, now)
        if slot is None or not slot.active or slot.area_id not in areas:
            raise absent_slot(slot_id)
        if counter and not slot.is_counter:
            raise Conflict(
                f"slot {slot.id} is of an activity", say="这是活动，请在活动里报名。", chat="回复“活动”就能报。"
            )
        refuse_closed(slot, now)
        await _check_person(slot, sitter, now)
        state = _state_for(slot, wait=wait)
        booking_id = await take(slot, sitter, state, now)
        await audit(person.actor, "booking:make", booking_id, now, source=source)
        card = await _card(booking_id)
        if sitter.resident_id is None:
            await audit(person.actor, "booking:on_behalf", booking_id, now, source=source)
    return card


async def _lock_people(person: Person, sitter: Sitter) -> None:
    """One booking after the other of whoever books and of whom it is for."""
    if (sitter.resident_id or person.post is None) and not await lock_resident(person.resident_id):
        raise NotFound(f"resident {person.resident_id}")
    if sitter.resident_id is None:
        await lock_name(sitter.name, sitter.phone)


async def _sitter(person: Person, slot_id: int, other: Other | None, note: str) -> Sitter:
    note = " ".join(note.split())[:200]
    if other is None:
        if not person.resident_id:
            say = "请写清楚替谁预约：姓名和电话。"
            raise NotAllowed(f"{person.actor} is no resident", say=say, tag="booking:make", object_id=slot_id)
        return Sitter(person.resident_id, "", "", f"resident:{person.resident_id}", "", note)
    named = other.checked()
    relation = named.relation
    if not relation and person.post:
        relation = "网格员" if person.post.role is Role.GRID_WORKER else "工作人员"
    return Sitter(None, named.name, named.phone, person.actor, relation or "家人", note)


def absent_slot(slot_id: int) -> NotFound:
    """What everybody reads who asks for a time there is not for them."""
    say, chat = "没有找到这个时间，可能已经停了，请重新选。", "回复“预约”看现在能约什么。"
    return NotFound(f"slot {slot_id}", say=say, chat=chat, tag="slot:read", object_id=slot_id)


# All live bookings of one person in the plan, and when they stayed away lately.
_OF_PERSON = """
SELECT b.slot_id, b.state, s.ends_at FROM booking b JOIN slot s ON s.id = b.slot_id
WHERE b.plan_id = $1 AND (b.resident_id = $2 OR $2::bigint IS NULL AND b.resident_id IS NULL AND b.name = $3
    AND b.phone = $4)
AND (b.state IN ('waiting', 'booked') AND s.ends_at > $5
    OR b.state = 'missed' AND NOT b.excused AND s.ends_at > $6)
"""


_OTHERS = """
SELECT count(DISTINCT (b.name, b.phone))::int AS others FROM booking b JOIN slot s ON s.id = b.slot_id
WHERE b.plan_id = $1 AND b.by = $2 AND b.resident_id IS NULL AND b.state IN ('waiting', 'booked') AND s.ends_at > $3
    AND (b.name, b.phone) <> ($4, $5)
"""


async def _check_person(slot: LockedSlot, sitter: Sitter, now: datetime) -> None:
    if sitter.resident_id is None and sitter.by.startswith("resident:"):
        others = (await fetch(_OTHERS, slot.plan_id, sitter.by, now, sitter.name, sitter.phone))[0]["others"]
        if others >= MOST_OTHERS:
            say = f"一个人最多替 {MOST_OTHERS} 位家人约。再多请找网格员帮忙。"
            raise Conflict(f"{sitter.by} booked for {others} others", say=say)
    since = now - timedelta(days=slot.strike_days + slot.pause_days)
    who = sitter.resident_id, sitter.name, sitter.phone
    rows = await fetch(_OF_PERSON, slot.plan_id, *who, now, since)
    live = [row["slot_id"] for row in rows if row["state"] != BookingState.MISSED]
    if slot.id in live:
        raise Conflict(f"slot {slot.id} twice", say="这个时间已经约过了。", chat=LOOK)
    if len(live) >= slot.per_person:
        say = f"{slot.title}每人同时最多约 {slot.per_person} 次。要换时间，请在“我的预约”里改。"
        raise Conflict(f"{len(live)} live bookings in plan {slot.plan_id}", say=say)
    missed = [row["ends_at"] for row in rows if row["state"] == BookingState.MISSED]
    until = pause_until(missed, slot.strikes, slot.strike_days, slot.pause_days)
    if until and until > now:
        say = f"约了没来已有 {len(missed)} 次，{say_date(until, now)}起才能再约。有特殊情况请打电话给社区说明。"
        raise Conflict(f"paused until {until:%Y-%m-%d}", say=say)


def _state_for(slot: LockedSlot, *, wait: bool) -> str:
    """Whether there is a seat; raises Conflict where there is none and nobody may, or wants to, wait."""
    if not slot.is_full:
        return BookingState.BOOKED
    if slot.waiting >= slot.waiting_most:
        more = "，候补也满了" if slot.waiting_most else ""
        raise Conflict(f"slot {slot.id} is full", say=f"这个时间已经约满{more}，请选别的时间。", full=True)
    if not wait:
        say = f"这个时间已经约满，可以候补，前面有 {slot.waiting} 人。"
        raise Conflict(f"slot {slot.id} is full", say=say, full=True, may_wait=True)
    return BookingState.WAITING


async def _card(booking_id: int) -> Card:
    card = await read_card(booking_id)
    if card is None:
        raise NotFound(f"booking {booking_id}", say="没有找到这个预约。", chat=LOOK)
    return card


async def works(person: Person, card: Card) -> bool:
    """Whether this person works on it: staff of the plan's area and above; a grid worker, for who lives in their
    grid."""
    post = person.post
    if post and post.role is Role.GRID_WORKER and card.grid_id == post.area_id:
        return True
    return await runs(person, card.area_id)


async def runs(person: Person, area_id: int) -> bool:
    """Whether this person runs the plans of an area: its staff, or those above it."""
    post = person.post
    if post is None or not (post.dispatches or post.role is Role.GRID_WORKER):
        return False
    return post.area_id in await ancestors(area_id)


async def find_booking(person: Person, booking_id: int, tag: str = "booking:read") -> Card:
    """A booking of one's own, or one that one works on. Raises NotFound otherwise, as if there were none."""
    card = await read_card(booking_id)
    if card is None or not (is_own(person, card) or await works(person, card)):
        there = card.id if card else booking_id
        raise NotFound(f"booking {booking_id}", say="没有找到这个预约。", chat=LOOK, tag=tag, object_id=there)
    return card


_MINE = """
SELECT b.id FROM booking b JOIN slot s ON s.id = b.slot_id
WHERE (b.resident_id = $1 OR b.by = ANY ($2)) AND ($3 = false OR b.state IN ('waiting', 'booked') AND s.ends_at > $4)
    AND ($5::bigint = 0 OR b.id < $5) ORDER BY b.id DESC LIMIT $6
"""


async def my_bookings(
    person: Person, now: datetime, *, live: bool = True, before: int = 0, limit: int = 20
) -> Sequence[Card]:
    """What this person booked, for themselves or others: what lies ahead, by its time; all (`live` off) with the newest
    first, `before` = the id the page before ended with."""
    rows = await fetch(_MINE, person.resident_id, owners(person), live, now, before, limit)
    cards = await read_cards([row["id"] for row in rows])
    return cards if live else sorted(cards, key=lambda card: -card.id)


_END = "UPDATE booking SET state = $2, ended_at = $3, ended_by = $4, reason = $5 WHERE id = $1"
_STATE = "SELECT slot_id, state FROM booking WHERE id = $1 FOR UPDATE"


async def hold(booking_id: int, slot_id: int, now: datetime) -> tuple[LockedSlot, BookingState]:
    """Hold the booking's slot, then the booking; gives the slot and how it stands. Raises Conflict where it moved to
    another slot meanwhile."""
    slot = await lock_slot(slot_id, now)
    rows = await fetch(_STATE, booking_id)
    if slot is None or not rows or rows[0]["slot_id"] != slot_id:
        raise Conflict(f"booking {booking_id} moved", say="这个预约刚刚改过，请看最新的再改。", chat=LOOK)
    return slot, BookingState(rows[0]["state"])


async def cancel(person: Person, booking_id: int, now: datetime, *, reason: str = "", source: str = "") -> Card:
    """Give a seat or a place in the queue back; who waits moves up at once and is told. Once more changes nothing.

    Raises NotFound, Conflict once the time has begun. Staff who cancel for somebody tell them why.
    """
    async with transaction():
        card = await find_booking(person, booking_id, "booking:cancel")
        slot, state = await hold(card.id, card.slot_id, now)
        if state is BookingState.CANCELLED:
            return card
        if state not in (BookingState.WAITING, BookingState.BOOKED) or slot.starts_at <= now:
            raise Conflict(f"booking {card.id} is {state}", say="这个预约已经开始或结束了，不能再取消。")
        await end(slot, card.id, state, BookingState.CANCELLED, now, person.actor, reason)
        await audit(person.actor, "booking:cancel", card.id, now, source=source)
        if not is_own(person, card):
            await notices.tell(notices.cancelled(card, reason, now), now)
        await move_up(slot, now)
        return await _card(card.id)


async def end(
    slot: LockedSlot,
    booking_id: int,
    before: BookingState,
    after: BookingState,
    now: datetime,
    by: str,
    reason: str = "",
) -> None:
    """A live booking of a held slot ends; its seat or place is free. Whoever is to move up, moves by `move_up`."""
    await fetch(_END, booking_id, after, now, by, " ".join(reason.split())[:100])
    await count(slot, before, -1)
    await notices.take_back(booking_id)


async def move_up(slot: LockedSlot, now: datetime) -> None:
    """Free seats go to those who wait, in their order; each is told."""
    for card in await read_cards(await refill(slot, now)):
        await notices.tell(notices.moved_up(card, now), now)
        await audit("system", "booking:move_up", card.id, now)


_BY_CODE = """
SELECT b.id FROM booking b JOIN slot s ON s.id = b.slot_id
WHERE b.code = $1 AND b.state IN ('waiting', 'booked', 'arrived', 'missed') AND s.starts_at >= $2 AND s.starts_at < $3
ORDER BY b.state = 'booked' DESC, abs(extract(epoch FROM s.starts_at - $4::timestamptz)), b.id
"""


async def check_in(person: Person, code: str, now: datetime, *, source: str = "") -> Card:
    """At the counter: whoever shows this code has come. Staff alone; today's bookings alone. Once more changes nothing.

    Raises NotFound, NotAllowed for residents, Conflict for somebody who still waits for a seat.
    """
    if person.post is None:
        raise NotAllowed(
            f"{person.actor} is no staff", say="请把签到码给工作人员看，由工作人员签到。", tag="booking:arrive"
        )
    today = day_start(now)
    rows = await fetch(_BY_CODE, code.strip(), today, today + timedelta(days=1), now)
    for card in await read_cards([row["id"] for row in rows]):
        if await works(person, card):
            return await arrive(card, now, person.actor, source=source)
    raise NotFound(f"code {code[:8]!r}", say="今天没有这个签到码。请核对六位数字和日期。", tag="booking:arrive")


async def arrive(card: Card, now: datetime, by: str, *, source: str = "") -> Card:
    """Note that somebody has come, also after they were noted as missing. For callers who have checked that they are
    there: staff with the code, or the resident with the code shown on the spot (activities)."""
    async with transaction():
        slot, state = await hold(card.id, card.slot_id, now)
        if state is BookingState.ARRIVED:
            return card
        if state is BookingState.WAITING:
            raise Conflict(f"booking {card.id} waits", say="还在候补，没有排到座位。有空位可以当面安排。")
        if state not in (BookingState.BOOKED, BookingState.MISSED):
            raise Conflict(f"booking {card.id} is {state}", say="这个预约已经取消了，请重新约。")
        await fetch(_END, card.id, BookingState.ARRIVED, now, by, "")
        if state is BookingState.MISSED:
            await count(slot, BookingState.ARRIVED, 1)
        await audit(by, "booking:arrive", card.id, now, source=source)
        if slot.settled_at is not None and card.stars is None:  # who came on time is asked when the time is over
            await notices.tell(notices.ask_stars(card, now), now)
        return await _card(card.id)


__all__ = ["Card", "Other", "arrive", "book", "cancel", "check_in", "find_booking", "my_bookings"]
