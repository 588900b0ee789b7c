"""What staff do to one case from its page, a form each; afterwards the page says what happened."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from console.case_given import (
    Because,
    Decision,
    Demand,
    Disposal,
    Grid,
    Handing,
    Kind,
    Line,
    Other,
    Part,
    Progress,
    Spoken,
    Task,
    Until,
)
from console.deeds import Deed, mount
from console.frame import Pages, Visit
from console.pages.cases import CASE, case_of
from console.sent_files import media_of
from domain import casework, nudges, on_behalf, requests, supervision, together
from domain.accepting import accept
from domain.case_choices import matter_of
from domain.case_sheets import count_events
from domain.casebook import Case, read_case
from domain.clock import say_deadline
from domain.dispatching import dispatch_to_grid
from domain.notices import serial
from domain.people import Post
from domain.previews import Told, draft_of
from domain.rating import Opinion
from domain.worktime import TimeLimit
from errors import BadRequest, Conflict, NotFound
from models.enums import RequestKind, Source

pages = Pages()


#: What a step gives: the case, or the case and whom it now concerns.
Outcome = Case | tuple[Case, Post | None]


async def _done(visit: Visit, outcome: Outcome, said: str) -> web.StreamResponse:
    """Back to the case, or to the desk where it is not this person's to read any more."""
    case, other = outcome if isinstance(outcome, tuple) else (outcome, None)
    sentence = said.replace("{number}", serial(case.number)).replace("{other}", other.label if other else "")
    try:
        await read_case(visit.staff, case.id)
    except NotFound:
        return visit.go("/", sentence)
    return visit.go(f"/cases/{case.id}", sentence)


def _accepted(outcome: tuple[Case, Post | None]) -> str:
    return "已受理，交给{other}。" if outcome[1] else "已受理，请接着派人。"


mount(
    pages,
    CASE,
    (
        Deed("sign", casework.sign, "已接 {number}。办好后在这里写结果、传照片。"),
        Deed("accept", accept, _accepted),
        Deed("verify", casework.verify, "{number} 核查通过，接着请居民确认。"),
        Deed("rework", casework.rework, "{number} 已退回返工。", Because, "reason"),
        Deed("reject", casework.reject, "{number} 没有受理，已告诉居民。", Because, "reason"),
        Deed("reopen", casework.reopen_as_superior, "{number} 已重新打开。", Because, "reason"),
        Deed("escalate", casework.escalate, "{number} 已上报{other}。", Because, "reason"),
        Deed("transfer", together.transfer, "已转给{other}，对方接之前还由原来的人负责。", Handing, "to reason"),
        Deed("take_over", together.take_over, "{number} 现在归您办。"),
        Deed("assisted", together.assisted, "协办结果已告诉经办人。", Line, "text"),
        Deed("wait", requests.wait_for_resident, "已请居民补充，补充之前不计时。", Line, "text"),
        Deed("resume", requests.resume, "{number} 继续处理。"),
        Deed("answer", supervision.answer, "答复已转给督办的领导。", Line, "text"),
        Deed("nudge", nudges.nudge, "已催{other}。", Line, "text"),
    ),
    which=case_of,
    back=_done,
)


@pages.post(f"{CASE}/note", files=True)
async def note(visit: Visit) -> web.StreamResponse:
    """进展."""
    given, media = await visit.form(Progress), await media_of(visit)
    case = await casework.write_note(
        visit.staff, case_of(visit), given.said, visit.now, media=media, source=visit.source
    )
    return await _done(visit, case, "进展已告诉居民。")


@pages.post(f"{CASE}/memo")
async def memo(visit: Visit) -> web.StreamResponse:
    """内部备注."""
    given = await visit.form(Line)
    case, told = await supervision.memo(visit.staff, case_of(visit), given.text, visit.now, visit.source)
    names = "、".join(post.label for post in told)
    return await _done(visit, case, f"备注记下了，已告诉{names}。" if told else "备注记下了，居民看不到。")


@pages.post(f"{CASE}/dispose", files=True)
async def dispose(visit: Visit) -> web.StreamResponse:
    """处置反馈; straight from unsigned it is signed as well."""
    given, media = await visit.form(Disposal), await media_of(visit)
    case = await casework.dispose(
        visit.staff,
        case_of(visit),
        given.said,
        visit.now,
        media=media,
        outcome=given.outcome,
        source=visit.source,
    )
    return await _done(visit, case, "{number} 已记为办好，等确认。")


@pages.post(f"{CASE}/return")
async def ask_return(visit: Visit) -> web.StreamResponse:
    """申请退回."""
    given = await visit.form(Because)
    return await _ask(visit, requests.Wish(RequestKind.RETURN, given.reason))


@pages.post(f"{CASE}/void")
async def ask_void(visit: Visit) -> web.StreamResponse:
    """申请作废."""
    given = await visit.form(Because)
    return await _ask(visit, requests.Wish(RequestKind.VOID, given.reason))


@pages.post(f"{CASE}/extend")
async def ask_extend(visit: Visit) -> web.StreamResponse:
    """申请延期."""
    given = await visit.form(Until)
    if given.moment is None:
        raise BadRequest("no day", say="请选延到哪一天，要比现在的时限晚。")
    return await _ask(visit, requests.Wish(RequestKind.EXTEND, given.reason, given.moment))


