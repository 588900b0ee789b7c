"""What happens to bookings by the clock: reminders, the end of waiting, who stayed away.

Any number of schedulers may do it at once: each slot and booking is taken by one of them, and what is done is noted in
the same transaction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from domain import booking_notices as notices
from domain.booking_cards import read_cards
from domain.booking_rules import due_reminders
from domain.booking_seats import LockedSlot, count, lock_slot
from domain.bookings import end
from domain.journal import audit
from domain.timing import quiet_until
from models.database import fetch, from_json, is_away, to_json, transaction
from models.enums import BookingState

log = structlog.get_logger(__name__)

#: Staff have this long after the end to note who came.
GRACE = timedelta(hours=1)
#: After this time nobody without WeChat is known by name in a booking.
FORGET_AFTER = timedelta(days=180)
_BATCH = 200

# A reminder may lie before quiet hours it would fall into: half a day more is looked through.
_TO_REMIND = """
SELECT b.id, b.booked_at, b.moved_up_at, b.reminded, s.starts_at, p.remind_minutes
FROM slot s JOIN booking_plan p ON p.id = s.plan_id JOIN booking b ON b.slot_id = s.id
WHERE s.starts_at > $1 AND s.starts_at < $1 + interval '9 days' AND b.state = 'booked' AND EXISTS (
    SELECT FROM jsonb_array_elements_text(p.remind_minutes) AS m(minutes)
    WHERE NOT b.reminded @> to_jsonb(m.minutes::int)
        AND s.starts_at - make_interval(mins => m.minutes::int) <= $1 + interval '12 hours')
ORDER BY s.starts_at, b.id LIMIT 2000 FOR UPDATE OF b SKIP LOCKED
"""
_REMINDED = "UPDATE booking SET reminded = $2::jsonb WHERE id = $1"


async def remind(now: datetime) -> int:
    """Remind whoever comes soon; gives how many were told. Never twice of the same: the note and the message commit
    together."""
    due_now, told = [], 0
    async with transaction():
        for row in await fetch(_TO_REMIND, now):
            plan_minutes, gone = from_json(row["remind_minutes"]), from_json(row["reminded"])
            sat_at = row["moved_up_at"] or row["booked_at"]
            due, tells = due_reminders(row["starts_at"], plan_minutes, gone, sat_at, now)
            if due:
                await fetch(_REMINDED, row["id"], to_json(gone + due))
            if tells:
                due_now.append(row["id"])
        later = quiet_until(now)
        for card in await read_cards(due_now):
            if later is None or later < card.starts_at:
                await notices.tell(notices.reminder(card, later or now), now, later=later, booking=card.id)
                told += 1
    return told


_BEGUN = "SELECT id FROM slot WHERE waiting > 0 AND starts_at <= $1 AND settled_at IS NULL ORDER BY id LIMIT 500"
_WAITING = "SELECT id FROM booking WHERE slot_id = $1 AND state = 'waiting' ORDER BY id"


async def end_waiting(now: datetime) -> int:
    """Who still waits when their time begins has waited in vain, and is told; gives how many."""
    done = 0
    for row in await fetch(_BEGUN, now):
        done += await _guarded(row["id"], now, _expire)
    return done


async def _expire(slot: LockedSlot, now: datetime) -> int:
    if slot.starts_at > now:
        return 0
    cards = await read_cards([row["id"] for row in await fetch(_WAITING, slot.id)])
    for card in cards:
        await end(slot, card.id, BookingState.WAITING, BookingState.EXPIRED, now, "system")
        await notices.tell(notices.no_luck(card, now), now, later=quiet_until(now))
    return len(cards)


_OVER = "SELECT id FROM slot WHERE settled_at IS NULL AND ends_at <= $1 ORDER BY ends_at, id LIMIT 500"
_BOOKED = "SELECT id FROM booking WHERE slot_id = $1 AND state IN ('booked', 'arrived') ORDER BY id FOR UPDATE"
_MISSED = "UPDATE booking SET state = 'missed', ended_at = $2, ended_by = 'system', excused = $3 WHERE id = $1"
_SETTLED = "UPDATE slot SET settled_at = $2 WHERE id = $1"


async def settle(now: datetime) -> int:
    """Once a time is over: who did not come is noted and told, who came is asked how it was. Gives how many slots."""
    done = 0
    for row in await fetch(_OVER, now - GRACE):
        done += await _guarded(row["id"], now, _settle)
    return done


async def _settle(slot: LockedSlot, now: datetime) -> int:
    if slot.settled_at is not None or slot.ends_at > now - GRACE:
        return 0
    await _expire(slot, now)
    late = slot.starts_at - timedelta(minutes=slot.cancel_minutes)
    moved_up = {row["id"]: row["moved_up_at"] for row in await fetch(_MOVED_UP, slot.id)}
    for card in await read_cards([row["id"] for row in await fetch(_BOOKED, slot.id)]):
        if card.state is BookingState.ARRIVED:
            if card.stars is None:
                await notices.tell(notices.ask_stars(card, now), now, later=quiet_until(now))
            continue
        # whoever got the seat when it was too late to give it back owes nothing
        excused = card.id in moved_up and moved_up[card.id] > late
        await fetch(_MISSED, card.id, now, excused)
        await count(slot, BookingState.BOOKED, -1)
        await audit("system", "booking:miss", card.id, now)
        if not excused:
            await notices.tell(notices.missed(card, now), now, later=quiet_until(now))
    await fetch(_SETTLED, slot.id, now)
    return 1


_MOVED_UP = "SELECT id, moved_up_at FROM booking WHERE slot_id = $1 AND moved_up_at IS NOT NULL"


async def _guarded(slot_id: int, now: datetime, act: Callable[[LockedSlot, datetime], Awaitable[int]]) -> int:
    """One slot in a transaction of its own: what fails for one is logged and holds no other up."""
    try:
        async with transaction():
            slot = await lock_slot(slot_id, now)
            return await act(slot, now) if slot else 0
    except Exception as error:
        if is_away(error):
            raise
        log.exception("slot not looked after", slot=slot_id)
        return 0


_FORGET = """
UPDATE booking b SET name = '', phone = '', note = '' FROM slot s
WHERE s.id = b.slot_id AND s.ends_at < $1 AND b.resident_id IS NULL AND (b.name <> '' OR b.phone <> '')
RETURNING b.id
"""


async def forget_names(now: datetime) -> int:
    """Names and numbers of people without WeChat go once nothing depends on them; gives how many."""
    return len(await fetch(_FORGET, now - FORGET_AFTER))
