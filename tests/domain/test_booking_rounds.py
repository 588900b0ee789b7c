"""Bookings by the clock, and bookings of people who become one, or are forgotten."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from domain.booking_changes import move
from domain.booking_rounds import FORGET_AFTER, GRACE, end_waiting, forget_names, remind, settle
from domain.booking_rules import Other, masked_phone, pause_until, reminder_due
from domain.bookings import arrive, book, cancel, check_in, find_booking
from domain.clock import SHANGHAI
from domain.erasure import erase
from domain.linking import merge
from domain.people import find_person
from domain.personal_data import gather
from errors import Conflict, NotFound
from models.bookings import Booking, Slot
from models.database import transaction
from models.enums import BookingState
from models.messaging import Outbox
from tests.domain.counter import make_plan, make_slot
from tests.domain.neighbours import FAR, SECOND, neighbour, officer
from tests.town import Clock

pytestmark = pytest.mark.usefixtures("orm")
MOTHER = Other("李桂英", "13812345678", "母亲")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI)


async def told(openid: str) -> list[str]:
    """What waits to be sent to somebody, oldest first."""
    return [job.payload["text"] for job in await Outbox.filter(recipient=openid, kind="notice").order_by("id")]


@pytest.mark.parametrize(
    ("starts_at", "minutes", "due"),
    [
        (at(25, 15), 120, at(25, 13)),
        (at(25, 9), 120, at(25, 7, 30)),  # seven is too early: at the end of the night
        (at(25, 7, 30), 60, at(24, 21, 25)),  # then it would be too late: before the night
        (at(25, 23), 1440, at(25, 7, 30)),
    ],
)
def test_nobody_is_reminded_at_night(starts_at: datetime, minutes: int, due: datetime):
    assert reminder_due(starts_at, minutes) == due


def test_a_pause_begins_with_the_last_of_enough_times_missed():
    days = [at(day, 9) for day in (1, 10, 20)]
    assert pause_until(days, 3, 90, 30) == at(20, 9) + timedelta(days=30)
    assert pause_until(days[:2], 3, 90, 30) is None
    assert pause_until(days, 3, 15, 30) is None, "too far apart"
    assert pause_until(days, 0, 90, 30) is None, "nobody has to"
    assert masked_phone("13812345678") == "138****5678"


async def test_two_schedulers_remind_once_and_never_of_what_was_booked_after_the_moment(clock: Clock):
    plan = await make_plan(remind_minutes=[1440, 120], per_person=9)
    soon, later = [await make_slot(plan, clock() + timedelta(hours=hours), 3) for hours in (20, 30)]
    chen, zhao = await neighbour("chen", clock()), await neighbour("zhao", clock())
    await book(chen, soon.id, clock())
    await book(chen, later.id, clock())
    gone = await book(zhao, later.id, clock())
    assert sum(await asyncio.gather(*[remind(clock()) for _ in range(4)])) == 0, "the day before soon has passed"
    clock.advance(timedelta(hours=7))
    assert sum(await asyncio.gather(*[remind(clock()) for _ in range(4)])) == 2
    assert len(await told(chen.openid)) == 1
    await cancel(zhao, gone.id, clock())
    clock.advance(timedelta(hours=4, minutes=20))
    assert await remind(clock()) == 0
    clock.advance(timedelta(minutes=5))
    assert await remind(clock()) == 1, "of six in the morning before the night begins"
    assert "明天（周六）6:00" in (await told(chen.openid))[-1]


async def test_who_stays_away_has_a_mark_unless_the_seat_came_too_late(clock: Clock):
    plan = await make_plan(strikes=1, pause_days=10, cancel_minutes=120)
    slot = await make_slot(plan, clock() + timedelta(hours=3))
    chen, zhao, sun = [await neighbour(name, clock()) for name in ("chen", "zhao", "sun")]
    seat = await book(chen, slot.id, clock())
    moved_up = await book(zhao, slot.id, clock(), wait=True)
    in_vain = await book(sun, slot.id, clock(), wait=True)
    clock.advance(timedelta(hours=2))
    await cancel(chen, seat.id, clock())
    assert "排到了" in (await told(zhao.openid))[-1]
    clock.advance(timedelta(hours=1, minutes=1))
    assert await end_waiting(clock()) == 1
    assert "没有排到位置" in (await told(sun.openid))[-1]
    assert (await Booking.get(id=in_vain.id)).state is BookingState.EXPIRED
    clock.advance(timedelta(minutes=30) + GRACE)
    assert sum(await asyncio.gather(settle(clock()), settle(clock()))) == 1
    missed = await Booking.get(id=moved_up.id)
    assert (missed.state, missed.excused) == (BookingState.MISSED, True)
    slot = await make_slot(plan, clock() + timedelta(hours=2))
    again = await book(zhao, slot.id, clock())
    clock.advance(timedelta(hours=2, minutes=31) + GRACE)
    await settle(clock())
    assert "没有来签到" in (await told(zhao.openid))[-1]
    slot = await make_slot(plan, clock() + timedelta(hours=2))
    with pytest.raises(Conflict, match="paused"):
        await book(zhao, slot.id, clock())
    card = await find_booking(zhao, again.id)
    late = await arrive(card, clock(), "staff:1")  # the counter forgot to note it
    assert late.state is BookingState.ARRIVED
    assert "办得满意吗" in (await told(zhao.openid))[-1]
    assert (await book(zhao, slot.id, clock())).state is BookingState.BOOKED


async def test_a_booking_is_out_of_sight_of_whoever_it_does_not_concern(clock: Clock):
    plan = await make_plan()
    slot = await make_slot(plan, clock() + timedelta(hours=3), 5)
    chen, far = await neighbour("chen", clock()), await neighbour("far", clock(), FAR)
    card = await book(chen, slot.id, clock())
    for stranger in (await neighbour("zhao", clock()), far, await officer("G002"), await officer("B001")):
        with pytest.raises(NotFound):
            await find_booking(stranger, card.id)
    with pytest.raises(NotFound):
        await book(far, slot.id, clock())
    with pytest.raises(NotFound):
        await check_in(await officer("G002"), card.code, clock())
    assert (await check_in(await officer("G001"), card.code, clock())).state is BookingState.ARRIVED


async def test_who_becomes_one_keeps_the_seat_and_gives_the_second_back(clock: Clock):
    plan = await make_plan()
    slot = await make_slot(plan, clock() + timedelta(hours=3))
    mini, chat, third = [await neighbour(name, clock(), SECOND) for name in ("mini", "chat", "third")]
    seat = await book(mini, slot.id, clock())
    await book(chat, slot.id, clock(), wait=True)
    mothers = await book(mini, (await make_slot(plan, clock() + timedelta(hours=5))).id, clock(), other=MOTHER)
    async with transaction():
        await merge(mini.resident_id, chat.resident_id, clock())
    kept = await Booking.get(id=seat.id)
    assert (kept.resident_id, kept.state) == (chat.resident_id, BookingState.BOOKED)
    assert (await Booking.get(id=mothers.id)).by == f"resident:{chat.resident_id}"
    again = await Slot.get(id=slot.id)
    assert (again.taken, again.waiting) == (1, 0)
    await book(third, slot.id, clock(), wait=True)
    package = await gather(await find_person(chat.openid, clock()), clock())
    assert [(row["what"], row["name"]) for row in package.bookings if row["state"] == "booked"] == [
        ("社保窗口", ""),
        ("社保窗口", "李桂英"),
    ]
    await erase(await find_person(chat.openid, clock()), clock())
    assert (await Booking.get(resident_id=third.resident_id)).state is BookingState.BOOKED
    blank = await Booking.get(id=mothers.id)
    assert (blank.name, blank.phone, blank.relation, blank.state) == ("", "", "", BookingState.CANCELLED)


async def test_names_of_people_without_wechat_are_forgotten_after_half_a_year(clock: Clock):
    plan = await make_plan()
    slot = await make_slot(plan, clock() + timedelta(hours=3), 2)
    card = await book(await neighbour("chen", clock()), slot.id, clock(), other=MOTHER, note="问养老金")
    clock.advance(timedelta(hours=4) + FORGET_AFTER - timedelta(days=1))
    assert await forget_names(clock()) == 0
    clock.advance(timedelta(days=1))
    assert await forget_names(clock()) == 1
    assert (await Booking.get(id=card.id)).name == ""


async def test_a_reminder_that_waits_for_the_morning_is_taken_back_with_the_booking_or_its_time(clock: Clock):
    plan = await make_plan(remind_minutes=[1440])
    slot = await make_slot(plan, clock() + timedelta(hours=47), 2)
    chen, zhao = await neighbour("chen", clock()), await neighbour("zhao", clock())
    gone, stays = await book(chen, slot.id, clock()), await book(zhao, slot.id, clock())
    clock.advance(timedelta(hours=36))  # ten in the evening: the scheduler was away all day
    assert await remind(clock()) == 2
    assert {job.due_at for job in await Outbox.filter(kind="notice")} == {at(22, 7, 30)}
    await cancel(chen, gone.id, clock())
    assert [job.payload["booking"] for job in await Outbox.filter(kind="notice")] == [stays.id]
    tomorrow = await make_slot(plan, clock() + timedelta(hours=20))
    await move(zhao, stays.id, tomorrow.id, clock())
    assert await remind(clock()) == 0, "who chose the time just now knows it"
    assert await told(zhao.openid) == [], "and hears no more of the old one"
