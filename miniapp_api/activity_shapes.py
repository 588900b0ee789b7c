"""Activities, sign-ups, volunteer time and certificates as JSON."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from domain.activities import Event, Session
from domain.activity_desk import MOST_SEATS, MOST_SESSIONS, NewSession
from domain.booking_cards import Card
from domain.certificates import Certificate, Checked
from domain.volunteers import Account, Given
from miniapp_api.kernel import Body, Id
from models.enums import ActivityState, BookingState

Kind = Literal["activity", "course", "volunteer"]
Title = Annotated[str, Field(min_length=2, max_length=32)]
Words = Annotated[str, Field(max_length=2000)]
Place = Annotated[str, Field(max_length=200)]
Phone = Annotated[str, Field(max_length=20)]
Minutes = Annotated[int, Field(ge=0, le=1440, description="volunteer time for each time somebody comes; 0 = none")]
Waiting = Annotated[int, Field(ge=0, le=1000, description="people who may wait for a seat of one time")]
Why = Annotated[str, Field(min_length=1, max_length=100, description="told to everybody who signed up")]


class SessionInfo(Body):
    """One time. `left`: seats free now; `mine` and `booking_id`: the caller's own sign-up."""

    id: Id
    starts_at: datetime
    ends_at: datetime
    capacity: int
    left: int
    waiting: int
    closed: str
    mine: BookingState | None
    booking_id: Id | None


class ActivityInfo(Body):
    """An activity. `until`: last moment to sign up; `code`: shown on the spot, for who looks after it ("" for others);
    `open`: whether it can be signed up for now."""

    id: Id
    kind: Kind
    state: ActivityState
    open: bool
    title: str
    words: str
    place: str
    phone: str
    area: str
    organiser: str
    until: datetime
    minutes: int
    why: str
    code: str
    sessions: list[SessionInfo]


class SignUpInfo(Body):
    """A seat or a place on the waiting list, for who signed up. `ahead`: how many wait before it; `code` is for the
    staff on the spot."""

    booking_id: Id
    title: str
    place: str
    starts_at: datetime
    ends_at: datetime
    state: BookingState
    code: str
    for_name: Annotated[str, Field(description="masked; empty = for the caller")]
    ahead: int


class SignUpLine(Body):
    """The same in staff's list: name and number masked."""

    booking_id: Id
    starts_at: datetime
    state: BookingState
    name: str
    phone: str
    relation: str
    note: str
    ahead: int


class SessionBody(Body):
    """A time with its seats."""

    starts_at: AwareDatetime
    ends_at: AwareDatetime
    capacity: Annotated[int, Field(ge=1, le=MOST_SEATS)]

    @property
    def new(self) -> NewSession:
        return NewSession(self.starts_at, self.ends_at, self.capacity)


class NewActivityBody(Body):
    """What staff write. `area`: the code of an area of theirs, empty = their own; `until`: empty = until the last time
    begins, of a course the first."""

    kind: Kind
    title: Title
    sessions: Annotated[list[SessionBody], Field(min_length=1, max_length=MOST_SESSIONS)]
    words: Words = ""
    place: Place = ""
    phone: Phone = ""
    area: Annotated[str, Field(max_length=20)] = ""
    until: AwareDatetime | None = None
    minutes: Minutes = 0
    waiting_most: Waiting = 20


class ActivityChanges(Body):
    """What is to be another; what is left out stays."""

    title: Title | None = None
    words: Words | None = None
    place: Place | None = None
    phone: Phone | None = None
    until: AwareDatetime | None = None
    minutes: Minutes | None = None
    waiting_most: Waiting | None = None


class GivenLine(Body):
    """Minutes given on one day, or a correction of them."""

    id: Id
    what: str
    on: date
    minutes: int


class TimeAccount(Body):
    """Volunteer time in all, and one page of its rows, the newest first."""

    minutes: int
    times: int
    items: list[GivenLine]
    next: str


class CertificateInfo(Body):
    """A certificate of one's own. The picture is at `/certificates/{number}/picture`."""

    number: str
    name: str
    community: str
    starts_on: date
    ends_on: date
    minutes: int
    times: int
    made_at: datetime


class CheckedInfo(CertificateInfo):
    """What everybody may know of one: the name is masked."""


def activity_of(event: Event, now: datetime) -> ActivityInfo:
    return ActivityInfo.model_validate(
        {name: getattr(event, name) for name in _SAME}
        | {"area": event.area_name, "open": event.takes_people(now)}
        | {"sessions": [_session_of(one) for one in event.sessions]}
    )


_SAME = (*("id", "kind", "state", "title", "words", "place", "phone", "organiser", "until", "minutes", "why", "code"),)


def _session_of(one: Session) -> dict[str, Any]:
    return {name: getattr(one, name) for name in SessionInfo.model_fields}


def sign_up_of(card: Card) -> SignUpInfo:
    return SignUpInfo(
        booking_id=card.id,
        title=card.title,
        place=card.place,
        starts_at=card.starts_at,
        ends_at=card.ends_at,
        state=card.state,
        code=card.code,
        for_name=card.who if card.for_other else "",
        ahead=card.ahead,
    )


def sign_up_line(card: Card) -> SignUpLine:
    return SignUpLine(
        booking_id=card.id,
        starts_at=card.starts_at,
        state=card.state,
        name=card.who,
        phone=card.number,
        relation=card.relation,
        note=card.note,
        ahead=card.ahead,
    )


def account_of(account: Account, following: str = "") -> TimeAccount:
    items = [_given(row) for row in account.rows]
    return TimeAccount(minutes=account.minutes, times=account.times, items=items, next=following)


def _given(row: Given) -> GivenLine:
    return GivenLine(id=row.id, what=row.what, on=row.on, minutes=row.minutes)


def certificate_of(one: Certificate) -> CertificateInfo:
    return CertificateInfo.model_validate({name: getattr(one, name) for name in CertificateInfo.model_fields})


def checked_of(one: Checked) -> CheckedInfo:
    return CheckedInfo.model_validate({name: getattr(one, name) for name in CheckedInfo.model_fields})
