"""Accepted cases that wait because everybody whose duty it is has enough or is away: who frees up gets the next."""

from __future__ import annotations

from datetime import datetime

from domain import notices
from domain.access import begin_by_rule
from domain.clock import say_latest
from domain.milestones import set_sign_due
from domain.routing import give, route
from models.cases import Case
from models.database import fetch, transaction
from models.transitions import Verb

# The longest waiting of each unit, emergencies first; a unit that is full costs the others nothing.
_WAITING = """
SELECT id, area_id, department_id FROM (
    SELECT id, area_id, department_id, urgency, accepted_at,
        row_number() OVER (PARTITION BY area_id, department_id ORDER BY urgency <> 'urgent', accepted_at, id) AS place
    FROM cases WHERE status = 'accepted' AND holder_id IS NULL AND returned = 0 AND closed_at IS NULL
        AND ($1::int IS NULL OR area_id = $1 AND department_id IS NOT DISTINCT FROM $3::int)
) AS waiting WHERE place <= $2 ORDER BY urgency <> 'urgent', accepted_at, id
"""
_EACH = 20  # cases of one unit that are tried in one round


async def refill(now: datetime) -> int:
    """Give waiting cases to whoever is free now, emergencies first, then the oldest; gives how many found somebody.

    What was sent back waits for a person's decision and is left alone. Each case is one transaction.
    """
    given, full = 0, set[tuple[int, int | None]]()
    for row in await fetch(_WAITING, None, _EACH, None):
        unit = (row["area_id"], row["department_id"])
        if unit in full:
            continue
        found = await _give_one(row["id"], now)
        given += found is True
        if found is False:
            full.add(unit)
    return given


async def give_next(done: Case, now: datetime) -> None:
    """Somebody has finished `done`: the next that waits for the same unit. One at most, in the running transaction: to
    hold the locks of several units at once could end in a deadlock."""
    for row in await fetch(_WAITING, done.area_id, _EACH, done.department_id):
        if await _give_one(row["id"], now) is not None:
            return


async def _give_one(case_id: int, now: datetime) -> bool | None:
    """Whether somebody was found; None for a case that somebody else is at just now or was faster with."""
    async with transaction():
        if not await fetch("SELECT FROM cases WHERE id = $1 FOR UPDATE SKIP LOCKED", case_id):
            return None
        work = await begin_by_rule(case_id, Verb.DISPATCH, now, "job:refill")
        if work is None:
            return None
        case = work.case
        way = await route(case, now)
        holder = give(case, way, work.journal)
        if holder is None:
            return False
        await set_sign_due(case, way.limits["sign_limit"])
        due = f"，{say_latest(case.due_at, now)}" if case.due_at else ""
        for openid in await listeners(case.id):
            work.journal.tell(notices.progress(case, openid, f"已交给{holder.label}{due}。"))
        work.journal.tell(notices.new_task(case, holder, now, []))
        await work.finish()
        return True


async def listeners(case_id: int) -> list[str]:
    """Everybody who is told of a case's progress: the reporter and who follows it."""
    rows = await fetch(
        "SELECT r.openid FROM cases c JOIN resident r ON r.id = c.reporter_id WHERE c.id = $1 "
        "UNION SELECT r.openid FROM follower f JOIN resident r ON r.id = f.resident_id WHERE f.case_id = $1",
        case_id,
    )
    return sorted(row["openid"] for row in rows)
