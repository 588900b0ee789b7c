"""Puts a message to one person into the outbox, for what is no case: there the journal does it."""

from __future__ import annotations

from datetime import datetime

from domain.journal import Notice, is_platform
from models.database import fetch, to_json

_TELL = """
INSERT INTO outbox (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at, quiet)
VALUES ('notice', 'pending', $1, $2::jsonb, 0, 0, coalesce($4::timestamptz, $3), '', '', 0, '', $3, $4 IS NOT NULL)
"""


async def tell(notice: Notice, now: datetime, *, later: datetime | None = None) -> None:
    """In the running transaction; `later` keeps it back until then (the end of the quiet hours). Whoever has no WeChat
    is left out."""
    if notice.recipient and not is_platform(notice.recipient):
        await fetch(_TELL, notice.recipient, to_json(notice.payload()), now, later)
