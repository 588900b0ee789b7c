"""Plans, times and bookings as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from domain.booking_cards import Card
from domain.booking_plans import BookingPlan, SlotLine, hours_of
from domain.slots import FreeSlot
from miniapp_api.kernel import Body, Id
from models.enums import BookingState, PlanKind

Line = Annotated[str, Field(min_length=1, max_length=120)]
Minutes = Annotated[int, Field(ge=10, le=10080)]


class PlanFields(Body):
    """What staff set of a plan. `hours`: lines as `工作日｜9:00-11:30｜30｜2` (days, span, minutes of a slot, seats) or
    `2026-12-24｜停｜盘点`; a date's line holds on that day alone. `strikes` 0: nobody ever has to pause."""

    title: Annotated[str, Field(min_length=1, max_length=32)]
    hours: Annotated[tuple[Line, ...], Field(min_length=1, max_length=30)]
    item_code: Annotated[str, Field(max_length=20)] = ""
    place: Annotated[str, Field(max_length=200)] = ""
    phone: Annotated[str, Field(max_length=20)] = ""
    opens_days: Annotated[int, Field(ge=0, le=60, description="days ahead that may be booked")] = 7
    closes_minutes: Annotated[int, Field(ge=0, le=10080)] = 60
    cancel_minutes: Annotated[int, Field(ge=0, le=10080)] = 120
    per_person: Annotated[int, Field(ge=1, le=20)] = 1
    waiting_most: Annotated[int, Field(ge=0, le=100)] = 10
    remind_minutes: Annotated[tuple[Minutes, ...], Field(max_length=3, description="before the begin")] = (1440, 120)
    strikes: Annotated[int, Field(ge=0, le=20)] = 3
    strike_days: Annotated[int, Field(ge=1, le=365)] = 90
    pause_days: Annotated[int, Field(ge=1, le=365)] = 30
    active: bool = True


class PlanInfo(Body):
    """A plan as it is; an activity's has no `hours`. `closes_minutes`: before its begin a time is closed;
    `cancel_minutes`: until then one is asked to cancel; `per_person`: live bookings of one person at a time;
    `strikes`: times missed within `strike_days` after which one must pause for `pause_days`."""

    code: str
    kind: PlanKind
    title: str
    hours: list[str]
    item_code: str
    place: str
    phone: str
    opens_days: int
    closes_minutes: int
    cancel_minutes: int
    per_person: int
    waiting_most: int
    remind_minutes: list[int]
    strikes: int
    strike_days: int
    pause_days: int
    active: bool


class FreeTime(Body):
    """A time one may ask for; where no seat is left, `may_wait` says whether the list is open."""

    id: Id
    starts_at: datetime
    ends_at: datetime
    left: int
    waiting: int
    may_wait: bool


class SlotInfo(Body):
    """A time as staff see it; `closed`: why nobody may book it."""

    id: Id
    starts_at: datetime
    ends_at: datetime
    capacity: int
    taken: int
    waiting: int
    closed: str


class BookingLine(Body):
    """A booking in a list. For staff name and number of whom it is for are masked."""

    id: Id
    plan_code: str
    kind: PlanKind
    title: str
    place: str
    slot_id: Id
    starts_at: datetime
    ends_at: datetime
    state: BookingState
    ahead: Annotated[int, Field(description="how many wait before; waiting ones alone")]
    for_other: bool
    name: str
    phone: str


class BookingInfo(BookingLine):
    """All of a booking. `free_until`: until then one is asked to cancel; `by_staff`: they booked it for somebody."""

    code: Annotated[str, Field(description="shown at the counter: six digits")]
    plan_phone: str
    relation: str
    by_staff: bool
    note: str
    booked_at: datetime
    free_until: datetime
    ended_at: datetime | None
    reason: str
    excused: bool
    stars: int | None
    comment: str


def plan_of(plan: BookingPlan) -> PlanInfo:
    """A plan; its item must have been fetched with it."""
    same = {name: getattr(plan, name) for name in PlanInfo.model_fields if name not in ("hours", "item_code")}
    return PlanInfo(**same, hours=hours_of(plan), item_code=plan.item.code if plan.item else "")


def free_of(slot: FreeSlot) -> FreeTime:
    """A time."""
    return FreeTime(**{name: getattr(slot, name) for name in FreeTime.model_fields})


def slot_of(line: SlotLine) -> SlotInfo:
    """A time of staff's list."""
    return SlotInfo(**{name: getattr(line, name) for name in SlotInfo.model_fields})


def line_of(card: Card, *, masked: bool) -> BookingLine:
    """A booking in a list."""
    same = {name: getattr(card, name) for name in BookingLine.model_fields}
    return BookingLine(**(same | ({"name": card.who, "phone": card.number} if masked else {})))


def booking_of(card: Card) -> BookingInfo:
    """All of it, for whom it is, who booked it and who works there."""
    same = {name: getattr(card, name) for name in BookingInfo.model_fields if name != "by_staff"}
    return BookingInfo(**same, by_staff=card.by.startswith("staff:"))
