"""改为较急, 改为紧急: an open case becomes more urgent, and everybody who waits for it hears of the nearer time."""

from __future__ import annotations

from domain import notices
from domain.access import Work
from domain.clock import say_latest
from domain.milestones import raise_urgency
from domain.waiting import listeners
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
        for openid in await listeners(case.id):
            if openid != work.person.openid:
                work.journal.tell(notices.progress(case, openid, f"{why}，{said}办好。"))
    return said
