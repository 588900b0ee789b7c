"""What happens when time runs out: warnings, notices, escalation level by level, and cases that wait for somebody.

Overdue is derived, never a status. `domain.milestones` knows when a case has to be looked at; here stands what is done
then. Stages of the promised time, in percent of the limit: the warnings to the holder (50 and 80 by default), at 100 a
notice to holder and superior, then each further half of the limit one level up, and at the top a supervision with a
required answer. `Case.alerted` keeps how much was used up when people were last told: each stage acts once a round, and
after an outage only the one that has come to be the most severe.

Any number of watches may run: the row lock and `watch_at` give each effect to one of them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from domain import notices, timing, worktime
from domain.access import Work, begin_by_rule
from domain.casework import climb, reporter_openid, tell_reporter
from domain.clock import say_date, say_latest, say_moment
from domain.journal import Notice
from domain.milestones import LISTED, dispatch_stages, next_stage, schedule, sign_alarm_at, stage_at, used
from domain.people import Post, post_of, posts_upward, stand_in
from domain.requests import go_on
from domain.supervision import ANSWER_WITHIN, raise_supervision
from models.cases import Case, CaseEvent
from models.database import fetch, is_away, transaction
from models.enums import Outcome, Pause, Status
from models.people import Area
from models.transitions import Verb

log = structlog.get_logger(__name__)

_SOURCE = "job:deadlines"
_DUE = "SELECT id FROM cases WHERE watch_at <= $1 ORDER BY watch_at LIMIT $2"
_LOCK = "SELECT id FROM cases WHERE id = $1 AND watch_at <= $2 FOR UPDATE SKIP LOCKED"
_LOOK_AGAIN = "UPDATE cases SET watch_at = $2 WHERE id = $1"
_NOT_BEFORE = "UPDATE cases SET watch_at = greatest(watch_at, $2) WHERE id = $1 AND watch_at IS NOT NULL"
_HOUR = timedelta(hours=1)


async def watch(now: datetime, limit: int = 200) -> int:
    """Do what is due, one transaction a case, the longest due first; gives how many cases something was done about."""
    done = 0
    for row in await fetch(_DUE, now, limit):
        try:
            done += await _look(row["id"], now)
        except Exception as error:
            if is_away(error):
                raise
            log.exception("deadline not handled", case=row["id"])
            await fetch(_LOOK_AGAIN, row["id"], now + _HOUR)  # it must not keep the others waiting
    return done


_UNANSWERED = """
SELECT id, case_id FROM supervision WHERE answered_at IS NULL AND reminded_at IS NULL AND due_at <= $1
ORDER BY due_at LIMIT $2
"""
_MISSED = """
UPDATE supervision SET reminded_at = $2 WHERE id = $1 AND answered_at IS NULL AND reminded_at IS NULL
RETURNING asked_by_id, due_at
"""


async def watch_answers(now: datetime, limit: int = 200) -> int:
    """督办 without an answer in time: the holder is asked again, whoever asked is told; once. Gives how many."""
    missed = 0
    for row in await fetch(_UNANSWERED, now, limit):
        async with transaction():
            work = await begin_by_rule(row["case_id"], Verb.NOTE, now, _SOURCE)  # the case first, as who answers does
            if (found := await fetch(_MISSED, row["id"], now)) and work:
                number, was = notices.serial(work.case.number), say_moment(found[0]["due_at"], work.journal.read_at)
                holder = await post_of(work.case.holder_id)
                label = holder.label if holder else "还没有人"
                work.step(Verb.NOTE, "督办没有按时答复", public=False)
                await tell(work, holder, f"督办还没有答复（应在{was}前），请回复“答复 {number} 情况”。")
                await tell(work, await post_of(found[0]["asked_by_id"]), f"{label}没有按时答复督办（应在{was}前）。")
                await work.finish()
                missed += 1
    return missed


async def unwatched(now: datetime) -> tuple[int, datetime | None]:
    """How many cases wait to be looked at, and since when the first does: what operations watch."""
    rows = await fetch("SELECT count(*) AS cases, min(watch_at) AS since FROM cases WHERE watch_at <= $1", now)
    return rows[0]["cases"], rows[0]["since"]


async def _look(case_id: int, now: datetime) -> bool:
    async with transaction():
        if not await fetch(_LOCK, case_id, now):
            return False  # another watch has it, or it moved on
        case = await Case.get(id=case_id)
        pause = await _act(case, now)
        if pause is None:
            await schedule(case)
            stuck = case.watch_at is not None and case.watch_at <= now
            await fetch(_LOOK_AGAIN, case_id, now + _HOUR if stuck else case.watch_at)
            return False
        await fetch(_NOT_BEFORE, case_id, now + pause)
        return True


async def _act(case: Case, now: datetime) -> timedelta | None:
    """Do the one thing that is due, and give the least time until the next; None when nothing is."""
    if case.watch_at is None:
        return None
    match case.status:
        case Status.REPORTED | Status.DISPOSED:
            return await _stands_still(case, now)
        case Status.ACCEPTED | Status.DISPATCHED | Status.DISPOSING:
            return await _promised(case, now)
        case Status.SUSPENDED if case.pause is Pause.RESIDENT:
            return await _waits_for_resident(case, now)
        case Status.SUSPENDED:
            return await _goes_on(case, now)
        case Status.VERIFIED:
            return await _asks_again(case, now)
    return None


async def _superiors(case: Case) -> list[Post]:
    """Who is above the case's own level: one for each level, the nearest first; deputies for who is away."""
    rank = (await Area.get(id=case.area_id)).level.rank
    above: dict[int, Post] = {}
    for post in await posts_upward(case.grid_id or case.area_id):
        if post.level.rank > rank:
            above.setdefault(post.level.rank, post)
    return list(above.values())


