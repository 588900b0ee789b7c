"""Being in a room from the chat with the account: going in and out, reading, speaking, private talk.

In relay mode what a resident writes to the account goes into the room of their grid; `domain.relay` brings back what is
said to them. Staff read and speak the same way, one message at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain import consents, relay, room_entries, room_messages, rooms
from domain.journal import audit
from domain.people import Person, person_of
from domain.reach import Reach, reach_of
from domain.relay import Line
from domain.review_notices import tell_openid
from domain.room_words import SPOKEN, Entry, Words
from domain.rooms import RoomLine, sit
from errors import BadRequest, LinliError, NotAllowed, NotFound
from models.database import fetch, to_json, transaction
from models.enums import MessageKind, MessageState, Purpose, Role, RoomKind
from models.rooms import Room

__all__ = [
    "MOST_LINES",
    "Answered",
    "MessageKind",
    "MessageState",
    "Purpose",
    "Reading",
    "RoomKind",
    "Spoken",
    "answer",
    "find_line",
    "go_in",
    "go_out",
    "leave_media",
    "post_media",
    "reach_in",
    "read_room",
    "recall_newest",
    "relayed_room",
    "speak",
    "talk_in_private",
    "tell_refused",
]

_IN_PRIVATE = (Role.GRID_WORKER, Role.COMMUNITY_STAFF)
#: Lines of one answer.
MOST_LINES = 8

_GO_IN = """
INSERT INTO room_seat (room_id, who, read_seq, muted_why, relay_since) VALUES ($1, $2, 0, '', $3)
ON CONFLICT (room_id, who) DO UPDATE SET relay_since = coalesce(room_seat.relay_since, excluded.relay_since)
RETURNING relay_since = $3 AS new
"""
_GO_OUT = "UPDATE room_seat SET relay_since = NULL WHERE who = $1 AND relay_since IS NOT NULL RETURNING room_id"
_IN = """
SELECT r.id FROM room r JOIN room_seat s ON s.room_id = r.id AND s.who = $2
WHERE r.key = $1 AND s.relay_since IS NOT NULL
"""


async def go_in(person: Person, now: datetime, source: str = "") -> Room:
    """Let what a resident writes to the account go into the room of their grid. Raises BadRequest without a grid,
    ConsentNeeded before they agreed that neighbours read it, NotAllowed for staff, whose words are orders."""
    if person.post is not None:
        raise NotAllowed("staff in relay mode", say="工作人员说的话不自动转到群里。", tag="room:relay")
    if person.home is None:
        raise BadRequest("no grid", say="请先选您住的网格。", chat="回复“我的网格”就能选。")
    await consents.need_own(person, Purpose.ROOM)
    async with transaction():
        room = await rooms.room_of_grid(person.home.grid_id)
        rows = await fetch(_GO_IN, room.id, person.actor, now)
        if rows[0]["new"]:
            await audit(person.actor, "room:relay_on", room.id, now, source=source)
    return room


async def go_out(person: Person, now: datetime, source: str = "") -> bool:
    """What they write goes to the desk again; whether it went to a room before."""
    async with transaction():
        left = await fetch(_GO_OUT, f"resident:{person.resident_id}")
        for row in left:
            await audit(person.actor, "room:relay_off", row["room_id"], now, source=source)
    return bool(left)


async def relayed_room(person: Person) -> int | None:
    """The room into which what this resident writes goes; None for whoever is in none."""
    if person.home is None or person.post is not None:
        return None
    rows = await fetch(_IN, f"grid:{person.home.grid_id}", person.actor)
    return int(rows[0]["id"]) if rows else None


@dataclass(frozen=True, slots=True)
class Spoken:
    """What became of somebody's words, and what was said to them meanwhile. `auto_case`: clear reports in this room
    open a case by themselves."""

    entry: Entry
    waiting: list[Line]
    auto_case: bool = False


async def speak(person: Person, room_id: int, words: Words, now: datetime, source: str = "") -> Spoken:
    """Say something in a room from the chat; what waits to be told comes with the answer. Raises ConsentNeeded for a
    resident who did not agree that neighbours read it, and what `room_messages.post` does."""
    member = await sit(person, room_id, verb="speak")
    if member.room.kind is RoomKind.GRID and not member.staff:
        await consents.need_own(person, Purpose.ROOM)
    async with transaction():
        entry = await room_messages.post(person, room_id, words, now, source)
        return Spoken(entry, await relay.take_waiting(person.openid), member.room.auto_case)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer given by its number: to whom, what of it is shown, and how that person is reached where it was said in
    private."""

    entry: Entry
    to: str
    reach: Reach | None


async def find_line(person: Person, number: int) -> int:
    """The message somebody means by a number. Raises NotFound."""
    found = await relay.message_of(person.openid, number)
    if found is None:
        say, chat = f"没有第 {number} 条。", "回复“群里说了什么”看最近的，再回复前面的数字。"
        raise NotFound(f"no line {number}", say=say, chat=chat)
    return found


async def answer(person: Person, message_id: int, words: Words, now: datetime, source: str = "") -> Answered:
    """Answer a message in its room, in relay mode or not. Raises as `speak`."""
    asked = await room_entries.read(message_id)
    spoken = await speak(person, asked.room_id, words, now, source)
    room = await Room.get(id=asked.room_id)
    reach = await reach_in(person, room.id, now) if room.kind is RoomKind.PRIVATE and spoken.entry.staff else None
    return Answered(spoken.entry, asked.author, reach)


