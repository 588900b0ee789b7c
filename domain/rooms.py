"""网格群: which rooms there are and who sits in them. Nobody is written into a room: their grid and their post say it.

A grid's room holds its residents, the staff whose area is the grid or lies above it, and officers of departments there.
A private room holds one resident, the grid's worker and the staff of its community.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from domain.journal import audit
from domain.people import Person, Post
from errors import BadRequest, NotFound
from models.database import fetch, transaction
from models.enums import Level, Role, RoomKind
from models.rooms import Room

_NEIGHBOURS = 10_000
_HANDLE = re.compile(r"m[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class RoomLine:
    """A room in somebody's list. `staff`: they sit in it on duty. `unread` counts what others said since, up to 100."""

    id: int
    kind: RoomKind
    name: str
    staff: bool
    grid_id: int
    resident: str
    last_seq: int
    read_seq: int
    unread: int
    muted_until: datetime | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a room: as whom they sit there (`who`), on duty with a post or as a resident, and by what name.

    `seat_id` is None until they did something there.
    """

    room: Room
    who: str
    post: Post | None
    name: str
    seat_id: int | None
    read_seq: int
    muted_until: datetime | None
    muted_why: str
    relay_since: datetime | None

    @property
    def staff(self) -> bool:
        """Whether they are on duty here."""
        return self.post is not None

    def is_muted(self, now: datetime) -> bool:
        """Whether they may not speak now."""
        return self.muted_until is not None and self.muted_until > now


_MAKE = """
INSERT INTO room (key, kind, grid_id, resident_id, last_seq, auto_case, created_at, changed_at)
SELECT $2, $3, id, NULL, 0, false, now(), now() FROM area WHERE id = $1 AND level = 'grid'
ON CONFLICT (key) DO NOTHING
"""
# The person is held before their room's name is taken, as by whoever makes two residents one.
_MAKE_PRIVATE = """
INSERT INTO room (key, kind, grid_id, resident_id, last_seq, auto_case, created_at, changed_at)
SELECT $2, $3, a.id, r.id, 0, false, now(), now() FROM area a CROSS JOIN resident r
WHERE a.id = $1 AND a.level = 'grid' AND r.id = $4 FOR KEY SHARE OF r
ON CONFLICT (key) DO NOTHING
"""


async def room_of_grid(grid_id: int) -> Room:
    """The room of a grid, made when it is missing. Raises NotFound for what is no grid."""
    key = f"grid:{grid_id}"
    room = await Room.get_or_none(key=key)
    if room is None:
        await fetch(_MAKE, grid_id, key, RoomKind.GRID)
        room = await Room.get_or_none(key=key)
    if room is None:
        raise NotFound(f"no grid {grid_id}")
    return room


# What a person is in a room: `resident` of its grid (or the one it is private to), and whether their post is on duty.
_SIT = """
WITH RECURSIVE r AS (SELECT * FROM room WHERE id = $1), up AS (
    SELECT a.id, a.parent_id, 0 AS steps FROM area a JOIN r ON a.id = r.grid_id
    UNION ALL
    SELECT a.id, a.parent_id, up.steps + 1 FROM up
    CROSS JOIN LATERAL (SELECT id, parent_id FROM area WHERE id = up.parent_id OFFSET 0) a
), sits AS (
    SELECT coalesce((
        SELECT CASE r.kind
            WHEN 'private' THEN $5 IN ('grid_worker', 'community_staff') AND up.steps <= 1
            ELSE true END
        FROM up WHERE up.id = CASE $5
            WHEN 'department_staff' THEN (SELECT area_id FROM department WHERE id = $4::int)
            ELSE $3::int END
    ), false) AS on_duty,
    CASE r.kind WHEN 'private' THEN r.resident_id = $2 ELSE r.grid_id = $6::int END AS resides
    FROM r
)
SELECT sits.on_duty, sits.resides, coalesce((SELECT nickname FROM resident WHERE id = $2), '') AS nickname,
    s.id AS seat_id, coalesce(s.read_seq, 0) AS read_seq, s.muted_until, coalesce(s.muted_why, '') AS muted_why,
    s.relay_since
