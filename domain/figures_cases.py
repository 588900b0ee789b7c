"""The cases behind a figure, and what charts add to the indicators: each day's flow, and how it stands now.

A figure leads to exactly the cases it counted: the list is the same SQL as the count (`domain.figures_counts`), taken
case by case instead of all together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from domain.figures_counts import (
    CASES,
    CASES_OF_MANY,
    COUNTED,
    COUNTS,
    KEY,
    VALID,
    Period,
    Question,
    Scope,
    plan_for_these_values,
    values_for,
)
from domain.figures_settings import Settings
from errors import BadRequest
from models.database import fetch, transaction
from models.enums import Status

PAGE = 50
#: Due within so long and not done: at risk (临期).
SOON = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Sum:
    """Cases that any of the counts `of` has and none of `but`, of one line of a table (`key`; None = of all)."""

    of: Sequence[str]
    but: Sequence[str] = ()
    key: str | None = None


class Now(StrEnum):
    """How a case stands at this moment."""

    OPEN = "open"  # 未办结
    OVERDUE = "overdue"  # 超期
    SOON = "soon"  # 临期
    URGENT = "urgent"  # 紧急，未办结


@dataclass(frozen=True, slots=True)
class Listed:
    """One case behind a figure."""

    id: int
    number: str
    subject: str
    place: str
    status: Status
    area: str
    holder: str
    department: str
    reported_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    remaining: int = 0  # how many the whole list has from where its page begins


_SHOWN = """
SELECT c.id, c.number, c.subject, c.place, c.status, coalesce(above.name, '') || coalesce(a.name, '') AS area,
    coalesce(h.name, '') AS holder, coalesce(d.name, '') AS department, c.reported_at, c.due_at, c.closed_at
"""
_NAMED = """
JOIN cases c USING (id) LEFT JOIN area a ON a.id = coalesce(c.grid_id, c.area_id)
LEFT JOIN area above ON above.id = a.parent_id AND a.level = 'grid'
LEFT JOIN staff h ON h.id = c.holder_id LEFT JOIN department d ON d.id = c.department_id ORDER BY c.id DESC
"""
# $15, $16: the counts asked for, by their place; $17: the key; $18: before which id; $19: how many.
_REMAINING = ", behind.remaining "
_COUNTS_OF_EACH = (
    _SHOWN + _REMAINING + "FROM (SELECT id, count(*) OVER () AS remaining FROM (SELECT c.id" + COUNTED  # noqa: S608 - ours
)
_THESE = (
    " AND ($17::text IS NULL OR coalesce("  # noqa: S608 - the same
    + KEY
    + """, '') = $17) AND ($18::bigint IS NULL OR c.id < $18) GROUP BY c.id) each_case
    WHERE EXISTS (SELECT FROM unnest($15::int[]) AS i WHERE counts[i] > 0)
        AND NOT EXISTS (SELECT FROM unnest($16::int[]) AS i WHERE counts[i] > 0)
    ORDER BY id DESC LIMIT $19::int) behind """
    + _NAMED
)
_BEHIND = _COUNTS_OF_EACH + CASES + _THESE
_BEHIND_OF_MANY = _COUNTS_OF_EACH + CASES_OF_MANY + _THESE


async def cases_behind(
    question: Question, settings: Settings, wanted: Sum, *, before: int | None = None, limit: int = PAGE
) -> list[Listed]:
    """The cases a figure counted, the newest first, from `before` on. Raises BadRequest for a count there is not."""
    if not wanted.of or unknown(wanted.of) or unknown(wanted.but):
        raise BadRequest(f"counts {wanted.of} but {wanted.but}", say="没有这个数，请从看板点进来。")
    page = _places(wanted.of), _places(wanted.but), wanted.key, before, limit
    values = *values_for(question, settings), *page
    async with transaction():
        await plan_for_these_values()
        rows = await (fetch(_BEHIND_OF_MANY, *values) if question.scope.wide else fetch(_BEHIND, *values))
    return [Listed(**row | {"status": Status(row["status"])}) for row in rows]


def unknown(names: Sequence[str]) -> bool:
    """Whether one of these is the name of no count of cases."""
    return any(name not in COUNTS or name == "handle_seconds" for name in names)


def _places(names: Sequence[str]) -> list[int]:
    return [COUNTS.index(name) + 1 for name in names]


_TO_DO = "c.status NOT IN ('disposed', 'verified') AND "
# The same as the desk's: while the clock stands, it was over before it stood still.
_OVERDUE = _TO_DO + "c.due_at < least($3::timestamptz, c.suspended_at)"
_SOON = _TO_DO + "c.suspended_at IS NULL AND c.due_at >= $3 AND c.due_at < $4::timestamptz"
_OPEN_HERE = """
FROM cases c JOIN unnest($1::int[], $2::int[]) AS s(place, branch) ON s.place = coalesce(c.grid_id, c.area_id)
WHERE c.closed_at IS NULL
"""
_STANDING = (
    "SELECT s.branch AS area_id, count(*) AS open, count(*) FILTER (WHERE "
    + _OVERDUE
    + ") AS overdue, count(*) FILTER (WHERE "
    + _SOON
    + ") AS soon, count(*) FILTER (WHERE c.urgency = 'urgent') AS urgent "
    + _OPEN_HERE
    + " GROUP BY s.branch"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands now in one area; `area_id` 0 = the sum of several."""

    area_id: int
    open: int = 0
    overdue: int = 0
    soon: int = 0
    urgent: int = 0

    def __add__(self, other: Standing) -> Standing:
        """Both together."""
        return Standing(
            0,
            self.open + other.open,
            self.overdue + other.overdue,
            self.soon + other.soon,
            self.urgent + other.urgent,
        )


