"""改为较急, 改为紧急: an open case becomes more urgent, and everybody who waits for it hears of the nearer time."""

from __future__ import annotations

from domain import notices
from domain.access import Work
from domain.clock import say_latest
from domain.milestones import bring_nearer, raise_urgency
from domain.waiting import listeners
from models.cases import Case
from models.enums import Urgency

_NAMES = {Urgency.URGENT: "紧急", Urgency.PRESSING: "较急"}


async def make_more_urgent(work: Work, to: Urgency, why: str) -> str:
    """Raise the case in the running transaction, if `to` is stricter than what it is; gives how staff are told, "" when
    it stays as it was.

    The residents are told the new promised time where it is nearer than the one they know; while the clock stands it is
    told when it goes on. Whoever acts is left out: the answer they get has it.
    """
    case, order = work.case, list(Urgency)
    if order.index(to) >= order.index(case.urgency):
        return ""
    nearer = await raise_urgency(case, to, work.now)
    due = f"，{say_latest(case.due_at, work.now)}" if nearer and case.due_at and not case.suspended_at else ""
    said = f"改为{_NAMES[to]}{due}"
    work.step(work.verb, f"{why}，{said}", actor="系统")
    if due:
        await _tell_residents(work, f"{why}，{said}办好。")
    return said


async def take_over_promise(work: Work, merged: Case) -> str:
    """What the reporter of a merged case was promised holds for the case it went into, where that is nearer and both
    clocks run; gives how staff are told, "" when nothing changes."""
    case, due = work.case, merged.due_at
    stands = case.suspended_at or merged.suspended_at
    if stands or due is None or case.due_at is None or not work.now < due < case.due_at:
        return ""
    case.handle_limit, case.alerted = merged.handle_limit, merged.alerted
    await bring_nearer(case, due, work.now)
    said = say_latest(due, work.now)
    work.step(work.verb, f"两件并成一件，{said}", actor="系统")
    await _tell_residents(work, f"两件并成一件，{said}办好。")
    return said


async def _tell_residents(work: Work, sentence: str) -> None:
    for openid in await listeners(work.case.id):
        if openid != work.person.openid:
            work.journal.tell(notices.progress(work.case, openid, sentence))
