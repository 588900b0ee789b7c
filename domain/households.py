"""The register of households (户): found by place or name, and who belongs to each, for those who keep it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.facts import Member, keeper, kept_member, members_of, set_birthday
from domain.homes import Home, read_home
from domain.journal import audit
from domain.people import Person, ancestors
from errors import BadRequest, Conflict, NotFound
from models.database import fetch, transaction

#: Marks a household that a resident named and staff had not written down.
SELF_NAMED = "居民自报，待核对"
_LONGEST_NAME, _LONGEST_RELATION = 32, 16


@dataclass(frozen=True, slots=True)
class Household:
    """A household in a list. `waiting`: somebody says to belong to it and nobody has confirmed it."""

    id: int
    grid_id: int
    grid: str
    place: str
    members: int
    waiting: int


_LISTED = """
SELECT h.id, h.grid_id, g.name AS grid, h.building || h.unit || h.room AS place, count(m.id) AS members,
    count(m.id) FILTER (WHERE m.resident_id IS NOT NULL AND m.confirmed_at IS NULL) AS waiting
FROM household h JOIN area g ON g.id = h.grid_id LEFT JOIN household_member m ON m.household_id = h.id
WHERE $1 IN (g.id, g.parent_id) AND h.id > $2
    AND ($3 = '' OR h.building = $3) AND ($4 = '' OR h.unit = $4) AND ($5 = '' OR h.room = $5)
    AND ($6 = '' OR EXISTS (SELECT FROM household_member n WHERE n.household_id = h.id AND n.name = $6))
GROUP BY h.id, g.id ORDER BY h.id LIMIT $7
"""


async def find_households(person: Person, words: str, *, after: int = 0, limit: int = 20) -> list[Household]:
    """Households this person keeps, by place (3栋2单元501, 3栋501), by a member's name, or all for "". In the order
    of their ids, behind `after`. Raises NotAllowed."""
    post = keeper(person, "household:list")
    home = read_home(words)
    place = (home.building, home.unit, home.room) if home else ("", "", "")
    name = "" if home else words.strip()[:_LONGEST_NAME]
    return [Household(**row) for row in await fetch(_LISTED, post.area_id, after, *place, name, limit)]


_ONE = "SELECT h.id FROM household h JOIN area g ON g.id = h.grid_id WHERE h.id = $1 AND $2 IN (g.id, g.parent_id)"


async def _kept(person: Person, household_id: int, verb: str) -> None:
    post = keeper(person, f"household:{verb}", household_id)
    if not await fetch(_ONE, household_id, post.area_id):
        raise NotFound(f"household {household_id}", tag=f"household:{verb}", object_id=household_id)


async def list_members(person: Person, household_id: int) -> list[Member]:
    """Everybody of a household, without what is sensitive. Raises NotFound, NotAllowed."""
    await _kept(person, household_id, "read")
    return await members_of(household_id)


_ADD_HOME = """
INSERT INTO household (grid_id, building, unit, room, contact, phone, note) VALUES ($1, $2, $3, $4, '', '', $5)
ON CONFLICT (grid_id, building, unit, room) DO UPDATE SET building = excluded.building RETURNING id
"""


async def add_household(person: Person, grid_id: int, words: str, now: datetime, source: str = "") -> int:
    """Write a household down, or give the id of the one that is there. Raises BadRequest, NotFound, NotAllowed."""
    post, home = keeper(person, "household:add"), read_home(words)
    if home is None:
        raise BadRequest("no home", say="没看懂是哪一户，请写成“3栋2单元501”。")
    if post.area_id not in await ancestors(grid_id):
        raise NotFound(f"grid {grid_id}", tag="household:add", object_id=grid_id)
    async with transaction():
        household_id = await open_household(grid_id, home, "")
        await audit(person.actor, "household:add", household_id, now, source=source)
        return household_id


async def open_household(grid_id: int, home: Home, note: str) -> int:
    """The household of this place, made where there is none, in the running transaction."""
    rows = await fetch(_ADD_HOME, grid_id, home.building, home.unit, home.room, note)
    return int(rows[0]["id"])


_ADD = """
INSERT INTO household_member (household_id, name, relation, facts, source, changed_at)
VALUES ($1, $2, $3, '{}'::jsonb, $4, $5) ON CONFLICT (household_id, name) DO NOTHING RETURNING id
"""


async def add_member(
    person: Person,
    household_id: int,
    name: str,
    now: datetime,
    source: str = "",
    *,
    relation: str = "",
    birthday: Any = None,
) -> Member:
    """Write down who belongs to a household. Raises NotFound, NotAllowed, BadRequest, Conflict for a name that is
    there."""
    async with transaction():
        await _kept(person, household_id, "add_member")
        rows = await fetch(_ADD, household_id, _name(name), _relation(relation), person.actor, now)
        if not rows:
            raise Conflict("there already", say="这一户已经有这个名字了，直接改那个人的档案就行。")
        if birthday is not None:
            await set_birthday(rows[0]["id"], birthday, now)
        await audit(person.actor, "member:add", rows[0]["id"], now, source=source)
        return await kept_member(person, rows[0]["id"])


_CHANGE = """
UPDATE household_member SET name = coalesce($2, name), relation = coalesce($3, relation), source = $4, changed_at = $5
WHERE id = $1 AND NOT EXISTS (
    SELECT FROM household_member o JOIN household_member m ON m.household_id = o.household_id
    WHERE m.id = $1 AND o.id <> $1 AND o.name = $2)
RETURNING id
"""


async def change_member(
    person: Person,
    member_id: int,
    now: datetime,
    source: str = "",
    *,
    name: str | None = None,
    relation: str | None = None,
    birthday: Any = None,
) -> Member:
    """Put right who somebody is; what is None stays. Raises as `add_member`."""
    async with transaction():
        await kept_member(person, member_id, "change")
        named = None if name is None else _name(name)
        related = None if relation is None else _relation(relation)
        if not await fetch(_CHANGE, member_id, named, related, person.actor, now):
            raise Conflict("there already", say="这一户已经有这个名字了。")
        if birthday is not None:
            await set_birthday(member_id, birthday, now)
        await audit(person.actor, "member:change", member_id, now, source=source)
        return await kept_member(person, member_id)


async def remove_member(person: Person, member_id: int, now: datetime, source: str = "") -> None:
    """Somebody moved out or died: what is known of them is deleted. Raises NotFound, NotAllowed."""
    async with transaction():
        await kept_member(person, member_id, "remove")
        await fetch("DELETE FROM household_member WHERE id = $1", member_id)
        await audit(person.actor, "member:remove", member_id, now, source=source)


def _name(said: str) -> str:
    name = "".join(said.split())
    if not 0 < len(name) <= _LONGEST_NAME:
        raise BadRequest("name", say="姓名请写 1 到 32 个字。")
    return name


def _relation(said: str) -> str:
    relation = "".join(said.split())
    if len(relation) > _LONGEST_RELATION:
        raise BadRequest("relation", say="关系请写短些，比如 户主、配偶、子女、租户。")
    return relation
