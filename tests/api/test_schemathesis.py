"""Requests made up from the document by schemathesis: no failure of ours, no answer the document does not have."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from miniapp_api.api import SUBJECTS, all_routes
from miniapp_api.kernel import Route
from miniapp_api.openapi import document, open_path
from miniapp_api.policy import POLICY, Caller
from tests.api.conftest import SignIn
from tests.api.matrix import LEAVING, Actor, World, make_world, read_scenes, routes_of, some_target
from tests.town import Town

read_scenes()
SCHEMA = schemathesis.openapi.from_dict(document(all_routes()))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
WHO = (Caller.NOBODY, Caller.RESIDENT, Caller.GRID_WORKER, Caller.COMMUNITY_STAFF)
READ = {"path", "query", "body"}
EXAMPLES = 6
"""Made-up requests of each kind for each route, the same from every caller."""

#: A caller, and an object they may do this with: nothing where there is none.
Asking = tuple[Actor, Mapping[str, Any]]

_ONE_AT_A_TIME = threading.Lock()


def operation_of(route: Route) -> APIOperation:
    return SCHEMA[open_path(route.path)][route.method]


def try_out(world: World, route: Route, callers: Sequence[Asking], mode: GenerationMode) -> list[str]:
    """Many requests to one route, each from every caller; half of them are about an object that is there."""
    checks = [*CHECKS, negative_data_rejection] if mode is GenerationMode.NEGATIVE else CHECKS
    faults = list[str]()

    @given(case=operation_of(route).as_strategy(generation_mode=mode), real=st.booleans())
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: schemathesis.Case, real: bool) -> None:
        made = dict(case.path_parameters)
        for actor, target in callers:
            world.town.clock.advance(timedelta(seconds=1))
            case.path_parameters.update(made)
            if real and mode is GenerationMode.POSITIVE:
                case.path_parameters.update({name: str(value) for name, value in target.items()})
            headers = {"Authorization": f"Bearer {actor.caller.token}"} if actor.caller.token else {}
            response = case.call(base_url=world.town.url + "/api/v1", session=wire, headers=headers, timeout=30)
            try:
                case.validate_response(response, checks=checks, headers=headers)
            except FailureGroup as group:
                faults.append(f"{route.method} {route.path} by {actor.role}, {mode.value}: {group}")

    with _ONE_AT_A_TIME, requests.Session() as wire:
        wire.trust_env = False  # looked through for proxies at each request
        ask()
    return faults


@pytest.mark.slow
@pytest.mark.parametrize("subject", [subject.subject for subject in SUBJECTS if routes_of(subject.subject)])
async def test_whatever_is_sent_is_answered_as_the_document_says(town: Town, sign_in: SignIn, subject: str):
    world = await make_world(town, sign_in)
    faults = list[str]()
    for route in routes_of(subject):
        if f"{route.method} {route.path}" in LEAVING or route.status == 101:
            continue
        actors = [world.actors[role] for role in WHO]
        callers = [(actor, await some_target(world, route, actor) or {}) for actor in actors]
        faults += await asyncio.to_thread(try_out, world, route, callers, GenerationMode.POSITIVE)
        most = [one for one in callers[1:] if one[0].role in POLICY[route.rule].may][:1]  # forms are the same for all
        if most and READ & route.takes.keys():
            faults += await asyncio.to_thread(try_out, world, route, most, GenerationMode.NEGATIVE)
    assert faults == [], "\n".join(faults)
