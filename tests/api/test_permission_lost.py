"""Who loses a right in the middle of a session is refused from the next request on (S04): every route is asked."""

from __future__ import annotations

import re
from typing import Any

import pytest

from miniapp_api.api import SUBJECTS
from miniapp_api.kernel import Route
from miniapp_api.policy import POLICY, Caller, Relation
from models.people import Area, Resident, Staff
from tests.api.conftest import SignIn
from tests.api.matrix import SCENES, Actor, World, make_world, read_scenes, routes_of
from tests.domain.neighbours import FAR
from tests.town import Town

read_scenes()

NAMES = [subject.subject for subject in SUBJECTS if routes_of(subject.subject)]


async def things(world: World, actor: Actor, subject: str) -> list[tuple[Route, dict[str, Any]]]:
    """The routes by which this actor reaches what others of their grid have and nobody of another grid may reach,
    each with such a thing."""
    found = []
    for route in routes_of(subject):
        rule = POLICY[route.rule]
        may = rule.may.get(actor.role, frozenset())
        if rule.kind and Relation.SAME_GRID in may and not may & {Relation.SAME_STREET, Relation.DELETED}:
            found.append((route, dict(await SCENES[rule.kind](world, actor, Relation.SAME_GRID) or {})))
    return found


@pytest.mark.parametrize("subject", NAMES)
async def test_who_moves_away_reaches_nothing_of_the_old_grid(town: Town, sign_in: SignIn, subject: str):
    world = await make_world(town, sign_in)
    resident, worker = world.actors[Caller.RESIDENT], world.actors[Caller.GRID_WORKER]
    asked = [(actor, *one) for actor in (resident, worker) for one in await things(world, actor, subject)]
    far = (await Area.get(code=FAR)).id
    await Resident.filter(id=resident.resident.id if resident.resident else 0).update(grid_id=far)
    await Staff.filter(id=worker.staff.id if worker.staff else 0).update(area_id=far)
    answers = [(f"{route.method} {route.path}", await world.ask(actor, route, at)) for actor, route, at in asked]
    assert [(name, reply.status) for name, reply in answers if reply.status != 404] == []


@pytest.mark.parametrize("subject", NAMES)
async def test_who_is_dismissed_is_nobody_to_every_route(town: Town, sign_in: SignIn, subject: str):
    world = await make_world(town, sign_in)
    worker = world.actors[Caller.GRID_WORKER]
    routes = [route for route in routes_of(subject) if not POLICY[route.rule].public]
    await Staff.filter(id=worker.staff.id if worker.staff else 0).update(active=False)
    asked = [(route.method, re.sub(r"{\w+}", "1", route.path)) for route in routes]
    answers = [(f"{method} {path}", await worker.caller.ask(method, path)) for method, path in asked]
    assert [(name, reply.status) for name, reply in answers if reply.status != 401] == []
