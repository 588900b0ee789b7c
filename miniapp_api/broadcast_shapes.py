"""Broadcasts as the API gives and takes them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from domain.broadcast_calendar import NAMES
from domain.broadcast_reports import Preview, Report, Told, Unread
from domain.broadcasts import MOST_TEXT, MOST_TITLE, Broadcast, Draft
from domain.deliveries import Received
from miniapp_api.kernel import Body, Id
from models.enums import BroadcastState, Channel, RunState

Reason = Annotated[str, Field(max_length=200)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]


class CalendarBody(Body):
    """When it goes out. `at`: once; `days` and `time`: again and again, until a day. Nothing: as soon as approved."""

    at: AwareDatetime | None = None
    days: Annotated[
        tuple[Annotated[str, Field(max_length=4)], ...], Field(max_length=10, description="、".join(NAMES))
    ] = ()
    time: Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9])?$")] = ""
    until: Annotated[str, Field(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")] = ""

    def as_data(self) -> dict[str, Any]:
        """As the domain has it."""
        days = {"days": list(self.days), "time": self.time, "until": self.until} if self.days else {}
        return ({"at": self.at.isoformat()} if self.at else {}) | days


class DraftBody(Body):
    """What is to be told, to whom, how and when. `audience`: a rule, as `/audience-previews` takes it; `event`: of a
    reminder that looks every day whom it concerns; `area_code`: the author's own area where it is left out."""

    title: Annotated[str, Field(min_length=1, max_length=MOST_TITLE)]
    text: Annotated[str, Field(min_length=1, max_length=MOST_TEXT)]
    audience: Annotated[dict[str, Any], Field(max_length=4)]
    topic: Annotated[str, Field(min_length=1, max_length=24)] = "notice"
    channels: Annotated[tuple[Channel, ...], Field(min_length=1, max_length=3)] = (Channel.NOTICE,)
    link: Annotated[str, Field(max_length=300)] = ""
    item_code: Annotated[str, Field(max_length=20)] = ""
    urgent: bool = False
    event: Annotated[dict[str, Any] | None, Field(max_length=5)] = None
    calendar: CalendarBody = CalendarBody()
    area_code: Annotated[str, Field(max_length=20)] = ""

    def as_draft(self) -> Draft:
        """As the domain takes it."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return Draft(**fields | {"calendar": self.calendar.as_data()})


class BroadcastInfo(Body):
    """A broadcast as officers read it. `version` is what is approved; `expected`: people counted at hand-in."""

    id: Id
    state: BroadcastState
    version: int
    topic: str
    title: str
    text: str
    link: str
    item_code: str
    channels: list[Channel]
    urgent: bool
    audience: dict[str, Any]
    event: dict[str, Any] | None
    calendar: dict[str, Any]
    next_at: datetime | None
    expected: int | None
    why: str
    created_at: datetime


def info_of(broadcast: Broadcast, item_code: str = "") -> BroadcastInfo:
    """One broadcast."""
    names = set(BroadcastInfo.model_fields) - {"channels", "item_code"}
    channels = [Channel(one) for one in broadcast.channels]
    return BroadcastInfo(**{name: getattr(broadcast, name) for name in names}, channels=channels, item_code=item_code)


class ShareInfo(Body):
    """So many by one way, and why by this one."""

    way: str
    people: int
    why: str


class PreviewInfo(Body):
    """Whom it would reach now. `people` is null for a group too small for its reader."""

    words: str
    people: int | None
    skipped: int
    shares: list[ShareInfo]
    sample: list[str]


def preview_of(found: Preview) -> PreviewInfo:
    """A preview."""
    shares = [ShareInfo(way=one.way, people=one.people, why=one.why) for one in found.shares]
    return PreviewInfo(
        words=found.words,
        people=None if found.small else found.people,
        skipped=found.skipped,
        shares=shares,
        sample=list(found.sample),
    )


class Approval(Body):
    """The version that was read."""

    version: Version


class Refusal(Approval):
    """And why it may not go out."""

    why: Annotated[str, Field(min_length=1, max_length=200)]


class Stop(Body):
    """Why it is stopped, for whoever looks later."""

    why: Reason = ""


class OutcomeInfo(Body):
    """So many with one outcome: waiting, sending, sent, undelivered, by_hand, told, skipped."""

    outcome: str
    channel: str
    reason: str
    count: int


class RunInfo(Body):
    """One time that it went out; `total`: people and rooms written down."""

    number: int
    state: RunState
    due_at: datetime
    total: int
    started_at: datetime | None
    ended_at: datetime | None


class ReportInfo(Body):
    """What became of it so far, and its last 30 runs."""

    total: int
    read: int
    outcomes: list[OutcomeInfo]
    runs: list[RunInfo]


def report_of(found: Report) -> ReportInfo:
    """A report."""
    lines = [
        OutcomeInfo(outcome=one.outcome, channel=one.channel, reason=one.reason, count=one.count) for one in found.lines
    ]
    runs = [RunInfo(**row) for row in found.runs]
    return ReportInfo(total=found.total, read=found.read, outcomes=lines, runs=runs)


class ToldInfo(Body):
    """How one delivery stands. Above the community names are masked."""

    id: Id
    name: str
    grid: str
    outcome: str
    channel: str
    reason: str
    read_at: datetime | None


def told_of(one: Told) -> ToldInfo:
    """One of them."""
    return ToldInfo(**{name: getattr(one, name) for name in ToldInfo.model_fields})


class UnreadInfo(Body):
    """Somebody to be told in person; `id` is the delivery. Above the community names are masked."""

    id: Id
    name: str
    place: str
    phone: str
    outcome: str
    reason: str


def unread_of(one: Unread) -> UnreadInfo:
    """One of the list."""
    return UnreadInfo(**{name: getattr(one, name) for name in UnreadInfo.model_fields})


class ReceivedInfo(Body):
    """What the caller was told; `id` is the delivery."""

    id: Id
    title: str
    text: str
    link: str
    topic: str
    item_code: str
    at: datetime
    read_at: datetime | None


def received_of(one: Received) -> ReceivedInfo:
    """One of them."""
    return ReceivedInfo(**{name: getattr(one, name) for name in ReceivedInfo.model_fields})
