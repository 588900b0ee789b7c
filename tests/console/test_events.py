"""Pages that stay fresh: the line over which they hear of news, who gets it, and when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from app.engines import Engines
from app.serve import Parts, serving
from app.settings import Settings
from bot.inbox import utc_now
from console.frame import SESSION
from console.live import MOST_STREAMS
from domain.console_login import begin_session
from domain.tokens import CONSOLE_IDLE
from models.people import Staff
from tests.conftest import free_port
from tests.console.conftest import Desk
from tests.console.desks import Desks
from tests.town import CHEN, Town
from tests.waiting import eventually

_EVENTS = {"Accept": "text/event-stream"}


@asynccontextmanager
async def listening(desk: Desk, *of: str) -> AsyncIterator[aiohttp.ClientResponse]:
    """A page of this browser is open and listens."""
    address = f"{desk.url}/console/events?" + "&".join(f"of={one}" for one in of)
    async with desk.session.get(address, headers=_EVENTS) as line:
        yield line


async def heard(line: aiohttp.ClientResponse) -> str:
    """The name of the next event; "" when the line has ended."""
    async with asyncio.timeout(60):
        async for text in line.content:
            if text.startswith(b"event: "):
                return text.decode().removeprefix("event: ").strip()
    return ""


@pytest.fixture
async def desks(town: Town) -> AsyncIterator[Desks]:
    """A browser for each member of staff."""
    async with AsyncExitStack() as stack:
        yield Desks(town, stack)


async def test_what_a_resident_reports_is_news_to_who_has_it_and_to_the_community(town: Town, desks: Desks):
    wang, li = await desks.of("王芳"), await desks.of("李主任")
    async with listening(wang, "cases") as hers, listening(li, "cases", "rooms") as his:
        assert (hers.status, hers.headers["X-Accel-Buffering"], hers.headers["Cache-Control"]) == (
            200,
            "no",
            "no-store",
        )
        for words in ("3栋2单元楼道灯坏了好几天了，晚上看不见", "1"):
            await town.say(CHEN, words)
        assert [await heard(hers), await heard(his)] == ["news", "news"]


async def test_a_line_ends_with_its_session(town: Town, desks: Desks):
    wang, li = await desks.of("王芳"), await desks.of("李主任")
    other = await desks.of("王芳")
    async with listening(wang, "cases") as hers, listening(li, "cases") as his:
        await other.open("/account")
        assert "所有设备都已退出" in await other.send("/account/everywhere")
        assert [await heard(hers), await heard(hers)] == ["over", ""]
        town.clock.advance(CONSOLE_IDLE)  # an open page is no use of it
        await town.say(CHEN, "您好")
        assert [await heard(his), await heard(his)] == ["over", ""]


async def test_only_pages_of_who_is_signed_in_listen_and_not_too_many(desk: Desk, desks: Desks):
    async with listening(desk, "cases") as refused:
        assert refused.status == 401
    wang = await desks.of("王芳")
    assert "页面自己用的" in await wang.open("/events?of=cases")
    async with AsyncExitStack() as pages:
        lines = [await pages.enter_async_context(listening(wang, "cases")) for _ in range(MOST_STREAMS + 1)]
        assert [line.status for line in lines] == [200] * MOST_STREAMS + [204]
    assert await eventually(lambda: _may_listen(wang))  # once the others are closed
    async with listening(wang, "nonsense") as refused:
        assert refused.status == 400


async def _may_listen(desk: Desk) -> bool:
    async with listening(desk, "cases") as line:
        return line.status == 200


async def test_a_process_stops_at_once_although_pages_listen(
    started_engines: Engines, database_url: str, tmp_path: Path
):
    clock, settings = asyncio.get_running_loop().time, Settings(home=tmp_path, port=free_port(), _env_file=None)
    own = Engines(database_url, started_engines.redis_url)
    async with AsyncExitStack() as process, AsyncExitStack() as pages:
        served = await process.enter_async_context(serving(settings, own, Parts(web=True, worker=False)))
        session = await pages.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)))
        wang = await Staff.get(name="王芳")
        session.cookie_jar.update_cookies({SESSION: await begin_session(wang.id, utc_now(), "a browser")})
        line = await pages.enter_async_context(listening(Desk(session, served.url), "cases"))
        begun = clock()
        await process.aclose()
        assert await heard(line) == ""
        assert clock() - begun < 4, "less than what requests under way are given"
