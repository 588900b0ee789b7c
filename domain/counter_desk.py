"""The counter at a desk: whoever has no code at hand is known by a document; the plans staff run, stopped ones too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.booking_cards import Card
from domain.booking_plans import own_plan
from domain.booking_rules import day_start
from domain.bookings import arrive, find_booking, works
from domain.people import Person
from errors import Conflict, NotAllowed
from models.bookings import BookingPlan
from models.database import fetch


async def check_in_known(person: Person, booking_id: int, now: datetime, source: str = "") -> Card:
    """Staff have seen by a document who it is: they have come, without the code. Today's bookings alone; once more
    changes nothing. Raises NotFound, NotAllowed for residents, Conflict for another day's."""
    card = await find_booking(person, booking_id, "booking:arrive")
    if not await works(person, card):
        say = "请把签到码给工作人员看，由工作人员签到。"
        raise NotAllowed(f"{person.actor} is no staff of it", say=say, tag="booking:arrive", object_id=card.id)
    if day_start(card.starts_at) != day_start(now):
        raise Conflict(f"booking {card.id} is of another day", say="不是今天的预约，不能签到。要提前办，请先改时间。")
    return await arrive(card, now, person.actor, source=source)


_RUN = """
WITH RECURSIVE down AS (
    SELECT id FROM area WHERE id = $1 UNION ALL SELECT a.id FROM area a JOIN down ON a.parent_id = down.id
)
SELECT p.id FROM booking_plan p JOIN down ON down.id = p.area_id
WHERE p.kind = 'counter' AND p.id > $2 ORDER BY p.id LIMIT $3
"""


async def plans_run(person: Person, *, after: int = 0, limit: int = 50) -> Sequence[BookingPlan]:
    """Counters and hours of staff's area and below, stopped ones too; `after`: the id the page before ended with.
    Raises NotAllowed for who runs none."""
    post = person.post
    if post is None or not post.dispatches:
        raise NotAllowed(f"{person.actor} runs no plans", say="预约的安排由社区管理。", tag="plan:list")
    rows = await fetch(_RUN, post.area_id, after, limit)
    found = await BookingPlan.filter(id__in=[row["id"] for row in rows]).order_by("id").select_related("item", "area")
    return list(found)


async def plan_run(person: Person, code: str) -> BookingPlan:
    """A plan that staff run, with its item and area. Raises NotFound, NotAllowed."""
    plan = await own_plan(person, code)
    await plan.fetch_related("area")
    return plan


@dataclass(frozen=True, slots=True)
class AreaChoice:
    """An area something can be made for."""

    code: str
    name: str


_NEAR = "SELECT code, name FROM area WHERE id = $1 OR parent_id = $1 ORDER BY id <> $1, code LIMIT 200"


async def areas_near(person: Person) -> Sequence[AreaChoice]:
    """Staff's own area and those right below it."""
    return [AreaChoice(**row) for row in await fetch(_NEAR, person.post.area_id)] if person.post else []
