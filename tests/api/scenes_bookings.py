"""Plans, times and bookings for the policy matrix."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from uuid import uuid4

from miniapp_api.policy import Caller, Relation
from models.bookings import Booking, BookingPlan, Slot
from models.enums import BookingState
from models.people import Area
from tests.api.matrix import BODIES, OTHERWISE, Actor, Target, World, scene

_NUMBERS = count(1)
_WEEK = [{"days": ["每天"], "from": "09:00", "to": "10:00", "minutes": 30, "capacity": 5}]
_HOURS = ["每天｜9:00-10:00｜30｜5"]


async def _plan(area: Area) -> BookingPlan:
    """A plan of one area."""
    given = {"title": "试试", "area": area, "week": _WEEK}
    found, _ = await BookingPlan.update_or_create(code=f"m{area.id}", defaults=given)
    return found


async def _slot(world: World, plan: BookingPlan) -> Slot:
    """A time of its own: tomorrow, a minute after the one before."""
    starts_at = world.town.clock() + timedelta(days=1, minutes=next(_NUMBERS))
    return await Slot.create(plan=plan, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=1), capacity=5)


@scene("plan")
async def plan(world: World, actor: Actor, relation: Relation) -> Target:
    """What is booked in one grid."""
    if relation is Relation.DELETED:
        return {"code": "no-such-plan"}
    if relation is Relation.OWN and actor.role is Caller.NOBODY:
        return None
    return {"code": (await _plan(world.grid(relation))).code}


@scene("slot")
async def slot(world: World, actor: Actor, relation: Relation) -> Target:
    """A time of it."""
    if relation is Relation.DELETED:
        return {"slot_id": 2**40}
    if relation is Relation.OWN and actor.role is Caller.NOBODY:
        return None
    return {"slot_id": (await _slot(world, await _plan(world.grid(relation)))).id}


async def _booked(world: World, actor: Actor, relation: Relation, state: BookingState) -> Booking | None:
    """Somebody's booking; OWN: for the caller, or, from staff, for somebody without WeChat."""
    if relation is Relation.DELETED or (relation is Relation.OWN and actor.role is Caller.NOBODY):
        return None
    grid = world.grid(relation)
    at = await _slot(world, await _plan(grid))
    own = relation is Relation.OWN
    who = actor.resident if own else await world.resident(grid)
    await Slot.filter(id=at.id).update(taken=int(state in (BookingState.BOOKED, BookingState.ARRIVED)))
    return await Booking.create(
        slot=at,
        plan_id=at.plan_id,
        state=state,
        code=f"{next(_NUMBERS):06}",
        resident=who,
        name="" if who else "李桂英",
        phone="" if who else "13812345678",
        by=actor.name if own else f"resident:{who.id if who else 0}",
        booked_at=world.town.clock(),
    )


def _path(made: Booking | None, relation: Relation) -> Target:
    return {"booking_id": 2**40} if relation is Relation.DELETED else {"booking_id": made.id} if made else None


@scene("booking")
async def booking(world: World, actor: Actor, relation: Relation) -> Target:
    """One that lies ahead."""
    return _path(await _booked(world, actor, relation, BookingState.BOOKED), relation)


@scene("movable")
async def movable(world: World, actor: Actor, relation: Relation) -> Target:
    """One with another time to go to, whose id the next request sends."""
    made = await _booked(world, actor, relation, BookingState.BOOKED)
    if made:
        plan_of = await BookingPlan.get(id=made.plan_id)
        _TO["slot_id"] = (await _slot(world, plan_of)).id
    return _path(made, relation)


@scene("attended")
async def attended(world: World, actor: Actor, relation: Relation) -> Target:
    """One whose owner came."""
    return _path(await _booked(world, actor, relation, BookingState.ARRIVED), relation)


@scene("missed")
async def missed(world: World, actor: Actor, relation: Relation) -> Target:
    """One whose owner stayed away."""
    return _path(await _booked(world, actor, relation, BookingState.MISSED), relation)


_TO = {"slot_id": 1}
BODIES |= {
    "POST /slots/{slot_id}/bookings": lambda: {
        "other": {"name": "李桂英", "phone": f"138{next(_NUMBERS):08}", "relation": "邻居"}
    },
    "POST /bookings/{booking_id}/cancel": lambda: {"reason": "临时停电"},
    "PUT /bookings/{booking_id}/slot": lambda: dict(_TO),
    "POST /bookings/{booking_id}/rating": lambda: {"stars": 5},
    "POST /check-ins": lambda: {"code": "999999"},
    "POST /booking-plans": lambda: {
        "code": uuid4().hex[:12],
        "title": "试试",
        "hours": _HOURS,
        "area_code": "429906001001001",
    },
    "PUT /booking-plans/{code}": lambda: {"title": "试试", "hours": _HOURS, "area_code": "429906001001001"},
    "PUT /slots/{slot_id}/closing": lambda: {"reason": "停电"},
    "PUT /slots/{slot_id}/seats": lambda: {"seats": 3},
}
OTHERWISE["POST /check-ins"] = {404}
