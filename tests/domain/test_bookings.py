"""A seat is taken once, given back, filled again from the queue, and shown at the counter."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from datetime import timedelta

import asyncpg
import pytest

from domain.bookings import book, cancel, check_in
from domain.erasure import erase
from domain.slots import free_slots
from errors import Conflict, NotAllowed
from models.bookings import Slot
from models.database import parse_url, transaction
from models.enums import BookingState
from tests.domain.counter import make_plan, make_slot
from tests.domain.neighbours import neighbour, officer
from tests.town import Clock
from tests.waiting import locked_out

pytestmark = pytest.mark.usefixtures("orm")


async def test_a_cancelled_seat_goes_to_who_waited_longest_and_the_counter_sees_who_came(clock: Clock) -> None:
    now = clock()
    plan = await make_plan()
    slot = await make_slot(plan, now + timedelta(hours=5))
    first, second, third = [await neighbour(name, now) for name in ("first", "second", "third")]
    seat = await book(first, slot.id, now)
    with pytest.raises(Conflict, match="full"):
        await book(second, slot.id, now)
    queued = await book(second, slot.id, now, wait=True)
    behind = await book(third, slot.id, now, wait=True)
    assert (queued.state, queued.ahead, behind.ahead) == (BookingState.WAITING, 0, 1)
    await cancel(first, seat.id, now)
    again = await Slot.get(id=slot.id)
    assert (again.taken, again.waiting) == (1, 1)
    [free] = await free_slots(first, plan.code, now)
    assert (free.left, free.waiting, free.may_wait) == (0, 1, True)
    with pytest.raises(NotAllowed):
        await check_in(second, queued.code, now)
    staff = await officer("S001")
    arrived = await check_in(staff, queued.code, now)
    assert (arrived.id, arrived.state) == (queued.id, BookingState.ARRIVED)


async def test_a_seat_given_back_while_its_bearer_is_forgotten_is_free_once(clock: Clock, database_url: str) -> None:
    now = clock()
    slot = await make_slot(await make_plan(), now + timedelta(hours=5))
    person = await neighbour("first", now)
    seat = await book(person, slot.id, now)
    outside = copy_context()  # a task made within a transaction would be part of it
    observer = await asyncpg.connect(**parse_url(database_url))
    async with transaction():
        await cancel(person, seat.id, now)
        forgetting = asyncio.get_running_loop().create_task(erase(person, now), context=outside)
        await locked_out(observer, 1)
    await forgetting
    await observer.close()
    assert (await Slot.get(id=slot.id)).taken == 0
