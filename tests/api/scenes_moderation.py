"""Reviews and mutes for the policy matrix."""

from __future__ import annotations

from uuid import uuid4

from domain import moderation, room_messages, rooms
from domain.people import find_person
from domain.room_words import Words
from miniapp_api.policy import Relation
from models.enums import MessageKind, ReviewOutcome
from models.rooms import Review
from tests.api.matrix import BODIES, OTHERWISE, Actor, Target, World, scene

_ABSENT = 2**40


@scene("review")
async def review(world: World, actor: Actor, relation: Relation) -> Target:
    """A complaint about a neighbour; nobody has one of their own to decide."""
    if relation is Relation.OWN:
        return None
    if relation is Relation.DELETED:
        return {"review_id": _ABSENT}
    made = await rooms.room_of_grid(world.grid(relation).id)
    speaker, other = [
        await find_person((await world.resident(world.grid(relation))).openid, world.town.clock()) for _ in range(2)
    ]
    words = Words(MessageKind.TEXT, "难听的话", uuid4().hex)
    said = await room_messages.post(speaker, made.id, words, world.town.clock())
    await moderation.complain(other, said.id, "难听", world.town.clock())
    opened = await Review.get(message_id=said.id, outcome=ReviewOutcome.OPEN)
    return {"review_id": opened.id}


@scene("mute")
async def mute(world: World, actor: Actor, relation: Relation) -> Target:
    """A neighbour in a grid's room, who may be muted or not: ending that is the same."""
    if relation is Relation.OWN:
        return None
    made = await rooms.room_of_grid(world.grid(relation).id)
    if relation is Relation.DELETED:
        return {"room_id": _ABSENT, "handle": "m1"}
    resident = await world.resident(world.grid(relation))
    handle = rooms.handle((await rooms.seats(made.id, [f"resident:{resident.id}"]))[f"resident:{resident.id}"])
    return {"room_id": made.id, "handle": handle}


BODIES["POST /messages/{message_id}/complain"] = lambda: {"reason": "骂人"}
BODIES["POST /messages/{message_id}/appeal"] = lambda: {"reason": "我没有骂人"}
OTHERWISE["POST /messages/{message_id}/appeal"] = {409}  # it was not hidden
BODIES["POST /rooms/{room_id}/appeal"] = lambda: {"reason": "我没有刷屏"}
OTHERWISE["POST /rooms/{room_id}/appeal"] = {409}  # they are not muted
BODIES["POST /rooms/{room_id}/mutes"] = lambda: {"handle": "m999999", "minutes": 60, "why": "刷屏"}
OTHERWISE["POST /rooms/{room_id}/mutes"] = {400}  # nobody there has this handle
BODIES["POST /reviews/{review_id}/decide"] = lambda: {"keep": False, "answer": "骂人的话不能发"}
