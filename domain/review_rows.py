"""Reviews as rows: opened when staff must look at something, one open one a message, closed when somebody has."""

from __future__ import annotations

from datetime import datetime

from models.database import fetch
from models.enums import ReviewKind, ReviewOutcome

_OPEN = """
INSERT INTO review (kind, room_id, message_id, by, reason, opened_at, outcome, answer)
VALUES ($1, $2, $3, $4, $5, $6, 'open', '') ON CONFLICT DO NOTHING RETURNING id
"""
_OPEN_ONE = "SELECT id FROM review WHERE message_id = $1 AND outcome = 'open'"


async def open_review(
    kind: ReviewKind, room_id: int, message_id: int | None, by: str, reason: str, now: datetime
) -> int:
    """Its id; of the open one about the same message where there is one already. In the running transaction, with the
    room's lock held."""
    opened = await fetch(_OPEN, kind, room_id, message_id, by, reason[:500], now)
    found = opened or await fetch(_OPEN_ONE, message_id)
    return int(found[0]["id"])


_CLOSE = """
UPDATE review SET outcome = $2, decided_by_id = $3, decided_at = $4, answer = $5
WHERE message_id = $1 AND outcome = 'open' RETURNING id
"""


async def close_reviews(
    message_id: int, outcome: ReviewOutcome, now: datetime, *, staff_id: int | None = None, answer: str = ""
) -> None:
    """What was asked about a message is decided by what has become of it. In the running transaction."""
    await fetch(_CLOSE, message_id, outcome, staff_id, now, answer[:200])
