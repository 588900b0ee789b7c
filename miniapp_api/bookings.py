"""预约 over the API: what can be booked, taking a time, changing it, rating; the counter's list and its plans."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated

from pydantic import Field

from domain import booking_changes, booking_plans, bookings, slots
from domain.booking_counter import counter_list
from domain.booking_plans import PlanWords
from domain.clock import SHANGHAI
from domain.consents import need
from miniapp_api.application_shapes import Behalf
from miniapp_api.booking_shapes import (
    BookingInfo,
    BookingLine,
    FreeTime,
    PlanFields,
    PlanInfo,
    SlotInfo,
    booking_of,
    free_of,
    line_of,
    plan_of,
    slot_of,
)
from miniapp_api.kernel import Body, Call, Id, Page, Routes
from miniapp_api.pages import seal, unseal
from miniapp_api.service_shapes import Code
from models.enums import Purpose

routes = Routes("bookings")

Reason = Annotated[str, Field(max_length=100)]
Areas = Annotated[str, Field(pattern=r"^\d{6,15}$")]


class PlanPath(Body):
    """Which plan."""

    code: Code


class SlotPath(Body):
    """Which time."""

    slot_id: Id


class BookingPath(Body):
    """Which booking."""

    booking_id: Id


class PlanList(Page):
    """Plans, of one item where it is named."""

    item_code: Annotated[str, Field(max_length=20)] = ""


class Plans(Body):
    """Plans, page by page."""

    items: list[PlanInfo]
    next: str


class Days(Body):
    """From one Shanghai day to another; blank = as far as the plan opens."""

    first: date | None = None
    last: date | None = None


class FreeTimes(Body):
    """Times one may ask for, full ones too: one may wait for a seat."""

    items: list[FreeTime]


class NewBooking(Body):
    """`other`: for somebody without WeChat; `wait`: take a place on the list where no seat is free."""

    other: Behalf | None = None
    note: Annotated[str, Field(max_length=200)] = ""
    wait: bool = False


class BookingList(Page):
    """`live`: what lies ahead, by its time; otherwise all, the newest first."""

    live: bool = True


class Bookings(Body):
    """Bookings, page by page."""

    items: list[BookingLine]
    next: str


class NewTime(Body):
    """Another time of the same plan."""

    slot_id: Id


class Why(Body):
    """Why it is cancelled; staff tell it to whom it is for."""

    reason: Reason = ""


class Opinion(Body):
    """1 to 5 stars; the words are for staff."""

    stars: Annotated[int, Field(ge=1, le=5)]
    comment: Annotated[str, Field(max_length=200)] = ""


class Counter(Page):
    """A Shanghai day, today where none is named; one plan, all where none is named."""

    day: date | None = None
    plan: Annotated[str, Field(max_length=20)] = ""


class Shown(Body):
    """What somebody shows at the counter."""

    code: Annotated[str, Field(pattern=r"^\d{6}$")]


class NewPlan(PlanFields):
    """A plan; `area_code`: who lives there may book."""

    code: Code
    area_code: Areas


class PlanChange(PlanFields):
    """A plan as it is to be from now on."""

    area_code: Areas


class Day(Body):
    """A Shanghai day, today where none is named."""

    day: date | None = None


class Schedule(Body):
    """All times of a day, closed ones too."""

    items: list[SlotInfo]


class Closing(Body):
    """Why a time is closed: told to everybody who is cancelled by it."""

    reason: Annotated[str, Field(min_length=1, max_length=100)]


class Closed(Body):
    """How many were cancelled and told."""

    cancelled: int


class Seats(Body):
    """How many seats; never fewer than are taken."""

    seats: Annotated[int, Field(ge=1, le=1000)]


@routes.get("/booking-plans", rule="plan:list")
async def list_plans(call: Call, query: PlanList) -> Plans:
    """What the caller may book."""
    name = f"plans {query.item_code}"
    place = unseal(call, name, query.cursor)
    found = await booking_plans.list_plans(
        call.person, item_code=query.item_code, after=place[0] if place else 0, limit=query.limit
    )
    following = seal(call, name, [found[-1].id]) if len(found) == query.limit else ""
    return Plans(items=[plan_of(plan) for plan in found], next=following)


@routes.get("/booking-plans/{code}", rule="plan:read")
async def show_plan(call: Call, path: PlanPath) -> PlanInfo:
    """One plan with its rules."""
    return plan_of(await booking_plans.find_plan(call.person, path.code))


@routes.get("/booking-plans/{code}/slots", rule="plan:read")
async def list_slots(call: Call, path: PlanPath, query: Days) -> FreeTimes:
    """Its times."""
    found = await slots.free_slots(call.person, path.code, call.now, first=query.first, last=query.last)
    return FreeTimes(items=[free_of(slot) for slot in found])


@routes.post("/slots/{slot_id}/bookings", rule="slot:book", status=201, errors=(409,))
async def book(call: Call, path: SlotPath, body: NewBooking) -> BookingInfo:
    """Take a seat or, with `wait`, a place on the list."""
    await need(call.person, Purpose.SERVICE)
    other = body.other.other if body.other else None
    card = await bookings.book(
        call.person,
        path.slot_id,
        call.now,
        other=other,
        note=body.note,
        wait=body.wait,
        counter=True,
        source=call.source,
    )
    return booking_of(card)


@routes.get("/bookings", rule="booking:list")
async def list_bookings(call: Call, query: BookingList) -> Bookings:
    """What the caller booked, for themselves or others."""
    name = f"bookings {query.live}"
    place = unseal(call, name, query.cursor)
    before = place[0] if place else 0
    found = await bookings.my_bookings(call.person, call.now, live=query.live, before=before, limit=query.limit)
    full = len(found) == query.limit
    following = seal(call, name, [min(card.id for card in found)]) if full else ""
    return Bookings(items=[line_of(card, masked=False) for card in found], next=following)


@routes.get("/bookings/{booking_id}", rule="booking:read")
async def show_booking(call: Call, path: BookingPath) -> BookingInfo:
    """One of them."""
    return booking_of(await bookings.find_booking(call.person, path.booking_id))


@routes.post("/bookings/{booking_id}/cancel", rule="booking:change", errors=(409,))
async def cancel(call: Call, path: BookingPath, body: Why) -> BookingInfo:
    """Give it back; who waits moves up."""
    card = await bookings.cancel(call.person, path.booking_id, call.now, reason=body.reason, source=call.source)
    return booking_of(card)


@routes.put("/bookings/{booking_id}/slot", rule="booking:move", errors=(409,))
async def move(call: Call, path: BookingPath, body: NewTime) -> BookingInfo:
    """Another time, if a seat is free there."""
    return booking_of(await booking_changes.move(call.person, path.booking_id, body.slot_id, call.now, call.source))


@routes.post("/bookings/{booking_id}/rating", rule="booking:rate", errors=(409,))
async def rate(call: Call, path: BookingPath, body: Opinion) -> BookingInfo:
    """How it was; once, after one came."""
    card = await booking_changes.rate(
        call.person, path.booking_id, body.stars, call.now, comment=body.comment, source=call.source
    )
    return booking_of(card)


@routes.get("/counter", rule="booking:watch")
async def list_counter(call: Call, query: Counter) -> Bookings:
    """Who is expected on a day, for staff; names and numbers masked."""
    day = _noon(query.day) or call.now
    name = f"counter {day:%Y-%m-%d} {query.plan}"
    place = unseal(call, name, query.cursor)
    beyond = (datetime.fromisoformat(place[0]), int(place[1])) if place else None
    found = await counter_list(call.person, day, plan_code=query.plan, beyond=beyond, limit=query.limit)
    full = len(found) == query.limit
    following = seal(call, name, [found[-1].starts_at.isoformat(), found[-1].id]) if full else ""
    return Bookings(items=[line_of(card, masked=True) for card in found], next=following)


def _noon(day: date | None) -> datetime | None:
    return datetime.combine(day, time(12), SHANGHAI) if day else None


@routes.post("/check-ins", rule="booking:arrive", errors=(404, 409))
async def check_in(call: Call, body: Shown) -> BookingInfo:
    """Whoever shows this code today has come; with name and number, for the counter."""
    return booking_of(await bookings.check_in(call.person, body.code, call.now, source=call.source))


@routes.post("/bookings/{booking_id}/excuse", rule="booking:excuse", errors=(409,))
async def excuse(call: Call, path: BookingPath) -> BookingInfo:
    """Take the mark for staying away back."""
    return booking_of(await booking_changes.excuse(call.person, path.booking_id, call.now, call.source))


@routes.post("/booking-plans", rule="plan:make", status=201, errors=(409,))
async def make_plan(call: Call, body: NewPlan) -> PlanInfo:
    """A new plan; its times are there at once."""
    words = PlanWords(**body.model_dump(exclude={"code"}))
    return plan_of(await booking_plans.make_plan(call.person, body.code, words, call.now, call.source))


@routes.put("/booking-plans/{code}", rule="plan:change")
async def change_plan(call: Call, path: PlanPath, body: PlanChange) -> PlanInfo:
    """Another plan from now on; seats that are taken stay."""
    words = PlanWords(**body.model_dump())
    return plan_of(await booking_plans.change_plan(call.person, path.code, words, call.now, call.source))


@routes.get("/booking-plans/{code}/schedule", rule="plan:change")
async def show_schedule(call: Call, path: PlanPath, query: Day) -> Schedule:
    """A day's times for who runs them."""
    found = await booking_plans.schedule(call.person, path.code, _noon(query.day) or call.now)
    return Schedule(items=[slot_of(line) for line in found])


@routes.put("/slots/{slot_id}/closing", rule="slot:change", errors=(409,))
async def close(call: Call, path: SlotPath, body: Closing) -> Closed:
    """Close a time; whoever sits or waits is cancelled and told why."""
    told = await slots.close_slot(call.person, path.slot_id, body.reason, call.now, call.source)
    return Closed(cancelled=told)


@routes.delete("/slots/{slot_id}/closing", rule="slot:change", errors=(409,))
async def reopen(call: Call, path: SlotPath) -> None:
    """Open it again; who was cancelled books anew."""
    await slots.open_slot(call.person, path.slot_id, call.now, call.source)


@routes.put("/slots/{slot_id}/seats", rule="slot:change", errors=(409,))
async def resize(call: Call, path: SlotPath, body: Seats) -> Seats:
    """Another number of seats; who waits moves up."""
    return Seats(seats=await slots.resize_slot(call.person, path.slot_id, body.seats, call.now, call.source))
