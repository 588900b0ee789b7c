"""Who writes to us: a resident, a member of staff, or both; and who answers for their grid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.journal import audit
from errors import NotFound
from models.database import fetch, transaction
from models.enums import Level, Role
from models.people import Staff

_ROLE_NAMES = {
    Role.GRID_WORKER: "网格员",
    Role.COMMUNITY_STAFF: "社区",
    Role.STREET_STAFF: "街道",
    Role.DISTRICT_STAFF: "区指挥中心",
    Role.CITY_STAFF: "市级平台",
    Role.DEPARTMENT_STAFF: "部门",
}


@dataclass(frozen=True, slots=True)
class Post:
    """A member of staff in their place."""

    id: int
    name: str
    role: Role
    area_id: int
    area_name: str
    level: Level
    openid: str | None = None
    department_id: int | None = None
    department_name: str = ""

    @property
    def label(self) -> str:
        """How residents read them: 网格员王芳, 东亭社区李主任, 城管执法队马队长."""
        return f"网格员{self.name}" if self.role is Role.GRID_WORKER else f"{self.unit}{self.name}"

    @property
    def actor(self) -> str:
        """Their pseudonym in the audit trail."""
        return f"staff:{self.id}"

    @property
    def unit(self) -> str:
        """The department, or the area, they speak for."""
        return self.department_name or self.area_name

    @property
    def dispatches(self) -> bool:
        """Whether the post may give work to others."""
        return self.role in (Role.COMMUNITY_STAFF, Role.STREET_STAFF, Role.DISTRICT_STAFF, Role.CITY_STAFF)


@dataclass(frozen=True, slots=True)
class Home:
    """A resident's grid, its community, and the numbers to call."""

    grid_id: int
    grid_name: str
    community_id: int
    community_name: str
    duty_phone: str
    gas_phone: str
    worker: Post | None


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever sent the message."""

    openid: str
    resident_id: int
    home: Home | None
    post: Post | None

    @property
    def actor(self) -> str:
        """Their pseudonym in the audit trail."""
        return self.post.actor if self.post else f"resident:{self.resident_id}"


# One statement: it runs for every message. The worker is the grid's first active one, else the community's.
_HOME = """
g.id AS grid_id, g.name AS grid_name, c.id AS community_id, c.name AS community_name,
       coalesce(nullif(g.duty_phone, ''), nullif(c.duty_phone, ''), t.duty_phone, '') AS duty_phone,
       coalesce(nullif(c.gas_phone, ''), nullif(t.gas_phone, ''), d.gas_phone, '') AS gas_phone,
       w.id AS worker_id, w.name AS worker_name, w.role AS worker_role, w.openid AS worker_openid,
       w.area_id AS worker_area
"""
_AROUND = """
LEFT JOIN area c ON c.id = g.parent_id
LEFT JOIN area t ON t.id = c.parent_id
LEFT JOIN area d ON d.id = t.parent_id
LEFT JOIN LATERAL (
    SELECT id, name, role, openid, area_id FROM staff
    WHERE active AND (area_id = g.id AND role = 'grid_worker' OR area_id = c.id AND role = 'community_staff')
    ORDER BY area_id = g.id DESC, id LIMIT 1
) w ON true
"""
_POST = """,
       s.id AS staff_id, s.name AS staff_name, s.role AS staff_role, s.area_id AS staff_area, a.name AS staff_area_name,
       a.level AS staff_level, u.id AS unit_id, coalesce(u.name, '') AS unit_name
