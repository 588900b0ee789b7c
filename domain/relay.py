"""The official account as a door to the room: what is said to somebody there comes into their chat, gathered.

Whoever reads a room in their chat (relay mode) is told of answers to what they said, of mentions and announcements;
private talk reaches both sides so. Several lines go in one message, the later the fewer customer-service messages are
left, because WeChat counts messages; with none left one notice says that there is something to read. Each line has a
number of its own for its reader: “回复 11 …”.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain import room_entries
from domain.clock import template_number, template_time
from domain.journal import MINI, Notice, is_platform
from domain.notices import excerpt
from domain.people import stand_in
from domain.reach import reach_of
from domain.room_words import WORKER, Entry
from domain.rooms import members_on_duty, who_of
from domain.uploads import OURS
from models.database import fetch, from_json, to_json, transaction
from models.enums import MessageKind, MessageState, OutboxKind, OutboxState, RoomKind
from models.messaging import Outbox
from models.rooms import Room

#: Numbers of lines. 1 to 10 are the choices of a question.
FIRST, LAST = 11, 99
#: How long a line can be answered by its number.
KEPT = timedelta(days=14)

#: How long lines are gathered, by the customer-service messages that are left.
_GATHER = {1: timedelta(hours=1), 2: timedelta(minutes=10), 3: timedelta(minutes=2)}
_AT_ONCE = timedelta(seconds=20)
#: Without any left: at least this long, and so long after the last notice that said there is something to read.
_BEFORE_NOTICE, _BETWEEN_NOTICES = timedelta(minutes=10), timedelta(hours=4)

_MOST_LINES, _MOST_BYTES = 6, 1700  # of one message; WeChat takes 2,048 bytes
_LETTERS, _LONG_LETTERS = 80, 240  # of what somebody said; of an announcement, and of the helper's answer
_SHORT = {MessageKind.IMAGE: "［照片］", MessageKind.VOICE: "［语音］", MessageKind.LOCATION: "［位置］"}


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as somebody reads it in their chat."""

    message_id: int
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class _Listener:
    """Somebody to be told, and how the message begins."""

    openid: str
    staff: bool


async def tell(message_id: int, now: datetime) -> int:
    """Tell those whom an entry concerns and who read in their chat; once more tells nobody twice. Gives how many."""
    entry = await room_entries.read(message_id)
    if entry.target is not None:
        await take_back(entry.target)
        return 0
    if entry.state is not MessageState.SHOWN:
        return 0
    room = await Room.get(id=entry.room_id)
    told = 0
    for one in await _listeners(entry, room, now):
        told += await _tell(one, entry, room, now)
    return told


_RELAYED = """
SELECT r.openid FROM room_seat s
JOIN resident r ON r.id = CASE WHEN s.who LIKE 'resident:%' THEN substr(s.who, 10)::bigint END
WHERE s.room_id = $1 AND s.relay_since IS NOT NULL AND r.grid_id = $2 AND r.deleted_at IS NULL AND s.who <> $3
AND ($4::text[] IS NULL OR s.who = ANY ($4))
ORDER BY s.id
"""
_OFFICERS = """
SELECT openid FROM staff
WHERE active AND openid IS NOT NULL AND 'staff:' || id = ANY ($1) AND 'staff:' || id <> $2 ORDER BY id
"""
_RESIDENT = "SELECT openid FROM resident WHERE id = $1 AND deleted_at IS NULL"
_SENDER = "SELECT sender FROM room_message WHERE id = $1 AND room_id = $2"
# Of a case somebody hears by its own notices; the room's first word on it is the one they lack.
_HEARD = """
SELECT 1 FROM room_message m JOIN room_message f ON f.case_id = m.case_id AND f.kind = 'case' AND f.id < m.id
WHERE m.id = $1 LIMIT 1
"""


