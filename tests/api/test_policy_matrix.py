"""Role × resource × relation, generated from the one policy table and asked of the real API."""

from __future__ import annotations

import pytest

from miniapp_api.api import SUBJECTS, all_routes
from miniapp_api.policy import POLICY, Caller
from tests.api.conftest import SignIn
from tests.api.matrix import SCENES, cells, fits, make_world, read_scenes, routes_of
from tests.town import Town

read_scenes()


def test_every_route_has_its_row_and_every_row_its_route():
    asked = {route.rule for route in all_routes()}
    readers = {rule.reads for rule in POLICY.values() if rule.reads}
    assert asked | readers == set(POLICY)


def test_every_kind_of_object_can_be_made_in_every_relation():
    assert {rule.kind for rule in POLICY.values() if rule.kind} <= set(SCENES)


def test_a_row_names_only_callers_that_get_something():
    assert [name for name, rule in POLICY.items() if not rule.may or not all(rule.may.values())] == []


def test_nobody_is_named_only_where_everybody_may():
    public = {name: set(rule.may) for name, rule in POLICY.items() if rule.public}
    assert [name for name, may in public.items() if may not in ({Caller.NOBODY}, set(Caller))] == []


@pytest.mark.parametrize("subject", [subject.subject for subject in SUBJECTS])
async def test_everybody_gets_what_the_table_says_and_nothing_else(town: Town, sign_in: SignIn, subject: str):
    world = await make_world(town, sign_in)
    wrong, hidden = [], {}
    for route in routes_of(subject):
        async for cell in cells(world, route):
            if not fits(route, cell):
                wrong.append(f"{route.method} {route.path}: {cell.fault}")
            if cell.reply.status == 404:
                hidden.setdefault(f"{route.method} {route.path}", set()).add(cell.reply.as_seen)
    assert wrong == []
    told_apart = {route: seen for route, seen in hidden.items() if len(seen) > 1}
    assert told_apart == {}  # foreign and absent: not one byte differs (S24)


@pytest.mark.parametrize("route", [route for route in all_routes() if route.guard], ids=lambda route: route.name)
async def test_what_is_signed_is_refused_without_a_signature_whoever_asks(sign_in: SignIn, route):
    reply = await (await sign_in()).post(route.path.format(name="district"), {})
    assert (reply.status, reply.code) == (403, "bad_signature")
