"""Cases as JSON: a line of a list, one case as somebody reads it, what came of an action."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field

from domain.casebook import Case, Reading, Similar
from domain.coordinates import to_gcj
from domain.desk import Row
from domain.duplicates import say_progress
from domain.notices import STATUS_NAMES, serial, short
from domain.previews import Told
from domain.reports import Media, Receipt
from domain.room_words import clean
from domain.uploads import own_uploads
from miniapp_api.files import signed_address
from miniapp_api.kernel import Body, Call, Id
from models.enums import Outcome, RequestKind, Status, Urgency

Text = Annotated[str, Field(max_length=2_000), AfterValidator(clean)]
Words = Annotated[str, Field(min_length=1, max_length=2_000), AfterValidator(clean)]
PlaceText = Annotated[str, Field(max_length=200), AfterValidator(clean)]
Files = Annotated[tuple[UUID, ...], Field(max_length=9, description="ids of uploads, in the order they are shown")]


def _in_reach(moment: datetime) -> datetime:
    if not _REACH[0] <= moment.year <= _REACH[1]:
        raise ValueError(f"时间要在 {_REACH[0]} 年到 {_REACH[1]} 年之间。")
    return moment


_REACH = (2000, 2100)
Moment = Annotated[AwareDatetime, AfterValidator(_in_reach)]


class CasePath(Body):
    """One case."""

    case_id: Id


class Position(Body):
    """A point on the map. WeChat's own pickers give gcj02."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    datum: Literal["gcj02", "wgs84"] = "gcj02"


class NewReport(Body):
    """A report as it is typed. `category` "" leaves the kind of matter to us."""

    text: Text = ""
    category: Annotated[str, Field(max_length=64)] = ""
    place: PlaceText = ""
    position: Position | None = None
    uploads: Files = ()
    anonymous: Annotated[bool, Field(description="staff are not to see who reported it")] = False


class Photo(Body):
    """A photo or recording of a case. `url` holds for a few minutes; "" = not here yet."""

    name: str
    kind: str
    after: Annotated[bool, Field(description="shows the result, not the problem")]
    content_type: str
    size: int | None
    url: str


class Step(Body):
    """A line of the timeline."""

    at: datetime
    verb: str
    actor: str
    text: str


class CaseLine(Body):
    """A case in a list."""

    id: int
    number: str
    subject: str
    status: Status
    status_name: str
    urgency: Urgency
    place: str
    reported_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    overdue: bool


class CaseLines(Body):
    """A page of them."""

    items: list[CaseLine]
    next: str = ""


class CaseView(CaseLine):
    """One case. `may`: what the caller may do with it now; `request`: what waits for the caller's decision."""

    relation: Literal["reporter", "staff"]
    category: str
    description: str
    grid: str
    holder: str
    result: str
    outcome: Outcome | None
    solved: bool | None
    satisfaction: int | None
    comment: str
    joined: int
    steps: list[Step]
    photos: list[Photo]
    may: list[str]
    request: RequestKind | None


class SimilarCase(Body):
    """A neighbour's case, as neighbours may read it."""

    id: int
    number: str
    subject: str
    place: str
    status: Status
    status_name: str
    progress: str
    due_at: datetime | None
    joined: int


class CaseState(Body):
    """What came of an action: where the case stands now, and a sentence for the person."""

    id: int
    number: str
    status: Status
    status_name: str
    say: str


class ReportReceipt(CaseState):
    """A new case. `holder`: who has it; "" while the community still has to find somebody."""

    holder: str
    due_at: datetime | None
    duty_phone: str


def is_overdue(case: Case, now: datetime) -> bool:
    """Whether somebody still has to act and the promised time is over."""
    waits = case.status in (Status.DISPOSED, Status.VERIFIED)
    return bool(case.closed_at is None and not waits and case.due_at and case.due_at < (case.suspended_at or now))


def line_of(case: Case, now: datetime) -> CaseLine:
    """A case as a line."""
    return CaseLine(**_line(case, now))


def _line(case: Case, now: datetime) -> dict[str, object]:
    same = ("id", "number", "subject", "status", "urgency", "place", "reported_at", "due_at", "closed_at")
    values = {name: getattr(case, name) for name in same}
    return values | {"status_name": STATUS_NAMES[case.status], "overdue": is_overdue(case, now)}


def line_of_row(row: Row) -> CaseLine:
    """A line of the desk's lists."""
    same = ("id", "number", "subject", "status", "place", "reported_at", "due_at", "closed_at", "overdue")
    values = {name: getattr(row, name) for name in same}
    return CaseLine(**values, urgency=Urgency(row.urgency), status_name=STATUS_NAMES[row.status])


def view_of(call: Call, reading: Reading) -> CaseView:
    """One case, its photos with addresses for this caller."""
    case = reading.case
    same = ("category", "description", "result", "outcome", "solved", "satisfaction", "comment", "joined")
    photos = [
        Photo(
            name=f"a{one.id}",
            kind=one.kind,
            after=one.after,
            content_type=one.content_type,
            size=one.size,
            url=signed_address(call, f"a{one.id}") if one.path else "",
        )
        for one in reading.photos
    ]
    return CaseView(
        **_line(case, call.now),
        **{name: getattr(case, name) for name in same},
        relation=reading.relation,
        grid=reading.grid,
        holder=reading.holder,
        steps=[Step(at=line.at, verb=line.verb, actor=line.actor, text=line.text) for line in reading.lines],
        photos=photos,
        may=sorted(reading.may),
        request=RequestKind(reading.request) if reading.request else None,
    )


def similar_of(similar: Similar) -> SimilarCase:
    """A neighbour's case."""
    return SimilarCase(
        id=similar.case_id,
        number=similar.number,
        subject=similar.subject,
        place=similar.place,
        status=similar.status,
        status_name=STATUS_NAMES[similar.status],
        progress=say_progress(similar),
        due_at=similar.due_at,
        joined=similar.joined,
    )


def state_of(case: Case, say: str) -> CaseState:
    """What came of an action. `{number}` in the sentence is the case's short one."""
    number = serial(case.number)
    return CaseState(
        id=case.id,
        number=case.number,
        status=case.status,
        status_name=STATUS_NAMES[case.status],
        say=say.replace("{number}", number),
    )


def receipt_of(receipt: Receipt, say: str) -> ReportReceipt:
    """A new case. `{number}` and `{holder}` in the sentence are filled in."""
    case, holder = receipt.case, receipt.holder.label if receipt.holder else ""
    return ReportReceipt(
        id=case.id,
        number=case.number,
        status=case.status,
        status_name=STATUS_NAMES[case.status],
        say=say.replace("{number}", short(case.number)).replace("{holder}", holder or "社区"),
        holder=holder,
        due_at=case.due_at,
        duty_phone=receipt.duty_phone,
    )


async def media_of(call: Call, uploads: Sequence[UUID]) -> list[Media]:
    """The caller's own uploads. Raises NotFound for others."""
    return await own_uploads(call.person, uploads) if uploads else []


def point_of(position: Position | None) -> tuple[float | None, float | None]:
    """(latitude, longitude) in GCJ-02, as cases have them."""
    if position is None:
        return None, None
    if position.datum == "wgs84":
        return to_gcj(position.latitude, position.longitude)
    return position.latitude, position.longitude


async def told_of(call: Call, body: NewReport) -> Told:
    """What was typed, with the files that belong to it. Raises NotFound for files of others."""
    latitude, longitude = point_of(body.position)
    media = await media_of(call, body.uploads)
    return Told(body.text, body.category, body.place, latitude, longitude, media, body.anonymous)
