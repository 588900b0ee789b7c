"""签到: who has come to an activity, by the code on the wall or by staff's word. Whoever has not signed up gets a seat
that is free."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.activities import own_event
from domain.booking_cards import Card, read_cards
from domain.booking_rules import Other
from domain.booking_seats import Sitter, lock_name, lock_resident, lock_slot, take
from domain.bookings import arrive
from domain.journal import audit
from domain.people import Person
from domain.services import seen_areas
from errors import Conflict, NotAllowed, NotFound, TooMany
from models.database import fetch, transaction
from models.enums import BookingState

#: From when to when one may say on the spot that one has come.
BEFORE, AFTER = timedelta(minutes=60), timedelta(minutes=60)
#: Wrong codes of one person within `_WITHIN`, so that nobody tries them all from the sofa.
_WRONG, _WITHIN = 5, timedelta(minutes=15)
_ON_SITE = "现场报名"

# What somebody signed up for that takes place about now, where this code hangs on the wall.
_ON_THE_SPOT = """
SELECT b.id FROM booking b JOIN slot s ON s.id = b.slot_id JOIN activity a ON a.plan_id = b.plan_id
WHERE b.resident_id = $1 AND a.check_in_code = $2 AND a.state IN ('open', 'held')
    AND b.state IN ('waiting', 'booked', 'arrived', 'missed') AND s.starts_at <= $3 AND s.ends_at >= $4
ORDER BY b.state = 'booked' DESC, abs(extract(epoch FROM s.starts_at - $5::timestamptz)), b.id LIMIT 1
"""
_RUNNING = """
SELECT s.id, p.title FROM activity a JOIN booking_plan p ON p.id = a.plan_id JOIN slot s ON s.plan_id = p.id
WHERE a.check_in_code = $1 AND a.state IN ('open', 'held') AND p.area_id = ANY ($2) AND s.closed = ''
    AND s.starts_at <= $3 AND s.ends_at >= $4
ORDER BY abs(extract(epoch FROM s.starts_at - $5::timestamptz)), s.id LIMIT 1
"""
_TRIES = """
SELECT count(*)::int AS wrong FROM audit_event
WHERE tag = 'activity:arrive' AND object_id = $1 AND NOT allowed AND at > $2
"""


async def arrive_by_code(person: Person, code: str, now: datetime, *, source: str = "") -> Card:
    """A resident has come and types the code shown on the spot; who has not signed up gets a seat that is free. Once
    more changes nothing.

    Raises NotFound for a wrong code, TooMany after five of them, Conflict where no seat is free.
    """
    code, me = code.strip(), person.resident_id
    if (await fetch(_TRIES, me, now - _WITHIN))[0]["wrong"] >= _WRONG:
        seconds = int(_WITHIN.total_seconds())
        raise TooMany(f"codes of {me}", say="签到码错了好几次，请找现场工作人员签到。", retry_after=seconds)
    about = now + BEFORE, now - AFTER
    rows = await fetch(_ON_THE_SPOT, me, code, *about, now)
    if not rows:
        if running := await fetch(_RUNNING, code, await seen_areas(person), *about, now):
            return await _walk_in(person, running[0]["id"], now, source)
        say, chat = "签到码不对，或者还没到签到时间。请看现场的四位数字。", "回复“签到 1234”这样的话。"
        raise NotFound(f"no activity with code of {len(code)}", say=say, chat=chat, tag="activity:arrive", object_id=me)
    card = (await read_cards([rows[0]["id"]]))[0]
    return await arrive(card, now, f"resident:{me}", source=source)


_SEAT = """
SELECT id FROM booking WHERE slot_id = $1 AND state IN ('booked', 'arrived', 'missed')
    AND (resident_id = $2 OR $2 IS NULL AND resident_id IS NULL AND name = $3 AND phone = $4)
LIMIT 1
"""


async def _walk_in(person: Person, slot_id: int, now: datetime, source: str) -> Card:
    me = person.resident_id
    async with transaction():
        if not await lock_resident(me):
            raise NotAllowed(f"{person.actor} is no resident", say="请用您自己的微信签到。", tag="activity:arrive")
        return await _seated(Sitter(me, "", "", f"resident:{me}", "", _ON_SITE), slot_id, now, source)


async def _seated(sitter: Sitter, slot_id: int, now: datetime, source: str) -> Card:
    """Somebody whose lock is held sits where they have a seat, or where one is free. Raises Conflict."""
    slot = await lock_slot(slot_id, now)
    seat = await fetch(_SEAT, slot_id, sitter.resident_id, sitter.name, sitter.phone)
    if not seat:
        if slot is None or slot.closed or slot.is_full:
            raise Conflict(f"slot {slot_id} has no seat", say="没有报名，现在也没有空位了。请问一下现场的工作人员。")
        seat = [{"id": await take(slot, sitter, BookingState.BOOKED, now)}]
        verb = "make" if sitter.resident_id else "on_behalf"
        await audit(sitter.by, f"booking:{verb}", seat[0]["id"], now, source=source)
    return await arrive((await read_cards([seat[0]["id"]]))[0], now, sitter.by, source=source)


async def bring(
    person: Person, activity_id: int, other: Other, now: datetime, *, slot_id: int = 0, source: str = ""
) -> Card:
    """For staff on the spot: somebody without WeChat has come, signed up or not. Once more changes nothing.

    Raises NotFound, NotAllowed for who may only read the activity, BadRequest for no name or number, Conflict where
    nothing takes place now or no seat is free.
    """
    named, event = other.checked(), await own_event(person, activity_id, "bring")
    now_on = [one for one in event.sessions if one.starts_at <= now + BEFORE and one.ends_at >= now - AFTER]
    session = next((one for one in now_on if slot_id in (0, one.id) and not one.closed), None)
    if session is None or event.is_draft:
        say = "现在没有在办的场次，开始前一小时起才能登记。"
        raise Conflict(f"activity {activity_id} does not take place now", say=say)
    async with transaction():
        await lock_name(named.name, named.phone)
        sitter = Sitter(None, named.name, named.phone, person.actor, named.relation or "工作人员", _ON_SITE)
        return await _seated(sitter, session.id, now, source)
