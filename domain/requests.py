"""What needs a second person: return, transfer, extension, suspension, voiding. One asks, another decides.

A request is a row beside the case. While it is open the case stays with who has it, and its clock runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain import milestones, notices, worktime
from domain.access import Work, begin
from domain.casework import need, reporter_openid, tell_reporter
from domain.clock import say_deadline, say_latest
from domain.people import Person, Post, ancestors, post_of, posts_upward
from errors import BadRequest, Conflict, NotFound
from models.cases import Case, CaseRequest
from models.database import transaction
from models.enums import Level, Outcome, Pause, RequestKind, RequestState
from models.people import Area
from models.transitions import Verb, Who

__all__ = [
    "NAMES",
    "Case",
    "RequestKind",
    "Wish",
    "answered",
    "ask",
    "awaiting",
    "go_on",
    "grant",
    "offered_to",
    "open_request",
    "refuse",
    "resume",
    "wait_for_resident",
]

NAMES = {
    RequestKind.RETURN: "退回",
    RequestKind.TRANSFER: "转办",
    RequestKind.EXTEND: "延期",
    RequestKind.SUSPEND: "挂账",
    RequestKind.VOID: "作废",
}
_ASKED = {
    RequestKind.RETURN: Verb.ASK_RETURN,
    RequestKind.EXTEND: Verb.ASK_EXTEND,
    RequestKind.SUSPEND: Verb.ASK_SUSPEND,
    RequestKind.VOID: Verb.ASK_VOID,
}
_GRANTED = {
    RequestKind.RETURN: Verb.RETURN,
    RequestKind.EXTEND: Verb.EXTEND,
    RequestKind.SUSPEND: Verb.SUSPEND,
    RequestKind.VOID: Verb.VOID,
}
_LONGEST = timedelta(days=366)
_LIKE_EXTEND, _LIKE_SUSPEND = "比如“延期 0037 3天 等配件”。", "比如“挂账 0037 10天 等开春施工”。"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a holder asks for: the kind, why, and for extension and suspension until when."""

    kind: RequestKind
    reason: str
    until: datetime | None = None


async def ask(person: Person, case_id: int, wish: Wish, now: datetime, source: str = "") -> tuple[Case, list[Post]]:
    """Ask for a return, extension, suspension or voiding. Gives the case and who may decide it (all are told)."""
    need(wish.reason, f"请说一句为什么要{NAMES[wish.kind]}。")
    async with transaction():
        work = await begin(person, case_id, _ASKED[wish.kind], now, source)
        await _refuse_second(work.case, wish.kind)
        _check_until(work.case, wish, now)
        deciders = await _deciders(work, wish.kind)
        await CaseRequest.create(
            case_id=case_id,
            kind=wish.kind,
            asked_by_id=_post(person).id,
            asked_at=now,
            reason=wish.reason.strip(),
            until=wish.until,
            decider_level=deciders[0].level,
        )
        work.step(work.verb, f"申请{NAMES[wish.kind]}：{wish.reason.strip()}", public=False)
        for post in deciders:
            work.journal.tell(notices.to_decide(work.case, post, work.actor, NAMES[wish.kind], _wanted(wish, now)))
        return await work.finish(), deciders


def _post(person: Person) -> Post:
    if person.post is None:  # begin() lets nobody through without one
        raise NotFound("no post")
    return person.post


def _wanted(wish: Wish, now: datetime) -> str:
    until = f"，到{say_deadline(wish.until, now).removesuffix('前')}" if wish.until else ""
    return f"{notices.excerpt(wish.reason)}{until}"


async def open_request(case_id: int, kind: RequestKind | None = None) -> CaseRequest | None:
    """The request that waits for a decision (the oldest, or the one of this kind)."""
    found = CaseRequest.filter(case_id=case_id, state=RequestState.OPEN)
    if kind is not None:
        found = found.filter(kind=kind)
    return await found.order_by("id").first()


async def offered_to(person: Person, case_id: int) -> bool:
    """Whether a transfer of this case waits for this person to take it."""
    return await awaiting(person, case_id, RequestKind.TRANSFER) is not None


async def _refuse_second(case: Case, kind: RequestKind) -> None:
    if await open_request(case.id, kind):
        serial = notices.serial(case.number)
        raise Conflict("asked already", say=f"{serial} 已经申请过{NAMES[kind]}，正在等决定。在那之前还请您继续处理。")


