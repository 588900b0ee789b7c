"""The organisation as an administrator walks through it: an area, what lies below it, who works there, who is away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.organisation_cover import say_day
from domain.people import ancestors
from errors import NotFound
from models.database import fetch, transaction
from models.enums import Level, Role


@dataclass(frozen=True, slots=True)
class AreaLine:
    """An area in a list."""

    id: int
    code: str
    name: str
    level: Level
    duty_phone: str
    drawn: bool  # its border is known
    below: int  # areas right below it
    people: int  # on duty in it, not below it


@dataclass(frozen=True, slots=True)
class Unit:
    """A department."""

    code: str
    name: str
    kind: str
    people: int


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who works there."""

    id: int
    number: str
    name: str
    role: Role
    unit: str
    phone: str
    capacity: int
    open_cases: int
    active: bool
    bound: bool


@dataclass(frozen=True, slots=True)
class Away:
    """Somebody who is away, or will be."""

    number: str
    name: str
    starts_at: datetime
    first: str  # the same as the table of leave writes it
    ends_at: datetime
    deputy: str
    reason: str


@dataclass(frozen=True, slots=True)
class AreaView:
    """One area with everything right below it."""

    area: AreaLine
    path: list[AreaLine]
    below: list[AreaLine]
    units: list[Unit]
    people: list[Member]
    away: list[Away]


_LINE = """
SELECT a.id, a.code, a.name, a.level, a.duty_phone, a.boundary IS NOT NULL AS drawn,
    (SELECT count(*) FROM area b WHERE b.parent_id = a.id) AS below,
    (SELECT count(*) FROM staff s WHERE s.area_id = a.id AND s.active) AS people
FROM area a
"""
_BY_IDS = _LINE + "WHERE a.id = ANY($1::int[])"
_BELOW = _LINE + "WHERE a.parent_id = $1 ORDER BY a.code"
_UNITS = """
SELECT u.code, u.name, u.kind, (SELECT count(*) FROM staff s WHERE s.department_id = u.id AND s.active) AS people
FROM department u WHERE u.area_id = $1 ORDER BY u.code
"""
_PEOPLE = """
SELECT s.id, coalesce(s.code, '') AS number, s.name, s.role, coalesce(u.name, '') AS unit, s.phone, s.capacity,
    (SELECT count(*) FROM cases c WHERE c.holder_id = s.id AND c.closed_at IS NULL) AS open_cases,
    s.active, s.openid IS NOT NULL AS bound
FROM staff s LEFT JOIN department u ON u.id = s.department_id
WHERE s.area_id = $1 ORDER BY s.active DESC, u.code NULLS FIRST, s.id
"""
# Of the area itself and right below it: a community sees its grid workers' leave.
_AWAY = """
SELECT coalesce(s.code, '') AS number, s.name, l.starts_at, l.ends_at, coalesce(d.name, '') AS deputy, l.reason
FROM absence l JOIN staff s ON s.id = l.staff_id JOIN area a ON a.id = s.area_id LEFT JOIN staff d ON d.id = l.deputy_id
WHERE (a.id = $1 OR a.parent_id = $1) AND l.ends_at > $2 ORDER BY l.starts_at, l.id
"""
_TOP = "SELECT id FROM area WHERE parent_id IS NULL ORDER BY code LIMIT 1"


async def area_view(area_id: int | None, now: datetime) -> AreaView | None:
    """One area; the highest where none is named, None where there is no area at all. Raises NotFound."""
    async with transaction():
        if area_id is None:
            top = await fetch(_TOP)
            if not top:
                return None
            area_id = int(top[0]["id"])
        above = await ancestors(area_id)
        path = [_line(row) for row in await fetch(_BY_IDS, list(above))]
        path.sort(key=lambda line: -line.level.rank)
        if not path:
            raise NotFound(f"area {area_id}", say="没有这个区域。", tag="area:read", object_id=area_id)
        return AreaView(
            path[-1],
            path,
            [_line(row) for row in await fetch(_BELOW, area_id)],
            [Unit(**row) for row in await fetch(_UNITS, area_id)],
            [Member(**row | {"role": Role(row["role"])}) for row in await fetch(_PEOPLE, area_id)],
            [Away(**row, first=say_day(row["starts_at"], end=False)) for row in await fetch(_AWAY, area_id, now)],
        )


def _line(row: dict[str, object]) -> AreaLine:
    return AreaLine(**row | {"level": Level(str(row["level"]))})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class PosterGrid:
    """A grid as its poster names it."""

    code: str
    name: str
    community: str
    worker: str
    phone: str


_POSTERS = """
SELECT g.code, g.name, c.name AS community, coalesce(w.name, '') AS worker,
    coalesce(nullif(g.duty_phone, ''), nullif(c.duty_phone, ''), '') AS phone
FROM area g JOIN area c ON c.id = g.parent_id
LEFT JOIN LATERAL (
    SELECT name FROM staff WHERE area_id = g.id AND active AND role = 'grid_worker' ORDER BY id LIMIT 1
) w ON true
WHERE g.level = 'grid' AND ($1 = '' OR g.code = $1) AND ($2 = '' OR left(g.code, length($2)) = $2) AND g.code > $3
ORDER BY g.code LIMIT $4
"""


async def poster_grids(*, code: str = "", below: str = "", after: str = "", limit: int = 50) -> list[PosterGrid]:
    """Grids by their codes: one, those below an area's code, or all, a page at a time."""
    return [PosterGrid(**row) for row in await fetch(_POSTERS, code, below, after, limit)]


async def area_code(area_id: int) -> str:
    """The code of an area. Raises NotFound."""
    rows = await fetch("SELECT code FROM area WHERE id = $1", area_id)
    if not rows:
        raise NotFound(f"area {area_id}", say="没有这个区域。", tag="area:read", object_id=area_id)
    return str(rows[0]["code"])
