"""What staff do with a case: sign, write progress, dispose, return, escalate, give to a grid, reject."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from domain import milestones, notices, reports, worktime
from domain.access import Work, begin
from domain.clock import SHANGHAI, say_latest
from domain.contacts import callers, is_contact
from domain.duplicates import followers_openids
from domain.duties import duty_of, find_duty, unit_at
from domain.people import Person, Post, post_of, posts_upward
from domain.privacy import mask
from domain.waiting import give_next
from errors import BadRequest, Conflict
from models.cases import Attachment, Case, Duty, Supervision
from models.database import transaction
from models.enums import Level, Outcome, Verifier
from models.people import Area, Resident
from models.transitions import Verb, Who

_SENTENCE = 10  # characters of a result where the duty list wants it in words


async def reporter_openid(case: Case) -> str:
    """Where to tell the resident; "" when they are unknown. Whether it arrives, the ladder finds out."""
    resident = await Resident.get_or_none(id=case.reporter_id) if case.reporter_id else None
    return resident.openid if resident else ""


async def tell_reporter(work: Work, sentence: str) -> None:
    """One sentence of what happened, to everybody who waits for it."""
    work.journal.tell(notices.progress(work.case, await reporter_openid(work.case), sentence))
    await _tell_followers(work, sentence)


async def _tell_followers(work: Work, sentence: str) -> None:
    """Neighbours hear what happened, and nobody's telephone number with it."""
    for openid in await followers_openids(work.case.id):
        work.journal.tell(notices.progress(work.case, openid, mask(sentence)))


async def sign(person: Person, case_id: int, now: datetime, source: str = "") -> Case:
    """The holder takes the case; the resident learns who."""
    async with transaction():
        work = await begin(person, case_id, Verb.SIGN, now, source)
        work.case.signed_at = now
        work.case.first_response_at = work.case.first_response_at or now
        work.step(Verb.SIGN, "接手处理")
        await tell_reporter(work, f"{work.actor}已接手。")
        return await work.finish()


async def write_note(
    person: Person, case_id: int, text: str, now: datetime, *, media: Sequence[reports.Media] = (), source: str = ""
) -> Case:
    """Progress the resident may read."""
    if not text.strip() and not media:
        raise BadRequest("empty note", say="还差一句进展，或一张照片。")
    async with transaction():
        work = await begin(person, case_id, Verb.NOTE, now, source)
        if Who.HOLDER in work.who:
            work.case.first_response_at = work.case.first_response_at or now
        work.step(Verb.NOTE, text or f"发了 {len(media)} 张照片")
        await reports.attach(work.case, media, work.journal, after=True)
        await tell_reporter(work, f"{work.actor}：{text or '发来现场照片。'}")
        return await work.finish()


async def dispose(
    person: Person,
    case_id: int,
    result: str,
    now: datetime,
    *,
    media: Sequence[reports.Media] = (),
    outcome: Literal["", "explained", "cannot"] = "",
    source: str = "",
) -> Case:
    """It is done: the result is written, and (where the duty list says so) the resident is asked at once.

    `outcome`: nothing could be done but explain, or nothing at all: then a reason is needed, and no photo.
    """
    async with transaction():
        work = await begin(person, case_id, Verb.DISPOSE, now, source)
        case = work.case
        await _check_supervised(case)
        duty = await duty_of(case, now)
        if outcome:
            need(result, "请写清楚原因，居民会看到。")
            case.outcome = Outcome(outcome)
        _check_result(case, result.strip(), media, None if outcome else duty)
        case.signed_at = case.signed_at or now
        case.first_response_at = case.first_response_at or now
        case.disposed_at = now
        case.result = result.strip() or "已处理，见照片"
        images = await reports.attach(case, media, work.journal, after=True)
        work.step(Verb.DISPOSE, case.result)
        checkers = await _checkers(case, duty.verifier if duty else Verifier.RESIDENT)
        if checkers:
            await milestones.set_verify_due(case, duty.verify_limit if duty else "")
        else:
            await _ask_resident(work, images)
        for post in checkers:
            work.journal.tell(notices.to_check(case, post, work.actor, images))
        await work.finish()
        await give_next(case, now)
        return case