async def talk_in_private(person: Person, words: Words, now: datetime, source: str = "") -> Spoken:
    """A resident speaks to the staff of their grid alone. Raises BadRequest without a grid, NotAllowed for staff."""
    if person.post is not None:
        say, chat = "工作人员请直接回居民的话。", "回复“答 编号 您的话”，编号在居民的话前面。"
        raise NotAllowed("staff", say=say, chat=chat, tag="room:open")
    room = await rooms.private_room(person, now)
    return await speak(person, room.id, words, now, source)


async def reach_in(person: Person, room_id: int, now: datetime) -> Reach:
    """How the resident of a private talk is reached now. Raises NotFound for whoever does not sit there, NotAllowed for
    the resident themselves and for staff above the community, BadRequest for a grid's room."""
    member = await sit(person, room_id)
    if member.room.kind is RoomKind.PRIVATE and member.staff:
        resident = await person_of(member.room.resident_id or 0)
        return await reach_of(resident.openid, now)
    if member.post is None or member.post.role not in _IN_PRIVATE:
        raise NotAllowed("no talk of theirs", say="这是网格员和社区用的。", tag="room:reach", object_id=room_id)
    raise BadRequest("no private room", say="只有和居民单独的对话才有剩余条数。")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was said lately; `left` more entries than shown are new."""

    name: str
    lines: list[Line]
    left: int


_NEWS = """
SELECT count(*) AS news FROM room_message WHERE room_id = $1 AND seq > $2 AND seq < $3
AND kind NOT IN ('recall', 'removal', 'return') AND state = 'shown'
"""


async def read_room(person: Person, line: RoomLine, now: datetime) -> Reading:
    """The newest of a room for the chat, each line with the number to answer it; it counts as read. What else waits to
    be told (private talk) comes along."""
    async with transaction():
        found = await room_messages.entries(person, line.id, limit=4 * MOST_LINES)
        shown = [one for one in found if one.kind in _READABLE and one.state is MessageState.SHOWN][-MOST_LINES:]
        if not shown:
            return Reading(line.name, [], 0)
        numbers = await relay.number_lines(person.openid, [one.id for one in shown], now)
        waiting = await relay.take_waiting(person.openid)
        missed = await fetch(_NEWS, line.id, line.read_seq, shown[0].seq)
        await room_messages.mark_read(person, line.id, line.last_seq)
    lines = [Line(one.id, number, relay.said(one)) for number, one in zip(numbers, shown, strict=True)]
    lines += [one for one in waiting if one.message_id not in {line.message_id for line in lines}]
    return Reading(line.name, lines, missed[0]["news"])


_READABLE = (*SPOKEN, MessageKind.CASE, MessageKind.SYSTEM)

_NEWEST = """
SELECT id FROM room_message
WHERE sender = ANY ($1::text[]) AND at > $2 AND state <> 'recalled' AND kind = ANY ($3::text[]) ORDER BY id DESC LIMIT 1
"""
_LATELY = timedelta(hours=1)


async def recall_newest(person: Person, now: datetime, source: str = "") -> Entry:
    """Take back what this person said last in any room. Raises NotFound where they said nothing lately, Conflict when
    it is too late."""
    actors = list({person.actor, f"resident:{person.resident_id}"})
    rows = await fetch(_NEWEST, actors, now - _LATELY, [str(kind) for kind in SPOKEN])
    if not rows:
        chat = "要撤回反映的事，回复“撤回”加编号，比如“撤回 0037”。"
        raise NotFound("nothing said", say="您刚才没有在群里说话。", chat=chat)
    return await room_messages.recall(person, rows[0]["id"], now, source)


_PHOTO = """
INSERT INTO outbox (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at)
VALUES ('relay', 'pending', 'relay:' || $1::text, $2::jsonb, 0, 0, $3, '', '', 0, '', $3)
"""


async def leave_media(person: Person, room_id: int, media_id: str, kind: MessageKind, now: datetime, name: str) -> None:
    """Leave a photo or a voice message for the workers, who fetch it from WeChat and put it into the room; `name` is
    its client id there."""
    await sit(person, room_id, verb="speak")
    job: dict[str, Any] = {"resident": person.resident_id, "room": room_id, "media": media_id}
    await fetch(_PHOTO, person.openid, to_json(job | {"kind": kind, "name": name}), now)


async def post_media(job: dict[str, Any], upload_id: str, now: datetime) -> Entry:
    """Put what the workers fetched into the room. Raises as `speak`."""
    person = await person_of(job["resident"])
    words = Words(MessageKind(job["kind"]), "", job["name"], data={"upload": upload_id})
    return (await speak(person, job["room"], words, now, f"relay:{job['name']}"[:40])).entry


async def tell_refused(job: dict[str, Any], error: LinliError, now: datetime) -> None:
    """Tell somebody that what they sent could not go into the room."""
    person = await person_of(job["resident"])
    what = "照片" if job["kind"] == MessageKind.IMAGE else "语音"
    await tell_openid(person.openid, f"{what}没有发到群里：{error.in_chat}", f"{what}没有发到群里", now)
