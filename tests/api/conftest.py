"""People who call the API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest

from models.people import Staff
from tests.api.caller import Caller, token_of_resident, token_of_staff
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
