"""网格群 as staff see them at a desk: their rooms with what waits in each, and all that nobody has answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from domain import room_entries, rooms
from domain.journal import audit
from domain.people import Person
from domain.room_cards import watcher
from domain.room_messages import access_message
from domain.room_questions import LOOK_BACK, WAITS, WAITS_PRIVATELY
from domain.room_words import Entry
from domain.rooms import RoomLine
from errors import NotAllowed
from models.database import fetch, transaction
from models.enums import Role, RoomKind

#: Beyond every room of a grid: where a list of private talks begins.
PRIVATE_TALKS = ("grid", datetime(1970, 1, 1, tzinfo=UTC), 0)


@dataclass(frozen=True, slots=True)
class DeskRoom:
    """A room somebody sits in on duty. `waiting`: what nobody has answered there in the last two days."""

    line: RoomLine
    waiting: int


@dataclass(frozen=True, slots=True)
class RoomPage:
    """Rooms of one answer; `following` = where the next begins, None for no more."""

    rooms: Sequence[DeskRoom]
    following: tuple[datetime, int] | None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Something that waits for an answer, and where it was said."""

    entry: Entry
    room_name: str
    private: bool


_COUNTS = (
    """
SELECT m.room_id, count(*)::int AS waiting FROM room_message m JOIN room r ON r.id = m.room_id
WHERE m.room_id = ANY ($1::bigint[]) AND m.at > $2 AND (
    r.kind = 'grid' AND ("""
    + WAITS
    + ") OR r.kind = 'private' AND ("
    + WAITS_PRIVATELY
    + ")) GROUP BY m.room_id"
)


async def desk_rooms(
    person: Person, kind: RoomKind, now: datetime, *, beyond: tuple[datetime, int] | None = None, limit: int = 50
) -> RoomPage:
    """The rooms of one kind this person is on duty in, the newest talk first; `beyond` is where the page before says.
    Raises NotAllowed for residents."""
    if person.post is None:
        raise NotAllowed(f"{person.actor} has no desk", tag="room:watch")
    first = None if kind is RoomKind.GRID else PRIVATE_TALKS
    lines = await rooms.my_rooms(person, limit=limit, beyond=(kind.value, *beyond) if beyond else first)
    last = lines[-1] if len(lines) == limit and lines[-1].kind is kind else None
    following = (last.changed_at, last.id) if last else None
    return RoomPage(await _counted([line for line in lines if line.kind is kind and line.staff], now), following)


async def _counted(lines: Sequence[RoomLine], now: datetime) -> list[DeskRoom]:
    rows = await fetch(_COUNTS, [line.id for line in lines], now - LOOK_BACK) if lines else []
    waiting = {row["room_id"]: row["waiting"] for row in rows}
    return [DeskRoom(line, waiting.get(line.id, 0)) for line in lines]


# $1 area below which they sit on duty, $2 what their names have in them.
_BY_NAME = """
WITH RECURSIVE down AS (
    SELECT id FROM area WHERE id = $1::int
    UNION ALL
    SELECT a.id FROM area a JOIN down ON a.parent_id = down.id
)
SELECT r.id FROM down JOIN area g ON g.id = down.id JOIN area c ON c.id = g.parent_id
JOIN room r ON r.grid_id = g.id AND r.kind = 'grid'
WHERE strpos(c.name || g.name, $2) > 0 ORDER BY c.code, g.code LIMIT $3
"""


async def find_rooms(person: Person, name: str, now: datetime, *, limit: int = 50) -> RoomPage:
    """The rooms of grids this person is on duty in whose community and grid have `name` in their names. Raises
    NotAllowed for residents."""
    if person.post is None:
        raise NotAllowed(f"{person.actor} has no desk", tag="room:watch")
    rows = await fetch(_BY_NAME, await rooms.duty_area(person.post), "".join(name.split()), limit)
    return RoomPage(await _counted([await rooms.room_line(person, row["id"]) for row in rows], now), None)


# $1 area below which they sit on duty, $2 private talks too, $3 since, $4 the last of the page before.
_EVERYWHERE = (
    """
WITH RECURSIVE down AS (
    SELECT id, 0 AS steps FROM area WHERE id = $1::int
    UNION ALL
    SELECT a.id, down.steps + 1 FROM area a JOIN down ON a.parent_id = down.id
)
SELECT m.id, r.kind, c.name || g.name AS grid
FROM down JOIN room r ON r.grid_id = down.id JOIN area g ON g.id = r.grid_id
JOIN area c ON c.id = g.parent_id JOIN room_message m ON m.room_id = r.id
WHERE r.changed_at > $3 AND m.at > $3 AND ($4::bigint IS NULL OR m.id > $4) AND (
    r.kind = 'grid' AND ("""  # noqa: S608 - constants of ours
    + WAITS
    + ") OR r.kind = 'private' AND $2::boolean AND down.steps <= 1 AND ("
    + WAITS_PRIVATELY
    + ")) ORDER BY m.id LIMIT $5"
)


async def unanswered_everywhere(
    person: Person, now: datetime, *, beyond: int | None = None, limit: int = 20
) -> Sequence[Unanswered]:
    """What waits in all rooms this person is on duty in, the oldest of the last two days first. Raises NotAllowed."""
    post = person.post
    if post is None:
        raise NotAllowed(f"{person.actor} has no desk", tag="room:watch")
    private = post.role in (Role.GRID_WORKER, Role.COMMUNITY_STAFF)
    area = await rooms.duty_area(post)
    rows = await fetch(_EVERYWHERE, area, private, now - LOOK_BACK, beyond, limit)
    return [
        Unanswered(await room_entries.read(row["id"]), row["grid"], row["kind"] == RoomKind.PRIVATE) for row in rows
    ]


_DONE = """
UPDATE room_message SET answered_at = $2
WHERE id = $1 AND answered_at IS NULL AND case_id IS NULL AND sender LIKE 'resident:%' RETURNING id
"""


async def needs_no_answer(person: Person, message_id: int, now: datetime, source: str = "") -> None:
    """Staff say that something waits no longer: it was answered on the telephone, or by what was said after it. Again,
    nothing happens. Raises NotFound, NotAllowed for residents."""
    async with transaction():
        entry = await access_message(person, message_id)
        member = await watcher(person, entry.room_id)
        await room_entries.lock_room(message_id)
        if await fetch(_DONE, message_id, now):
            await audit(member.who, "room_message:answered", message_id, now, source=source)