FROM sits LEFT JOIN room_seat s ON s.room_id = $1
    AND s.who = CASE WHEN sits.on_duty THEN 'staff:' || $7::int ELSE 'resident:' || $2::bigint END
WHERE sits.on_duty OR sits.resides
"""


async def sit(person: Person, room_id: int, *, verb: str = "read") -> Member:
    """What this person is in a room. Raises NotFound for whoever is no member, as if there were no such room."""
    room, post = await Room.get_or_none(id=room_id), person.post
    rows: list[dict[str, Any]] = []
    if room and (post or person.resident_id):
        rows = await fetch(
            _SIT,
            room_id,
            person.resident_id,
            post.area_id if post else None,
            post.department_id if post else None,
            post.role.value if post else "",
            person.home.grid_id if person.home else None,
            post.id if post else None,
        )
    if room is None or not rows:
        raise NotFound(f"room {room_id}", say="没有找到这个群。", tag=f"room:{verb}", object_id=room_id)
    row = rows[0]
    on_duty = post if row["on_duty"] else None
    who = f"staff:{on_duty.id}" if on_duty else f"resident:{person.resident_id}"
    name = on_duty.label if on_duty else resident_label(row["nickname"], room_id, who)
    seat = row["seat_id"], row["read_seq"], row["muted_until"], row["muted_why"], row["relay_since"]
    return Member(room, who, on_duty, name, *seat)


def resident_label(nickname: str, room_id: int, who: str) -> str:
    """How a room calls a resident: their nickname, else 邻居 and four digits that stay the same in this room."""
    return nickname or f"邻居{int(sha256(f'{room_id}:{who}'.encode()).hexdigest(), 16) % _NEIGHBOURS:04}"


def is_me(person: Person, actor: str) -> bool:
    """Whether an entry's `by` is this person, on duty or at home."""
    at_home = f"resident:{person.resident_id}" if person.resident_id else ""
    return actor in {person.actor, at_home} - {""}


async def access_room(person: Person, room_id: int) -> Room:
    """A room this person sits in. Raises NotFound otherwise, as if it did not exist."""
    return (await sit(person, room_id)).room


_SEAT = """
INSERT INTO room_seat (room_id, who, read_seq, muted_why) SELECT $1, who, 0, '' FROM unnest($2::text[]) AS who
ON CONFLICT (room_id, who) DO NOTHING
"""
_SEATS = "SELECT id, who FROM room_seat WHERE room_id = $1 AND who = ANY ($2::text[])"


async def seats(room_id: int, actors: list[str]) -> dict[str, int]:
    """Seat ids of these actors in a room, made where they had none."""
    found = {row["who"]: row["id"] for row in await fetch(_SEATS, room_id, actors)}
    if missing := [who for who in actors if who not in found]:
        await fetch(_SEAT, room_id, missing)
        found = {row["who"]: row["id"] for row in await fetch(_SEATS, room_id, actors)}
    return found


def handle(seat_id: int | None) -> str:
    """How a room addresses somebody without telling who they are; "" for who has no seat."""
    return f"m{seat_id}" if seat_id else ""


async def who_of(room_id: int, handles: list[str]) -> dict[str, str]:
    """The actors behind handles of a room; what is no handle of this room is left out."""
    ids = [int(one[1:]) for one in handles if _HANDLE.fullmatch(one)]
    rows = await fetch("SELECT id, who FROM room_seat WHERE room_id = $1 AND id = ANY ($2::bigint[])", room_id, ids)
    return {handle(row["id"]): row["who"] for row in rows}


