"""The first page: everything that waits for whoever signed in, one step for many cases, what was said on the phone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BeforeValidator, Field

from console.desk_lines import Line, likeliest, line_of
from console.desk_query import Query
from console.frame import AdminKind, Form, Pages, Visit, signed_in
from domain import bulk, on_behalf
from domain.bulk import Order, Step
from domain.case_exports import find_page
from domain.desk import Page
from domain.desk_choices import receivers
from domain.desk_elsewhere import MOST, Waiting, waiting_elsewhere
from domain.desk_rows import SHOWN, Desk, Item, desk_of
from domain.rating import Opinion
from models.enums import Status

pages = Pages()

_CaseId = Annotated[int, Field(ge=1, le=2**63 - 1)]
_BLANK = BeforeValidator(lambda given: None if given == "" else given)
#: What each step is called on its button.
STEP_NAMES = {
    Step.SIGN: "接（签收）",
    Step.ACCEPT: "受理，按职责清单派",
    Step.DISPATCH: "派给网格",
    Step.TRANSFER: "转办给别人",
    Step.NUDGE: "催办",
}

#: Where the rest of a heading is listed that has more than it shows.
_REST = {"checks": Query(state=Status.DISPOSED), "unassigned": Query(state=Status.ACCEPTED)}

_ELSEWHERE = (
    (Waiting.BROADCAST, "/broadcasts?state=waiting", "群发审批"),
    (Waiting.SURVEY, "/surveys?state=waiting", "问卷投票审批"),
    (Waiting.REVIEW, "/reviews", "消息审核"),
)


class Chosen(Form):
    """Cases chosen in a list, and what to do with all of them."""

    cases: Annotated[list[_CaseId], Field(default_factory=list, title="所选事项")]
    step: Annotated[Step, Field(title="要办的事")]
    to: Annotated[str, Field(max_length=64, title="对方")] = ""
    words: Annotated[str, Field(max_length=200, title="说明")] = ""


class Call(Form):
    """What came of a call."""

    case: Annotated[int, Field(ge=1, le=2**63 - 1, title="事项")]
    spoke: Annotated[Literal["solved", "not_solved", "nobody"], Field(title="通话结果")]
    satisfaction: Annotated[Literal["1", "2", "3"] | None, _BLANK, Field(title="满意度")] = None
    words: Annotated[str, Field(max_length=500, title="居民说的话")] = ""


@pages.get("/", who=signed_in)
async def show(visit: Visit) -> web.StreamResponse:
    """The work desk of staff; where an administrator begins."""
    if visit.admin in (AdminKind.SECURITY, AdminKind.AUDIT):
        return visit.render("administrator.html", title="管理")
    desk, elsewhere = await desk_of(visit.staff, visit.now), await waiting_elsewhere(visit.staff)
    others = [(path, name, elsewhere[what]) for what, path, name in _ELSEWHERE if what in elsewhere]
    shown = {"others": others, "most_others": MOST, **_shown(visit, desk), "around": await _around(visit, desk)}
    return visit.render("desk.html", title=_title(desk), **await tools(visit), **shown)


@pages.get("/desk/todo", quiet=True)
async def again(visit: Visit) -> web.StreamResponse:
    """The same lists once more, for the page that keeps itself fresh."""
    desk = await desk_of(visit.staff, visit.now)
    return visit.render("desk_todo.html", title=_title(desk), **_shown(visit, desk), around=await _around(visit, desk))


async def _around(visit: Visit, desk: Desk) -> Page | None:
    """What is open in the area of who gives work to others, where nothing of it waits for themselves."""
    if desk.count or not visit.post.dispatches:
        return None
    page = await find_page(visit.staff, Query().wanted(), visit.now)
    return page if page.count else None


def _title(desk: Desk) -> str:
    full = any(len(items) >= SHOWN for items in desk.headings)
    return f"待办 {desk.count}{'+' if full else ''}" if desk.count else "待办"


def _shown(visit: Visit, desk: Desk) -> dict[str, Any]:
    def lines(items: Sequence[Item]) -> list[Line]:
        return [line_of(item.row, visit.now, visit.post, item.asked) for item in items]

    headings = (
        ("tasks", "我的待办", lines(desk.tasks), "现在没有待办。有新任务会出现在这里，也会推到您的微信。"),
        ("decisions", "等我决定", lines(desk.decisions), ""),
        ("assists", "请我协办", lines(desk.assists), ""),
        ("checks", "等我核查", lines(desk.checks), "没有等核查的结果。"),
        ("unassigned", "等我受理和派人", lines(desk.unassigned), ""),
        ("shortlist", "今天的巡查清单", lines(desk.shortlist), ""),
    )
    calls = [(one, line_of(one.row, visit.now, visit.post)) for one in desk.calls]
    waiting_first = sorted(headings, key=lambda heading: not heading[2])
    shown = {"headings": waiting_first, "calls": calls, "picks": bool(bulk.steps_of(visit.post))}
    shown["first"] = likeliest(line for _, _, listed, _ in headings for line in listed)
    return shown | {"shown": SHOWN, "rest": _REST | {"tasks": Query(holder=visit.post.id)}}


async def tools(visit: Visit) -> dict[str, Any]:
    """What the bar above a list offers: steps for many cases, and names to give them to."""
    steps = [(step, STEP_NAMES[step]) for step in bulk.steps_of(visit.post)]
    return {"steps": steps, "names": await receivers(visit.post) if steps else (), "most": bulk.MOST}


@pages.post("/desk/bulk")
async def do_all(visit: Visit) -> web.StreamResponse:
    """One step in many cases; tells of each what came of it."""
    given = await visit.form(Chosen)
    order = Order(given.step, given.to, given.words)
    found = await bulk.do_all(visit.staff, given.cases, order, visit.now, visit.source)
    done = [one for one in found if one.done]
    shown: dict[str, Any] = {
        "name": STEP_NAMES[given.step],
        "done": done,
        "refused": [one for one in found if not one.done],
    }
    if not visit.by_htmx:
        return visit.render("desk_bulk.html", title="批量办理", **shown)
    answer = visit.render("desk_done.html", **shown)
    answer.headers["HX-Retarget"] = "#done"
    answer.headers["HX-Trigger"] = "desk-changed"
    return answer


@pages.post("/desk/calls")
async def called(visit: Visit) -> web.StreamResponse:
    """What the resident said on the telephone counts as if they had tapped it."""
    given = await visit.form(Call)
    solved = {"solved": True, "not_solved": False, "nobody": None}[given.spoke]
    said = Opinion(solved, int(given.satisfaction) if given.satisfaction and solved else None, given.words)
    await on_behalf.called(
        visit.staff, given.case, said, visit.now, within=visit.office.reopen_within, source=visit.source
    )
    return visit.go("/", "回访记下了。" if solved is not None else "记下了，没打通，请再找时间打。")
