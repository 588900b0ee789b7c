"""A booking as it is shown: with its time, its plan, for whom it is, and who is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.booking_rules import masked_name, masked_phone
from domain.people import Person
from models.database import fetch
from models.enums import BookingState, PlanKind

STATE_NAMES = {
    BookingState.WAITING: "候补中",
    BookingState.BOOKED: "已约好",
    BookingState.ARRIVED: "已签到",
    BookingState.MISSED: "没有来",
    BookingState.CANCELLED: "已取消",
    BookingState.EXPIRED: "没排到",
}
"""At most five characters: they stand in templates too."""


@dataclass(frozen=True, slots=True)
class Card:
    """One booking. `ahead`: how many wait before it (waiting ones alone). `openid`: who is told of it, "" = nobody."""

    id: int
    plan_id: int
    plan_code: str
    kind: PlanKind
    title: str
    place: str
    plan_phone: str
    area_id: int
    cancel_minutes: int
    slot_id: int
    starts_at: datetime
    ends_at: datetime
    state: BookingState
    code: str
    resident_id: int | None
    name: str
    phone: str
    by: str
    relation: str
    note: str
    booked_at: datetime
    ended_at: datetime | None
    reason: str
    excused: bool
    stars: int | None
    comment: str
    ahead: int
    grid_id: int | None
    openid: str

    @property
    def is_live(self) -> bool:
        """Whether a seat, or a place in the queue, is held."""
        return self.state in (BookingState.WAITING, BookingState.BOOKED)

    @property
    def is_activity(self) -> bool:
        """Whether one signed up for it: an activity, a course, a volunteer shift."""
        return self.kind is not PlanKind.COUNTER

    @property
    def is_waiting(self) -> bool:
        """Whether it is a place on the list."""
        return self.state is BookingState.WAITING

    @property
    def has_come(self) -> bool:
        """Whether they were checked in."""
        return self.state is BookingState.ARRIVED

    @property
    def for_other(self) -> bool:
        """Whether it is for somebody without WeChat."""
        return self.resident_id is None

    @property
    def who(self) -> str:
        """For whom, as lists show it."""
        return masked_name(self.name) or "居民"

    @property
    def number(self) -> str:
        """How to reach them, as lists show it."""
        return masked_phone(self.phone)

    @property
    def free_until(self) -> datetime:
        """Until when one is asked to cancel."""
        return self.starts_at - timedelta(minutes=self.cancel_minutes)


# Who is told: the resident for whom it is; else who booked it, in whatever they do that.
_CARDS = """
SELECT b.id, b.plan_id, p.code AS plan_code, p.kind, p.title, p.place, p.phone AS plan_phone, p.area_id,
    p.cancel_minutes, b.slot_id, s.starts_at, s.ends_at, b.state, b.code, b.resident_id,
    coalesce(nullif(b.name, ''), nullif(r.name, ''), r.nickname, '') AS name,
    coalesce(nullif(b.phone, ''), r.phone, '') AS phone, b.by, b.relation, b.note, b.booked_at, b.ended_at, b.reason,
    b.excused, b.stars, b.comment,
    CASE WHEN b.state = 'waiting' THEN (SELECT count(*) FROM booking o
        WHERE o.slot_id = b.slot_id AND o.state = 'waiting' AND o.id < b.id) ELSE 0 END AS ahead,
    r.grid_id, coalesce(r.openid, (SELECT m.openid FROM resident m WHERE b.by = 'resident:' || m.id),
        (SELECT f.openid FROM staff f WHERE b.by = 'staff:' || f.id), '') AS openid
FROM booking b JOIN slot s ON s.id = b.slot_id JOIN booking_plan p ON p.id = b.plan_id
LEFT JOIN resident r ON r.id = b.resident_id
WHERE b.id = ANY ($1::bigint[]) ORDER BY s.starts_at, b.id
"""


async def read_cards(booking_ids: Sequence[int]) -> list[Card]:
    """These bookings, by their time; absent ones are left out. For the callers to have checked who asks."""
    rows = await fetch(_CARDS, list(booking_ids))
    return [Card(**(row | {"kind": PlanKind(row["kind"]), "state": BookingState(row["state"])})) for row in rows]


async def read_card(booking_id: int) -> Card | None:
    """One of them."""
    return next(iter(await read_cards([booking_id])), None)


def owners(person: Person) -> list[str]:
    """Everything a person may have booked as."""
    return [*([f"resident:{person.resident_id}"] if person.resident_id else []), person.actor]


def is_own(person: Person, card: Card) -> bool:
    """Whether it is for this person, or they booked it for somebody."""
    return (card.resident_id is not None and card.resident_id == person.resident_id) or card.by in owners(person)
