"""What staff have before them: to-do by due time, decisions, checks, calls, the shortlist, the area's cases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from domain import desk, lookup, on_behalf, patrols, shortlist
from domain.casebook import Case, place_of, task_page, to_check
from domain.contacts import Contact
from domain.desk import Filters, Sort
from domain.previews import draft_of, preview
from domain.rating import Opinion
from domain.room_words import clean
from miniapp_api.case_shapes import (
    CaseLine,
    CaseLines,
    CasePath,
    CaseState,
    Files,
    Moment,
    NewReport,
    ReportReceipt,
    Text,
    line_of,
    line_of_row,
    media_of,
    receipt_of,
    state_of,
    told_of,
)
from miniapp_api.cases import Understood, understood_of
from miniapp_api.kernel import Body, Call, Page, Routes
from miniapp_api.pages import seal, unseal
from models.enums import Status

routes = Routes("tasks")

#: Ids of areas are half as wide as others.
AreaId = Annotated[int, Field(ge=1, le=2**31 - 1)]
GridId = Annotated[AreaId | None, Field(description="the grid it is about; null = the caller's own")]
Name = Annotated[str, Field(min_length=1, max_length=32), AfterValidator(clean)]


class Inbox(Body):
    """What waits for the caller besides their to-do."""

    decisions: list[CaseLine]
    checks: list[CaseLine]
    unassigned: list[CaseLine]


class Patrol(NewReport):
    """What was found on a round. With `result` it was put right at once (即时办结)."""

    grid_id: GridId = None
    result: Text = ""
    after: Annotated[Files, Field(description="photos that show the result")] = ()


class ForSomebody(NewReport):
    """What somebody told. They agreed that name and telephone are kept until they have been told the result."""

    grid_id: GridId = None
    name: Name
    phone: Annotated[str, Field(pattern=r"^$|^1[3-9][0-9]{9}$|^0[0-9]{2,3}-?[0-9]{7,8}$")] = ""
    agreed: bool


class ToCall(Body):
    """Somebody who is told a result by telephone."""

    case: CaseLine
    result: str
    name: str
    phone: str


class Calls(Body):
    """Whom to call, who waits longest first."""

    items: list[ToCall]


class Spoken(Body):
    """What came of a call; `solved` null = nobody answered."""

    solved: bool | None = None
    satisfaction: Annotated[int | None, Field(ge=1, le=3)] = None
    words: Text = ""


class Reachable(Body):
    """How to reach who reported a case."""

    name: str
    phone: str


class AreaCases(Page):
    """The cases of the caller's area, or of one below it. `text`: a number or words."""

    area_id: AreaId | None = None
    text: Annotated[str, Field(max_length=100)] = ""
    open: bool | None = None
    overdue: bool | None = None
    urgent: bool | None = None
    status: Status | None = None
    category: Annotated[str | None, Field(max_length=64)] = None
    since: Moment | None = None
    until: Moment | None = None
    sort: Sort = Sort.NEWEST


def _lines(cases: Sequence[Case], now: datetime) -> list[CaseLine]:
    return [line_of(case, now) for case in cases]


@routes.get("/tasks", rule="task:list")
async def tasks(call: Call, query: Page) -> CaseLines:
    """The caller's to-do, what is due first in front."""
    place = unseal(call, "tasks", query.cursor)
    after = (datetime.fromisoformat(place[0]), int(place[1])) if place else None
    found = await task_page(call.person, after=after, limit=query.limit + 1)
    shown = found[: query.limit]
    more = ""
    if len(found) > query.limit:
        due, last = place_of(shown[-1])
        more = seal(call, "tasks", [due.isoformat(), last])
    return CaseLines(items=_lines(shown, call.now), next=more)


@routes.get("/tasks/inbox", rule="task:list")
async def inbox(call: Call) -> Inbox:
    """What waits for the caller's decision, for a check of somebody else's work, for a person to be given to."""
    return Inbox(
        decisions=_lines(await lookup.to_decide(call.person, 50), call.now),
        checks=_lines(await to_check(call.person), call.now),
        unassigned=_lines(await lookup.to_dispatch(call.person, 50), call.now),
    )