async def _checkers(case: Case, verifier: Verifier) -> list[Post]:
    """Who looks at the result before the resident is asked; nobody who did the work themselves. Where there is no
    resident to ask somebody must: the community."""
    if verifier is Verifier.RESIDENT and case.reporter_id:
        return []
    others = [post for post in await posts_upward(case.grid_id or case.area_id) if post.id != case.holder_id]
    workers = [post for post in others if post.level is Level.GRID]
    if verifier is Verifier.GRID_WORKER and (workers or case.reporter_id):
        return workers
    above = [post for post in others if post.level is not Level.GRID]
    return [post for post in above if post.level is above[0].level]


def _check_result(case: Case, result: str, media: Sequence[reports.Media], duty: Duty | None) -> None:
    """What the duty list wants of a result."""
    if not result and not media:
        raise BadRequest("no result", say="还差处理后的照片，或一句结果。")
    if duty and duty.closing_text and len(result) < _SENTENCE:
        raise BadRequest("too short", say=f"{case.subject}办结要写清楚做了什么，至少十个字。")
    if duty and duty.closing_photo and not any(item.kind == "image" for item in media):
        raise BadRequest("photo needed", say=f"{case.subject}办结要有照片，还差一张处理后的照片。", need="photo")


async def _check_supervised(case: Case) -> None:
    waiting = await Supervision.filter(case_id=case.id, answered_at=None).order_by("id").first()
    if waiting:
        raise Conflict(
            "supervised",
            say=f"这件事在督办（{notices.excerpt(waiting.text)}），请先答复督办。",
            chat=f"回复“答复 {notices.serial(case.number)} 情况”。",
        )


async def _ask_resident(work: Work, images: list[str], checked_by: str = "系统") -> None:
    """`checked_by`: "" for who does this step."""
    work.case.verified_at = work.now
    openid = await reporter_openid(work.case)
    work.step(Verb.VERIFY, "请居民确认是否解决" if openid else "", actor=checked_by)
    holder = await post_of(work.case.holder_id)
    label = holder.label if holder else work.actor
    if is_contact(openid):
        for post in await callers(work.case):
            work.journal.tell(notices.to_call(work.case, post))
    elif openid:
        work.journal.tell(notices.ask_solved(work.case, openid, label, images))
    else:
        work.case.closed_at, work.case.outcome = work.now, work.case.outcome or Outcome.SOLVED
        work.step(Verb.CLOSE, "核查通过，办结", actor="系统")
    await _tell_followers(work, f"{label}已处理：“{notices.excerpt(work.case.result, 200)}”")


async def verify(person: Person, case_id: int, now: datetime, source: str = "") -> Case:
    """A dispatcher finds the result good; the resident is asked."""
    async with transaction():
        work = await begin(person, case_id, Verb.VERIFY, now, source)
        _check_independent(work)
        await _ask_resident(work, await _photos_of_result(case_id), checked_by="")
        return await work.finish()


async def _photos_of_result(case_id: int) -> list[str]:
    shown = Attachment.filter(case_id=case_id, after=True, kind="image").order_by("-id")
    return [photo.media_id for photo in await shown.limit(1)]


def _check_independent(work: Work) -> None:
    if Who.HOLDER in work.who:
        raise Conflict("own work", say="自己办的事不能自己核查，请别的同事来核查。")


async def rework(person: Person, case_id: int, reason: str, now: datetime, source: str = "") -> Case:
    """A dispatcher finds it is not done: the holder goes once more, in the next round."""
    need(reason, "请说一句哪里没做好。")
    async with transaction():
        work = await begin(person, case_id, Verb.REWORK, now, source)
        work.case.round += 1
        work.case.disposed_at = work.case.outcome = None
        await milestones.begin_again(work.case, now)
        work.step(Verb.REWORK, reason)
        if holder := await post_of(work.case.holder_id):
            work.journal.tell(notices.new_task(work.case, holder, now, [], f"请返工（{notices.excerpt(reason)}）"))
        return await work.finish()


async def escalate(person: Person, case_id: int, reason: str, now: datetime, source: str = "") -> tuple[Case, Post]:
    """Too hard here: one level up, to that level's staff. Gives the case and its new holder."""
    need(reason, "请说一句为什么要上报，比如“要换线路，得物业和街道”。")
    async with transaction():
        work = await begin(person, case_id, Verb.ESCALATE, now, source)
        holder = await climb(work, reason)
        if holder is None:
            raise Conflict("no level above", say="上面没有可以接手的单位了，请直接联系市级平台。")
        return await work.finish(), holder


