"""What has changed since one last looked, and whom it may concern: for pages that show lists and would else ask again
and again.

It is a hint where to look and no more: what somebody may read is decided when the page asks. A hint too many costs a
look, one too few is made up for by the page's own slow clock.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from domain.people import Post
from domain.rooms import duty_area
from models.database import fetch

What = Literal["case", "booking", "room"]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Where somebody's desk stands. Rooms have it at the department's area, cases and bookings at their own post's;
    whoever is of a department sees its cases alone."""

    post_id: int
    area_id: int
    room_area_id: int | None
    department_id: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """Something about one thing is new: all areas it lies in, upward, who has it or is asked, their departments."""

    what: What
    id: int
    areas: frozenset[int]
    posts: frozenset[int] = frozenset()
    departments: frozenset[int] = frozenset()

    def concerns(self, viewer: Viewer) -> bool:
        """Whether it is likely on this person's lists."""
        if self.what == "room":
            return viewer.room_area_id in self.areas
        if viewer.post_id in self.posts or viewer.department_id in self.departments:
            return True
        return viewer.department_id is None and viewer.area_id in self.areas


async def viewer_of(post: Post) -> Viewer:
    """Where this member of staff looks from."""
    return Viewer(post.id, post.area_id, await duty_area(post), post.department_id)


_NEWEST = "SELECT coalesce(max(id), 0) AS id FROM audit_event"
_AUDITED = """
SELECT id, split_part(tag, ':', 1) AS what, object_id FROM audit_event
WHERE id > $1 AND object_id IS NOT NULL AND allowed ORDER BY id LIMIT $2
"""
# Rows get their number before they commit: one may come to light behind others that were read already.
_LATE = 500
_MOST = 5_000  # rows of one look; the rest waits for the next

# What each thing lies in directly, and who has to do with it besides.
_CASES = """
SELECT c.id, array_remove(ARRAY[c.grid_id, c.area_id], NULL) AS areas,
    array_remove(ARRAY[c.department_id, h.department_id], NULL) AS departments,
    array_remove(ARRAY[c.holder_id], NULL)
        || ARRAY(SELECT to_staff_id FROM case_request WHERE case_id = c.id AND to_staff_id IS NOT NULL)
        || ARRAY(SELECT staff_id FROM assist WHERE case_id = c.id) AS posts
FROM cases c LEFT JOIN staff h ON h.id = c.holder_id WHERE c.id = ANY ($1::bigint[])
"""
_BOOKINGS = """
SELECT b.id, array_remove(ARRAY[p.area_id, r.grid_id], NULL) AS areas
FROM booking b JOIN booking_plan p ON p.id = b.plan_id LEFT JOIN resident r ON r.id = b.resident_id
WHERE b.id = ANY ($1::bigint[])
"""
_ROOMS = "SELECT id, ARRAY[grid_id] AS areas FROM room WHERE id = ANY ($1::bigint[])"
_ABOVE = """
WITH RECURSIVE up AS (
    SELECT id, id AS area_id FROM area WHERE id = ANY ($1::int[])
    UNION ALL
    SELECT up.id, a.parent_id FROM up JOIN area a ON a.id = up.area_id WHERE a.parent_id IS NOT NULL
)
SELECT id, array_agg(area_id) AS areas FROM up GROUP BY id
"""


class Trail:
    """Reads on in the audit trail, where every action leaves a row. The first look only finds its end."""

    def __init__(self) -> None:
        self._newest: int | None = None
        self._seen: frozenset[int] = frozenset()

    async def look(self) -> Sequence[Change]:
        """The cases and bookings something was done about since the last look."""
        first = self._newest is None
        newest = self._newest if self._newest is not None else (await fetch(_NEWEST))[0]["id"]
        rows = await fetch(_AUDITED, newest - _LATE, _MOST)
        fresh = [row for row in rows if row["id"] not in self._seen]
        self._newest = max((row["id"] for row in rows), default=newest)
        self._seen = frozenset(row["id"] for row in rows if row["id"] > self._newest - _LATE)
        if first:
            return []
        cases = list({row["object_id"] for row in fresh if row["what"] == "case"})
        bookings = list({row["object_id"] for row in fresh if row["what"] == "booking"})
        return [
            *await _placed("case", await fetch(_CASES, cases) if cases else []),
            *await _placed("booking", await fetch(_BOOKINGS, bookings) if bookings else []),
        ]


async def rooms_changed(ids: Collection[int]) -> Sequence[Change]:
    """These rooms have new entries, as the bell says (`domain.bell`)."""
    return await _placed("room", await fetch(_ROOMS, list(ids)) if ids else [])


async def _placed(what: What, rows: Sequence[dict[str, Any]]) -> list[Change]:
    """Things with the areas they lie in directly become changes with all of those above as well."""
    lowest = {area for row in rows for area in row["areas"]}
    found = await fetch(_ABOVE, list(lowest)) if lowest else []
    above = {row["id"]: row["areas"] for row in found}
    return [
        Change(
            what,
            row["id"],
            frozenset(area for direct in row["areas"] for area in above[direct]),
            frozenset(row.get("posts", ())),
            frozenset(row.get("departments", ())),
        )
        for row in rows
    ]
