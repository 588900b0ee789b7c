"""What can be booked where: plans as people look them up, and as staff set them."""

from __future__ import annotations

from collections.abc import Sequence

from domain.people import Person
from domain.services import seen_areas
from domain.slots import find_plan
from models.bookings import BookingPlan
from models.database import fetch

__all__ = ["BookingPlan", "find_plan", "list_plans", "plans_of_item"]

# Announced activities have their own list; what is no activity is shown while it is active.
_SEEN = """
SELECT p.id FROM booking_plan p
WHERE p.active AND p.area_id = ANY ($1) AND p.kind = 'counter' AND ($2::bigint = 0 OR p.item_id = $2) AND p.id > $3
ORDER BY p.id LIMIT $4
"""


async def list_plans(person: Person, *, item_id: int = 0, after: int = 0, limit: int = 20) -> Sequence[BookingPlan]:
    """Counters and hours this person may book (of one item, where it is named); activities are listed by themselves.
    `after`: the id the page before ended with."""
    rows = await fetch(_SEEN, await seen_areas(person), item_id, after, limit)
    return await BookingPlan.filter(id__in=[row["id"] for row in rows]).order_by("id").select_related("item")


async def plans_of_item(person: Person, item_id: int) -> Sequence[BookingPlan]:
    """The plans in which what this item is about is done."""
    return await list_plans(person, item_id=item_id, limit=9)