async def climb(work: Work, reason: str) -> Post | None:
    """One level up in the running transaction; gives the new holder, None where no level is above."""
    case, now = work.case, work.now
    level = (await Area.get(id=case.area_id)).level
    above = [post for post in await posts_upward(case.grid_id or case.area_id) if post.level.rank > level.rank]
    if not above:
        return None
    holder = above[0]
    before = None if Who.RULE in work.who else await post_of(case.holder_id)
    await worktime.resume(case, now)
    case.pause = case.resume_at = None
    case.holder_id, case.area_id = holder.id, holder.area_id
    case.dispatched_at, case.signed_at = now, None
    duty = await duty_of(case, now)
    await milestones.set_sign_due(case, duty.sign_limit if duty else "")
    work.step(Verb.ESCALATE, f"上报{holder.label}：{reason}")
    due = f"，{say_latest(case.due_at, now)}答复您" if case.due_at and case.due_at > now else ""
    by = before.label if before else work.actor
    await tell_reporter(work, f"{reason}。已由{by}上报{holder.label}处理{due}。")
    notice = notices.new_task(case, holder, now, [], f"上报（{notices.excerpt(reason)}）")
    unit = await unit_at(case, holder.level, now)
    work.journal.tell(notices.with_unit(notice, case, unit.name) if unit else notice)
    return holder


async def recategorise(person: Person, case_id: int, to: tuple[str, str, str], now: datetime, source: str = "") -> Case:
    """Another kind of matter: (category code, subject, domain). Promised time and clock stay as they are."""
    async with transaction():
        work = await begin(person, case_id, Verb.RECATEGORISE, now, source)
        case, before = work.case, work.case.subject
        case.category, case.subject, case.domain = to
        duty = await find_duty(case.category, now.astimezone(SHANGHAI).date())
        case.duty_id = duty.id if duty else None
        work.step(Verb.RECATEGORISE, f"{before} → {case.subject}", public=False)
        return await work.finish()


async def reject(person: Person, case_id: int, reason: str, now: datetime, source: str = "") -> Case:
    """Not something the community can take on; the resident is told why."""
    need(reason, "请说一句不受理的原因，居民会看到。")
    async with transaction():
        work = await begin(person, case_id, Verb.REJECT, now, source)
        work.case.closed_at = now
        work.step(Verb.REJECT, reason)
        await tell_reporter(work, f"没有受理，原因：{reason}。有疑问可以回复“人工”。")
        return await work.finish()


async def reopen_as_superior(person: Person, case_id: int, reason: str, now: datetime, source: str = "") -> Case:
    """A superior sends a closed case back to the grid worker."""
    need(reason, "请说一句为什么要重新处理。")
    async with transaction():
        work = await begin(person, case_id, Verb.REOPEN, now, source)
        if Who.SUPERVISOR not in work.who:
            raise Conflict("not a superior", say="只有上级可以重新打开已经结束的事项。")
        await reopen(work, reason)
        return await work.finish()


async def reopen(work: Work, reason: str) -> Post | None:
    """Back to whoever had it, in a new round with a new time; gives them. Runs inside the caller's transaction."""
    case = work.case
    duty = await duty_of(case, work.now)
    work.step(Verb.REOPEN, reason)
    case.reopened += 1
    case.round += 1
    case.closed_at = case.outcome = case.solved = None
    case.signed_at = case.disposed_at = case.verified_at = None
    holder = await post_of(case.holder_id)
    if holder:
        await milestones.set_due(case, duty.handle_limit if duty else "", work.now)
        case.dispatched_at = work.now
        await milestones.set_sign_due(case, duty.sign_limit if duty else "")
        work.step(Verb.DISPATCH, f"重新交给{holder.label}", actor="系统")
        work.journal.tell(notices.new_task(case, holder, work.now, [], f"没解决（{notices.excerpt(reason)}）"))
        await _tell_followers(work, f"还没解决，已重新交给{holder.label}。")
    return holder


def need(text: str, say: str) -> None:
    """Refuse an action that wants a sentence and has none."""
    if not text.strip():
        raise BadRequest("a sentence is needed", say=say)


async def check_holder(person: Person, case_id: int, verb: str) -> None:
    """Refuse now what would be refused after the sentence was typed: `verb` as dispose, escalate, ask_return, note."""
    async with transaction():
        await begin(person, case_id, Verb(verb), datetime.now(tz=UTC))
