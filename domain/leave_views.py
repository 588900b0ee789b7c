"""Somebody's own leave, as they see it before they take or end one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.people import Post
from models.database import fetch


@dataclass(frozen=True, slots=True)
class OwnLeave:
    """One absence that runs or is to come."""

    starts_at: datetime
    ends_at: datetime
    deputy: str
    reason: str


@dataclass(frozen=True, slots=True)
class Covered:
    """A colleague whose work one does meanwhile."""

    name: str
    starts_at: datetime
    ends_at: datetime


_OWN = """
SELECT l.starts_at, l.ends_at, coalesce(d.name, '') AS deputy, l.reason
FROM absence l LEFT JOIN staff d ON d.id = l.deputy_id WHERE l.staff_id = $1 AND l.ends_at > $2 ORDER BY l.starts_at
"""
_COVERED = """
SELECT s.name, l.starts_at, l.ends_at FROM absence l JOIN staff s ON s.id = l.staff_id
WHERE l.deputy_id = $1 AND l.ends_at > $2 ORDER BY l.starts_at
"""


async def own_leave(post: Post, now: datetime) -> list[OwnLeave]:
    """The absences of this member of staff that are not over."""
    return [OwnLeave(**row) for row in await fetch(_OWN, post.id, now)]


async def covered_by(post: Post, now: datetime) -> list[Covered]:
    """Whose work this member of staff does, now or soon."""
    return [Covered(**row) for row in await fetch(_COVERED, post.id, now)]
