"""报名: who takes part in an activity. Seats and the waiting list are those of bookings."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from datetime import datetime

import xlsxwriter

from domain.activities import Event, Session, find_activity, own_event
from domain.booking_cards import STATE_NAMES, Card, owners, read_cards
from domain.booking_rules import Other
from domain.booking_seats import lock_resident
from domain.bookings import book, cancel
from domain.clock import SHANGHAI
from domain.journal import audit
from domain.people import Person
from errors import BadRequest, Conflict, NotFound
from models.database import fetch, transaction
from models.enums import ActivityState, BookingState

_MOST_ROWS = 20_000
#: People without WeChat whom one resident may sign up for one activity.
_FAMILY = 5


async def sign_up(
    person: Person,
    activity_id: int,
    now: datetime,
    *,
    slot_id: int = 0,
    other: Other | None = None,
    note: str = "",
    wait: bool = False,
    source: str = "",
) -> list[Card]:
    """Take part, or let somebody without WeChat take part: in the one time that is named; in all of a course; in the
    only one there is. All or nothing; `wait`: where no seat is left, a place on the waiting list will do.

    Raises NotFound, BadRequest where a time must be chosen, Conflict with the reason (over, full, signed up already).
    """
    event = await find_activity(person, activity_id)
    if not event.takes_people(now):
        raise Conflict(f"activity {activity_id} takes nobody", say=_closed(event), chat="回复“活动”看别的。")
    chosen = _chosen(event, slot_id, now)
    if other is None:
        chosen = [one for one in chosen if not one.signed_up] or chosen
    async with transaction():
        if other is not None and person.post is None:
            await _check_others(person, event.plan_id)
        return [
            await book(person, one.id, now, other=other, note=note, wait=wait, source=source)
            for one in sorted(chosen, key=lambda one: one.id)
        ]


_OTHERS = """
SELECT count(DISTINCT (name, phone))::int AS others FROM booking
WHERE plan_id = $1 AND by = $2 AND resident_id IS NULL AND state IN ('waiting', 'booked')
"""


async def _check_others(person: Person, plan_id: int) -> None:
    """Nobody fills an activity with made-up names. One request of a person is looked at after the other."""
    await lock_resident(person.resident_id)
    if (await fetch(_OTHERS, plan_id, person.actor))[0]["others"] >= _FAMILY:
        say = f"一个人最多替 {_FAMILY} 位家人报同一个活动。再多请找网格员帮忙。"
        raise Conflict(f"{person.actor} signed up {_FAMILY} others", say=say)


def _closed(event: Event) -> str:
    if event.state is ActivityState.CANCELLED:
        return f"{event.title}取消了{f'：{event.why}' if event.why else ''}。"
    return f"{event.title}报名已经截止。"


def _chosen(event: Event, slot_id: int, now: datetime) -> list[Session]:
    ahead = event.ahead(now)
    if slot_id:
        if found := [one for one in ahead if one.id == slot_id]:
            return found
        raise NotFound(f"session {slot_id}", say="没有这一场，可能已经开始或取消了。", tag="activity:join")
    if len(ahead) > 1 and not event.is_course:
        raise BadRequest("which session", say="有几个时间，请选一个。")
    return ahead


async def leave(person: Person, booking_ids: Sequence[int], now: datetime, *, source: str = "") -> list[Card]:
    """Give several sign-ups back together, as all times of a course. Raises as `bookings.cancel`; all or nothing."""
    slots = {card.id: card.slot_id for card in await read_cards(booking_ids)}
    async with transaction():
        ordered = sorted(booking_ids, key=lambda one: slots.get(one, 0))
        ended = [await cancel(person, one, now, source=source) for one in ordered]
    return sorted(ended, key=lambda card: card.starts_at)


_MINE = """
SELECT b.id FROM booking b JOIN slot s ON s.id = b.slot_id JOIN activity a ON a.plan_id = b.plan_id
WHERE (b.resident_id = $1 OR b.by = ANY ($2)) AND b.state IN ('waiting', 'booked') AND s.ends_at > $3
ORDER BY s.starts_at, b.id LIMIT $4
"""


async def my_sign_ups(person: Person, now: datetime, limit: int = 20) -> Sequence[Card]:
    """What this person signed up for, or others for whom they did, and what is not over yet; the soonest first."""
    rows = await fetch(_MINE, person.resident_id, owners(person), now, limit)
    return await read_cards([row["id"] for row in rows])


_SIGNED_UP = """
SELECT b.id FROM booking b JOIN slot s ON s.id = b.slot_id
WHERE b.plan_id = $1 AND ($2::bigint = 0 OR b.slot_id = $2) AND (s.starts_at, b.id) > ($3::timestamptz, $4)
ORDER BY s.starts_at, b.id LIMIT $5
"""
_START = datetime(2000, 1, 1, tzinfo=SHANGHAI)


async def list_sign_ups(
    person: Person, activity_id: int, *, slot_id: int = 0, beyond: tuple[datetime, int] = (_START, 0), limit: int = 20
) -> Sequence[Card]:
    """For staff: who signed up and who came, by time and in the order they did; `beyond`: begin and id of the last one
    of the page before. Raises NotFound, NotAllowed for who may only read the activity."""
    event = await own_event(person, activity_id, "people")
    rows = await fetch(_SIGNED_UP, event.plan_id, slot_id, *beyond, limit)
    return await read_cards([row["id"] for row in rows])


_CAME = """
SELECT count(b.id)::int AS came FROM slot s LEFT JOIN booking b ON b.slot_id = s.id AND b.state = 'arrived'
WHERE s.plan_id = $1 GROUP BY s.id, s.starts_at ORDER BY s.starts_at, s.id
"""


async def count_came(person: Person, activity_id: int) -> list[int]:
    """For staff: how many have come, time by time. Raises as `list_sign_ups`."""
    event = await own_event(person, activity_id, "people")
    return [row["came"] for row in await fetch(_CAME, event.plan_id)]


_HEADS = ("场次", "状态", "姓名", "电话", "谁报的", "备注", "报名时间", "签到时间", "签到码")
_WIDTHS = (18, 10, 14, 16, 12, 30, 18, 18, 10)


async def sign_ups_book(person: Person, activity_id: int, now: datetime, *, source: str = "") -> tuple[str, bytes]:
    """(file name, workbook) of everybody who signed up, with names and numbers to call. What people typed stays text:
    no cell is a formula or a link. Audited. Raises NotFound, NotAllowed."""
    async with transaction():
        event = await own_event(person, activity_id, "export")
        rows = await fetch(_SIGNED_UP, event.plan_id, 0, _START, 0, _MOST_ROWS)
        cards = await read_cards([row["id"] for row in rows])
        await audit(person.actor, "activity:export", activity_id, now, source=source)
    return f"activity-{activity_id}.xlsx", await asyncio.to_thread(_book, cards)


def _book(cards: Sequence[Card]) -> bytes:
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet, bold = book.add_worksheet("报名"), book.add_format({"bold": True})
        for column, (head, width) in enumerate(zip(_HEADS, _WIDTHS, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, head, bold)
        for place, card in enumerate(cards, 1):
            for column, text in enumerate(_row(card)):
                sheet.write_string(place, column, text)
        sheet.freeze_panes(1, 0)
    return out.getvalue()


def _row(card: Card) -> tuple[str, ...]:
    came = card.ended_at if card.state is BookingState.ARRIVED else None
    by = (card.relation or "家人") if card.for_other else "本人"
    return (
        _minute(card.starts_at),
        STATE_NAMES[card.state],
        card.name or "居民",
        card.phone,
        by,
        card.note,
        _minute(card.booked_at),
        _minute(came) if came else "",
        card.code,
    )


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
