"""Whether open connections still stand: who signed in is asked once, and then again and again whether it still holds.

A login that ends is seen at once, by the index of those that ended lately. Whatever else changes who somebody is (their
grid, their post, its area) is seen when their turn comes: staff each time, residents in rotation.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from domain.people import Person
from domain.tokens import living
from models.database import fetch

#: (resident, their grid, post, its role, area, department): what rooms and rights are decided by.
Standing = tuple[int, int | None, int | None, str, int | None, int | None]

# Clocks of several machines differ, and a transaction may take a moment to commit.
_LATELY = timedelta(minutes=1)
_ENDED = "SELECT id FROM login_token WHERE ended_at > $1"


async def ended_lately(now: datetime) -> set[int]:
    """The logins of all people that ended within the last minute."""
    return {row["id"] for row in await fetch(_ENDED, now - _LATELY)}


def standing_of(person: Person) -> Standing:
    """What somebody was when they signed in."""
    post = person.post
    return (
        person.resident_id,
        person.home.grid_id if person.home else None,
        post.id if post else None,
        post.role.value if post else "",
        post.area_id if post else None,
        post.department_id if post else None,
    )


_STANDING = """
SELECT t.id, coalesce(r.id, 0) AS resident, r.grid_id, s.id AS post, coalesce(s.role, '') AS role, s.area_id,
    s.department_id
FROM login_token t LEFT JOIN resident r ON r.id = t.resident_id
LEFT JOIN staff s ON s.active
    AND s.id = coalesce(t.staff_id, (SELECT b.id FROM staff b WHERE b.openid = r.openid AND b.active))
WHERE t.id = ANY ($1::bigint[])
"""


async def standings(tokens: Collection[int], now: datetime) -> dict[int, Standing]:
    """What the people behind these logins are now; those whose login holds no more are left out."""
    held = await living(tokens, now)
    rows = await fetch(_STANDING, list(held))
    return {
        row["id"]: (row["resident"], row["grid_id"], row["post"], row["role"], row["area_id"], row["department_id"])
        for row in rows
    }


_HEADS = "SELECT id, last_seq FROM room WHERE id = ANY ($1::bigint[])"


async def heads(rooms: Collection[int]) -> dict[int, int]:
    """The newest number of each of these rooms."""
    return {row["id"]: row["last_seq"] for row in await fetch(_HEADS, list(rooms))}
