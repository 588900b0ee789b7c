"""What staff do with one case: take it, say how far it is, dispose of it, ask, decide, check, hand on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from domain import casework, requests, supervision, together
from domain.dispatching import dispatch_to_grid
from domain.requests import Wish
from miniapp_api.case_shapes import CasePath, CaseState, Files, Moment, Text, Words, media_of, state_of
from miniapp_api.kernel import Body, Call, Routes
from models.enums import RequestKind

routes = Routes("casework")

Colleague = Annotated[str, Field(min_length=1, max_length=64, description="a name, a unit or a grid: 刘洋, 城管")]


class Reason(Body):
    """A sentence that is needed."""

    reason: Words


class Progress(Body):
    """What the resident may read: words, photos, or both."""

    text: Text = ""
    uploads: Files = ()


class Disposal(Body):
    """What was done. `outcome`: nothing could be done but explain, or nothing at all; then `result` is the reason."""

    result: Text = ""
    uploads: Files = ()
    outcome: Literal["", "explained", "cannot"] = ""


class NewRequest(Body):
    """What a second person decides. `until`: for extend and suspend."""

    kind: Literal["return", "extend", "suspend"]
    reason: Words
    until: Moment | None = None


class Decision(Body):
    """Whether it is agreed to; a refusal needs a reason."""

    kind: Literal["return", "extend", "suspend", "void"]
    agree: bool
    reason: Text = ""


class Handing(Body):
    """To whom, and why."""

    to: Colleague
    reason: Words


class Task(Body):
    """Whom to ask for which part of it."""

    to: Colleague
    text: Words


class Line(Body):
    """A sentence."""

    text: Words


class Grid(Body):
    """A grid by its name, or by the name of its worker."""

    grid: Annotated[str, Field(min_length=1, max_length=64)]


@routes.post("/cases/{case_id}/sign", rule="case:sign")
async def sign(call: Call, path: CasePath) -> CaseState:
    """Take the case (签收)."""
    case = await casework.sign(call.person, path.case_id, call.now, call.source)
    return state_of(case, "已接 {number}。办好后请传照片、写结果。")


@routes.post("/cases/{case_id}/notes", rule="case:note")
async def note(call: Call, path: CasePath, body: Progress) -> CaseState:
    """Write progress the resident may read (进展)."""
    media = await media_of(call, body.uploads)
    case = await casework.write_note(call.person, path.case_id, body.text, call.now, media=media, source=call.source)
    return state_of(case, "进展已告诉居民。")


@routes.post("/cases/{case_id}/memos", rule="case:memo")
async def memo(call: Call, path: CasePath, body: Line) -> CaseState:
    """Write a memo for staff alone; @ and a colleague's name tells them."""
    case, told = await supervision.memo(call.person, path.case_id, body.text, call.now, call.source)
    names = "、".join(post.label for post in told)
    return state_of(case, f"备注记下了，已告诉{names}。" if told else "备注记下了，居民看不到。")


@routes.post("/cases/{case_id}/disposal", rule="case:dispose")
async def dispose(call: Call, path: CasePath, body: Disposal) -> CaseState:
    """Say what was done, with photos (处置反馈); straight from unsigned it is signed as well (即时办结)."""
    case = await casework.dispose(
        call.person,
        path.case_id,
        body.result,
        call.now,
        media=await media_of(call, body.uploads),
        outcome=body.outcome,
        source=call.source,
    )
    return state_of(case, "{number} 已记为办好，等确认。")


@routes.post("/cases/{case_id}/escalation", rule="case:escalate")
async def escalate(call: Call, path: CasePath, body: Reason) -> CaseState:
    """Too hard here: one level up (逐级上报)."""
    case, holder = await casework.escalate(call.person, path.case_id, body.reason, call.now, call.source)
    return state_of(case, "{number} 已上报" + holder.label + "。")


@routes.post("/cases/{case_id}/requests", rule="case:ask")
async def ask(call: Call, path: CasePath, body: NewRequest) -> CaseState:
    """Ask for a return (退回), more time (延期) or suspension (挂账)."""
    return await _ask(call, path.case_id, Wish(RequestKind(body.kind), body.reason, body.until))


@routes.post("/cases/{case_id}/voiding", rule="case:ask_void")
async def ask_void(call: Call, path: CasePath, body: Reason) -> CaseState:
    """Ask that it is taken back as entered by mistake (作废)."""
    return await _ask(call, path.case_id, Wish(RequestKind.VOID, body.reason))


async def _ask(call: Call, case_id: int, wish: Wish) -> CaseState:
    case, deciders = await requests.ask(call.person, case_id, wish, call.now, call.source)
    who = "、".join(post.label for post in deciders)
    return state_of(case, f"已请{who}决定{requests.NAMES[wish.kind]}。在那之前还请您继续处理。")