async def _listeners(entry: Entry, room: Room, now: datetime) -> list[_Listener]:
    if room.kind is RoomKind.PRIVATE:
        return await _other_side(entry, room, now)
    meant = await _meant(entry, room, now)
    everybody = entry.kind is MessageKind.ANNOUNCEMENT
    if entry.kind is MessageKind.CASE and await fetch(_HEARD, entry.id):
        return []
    actors = None if everybody else [who for who in meant if who.startswith("resident:")]
    found = [
        _Listener(row["openid"], staff=False)
        for row in await fetch(_RELAYED, room.id, room.grid_id, entry.by, actors)
        if _has_chat(row["openid"])
    ]
    if entry.by.startswith(("resident:", "staff:", "group:")) and not everybody:
        officers = await fetch(_OFFICERS, [who for who in meant if who.startswith("staff:")], entry.by)
        found += [_Listener(row["openid"], staff=True) for row in officers]
    return list({one.openid: one for one in found}.values())


async def _meant(entry: Entry, room: Room, now: datetime) -> list[str]:
    """Whose message it answers, and whom it mentions."""
    meant = [row["sender"] for row in await fetch(_SENDER, entry.reply_to, room.id)] if entry.reply_to else []
    mentions = list(entry.data.get("mentions", ()))
    meant += (await who_of(room.id, mentions)).values()
    if WORKER in mentions:
        meant += [f"staff:{staff_id}" for staff_id, _ in [await _on_duty(room, now)] if staff_id]
    return [who for who in meant if who != entry.by]


async def _on_duty(room: Room, now: datetime) -> tuple[int, str]:
    """Who answers for a room now and has a WeChat: the grid's worker, who does their work, or the next above; (0, "")
    for nobody."""
    for post in await members_on_duty(room.id):
        there = await stand_in(post, now)
        if there and there.openid:
            return there.id, there.openid
    return 0, ""


async def _other_side(entry: Entry, room: Room, now: datetime) -> list[_Listener]:
    """In a private talk: the resident, or who answers for their grid."""
    if entry.by == f"resident:{room.resident_id}":
        asked = await fetch(_SENDER, entry.reply_to, room.id) if entry.reply_to else []
        named = await fetch(_OFFICERS, [row["sender"] for row in asked], entry.by)
        openid = named[0]["openid"] if named else (await _on_duty(room, now))[1]
        return [_Listener(openid, staff=True)] if openid else []
    rows = await fetch(_RESIDENT, room.resident_id)
    return [_Listener(row["openid"], staff=False) for row in rows if _has_chat(row["openid"])]


def _has_chat(openid: str) -> bool:
    """Not who has the mini-program alone, or no WeChat at all."""
    return not openid.startswith(MINI) and not is_platform(openid)


_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('relay:' || $1::text, 0))"
_TOLD = "SELECT 1 FROM relay_line WHERE openid = $1 AND message_id = $2"
_WAITS = """
SELECT id, payload, created_at FROM outbox
WHERE recipient = $1 AND kind = 'notice' AND finished_at IS NULL AND state = 'pending' AND tries = 0
    AND payload ? 'relay'
ORDER BY id DESC LIMIT 1 FOR UPDATE
"""
_PUT = "UPDATE outbox SET payload = $2::jsonb WHERE id = $1"


async def _tell(listener: _Listener, entry: Entry, room: Room, now: datetime) -> int:
    """One more line for somebody: in the message that waits for them, or in a new one."""
    private = room.kind is RoomKind.PRIVATE
    async with transaction():
        await fetch(_ONE_AT_A_TIME, listener.openid)
        if await fetch(_TOLD, listener.openid, entry.id):
            return 0
        [number] = await number_lines(listener.openid, [entry.id], now)
        line = {"message": entry.id, "number": number, "text": said(entry), "private": private}
        line |= {"room": room.id, "seq": entry.seq, "image": await _picture(entry) if private else ""}
        waiting = await fetch(_WAITS, listener.openid)
        if waiting:
            lines = [*from_json(waiting[0]["payload"])["relay"], line]
            await fetch(_PUT, waiting[0]["id"], to_json(_payload(listener.openid, lines, listener.staff, now)))
            return 1
        await Outbox.create(
            kind=OutboxKind.NOTICE,
            state=OutboxState.PENDING,
            recipient=listener.openid,
            payload=_payload(listener.openid, [line], listener.staff, now),
            due_at=await _due(listener.openid, now),
            quiet=True,  # it holds back nothing that is sent sooner
            created_at=now,
        )
    return 1


