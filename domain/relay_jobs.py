"""What a shown entry leaves for those who are elsewhere: who reads the room in their chat, groups on other platforms.

An effect (see `domain.room_spread`) runs under the room's lock, so it leaves jobs and nothing else: `domain.relay` and
`domain.groups` do the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.room_words import Entry
from models.database import fetch
from models.enums import MessageKind, RoomKind
from models.rooms import Room

_GONE = (MessageKind.RECALL, MessageKind.REMOVAL)

_RELAY = """
INSERT INTO outbox (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at)
VALUES ('relay', 'pending', 'relay:' || $1::bigint, jsonb_build_object('message', $2::bigint), 0, 0, $3, '', '', 0, '',
    $3)
"""

# Nobody hears the echo of what they said; whoever reads all of it has the mini-program.
_GROUPS = """
INSERT INTO outbox (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at)
SELECT 'group', 'pending', 'group:' || l.id, jsonb_build_object('link', l.id, 'message', $2::bigint), 0, 0, $3, '', '',
    0, '', $3
FROM group_link l
WHERE l.room_id = $1 AND l.active AND l.url <> '' AND 'group:' || l.id <> $4
AND ($5::boolean OR EXISTS (SELECT FROM room_message m WHERE m.id = $6 AND m.sender = 'group:' || l.id))
"""


async def leave_relay(entry: Entry, room: Room, now: datetime) -> Sequence[Entry]:
    """For those who read the room in their chat: what is said to them, and that it was taken back."""
    private = room.kind is RoomKind.PRIVATE
    announced = entry.kind is MessageKind.ANNOUNCEMENT
    gone = entry.kind in _GONE and entry.target is not None
    if entry.kind is not MessageKind.RETURN and (
        private or announced or gone or entry.reply_to or entry.data.get("mentions")
    ):
        await fetch(_RELAY, room.id, entry.id, now)
    return ()


async def leave_for_groups(entry: Entry, room: Room, now: datetime) -> Sequence[Entry]:
    """For groups on other platforms: announcements, and answers to what was said there."""
    announced = entry.kind is MessageKind.ANNOUNCEMENT
    if room.kind is RoomKind.GRID and (announced or entry.reply_to):
        await fetch(_GROUPS, room.id, entry.id, now, entry.by, announced, entry.reply_to)
    return ()
