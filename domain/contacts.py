"""People without WeChat: their name and telephone, kept because staff reported something for them, or because they
give volunteer time.

Each is a resident of their own (`contact:…`) who reads nothing: what became of their matter they are told by telephone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from domain.people import Person, Post, person_of, posts_upward
from models.cases import Case
from models.database import fetch

_PREFIX = "contact:"


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to call. `phone` may be empty where they come by themselves."""

    name: str
    phone: str = ""


def is_contact(openid: str) -> bool:
    """Whether somebody is called, not written to."""
    return openid.startswith(_PREFIX)


# The same name at the same number is the same person, wherever they live now.
_KEEP = """
INSERT INTO resident (openid, name, phone, grid_id, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (openid) DO UPDATE SET name = excluded.name, phone = excluded.phone,
    grid_id = coalesce(excluded.grid_id, resident.grid_id),
    deleted_at = NULL
RETURNING id
"""


async def keep(contact: Contact, grid_id: int | None, now: datetime) -> Person:
    """The person as a resident, in the running transaction; `grid_id` = None where nobody asked for it."""
    same = f"{contact.phone}|{contact.name}" if contact.phone else uuid4().hex
    openid = _PREFIX + hashlib.sha256(same.encode()).hexdigest()[:40]
    rows = await fetch(_KEEP, openid, contact.name, contact.phone, grid_id, now)
    return await person_of(rows[0]["id"])


async def callers(case: Case) -> Sequence[Post]:
    """Who should call about a result: the nearest staff of its area who did not do the work themselves."""
    posts = [post for post in await posts_upward(case.grid_id or case.area_id) if post.id != case.holder_id]
    return [post for post in posts if post.level is posts[0].level]


# Nothing of theirs is open, or can still be opened again; who gives volunteer time is known for two years more.
_FORGET = """
UPDATE resident SET name = '', phone = '', openid = 'contact:' || gen_random_uuid() WHERE id IN (
    SELECT r.id FROM resident r
    WHERE starts_with(r.openid, 'contact:') AND (r.name <> '' OR r.phone <> '') AND r.created_at <= $1
    AND NOT EXISTS (
        SELECT FROM cases c WHERE c.reporter_id = r.id AND (c.closed_at IS NULL OR c.closed_at > $1)
    ) AND NOT EXISTS (
        SELECT FROM volunteer_time v WHERE v.resident_id = r.id AND v.at > $1 - interval '2 years'
    ) LIMIT 500 FOR UPDATE SKIP LOCKED
) RETURNING id
"""


async def forget_contacts(until: datetime) -> int:
    """Forget names and numbers of people all of whose matters were over by `until`; gives how many."""
    return len(await fetch(_FORGET, until))