def _check_until(case: Case, wish: Wish, now: datetime) -> None:
    if wish.kind is RequestKind.EXTEND and case.due_at:
        if now > case.due_at:
            raise Conflict("too late", say="已经超过时限了，不能再延期。请尽快处理，或者上报。")
        if wish.until is None or wish.until <= case.due_at:
            raise BadRequest("no later", say="请写延到哪一天，要比现在的时限晚。", chat=_LIKE_EXTEND)
    if wish.kind is RequestKind.SUSPEND and (wish.until is None or wish.until <= now):
        raise BadRequest("no day", say="请写挂账到哪一天，要在今天以后。", chat=_LIKE_SUSPEND)
    if wish.until and wish.until - now > _LONGEST:
        raise BadRequest("too long", say="最长一年。请写一个近一点的日子。")


async def _deciders(work: Work, kind: RequestKind) -> list[Post]:
    """Who may decide: dispatchers above the holder, not the one who asks; the second return goes one level higher,
    and after that level has spoken there is no third."""
    case = work.case
    rank = (await Area.get(id=case.area_id)).level.rank
    above: dict[Level, list[Post]] = {}
    for post in await posts_upward(case.grid_id or case.area_id):
        if post.level.rank > rank and post.dispatches and post.id != _post(work.person).id:
            above.setdefault(post.level, []).append(post)
    levels = sorted(above, key=lambda level: level.rank)
    step = case.returned if kind is RequestKind.RETURN else 0
    if kind is RequestKind.RETURN and step > 1:
        raise Conflict("returned twice", say="这件事已经由上级定了归属，不能再退回。办不了请上报，写明要谁配合。")
    if not levels:
        raise Conflict("nobody above", say="上面没有可以决定的单位了，请直接联系市级平台。")
    return above[levels[min(step, len(levels) - 1)]]


async def grant(person: Person, case_id: int, kind: RequestKind, now: datetime, source: str = "") -> Case:
    """A second person agrees, and it happens."""
    async with transaction():
        work, request = await _decide(person, case_id, kind, _GRANTED[kind], (now, source))
        await _settle(request, RequestState.APPROVED, work, "")
        await carry_out(work, request)
        return await work.finish()


async def refuse(
    person: Person, case_id: int, reason: str, now: datetime, *, kind: RequestKind | None = None, source: str = ""
) -> tuple[Case, CaseRequest]:
    """The decider, or who a transfer is offered to, does not agree: the case stays where it is, the asker is told."""
    need(reason, "请说一句为什么不同意，申请的人会看到。")
    async with transaction():
        work, request = await _decide(person, case_id, kind, Verb.REFUSE, (now, source))
        work.step(Verb.REFUSE, f"不同意{NAMES[request.kind]}：{reason.strip()}", public=False)
        await _settle(request, RequestState.REFUSED, work, reason.strip())
        if asker := await post_of(request.asked_by_id):
            said = f"{work.actor}不同意{NAMES[request.kind]}：{notices.excerpt(reason)}。请继续处理。"
            work.journal.tell(notices.to_staff(work.case, asker, said))
        return await work.finish(), request


async def awaiting(person: Person, case_id: int, kind: RequestKind | None = None) -> CaseRequest | None:
    """The oldest open request (of this kind) that this person may decide; a transfer is decided by whom it is offered
    to."""
    post, case = person.post, await Case.get_or_none(id=case_id)
    if post is None or case is None:
        return None
    found = CaseRequest.filter(case_id=case_id, state=RequestState.OPEN)
    for request in await (found.filter(kind=kind) if kind else found).order_by("id"):
        if request.kind is RequestKind.TRANSFER:
            if request.to_staff_id == post.id:
                return request
        elif _high_enough(post, request) and post.area_id in await ancestors(case.grid_id or case.area_id):
            return request
    return None


def _high_enough(post: Post, request: CaseRequest) -> bool:
    independent = post.dispatches and post.id != request.asked_by_id
    return independent and post.level.rank >= request.decider_level.rank


async def _decide(
    person: Person, case_id: int, kind: RequestKind | None, verb: Verb, at: tuple[datetime, str]
) -> tuple[Work, CaseRequest]:
    """The locked case and its open request, when this person may decide it."""
    now, source = at
    request = await awaiting(person, case_id, kind)
    decides = request is not None and request.kind is not RequestKind.TRANSFER
    also = frozenset({Who.DECIDER}) if decides else frozenset[Who]()
    work = await begin(person, case_id, verb, now, source, also=also)
    # Again, now that the case is locked: somebody may have been faster.
    if request is None or await CaseRequest.filter(id=request.id, state=RequestState.OPEN).exists() is False:
        raise Conflict("nothing to decide", say="这件事现在没有等您决定的申请。")
    return work, request


