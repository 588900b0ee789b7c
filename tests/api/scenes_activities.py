"""Activities, shifts and certificates for the policy matrix."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from miniapp_api.policy import Caller, Relation
from models.bookings import Activity, Booking, BookingPlan, Certificate, Slot
from models.enums import ActivityState, BookingState, PlanKind
from tests.api.matrix import BODIES, OTHERWISE, Actor, Target, World, scene

_DAY = timedelta(days=1)
#: Begins for sessions that are added or moved: one after the other, all of the coming weeks.
_BEGINS = iter(range(1, 100_000))


async def _plan(world: World, actor: Actor, relation: Relation, begins: timedelta) -> Slot | None:
    """One time of a shift of one grid; None where there can be none."""
    if relation is Relation.OWN and actor.role is Caller.NOBODY:
        return None
    now = world.town.clock()
    count = await BookingPlan.all().count()
    plan = await BookingPlan.create(
        code=f"m{count}", kind=PlanKind.VOLUNTEER, title="试试", area=world.grid(relation), opens_days=90,
        closes_minutes=0, per_person=9,
    )  # fmt: skip
    until = now + timedelta(days=30)
    await Activity.create(plan=plan, state=ActivityState.OPEN, until=until, created_at=now, check_in_code="0000")
    return await Slot.create(plan=plan, starts_at=now + begins, ends_at=now + begins + timedelta(hours=2), capacity=100)


@scene("activity")
async def activity(world: World, actor: Actor, relation: Relation) -> Target:
    """Open, with one time tomorrow."""
    if relation is Relation.DELETED:
        return {"activity_id": 2**30, "session_id": 2**40}
    slot = await _plan(world, actor, relation, _DAY)
    if slot is None:
        return None
    found = await Activity.get(plan_id=slot.plan_id)
    return {"activity_id": found.id, "session_id": slot.id}


@scene("shift")
async def shift(world: World, actor: Actor, relation: Relation) -> Target:
    """Somebody came to it yesterday."""
    if relation is Relation.DELETED:
        return {"booking_id": 2**40}
    slot = await _plan(world, actor, relation, -_DAY)
    if slot is None:
        return None
    who = await world.resident(world.grid(relation))
    came = await Booking.create(
        slot=slot, plan_id=slot.plan_id, state=BookingState.ARRIVED, code="000000", resident=who,
        by=f"resident:{who.id}", booked_at=world.town.clock(),
    )  # fmt: skip
    return {"booking_id": came.id}


@scene("certificate")
async def certificate(world: World, actor: Actor, relation: Relation) -> Target:
    """Of the caller, or of somebody in that relation."""
    count = await Certificate.all().count()
    number = "V" + "".join("23456789ABCDEFGH"[int(digit)] for digit in f"{count:015}")
    if relation is Relation.DELETED:
        return {"number": "V" + "Z" * 15}
    own = relation is Relation.OWN
    if own and actor.resident is None:
        return None
    who = actor.resident if own and actor.resident else await world.resident(world.grid(relation))
    given: dict[str, Any] = {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 11, 1), "minutes": 60, "times": 1}
    await Certificate.create(number=number, resident=who, name="李桂英", made_at=world.town.clock(), **given)
    return {"number": number}


def _session() -> dict[str, Any]:
    begins = 60 + next(_BEGINS)
    return {
        "starts_at": f"2026-12-{1 + begins // 1440:02}T{begins // 60 % 24:02}:{begins % 60:02}:00+08:00",
        "ends_at": "2026-12-30T23:00:00+08:00",
        "capacity": 100,
    }


def _short() -> dict[str, Any]:
    one = _session()
    return one | {"ends_at": one["starts_at"].replace(":00+08:00", ":59+08:00")}


BODIES |= {
    "POST /activities/{activity_id}/sign-ups": lambda: {
        "behalf": {"name": "李桂英", "phone": "13800001234", "relation": "母亲"}
    },
    "POST /arrivals": lambda: {"code": "9999"},
    "POST /activities/{activity_id}/arrivals": lambda: {"behalf": {"name": "李桂英", "phone": "13800001234"}},
    "POST /activities": lambda: {"kind": "activity", "title": "试试", "sessions": [_short()]},
    "PATCH /activities/{activity_id}": lambda: {"words": "自带水杯"},
    "POST /activities/{activity_id}/cancellation": lambda: {"why": "下雨"},
    "POST /activities/{activity_id}/sessions": _short,
    "PUT /activities/{activity_id}/sessions/{session_id}": _short,
    "POST /activities/{activity_id}/sessions/{session_id}/cancellation": lambda: {"why": "下雨"},
    "POST /bookings/{booking_id}/volunteer-time": lambda: {"minutes": 30, "why": "签到漏了"},
    "POST /certificates": lambda: {"name": "李桂英"},
}
OTHERWISE |= {
    "POST /arrivals": {404, 429},  # no activity has this code
    "POST /activities/{activity_id}/arrivals": {409},  # it takes place tomorrow
    "POST /certificates": {409},  # no time was credited
    "GET /certificates/{number}": {404},  # deleted ones
}
