"""How it stands at a moment, grid by grid, and which cases are overdue or urgent: the daily round (日巡查)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.figures_counts import Period, scope_below
from models.database import fetch


@dataclass(frozen=True, slots=True)
class Standing:
    """One place. `reported`, `disposed`, `closed` are those of the day; the others how it stands now."""

    area_id: int
    community: str
    name: str
    reported: int
    disposed: int
    closed: int
    open: int
    overdue: int
    urgent: int


_OVERDUE = (
    "c.closed_at IS NULL AND c.status NOT IN ('disposed', 'verified') AND c.due_at < least($4::timestamptz, "
    "c.suspended_at)"
)
_STANDING = (
    """
    SELECT a.id AS area_id, CASE a.level WHEN 'grid' THEN coalesce(up.name, '') ELSE '' END AS community, a.name,
        count(*) FILTER (WHERE c.reported_at >= $2 AND c.reported_at < $3) AS reported,
        count(*) FILTER (WHERE c.disposed_at >= $2 AND c.disposed_at < $3) AS disposed,
        count(*) FILTER (WHERE c.closed_at >= $2 AND c.closed_at < $3 AND c.status = 'closed') AS closed,
        count(*) FILTER (WHERE c.closed_at IS NULL) AS open,
        count(*) FILTER (WHERE c.closed_at IS NULL AND c.urgency = 'urgent') AS urgent,
        count(*) FILTER (WHERE """  # noqa: S608 - constants of ours
    + _OVERDUE
    + """) AS overdue
    FROM cases c JOIN area a ON a.id = coalesce(c.grid_id, c.area_id) LEFT JOIN area up ON up.id = a.parent_id
    WHERE a.id = ANY ($1::int[]) AND (c.closed_at IS NULL OR c.closed_at >= $2 AND c.closed_at < $3
        OR c.reported_at >= $2 AND c.reported_at < $3 OR c.disposed_at >= $2 AND c.disposed_at < $3)
    GROUP BY a.id, a.level, a.name, a.code, up.name ORDER BY a.code
    """
)


async def standing(area_id: int, day: Period, now: datetime) -> list[Standing]:
    """Every place below an area that had something on its desk that day or has now, in the order of the codes."""
    scope = await scope_below(area_id)
    return [Standing(**row) for row in await fetch(_STANDING, scope.places, day.start, day.end, now)]


@dataclass(frozen=True, slots=True)
class Pressing:
    """One open case that somebody must look at."""

    number: str
    subject: str
    place: str
    area: str
    holder: str
    status: str
    urgent: bool
    reported_at: datetime
    due_at: datetime | None
    overdue: bool


_PRESSING = (
    """
    SELECT c.number, c.subject, c.place, a.name AS area, coalesce(s.name, '') AS holder, c.status,
        c.urgency = 'urgent' AS urgent, c.reported_at, c.due_at, coalesce("""  # noqa: S608 - the same
    + _OVERDUE
    + """, false) AS overdue
    FROM cases c JOIN area a ON a.id = coalesce(c.grid_id, c.area_id) LEFT JOIN staff s ON s.id = c.holder_id
    WHERE c.closed_at IS NULL AND a.id = ANY ($1::int[]) AND ($2::boolean AND """
    + _OVERDUE
    + """ OR NOT $2 AND c.urgency = 'urgent') ORDER BY c.due_at NULLS LAST, c.id LIMIT $3
    """
)


async def pressing(area_id: int, now: datetime, *, overdue: bool, limit: int = 1000) -> Sequence[Pressing]:
    """Open cases that are overdue, or (overdue=False) urgent, the earliest promised first."""
    scope = await scope_below(area_id)
    return [Pressing(**row) for row in await fetch(_PRESSING, scope.places, overdue, limit, now)]