async def standing_now(scope: Scope, now: datetime) -> dict[int, Standing]:
    """How it stands now, branch by branch; those that have nothing open are left out."""
    async with transaction():
        await plan_for_these_values()
        rows = await fetch(_STANDING, scope.places, scope.branches, now, now + SOON)
    return {row["area_id"]: Standing(**row) for row in rows}


_NOW = (
    _SHOWN
    + _REMAINING
    + "FROM (SELECT c.id, count(*) OVER () AS remaining "
    + _OPEN_HERE
    + " AND CASE $5::text WHEN 'open' THEN true WHEN 'urgent' THEN c.urgency = 'urgent' WHEN 'overdue' THEN "
    + _OVERDUE
    + " ELSE "
    + _SOON
    + """ END AND ($6::bigint IS NULL OR c.id < $6) AND ($7::int IS NULL OR s.branch = $7)
    ORDER BY c.id DESC LIMIT $8::int) behind """
    + _NAMED
)


async def cases_now(
    scope: Scope, kind: Now, now: datetime, *, branch: int | None = None, before: int | None = None, limit: int = PAGE
) -> list[Listed]:
    """The cases that stand so at this moment, the newest first; of one branch alone where it is named."""
    values = (scope.places, scope.branches, now, now + SOON, kind.value, before, branch, limit)
    async with transaction():
        await plan_for_these_values()
        rows = await fetch(_NOW, *values)
    return [Listed(**row | {"status": Status(row["status"])}) for row in rows]


_SOME = (
    _SHOWN  # noqa: S608 - the same
    + "FROM (SELECT id FROM cases WHERE id = ANY ($1::int8[]) AND coalesce(grid_id, area_id) = ANY ($2::int[])) listed "
    + _NAMED
)


async def cases_of(scope: Scope, ids: Sequence[int]) -> list[Listed]:
    """Those of these cases that lie within the scope."""
    rows = await fetch(_SOME, ids, scope.places)
    return [Listed(**row | {"status": Status(row["status"])}) for row in rows]


@dataclass(frozen=True, slots=True)
class Day:
    """What came in and was done on one day."""

    day: date
    reported: int = 0
    disposed: int = 0
    closed: int = 0


_FLOW = (
    """
    SELECT (m.at AT TIME ZONE 'Asia/Shanghai')::date AS day, count(*) FILTER (WHERE m.what = 'reported') AS reported,
        count(*) FILTER (WHERE m.what = 'disposed') AS disposed, count(*) FILTER (WHERE m.what = 'closed') AS closed
    FROM cases c JOIN unnest($3::int[]) AS s(place) ON s.place = coalesce(c.grid_id, c.area_id)
    CROSS JOIN LATERAL (VALUES ('reported', c.reported_at, true), ('disposed', c.disposed_at, """  # noqa: S608
    + VALID
    + "), ('closed', c.closed_at, c.status = 'closed' AND "
    + VALID
    + """)) AS m(what, at, counts)
    WHERE m.counts AND m.at >= $1 AND m.at < $2 AND c.reported_at < $2 AND (c.reported_at >= $1
        OR c.disposed_at >= $1 AND c.disposed_at < $2 OR c.closed_at >= $1 AND c.closed_at < $2)
    GROUP BY 1
    """
)


async def flow(period: Period, scope: Scope) -> list[Day]:
    """Each day of the period, the quiet ones too."""
    async with transaction():
        await plan_for_these_values()
        rows = await fetch(_FLOW, period.start, period.end, scope.places)
    found = {row["day"]: Day(**row) for row in rows}
    days = (period.last_day - period.first_day).days + 1
    return [found.get(day, Day(day)) for day in (period.first_day + timedelta(days=n) for n in range(days))]
