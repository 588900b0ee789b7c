"""Rooms, messages and badges for the policy matrix."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from domain import room_messages, rooms
from domain.people import Person, find_person, post_of
from domain.room_words import Words
from miniapp_api.policy import Relation
from models.enums import BadgeKind, MessageKind
from models.people import Staff
from models.rooms import Badge
from tests.api.matrix import BODIES, OTHERWISE, Actor, Target, World, scene

_ABSENT = 2**40
#: The handle of somebody in the room made last.
_there: dict[str, str] = {}


@scene("room")
async def room(world: World, actor: Actor, relation: Relation) -> Target:
    """A grid's room; a resident's own is their private talk."""
    if relation is Relation.DELETED:
        return {"room_id": _ABSENT}
    if relation is Relation.OWN:
        if actor.resident is None:
            return None
        return {"room_id": (await rooms.private_room(await _person(actor), world.town.clock())).id}
    made = await rooms.room_of_grid(world.grid(relation).id)
    neighbour = await world.resident(world.grid(relation))
    seats = await rooms.seats(made.id, [f"resident:{neighbour.id}"])
    _there["handle"] = rooms.handle(seats[f"resident:{neighbour.id}"])
    return {"room_id": made.id}


@scene("message")
async def message(world: World, actor: Actor, relation: Relation) -> Target:
    """Something said just now; OWN = by the actor, in the first grid's room."""
    if relation is Relation.DELETED:
        return {"message_id": _ABSENT}
    made = await rooms.room_of_grid(world.grid(relation).id)
    if relation is Relation.OWN:
        if actor.resident is None and actor.staff is None:
            return None
        speaker = await _person(actor)
    else:
        speaker = await find_person((await world.resident(world.grid(relation))).openid, world.town.clock())
    words = Words(MessageKind.TEXT, "大家早上好", uuid4().hex)
    return {"message_id": (await room_messages.post(speaker, made.id, words, world.town.clock())).id}


@scene("badge")
async def badge(world: World, actor: Actor, relation: Relation) -> Target:
    """A badge somebody has not agreed to yet; OWN = set for the actor."""
    if relation is Relation.DELETED:
        return {"badge_id": _ABSENT}
    about: dict[str, Any] = {"resident": await world.resident(world.grid(relation))}
    if relation is Relation.OWN:
        if actor.resident is None and actor.staff is None:
            return None
        about = {"resident": actor.resident, "staff": actor.staff}
        await Badge.filter(**about).delete()
    granter = await Staff.get(code="S001")
    made = await Badge.create(kind=BadgeKind.VOLUNTEER, granted_by=granter, granted_at=world.town.clock(), **about)
    return {"badge_id": made.id}


async def _person(actor: Actor) -> Person:
    if actor.resident:
        return await find_person(actor.resident.openid, actor.resident.created_at)
    return Person("", 0, None, await post_of(actor.staff.id if actor.staff else None))


BODIES["POST /rooms/private"] = dict
OTHERWISE["POST /rooms/private"] = {400}  # staff must say with whom
BODIES["POST /rooms/{room_id}/messages"] = lambda: {"client_id": uuid4().hex, "text": "大家好"}
BODIES["POST /rooms/{room_id}/announcements"] = lambda: {"client_id": uuid4().hex, "text": "今晚八点停水"}
BODIES["PUT /rooms/{room_id}/read"] = lambda: {"seq": 1}
BODIES["POST /messages/{message_id}/remove"] = lambda: {"why": "和群里的事无关"}
BODIES["POST /rooms/{room_id}/badges"] = lambda: {"handle": _there["handle"], "kind": "volunteer"}
OTHERWISE["GET /rooms/{room_id}/reach"] = {400}  # of private rooms alone
