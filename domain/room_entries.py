"""The numbered memory of a room: writing an entry under the next number, and reading entries back.

A number is taken and its entry written while the room's row is locked, and the lock is held until the commit: numbers
have no gap, and whoever has read number n has every entry up to n. Sent twice under one client_id, it is one entry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import uuid4

from domain import bell
from domain.badges import Face, faces
from domain.room_words import Entry
from domain.rooms import handle, resident_label, seats
from errors import NotFound
from models.database import fetch, from_json, to_json
from models.enums import MessageKind, MessageState


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry about to be written; `state` other than shown gets no number yet."""

    kind: MessageKind
    text: str
    sender: str
    author: str
    client_id: str = field(default_factory=lambda: uuid4().hex)
    state: MessageState = MessageState.SHOWN
    why: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    reply_to: int | None = None
    target: int | None = None
    case_id: int | None = None
    intent: str = ""
    hint: Mapping[str, Any] | None = None


_LOCK = "SELECT last_seq FROM room WHERE id = $1 FOR NO KEY UPDATE"
_LOCK_WITH_SEAT = """
SELECT s.id AS seat_id FROM room r LEFT JOIN room_seat s ON s.room_id = r.id AND s.who = $2
WHERE r.id = $1 FOR NO KEY UPDATE OF r
"""

# Looked for and numbered under the room's lock: of two senders of one client_id the second finds the first's entry.
_WRITE = """
WITH known AS (
    SELECT id FROM room_message WHERE room_id = $1 AND sender = $2 AND client_id = $3
), numbered AS (
    UPDATE room SET last_seq = last_seq + 1, changed_at = $4
    WHERE id = $1 AND $5 = 'shown' AND NOT EXISTS (SELECT FROM known) RETURNING last_seq
)
INSERT INTO room_message (room_id, sender, client_id, at, state, seq, kind, author, text, why, data, reply_to, target,
    case_id, intent, hint)
SELECT $1, $2, $3, $4, $5, (SELECT last_seq FROM numbered), $6, $7, $8, $9, $10::jsonb, $11, $12, $13, $14, $15::jsonb
WHERE NOT EXISTS (SELECT FROM known) RETURNING id
"""
_KNOWN = "SELECT id FROM room_message WHERE room_id = $1 AND sender = $2 AND client_id = $3"


async def write(room_id: int, draft: Draft, now: datetime) -> tuple[Entry, bool]:
    """Write an entry in the running transaction; gives it, and whether it is new. Raises NotFound for no room."""
    locked = await fetch(_LOCK_WITH_SEAT, room_id, draft.sender)
    if not locked:
        raise NotFound(f"room {room_id}")
    if locked[0]["seat_id"] is None and draft.sender.startswith(("resident:", "staff:")):
        await seats(room_id, [draft.sender])
    # A nickname is its bearer's to change and to take away: it is looked up, never kept here.
    author = resident_label("", room_id, draft.sender) if _is_resident(draft.sender) else draft.author
    name = room_id, draft.sender, draft.client_id
    written = await fetch(
        _WRITE,
        *name,
        now,
        draft.state,
        draft.kind,
        author,
        draft.text,
        draft.why,
        to_json(dict(draft.data)),
        draft.reply_to,
        draft.target,
        draft.case_id,
        draft.intent,
        to_json(dict(draft.hint)) if draft.hint is not None else None,
    )
    if written:
        bell.room_changed(room_id)
    found = written or await fetch(_KNOWN, *name)
    return await read(found[0]["id"]), bool(written)


class About(TypedDict, total=False):
    """What else an entry may have. Without `sender` and `author` it is the helper's; without `client_id` always new."""

    sender: str
    author: str
    reply_to: int | None
    target: int | None
    case_id: int | None
    data: Mapping[str, Any]
    client_id: str


async def append(
    room_id: int, kind: MessageKind, text: str, now: datetime, **about: Unpack[About]
) -> tuple[Entry, bool]:
    """Write an entry of the system or another platform, which sets off nothing by itself; gives it, and whether it is
    new. Effects use this one; everybody else `domain.room_messages.append`."""
    helper: About = {"sender": "system", "author": "助手"}
    return await write(room_id, Draft(kind, text, **(helper | about)), now)


_NUMBER = """
WITH numbered AS (UPDATE room SET last_seq = last_seq + 1, changed_at = $3 WHERE id = $2 RETURNING last_seq)
UPDATE room_message SET state = 'shown', seq = numbered.last_seq, at = $3 FROM numbered WHERE room_message.id = $1
"""


