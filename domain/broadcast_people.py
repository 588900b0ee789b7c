"""Broadcasts in what a resident takes along, in being forgotten, and in becoming one with a follower."""

from __future__ import annotations

from typing import Any

from models.database import fetch, to_json

_TOLD = """
SELECT b.title, b.topic, r.started_at AS at, d.state, d.reason, d.read_at
FROM delivery d JOIN broadcast b ON b.id = d.broadcast_id JOIN broadcast_run r ON r.id = d.run_id
WHERE d.resident_id = $1 ORDER BY d.id
"""


async def told_of(resident_id: int) -> list[dict[str, Any]]:
    """What was to reach them, and whether they have read it."""
    return await fetch(_TOLD, resident_id)


# What was sent stays as a figure without its job; what was not, is not to be sent any more.
_SENT = """
UPDATE delivery d SET outbox_id = NULL, member_id = NULL FROM outbox o
WHERE d.resident_id = $1 AND d.state = 'queued' AND o.id = d.outbox_id AND o.state = 'sent'
"""
_UNSENT = """
UPDATE delivery SET state = 'skipped', reason = '已注销', outbox_id = NULL, member_id = NULL
WHERE resident_id = $1 AND (state = 'listed' OR outbox_id IS NOT NULL)
"""
# Family that was told about them, by their name.
_ABOUT = """
UPDATE outbox o SET payload = o.payload || $2::jsonb FROM delivery d JOIN household_member m ON m.id = d.member_id
WHERE m.resident_id = $1 AND o.id = d.outbox_id AND d.resident_id IS DISTINCT FROM $1
"""


async def forget_broadcasts(resident_id: int, gone: str) -> None:
    """Nothing of them is left in broadcasts but figures. In the running transaction, before their jobs go; `gone`
    stands where their name stood."""
    await fetch(_ABOUT, resident_id, to_json({"text": gone}))
    await fetch(_SENT, resident_id)
    await fetch(_UNSENT, resident_id)


_MOVE = """
UPDATE delivery d SET resident_id = $2, recipient = CASE WHEN d.recipient = 'resident:' || $1::bigint AND NOT EXISTS (
    SELECT FROM delivery o WHERE o.broadcast_id = d.broadcast_id AND o.key = d.key
        AND o.recipient = 'resident:' || $2::bigint) THEN 'resident:' || $2::bigint ELSE d.recipient END
WHERE d.resident_id = $1
"""


async def merge_broadcasts(gone: int, stays: int) -> None:
    """What one was told, the other was. In the running transaction."""
    await fetch(_MOVE, gone, stays)