FROM resident me LEFT JOIN area g ON g.id = me.grid_id
"""
_OF_STAFF = """
LEFT JOIN staff s ON s.openid = me.openid AND s.active
LEFT JOIN area a ON a.id = s.area_id
LEFT JOIN department u ON u.id = s.department_id
"""
_WHO = "SELECT me.id AS resident_id, me.openid, " + _HOME + _POST + _AROUND + _OF_STAFF
_PERSON = _WHO + "WHERE me.openid = $1"
_RESIDENT = _WHO + "WHERE me.id = $1"
_OF_GRID = "SELECT " + _HOME + "FROM area g " + _AROUND + "WHERE g.id = $1 AND g.level = 'grid'"


async def find_person(openid: str, now: datetime) -> Person:
    """Who this is; somebody never seen becomes a resident without a grid."""
    rows = await fetch(_PERSON, openid)
    if not rows:
        await fetch(
            "INSERT INTO resident (openid, created_at) VALUES ($1, $2) ON CONFLICT (openid) DO NOTHING", openid, now
        )
        rows = await fetch(_PERSON, openid)
    return _read_person(rows[0])


async def person_of(resident_id: int) -> Person:
    """The resident with this id, with their post if they have one. Raises NotFound."""
    rows = await fetch(_RESIDENT, resident_id)
    if not rows:
        raise NotFound(f"resident {resident_id}")
    return _read_person(rows[0])


_AS_RESIDENT = "SELECT id FROM resident WHERE id = $1 OR openid = $2"


async def own_residents(person: Person) -> list[int]:
    """Who this person is as a resident: at a desk somebody is staff alone, and is known by their WeChat."""
    rows = await fetch(_AS_RESIDENT, person.resident_id, person.post.openid if person.post else None)
    return [row["id"] for row in rows]


async def home_of_grid(grid_id: int) -> Home:
    """A grid as the home of whoever lives there. Raises NotFound."""
    rows = await fetch(_OF_GRID, grid_id)
    home = _home(rows[0]) if rows else None
    if home is None:
        raise NotFound(f"grid {grid_id}", say="没有这个网格，请重新选。", tag="area:read", object_id=grid_id)
    return home


def _read_person(row: dict[str, Any]) -> Person:
    openid, post = row["openid"], None
    if row["staff_id"]:
        post = Post(
            row["staff_id"],
            row["staff_name"],
            Role(row["staff_role"]),
            row["staff_area"],
            row["staff_area_name"],
            Level(row["staff_level"]),
            openid,
            row["unit_id"],
            row["unit_name"],
        )
    return Person(openid, row["resident_id"], _home(row), post)


def _home(row: dict[str, Any]) -> Home | None:
    if not row["grid_id"]:
        return None
    worker = None
    if row["worker_id"]:
        own = row["worker_area"] == row["grid_id"]
        worker = Post(
            row["worker_id"],
            row["worker_name"],
            Role(row["worker_role"]),
            row["worker_area"],
            row["grid_name"] if own else row["community_name"],
            Level.GRID if own else Level.COMMUNITY,
            row["worker_openid"],
        )
    return Home(
        row["grid_id"],
        row["grid_name"],
        row["community_id"],
        row["community_name"],
        row["duty_phone"],
        row["gas_phone"],
        worker,
    )


@dataclass(frozen=True, slots=True)
class GridChoice:
    """A grid as a resident chooses it."""

    id: int
    name: str
    community: str


async def list_grids(limit: int = 40) -> list[GridChoice]:
    """Every grid, with its community, in the order of their codes."""
    rows = await fetch(
        "SELECT g.id, g.name, c.name AS community FROM area g JOIN area c ON c.id = g.parent_id "
        "WHERE g.level = 'grid' ORDER BY g.code LIMIT $1",
        limit,
    )
    return [GridChoice(**row) for row in rows]


async def join_grid(person: Person, now: datetime, *, grid_id: int = 0, code: str = "") -> Home:
    """Bind a resident to a grid by its id (chosen) or by the code in its QR; raises NotFound for an unknown grid."""
    async with transaction():
        found = await fetch("SELECT id FROM area WHERE level = 'grid' AND (id = $1 OR code = $2)", grid_id, code)
        if not found:
            say, chat = "没有找到这个网格，请自己选一个。", "回复“我的网格”就能选。"
            raise NotFound(f"no grid {grid_id or code}", say=say, chat=chat)
        await fetch("UPDATE resident SET grid_id = $2 WHERE id = $1", person.resident_id, found[0]["id"])
        await audit(person.actor, "resident:join_grid", found[0]["id"], now)
        home = (await find_person(person.openid, now)).home
    if home is None:
        raise NotFound(f"grid {grid_id or code} vanished")
    return home


# Colleagues of the same street (of the same district for those above it): by name, unit or grid; the least busy first.
_COLLEAGUES = """
WITH RECURSIVE up AS (
    SELECT id, parent_id, level FROM area WHERE id = $1
    UNION ALL SELECT a.id, a.parent_id, a.level FROM up JOIN area a ON a.id = up.parent_id
), scope AS (
    SELECT id FROM up
    ORDER BY level = 'street' DESC, level = 'district' DESC, level = 'city' DESC LIMIT 1
), down AS (
    SELECT id FROM scope UNION ALL SELECT a.id FROM area a JOIN down ON a.parent_id = down.id
)
SELECT s.id FROM staff s JOIN down ON down.id = s.area_id JOIN area a ON a.id = s.area_id
LEFT JOIN department d ON d.id = s.department_id
WHERE s.active AND (s.name = $2 OR position($2 in d.name) > 0 OR d.id IS NULL AND position($2 in a.name) > 0)
ORDER BY s.name = $2 DESC,
    (SELECT count(*) FROM cases c WHERE c.holder_id = s.id AND c.closed_at IS NULL), s.id LIMIT 5
"""


async def find_posts(person: Person, words: str) -> list[Post]:
    """Staff of this person's street whom a name, a unit or a grid means, the best match first."""
    if person.post is None or not words:
        return []
    rows = await fetch(_COLLEAGUES, person.post.area_id, words)
    return [post for post in [await post_of(row["id"]) for row in rows] if post]


async def find_operator(code: str) -> Person:
    """The member of staff with this staff number (工号), as who acts at the command line. Raises NotFound."""
    staff = await Staff.get_or_none(code=code, active=True)
    if staff is None:
        raise NotFound(f"no member of staff with number {code}: see `linli staff`")
    return Person("", 0, None, await post_of(staff.id))


