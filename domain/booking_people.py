"""Whom one books for at home; bookings of somebody who turns out to be known already, or who is forgotten."""

from __future__ import annotations

from datetime import datetime

from domain.booking_rules import Other
from domain.bookings import end, hold, move_up
from domain.people import Person
from models.database import fetch
from models.enums import BookingState

LIVE = frozenset({BookingState.WAITING, BookingState.BOOKED})

_FAMILY = """
SELECT other.name, coalesce(nullif(h.phone, ''), r.phone) AS phone
FROM household_member me JOIN household_member other ON other.household_id = me.household_id AND other.id <> me.id
JOIN household h ON h.id = me.household_id JOIN resident r ON r.id = me.resident_id
WHERE me.resident_id = $1 AND me.confirmed_at IS NOT NULL AND other.resident_id IS NULL ORDER BY other.id LIMIT 6
"""


async def family(person: Person) -> list[Other]:
    """People without WeChat in the household this resident is known to live in, with the number by which the home is
    reached ("" = none is known)."""
    return [Other(row["name"], row["phone"], "家人") for row in await fetch(_FAMILY, person.resident_id)]


_TWICE = """
SELECT gone.slot_id, gone.id AS gone, stays.id AS stays
FROM booking gone JOIN booking stays ON stays.slot_id = gone.slot_id AND stays.resident_id = $2
    AND stays.state IN ('waiting', 'booked')
WHERE gone.resident_id = $1 AND gone.state IN ('waiting', 'booked') ORDER BY gone.slot_id
"""
_MOVE = """
UPDATE booking SET resident_id = CASE WHEN resident_id = $1 THEN $2 ELSE resident_id END,
    by = CASE WHEN by = 'resident:' || $1::bigint THEN 'resident:' || $2::bigint ELSE by END
WHERE resident_id = $1 OR by = 'resident:' || $1::bigint
"""


async def merge_bookings(gone: int, stays: int, now: datetime) -> None:
    """What the resident `gone` booked becomes that of `stays`; of two for one time the seat is kept, else the older.
    In the running transaction, which holds both residents' rows."""
    for row in await fetch(_TWICE, gone, stays):
        slot, gone_state = await hold(row["gone"], row["slot_id"], now)
        _, stays_state = await hold(row["stays"], row["slot_id"], now)
        if not {gone_state, stays_state} <= LIVE:
            continue  # one of the two was given back meanwhile
        seat_is_theirs = gone_state is BookingState.BOOKED and stays_state is BookingState.WAITING
        spare, state = (row["stays"], stays_state) if seat_is_theirs else (row["gone"], gone_state)
        await end(slot, spare, state, BookingState.CANCELLED, now, "system", "同一时间约了两次")
        await move_up(slot, now)
    await fetch(_MOVE, gone, stays)


_LIVE = """
SELECT id, slot_id FROM booking
WHERE (resident_id = $1 OR by = 'resident:' || $1::bigint) AND state IN ('waiting', 'booked') ORDER BY slot_id, id
"""
_BLANK = """
UPDATE booking SET name = '', phone = '', relation = '', note = '', comment = '', reason = ''
WHERE resident_id = $1 OR by = 'resident:' || $1::bigint
"""


async def forget_bookings(resident_id: int, now: datetime) -> None:
    """Seats of somebody who is forgotten, and those they took for others, go to who waits; names, numbers and words are
    gone. In the running transaction, which holds the resident's row."""
    for row in await fetch(_LIVE, resident_id):
        slot, state = await hold(row["id"], row["slot_id"], now)
        if state not in LIVE:
            continue  # was given back meanwhile
        await end(slot, row["id"], state, BookingState.CANCELLED, now, "system")
        await move_up(slot, now)
    await fetch(_BLANK, resident_id)