async def private_room(person: Person, now: datetime, *, resident_id: int = 0) -> Room:
    """The private talk of a resident with their grid: they open theirs, staff one with a resident of their grids.

    Raises BadRequest for somebody without a grid, NotFound for a resident who is not theirs to talk with.
    """
    asked = resident_id or person.resident_id
    async with transaction():
        found = await fetch("SELECT grid_id FROM resident WHERE id = $1 AND deleted_at IS NULL", asked)
        grid_id = found[0]["grid_id"] if found else None
        if grid_id is None and asked == person.resident_id:
            raise BadRequest("no grid", say="请先选择您住的网格，再找网格员说话。")
        if grid_id is None:
            raise NotFound(f"resident {asked}", tag="room:open", object_id=asked)
        key = f"private:{grid_id}:{asked}"
        room = await Room.get_or_none(key=key)
        if room is None:
            await fetch(_MAKE_PRIVATE, grid_id, key, RoomKind.PRIVATE, asked)
            room = await Room.get_or_none(key=key)
            if room is None:
                raise NotFound(f"resident {asked}", tag="room:open", object_id=asked)
            await audit(person.actor, "room:open", room.id, now)
        await sit(person, room.id, verb="open")
    return room


# On duty in a room, the nearest level first.
_ON_DUTY = """
WITH RECURSIVE r AS (SELECT * FROM room WHERE id = $1), up AS (
    SELECT a.id, a.parent_id, 0 AS steps FROM area a JOIN r ON a.id = r.grid_id
    UNION ALL
    SELECT a.id, a.parent_id, up.steps + 1 FROM up
    CROSS JOIN LATERAL (SELECT id, parent_id FROM area WHERE id = up.parent_id OFFSET 0) a
)
SELECT s.id, s.name, s.role, s.area_id, a.name AS area_name, a.level, s.openid, s.department_id,
    coalesce(d.name, '') AS department_name
FROM r CROSS JOIN up JOIN (
    staff s JOIN area a ON a.id = s.area_id LEFT JOIN department d ON d.id = s.department_id
) ON up.id = CASE s.role WHEN 'department_staff' THEN d.area_id ELSE s.area_id END
WHERE s.active AND (r.kind = 'grid' OR s.role IN ('grid_worker', 'community_staff') AND up.steps <= 1)
ORDER BY up.steps, s.role = 'department_staff', s.id
"""


async def members_on_duty(room_id: int) -> list[Post]:
    """The staff who sit in a room, the nearest level first, departments after the level they belong to."""
    rows = await fetch(_ON_DUTY, room_id)
    return [Post(**(row | {"role": Role(row["role"]), "level": Level(row["level"])})) for row in rows]


# Rooms of one answer; who answers for more looks at the ones with news.
_MOST = 500

_MAKE_BELOW = """
INSERT INTO room (key, kind, grid_id, last_seq, auto_case, created_at, changed_at)
SELECT 'grid:' || id, 'grid', id, 0, false, now(), now() FROM area
WHERE level = 'grid' AND (id = $1 OR parent_id = $1)
AND NOT EXISTS (SELECT FROM room WHERE room.key = 'grid:' || area.id)
ON CONFLICT (key) DO NOTHING
"""