@pages.post(f"{CASE}/suspend")
async def ask_suspend(visit: Visit) -> web.StreamResponse:
    """申请挂账."""
    given = await visit.form(Until)
    if given.moment is None or given.moment <= visit.now:
        raise BadRequest("no day", say="请选挂账到哪一天，要在今天以后。")
    return await _ask(visit, requests.Wish(RequestKind.SUSPEND, given.reason, given.moment))


async def _ask(visit: Visit, wish: requests.Wish) -> web.StreamResponse:
    case, deciders = await requests.ask(visit.staff, case_of(visit), wish, visit.now, visit.source)
    who = "、".join(post.label for post in deciders)
    until = f"到{say_deadline(wish.until, visit.now).removesuffix('前')}" if wish.until else ""
    return await _done(visit, case, f"已请{who}决定{requests.NAMES[wish.kind]}{until}。在那之前还请您继续处理。")


@pages.post(f"{CASE}/decide")
async def decide(visit: Visit) -> web.StreamResponse:
    """同意, 不同意; a transfer that is offered is taken, or not."""
    given, case_id = await visit.form(Decision), case_of(visit)
    kind, name = given.kind, requests.NAMES[given.kind]
    if await requests.awaiting(visit.staff, case_id, kind) is None:
        await count_events(visit.staff, case_id)  # somebody else's case is not there at all
        raise Conflict("decided already", say=f"这次{name}已经有人决定，或者不用了。请刷新看最新的。")
    if given.agree == "no":
        case, _ = await requests.refuse(visit.staff, case_id, given.reason, visit.now, kind=kind, source=visit.source)
        return await _done(visit, case, f"没有同意{name}，已告诉申请的人。")
    if kind is RequestKind.TRANSFER:
        case = await together.take_over(visit.staff, case_id, visit.now, visit.source)
        return await _done(visit, case, "{number} 现在归您办。")
    case = await requests.grant(visit.staff, case_id, kind, visit.now, visit.source)
    return await _done(visit, case, f"已同意{name}。" + ("请派给别人。" if kind is RequestKind.RETURN else ""))


@pages.post(f"{CASE}/assist")
async def assist(visit: Visit) -> web.StreamResponse:
    """协办."""
    given = await visit.form(Task)
    within = TimeLimit.parse(given.within) if given.within else None
    case, other = await together.assist(
        visit.staff, case_of(visit), given.to, given.text, visit.now, visit.source, within=within
    )
    return await _done(visit, case, f"已请{other.label}协办。")


@pages.post(f"{CASE}/dispatch")
async def dispatch(visit: Visit) -> web.StreamResponse:
    """派遣."""
    given = await visit.form(Grid)
    if not given.grid:
        raise BadRequest("no grid", say="请写派给哪个网格，或网格员的名字。")
    case, holder = await dispatch_to_grid(visit.staff, case_of(visit), given.grid, visit.now, visit.source)
    return await _done(visit, (case, holder), "{number} 已交给{other}。")


@pages.post(f"{CASE}/supervise")
async def supervise(visit: Visit) -> web.StreamResponse:
    """督办."""
    given = await visit.form(Demand)
    within = TimeLimit.parse(given.within) if given.within else supervision.ANSWER_WITHIN
    case, holder = await supervision.supervise(
        visit.staff, case_of(visit), given.text, visit.now, within=within, source=visit.source
    )
    return await _done(visit, case, f"已督办，请{holder.label}答复。" if holder else "已记为督办，现在还没有人经办。")


@pages.post(f"{CASE}/merge")
async def merge(visit: Visit) -> web.StreamResponse:
    """并案: this one follows the other."""
    given = await visit.form(Other)
    if not given.into:
        raise BadRequest("no number", say="请写另一件的编号，比如 0033。")
    case, survivor = await together.merge(
        visit.staff, case_of(visit), given.into, visit.now, visit.source, many=visit.office.pressing_joiners
    )
    return visit.go(f"/cases/{survivor.id}", f"{serial(case.number)} 已并到这一件，反映的人照样收到进展。")


@pages.post(f"{CASE}/split")
async def split(visit: Visit) -> web.StreamResponse:
    """拆分."""
    given = await visit.form(Part)
    draft = replace(draft_of(Told(given.text, "", given.place), visit.source), source=Source.STAFF)
    case, part = await together.split(visit.staff, case_of(visit), draft, visit.now, visit.source)
    return await _done(visit, case, f"拆出一件：{serial(part.number)} {part.subject}。")


@pages.post(f"{CASE}/recategorise")
async def recategorise(visit: Visit) -> web.StreamResponse:
    """改类别."""
    given = await visit.form(Kind)
    case = await casework.recategorise(visit.staff, case_of(visit), matter_of(given.category), visit.now, visit.source)
    return await _done(visit, case, f"改成了“{case.subject}”。")


@pages.post(f"{CASE}/call")
async def call(visit: Visit) -> web.StreamResponse:
    """电话回访: it counts as if the resident had tapped it."""
    given = await visit.form(Spoken)
    solved = {"yes": True, "no": False}.get(given.solved)
    said = Opinion(solved, given.satisfaction if solved else None, given.words)
    case = await on_behalf.called(
        visit.staff, case_of(visit), said, visit.now, within=visit.office.reopen_within, source=visit.source
    )
    return await _done(
        visit, case, "{number} 的回访记下了。" if solved is not None else "记下了，没打通，请再找时间打。"
    )
