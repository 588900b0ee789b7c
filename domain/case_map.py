"""Open cases where they lie: each by itself while they are few, counted area by area where they are many.

Everybody sees here what their lists show (`domain.desk_pages`): nothing more is read than what is open, and of that
never more than `MOST` cases one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from domain.clock import SHANGHAI
from domain.desk_pages import sight_of
from domain.figures_counts import Scope, plan_for_these_values, scope_below
from domain.overview import Shape, View, grids_below, view_area
from domain.people import Person
from domain.privacy import mask
from models.database import fetch, transaction
from models.enums import Status

#: Cases that are shown one by one, and areas that are counted, at most.
MOST, MOST_AREAS = 300, 120


class Pace(StrEnum):
    """How a case stands with its time; the first that fits."""

    OVERDUE = "overdue"  # 超时
    URGENT = "urgent"  # 紧急
    TODAY = "today"  # 今天到期
    CALM = "calm"  # 没到期: later, nothing promised, done and not yet checked


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the map, in degrees."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which open cases: of an area (None = one's own), of a kind, in one pace, within a part of the map."""

    area_id: int | None = None
    category: str | None = None
    pace: Pace | None = None
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Pin:
    """One case; without a position where nobody told one."""

    id: int
    number: str
    subject: str
    place: str
    area: str
    area_id: int
    status: Status
    pace: Pace
    due_at: datetime | None
    longitude: float | None
    latitude: float | None


@dataclass(frozen=True, slots=True)
class Heap:
    """What is open in one area; `own`: what lies at that area itself and not further down (本级, 未分网格)."""

    area_id: int
    name: str
    paces: Mapping[Pace, int]
    own: bool

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self.paces.values())


@dataclass(frozen=True, slots=True)
class Ground:
    """What a map shows: `pins`, or where these would be too many `heaps`. `paces` counts the whole, whatever pace was
    asked for. `more`: not all could be shown."""

    view: View
    shapes: Sequence[Shape]
    branch_of: Mapping[int, int]  # of each grid: the area it is counted with
    paces: Mapping[Pace, int]
    pins: Sequence[Pin] = field(default_factory=tuple)
    heaps: Sequence[Heap] = field(default_factory=tuple)
    more: bool = False


# $3: the holder whose cases they must be; $4: the department that must have them or assist with them, $5 who works
# there; $6: the kind; $7: now; $8: when today ends.
_PACE = """
CASE WHEN c.status NOT IN ('disposed', 'verified') AND c.due_at < least($7::timestamptz, c.suspended_at) THEN 'overdue'
    WHEN c.urgency = 'urgent' THEN 'urgent'
    WHEN c.status NOT IN ('disposed', 'verified') AND c.suspended_at IS NULL AND c.due_at < $8::timestamptz THEN 'today'
    ELSE 'calm' END
"""
_OPEN = """
FROM cases c JOIN unnest($1::int[], $2::int[]) AS s(place, branch) ON s.place = coalesce(c.grid_id, c.area_id)
WHERE c.closed_at IS NULL AND ($3::int IS NULL OR c.holder_id = $3)
    AND ($4::int IS NULL OR c.department_id = $4 OR c.holder_id = ANY ($5::int[])
        OR c.id IN (SELECT case_id FROM assist WHERE staff_id = ANY ($5)))
    AND ($6::text IS NULL OR c.category = $6)
"""
_COUNT = "SELECT s.branch, " + _PACE + " AS pace, count(*) AS many " + _OPEN + " GROUP BY 1, 2"
_PINS = (
    "SELECT c.*, coalesce(above.name, '') || a.name AS area FROM ("  # noqa: S608 - the same
    "SELECT c.id, c.number, c.subject, c.place, c.status, c.due_at, c.longitude, c.latitude, "
    "coalesce(c.grid_id, c.area_id) AS area_id, "
    + _PACE
    + " AS pace"
    + _OPEN
    + """
    AND ($10::float8 IS NULL
        OR c.longitude BETWEEN $10 AND $12::float8 AND c.latitude BETWEEN $11::float8 AND $13::float8)
    AND ($9::text IS NULL OR $9 = """
    + _PACE
    + """) ORDER BY array_position(ARRAY['overdue', 'urgent', 'today', 'calm'], """
    + _PACE
    + """), c.due_at NULLS LAST, c.id LIMIT $14::int) c JOIN area a ON a.id = c.area_id
    LEFT JOIN area above ON above.id = a.parent_id AND a.level = 'grid'
    ORDER BY array_position(ARRAY['overdue', 'urgent', 'today', 'calm'], c.pace), c.due_at NULLS LAST, c.id
    """
)


