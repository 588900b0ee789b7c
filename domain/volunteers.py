"""志愿时长: what somebody gave, credited when the shift is over, also to people without WeChat whom staff checked in.
Staff correct it by a further row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from domain.activity_notices import time_corrected
from domain.booking_cards import Card, read_card
from domain.booking_notices import tell
from domain.bookings import runs
from domain.clock import SHANGHAI, say_minutes
from domain.contacts import Contact, keep
from domain.journal import audit
from domain.people import Person, own_residents
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.database import fetch, transaction
from models.enums import BookingState, PlanKind

_LOOKS_BACK = timedelta(days=60)
_MOST = 24 * 60  # minutes of one correction

# Who came to a shift that has ended and has no such row yet; whoever is noted as present later is found later.
_CREDIT = """
INSERT INTO volunteer_time (resident_id, booking_id, what, "on", minutes, by, at)
SELECT b.resident_id, b.id, p.title, (s.starts_at AT TIME ZONE 'Asia/Shanghai')::date, a.minutes, 'system', $1
FROM slot s JOIN activity a ON a.plan_id = s.plan_id JOIN booking_plan p ON p.id = s.plan_id
JOIN booking b ON b.slot_id = s.id
WHERE a.minutes > 0 AND s.ends_at <= $1 AND s.starts_at > $2 AND b.state = 'arrived' AND b.resident_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM volunteer_time v WHERE v.booking_id = b.id AND v.by = 'system')
ORDER BY b.resident_id, b.id LIMIT $3
ON CONFLICT (booking_id) WHERE by = 'system' DO NOTHING RETURNING id
"""


# The same for people without WeChat, whom staff checked in by their name and number.
_OTHERS = """
SELECT b.id, b.name, b.phone FROM slot s JOIN activity a ON a.plan_id = s.plan_id JOIN booking b ON b.slot_id = s.id
WHERE a.minutes > 0 AND s.ends_at <= $1 AND s.starts_at > $2 AND b.state = 'arrived' AND b.resident_id IS NULL
    AND b.name <> '' AND NOT EXISTS (SELECT FROM volunteer_time v WHERE v.booking_id = b.id AND v.by = 'system')
ORDER BY b.id LIMIT $3
"""
_CREDIT_OTHER = """
INSERT INTO volunteer_time (resident_id, booking_id, what, "on", minutes, by, at)
SELECT $1, b.id, p.title, (s.starts_at AT TIME ZONE 'Asia/Shanghai')::date, a.minutes, 'system', $3
FROM booking b JOIN slot s ON s.id = b.slot_id JOIN activity a ON a.plan_id = b.plan_id
JOIN booking_plan p ON p.id = b.plan_id WHERE b.id = $2
ON CONFLICT (booking_id) WHERE by = 'system' DO NOTHING RETURNING id
"""


async def credit(now: datetime, limit: int = 500) -> int:
    """Credit whoever came to a shift that is over; gives how many. For the scheduler: again changes nothing."""
    async with transaction():
        rows = await fetch(_CREDIT, now, now - _LOOKS_BACK, limit)
        for other in await fetch(_OTHERS, now, now - _LOOKS_BACK, limit):
            known = await keep(Contact(other["name"], other["phone"]), None, now)
            rows += await fetch(_CREDIT_OTHER, known.resident_id, other["id"], now)
        for row in rows:
            await audit("system", "volunteer:credit", row["id"], now)
    return len(rows)


@dataclass(frozen=True, slots=True)
class Given:
    """One row of the account: minutes given, or a correction of them."""

    id: int
    what: str
    on: date
    minutes: int


@dataclass(frozen=True, slots=True)
class Account:
    """What somebody gave in all, how often they came, and the rows of one page, the newest first."""

    minutes: int
    times: int
    rows: Sequence[Given]


_SUM = """
SELECT coalesce(sum(minutes), 0)::int AS minutes, count(DISTINCT booking_id)::int AS times FROM volunteer_time
WHERE resident_id = $1
"""
_ROWS = """
SELECT v.id, v.what, v.on, v.minutes FROM volunteer_time v
WHERE v.resident_id = $1 AND ($2::bigint = 0 OR v.id < $2) ORDER BY v.id DESC LIMIT $3
"""


async def my_time(person: Person, *, before: int = 0, limit: int = 20) -> Account:
    """One's own account; `before`: the id the page before ended with."""
    total = (await fetch(_SUM, person.resident_id))[0]
    rows = await fetch(_ROWS, person.resident_id, before, limit)
    return Account(total["minutes"], total["times"], [Given(**row) for row in rows])


