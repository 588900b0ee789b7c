"""Households and their members for the policy matrix."""

from __future__ import annotations

from uuid import uuid4

from miniapp_api.policy import Caller, Relation
from models.people import Household
from models.people_facts import FactKind, HouseholdMember
from tests.api.matrix import BODIES, OTHERWISE, Actor, Target, World, scene


async def _household(world: World, actor: Actor, relation: Relation) -> Household | None:
    """A fresh one in the grid that lies to the actor as the relation says; OWN = in the first grid."""
    if relation is Relation.OWN and actor.role is Caller.NOBODY:
        return None
    return await Household.create(grid=world.grid(relation), building="8栋", unit="", room=uuid4().hex[:12])


@scene("household")
async def household(world: World, actor: Actor, relation: Relation) -> Target:
    """A household of one grid."""
    if relation is Relation.DELETED:
        return {"household_id": 2**40}
    found = await _household(world, actor, relation)
    return {"household_id": found.id} if found else None


@scene("household_member")
async def member(world: World, actor: Actor, relation: Relation) -> Target:
    """Somebody of such a household, of whom something may be known."""
    await FactKind.get_or_create(code="m_alone", defaults={"name": "矩阵独居", "type": "yes"})
    return await _member(world, actor, relation, claimed=False)


@scene("household_claim")
async def claim(world: World, actor: Actor, relation: Relation) -> Target:
    """Somebody a follower says to be."""
    return await _member(world, actor, relation, claimed=True)


async def _member(world: World, actor: Actor, relation: Relation, *, claimed: bool) -> Target:
    if relation is Relation.DELETED:
        return {"member_id": 2**40, "code": "m_alone"}
    found = await _household(world, actor, relation)
    if found is None:
        return None
    resident = await world.resident(world.grid(relation)) if claimed else None
    made = await HouseholdMember.create(
        household=found, name="试试", resident=resident, source="import", changed_at=world.town.clock()
    )
    return {"member_id": made.id, "code": "m_alone"}


BODIES |= {
    "POST /households": lambda: {"grid_id": 2**30, "place": "8栋1单元101"},
    "POST /households/{household_id}/members": lambda: {"name": "试二", "relation": "配偶"},
    "PATCH /members/{member_id}": lambda: {"relation": "户主"},
    "PUT /members/{member_id}/facts/{code}": lambda: {"value": True},
    "PATCH /me/record": lambda: {"changes": {"birthday": "1950-01-02"}},
    "PUT /me/household": lambda: {"place": "8栋1单元101", "name": "试试看"},
    "PUT /me/topics": lambda: {"topic": "policy", "wanted": False},
    "POST /audience-previews": lambda: {"audience": {"age": {"from": 80}}},
}
#: No such grid; no record yet; nothing was told.
OTHERWISE |= {"POST /households": {404}, "PATCH /me/record": {404}, "GET /me/why-told": {404}}
