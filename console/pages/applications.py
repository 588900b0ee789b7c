"""办件: what people applied for online, by the time they were promised, until it has its result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from aiohttp import web
from pydantic import AwareDatetime, BeforeValidator, Field

from console.deeds import Deed, again, mount
from console.frame import Form, Pages, Visit, staff
from console.pages.households import keeps
from console.sent_files import uploads_of
from console.values import MaybeIdent
from domain import application_work as work
from domain.application_notices import stands
from domain.application_work import Dossier, Result
from domain.applications import Tie
from domain.forms import say
from models.enums import ApplicationState

pages = Pages()

_SHOWN = 50
_ONE = "/applications/{application_id:[0-9]{1,18}}"
_VERBS = {
    "submit": "提交",
    "take": "接办",
    "ask": "要求补材料",
    "remind": "提醒补材料",
    "supplement": "补了材料",
    "accept": "受理",
    "finish": "办结",
    "refuse": "不予办理",
    "withdraw": "撤回",
}
_SUBMITTED, _ASKED, _ACCEPTED = ApplicationState.SUBMITTED, ApplicationState.SUPPLEMENT, ApplicationState.ACCEPTED


def handles(visit: Visit) -> bool:
    """Whose business applications are: the community's and above, grid workers', and departments' with items."""
    return staff(visit) and work.handles(visit.post)


class ListQuery(Form):
    """`number`: the end of one is enough; `after_at` and `after`: where the page before ended."""

    number: Annotated[str, Field(max_length=20, title="编号")] = ""
    after_at: Annotated[AwareDatetime | None, BeforeValidator(lambda given: given or None)] = None
    after: MaybeIdent = None


@pages.get("/applications", who=handles)
async def show_all(visit: Visit) -> web.StreamResponse:
    """Open ones of the area, what ends first before the others; by its number any."""
    query = visit.query(ListQuery)
    if query.number:
        found = await work.by_serial(visit.staff, query.number)
        return visit.go(f"/applications/{found.id}")
    beyond = (query.after_at, query.after) if query.after_at and query.after else None
    lines = await work.list_work(visit.staff, beyond=beyond, limit=_SHOWN)
    last = work.place_of(lines[-1]) if len(lines) == _SHOWN else None
    following = {"after_at": last[0].isoformat(), "after": last[1]} if last else {}
    return visit.render(
        "applications.html",
        title="办件",
        lines=lines,
        following=following,
        may_hand_in=keeps(visit),
    )


@pages.get(_ONE, who=handles)
async def show(visit: Visit) -> web.StreamResponse:
    """One, as far as who looks may read it, with what they may do now."""
    read = await work.read(visit.staff, _which(visit), visit.now, visit.source)
    found = read.application
    return visit.render(
        "application.html",
        title=f"{read.title} {found.number}",
        found=found,
        read=read,
        state=stands(found.state, read.asked_at, visit.now),
        answers=_answers(read),
        more=_files(read, "more"),
        results=_files(read, ""),
        verbs=_VERBS,
        may=_may(read),
    )


def _which(visit: Visit) -> int:
    return int(visit.request.match_info["application_id"])


def _answers(read: Dossier) -> Sequence[tuple[str, str, Sequence[str]]]:
    """(question, answer, pictures) for who may read them."""
    given = read.application.answers
    return [(field.label, say(field, given.get(field.key)), _files(read, field.key)) for field in read.fields]


def _files(read: Dossier, field: str) -> Sequence[str]:
    """The names under which its pictures are fetched."""
    return [f"p{file.id}" for file in read.files if file.field == field]


def _may(read: Dossier) -> frozenset[str]:
    """The steps that are open now."""
    state, holds = read.application.state, Tie.HOLDER in read.ties
    found = {"take"} if Tie.OFFICER in read.ties and not holds and state.is_open else set()
    if holds and state in (_SUBMITTED, _ACCEPTED):
        found |= {"ask", "finish"}
    if holds and state is _SUBMITTED:
        found.add("accept")
    if holds and state in (_SUBMITTED, _ASKED, _ACCEPTED):
        found.add("refuse")
    return frozenset(found)


def _back(visit: Visit, sentence: str) -> web.Response:
    return visit.go(f"/applications/{_which(visit)}", sentence)


class Wanted(Form):
    """What the applicant must add."""

    text: Annotated[str, Field(min_length=1, max_length=300, title="要补的材料")]


class Finished(Form):
    """What came of it; `pick_up`: where the applicant fetches it."""

    text: Annotated[str, Field(min_length=1, max_length=400, title="办理结果")]
    pick_up: Annotated[str, Field(max_length=60, title="领取地点")] = ""


@pages.post(f"{_ONE}/finish", who=handles, files=True)
async def finish(visit: Visit) -> web.StreamResponse:
    """It is done."""
    given = await visit.form(Finished)
    files = [one.id for one in await uploads_of(visit, "photos")]
    result = Result(given.text, files, given.pick_up)
    await work.finish(visit.staff, _which(visit), result, visit.now, visit.source)
    return _back(visit, "已办结，结果已告诉申请人。")


class Refusal(Form):
    """Why not; the applicant reads it."""

    text: Annotated[str, Field(min_length=1, max_length=500, title="原因")]


mount(
    pages,
    _ONE,
    (
        Deed("take", work.take, "现在由您来办，申请人填的内容可以看了。"),
        Deed("ask", work.ask, "已告诉申请人要补什么。等的时间不计入时限。", Wanted, "text"),
        Deed("accept", work.accept, "已受理，申请人会收到消息。"),
        Deed("refuse", work.refuse, "已告诉申请人不予办理和原因。", Refusal, "text"),
    ),
    which=_which,
    back=again("/applications", _which),
    who=handles,
)
