"""A counter with seats, and a crowd that wants the last of them: `python -m tests.domain.counter URL SLOT PEOPLE…`.

The crowd asks all at once, in a process and with a pool of its own; prints what each got: `booked`, `waiting` or
`refused`.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.bookings import book
from domain.people import person_of
from errors import Conflict
from models.bookings import BookingPlan, Slot
from models.database import database
from models.people import Area

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
COMMUNITY = "429906001001"


async def make_plan(code: str = "hall", *, area: str = COMMUNITY, **given: Any) -> BookingPlan:
    """A plan of the demo community's counter, without strikes unless they are given."""
    place = await Area.get(code=area)
    fields = {"title": "社保窗口", "place": "社区服务大厅 2 号窗口", "waiting_most": 3, "per_person": 5, "strikes": 0}
    return await BookingPlan.create(code=code, area=place, **(fields | given))


async def make_slot(plan: BookingPlan, starts_at: datetime, seats: int = 1) -> Slot:
    """Half an hour of it."""
    ends_at = starts_at + timedelta(minutes=30)
    return await Slot.create(plan_id=plan.id, starts_at=starts_at, ends_at=ends_at, capacity=seats)


async def want(resident_id: int, slot_id: int) -> str:
    """What somebody gets who would also wait."""
    try:
        return str((await book(await person_of(resident_id), slot_id, NOW, wait=True)).state)
    except Conflict:
        return "refused"


async def main(url: str, slot_id: int, people: list[int]) -> None:
    async with database(url, 12):
        print(*await asyncio.gather(*[want(one, slot_id) for one in people]))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), [int(one) for one in sys.argv[3:]]))
