"""Messages to make cases of, for the policy matrix."""

from __future__ import annotations

from domain.people import find_person
from domain.reports import Draft, report
from miniapp_api.policy import Relation
from tests.api.matrix import BODIES, Actor, Target, World, scene
from tests.api.scenes_rooms import message

#: The number of an open case in the grid of the message made last.
_open: dict[str, str] = {"number": "0000"}


@scene("said")
async def said(world: World, actor: Actor, relation: Relation) -> Target:
    """A message, and an open case in its grid that it may join."""
    neighbour = await world.resident(world.grid(relation))
    draft = Draft("楼道灯坏了", "lighting.corridor", "楼道照明损坏")
    made = await report(await find_person(neighbour.openid, world.town.clock()), draft, world.town.clock())
    _open["number"] = made.case.number
    return await message(world, actor, relation)


BODIES["POST /messages/{message_id}/case"] = dict
BODIES["POST /messages/{message_id}/join"] = lambda: {"number": _open["number"]}
BODIES["PUT /rooms/{room_id}/auto-cases"] = lambda: {"on": True}