_CREDITED = "SELECT resident_id FROM volunteer_time WHERE booking_id = $1 LIMIT 1"


async def _volunteer(card: Card, now: datetime) -> int | None:
    """In whose account a shift is; somebody without WeChat has one by name and number."""
    if card.resident_id is None:
        rows = await fetch(_CREDITED, card.id)
        if rows or not card.name:
            return rows[0]["resident_id"] if rows else None
        return (await keep(Contact(card.name, card.phone), None, now)).resident_id
    return card.resident_id


async def time_of_shift(person: Person, card: Card) -> Account | None:
    """For staff who look after a shift: the account of whose it is, with the rows of this shift; None where no time was
    credited. Raises NotFound."""
    if not await runs(person, card.area_id):
        raise NotFound(f"booking {card.id}", tag="volunteer:read", object_id=card.id)
    rows = await fetch(_CREDITED, card.id)
    if not rows:
        return None
    total = (await fetch(_SUM, rows[0]["resident_id"]))[0]
    return Account(total["minutes"], total["times"], [Given(**row) for row in await fetch(_SHIFT, card.id)])


_SHIFT = "SELECT v.id, v.what, v.on, v.minutes FROM volunteer_time v WHERE v.booking_id = $1 ORDER BY v.id"
_OF_BOOKING = """
SELECT coalesce((SELECT sum(minutes) FROM volunteer_time WHERE booking_id = $1), 0)::int AS minutes
FROM booking WHERE id = $1 FOR UPDATE
"""
_CORRECT = """
INSERT INTO volunteer_time (resident_id, booking_id, what, "on", minutes, by, at)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id
"""


async def correct(
    person: Person, booking_id: int, minutes: int, why: str, now: datetime, *, source: str = ""
) -> Account:
    """Add minutes for one shift, or take some back (negative); who gave them is told why. Gives their account.

    For who looks after the shift. Raises NotFound, NotAllowed for one's own time, BadRequest without a reason or for
    more than a day, Conflict before it is over or where less than nothing would be left.
    """
    why = " ".join(why.split())[:60]
    if not why or minutes == 0 or abs(minutes) > _MOST:
        raise BadRequest("correction", say="请写加减多少分钟（一次最多 24 小时）和原因。")
    async with transaction():
        card = await read_card(booking_id)
        if card is None or not await runs(person, card.area_id):
            raise NotFound(f"booking {booking_id}", tag="volunteer:correct", object_id=booking_id)
        own = await own_residents(person)
        if card.resident_id in own or card.by in [f"resident:{me}" for me in own]:  # who checked somebody in may
            say = "自己的志愿时长请同事来更正。"
            raise NotAllowed("their own time", say=say, tag="volunteer:correct", object_id=booking_id)
        who = await _volunteer(card, now) if card.kind is PlanKind.VOLUNTEER else None
        if who is None:
            raise NotFound(f"booking {booking_id} gives no time", say="这不是志愿服务，或没有留下姓名，不记时长。")
        if card.ends_at > now or card.state not in (BookingState.ARRIVED, BookingState.MISSED):
            raise Conflict(f"booking {booking_id} is {card.state}", say="活动结束以后才能更正时长。")
        await fetch("SELECT FROM resident WHERE id = $1 FOR KEY SHARE", who)  # the person before what is theirs
        has = (await fetch(_OF_BOOKING, booking_id))[0]["minutes"]
        if has + minutes < 0:
            raise Conflict(f"{has} minutes", say=f"这一次只记了 {has} 分钟，减不了这么多。")
        day = card.starts_at.astimezone(SHANGHAI).date()
        what = f"更正 {card.title}：{why}"[:64]
        rows = await fetch(_CORRECT, who, card.id, what, day, minutes, person.actor, now)
        await audit(person.actor, "volunteer:correct", rows[0]["id"], now, source=source)
        total = (await fetch(_SUM, who))[0]
        await tell(time_corrected(card, minutes, say_minutes(total["minutes"]), why, now), now)
    return Account(total["minutes"], total["times"], ())
