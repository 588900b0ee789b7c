"""What residents do: report, look at their cases, hurry, add, take back, say whether it is solved, join neighbours."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from domain import rating
from domain.casebook import own_page, read_case, read_followed
from domain.duplicates import followed, join, leave
from domain.previews import Preview, file_report, preview
from domain.rating import Opinion
from domain.reports import Draft
from errors import NotAllowed, NotFound
from miniapp_api.case_shapes import (
    CaseLines,
    CasePath,
    CaseState,
    CaseView,
    Files,
    NewReport,
    Position,
    ReportReceipt,
    SimilarCase,
    Text,
    line_of,
    media_of,
    point_of,
    receipt_of,
    similar_of,
    state_of,
    told_of,
    view_of,
)
from miniapp_api.kernel import Body, Call, Page, Routes
from miniapp_api.pages import seal, unseal

routes = Routes("cases")


class Kind(Body):
    """A kind of matter it may be."""

    category: str
    subject: str
    confidence: float


class Understood(Body):
    """What a report would become. `advice`: what to do now where there is danger; `unclear`: ask which of `kinds`."""

    category: str
    subject: str
    domain: str
    urgent: bool
    advice: str
    place: str
    known_as: str
    kinds: list[Kind]
    unclear: bool
    similar: SimilarCase | None


class OwnCases(Page):
    """The caller's own; `open` leaves out what has ended, or what has not."""

    open: bool | None = None


class Supplement(Body):
    """What was forgotten: words, photos, or a place."""

    text: Text = ""
    uploads: Files = ()
    position: Position | None = None


class Verdict(Body):
    """Whatever of these the resident says. `comment` is the reason where it is not solved."""

    solved: bool | None = None
    satisfaction: Annotated[int | None, Field(ge=1, le=3, description="3 满意, 2 基本满意, 1 不满意")] = None
    comment: Text = ""


class Joining(Body):
    """What somebody with the same trouble adds."""

    text: Text = ""
    uploads: Files = ()


class FollowedCases(Body):
    """Neighbours' cases the caller joined."""

    items: list[SimilarCase]


@routes.post("/reports/preview", rule="report:preview", keyed=False)
async def understood(call: Call, body: NewReport) -> Understood:
    """What a report would become: kind of matter, place, danger, and whether a neighbour reported it already."""
    found = await preview(call.person, await told_of(call, body), call.now, ask_below=call.desk.ask_below)
    return understood_of(found)


def understood_of(found: Preview) -> Understood:
    """A preview as JSON."""
    return Understood(
        category=found.category,
        subject=found.subject,
        domain=found.domain,
        urgent=found.urgent,
        advice=found.advice,
        place=found.place,
        known_as=found.known_as,
        kinds=[Kind(category=one.category, subject=one.subject, confidence=one.confidence) for one in found.choices],
        unclear=found.unclear,
        similar=similar_of(found.similar) if found.similar else None,
    )


@routes.post("/cases", rule="report:make", status=201, limits=("report",))
async def make(call: Call, body: NewReport) -> ReportReceipt:
    """Report something: a number, who has it and by when it is promised."""
    receipt = await file_report(call.person, await told_of(call, body), call.now, call.source)
    told = "有进展会告诉您。" if receipt.case.reporter_id else "没有记下是谁反映的，进展不会发给您。"
    return receipt_of(receipt, "已交给{holder}，编号 {number}。" + told)


@routes.get("/cases", rule="case:list")
async def mine(call: Call, query: OwnCases) -> CaseLines:
    """What the caller reported, newest first."""
    name = f"cases {query.open}"
    place = unseal(call, name, query.cursor)
    found = await own_page(call.person, before=place[0] if place else None, open_only=query.open, limit=query.limit + 1)
    shown = found[: query.limit]
    more = seal(call, name, [shown[-1].id]) if len(found) > query.limit else ""
    return CaseLines(items=[line_of(case, call.now) for case in shown], next=more)


@routes.get("/cases/{case_id}", rule="case:read")
async def one(call: Call, path: CasePath) -> CaseView:
    """One case with its timeline and photos."""
    return view_of(call, await read_case(call.person, path.case_id))


@routes.post("/cases/{case_id}/urge", rule="case:urge")
async def urge(call: Call, path: CasePath) -> CaseState:
    """Ask to hurry (催办)."""
    case, told = await rating.urge(call.person, path.case_id, call.now, call.source)
    return state_of(case, "{number} 已催" + (told.label if told else "社区") + "，请尽快处理。")


@routes.post("/cases/{case_id}/supplements", rule="case:supplement")
async def supplement(call: Call, path: CasePath, body: Supplement) -> CaseState:
    """Add words, photos or the place to an open case."""
    latitude, longitude = point_of(body.position)
    media = await media_of(call, body.uploads)
    extra = Draft(body.text, "", "", latitude=latitude, longitude=longitude, media=media)
    case = await rating.add(call.person, path.case_id, extra, call.now, call.source)
    return state_of(case, "已加到 {number}，经办人看得到。")


@routes.post("/cases/{case_id}/withdrawal", rule="case:withdraw")
async def withdraw(call: Call, path: CasePath) -> CaseState:
    """Take it back before anybody began (撤回)."""
    return state_of(await rating.withdraw(call.person, path.case_id, call.now, call.source), "{number} 已撤回。")


@routes.post("/cases/{case_id}/rating", rule="case:rate")
async def rate(call: Call, path: CasePath, body: Verdict) -> CaseState:
    """Say whether it is solved and how satisfied you are; "not solved" opens it again (重启)."""
    case = await rating.give_opinion(
        call.person,
        path.case_id,
        Opinion(body.solved, body.satisfaction, body.comment),
        call.now,
        within=call.desk.reopen_within,
        source=call.source,
    )
    said = "抱歉没办好，{number} 已告诉经办人和社区。" if body.solved is False else "记下了，谢谢您。"
    return state_of(case, said)


@routes.get("/followed", rule="follow:list")
async def neighbours(call: Call) -> FollowedCases:
    """Neighbours' cases the caller joined, open ones first, fifty at most."""
    found = await followed(call.person, limit=50) if call.person.resident_id else []
    return FollowedCases(items=[similar_of(one) for one in found])


@routes.get("/followed/{case_id}", rule="follow:read")
async def neighbours_case(call: Call, path: CasePath) -> SimilarCase:
    """One of them, as far as joiners may read it."""
    return similar_of(await read_followed(call.person, path.case_id))


@routes.post("/cases/{case_id}/follow", rule="case:join")
async def follow(call: Call, path: CasePath, body: Joining) -> SimilarCase:
    """Join a neighbour's case (我也遇到) instead of reporting the same again."""
    if not call.person.resident_id:
        raise NotAllowed("no resident", say="这是居民用的。", tag="case:join", object_id=path.case_id)
    draft = Draft(body.text, "", "", media=await media_of(call, body.uploads), via=call.source)
    found = await join(call.person, path.case_id, draft, call.now, many=call.desk.pressing_joiners, source=call.source)
    return similar_of(found)


@routes.delete("/cases/{case_id}/follow", rule="case:leave")
async def unfollow(call: Call, path: CasePath) -> None:
    """Hear no more of it (不再关注)."""
    if not call.person.resident_id:
        raise NotFound(f"follow of {path.case_id}")
    await leave(call.person, path.case_id, call.now, call.source)
