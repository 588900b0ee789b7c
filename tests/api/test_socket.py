"""Rooms over WebSockets: who is let in, what each hears, and that nobody misses or doubles an entry."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest

from domain.rooms import room_of_grid
from models.people import Area, Staff
from tests.api.caller import Caller
from tests.api.conftest import SignIn
from tests.api.sockets import Line, agree_to_rooms
from tests.town import CHEN, WANG, Town

Connect = Callable[..., Awaitable[Line]]
GRID, ELSEWHERE = "429906001001001", "429906001001002"


@pytest.fixture
async def connect(town: Town) -> AsyncIterator[Connect]:
    """`await connect(caller)` = a WebSocket with this caller's token; `by_frame` = sent in the first frame."""
    async with aiohttp.ClientSession() as session:

        async def connected(caller: Caller | None = None, *, by_frame: bool = False) -> Line:
            headers = {"Authorization": f"Bearer {caller.token}"} if caller and not by_frame else {}
            line = Line(await session.ws_connect(f"{town.url}/api/v1/ws", headers=headers))
            if caller and by_frame:
                await line.say("sign_in", token=caller.token)
            if caller:
                await line.hear("welcome")
            return line

        yield connected


@pytest.fixture
async def room(town: Town) -> int:
    """The room of Chen's grid."""
    await agree_to_rooms(town, CHEN)
    return (await room_of_grid((await Area.get(code=GRID)).id)).id


async def test_what_one_says_the_others_hear_at_once_and_each_as_they_may(
    sign_in: SignIn, connect: Connect, room: int
):
    chen, wang = await connect(await sign_in(CHEN)), await connect(await sign_in(WANG), by_frame=True)
    for line in (chen, wang):
        assert (await line.ask("subscribe", room=room))["seq"] == 0
    said = await chen.post(room, "3栋2单元楼道灯坏了好几天了")
    answered = await wang.post(room, "收到，下午去修", reply_to=said["id"])
    assert await chen.hear_up_to(2) == await wang.hear_up_to(2) == [1, 2]
    assert [entry["author"]["me"] for entry in chen.entries] == [True, False]
    assert [entry["author"]["me"] for entry in wang.entries] == [False, True]
    assert chen.entries[0]["client_id"] == said["client_id"] != wang.entries[0]["client_id"] == ""
    assert chen.entries[0]["hint"] is None
    assert "灯" in wang.entries[0]["hint"]["subject"] or wang.entries[0]["hint"]["category"]
    assert wang.entries[1]["reply_to"] == said["id"] and answered["seq"] == 2