async def _settle(request: CaseRequest, state: RequestState, work: Work, answer: str) -> None:
    request.state, request.decided_at, request.answer = state, work.now, answer
    request.decided_by_id = work.person.post.id if work.person.post else None
    await request.save()


async def carry_out(work: Work, request: CaseRequest) -> None:
    """Do what was asked, in the running transaction."""
    match request.kind:
        case RequestKind.RETURN:
            await _return(work, request)
        case RequestKind.EXTEND:
            await _extend(work, request)
        case RequestKind.SUSPEND:
            await _suspend(work, request)
        case _:
            await _void(work, request)
    if asker := await post_of(request.asked_by_id):
        said = f"{work.actor}同意{NAMES[request.kind]}。"
        work.journal.tell(notices.to_staff(work.case, asker, said))


async def _return(work: Work, request: CaseRequest) -> None:
    case = work.case
    work.step(Verb.RETURN, request.reason, public=False)
    case.returned += 1
    case.holder_id = case.dispatched_at = case.signed_at = None
    if work.person.post:
        case.area_id = work.person.post.area_id
    await milestones.set_dispatch_due(case, work.now)


async def _extend(work: Work, request: CaseRequest) -> None:
    case = work.case
    if request.until is None:
        raise Conflict("no day")
    await milestones.extend_due(case, request.until, work.now)
    until = say_latest(request.until, work.now)
    work.step(Verb.EXTEND, f"办理时间延长，{until}：{request.reason}")
    await tell_reporter(work, f"要多一点时间，{until}办好。原因：{notices.excerpt(request.reason)}。")


async def _suspend(work: Work, request: CaseRequest) -> None:
    case = work.case
    worktime.pause(case, work.now)
    case.pause, case.resume_at = Pause.PLANNED, request.until
    day = say_deadline(request.until, work.now).removesuffix("前") if request.until else ""
    work.step(Verb.SUSPEND, f"暂缓到{day}：{request.reason}")
    await tell_reporter(work, f"暂时办不了，{day}继续。原因：{notices.excerpt(request.reason)}。")


async def _void(work: Work, request: CaseRequest) -> None:
    work.case.closed_at, work.case.outcome = work.now, Outcome.VOID
    work.step(Verb.VOID, f"作废：{request.reason}")
    await tell_reporter(work, f"这件事已作废，原因：{notices.excerpt(request.reason)}。有疑问可以回复“人工”。")


async def wait_for_resident(person: Person, case_id: int, question: str, now: datetime, source: str = "") -> Case:
    """待补充: nothing can be done before the resident has answered; the clock stands until then."""
    need(question, "请写清楚要居民补充什么，居民会看到。")
    async with transaction():
        work = await begin(person, case_id, Verb.WAIT, now, source)
        worktime.pause(work.case, now)
        work.case.pause = Pause.RESIDENT
        work.step(Verb.WAIT, f"请居民补充：{question.strip()}")
        openid = await reporter_openid(work.case)
        work.journal.tell(notices.asks_resident(work.case, openid, work.actor, question.strip()))
        return await work.finish()


async def resume(person: Person, case_id: int, now: datetime, source: str = "") -> Case:
    """It goes on, before its day."""
    async with transaction():
        work = await begin(person, case_id, Verb.RESUME, now, source)
        await go_on(work, "继续处理")
        return await work.finish()


async def answered(work: Work) -> None:
    """The resident said what was missing: a case that waited for it goes on."""
    if work.case.pause is Pause.RESIDENT:
        await go_on(work, "收到补充，继续处理")


async def go_on(work: Work, text: str) -> None:
    """Let the clock run again and tell resident and holder, in the running transaction."""
    await worktime.resume(work.case, work.now)
    work.case.pause = work.case.resume_at = None
    by_resident = Who.REPORTER in work.who and work.person.post is None
    work.step(Verb.RESUME, text, actor="系统" if by_resident else "")
    due = f"，{say_latest(work.case.due_at, work.now)}" if work.case.due_at else ""
    await tell_reporter(work, f"{text}{due}。")
    holder = await post_of(work.case.holder_id)
    if holder and (work.person.post is None or holder.id != work.person.post.id):
        work.journal.tell(notices.to_staff(work.case, holder, f"{text}{due}。"))
