"""A case as one person reads it, and the lists people work from: what I reported, what I have to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from domain.access import relation, verbs_of
from domain.duplicates import Similar, followed
from domain.files import shown_to
from domain.lookup import Line, in_order, timeline
from domain.patrols import need_post
from domain.people import Person, post_of
from domain.privacy import masked_case, masked_lines
from domain.requests import awaiting
from errors import NotFound
from models.cases import Attachment, Case
from models.database import fetch
from models.enums import RequestKind, Status, Urgency
from models.people import Area
from models.transitions import Verb, Who

__all__ = [
    "Attachment",
    "Case",
    "Reading",
    "RequestKind",
    "Similar",
    "Status",
    "Urgency",
    "own_page",
    "place_of",
    "read_case",
    "read_followed",
    "task_page",
    "to_check",
]


@dataclass(frozen=True, slots=True)
class Reading:
    """A case as far as this person may read it. `may`: what they may do with it now."""

    case: Case
    relation: Literal["reporter", "staff"]
    holder: str
    grid: str
    lines: Sequence[Line]
    photos: Sequence[Attachment]
    may: frozenset[str]
    request: str  # what somebody asks this person to decide: return, extend …; "" = nothing
    who: frozenset[Who]


async def read_case(person: Person, case_id: int) -> Reading:
    """Everything a person may read of a case. Raises NotFound."""
    case = await Case.get_or_none(id=case_id)
    who = await relation(person, case) if case else frozenset()
    if case is None or not who:
        raise NotFound(f"case {case_id}", tag="case:read", object_id=case_id)
    staff = bool(who - {Who.REPORTER})
    lines = await timeline(case, staff=staff)
    found = await Attachment.filter(case_id=case_id).order_by("id")
    photos = found if staff else await shown_to(person, case, found)
    shown = case
    if who == {Who.COLLEAGUE}:
        shown, lines = masked_case(case), masked_lines(lines)
    holder, grid = await post_of(case.holder_id), await Area.get_or_none(id=case.grid_id)
    request = await awaiting(person, case_id)
    return Reading(
        shown,
        "staff" if staff else "reporter",
        holder.label if holder else "",
        grid.name if grid else "",
        lines,
        photos,
        _may(person, case, who, request.kind if request else None),
        request.kind.value if request else "",
        who,
    )


_DECIDED = {Verb.RETURN, Verb.EXTEND, Verb.SUSPEND, Verb.VOID, Verb.REFUSE}


def _may(person: Person, case: Case, who: frozenset[Who], asked: RequestKind | None) -> frozenset[str]:
    verbs = {str(verb) for verb in verbs_of(who, case) - _DECIDED}
    if Who.HOLDER in who:
        verbs.discard("verify")  # their own work somebody else checks
    if asked:
        verbs |= {"decide"}
    if case.status is Status.CLOSED and case.reporter_id == person.resident_id:
        verbs |= {"rate"}
    return frozenset(verbs)


async def read_followed(person: Person, case_id: int) -> Similar:
    """A neighbour's case this person joined, as far as joiners may read it. Raises NotFound."""
    rows = await fetch("SELECT 1 FROM follower WHERE case_id = $1 AND resident_id = $2", case_id, person.resident_id)
    case = await Case.get_or_none(id=case_id) if rows else None
    found = await followed(person, case.number, 5) if case else []
    for one in found:
        if one.case_id == case_id:
            return one
    raise NotFound(f"case {case_id}", tag="case:read", object_id=case_id)


_OWN = """
SELECT id FROM cases WHERE reporter_id = $1 AND ($2::bigint IS NULL OR id < $2)
    AND ($3::boolean IS NULL OR (closed_at IS NULL) = $3)
ORDER BY id DESC LIMIT $4
"""


async def own_page(person: Person, *, before: int | None, open_only: bool | None, limit: int) -> list[Case]:
    """What a resident reported, newest first, from the case id `before` on."""
    if not person.resident_id:
        return []
    rows = await fetch(_OWN, person.resident_id, before, open_only, limit)
    return await in_order([row["id"] for row in rows])


# $1 who, $2 and $3 where the page goes on: (due time, id).
_TASKS = """
SELECT id FROM cases WHERE holder_id = $1 AND status IN ('dispatched', 'disposing') AND closed_at IS NULL
    AND ($2::timestamptz IS NULL OR (coalesce(due_at, '9999-12-31T00:00:00Z'::timestamptz), id) > ($2, $3::bigint))
ORDER BY coalesce(due_at, '9999-12-31T00:00:00Z'::timestamptz), id LIMIT $4
"""
_NEVER = datetime(9999, 12, 31, tzinfo=UTC)
Place = tuple[datetime, int]


def place_of(case: Case) -> Place:
    """Where a page that ends with this case goes on."""
    return case.due_at or _NEVER, case.id


async def task_page(person: Person, *, after: Place | None, limit: int) -> list[Case]:
    """A member of staff's to-do, what is due first in front. Raises NotAllowed for a resident."""
    post = need_post(person, "task:list")
    rows = await fetch(_TASKS, post.id, *(after or (None, None)), limit)
    return await in_order([row["id"] for row in rows])


# What a dispatcher or the worker of the grid should look at: done by somebody else.
_CHECKS = """
WITH RECURSIVE mine AS (
    SELECT id FROM area WHERE id = $1 UNION ALL SELECT a.id FROM area a JOIN mine ON a.parent_id = mine.id
)
SELECT id FROM cases WHERE status = 'disposed' AND closed_at IS NULL AND holder_id IS DISTINCT FROM $2
    AND coalesce(grid_id, area_id) IN (SELECT id FROM mine)
ORDER BY verify_due_at NULLS LAST, id LIMIT $3
"""


async def to_check(person: Person, limit: int = 50) -> list[Case]:
    """Results that wait for somebody of this person's area to look at them, and not their own work."""
    post = need_post(person, "task:list")
    if post.department_id is not None:
        return []
    return await in_order([row["id"] for row in await fetch(_CHECKS, post.area_id, post.id, limit)])