_PATH = "SELECT path FROM upload WHERE id = $1 AND state <> 'refused'"


async def _picture(entry: Entry) -> str:
    """What the delivery ladder hands to WeChat. Of private talk alone: each picture is a message of the quota."""
    upload = entry.data.get("upload")
    if entry.kind is not MessageKind.IMAGE or not upload:
        return ""
    rows = await fetch(_PATH, UUID(upload))
    return f"{OURS}{rows[0]['path']}" if rows else ""


_LAST_NOTICE = """
SELECT max(finished_at) AS at FROM outbox
WHERE recipient = $1 AND kind = 'notice' AND channel IN ('template', 'subscription') AND payload ? 'relay'
"""


async def _due(openid: str, now: datetime) -> datetime:
    reach = await reach_of(openid, now)
    if reach.left:
        return now + _GATHER.get(reach.left, _AT_ONCE)
    last = (await fetch(_LAST_NOTICE, openid))[0]["at"]
    return max(now + _BEFORE_NOTICE, last + _BETWEEN_NOTICES) if last else now + _BEFORE_NOTICE


_AGAIN = "DELETE FROM relay_line WHERE openid = $1 AND message_id = ANY ($2)"


async def number_lines(openid: str, messages: Sequence[int], now: datetime) -> list[int]:
    """The numbers under which somebody answers these messages from now on. In the running transaction."""
    await fetch(_ONE_AT_A_TIME, openid)
    last = await fetch("SELECT number FROM relay_line WHERE openid = $1 ORDER BY id DESC LIMIT 1", openid)
    before = last[0]["number"] if last else FIRST - 1
    numbers = [FIRST + (before - FIRST + place) % (LAST - FIRST + 1) for place, _ in enumerate(messages, 1)]
    await fetch(_AGAIN, openid, list(messages))
    await fetch(_KEEP, openid, list(messages), numbers, now)
    return numbers


_KEEP = """
INSERT INTO relay_line (openid, message_id, number, at)
SELECT $1, said.id, said.number, $4 FROM unnest($2::bigint[], $3::smallint[]) AS said(id, number)
"""


async def forget_lines(now: datetime) -> int:
    """Numbers of long ago mean nothing any more; gives how many."""
    return len(await fetch("DELETE FROM relay_line WHERE at < $1 RETURNING id", now - KEPT))


def said(entry: Entry) -> str:
    """王阿姨：今晚停水吗, on one line."""
    most = _LONG_LETTERS if entry.kind in (MessageKind.ANNOUNCEMENT, MessageKind.SYSTEM) else _LETTERS
    words = excerpt(entry.text, most) or _SHORT.get(entry.kind, "（已撤回）")
    announced = "【公告】" if entry.kind is MessageKind.ANNOUNCEMENT else ""
    return f"{announced}{entry.author}：{words}"


def _payload(openid: str, lines: Sequence[Mapping[str, Any]], staff: bool, now: datetime) -> dict[str, Any]:
    """The notice with these lines; the text is written anew with each that joins."""
    private = all(line["private"] for line in lines)
    fields = {
        "number": template_number(now),
        "subject": "有人找您说话" if private else "网格群有人找您",
        "status": "有新消息",
        "time": template_time(now),
        "note": "打开公众号回复“群里说了什么”查看",
    }
    text = _text(lines, staff=staff, private=private)
    images = [line["image"] for line in lines if line["image"]][:1]
    return Notice(openid, text, (), fields, images).payload() | {"relay": list(lines), "staff": staff}