_POST = """
SELECT s.id, s.name, s.role, s.area_id, a.name AS area_name, a.level, s.openid, s.department_id, d.name AS unit_name
FROM staff s JOIN area a ON a.id = s.area_id LEFT JOIN department d ON d.id = s.department_id WHERE s.id = $1
"""


async def post_of(staff_id: int | None) -> Post | None:
    """A member of staff in their place; None for nobody."""
    rows = await fetch(_POST, staff_id) if staff_id else []
    if not rows:
        return None
    row = rows[0]
    return Post(
        row["id"],
        row["name"],
        Role(row["role"]),
        row["area_id"],
        row["area_name"],
        Level(row["level"]),
        row["openid"],
        row["department_id"],
        row["unit_name"] or "",
    )


# Along the deputies of those who are away now, each looked at once; the first who is there, if any.
_STAND_IN = """
WITH RECURSIVE chain AS (
    SELECT $1::int AS id, 0 AS steps, ARRAY[$1::int] AS seen
    UNION ALL
    SELECT a.deputy_id, chain.steps + 1, chain.seen || a.deputy_id FROM chain
    CROSS JOIN LATERAL (
        SELECT deputy_id FROM absence
        WHERE staff_id = chain.id AND starts_at <= $2 AND ends_at > $2 AND deputy_id IS NOT NULL
        ORDER BY id DESC LIMIT 1
    ) a
    WHERE a.deputy_id <> ALL(chain.seen)
)
SELECT s.id FROM chain JOIN staff s ON s.id = chain.id AND s.active
WHERE NOT EXISTS (SELECT FROM absence a WHERE a.staff_id = s.id AND a.starts_at <= $2 AND a.ends_at > $2)
ORDER BY chain.steps LIMIT 1
"""


async def stand_in(staff: Post | int, now: datetime) -> Post | None:
    """Who does this person's work at `now`: they themselves while they are there, else their deputy, or the deputy's
    deputy …; None when nobody does (nobody named, all away or no longer active)."""
    rows = await fetch(_STAND_IN, staff if isinstance(staff, int) else staff.id, now)
    return await post_of(rows[0]["id"]) if rows else None


async def present(staff: Post | int, now: datetime) -> bool:
    """Whether the person is active and not away at `now`."""
    staff_id = staff if isinstance(staff, int) else staff.id
    found = await stand_in(staff_id, now)
    return found is not None and found.id == staff_id


#: Whose place an area of each level is.
LEVEL_ROLE = {
    Level.GRID: Role.GRID_WORKER,
    Level.COMMUNITY: Role.COMMUNITY_STAFF,
    Level.STREET: Role.STREET_STAFF,
    Level.DISTRICT: Role.DISTRICT_STAFF,
    Level.CITY: Role.CITY_STAFF,
}


# OFFSET 0 keeps the planner from joining whole tables: it takes the few steps up for a hundred, and then a scan of all
# areas and all staff for cheaper than five look-ups.
_ANCESTORS = """
WITH RECURSIVE up AS (
    SELECT id, parent_id, level FROM area WHERE id = $1
    UNION ALL
    SELECT a.* FROM up CROSS JOIN LATERAL (SELECT id, parent_id, level FROM area WHERE id = up.parent_id OFFSET 0) a
)
SELECT id, level FROM up
"""
_POSTS_UPWARD = """
WITH RECURSIVE up AS (
    SELECT id, parent_id, level, name, 0 AS steps FROM area WHERE id = $1
    UNION ALL
    SELECT a.*, up.steps + 1 FROM up
    CROSS JOIN LATERAL (SELECT id, parent_id, level, name FROM area WHERE id = up.parent_id OFFSET 0) a
)
SELECT s.*, up.name AS area_name, up.level FROM up
CROSS JOIN LATERAL (SELECT id, name, role, area_id, openid FROM staff WHERE area_id = up.id AND active OFFSET 0) s
ORDER BY up.steps, s.id
"""


async def ancestors(area_id: int) -> dict[int, Level]:
    """The area itself and everything above it, with levels."""
    return {row["id"]: Level(row["level"]) for row in await fetch(_ANCESTORS, area_id)}


async def posts_upward(area_id: int) -> list[Post]:
    """Active staff who answer for this area and for those above it, nearest level first."""
    rows = await fetch(_POSTS_UPWARD, area_id)
    posts = [Post(**(row | {"role": Role(row["role"]), "level": Level(row["level"])})) for row in rows]
    return [post for post in posts if post.role is LEVEL_ROLE[post.level]]


async def first_community() -> tuple[int, str]:
    """(id, duty phone) of the community that takes what no grid is known for."""
    rows = await fetch("SELECT id, duty_phone FROM area WHERE level = 'community' ORDER BY code LIMIT 1")
    if not rows:
        raise NotFound("no community in the database: run `linli demo` or `linli import`")
    return rows[0]["id"], rows[0]["duty_phone"]


def role_name(role: Role) -> str:
    """The post in Chinese."""
    return _ROLE_NAMES[role]


async def grid_codes() -> list[str]:
    """The codes of all grids, for their QR codes."""
    return [row["code"] for row in await fetch("SELECT code FROM area WHERE level = 'grid' ORDER BY code")]
