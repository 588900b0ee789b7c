"""评价: is it solved, are you satisfied; what a resident does with their own case. Silence is never satisfaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain import notices
from domain.access import Work, begin
from domain.casework import reopen
from domain.journal import Journal
from domain.people import Person, Post, post_of, posts_upward
from domain.reports import Draft, add_media
from domain.requests import answered
from errors import BadRequest, Conflict, NotFound
from models.cases import Case
from models.database import transaction
from models.enums import Level, Outcome, Status
from models.transitions import Verb

_SATISFACTION = {3: "满意", 2: "基本满意", 1: "不满意"}


async def confirm_solved(person: Person, case_id: int, now: datetime, source: str = "") -> Case:
    """The reporter says it is solved: the case is closed."""
    async with transaction():
        work = await begin(person, case_id, Verb.CLOSE, now, source)
        _close(work, work.case.outcome or Outcome.SOLVED, "确认解决了")
        work.case.solved = True
        return await work.finish()


def _close(work: Work, outcome: Outcome, text: str) -> None:
    work.case.closed_at = work.now
    work.case.outcome = outcome
    work.step(Verb.CLOSE, text)


async def say_not_solved(
    person: Person, case_id: int, reason: str, now: datetime, *, within: timedelta, source: str = ""
) -> tuple[Case, Post | None, Post | None]:
    """The reporter says it is not solved. Gives (case, who has it again or None, who above was told or None).

    The first time reopens it; the second time closes it as unsolved and puts it before the level above,
    who can reopen it: the same round again and again helps nobody.
    """
    async with transaction():
        verb = Verb.REOPEN
        case = await Case.get_or_none(id=case_id)
        if case and case.reopened and case.status is Status.VERIFIED:
            verb = Verb.CLOSE
        work = await begin(person, case_id, verb, now, source)
        case = work.case
        _check_window(case, now, within)
        superior = await _superior(case)
        sentence = reason.strip() or "居民说没解决"
        holder: Post | None = None
        if verb is Verb.REOPEN:
            holder = await reopen(work, sentence)
            told = f"居民说没解决，已重新交给{holder.label if holder else '网格'}：“{notices.excerpt(sentence)}”"
        else:
            case.solved = False
            case.comment = reason.strip()
            _close(work, Outcome.CANNOT, sentence)
            again = f"重启 {notices.serial(case.number)} 原因"
            told = f"居民第二次说没解决：“{notices.excerpt(sentence)}”。请联系居民；回复“{again}”可重新处理。"
        if superior:
            work.journal.tell(notices.to_staff(case, superior, told))
        return await work.finish(), holder, superior


def _check_window(case: Case, now: datetime, within: timedelta) -> None:
    if case.status is not Status.CLOSED:
        return
    if case.reopened:
        raise Conflict(
            "reopened once", say="这件事已经重新处理过一次。请找网格员或社区。", chat="回复“人工”，社区会联系您。"
        )
    if case.closed_at and now - case.closed_at > within:
        raise Conflict("too late", say="这件事办结很久了。如果又出现了，请再反映一次，我们按新的事办。")


async def _superior(case: Case) -> Post | None:
    """The nearest staff above the holder's level, from the community on."""
    holder = await post_of(case.holder_id)
    rank = holder.level.rank if holder else Level.GRID.rank
    posts = await posts_upward(case.grid_id or case.area_id)
    return next((post for post in posts if post.level.rank > rank), None)


async def rate(person: Person, case_id: int, satisfaction: int, now: datetime, source: str = "") -> Case:
    """The reporter's satisfaction (3, 2 or 1) with a closed case; may be changed until they say something else."""
    if satisfaction not in _SATISFACTION:
        raise BadRequest(f"satisfaction {satisfaction}")
    async with transaction():
        case = await _own_closed_case(person, case_id)
        case.satisfaction = satisfaction
        await _log(case, person, ("rate", f"评价{_SATISFACTION[satisfaction]}"), now, source)
        return case


async def comment(person: Person, case_id: int, text: str, now: datetime, source: str = "") -> Case:
    """A sentence with the rating."""
    async with transaction():
        case = await _own_closed_case(person, case_id)
        case.comment = text.strip()[:2000]
        await _log(case, person, ("comment", case.comment), now, source)
        return case