def _text(lines: Sequence[Mapping[str, Any]], *, staff: bool, private: bool) -> str:
    who = ("居民单独找您：" if staff else "网格员单独跟您说：") if private else "网格群里有人找您："
    shown: list[str] = []
    for line in lines:
        one = f"{line['number']} {line['text']}"
        if len(shown) == _MOST_LINES or sum(len(part.encode()) + 1 for part in [*shown, one]) > _MOST_BYTES:
            break
        shown.append(one)
    rest = len(lines) - len(shown)
    more = [f"还有 {rest} 条，回复“群里说了什么”看。"] if rest else []
    verb = "答" if staff else "回复"
    return "\n".join([who, *shown, *more, f"要回就回复“{verb} {lines[-1]['number']} 您的话”。"])


async def take_back(message_id: int) -> None:
    """What was taken back, or hidden, is not told to those who have not been told yet."""
    async with transaction():
        waiting = await fetch(_WITH_LINE, to_json([{"message": message_id}]))
        for row in waiting:
            payload = from_json(row["payload"])
            rest = [line for line in payload["relay"] if line["message"] != message_id]
            await _leave(row["id"], row["recipient"], payload, rest, row["created_at"])


async def read_elsewhere(openid: str, room_id: int, seq: int) -> None:
    """Whoever has read a room up to a number in the mini-program is not told of it in their chat any more."""
    if not any(_unread(row, room_id, seq)[0] for row in await fetch(_WAITS, openid)):
        return
    async with transaction():
        for row in await fetch(_WAITS, openid):
            was_read, rest = _unread(row, room_id, seq)
            if was_read:
                await _leave(row["id"], openid, from_json(row["payload"]), rest, row["created_at"])


def _unread(row: Mapping[str, Any], room_id: int, seq: int) -> tuple[bool, list[dict[str, Any]]]:
    """Whether lines of a notice have been read, and the others."""
    lines = from_json(row["payload"])["relay"]
    rest = [line for line in lines if line["room"] != room_id or line["seq"] > seq]
    return len(rest) < len(lines), rest


async def _leave(
    job_id: int, openid: str, payload: Mapping[str, Any], rest: Sequence[Mapping[str, Any]], now: datetime
) -> None:
    """Leave these lines in a notice; one without lines is not sent."""
    if rest:
        await fetch(_PUT, job_id, to_json(_payload(openid, rest, bool(payload["staff"]), now)))
    else:
        await fetch("DELETE FROM outbox WHERE id = $1", job_id)


_WITH_LINE = """
SELECT o.id, o.recipient, o.payload, o.created_at FROM outbox o
WHERE o.kind = 'notice' AND o.state = 'pending' AND o.finished_at IS NULL AND o.payload->'relay' @> $1::jsonb
ORDER BY o.id FOR UPDATE
"""
_TAKE = """
DELETE FROM outbox
WHERE recipient = $1 AND kind = 'notice' AND finished_at IS NULL AND state = 'pending' AND tries = 0
    AND payload ? 'relay'
RETURNING payload
"""


async def take_waiting(openid: str) -> list[Line]:
    """The lines that wait for somebody, who reads them in the answer they are getting: that costs no message. In the
    running transaction."""
    rows = await fetch(_TAKE, openid)
    lines = [line for row in rows for line in from_json(row["payload"])["relay"]]
    return [Line(line["message"], line["number"], line["text"]) for line in lines]


_BY_NUMBER = "SELECT message_id FROM relay_line WHERE openid = $1 AND number = $2 ORDER BY id DESC LIMIT 1"


async def message_of(openid: str, number: int) -> int | None:
    """Which message somebody means by a number; None for one they were not shown lately."""
    rows = await fetch(_BY_NUMBER, openid, number)
    return int(rows[0]["message_id"]) if rows else None