@routes.post("/cases/{case_id}/decision", rule="case:decide")
async def decide(call: Call, path: CasePath, body: Decision) -> CaseState:
    """Agree or not to what was asked (同意, 不同意)."""
    kind = RequestKind(body.kind)
    if body.agree:
        case = await requests.grant(call.person, path.case_id, kind, call.now, call.source)
        return state_of(case, f"已同意{requests.NAMES[kind]}。")
    case, _ = await requests.refuse(call.person, path.case_id, body.reason, call.now, kind=kind, source=call.source)
    return state_of(case, f"没有同意{requests.NAMES[kind]}，已告诉申请的人。")


@routes.post("/cases/{case_id}/transfer", rule="case:transfer")
async def transfer(call: Call, path: CasePath, body: Handing) -> CaseState:
    """Offer it to somebody else (转办); until they take it the lead stays."""
    case, other = await together.transfer(call.person, path.case_id, body.to, body.reason, call.now, call.source)
    return state_of(case, f"已转给{other.label}，对方接之前还由您负责。")


@routes.post("/cases/{case_id}/takeover", rule="case:take_over")
async def take_over(call: Call, path: CasePath) -> CaseState:
    """Take what was offered (接转办)."""
    case = await together.take_over(call.person, path.case_id, call.now, call.source)
    return state_of(case, "{number} 现在归您办。")


@routes.post("/cases/{case_id}/assists", rule="case:assist")
async def assist(call: Call, path: CasePath, body: Task) -> CaseState:
    """Ask another unit or person for a part of it (协办)."""
    case, other = await together.assist(call.person, path.case_id, body.to, body.text, call.now, call.source)
    return state_of(case, f"已请{other.label}协办。")


@routes.post("/cases/{case_id}/assisted", rule="case:assisted")
async def assisted(call: Call, path: CasePath, body: Line) -> CaseState:
    """Say what was done of the part one was asked for (协办好了)."""
    case = await together.assisted(call.person, path.case_id, body.text, call.now, call.source)
    return state_of(case, "协办结果已告诉经办人。")


@routes.post("/cases/{case_id}/answer", rule="case:answer")
async def answer(call: Call, path: CasePath, body: Line) -> CaseState:
    """Answer a superior who asked how it stands (督办答复)."""
    case = await supervision.answer(call.person, path.case_id, body.text, call.now, call.source)
    return state_of(case, "答复已转给督办的领导。")


@routes.post("/cases/{case_id}/question", rule="case:wait")
async def question(call: Call, path: CasePath, body: Line) -> CaseState:
    """Ask the resident something without which it cannot go on (待补充); the clock stands meanwhile."""
    case = await requests.wait_for_resident(call.person, path.case_id, body.text, call.now, call.source)
    return state_of(case, "已请居民补充，补充之前不计时。")


@routes.post("/cases/{case_id}/resumption", rule="case:resume")
async def resume(call: Call, path: CasePath) -> CaseState:
    """Go on with a suspended case before its day (恢复)."""
    return state_of(await requests.resume(call.person, path.case_id, call.now, call.source), "{number} 继续处理。")


@routes.post("/cases/{case_id}/verification", rule="case:verify")
async def verify(call: Call, path: CasePath) -> CaseState:
    """Find somebody else's result good (核查通过)."""
    case = await casework.verify(call.person, path.case_id, call.now, call.source)
    return state_of(case, "{number} 核查通过。")


@routes.post("/cases/{case_id}/rework", rule="case:rework")
async def rework(call: Call, path: CasePath, body: Reason) -> CaseState:
    """Send it back because it is not done (返工)."""
    case = await casework.rework(call.person, path.case_id, body.reason, call.now, call.source)
    return state_of(case, "{number} 已退回返工。")


@routes.post("/cases/{case_id}/dispatch", rule="case:dispatch")
async def dispatch(call: Call, path: CasePath, body: Grid) -> CaseState:
    """Give it to a grid of one's area (派遣)."""
    case, holder = await dispatch_to_grid(call.person, path.case_id, body.grid, call.now, call.source)
    return state_of(case, "{number} 已交给" + holder.label + "。")


@routes.post("/cases/{case_id}/rejection", rule="case:reject")
async def reject(call: Call, path: CasePath, body: Reason) -> CaseState:
    """Not something the community can take on (不予受理); the resident reads why."""
    case = await casework.reject(call.person, path.case_id, body.reason, call.now, call.source)
    return state_of(case, "{number} 没有受理，已告诉居民。")
