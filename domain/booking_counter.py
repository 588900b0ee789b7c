"""The counter's list: who comes on a day, for staff of the place and for grid workers whose people they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.booking_cards import Card, read_cards
from domain.booking_rules import day_start
from domain.people import Person, Post
from errors import NotAllowed
from models.database import fetch
from models.enums import Role

# Plans of their own area and below; for grid workers also whoever lives in their grid, wherever they go.
_LISTED = """
WITH RECURSIVE down AS (
    SELECT id FROM area WHERE id = $1
    UNION ALL
    SELECT a.id FROM area a JOIN down ON a.parent_id = down.id
)
SELECT b.id FROM slot s JOIN booking_plan p ON p.id = s.plan_id JOIN booking b ON b.slot_id = s.id
LEFT JOIN resident r ON r.id = b.resident_id
WHERE s.starts_at >= $3 AND s.starts_at < $4 AND b.state <> 'cancelled' AND ($5 = '' OR p.code = $5)
    AND (p.area_id IN (SELECT id FROM down) OR $2 AND r.grid_id = $1)
    AND ($6::timestamptz IS NULL OR (s.starts_at, b.id) > ($6, $7)) AND (NOT $9 OR b.state = 'booked')
ORDER BY s.starts_at, b.id LIMIT $8
"""
_COUNTED = """
WITH RECURSIVE down AS (
    SELECT id FROM area WHERE id = $1
    UNION ALL
    SELECT a.id FROM area a JOIN down ON a.parent_id = down.id
)
SELECT count(*) FILTER (WHERE b.state IN ('booked', 'arrived', 'missed'))::int AS seats,
    count(*) FILTER (WHERE b.state = 'arrived')::int AS came,
    count(*) FILTER (WHERE b.state = 'waiting')::int AS waiting
FROM slot s JOIN booking_plan p ON p.id = s.plan_id JOIN booking b ON b.slot_id = s.id
LEFT JOIN resident r ON r.id = b.resident_id
WHERE s.starts_at >= $3 AND s.starts_at < $4 AND (p.area_id IN (SELECT id FROM down) OR $2 AND r.grid_id = $1)
"""


async def counter_list(
    person: Person,
    day: datetime,
    *,
    plan_code: str = "",
    beyond: tuple[datetime, int] | None = None,
    limit: int = 100,
    still: bool = False,
) -> Sequence[Card]:
    """Who is expected on the Shanghai day of `day`, by time; `beyond`: time and id the page before ended with. `still`:
    those who have a seat and have not come yet. For staff; raises NotAllowed."""
    post, first = _staffed(person), day_start(day)
    at, after = beyond or (None, 0)
    is_worker = post.role is Role.GRID_WORKER
    places = first, first + timedelta(days=1), plan_code, at, after, limit, still
    rows = await fetch(_LISTED, post.area_id, is_worker, *places)
    return await read_cards([row["id"] for row in rows])


@dataclass(frozen=True, slots=True)
class Counted:
    """A day at the counter in figures."""

    seats: int
    came: int
    waiting: int


async def counter_figures(person: Person, day: datetime) -> Counted:
    """How many have a seat on the Shanghai day of `day`, have come, wait for one. Raises as `counter_list`."""
    post, first = _staffed(person), day_start(day)
    rows = await fetch(_COUNTED, post.area_id, post.role is Role.GRID_WORKER, first, first + timedelta(days=1))
    return Counted(**rows[0])


def _staffed(person: Person) -> Post:
    post = person.post
    if post is None or not (post.dispatches or post.role is Role.GRID_WORKER):
        say, chat = "这是工作人员用的。您的预约请在“我的预约”里看。", "回复“我的预约”就能看。"
        raise NotAllowed("counter list", say=say, chat=chat, tag="booking:list")
    return post
