"""协办 has an end: the assistant and whoever has the case are warned before it and told after it; each once.

A task lasts as long as the promised time of its case, wherever that moves to, unless it was given a time of its own.
The case is not escalated for it: it stays with its holder, and so does its own deadline.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from domain import notices, timing
from domain.access import Work, begin_by_rule
from domain.clock import say_deadline, say_latest, say_moment
from domain.deadlines import tell, tell_next
from domain.people import post_of
from domain.worktime import TimeLimit, Unit, due_at, limit_of, load_calendar
from models.cases import Assist, Case
from models.database import fetch, is_away, transaction
from models.enums import Status
from models.transitions import Verb

log = structlog.get_logger(__name__)

#: For a task of a case whose promised time is over, where nobody names a time.
ASSIST_WITHIN = TimeLimit(1, Unit.WORKING_DAYS)

_SOURCE = "job:assists"
_DUE = "SELECT id, case_id FROM assist WHERE watch_at <= $1 ORDER BY watch_at LIMIT $2"
_LOOK_AGAIN = "UPDATE assist SET watch_at = $2 WHERE id = $1"
_HOUR = timedelta(hours=1)


async def make_task(case: Case, staff_id: int, text: str, now: datetime, within: TimeLimit | None) -> Assist:
    """Write down a task in the running transaction. No time of its own is later than the promised one."""
    task = Assist(case_id=case.id, staff_id=staff_id, text=text, asked_at=now)
    runs = case.due_at is not None and case.due_at > (case.suspended_at or now)
    if within or not runs:
        own = await due_at(now, within or ASSIST_WITHIN)
        task.due_at = None if runs and not case.suspended_at and case.due_at and case.due_at <= own else own
    task.watch_at = min(await _stages(task, case), default=now + _HOUR)
    await task.save()
    return task


def due_of(task: Assist, case: Case) -> datetime | None:
    """By when the task must be done; None while nobody can say, because the clock of its case stands."""
    return task.due_at or (None if case.status is Status.SUSPENDED else case.due_at)


async def _stages(task: Assist, case: Case) -> list[datetime]:
    """When people are warned, and when the time is over; empty while nobody can say."""
    due = due_of(task, case)
    if due is None:
        return []
    calendar, unit = await load_calendar(), limit_of(case).unit
    left = (100 - _warned_at()) / 100
    return [calendar.shift(due, unit, -calendar.between(task.asked_at, due, unit) * left), due]


def _warned_at() -> int:
    return max(timing.current().warn_at, default=100)


async def watch_assists(now: datetime, limit: int = 200) -> int:
    """Warn of what is due soon and tell of what is overdue, one transaction a task; gives how many."""
    done = 0
    for row in await fetch(_DUE, now, limit):
        try:
            async with transaction():
                done += await _look(row["id"], row["case_id"], now)
        except Exception as error:
            if is_away(error):
                raise
            log.exception("assist not handled", assist=row["id"])
            await fetch(_LOOK_AGAIN, row["id"], now + _HOUR)  # it must not keep the others waiting
    return done


async def _look(task_id: int, case_id: int, now: datetime) -> bool:
    work = await begin_by_rule(case_id, Verb.NOTE, now, _SOURCE)  # the case first, as who answers does
    task = await Assist.get_or_none(id=task_id, done_at=None, watch_at__lte=now)
    if task is None:
        return False  # another watch was faster, or it is done
    stages = await _stages(task, work.case) if work else []
    reached = max((share for share, at in zip((_warned_at(), 100), stages, strict=False) if at <= now), default=0)
    tells = work is not None and _waits(work.case) and reached > task.alerted
    if work and tells:
        task.alerted = reached
        await _tell_both(work, task)
        await work.finish()
    task.watch_at = _next(work.case if work else None, task, stages, now)
    await task.save(update_fields=["alerted", "watch_at"])
    return tells


def _waits(case: Case) -> bool:
    """Whether the case still needs the task: somebody is at it, or it stands."""
    return case.status not in (Status.DISPOSED, Status.VERIFIED)


def _next(case: Case | None, task: Assist, stages: list[datetime], now: datetime) -> datetime | None:
    if case is None or task.alerted >= 100:
        return None
    return next((at for at in stages if at > now), now + _HOUR)


async def _tell_both(work: Work, task: Assist) -> None:
    assistant, holder = await post_of(task.staff_id), await post_of(work.case.holder_id)
    due = due_of(task, work.case)
    if assistant is None or due is None:
        return
    number, label = notices.serial(work.case.number), assistant.label
    if task.alerted < 100:
        work.step(Verb.NOTE, f"协办的时间快到了，提醒{label}", public=False)
        theirs = f"协办请{say_latest(due, work.journal.read_at)}做好，做好了回复“协办好了 {number} 结果”。"
        said = f"{label}的协办还没做好，应在{say_deadline(due, work.journal.read_at)}，请问一下。"
    else:
        was = say_moment(due, work.journal.read_at)
        work.step(Verb.NOTE, f"协办超过时限，已提醒{label}和经办人", public=False)
        theirs = f"协办已经超过时限（{was}），请马上做，做好了回复“协办好了 {number} 结果”。"
        said = f"{label}的协办超过时限（{was}）还没做好，请催一下，或者另外找人。"
    await tell(work, assistant, theirs)
    if holder:
        await tell(work, holder, said)
    else:
        await tell_next(work, said)
