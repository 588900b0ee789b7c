"""Exact places are kept no longer than somebody may still have to find them: afterwards only the grid is known."""

from __future__ import annotations

from datetime import datetime

from models.database import fetch

_AT_ONCE = 500

# A case may be reopened until then: whoever works on it again must find the place.
_CASES = """
UPDATE cases SET latitude = NULL, longitude = NULL WHERE id IN (
    SELECT id FROM cases WHERE latitude IS NOT NULL AND closed_at <= $1 ORDER BY closed_at LIMIT $2
    FOR UPDATE SKIP LOCKED
) RETURNING id
"""
# A place sent into a room that became no case, or one that is over.
_ENTRIES = """
UPDATE room_message SET data = data - 'latitude' - 'longitude' WHERE id IN (
    SELECT m.id FROM room_message m LEFT JOIN cases c ON c.id = m.case_id
    WHERE m.kind = 'location' AND m.data ? 'latitude' AND m.at <= $1 AND (m.case_id IS NULL OR c.closed_at <= $1)
    ORDER BY m.id LIMIT $2
) RETURNING id
"""
# The message as it came has the place in it as well. Once answered it is needed for nothing.
_MESSAGES = """
UPDATE inbox SET body = ''::bytea WHERE id IN (
    SELECT id FROM inbox WHERE kind = 'location' AND body <> ''::bytea AND state = 'done' AND received_at <= $1
    ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
) RETURNING id
"""


async def coarsen(until: datetime) -> int:
    """Forget the exact places of what was over by `until`; gives how many rows lost theirs, some hundred at a time."""
    cases = await fetch(_CASES, until, _AT_ONCE)
    entries = await fetch(_ENTRIES, until, _AT_ONCE)
    messages = await fetch(_MESSAGES, until, _AT_ONCE)
    return len(cases) + len(entries) + len(messages)
