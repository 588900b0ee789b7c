"""What the filters of a list offer: areas, people and kinds of matters that this member of staff may choose among."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import nlp
from domain.patrols import need_post
from domain.people import Person, Post, ancestors
from errors import NotFound
from models.database import fetch

#: So many are offered at once; above it only the next step down is.
MOST = 200


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to choose; `depth` steps below the first."""

    id: int
    name: str
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of matter under its code."""

    code: str
    name: str


# The way down to where one is now, and below it the areas up to a depth; in the order of a table of contents.
_AREAS = """
WITH RECURSIVE up AS (
    SELECT id, parent_id, name, code, 0 AS steps FROM area WHERE id = $2
    UNION ALL SELECT a.id, a.parent_id, a.name, a.code, up.steps + 1 FROM up JOIN area a ON a.id = up.parent_id
        WHERE up.id <> $1
), way AS (
    SELECT id, name, code, max(steps) OVER () - steps AS depth, steps FROM up
), down AS (
    SELECT id, name, ARRAY[code::text] AS path, depth, 0 AS below FROM way WHERE steps = 0
    UNION ALL SELECT a.id, a.name, down.path || a.code::text, down.depth + 1, down.below + 1
        FROM down JOIN area a ON a.parent_id = down.id WHERE down.below < $3
)
SELECT id, name, depth FROM (
    SELECT id, name, depth, ARRAY[]::text[] AS path FROM way WHERE steps > 0
    UNION ALL SELECT id, name, depth, path FROM down
) a ORDER BY cardinality(path) > 0, CASE WHEN cardinality(path) = 0 THEN depth END, path LIMIT $4
"""
_LEVELS = 4


async def areas_to_choose(person: Person, chosen: int | None) -> Sequence[Choice]:
    """The person's own area first, then what lies below it; where that is too much, the way to the area chosen now and
    the areas one step below it. NotFound for one that is not theirs."""
    post = need_post(person, "area:read")
    if chosen is not None and post.area_id not in await ancestors(chosen):
        raise NotFound(f"area {chosen}", tag="area:read", object_id=chosen)
    rows = await fetch(_AREAS, post.area_id, post.area_id, _LEVELS, MOST + 1)
    if len(rows) > MOST:
        rows = await fetch(_AREAS, post.area_id, chosen or post.area_id, 1, MOST)
    return [Choice(**row) for row in rows]


_STAFF = """
WITH RECURSIVE mine AS (
    SELECT id, 0 AS steps FROM area WHERE id = $1
    UNION ALL SELECT a.id, mine.steps + 1 FROM area a JOIN mine ON a.parent_id = mine.id WHERE mine.steps < $3
)
SELECT s.id, CASE WHEN d.id IS NULL THEN a.name ELSE d.name END || ' ' || s.name AS name
FROM mine JOIN staff s ON s.area_id = mine.id AND s.active JOIN area a ON a.id = s.area_id
LEFT JOIN department d ON d.id = s.department_id
WHERE $4::int IS NULL OR s.department_id = $4
ORDER BY mine.steps, d.name NULLS FIRST, a.code, s.name, s.id LIMIT $2
"""


async def staff_to_choose(person: Person, area_id: int | None) -> Sequence[Choice]:
    """Who may have cases in this area, the nearest first; staff of a department choose among their colleagues."""
    post = need_post(person, "area:read")
    where = area_id or post.area_id
    rows = await fetch(_STAFF, where, MOST + 1, _LEVELS, post.department_id)
    if len(rows) > MOST:
        rows = await fetch(_STAFF, where, MOST, 1, post.department_id)
    return [Choice(**row) for row in rows]


@cache
def kinds_to_choose() -> Sequence[tuple[str, Sequence[Kind]]]:
    """Every kind of matter, by groups."""
    groups: dict[str, list[Kind]] = {}
    for one in nlp.categories():
        groups.setdefault(one.group, []).append(Kind(one.code, one.name))
    return tuple((name, tuple(kinds)) for name, kinds in groups.items())


# As they are looked for when they are typed: grids of one's own area (with the community where several have a name),
# people and units of one's street (for those above it: of one's district).
_RECEIVERS = """
WITH RECURSIVE up AS (
    SELECT id, parent_id, level FROM area WHERE id = $1
    UNION ALL SELECT a.id, a.parent_id, a.level FROM up JOIN area a ON a.id = up.parent_id
), around AS (
    (SELECT id FROM up ORDER BY level = 'street' DESC, level = 'district' DESC, level = 'city' DESC LIMIT 1)
    UNION ALL SELECT a.id FROM area a JOIN around ON a.parent_id = around.id
), mine AS (
    SELECT id FROM up WHERE id = $1 UNION ALL SELECT a.id FROM area a JOIN mine ON a.parent_id = mine.id
)
SELECT name FROM (
    SELECT CASE WHEN count(*) OVER (PARTITION BY a.name) > 1 THEN above.name ELSE '' END || a.name AS name,
        0 AS kind, a.code
    FROM area a JOIN mine ON mine.id = a.id JOIN area above ON above.id = a.parent_id
    WHERE a.level = 'grid' AND $2::boolean
    UNION ALL SELECT s.name, 1, a.code FROM staff s JOIN around ON around.id = s.area_id AND s.active
        JOIN area a ON a.id = s.area_id WHERE s.id <> $3
    UNION ALL SELECT d.name, 2, d.code FROM department d JOIN around ON around.id = d.area_id
) n GROUP BY name ORDER BY min(kind), min(code), name LIMIT $4
"""


async def receivers(post: Post) -> Sequence[str]:
    """Names that may be typed where it says whom to give a case to: grids, people, units."""
    return [row["name"] for row in await fetch(_RECEIVERS, post.area_id, post.dispatches, post.id, MOST)]
