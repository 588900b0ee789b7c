"""Broadcasts and deliveries for the policy matrix."""

from __future__ import annotations

from typing import Any

from miniapp_api.policy import Caller, Relation
from models.broadcasts import Broadcast, BroadcastRun, Delivery
from models.enums import BroadcastState, DeliveryState, RunState
from models.people import Area, Staff
from tests.api.matrix import BODIES, Actor, Target, World, scene

_AUDIENCE = {"followers": True}


async def _broadcast(world: World, actor: Actor, relation: Relation, state: BroadcastState) -> Broadcast | None:
    """One for a grid; the caller's own where it is OWN. None where there can be no such thing."""
    own = relation is Relation.OWN
    if own and actor.staff is None:
        return None
    author: Staff = actor.staff if own and actor.staff else await Staff.get(code="C001")
    if author.id == (actor.staff.id if actor.staff else 0) and not own:
        author = await Staff.get(code="Q001")
    now, area = world.town.clock(), world.grid(relation)
    return await Broadcast.create(
        state=state,
        topic="notice",
        title="试试",
        text="试试",
        channels=["notice"],
        area=area,
        audience=_AUDIENCE,
        calendar={"days": ["每天"], "time": "09:00"},
        author=author,
        created_at=now,
        changed_at=now,
    )


async def _target(world: World, actor: Actor, relation: Relation, state: BroadcastState) -> Target:
    if relation is Relation.DELETED:
        return {"broadcast_id": 2**40}
    found = await _broadcast(world, actor, relation, state)
    return {"broadcast_id": found.id} if found else None


@scene("broadcast")
async def broadcast(world: World, actor: Actor, relation: Relation) -> Target:
    """A draft."""
    return await _target(world, actor, relation, BroadcastState.DRAFT)


@scene("handed_in")
async def handed_in(world: World, actor: Actor, relation: Relation) -> Target:
    """One that somebody has to look at."""
    return await _target(world, actor, relation, BroadcastState.WAITING)


@scene("approved")
async def approved(world: World, actor: Actor, relation: Relation) -> Target:
    """One that goes out by itself."""
    return await _target(world, actor, relation, BroadcastState.APPROVED)


@scene("stopped")
async def stopped(world: World, actor: Actor, relation: Relation) -> Target:
    """One that was stopped for the moment."""
    return await _target(world, actor, relation, BroadcastState.PAUSED)


async def _delivery(world: World, area: Area, **more: Any) -> int:
    now = world.town.clock()
    told = await Broadcast.create(
        state=BroadcastState.DONE,
        topic="notice",
        title="试试",
        text="试试",
        channels=["notice"],
        area=await area.parent,
        audience=_AUDIENCE,
        author=await Staff.get(code="J001"),
        created_at=now,
        changed_at=now,
    )
    run = await BroadcastRun.create(broadcast=told, number=1, state=RunState.DONE, due_at=now)
    return (await Delivery.create(broadcast=told, run=run, key="1", grid_id=area.id, **more)).id


@scene("delivery")
async def delivery(world: World, actor: Actor, relation: Relation) -> Target:
    """What somebody was told: the caller, or a neighbour."""
    if relation is Relation.DELETED:
        return {"delivery_id": 2**40}
    if relation is Relation.OWN and actor.role is Caller.NOBODY:
        return None
    area = world.grid(relation)
    reader: dict[str, Any] = {"recipient": actor.name, "resident": actor.resident}
    if relation is not Relation.OWN:
        other = await world.resident(area)
        reader = {"recipient": f"resident:{other.id}", "resident": other}
    return {"delivery_id": await _delivery(world, area, state=DeliveryState.QUEUED, **reader)}


@scene("unread")
async def unread(world: World, actor: Actor, relation: Relation) -> Target:
    """Somebody of a grid whom no WeChat reaches."""
    if relation is Relation.DELETED:
        return {"delivery_id": 2**40}
    if relation is Relation.OWN and actor.role is Caller.NOBODY:
        return None
    return {
        "delivery_id": await _delivery(world, world.grid(relation), state=DeliveryState.BY_HAND, recipient="member:1")
    }


_DRAFT = {"title": "明天停水", "text": "请先接好水。", "audience": _AUDIENCE}
BODIES |= {
    "POST /broadcasts": lambda: _DRAFT,
    "PUT /broadcasts/{broadcast_id}": lambda: _DRAFT,
    "POST /broadcasts/{broadcast_id}/approval": lambda: {"version": 1},
    "POST /broadcasts/{broadcast_id}/refusal": lambda: {"version": 1, "why": "时间写错了"},
    "POST /broadcasts/{broadcast_id}/pause": lambda: {"why": ""},
    "POST /broadcasts/{broadcast_id}/cancellation": lambda: {"why": ""},
}