@routes.get("/area/cases", rule="area:list", errors=(404,))
async def area(call: Call, query: AreaCases) -> CaseLines:
    """Cases of the caller's area by filters or words; for a department what it has or assists with. Fifty a page."""
    asked = query.model_dump(exclude={"cursor", "limit"}, mode="json")
    name = f"area {sorted(asked.items())}"
    after = (unseal(call, name, query.cursor) or [""])[0]
    filters = Filters(
        area_id=query.area_id,
        open=query.open,
        overdue=query.overdue,
        urgent=query.urgent or None,
        status=query.status,
        category=query.category,
        start=query.since,
        end=query.until,
    )
    if query.text:
        page = await desk.search(call.person, query.text, filters, call.now, after=after)
    else:
        page = await desk.list_cases(call.person, filters, call.now, sort=query.sort, after=after)
    return CaseLines(
        items=[line_of_row(row) for row in page.rows], next=seal(call, name, [page.next]) if page.next else ""
    )


@routes.get("/shortlist", rule="shortlist:list")
async def shortlisted(call: Call) -> CaseLines:
    """The caller's list for today's round (巡查清单); what has ended leaves it by itself."""
    return CaseLines(items=_lines(await shortlist.listed(call.person), call.now))


@routes.put("/shortlist/{case_id}", rule="shortlist:put")
async def put_on(call: Call, path: CasePath) -> None:
    """Put a case on it."""
    await shortlist.put_on(call.person, path.case_id, call.now)


@routes.delete("/shortlist/{case_id}", rule="shortlist:take")
async def take_off(call: Call, path: CasePath) -> None:
    """Take a case off it."""
    await shortlist.take_off(call.person, path.case_id)


@routes.post("/patrols/preview", rule="patrol:make", keyed=False)
async def preview_patrol(call: Call, body: Patrol) -> Understood:
    """What a find would become, and whether it is known already."""
    finder = await patrols.finder(call.person, body.grid_id)
    found = await preview(finder, await told_of(call, body), call.now, ask_below=call.desk.ask_below)
    return understood_of(found)


@routes.post("/patrols", rule="patrol:make", status=201)
async def patrol(call: Call, body: Patrol) -> ReportReceipt:
    """Report what was found on a round (巡查上报), or put right at once."""
    done = None
    if body.result or body.after:
        done = patrols.Done(body.result, await media_of(call, body.after))
    draft = draft_of(await told_of(call, body), call.source)
    receipt = await patrols.patrol(call.person, draft, call.now, grid_id=body.grid_id, done=done)
    said = "{number} 已当场办结，等社区核查。" if done else "已上报，编号 {number}，由{holder}处理。"
    return receipt_of(receipt, said)


@routes.post("/on-behalf", rule="on_behalf:make", status=201)
async def on_behalf_of(call: Call, body: ForSomebody) -> ReportReceipt:
    """Report for somebody who called, came by or was visited (代报); the result is told to them by telephone."""
    draft = draft_of(await told_of(call, body), call.source)
    contact = Contact(body.name, body.phone)
    receipt = await on_behalf.report_for(
        call.person, contact, draft, call.now, grid_id=body.grid_id, agreed=body.agreed
    )
    return receipt_of(receipt, "请告诉对方：已交给{holder}，编号 {number}，办好了会打电话。")


@routes.get("/calls", rule="task:list")
async def calls(call: Call) -> Calls:
    """Whom the caller should call about a result: not about their own work."""
    found = await on_behalf.to_call(call.person)
    return Calls(
        items=[
            ToCall(
                case=line_of(one.case, call.now),
                result=one.case.result,
                name=one.contact.name,
                phone=one.contact.phone,
            )
            for one in found
        ]
    )


@routes.post("/cases/{case_id}/calls", rule="case:call")
async def called(call: Call, path: CasePath, body: Spoken) -> CaseState:
    """Write down what the resident said on the telephone; it counts as if they had tapped it."""
    said = Opinion(body.solved, body.satisfaction, body.words)
    case = await on_behalf.called(
        call.person, path.case_id, said, call.now, within=call.desk.reopen_within, source=call.source
    )
    return state_of(case, "{number} 的回访记下了。" if body.solved is not None else "记下了，没打通，请再找时间打。")


@routes.get("/cases/{case_id}/contact", rule="case:contact")
async def contact(call: Call, path: CasePath) -> Reachable:
    """How to reach who reported it, where they left it; every look is written down."""
    found = await on_behalf.contact_of(call.person, path.case_id, call.now, call.source)
    return Reachable(name=found.name, phone=found.phone)