# Rooms at home ($1 resident, $2 grid) and on duty ($3 staff, $4 area they answer for, $5 private ones too). In a room
# where they are both, they sit on duty. A hundred unread entries are counted, no more.
_LINES = """
WITH RECURSIVE down AS (
    SELECT id, level, 0 AS steps FROM area WHERE id = $4::int
    UNION ALL
    SELECT a.id, a.level, down.steps + 1 FROM area a JOIN down ON a.parent_id = down.id
), sits AS (
    SELECT r.id, 'staff:' || $3::int AS who FROM room r JOIN down ON down.id = r.grid_id
    WHERE r.kind = 'grid' OR $5::boolean AND down.steps <= 1
    UNION ALL
    SELECT r.id, 'resident:' || $1::bigint FROM room r
    WHERE (r.kind = 'grid' AND r.grid_id = $2::int OR r.kind = 'private' AND r.resident_id = $1)
    AND NOT EXISTS (
        SELECT FROM down WHERE down.id = r.grid_id AND (r.kind = 'grid' OR $5::boolean AND down.steps <= 1)
    )
)
SELECT r.id, r.kind, r.grid_id, r.resident_id, r.last_seq, r.changed_at, s.muted_until, g.name AS grid_name,
    c.name AS community_name, coalesce(p.nickname, '') AS nickname, coalesce(s.read_seq, 0) AS read_seq, sits.who, (
        SELECT count(*) FROM (
            SELECT FROM room_message m WHERE m.room_id = r.id AND m.seq > coalesce(s.read_seq, 0)
            AND m.kind NOT IN ('recall', 'removal', 'return') AND m.sender <> sits.who LIMIT 100
        ) news
    ) AS unread
FROM sits JOIN room r ON r.id = sits.id JOIN area g ON g.id = r.grid_id JOIN area c ON c.id = g.parent_id
LEFT JOIN resident p ON p.id = r.resident_id LEFT JOIN room_seat s ON s.room_id = r.id AND s.who = sits.who
"""
_MINE = (
    _LINES
    + """
WHERE $7::text IS NULL OR r.kind > $7 OR r.kind = $7 AND (r.changed_at, r.id) < ($8::timestamptz, $9::bigint)
ORDER BY r.kind, r.changed_at DESC, r.id DESC LIMIT $6
"""
)
_ONE = _LINES + "WHERE r.id = $6"


async def my_rooms(
    person: Person, *, limit: int = _MOST, beyond: tuple[str, datetime, int] | None = None
) -> list[RoomLine]:
    """Every room this person sits in: grids first, then private ones, each with the newest talk first. `beyond` is
    (kind, changed_at, id) of the last line of the page before.

    The rooms of their own grid, or of the grids right below their community, are made when they are missing.
    """
    post = person.post
    if person.home:
        await room_of_grid(person.home.grid_id)
    if post and post.level in (Level.GRID, Level.COMMUNITY):
        await fetch(_MAKE_BELOW, post.area_id)
    rows = await fetch(_MINE, *await _places(person), limit, *(beyond or (None, None, None)))
    return [_line(row) for row in rows]


async def room_line(person: Person, room_id: int) -> RoomLine:
    """One room as in its reader's list. Raises NotFound for whoever is no member."""
    await sit(person, room_id)
    return _line((await fetch(_ONE, *await _places(person), room_id))[0])


async def _places(person: Person) -> tuple[int, int | None, int | None, int | None, bool]:
    """Where somebody may sit: their resident's id, their grid, their post, its area, whether private rooms too."""
    post = person.post
    return (
        person.resident_id,
        person.home.grid_id if person.home else None,
        post.id if post else None,
        await duty_area(post),
        bool(post and post.role in (Role.GRID_WORKER, Role.COMMUNITY_STAFF)),
    )


async def duty_area(post: Post | None) -> int | None:
    """The area below which the post sits in rooms: a department's for its officers, else their own."""
    if post is None or post.role is not Role.DEPARTMENT_STAFF:
        return post.area_id if post else None
    rows = await fetch("SELECT area_id FROM department WHERE id = $1", post.department_id)
    return rows[0]["area_id"] if rows else None


def _line(row: dict[str, Any]) -> RoomLine:
    """A room's name is what it is to the reader: a grid's, `和网格员的私聊` for the resident, theirs for staff."""
    private, on_duty = row["kind"] == RoomKind.PRIVATE, row["who"].startswith("staff:")
    resident = ""
    if private:
        resident = resident_label(row["nickname"], row["id"], f"resident:{row['resident_id']}")
    name = f"{row['community_name']}{row['grid_name']}"
    if private:
        name = f"{resident}（{row['grid_name']}）" if on_duty else "和网格员私聊"
    return RoomLine(
        row["id"],
        RoomKind(row["kind"]),
        name,
        on_duty,
        row["grid_id"],
        resident,
        row["last_seq"],
        row["read_seq"],
        row["unread"],
        row["muted_until"],
        row["changed_at"],
    )
