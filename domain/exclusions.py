"""剔除: a case that does not count for an indicator. One asks with a reason, another approves; both figures stay.

What it changes is in `domain.indicators`: every table has its figures before and after exclusions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.access import access_case, reads_only
from domain.figures_counts import Period, scope_below
from domain.figures_table import BY_CODE
from domain.journal import audit
from domain.people import Person, ancestors
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.cases import Case
from models.database import fetch, transaction
from models.statistics import Exclusion

# The case before what refers to it: its audit trail goes on in the same transaction.
_CASE_FIRST = "SELECT FROM cases WHERE id = $1 FOR UPDATE"
_ITS_CASE_FIRST = "SELECT FROM cases WHERE id = (SELECT case_id FROM exclusion WHERE id = $1) FOR UPDATE"


async def ask(person: Person, case_id: int, reason: str, now: datetime, *, indicator: str = "") -> int:
    """Ask that a case does not count for one indicator, or ("") for any. Gives the exclusion's id.

    Any member of staff who may read the case may ask, but for those who only read it: colleagues of a department that
    has it. Raises BadRequest without a reason, Conflict when it was asked for already.
    """
    if person.post is None:
        raise NotAllowed(f"{person.actor} may not exclude", tag="case:exclude", object_id=case_id)
    if not reason.strip():
        raise BadRequest("exclusion without a reason", say="请写剔除的理由，考核表上会照登。")
    if indicator and indicator not in BY_CODE:
        raise BadRequest(f"no indicator {indicator!r}", say=f"没有叫“{indicator}”的指标，指标名见“口径”表。")
    async with transaction():
        await fetch(_CASE_FIRST, case_id)
        if await reads_only(person, await access_case(person, case_id)):
            raise NotAllowed(f"{person.actor} only reads case {case_id}", tag="case:ask_exclude", object_id=case_id)
        rows = await fetch(
            "INSERT INTO exclusion (case_id, indicator, reason, asked_by_id, asked_at) VALUES ($1, $2, $3, $4, $5) "
            "ON CONFLICT (case_id, indicator) DO NOTHING RETURNING id",
            case_id,
            indicator,
            reason.strip(),
            person.post.id,
            now,
        )
        if not rows:
            raise Conflict(f"case {case_id} is excluded or waits for it", say="这件事已经申请过剔除，不用再申请。")
        await audit(person.actor, "case:ask_exclude", case_id, now)
        return int(rows[0]["id"])


async def approve(person: Person, exclusion_id: int, now: datetime) -> Exclusion:
    """Approve it: a dispatcher whose area contains the case, and never the one who asked."""
    async with transaction():
        found = await _to_decide(person, exclusion_id)
        found.approved_by_id, found.approved_at = person.post.id if person.post else None, now
        await found.save()
        await audit(person.actor, "case:exclude", found.case_id, now)
        return found


async def refuse(person: Person, exclusion_id: int, now: datetime) -> None:
    """Do not approve it: the request is gone, its trace stays in the case's audit trail. Then it can be asked anew."""
    async with transaction():
        found = await _to_decide(person, exclusion_id)
        await found.delete()
        await audit(person.actor, "case:refuse_exclude", found.case_id, now)


async def find_waiting(case_id: int) -> Exclusion | None:
    """The oldest exclusion of a case that nobody has decided."""
    return await Exclusion.filter(case_id=case_id, approved_at=None).order_by("id").first()


async def _to_decide(person: Person, exclusion_id: int) -> Exclusion:
    """The open request, locked, if this person may decide it."""
    await fetch(_ITS_CASE_FIRST, exclusion_id)
    found = await Exclusion.filter(id=exclusion_id).select_for_update().get_or_none()
    case = await Case.get_or_none(id=found.case_id) if found else None
    if found is None or case is None:
        raise NotFound(f"exclusion {exclusion_id}", tag="case:exclude", object_id=None)
    post = person.post
    above = await ancestors(case.grid_id or case.area_id)
    if post is None or not post.dispatches or post.area_id not in above:
        raise NotAllowed(f"{person.actor} may not approve", tag="case:exclude", object_id=case.id)
    if post.id == found.asked_by_id:
        raise NotAllowed(
            "asked and approved by one person",
            say="自己申请的剔除不能自己批，请交给另一位同事。",
            tag="case:exclude",
            object_id=case.id,
        )
    if found.approved_at:
        raise Conflict(f"exclusion {exclusion_id} is approved", say="这条剔除已经批过了。")
    return found


@dataclass(frozen=True, slots=True)
class Excluded:
    """One line of the list of exclusions; `approved_by` is "" while it waits."""

    id: int
    number: str
    subject: str
    indicator: str
    reason: str
    asked_by: str
    approved_by: str
    approved_at: datetime | None


_LIST = """
SELECT x.id, c.number, c.subject, x.indicator, x.reason, a.name AS asked_by, coalesce(b.name, '') AS approved_by,
    x.approved_at
FROM exclusion x JOIN cases c ON c.id = x.case_id JOIN staff a ON a.id = x.asked_by_id
LEFT JOIN staff b ON b.id = x.approved_by_id
WHERE coalesce(c.grid_id, c.area_id) = ANY ($1::int[]) AND c.reported_at < $3
    AND (c.closed_at IS NULL OR c.closed_at >= $2 OR c.due_at >= $2)
ORDER BY x.id
"""


async def list_exclusions(area_id: int, period: Period) -> Sequence[Excluded]:
    """Exclusions of an area's cases that may concern the period, approved or waiting."""
    scope = await scope_below(area_id)
    rows = await fetch(_LIST, scope.places, period.start, period.end)
    return [Excluded(**row | {"indicator": _name(row["indicator"])}) for row in rows]


def _name(code: str) -> str:
    return BY_CODE[code].name if code in BY_CODE else "全部指标"