async def tell(work: Work, post: Post | None, sentence: str) -> None:
    """One sentence about the case to a member of staff, or to who stands in for them."""
    if post:
        there = await stand_in(post, work.now) or post
        work.journal.tell(notices.to_staff(work.case, there, sentence))


async def _promised(case: Case, now: datetime) -> timedelta | None:
    stage = next_stage(case)
    at = await stage_at(case, stage) if stage else None
    if stage and at and at <= now:
        reached = min(max(stage, await used(case, now)), LISTED - 1)
        if reached < 100:
            return await _warn(case, now, reached)
        if reached < 100 + timing.current().escalate_every:
            return await _overdue(case, now, reached)
        return await _escalate(case, now, reached)
    alarm = sign_alarm_at(case)
    if alarm and alarm <= now:
        return await _unsigned(case, now)
    passed = sum(at <= now for at in await dispatch_stages(case))
    return await _not_given(case, now, passed) if passed > case.reminded else None


async def _warn(case: Case, now: datetime, reached: int) -> timedelta | None:
    work = await begin_by_rule(case.id, Verb.NOTE, now, _SOURCE)
    if work is None or case.due_at is None:
        return None
    number = notices.serial(case.number)
    holder = await post_of(case.holder_id)
    work.case.alerted = reached
    work.step(Verb.NOTE, f"时限已用 {reached}%，提醒{holder.label if holder else '上级派人'}", public=False)
    said = f"时限已用 {reached}%，请{say_latest(case.due_at, work.journal.read_at)}办好。"
    if holder:
        await tell(work, holder, f"{said}来不及就回复“延期 {number} 3天 原因”，办不了回复“上报 {number} 原因”。")
    else:
        await tell_next(work, f"{said}现在还没有人办，请回复“派 {number} 网格名”。")
    await work.finish()
    return _HOUR / 60


async def tell_next(work: Work, sentence: str) -> None:
    """To the level that must give the case to somebody."""
    for post in await _staff_of(work.case.area_id):
        await tell(work, post, sentence)


async def _staff_of(area_id: int) -> list[Post]:
    """An area's own staff, else those of the next level above."""
    posts = await posts_upward(area_id)
    return [post for post in posts if post.level is posts[0].level]


async def _overdue(case: Case, now: datetime, reached: int) -> timedelta | None:
    work = await begin_by_rule(case.id, Verb.NOTE, now, _SOURCE)
    if work is None or case.due_at is None:
        return None
    number, was = notices.serial(case.number), say_moment(case.due_at, work.journal.read_at)
    holder = await post_of(case.holder_id)
    # The superior need not hear of the missing signature too, nor that it is given to nobody.
    work.case.alerted, work.case.reminded = reached, max(case.reminded, 2 if case.status is Status.ACCEPTED else 1)
    work.step(Verb.NOTE, "超过时限，已提醒经办人和上级", public=False)
    await tell(work, holder, f"已经超过时限（{was}），请马上处理。办不了回复“上报 {number} 原因”。")
    if holder is None:
        await tell_next(work, f"已经超过时限（{was}），还没有人办，请回复“派 {number} 网格名”。")
    for superior in (await _superiors(case))[:1]:
        await tell(work, superior, f"{holder.label if holder else '这件事'}已经超过时限（{was}），请过问。")
    await work.finish()
    return _HOUR / 60


