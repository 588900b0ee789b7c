"""Nobody sets by the way what is not theirs to set (S03): what no form has is refused by name."""

from __future__ import annotations

import pytest

from miniapp_api.api import SUBJECTS
from miniapp_api.kernel import Route
from miniapp_api.policy import POLICY, SIGNED_IN
from tests.api.conftest import SignIn
from tests.api.matrix import BODIES, Actor, World, make_world, read_scenes, routes_of, some_target
from tests.api.test_document import TAKEN
from tests.town import Town

read_scenes()

#: What would be worth setting, and the names other systems have for it.
COVETED = {
    "id": 1,
    "status": "closed",
    "state": "shown",
    "role": "city_staff",
    "grid_id": 1,
    "area_id": 1,
    "user_id": 1,
    "resident_id": 1,
    "staff_id": 1,
    "reporter_id": 1,
    "holder_id": 1,
    "due_at": "2030-01-01T00:00:00Z",
    "level": "city",
    "actor": "staff:1",
    "sender": "system",
    "author": "社区",
    "seq": 1,
    "verified": True,
    "is_admin": True,
}


def allowed(world: World, route: Route) -> Actor:
    """Somebody who may use the route, for whom it refuses nothing else."""
    may = POLICY[route.rule].may
    return world.actors[next(role for role in SIGNED_IN if role in may)]


@pytest.mark.parametrize("subject", [subject.subject for subject in SUBJECTS if routes_of(subject.subject)])
async def test_every_write_refuses_what_its_form_does_not_have(town: Town, sign_in: SignIn, subject: str):
    world = await make_world(town, sign_in)
    for route in routes_of(subject):
        if "body" not in route.takes:
            continue
        actor = allowed(world, route)
        target = await some_target(world, route, actor) or {}
        known = route.takes["body"].model_fields
        foreign = {name: value for name, value in COVETED.items() if name not in known}
        body = BODIES.get(f"{route.method} {route.path}", dict)()
        reply = await actor.caller.ask(route.method, route.path.format(**target), json=body | foreign)
        assert (reply.status, set(foreign) - set(reply.fields)) == (400, set()), f"{route.method} {route.path}"


def test_only_what_other_platforms_send_may_have_fields_of_its_own():
    lenient = {model.__module__ for model in TAKEN if model.model_config["extra"] != "forbid"}
    assert lenient <= {"miniapp_api.connectors", "miniapp_api.groups"}
