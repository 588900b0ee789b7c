"""What can be booked where: plans as people look them up, and as staff set them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from datetime import datetime, timedelta
from typing import Any

from domain.booking_hours import write_line
from domain.booking_rules import day_start
from domain.booking_tables import TIMES, read_week
from domain.bookings import runs
from domain.journal import audit
from domain.people import Person
from domain.services import seen_areas
from domain.slot_making import make_slots
from domain.slots import absent_plan, find_plan
from domain.tables import Wrong
from errors import BadRequest, Conflict, NotAllowed
from models.bookings import BookingPlan
from models.database import fetch, transaction
from models.enums import PlanKind
from models.services import ServiceItem

__all__ = [
    "BookingPlan",
    "PlanWords",
    "SlotLine",
    "change_plan",
    "find_plan",
    "hours_of",
    "list_plans",
    "make_plan",
    "own_plan",
    "plans_of_item",
    "schedule",
]

# Announced activities have their own list; what is no activity is shown while it is active.
_SEEN = """
SELECT p.id FROM booking_plan p LEFT JOIN service_item i ON i.id = p.item_id
WHERE p.active AND p.area_id = ANY ($1) AND p.kind = 'counter' AND ($2 = '' OR i.code = $2) AND p.id > $3
ORDER BY p.id LIMIT $4
"""


async def list_plans(person: Person, *, item_code: str = "", after: int = 0, limit: int = 20) -> Sequence[BookingPlan]:
    """Counters and hours this person may book (of one item, where it is named); activities are listed by themselves.
    `after`: the id the page before ended with."""
    rows = await fetch(_SEEN, await seen_areas(person), item_code, after, limit)
    return await BookingPlan.filter(id__in=[row["id"] for row in rows]).order_by("id").select_related("item")


def hours_of(plan: BookingPlan) -> list[str]:
    """Its opening hours as lines."""
    return [write_line(entry) for entry in plan.week]


async def plans_of_item(person: Person, item_code: str) -> Sequence[BookingPlan]:
    """The plans in which what this item is about is done."""
    return await list_plans(person, item_code=item_code, limit=9)


@dataclass(frozen=True, slots=True)
class PlanWords:
    """A plan as staff write it; `hours` are lines as in the table (`工作日｜9:00-11:30｜30｜2`), reminders are minutes
    before the begin."""

    title: str
    area_code: str
    hours: Sequence[str]
    item_code: str = ""
    place: str = ""
    phone: str = ""
    opens_days: int = 7
    closes_minutes: int = 60
    cancel_minutes: int = 120
    per_person: int = 1
    waiting_most: int = 10
    remind_minutes: Sequence[int] = (1440, 120)
    strikes: int = 3
    strike_days: int = 90
    pause_days: int = 30
    active: bool = True


_BELOW = """
WITH RECURSIVE up AS (
    SELECT id, parent_id FROM area WHERE code = $1
    UNION ALL
    SELECT a.id, a.parent_id FROM area a JOIN up ON a.id = up.parent_id
)
SELECT (SELECT id FROM area WHERE code = $1) AS id, EXISTS (SELECT FROM up WHERE id = $2) AS own
"""


async def make_plan(person: Person, code: str, words: PlanWords, now: datetime, source: str = "") -> BookingPlan:
    """A new plan, its slots made at once. For staff who give out work, in their own area. Raises NotAllowed,
    BadRequest, Conflict for a code that is taken."""
    _check_staff(person, "plan:make")
    async with transaction():
        if await BookingPlan.exists(code=code):
            raise Conflict("plan code is taken", say="这个编码已经有了，请换一个。")
        plan = await BookingPlan.create(code=code, **await _fields(person, words))
        await audit(person.actor, "plan:make", plan.id, now, source=source)
    await make_slots(now)
    return await find_plan(person, code) if plan.active else plan


async def change_plan(person: Person, code: str, words: PlanWords, now: datetime, source: str = "") -> BookingPlan:
    """A plan as it is to be from now on; seats that are taken stay. Raises NotFound, NotAllowed, BadRequest."""
    async with transaction():
        plan = await own_plan(person, code)
        changes = await _fields(person, words)
        if any(getattr(plan, name) != changes[name] for name in TIMES):
            changes["made_until"] = None
        await plan.update_from_dict(changes).save(update_fields=list(changes))
        await audit(person.actor, "plan:change", plan.id, now, source=source)
    await make_slots(now)
    return await BookingPlan.get(id=plan.id).select_related("item")


async def own_plan(person: Person, code: str) -> BookingPlan:
    """A plan of staff's own area, a stopped one too; activities are changed as such. Raises NotFound for one out of
    sight, NotAllowed for who only may read it."""
    plan = await BookingPlan.filter(code=code).select_related("item").first()
    if plan is None or plan.area_id not in await seen_areas(person):
        raise absent_plan(code, plan.id if plan else None)
    _check_staff(person, "plan:change", plan.id)
    if not await runs(person, plan.area_id) or plan.kind is not PlanKind.COUNTER:
        raise NotAllowed(f"plan {plan.id} is not theirs", say=_NOT_YOURS, tag="plan:change", object_id=plan.id)
    return plan


_NOT_YOURS = "这项预约由社区管理，请让社区来改。"


def _check_staff(person: Person, tag: str, plan_id: int | None = None) -> None:
    if person.post is None or not person.post.dispatches:
        raise NotAllowed(f"{person.actor} runs no plans", say=_NOT_YOURS, tag=tag, object_id=plan_id)


async def _fields(person: Person, words: PlanWords) -> dict[str, Any]:
    post = person.post
    area = (await fetch(_BELOW, words.area_code, post.area_id if post else 0))[0]
    if area["id"] is None or not area["own"]:
        raise BadRequest("area is not theirs", say="区域编码不对，或者不在您管的范围里。")
    item = await ServiceItem.get_or_none(code=words.item_code) if words.item_code else None
    if words.item_code and item is None:
        raise BadRequest("no such item", say="没有这个服务事项，请检查事项编码。")
    try:
        week = read_week(words.hours)
    except Wrong as error:
        raise BadRequest("opening hours", say=f"开放时间{error.wrong}。{error.mend}") from error
    given = {field.name: getattr(words, field.name) for field in dataclass_fields(words)}
    kept = {name: value for name, value in given.items() if name not in ("area_code", "item_code", "hours")}
    reminders = sorted(set(words.remind_minutes), reverse=True)
    links = {"area_id": area["id"], "item_id": item.id if item else None}
    return kept | links | {"week": week, "remind_minutes": reminders}


@dataclass(frozen=True, slots=True)
class SlotLine:
    """A time as staff see it; `closed`: why nobody may book it."""

    id: int
    starts_at: datetime
    ends_at: datetime
    capacity: int
    taken: int
    waiting: int
    closed: str


_SCHEDULE = """
SELECT id, starts_at, ends_at, capacity, taken, waiting, closed FROM slot
WHERE plan_id = $1 AND starts_at >= $2 AND starts_at < $3 ORDER BY starts_at
"""


async def schedule(person: Person, code: str, day: datetime) -> Sequence[SlotLine]:
    """All times of a plan on the Shanghai day of `day`, closed ones too, for who runs it. Raises as `change_plan`."""
    plan = await own_plan(person, code)
    first = day_start(day)
    return [SlotLine(**row) for row in await fetch(_SCHEDULE, plan.id, first, first + timedelta(days=1))]