async def _escalate(case: Case, now: datetime, reached: int) -> timedelta | None:
    work = await begin_by_rule(case.id, Verb.ESCALATE, now, _SOURCE)
    if work is None:
        return None
    before = await post_of(case.holder_id)
    holder = await climb(work, "超过时限还没办好")
    if holder is None:
        return await _list_for_supervision(case, now)
    work.case.alerted = reached
    await tell(work, before, f"超过时限，系统已上报{holder.label}，请配合处理。")
    await work.finish()
    return _HOUR / 60


async def _list_for_supervision(case: Case, now: datetime) -> timedelta | None:
    """No level is above: it is put on the list of what must be answered for."""
    work = await begin_by_rule(case.id, Verb.SUPERVISE, now, _SOURCE)
    if work is None:
        return None
    work.case.alerted = LISTED
    answer_by = await worktime.due_at(now, ANSWER_WITHIN)
    await raise_supervision(work, "超过时限，上面没有更高一级了，请说明情况和办好的时间", answer_by)
    return _HOUR / 60


async def _unsigned(case: Case, now: datetime) -> timedelta | None:
    """Nobody has signed: the holder is asked once more, the level above hears of it."""
    work = await begin_by_rule(case.id, Verb.NOTE, now, _SOURCE)
    holder = await post_of(case.holder_id)
    if work is None or case.sign_due_at is None or holder is None:
        return None
    number, was = notices.serial(case.number), say_moment(case.sign_due_at, work.journal.read_at)
    work.case.reminded = 1
    work.step(Verb.NOTE, f"{holder.label}没有按时接手，已告诉上级", public=False)
    await tell(work, holder, f"还没有接（应在{was}前）。请回复“接 {number}”，不归您办就回复“退回 {number} 原因”。")
    for superior in (await _superiors(case))[:1]:
        await tell(work, superior, f"{holder.label}还没有接（应在{was}前），请联系，或回复“转办 {number} 名字 原因”。")
    await work.finish()
    return _HOUR / 60


async def _not_given(case: Case, now: datetime, passed: int) -> timedelta | None:
    """It was sent back, and nobody gives it to somebody else: they are reminded, then the level above hears of it, and
    after as much time again that level has it."""
    if passed > 2:
        return await _take_up(case, now, passed)
    work = await begin_by_rule(case.id, Verb.NOTE, now, _SOURCE)
    if work is None or case.dispatch_due_at is None:
        return None
    number, due = notices.serial(case.number), case.dispatch_due_at
    work.case.reminded = passed
    if passed == 1:
        work.step(Verb.NOTE, "派遣时限快到了，已提醒", public=False)
        await tell_next(
            work, f"退回后还没有派给别人，请{say_latest(due, work.journal.read_at)}回复“派 {number} 网格名”。"
        )
    else:
        was = say_moment(due, work.journal.read_at)
        work.step(Verb.NOTE, "退回后没有按时派给别人，已告诉上级", public=False)
        await tell_next(work, f"退回后还没有派给别人（应在{was}前），请马上回复“派 {number} 网格名”。")
        for superior in (await _superiors(case))[:1]:
            await tell(work, superior, f"退回后还没有派给别人（应在{was}前），请过问。")
    await work.finish()
    return _HOUR / 60


async def _take_up(case: Case, now: datetime, passed: int) -> timedelta | None:
    work = await begin_by_rule(case.id, Verb.ESCALATE, now, _SOURCE)
    if work is None:
        return None
    work.case.reminded = passed  # where no level is above, the promised time alone goes on
    if holder := await climb(work, "一直没有派人"):
        for post in await _staff_of(case.area_id):
            await tell(work, post, f"退回后没有按时派给别人，系统已上报{holder.label}，请配合处理。")
    await work.finish()
    return _HOUR / 60


