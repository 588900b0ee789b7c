"""What a message leaves for the workers: a look at a likely report, an answer of the helper; and who has been answered.

A room's row is locked here, so no case is touched: the outbox's ROOM jobs do that (`domain.room_cases`,
`domain.room_helper`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from domain.room_hints import understood
from domain.room_words import HELPER, SPOKEN, Entry
from domain.rooms import who_of
from models.database import fetch, to_json
from models.enums import MessageKind, RoomKind
from models.rooms import Room

_CALLED = re.compile(f"[@＠]\\s?{HELPER}[:：，,]?")

_LEAVE = """
INSERT INTO outbox (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at)
VALUES ('room', 'pending', 'room:message:' || $1::bigint, jsonb_build_object('message', $1::bigint, 'do', $2::text), 0,
    0, $3, '', '', 0, '', $3)
"""


def calls_helper(entry: Entry) -> bool:
    """Whether somebody speaks to the helper: @助手 in the words, or in the mentions."""
    return HELPER in entry.data.get("mentions", ()) or bool(_CALLED.search(entry.text))


def said_to_helper(text: str) -> str:
    """The words without @助手."""
    return _CALLED.sub("", text).strip()


async def leave_jobs(entry: Entry, room: Room, now: datetime) -> Sequence[Entry]:
    """An effect (see `domain.room_spread`): what a shown message leaves to be done."""
    if entry.kind not in SPOKEN or entry.by == "system":
        return ()
    if entry.staff and not calls_helper(entry):
        await _note_answered(entry, room, now)
    if entry.kind is not MessageKind.TEXT:
        return ()
    hint = entry.hint
    if entry.by.startswith("group:"):
        hint = await _understand(entry)
    if calls_helper(entry):
        await fetch(_LEAVE, entry.id, "help", now)
    elif hint and (room.auto_case or hint["urgent"]):
        await leave_look(entry.id, now)
    return ()


async def leave_look(message_id: int, now: datetime) -> None:
    """Let a worker look at a likely report (`domain.room_rules.look`)."""
    await fetch(_LEAVE, message_id, "look", now)


_KEEP = "UPDATE room_message SET intent = $2, hint = $3::jsonb WHERE id = $1"


async def _understand(entry: Entry) -> dict[str, object] | None:
    """What comes from another platform's group is read as if it had been said here."""
    intent, hint = understood(entry.text)
    await fetch(_KEEP, entry.id, intent, to_json(hint) if hint else None)
    return hint


# Who answers without pointing at a message answers the newest question; who names somebody, theirs.
_ANSWERED = """
UPDATE room_message SET answered_at = $2 WHERE id IN (
    SELECT q.id FROM room_message q
    WHERE q.room_id = $1 AND q.at > $2::timestamptz - interval '2 hours' AND q.seq < $3 AND q.answered_at IS NULL
        AND q.sender LIKE 'resident:%' AND q.kind = 'text'
        AND (q.intent IN ('consult', 'progress') OR q.hint IS NOT NULL)
        AND (cardinality($4::text[]) = 0 OR q.sender = ANY ($4))
    ORDER BY q.seq DESC LIMIT CASE WHEN cardinality($4::text[]) = 0 THEN 1 ELSE 100 END
)
"""
_ANSWERED_PRIVATELY = """
UPDATE room_message SET answered_at = $2
WHERE room_id = $1 AND seq < $3 AND answered_at IS NULL AND sender LIKE 'resident:%'
"""


async def _note_answered(entry: Entry, room: Room, now: datetime) -> None:
    """Staff have spoken: what they answer waits no more. What they point at is noted where it is posted."""
    if room.kind is RoomKind.PRIVATE:
        await fetch(_ANSWERED_PRIVATELY, entry.room_id, now, entry.seq)
    elif not entry.reply_to and entry.kind is not MessageKind.ANNOUNCEMENT:
        named = await who_of(entry.room_id, list(entry.data.get("mentions", ())))
        await fetch(_ANSWERED, entry.room_id, now, entry.seq, list(named.values()))