async def number(entry: Entry, now: datetime) -> Entry:
    """Give an entry that waited the next number, and show it from now on. The room's lock must be held."""
    await fetch(_NUMBER, entry.id, entry.room_id, now)
    bell.room_changed(entry.room_id)
    return await read(entry.id)


async def lock_room(message_id: int) -> Entry:
    """Lock the room of a message, and read the message as it is now. Raises NotFound for no message."""
    entry = await read(message_id)
    await fetch(_LOCK, entry.room_id)
    return await read(message_id)


_COLUMNS = """
SELECT m.id, m.room_id, m.seq, m.kind, m.state, m.sender, m.author, m.text, m.data, m.reply_to, m.target, m.at,
    m.intent, m.hint, m.why, m.client_id, s.id AS seat_id, coalesce(c.number, '') AS case_number,
    CASE WHEN m.kind = 'return' AND t.state = 'shown' THEN jsonb_build_object(
        'message', jsonb_build_object('id', t.id, 'seq', t.seq, 'kind', t.kind, 'text', t.text, 'data', t.data)
    ) END AS shown_again
FROM room_message m LEFT JOIN room_seat s ON s.room_id = m.room_id AND s.who = m.sender
LEFT JOIN cases c ON c.id = m.case_id LEFT JOIN room_message t ON m.kind = 'return' AND t.id = m.target
"""
_ONE = _COLUMNS + "WHERE m.id = $1"
_AFTER = _COLUMNS + "WHERE m.room_id = $1 AND m.seq > $2 ORDER BY m.seq LIMIT $3"
_BEFORE = _COLUMNS + "WHERE m.room_id = $1 AND m.seq < $2 ORDER BY m.seq DESC LIMIT $3"
_ANNOUNCED = (
    _COLUMNS
    + "WHERE m.room_id = $1 AND m.kind = 'announcement' AND m.state = 'shown' AND m.seq < $2 "
    + "ORDER BY m.seq DESC LIMIT $3"
)
_WAITING = _COLUMNS + "WHERE m.room_id = $1 AND m.sender = ANY ($2::text[]) AND m.seq IS NULL ORDER BY m.id LIMIT $3"


async def read(message_id: int) -> Entry:
    """One entry, whole. Raises NotFound."""
    entries = await _entries(await fetch(_ONE, message_id))
    if not entries:
        raise no_message(message_id)
    return entries[0]


def no_message(message_id: int, verb: str = "read") -> NotFound:
    """What is told of a message that is not there, or not theirs to know of."""
    return NotFound(f"message {message_id}", say="没有找到这条消息。", tag=f"room_message:{verb}", object_id=message_id)


async def after(room_id: int, seq: int, limit: int) -> list[Entry]:
    """The entries with the next numbers, whole, in their order."""
    return await _entries(await fetch(_AFTER, room_id, seq, limit))


async def before(room_id: int, seq: int, limit: int) -> list[Entry]:
    """The last entries before a number, whole, in their order."""
    return (await _entries(await fetch(_BEFORE, room_id, seq, limit)))[::-1]


async def announcements(room_id: int, seq: int, limit: int) -> list[Entry]:
    """The last announcements before a number that stand, the newest first."""
    return await _entries(await fetch(_ANNOUNCED, room_id, seq, limit))


async def waiting(room_id: int, senders: Sequence[str], limit: int) -> list[Entry]:
    """What these people sent and nobody else reads yet, oldest first."""
    return await _entries(await fetch(_WAITING, room_id, list(senders), limit))


async def _entries(rows: Sequence[Mapping[str, Any]]) -> list[Entry]:
    shown = await faces(row["sender"] for row in rows)
    return [
        Entry(
            id=row["id"],
            room_id=row["room_id"],
            seq=row["seq"],
            kind=MessageKind(row["kind"]),
            state=MessageState(row["state"]),
            by=row["sender"],
            author=_author(row, shown),
            badges=shown.get(row["sender"], Face()).marks,
            staff=row["sender"].startswith("staff:"),
            handle=handle(row["seat_id"]),
            text=row["text"],
            data=from_json(row["shown_again"] or row["data"]),
            reply_to=row["reply_to"],
            target=row["target"],
            at=row["at"],
            case_number=row["case_number"],
            intent=row["intent"],
            hint=from_json(row["hint"]),
            why=row["why"],
            client_id=row["client_id"],
        )
        for row in rows
    ]


def _is_resident(actor: str) -> bool:
    return actor.startswith("resident:")


def _author(row: Mapping[str, Any], shown: Mapping[str, Face]) -> str:
    nickname = shown.get(row["sender"], Face()).nickname
    return row["author"] if nickname is None else resident_label(nickname, row["room_id"], row["sender"])
