"""Whatever is booked, cancelled, moved, closed and settled in whatever order: seats and queues are what a plain model
says. Nobody sits without a seat, and who waited longest moves up."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from domain import booking_changes, booking_rounds, bookings, slots
from domain.booking_cards import read_cards
from domain.booking_rules import Other
from domain.people import Person
from errors import LinliError
from models.bookings import Booking, BookingPlan, Slot
from models.database import database, fetch
from models.enums import BookingState
from tests.domain.counter import NOW, make_plan, make_slot
from tests.domain.neighbours import neighbour, officer
from tests.town import Clock

PEOPLE = ("chen", "zhao", "sun", "zhou")
ELDER = Other("李桂英", "13812345678", "母亲")
QUEUE, EACH = 2, 2
LIVE = (BookingState.WAITING, BookingState.BOOKED)


@dataclass
class Time:
    """A slot as the model knows it: `seats`, and the bookings that sit, came and wait, in their order."""

    starts_at: datetime
    seats: int
    closed: bool = False
    settled: bool = False
    booked: list[int] = field(default_factory=list)
    came: list[int] = field(default_factory=list)
    queue: list[int] = field(default_factory=list)
    missed: list[int] = field(default_factory=list)

    @property
    def taken(self) -> int:
        return len(self.booked) + len(self.came)

    def fill(self) -> None:
        while self.queue and self.taken < self.seats:
            self.booked.append(self.queue.pop(0))

    def live(self) -> list[int]:
        return self.booked + self.queue


@dataclass
class Model:
    """All times in plain lists; `whose` says who has a booking."""

    times: dict[int, Time]
    whose: dict[int, str] = field(default_factory=dict)

    def time_of(self, booking: int) -> Time | None:
        """Where a live booking is; None for one that is over."""
        return next((one for one in self.times.values() if booking in one.live()), None)

    def chosen(self, *, ended: bool) -> list[int]:
        """Bookings to do something with: those that are live, or all there ever were."""
        return sorted(self.whose if ended else [one for time in self.times.values() for one in time.live()])

    def takes(self, who: str, slot: int, now: datetime, *, wait: bool) -> str:
        """What becomes of somebody who asks for a time: a state, or "" for a refusal."""
        time = self.times[slot]
        ends = timedelta(minutes=30)
        held = [one for one in self.times.values() for each in one.live()
                if self.whose[each] == who and one.starts_at + ends > now]  # fmt: skip
        if time.closed or time.starts_at <= now or time in held or len(held) >= EACH:
            return ""
        if time.taken < time.seats and not time.queue:
            return BookingState.BOOKED
        return BookingState.WAITING if wait and len(time.queue) < QUEUE else ""


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["book"] * 8 + ["cancel"] * 4 + ["move", "move", "come", "close", "open", "resize", "settle"]),
        st.sampled_from([*PEOPLE, "elder"]),
        st.sampled_from([0, 0, 1, 1, 2]),
        st.integers(0, 30),
        st.integers(0, 20),
    ),
    min_size=20,
    max_size=40,
)


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(moves=MOVES)
@example(moves=[("book", who, 0, 1, 0) for who in PEOPLE[:3]] + [("cancel", "chen", 0, 3, 0)] * 2)
@example(
    moves=[("book", who, 0, 1, 0) for who in PEOPLE[:3]] + [("resize", "chen", 0, 1, 0), ("move", "chen", 1, 3, 0)]
)
async def test_seats_and_queues_are_what_a_plain_model_says(
    orm: None, moves: list[tuple[str, str, int, int, int]]
) -> None:
    await Booking.all().delete()
    await Slot.all().delete()
    await BookingPlan.all().delete()
    clock = Clock(NOW)
    plan = await make_plan(waiting_most=QUEUE, per_person=EACH, closes_minutes=0, opens_days=3)
    made = [await make_slot(plan, NOW + timedelta(hours=hours), seats) for hours, seats in ((2, 1), (4, 1), (6, 2))]
    people = {name: await neighbour(name, clock()) for name in PEOPLE} | {"staff": await officer("S001")}
    model = Model({one.id: Time(one.starts_at, one.capacity) for one in made})
    for verb, who, place, choice, minutes in moves:
        clock.advance(timedelta(minutes=minutes))
        slot = made[place].id
        if verb == "book":
            await _book(model, people, who, slot, clock(), wait=choice % 4 > 0)
        elif verb in ("close", "open", "resize"):
            await _set(model, verb, people["staff"], slot, choice % 3 + 1, clock())
        elif verb == "settle":
            await _settle(model, clock())
        elif among := model.chosen(ended=choice % 5 == 0):
            await _act(model, verb, people, among[choice % len(among)], slot, clock())
        await _is_as_modelled(model)


async def _done(call: object) -> bool:
    try:
        await call  # type: ignore[misc]
    except LinliError:
        return False
    return True


async def _book(model: Model, people: dict[str, Person], who: str, slot: int, now: datetime, *, wait: bool) -> None:
    meant, got = model.takes(who, slot, now, wait=wait), ""
    person, other = (people["chen"], ELDER) if who == "elder" else (people[who], None)
    try:
        card = await bookings.book(person, slot, now, other=other, wait=wait)
    except LinliError:
        pass
    else:
        got = card.state
        model.whose[card.id] = who
        time = model.times[slot]
        (time.booked if got == BookingState.BOOKED else time.queue).append(card.id)
        assert card.ahead == (len(time.queue) - 1 if card.is_waiting else 0)
    assert got == meant


async def _set(model: Model, verb: str, staff: Person, slot: int, seats: int, now: datetime) -> None:
    time = model.times[slot]
    calls = {
        "close": lambda: slots.close_slot(staff, slot, "停电", now),
        "open": lambda: slots.open_slot(staff, slot, now),
        "resize": lambda: slots.resize_slot(staff, slot, seats, now),
    }
    assert await _done(calls[verb]()) == (time.starts_at > now)
    if time.starts_at <= now:
        return
    if verb == "resize":
        time.seats = max(seats, time.taken)
        time.fill()
    else:
        time.closed = verb == "close"
        if time.closed:
            time.booked, time.queue = [], []


async def _settle(model: Model, now: datetime) -> None:
    await asyncio.gather(booking_rounds.settle(now), booking_rounds.settle(now), booking_rounds.end_waiting(now))
    for time in model.times.values():
        if time.starts_at <= now:
            time.queue = []
        if time.starts_at + timedelta(minutes=30) + booking_rounds.GRACE <= now:
            time.missed, time.booked = time.missed + time.booked, []


async def _act(model: Model, verb: str, people: dict[str, Person], booking: int, slot: int, now: datetime) -> None:
    who, time, target = model.whose[booking], model.time_of(booking), model.times[slot]
    person = people["chen" if who == "elder" else who]
    if verb == "come":
        held = next((one for one in model.times.values() if booking in one.booked + one.missed + one.came), None)
        code = (await Booking.get(id=booking)).code
        assert await _done(bookings.check_in(people["staff"], code, now)) == (held is not None)
        if held and booking not in held.came:
            (held.booked if booking in held.booked else held.missed).remove(booking)
            held.came.append(booking)
        return
    before_begin = time is not None and time.starts_at > now
    if verb == "cancel":
        state = (await Booking.get(id=booking)).state
        assert await _done(bookings.cancel(person, booking, now)) == (before_begin or state is BookingState.CANCELLED)
    else:
        free = target.taken < target.seats and not target.queue and not target.closed and target.starts_at > now
        others = [one for one in target.live() if one != booking and model.whose[one] == who]
        stays = (await Booking.get(id=booking)).slot_id == slot
        assert await _done(booking_changes.move(person, booking, slot, now)) == (
            stays or (before_begin and free and not others)
        )
        before_begin = before_begin and free and not others and not stays
    if before_begin and time is not None:
        (time.booked if booking in time.booked else time.queue).remove(booking)
        target.booked += [booking] if verb == "move" else []
        time.fill()


async def _is_as_modelled(model: Model) -> None:
    for slot in await Slot.all():
        time = model.times[slot.id]
        assert (slot.capacity, slot.taken, slot.waiting) == (time.seats, time.taken, len(time.queue))
        rows = await Booking.filter(slot_id=slot.id).order_by("id")
        assert [row.id for row in rows if row.state is BookingState.WAITING] == time.queue
        assert {row.id for row in rows if row.state is BookingState.BOOKED} == set(time.booked)
        assert {row.id for row in rows if row.state is BookingState.ARRIVED} == set(time.came)
        live = Counter(model.whose[row.id] for row in rows if row.state in LIVE)
        assert not live or max(live.values()) == 1


async def test_of_five_hundred_at_once_one_gets_the_last_seat_and_ten_wait_in_order(database_url: str) -> None:
    async with database(database_url, 4):
        plan = await make_plan(waiting_most=10)
        slot = await make_slot(plan, NOW + timedelta(hours=5))
        rows = await fetch(
            "INSERT INTO resident (openid, grid_id, created_at) SELECT 'o_crowd_' || n, (SELECT id FROM area "
            "WHERE code = '429906001001001'), $1 FROM generate_series(1, 500) n RETURNING id",
            NOW,
        )
    people = [str(row["id"]) for row in rows]
    crowds = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.domain.counter", database_url, str(slot.id), *half, stdout=PIPE
        )
        for half in (people[:250], people[250:])
    ]
    printed = [(await crowd.communicate())[0].decode().split() for crowd in crowds]
    assert Counter(printed[0] + printed[1]) == {"booked": 1, "waiting": 10, "refused": 489}
    async with database(database_url, 4):
        again = await Slot.get(id=slot.id)
        assert (again.taken, again.waiting) == (1, 10)
        waiting = await Booking.filter(state=BookingState.WAITING).order_by("id")
        cards = await read_cards([one.id for one in waiting])
        assert [card.ahead for card in cards] == list(range(10))
        booked = await Booking.get(state=BookingState.BOOKED)
        await bookings.cancel(await officer("S001"), booked.id, NOW)
        assert (await Booking.get(state=BookingState.BOOKED)).id == waiting[0].id
