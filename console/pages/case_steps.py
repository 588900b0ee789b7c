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
    Nothing,
    Other,
    Part,
    Progress,
    Spoken,
    Task,
    Until,
)
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
from domain.previews import Told, draft_of
from domain.rating import Opinion
from domain.worktime import TimeLimit
from errors import BadRequest, Conflict, NotFound
from models.enums import RequestKind, Source

pages = Pages()


async def _done(visit: Visit, case: Case, said: str) -> web.StreamResponse:
    """Back to the case, or to the desk where it is not this person's to read any more."""
    sentence = said.replace("{number}", serial(case.number))
    try:
        await read_case(visit.staff, case.id)
    except NotFound:
        return visit.go("/", sentence)
    return visit.go(f"/cases/{case.id}", sentence)


@pages.post(f"{CASE}/sign")
async def sign(visit: Visit) -> web.StreamResponse:
    """签收."""
    await visit.form(Nothing)
    case = await casework.sign(visit.staff, case_of(visit), visit.now, visit.source)
    return await _done(visit, case, "已接 {number}。办好后在这里写结果、传照片。")


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


@pages.post(f"{CASE}/escalate")
async def escalate(visit: Visit) -> web.StreamResponse:
    """逐级上报."""
    given = await visit.form(Because)
    case, holder = await casework.escalate(visit.staff, case_of(visit), given.reason, visit.now, visit.source)
    return await _done(visit, case, "{number} 已上报" + holder.label + "。")


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
        return await take_over(visit)
    case = await requests.grant(visit.staff, case_id, kind, visit.now, visit.source)
    return await _done(visit, case, f"已同意{name}。" + ("请派给别人。" if kind is RequestKind.RETURN else ""))


@pages.post(f"{CASE}/take_over")
async def take_over(visit: Visit) -> web.StreamResponse:
    """接转办."""
    case = await together.take_over(visit.staff, case_of(visit), visit.now, visit.source)
    return await _done(visit, case, "{number} 现在归您办。")


@pages.post(f"{CASE}/transfer")
async def transfer(visit: Visit) -> web.StreamResponse:
    """转办."""
    given = await visit.form(Handing)
    case, other = await together.transfer(visit.staff, case_of(visit), given.to, given.reason, visit.now, visit.source)
    return await _done(visit, case, f"已转给{other.label}，对方接之前还由原来的人负责。")


@pages.post(f"{CASE}/assist")
async def assist(visit: Visit) -> web.StreamResponse:
    """协办."""
    given = await visit.form(Task)
    within = TimeLimit.parse(given.within) if given.within else None
    case, other = await together.assist(
        visit.staff, case_of(visit), given.to, given.text, visit.now, visit.source, within=within
    )
    return await _done(visit, case, f"已请{other.label}协办。")


@pages.post(f"{CASE}/assisted")
async def assisted(visit: Visit) -> web.StreamResponse:
    """协办办好了."""
    given = await visit.form(Line)
    case = await together.assisted(visit.staff, case_of(visit), given.text, visit.now, visit.source)
    return await _done(visit, case, "协办结果已告诉经办人。")


@pages.post(f"{CASE}/wait")
async def wait(visit: Visit) -> web.StreamResponse:
    """待补充."""
    given = await visit.form(Line)
    case = await requests.wait_for_resident(visit.staff, case_of(visit), given.text, visit.now, visit.source)
    return await _done(visit, case, "已请居民补充，补充之前不计时。")


@pages.post(f"{CASE}/resume")
async def resume(visit: Visit) -> web.StreamResponse:
    """恢复."""
    await visit.form(Nothing)
    return await _done(
        visit, await requests.resume(visit.staff, case_of(visit), visit.now, visit.source), "{number} 继续处理。"
    )


@pages.post(f"{CASE}/verify")
async def verify(visit: Visit) -> web.StreamResponse:
    """核查通过."""
    await visit.form(Nothing)
    case = await casework.verify(visit.staff, case_of(visit), visit.now, visit.source)
    return await _done(visit, case, "{number} 核查通过，接着请居民确认。")


@pages.post(f"{CASE}/rework")
async def rework(visit: Visit) -> web.StreamResponse:
    """返工."""
    given = await visit.form(Because)
    case = await casework.rework(visit.staff, case_of(visit), given.reason, visit.now, visit.source)
    return await _done(visit, case, "{number} 已退回返工。")


@pages.post(f"{CASE}/accept")
async def take_on(visit: Visit) -> web.StreamResponse:
    """受理: the duty list says whose it is."""
    await visit.form(Nothing)
    case, holder = await accept(visit.staff, case_of(visit), visit.now, visit.source)
    return await _done(visit, case, f"已受理，交给{holder.label}。" if holder else "已受理，请接着派人。")


@pages.post(f"{CASE}/dispatch")
async def dispatch(visit: Visit) -> web.StreamResponse:
    """派遣."""
    given = await visit.form(Grid)
    if not given.grid:
        raise BadRequest("no grid", say="请写派给哪个网格，或网格员的名字。")
    case, holder = await dispatch_to_grid(visit.staff, case_of(visit), given.grid, visit.now, visit.source)
    return await _done(visit, case, "{number} 已交给" + holder.label + "。")


@pages.post(f"{CASE}/reject")
async def reject(visit: Visit) -> web.StreamResponse:
    """不予受理."""
    given = await visit.form(Because)
    case = await casework.reject(visit.staff, case_of(visit), given.reason, visit.now, visit.source)
    return await _done(visit, case, "{number} 没有受理，已告诉居民。")


@pages.post(f"{CASE}/reopen")
async def reopen(visit: Visit) -> web.StreamResponse:
    """重启 by a superior."""
    given = await visit.form(Because)
    case = await casework.reopen_as_superior(visit.staff, case_of(visit), given.reason, visit.now, visit.source)
    return await _done(visit, case, "{number} 已重新打开。")


@pages.post(f"{CASE}/supervise")
async def supervise(visit: Visit) -> web.StreamResponse:
    """督办."""
    given = await visit.form(Demand)
    within = TimeLimit.parse(given.within) if given.within else supervision.ANSWER_WITHIN
    case, holder = await supervision.supervise(
        visit.staff, case_of(visit), given.text, visit.now, within=within, source=visit.source
    )
    return await _done(visit, case, f"已督办，请{holder.label}答复。" if holder else "已记为督办，现在还没有人经办。")


@pages.post(f"{CASE}/answer")
async def answer(visit: Visit) -> web.StreamResponse:
    """督办答复."""
    given = await visit.form(Line)
    case = await supervision.answer(visit.staff, case_of(visit), given.text, visit.now, visit.source)
    return await _done(visit, case, "答复已转给督办的领导。")


@pages.post(f"{CASE}/nudge")
async def nudge(visit: Visit) -> web.StreamResponse:
    """催办."""
    given = await visit.form(Line)
    case, holder = await nudges.nudge(visit.staff, case_of(visit), given.text, visit.now, visit.source)
    return await _done(visit, case, f"已催{holder.label}。")


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