async def read_ground(person: Person, wanted: Wanted, now: datetime) -> Ground:
    """The open cases of an area. NotFound for one that is not theirs."""
    view = await view_area(person, wanted.area_id)
    sight = await sight_of(person, view.area.id)
    scope = await scope_below(view.area.id, await _depth(view.area.id))
    whose = sight.holder_id, sight.department_id, sight.colleagues, wanted.category
    tomorrow = (now.astimezone(SHANGHAI) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    values = scope.places, scope.branches, *whose, now, tomorrow
    async with transaction():
        await plan_for_these_values()
        counted = await fetch(_COUNT, *values)
    paces = {pace: sum(row["many"] for row in counted if row["pace"] == pace) for pace in Pace}
    shapes = await grids_below(view.area.id)
    branch_of = dict(zip(scope.places, scope.branches, strict=True))
    many = paces[wanted.pace] if wanted.pace else sum(paces.values())
    if many > MOST and view.below and not wanted.box:
        return Ground(view, shapes, branch_of, paces, heaps=await _heaps(counted, scope, wanted.pace))
    box = wanted.box
    sides = (box.west, box.south, box.east, box.north) if box else (None,) * 4
    async with transaction():
        await plan_for_these_values()
        rows = await fetch(_PINS, *values, wanted.pace, *sides, MOST + 1)
    hide = mask if sight.department_id is not None else str
    pins = [_pin(row | {"place": hide(row["place"])}) for row in rows[:MOST]]
    return Ground(view, shapes, branch_of, paces, pins, more=len(rows) > MOST)


def _pin(row: dict[str, Any]) -> Pin:
    return Pin(**row | {"status": Status(row["status"]), "pace": Pace(row["pace"])})


_DEPTHS = """
WITH RECURSIVE tree AS (
    SELECT id, 0 AS depth FROM area WHERE id = $1
    UNION ALL SELECT a.id, t.depth + 1 FROM tree t JOIN area a ON a.parent_id = t.id
) SELECT depth, count(*) AS areas FROM tree GROUP BY depth ORDER BY depth
"""


async def _depth(area_id: int) -> int:
    """As many steps down as there are not too many areas to be counted one by one; one at least."""
    fit: list[int] = [row["depth"] for row in await fetch(_DEPTHS, area_id) if row["areas"] <= MOST_AREAS]
    return max(1, *fit)


_NAMES = """
SELECT a.id, CASE WHEN up.level IN ('community', 'street') THEN up.name ELSE '' END || a.name AS name,
    EXISTS (SELECT FROM area b WHERE b.parent_id = a.id AND b.id = ANY ($1)) AS own
FROM area a LEFT JOIN area up ON up.id = a.parent_id WHERE a.id = ANY ($1::int[]) ORDER BY a.code
"""


async def _heaps(counted: Sequence[Mapping[str, Any]], scope: Scope, pace: Pace | None) -> list[Heap]:
    """By area, in the order of their codes; those that have nothing of the pace asked for are left out."""
    found: dict[int, dict[Pace, int]] = {}
    for row in counted:
        found.setdefault(row["branch"], dict.fromkeys(Pace, 0))[Pace(row["pace"])] = row["many"]
    names = await fetch(_NAMES, list(dict.fromkeys(scope.branches)))
    return [
        Heap(row["id"], row["name"], found[row["id"]], row["own"])
        for row in names
        if row["id"] in found and (pace is None or found[row["id"]][pace])
    ]
