"""People who call the API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from ipaddress import ip_network

import aiohttp
import pytest
from aiohttp import web

from app.web import desk
from miniapp_api.addresses import Networks
from miniapp_api.api import create_api
from models.accounts import PurposeConsent
from models.enums import Purpose
from models.people import Staff
from tests.api.caller import Caller, token_of_resident, token_of_staff
from tests.api.talk import MoveIn
from tests.api.trial import routes as trial_routes
from tests.conftest import free_port
from tests.domain.neighbours import FIRST, neighbour
from tests.town import Town

SignIn = Callable[..., Awaitable[Caller]]


@pytest.fixture
async def sign_in(town: Town) -> AsyncIterator[SignIn]:
    """`await sign_in(CHEN)` = that resident (who may be staff too); `await sign_in(staff=row)` = staff by code alone;
    `await sign_in()` = nobody."""
    async with aiohttp.ClientSession() as session:

        async def signed_in(openid: str = "", *, staff: Staff | None = None) -> Caller:
            token = ""
            if staff:
                token = await token_of_staff(town, staff)
            elif openid:
                token = await token_of_resident(town, openid)
            return Caller(session, f"{town.url}/api/v1", token)

        yield signed_in


@pytest.fixture
def move_in(town: Town, sign_in: SignIn) -> MoveIn:
    """A resident of a grid, signed in, who lets neighbours read what they write."""

    async def moved(name: str, grid: str = FIRST, *, agrees: bool = True) -> Caller:
        person = await neighbour(name, town.clock(), grid)
        if agrees:
            await PurposeConsent.create(
                resident_id=person.resident_id, purpose=Purpose.ROOM, version=1, given_at=town.clock()
            )
        return await sign_in(person.openid)

    return moved


@pytest.fixture
async def trial(town: Town) -> AsyncIterator[Callable[..., Awaitable[Caller]]]:
    """A guest book in the API's frame, served by two processes' worth of servers: `await trial(CHEN, server=1)`."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        urls = [
            await stack.enter_async_context(_served(town, proxies)) for proxies in ([], [], [ip_network("127.0.0.1")])
        ]

        async def caller(openid: str = "", *, server: int = 0, staff: Staff | None = None) -> Caller:
            """`server` 2 stands behind a proxy at 127.0.0.1."""
            token = await token_of_staff(town, staff) if staff else ""
            return Caller(session, urls[server], await token_of_resident(town, openid) if openid else token)

        yield caller


@asynccontextmanager
async def _served(town: Town, proxies: Networks) -> AsyncIterator[str]:
    runner = web.AppRunner(create_api(replace(desk(town.services), proxies=proxies), [trial_routes]))
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()
