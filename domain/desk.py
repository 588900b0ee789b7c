"""What staff pages show: lists and search (`domain.desk_pages`), one case in full, a month at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from domain.access import access_case, reads_only
from domain.desk_pages import Filters, Page, Row, Sort, list_cases, overdue, search
from domain.figures_counts import COUNTS, EMPTY, Tally, scope_below
from domain.figures_months import month_counts
from domain.figures_settings import in_force
from domain.indicators import Values, values_of
from domain.lookup import Line, timeline
from domain.people import Person, ancestors
from domain.privacy import masked_case, masked_lines
from errors import NotAllowed, NotFound
from models.cases import Attachment, Case, CaseRequest
from models.database import fetch

__all__ = [
    "CaseView",
    "Dashboard",
    "Filters",
    "Page",
    "Part",
    "Row",
    "Sort",
    "dashboard",
    "list_cases",
    "overdue",
    "search",
    "view_case",
]


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case in full, as staff read it."""

    case: Case
    place: str
    holder: str
    department: str
    timeline: Sequence[Line]
    attachments: Sequence[Attachment]
    requests: Sequence[CaseRequest]
    followers: int


_AROUND = """
SELECT (SELECT string_agg(u.name, ' · ' ORDER BY u.steps DESC) FROM (
        WITH RECURSIVE up AS (
            SELECT id, parent_id, name, 0 AS steps FROM area WHERE id = coalesce(c.grid_id, c.area_id)
            UNION ALL SELECT a.id, a.parent_id, a.name, up.steps + 1 FROM up JOIN area a ON a.id = up.parent_id
        ) SELECT name, steps FROM up LIMIT 3) u) AS place,
    coalesce((SELECT name FROM staff WHERE id = c.holder_id), '') AS holder,
    coalesce((SELECT name FROM department WHERE id = c.department_id), '') AS department,
    (SELECT count(*) FROM follower f WHERE f.case_id = c.id) AS followers
FROM cases c WHERE c.id = $1
"""


async def view_case(person: Person, case_id: int) -> CaseView:
    """Everything about one case; NotFound where the person may not read it. A department's colleagues read no
    telephone numbers."""
    case = await access_case(person, case_id)
    around = (await fetch(_AROUND, case_id))[0]
    lines = await timeline(case, staff=person.post is not None)
    if await reads_only(person, case):
        case, lines = masked_case(case), masked_lines(lines)
    return CaseView(
        case,
        timeline=lines,
        attachments=await Attachment.filter(case_id=case_id).order_by("id"),
        requests=await CaseRequest.filter(case_id=case_id).order_by("id"),
        **around,
    )


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the front page: an area one step down, or the area itself (本级)."""

    area_id: int
    name: str
    values: Values


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A month of an area, exclusions not taken off: the whole, the month before, the parts, and how it stands now."""

    month: date
    area: str
    total: Values
    before: Values
    parts: Sequence[Part]
    open: int
    overdue: int


_STANDING = """
SELECT count(*) AS open, count(*) FILTER (WHERE c.status NOT IN ('disposed', 'verified')
    AND coalesce(c.due_at, '9999-12-31T00:00:00Z'::timestamptz) < least($2::timestamptz, c.suspended_at)) AS overdue
FROM cases c WHERE c.closed_at IS NULL AND coalesce(c.grid_id, c.area_id) = ANY ($1::int[])
"""


async def dashboard(person: Person, area_id: int, month: date, now: datetime) -> Dashboard:
    """The front page of a month. NotFound for an area that is not the person's own or below it."""
    if person.post is None:
        raise NotAllowed(f"{person.actor} has no desk", tag="area:read", object_id=area_id)
    if person.post.area_id not in await ancestors(area_id):
        raise NotFound(f"area {area_id}", tag="area:read", object_id=area_id)
    first = month.replace(day=1)
    scope = await scope_below(area_id)
    settings = (await in_force(first)).settings
    earlier = (first - timedelta(days=1)).replace(day=1)
    earlier_settings = (await in_force(earlier)).settings
    found = await month_counts(first, scope, settings)
    names = await _names([area_id, *found])
    standing = (await fetch(_STANDING, scope.places, now))[0]
    return Dashboard(
        first,
        names[area_id],
        values_of(_sum(list(found.values())), settings),
        values_of(_sum(list((await month_counts(earlier, scope, earlier_settings)).values())), earlier_settings),
        [Part(branch, names[branch], values_of(tally, settings)) for branch, tally in sorted(found.items())],
        **standing,
    )


def _sum(tallies: Sequence[Tally]) -> Tally:
    return Tally({name: sum(one.counts[name] for one in tallies) for name in COUNTS}) if tallies else EMPTY


async def _names(ids: Sequence[int]) -> dict[int, str]:
    rows: list[dict[str, Any]] = await fetch("SELECT id, name FROM area WHERE id = ANY ($1::int[])", ids)
    return {row["id"]: row["name"] for row in rows}
