"""A counter of the demo community with seats, and people who want one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from domain.people import Person, find_person
from models.bookings import BookingPlan, Slot
from models.database import fetch

COMMUNITY = "429906001001"


async def make_plan(code: str = "hall", *, area: str = COMMUNITY, **given: Any) -> BookingPlan:
    """A plan of the demo community's counter."""
    area_id = (await fetch("SELECT id FROM area WHERE code = $1", area))[0]["id"]
    fields = {"title": "社保窗口", "place": "社区服务大厅 2 号窗口", "waiting_most": 3, "per_person": 5, "strikes": 0}
    return await BookingPlan.create(code=code, area_id=area_id, **(fields | given))


async def make_slot(plan: BookingPlan, starts_at: datetime, seats: int = 1) -> Slot:
    """Half an hour of it."""
    ends_at = starts_at + timedelta(minutes=30)
    return await Slot.create(plan_id=plan.id, starts_at=starts_at, ends_at=ends_at, capacity=seats)


async def neighbour(openid: str, now: datetime) -> Person:
    """A resident of the demo community's first grid."""
    await find_person(openid, now)
    await fetch(
        "UPDATE resident SET grid_id = (SELECT min(id) FROM area WHERE level = 'grid') WHERE openid = $1", openid
    )
    return await find_person(openid, now)
