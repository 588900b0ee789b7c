"""大屏: a link of its own that shows one area's counts, keeps no secret readable, and goes dark when taken back."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import aiohttp
import pytest

from models.audit import AuditEvent
from models.console import ScreenLink
from models.enums import AdminKind
from models.people import Area, Staff
from tests.console.administration import at_desk
from tests.console.conftest import Desk, sit_down
from tests.domain.made_cases import random_cases
from tests.town import Town

COMMUNITY, NEXT = "429906001001", "429906001002"


async def _link(town: Town, desk: Desk, code: str = COMMUNITY) -> str:
    """The system administrator makes a link; gives its path below the console."""
    if not await Staff.filter(name="周科长", administrator__kind=AdminKind.SYSTEM).exists():
        await at_desk(town, desk, "周科长", AdminKind.SYSTEM)
    await desk.open("/screens")
    page = await desk.send("/screens", name="指挥大厅", area=str((await Area.get(code=code)).id))
    assert desk.status == 200
    return unescape(re.findall(r'value="[^"]*/console(/screen/open/[^"]+)"', page)[0])


@pytest.fixture
async def wall(town: Town):
    """The computer behind a screen: nobody is signed in."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Desk(session, town.url)


async def test_a_link_shows_its_area_for_days_without_anybody_signed_in(town: Town, desk: Desk, wall: Desk):
    await random_cases(31, 20)
    path = await _link(town, desk)
    assert "打开大屏" in await wall.open(path)
    name = (await Area.get(code=COMMUNITY)).name
    assert f"{name} · 邻里指挥大屏" in await wall.open("/screen")
    town.clock.advance(timedelta(days=40))
    assert "未办结" in await wall.open("/screen/figures")
    assert wall.status == 200


async def test_without_a_link_or_a_session_there_is_no_screen(wall: Desk):
    for path in ("/screen", "/screen/figures", "/screen/later", "/screen/open/abcdefgh"):
        await wall.open(path)
        assert wall.status == 404, path
        assert "大屏链接停用了" in wall.page


async def test_a_link_that_is_taken_back_goes_dark_at_once(town: Town, desk: Desk, wall: Desk):
    path = await _link(town, desk)
    await wall.open(path)
    await wall.open("/screen")
    assert wall.status == 200
    found = await ScreenLink.get()
    await desk.open("/screens")
    assert "停用了" in await desk.send(f"/screens/{found.id}/revoke")
    for again in ("/screen", "/screen/figures", "/screen/later", path):
        await wall.open(again)
        assert wall.status == 404, again


async def test_the_link_is_stored_as_a_hash_and_who_made_and_ended_it_is_kept(town: Town, desk: Desk):
    path = await _link(town, desk)
    secret = path.rsplit("/", 1)[1]
    found = await ScreenLink.get()
    assert secret not in found.digest
    assert secret not in await desk.open("/screens")
    await desk.send(f"/screens/{found.id}/revoke")
    rows = await AuditEvent.filter(tag__startswith="screen:").order_by("id")
    assert [(row.tag, row.object_id) for row in rows] == [("screen:make", found.id), ("screen:revoke", found.id)]


async def test_the_link_opens_the_screen_and_nothing_else(town: Town, desk: Desk, wall: Desk):
    elsewhere = (await Area.get(code=NEXT)).id
    await wall.open(await _link(town, desk))
    for path in ("/", "/cases", "/dashboards", "/dashboards/days", "/dashboards/cases?of=reported", "/screens"):
        await wall.open(path)
        assert wall.path == "/console/login", path
    page = await wall.open(f"/screen?area={elsewhere}")
    assert (await Area.get(code=COMMUNITY)).name in page
    assert (await Area.get(code=NEXT)).name not in page


async def test_a_screen_names_nobody_and_no_door(town: Town, desk: Desk, wall: Desk):
    await random_cases(32, 40)
    await wall.open(await _link(town, desk))
    page = await wall.open("/screen") + await wall.open("/screen/later")
    for member in await Staff.all():
        assert member.name not in page
    assert "/cases" not in page


async def test_only_the_system_administrator_makes_and_ends_links_and_only_below_their_area(town: Town, desk: Desk):
    await _link(town, desk)
    screen_id = (await ScreenLink.get()).id
    city = (await Area.get(code="429900")).id
    assert "　　第一网格</option>" in await desk.open("/screens"), "any level below"
    await desk.send("/screens", name="市里", area=str(city))
    assert desk.status == 404
    desk.session.cookie_jar.clear()
    await sit_down(town, desk, "李主任")
    await desk.open("/screens")
    assert desk.status == 403
    await desk.open("/account")
    for path, given in (("/screens", {"name": "门口", "area": "1"}), (f"/screens/{screen_id}/revoke", {})):
        await desk.send(path, **given)
        assert desk.status == 403
        await desk.open("/account")
    assert await ScreenLink.filter(revoked_at=None).count() == 1


async def test_whoever_is_signed_in_sees_their_own_area_and_not_a_neighbours(town: Town, desk: Desk):
    await sit_down(town, desk, "李主任")
    assert (await Area.get(code=COMMUNITY)).name in await desk.open("/screen")
    await desk.open(f"/screen?area={(await Area.get(code=NEXT)).id}")
    assert desk.status == 404


async def test_a_screen_that_refreshes_does_not_keep_a_session_alive(town: Town, desk: Desk):
    await sit_down(town, desk, "李主任")
    for _ in range(4):
        town.clock.advance(timedelta(minutes=10))
        await desk.open("/screen/figures")
    await desk.open("/")
    assert desk.path == "/console/login"
