"""What somebody chose for the console, and whether they have seen its tour."""

from __future__ import annotations

from datetime import datetime

from domain.journal import audit
from domain.people import Post
from models.console import ConsoleChoice
from models.database import fetch, transaction


async def choice_of(staff_id: int) -> tuple[bool, bool]:
    """(whether the tour is still to be shown, whether type is to be large)."""
    found = await ConsoleChoice.get_or_none(staff_id=staff_id)
    return (found is None or found.toured_at is None), bool(found and found.large_type)


_TOURED = """
INSERT INTO console_choice (staff_id, large_type, toured_at) VALUES ($1, false, $2)
ON CONFLICT (staff_id) DO UPDATE SET toured_at = coalesce(console_choice.toured_at, excluded.toured_at)
"""
_LARGE = """
INSERT INTO console_choice (staff_id, large_type) VALUES ($1, $2)
ON CONFLICT (staff_id) DO UPDATE SET large_type = excluded.large_type
"""


async def end_tour(post: Post, now: datetime) -> None:
    """They have seen it."""
    await fetch(_TOURED, post.id, now)


async def choose_type(post: Post, now: datetime, source: str = "", *, large: bool) -> None:
    """Larger type for their own pages, or the ordinary one."""
    async with transaction():
        await fetch(_LARGE, post.id, large)
        await audit(post.actor, "account:type", post.id, now, source=source)
