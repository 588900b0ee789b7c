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


# Of two deliveries of the same, one about each of them, the one that need not go out: that of the mini-program, unless
# it was read there. What is about somebody else of the family is not theirs and stays.
_TWICE = """
SELECT CASE WHEN g.read_at IS NOT NULL OR g.state = 'told' THEN s.id ELSE g.id END AS id
FROM delivery g JOIN delivery s ON s.broadcast_id = g.broadcast_id AND s.key = g.key AND s.resident_id = $2
LEFT JOIN household_member m ON m.id = g.member_id LEFT JOIN household_member n ON n.id = s.member_id
WHERE g.resident_id = $1 AND (m.id IS NULL OR m.resident_id = $1) AND (n.id IS NULL OR n.resident_id = $2)
"""
_LOCK = "SELECT FROM delivery WHERE resident_id IN ($1, $2) ORDER BY id FOR UPDATE"
_ONCE = """
WITH back AS (
    DELETE FROM outbox o USING delivery d
    WHERE d.id = ANY ($1::bigint[]) AND o.id = d.outbox_id AND o.state = 'pending' AND o.called_at IS NULL
    RETURNING o.id
)
UPDATE delivery SET state = 'skipped', reason = $2, outbox_id = NULL
WHERE id = ANY ($1::bigint[]) AND (state IN ('listed', 'by_hand') OR outbox_id IN (
    SELECT id FROM back UNION ALL
    SELECT o.id FROM outbox o JOIN delivery d ON d.outbox_id = o.id
    WHERE d.id = ANY ($1::bigint[]) AND o.channel = 'miniapp'
))
"""
_SAME_PERSON = "和另一条是同一个人"
_MOVE = """
UPDATE delivery d SET resident_id = $2, recipient = CASE WHEN d.recipient = 'resident:' || $1::bigint AND NOT EXISTS (
    SELECT FROM delivery o WHERE o.broadcast_id = d.broadcast_id AND o.key = d.key
        AND o.recipient = 'resident:' || $2::bigint) THEN 'resident:' || $2::bigint ELSE d.recipient END
WHERE d.resident_id = $1
"""


async def merge_broadcasts(gone: int, stays: int) -> None:
    """What one was told, the other was; what both were to be told goes out once. In the running transaction."""
    await fetch(_LOCK, gone, stays)
    if twice := [row["id"] for row in await fetch(_TWICE, gone, stays)]:
        await fetch(_ONCE, twice, _SAME_PERSON)
    await fetch(_MOVE, gone, stays)