async def _stands_still(case: Case, now: datetime) -> timedelta | None:
    """Nobody takes it on, or nobody looks at the result: the next level hears of it, then the next."""
    work = await begin_by_rule(case.id, Verb.NOTE, now, _SOURCE)
    due = case.accept_due_at if case.status is Status.REPORTED else case.verify_due_at
    since = case.reported_at if case.status is Status.REPORTED else case.disposed_at
    superiors = await _superiors(case)
    if work is None or due is None or since is None or not superiors:
        return None
    number, was = notices.serial(case.number), say_moment(due, work.journal.read_at)
    told = superiors[min(case.reminded, len(superiors) - 1)]
    work.case.reminded = case.reminded + 1 if case.reminded + 1 < len(superiors) else 99  # nobody is left to tell
    step = "受理" if case.status is Status.REPORTED else "核查"
    if case.status is Status.REPORTED:
        sentence = f"还没有受理（应在{was}前）。请回复“派 {number} 网格名”，或“不受理 {number} 原因”。"
    else:
        sentence = f"已经办好，还没有核查（应在{was}前）。请回复“核查 {number}”，或“返工 {number} 原因”。"
    work.step(Verb.NOTE, f"{step}超时，已告诉{told.label}", public=False)
    await tell(work, told, sentence)
    await work.finish()
    return max(due - since, _HOUR)


async def _goes_on(case: Case, now: datetime) -> timedelta | None:
    """挂账 until a day, and the day has come."""
    if case.resume_at is None or case.resume_at > now:
        return None
    work = await begin_by_rule(case.id, Verb.RESUME, now, _SOURCE)
    if work is None:
        return None
    await go_on(work, "到期了，继续处理")
    await work.finish()
    return _HOUR / 60


async def _waits_for_resident(case: Case, now: datetime) -> timedelta | None:
    """The resident was asked something: they are reminded, and after the last reminder the case is closed."""
    held = timing.current()
    if case.suspended_at is None or case.suspended_at + held.remind_after * int(case.reminded + 1) > now:
        return None
    if case.reminded >= held.reminders:
        return await _close_unanswered(case, now)
    work = await begin_by_rule(case.id, Verb.NOTE, now, _SOURCE)
    if work is None:
        return None
    work.case.reminded += 1
    asked = await CaseEvent.filter(case_id=case.id, verb=Verb.WAIT).order_by("-id").first()
    question = notices.excerpt(asked.text.removeprefix("请居民补充："), 200) if asked else "更多情况"
    last = now + held.remind_after * int(held.reminders - case.reminded)
    work.step(Verb.NOTE, f"第 {work.case.reminded} 次提醒居民补充", public=False)
    closing = f"到 {say_date(last, now)}还没有回复，就先结案了。"
    await tell_reporter(work, f"还在等您补充：“{question}”\n请回复“补充”。{closing}")
    await work.finish()
    return held.remind_after


async def _close_unanswered(case: Case, now: datetime) -> timedelta | None:
    work = await begin_by_rule(case.id, Verb.CLOSE, now, _SOURCE)
    if work is None:
        return None
    work.case.closed_at, work.case.outcome = now, Outcome.UNANSWERED
    work.step(Verb.CLOSE, "一直没等到居民补充，先结案了")
    await tell_reporter(work, "一直没等到您的补充，先结案了。还需要处理的话，请直接再说一次。")
    await tell(work, await post_of(case.holder_id), "居民一直没有补充，已经结案，不用再办了。")
    await work.finish()
    return _HOUR / 60


async def _asks_again(case: Case, now: datetime) -> timedelta | None:
    """解决了吗 was asked and not answered: asked once more, halfway to the day on which silence closes the case."""
    silence = timing.current().silence
    if case.reminded or case.verified_at is None or case.verified_at + silence / 2 > now:
        return None
    work = await begin_by_rule(case.id, Verb.NOTE, now, _SOURCE)
    if work is None:
        return None
    work.case.reminded = 1
    work.step(Verb.NOTE, "提醒居民确认是否解决", public=False)
    last = say_date(max(case.verified_at + silence, now), now)
    said = notices.progress(work.case, await reporter_openid(case), f"解决了吗？到 {last}没有答复就结案了。")
    work.journal.tell(Notice(said.recipient, said.text, notices.solved_choices(case), said.fields))
    await work.finish()
    return _HOUR / 60