async def _own_closed_case(person: Person, case_id: int) -> Case:
    case = await Case.filter(id=case_id, reporter_id=person.resident_id).select_for_update().get_or_none()
    if case is None:
        raise NotFound(f"case {case_id}", tag="case:rate", object_id=case_id)
    if case.status is not Status.CLOSED:
        raise Conflict(
            f"rating of case {case_id}", say="这件事还没有办结，办结后再请您评价。", tag="case:rate", object_id=case_id
        )
    return case


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a resident says of a result at once, in a form or on the telephone. None and "" = they did not say."""

    solved: bool | None = None
    satisfaction: int | None = None  # 3, 2 or 1
    words: str = ""


async def give_opinion(
    person: Person, case_id: int, opinion: Opinion, now: datetime, *, within: timedelta, source: str = ""
) -> Case:
    """The reporter answers 解决了吗, says how satisfied they are, adds a sentence: whatever of these they said."""
    if opinion.solved is False:
        return (await say_not_solved(person, case_id, opinion.words, now, within=within, source=source))[0]
    async with transaction():
        case = await confirm_solved(person, case_id, now, source) if opinion.solved else None
        if opinion.satisfaction:
            case = await rate(person, case_id, opinion.satisfaction, now, source)
        if opinion.words.strip():
            case = await comment(person, case_id, opinion.words, now, source)
    if case is None:
        raise BadRequest("no opinion", say="请选解决了没有，或者是否满意，也可以写一句话。")
    return case


async def _log(case: Case, person: Person, said: tuple[str, str], now: datetime, source: str) -> None:
    """Keep what the resident said about a closed case: (rate or comment, text)."""
    verb, text = said
    journal = Journal(now, source)
    journal.events.append({"verb": verb, "status": case.status, "actor": "居民", "text": text, "public": True})
    journal.audits.append({"actor": person.actor, "tag": f"case:{verb}", "before": case.status, "after": case.status})
    if holder := await post_of(case.holder_id):
        journal.tell(notices.to_staff(case, holder, text))
    await journal.write(case)


async def urge(person: Person, case_id: int, now: datetime, source: str = "") -> tuple[Case, Post | None]:
    """The reporter asks to hurry: the holder is told, and from the second time the level above too."""
    async with transaction():
        work = await begin(person, case_id, Verb.URGE, now, source)
        work.case.urged += 1
        work.step(Verb.URGE, f"第 {work.case.urged} 次催办")
        holder = await post_of(work.case.holder_id)
        superior = await _superior(work.case) if work.case.urged > 1 or holder is None else None
        for post in (holder, superior):
            if post:
                work.journal.tell(notices.to_staff(work.case, post, f"居民第 {work.case.urged} 次催办，请尽快处理。"))
        return await work.finish(), holder or superior


async def supplement(person: Person, case_id: int, text: str, now: datetime, source: str = "") -> Case:
    """The reporter adds what they forgot; the holder reads it."""
    if not text.strip():
        raise BadRequest("empty supplement", say="请说一句要补充的情况。")
    async with transaction():
        work = await begin(person, case_id, Verb.SUPPLEMENT, now, source)
        work.step(Verb.SUPPLEMENT, text.strip())
        await answered(work)
        if holder := await post_of(work.case.holder_id):
            work.journal.tell(notices.to_staff(work.case, holder, f"居民补充：“{notices.excerpt(text, 200)}”"))
        return await work.finish()


async def add(person: Person, case_id: int, extra: Draft, now: datetime, source: str = "") -> Case:
    """The reporter adds words, photos or a place, whatever of these `extra` has, in one step."""
    async with transaction():
        case = None
        if extra.media or extra.latitude is not None:
            case = await add_media(person, case_id, extra, now, source)
        if extra.description.strip() or case is None:
            case = await supplement(person, case_id, extra.description, now, source)
        return case


async def withdraw(person: Person, case_id: int, now: datetime, source: str = "") -> Case:
    """The reporter takes it back before anybody began."""
    async with transaction():
        work = await begin(person, case_id, Verb.WITHDRAW, now, source)
        if work.case.joined:
            number = notices.serial(work.case.number)
            raise Conflict("joined", say=f"{number} 还有邻居也在等结果，不能撤回。不用管它就行，办好了会问您。")
        work.case.closed_at = now
        work.case.outcome = Outcome.WITHDRAWN
        work.step(Verb.WITHDRAW, "撤回了")
        if holder := await post_of(work.case.holder_id):
            work.journal.tell(notices.to_staff(work.case, holder, "居民已撤回，不用处理了。"))
        return await work.finish()


async def close_silent(before: datetime, now: datetime, limit: int = 200) -> int:
    """Close cases that wait for an answer since before `before`, as unanswered: neither solved nor satisfied."""
    closed = 0
    for row in await Case.filter(status=Status.VERIFIED, verified_at__lt=before).limit(limit).values("id"):
        async with transaction():
            case = await Case.filter(id=row["id"]).select_for_update().get()
            if case.status is not Status.VERIFIED or case.verified_at is None or case.verified_at >= before:
                continue  # the resident answered in between
            case.status, case.closed_at, case.outcome = Status.CLOSED, now, case.outcome or Outcome.UNANSWERED
            journal = Journal(now, "job:close_silent")
            journal.event(Verb.CLOSE, Status.CLOSED, "系统", "一直没收到您的答复，先结案了")
            journal.audit("system", Verb.CLOSE, Status.VERIFIED, Status.CLOSED)
            await journal.write(case)
            closed += 1
    return closed
