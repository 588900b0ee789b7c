"""Providers at the console: written one by one by those who answer for them, with what residents said of them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domain.people import find_operator, find_person
from domain.provider_desk import add_provider
from domain.providers import complain, rate_provider
from errors import Conflict
from models.audit import AuditEvent
from models.people import Staff
from models.services import Provider
from tests.console.administration import sit_down
from tests.console.conftest import Desk
from tests.console.desks import history
from tests.console.forms import form_to
from tests.town import CHEN, Town

COMMUNITY = "429906001001"
NEW = "/services/providers/new"


@pytest.fixture
async def li(town: Town, desk: Desk) -> Desk:
    """The community's desk."""
    await sit_down(town, desk, await Staff.get(name="李主任"))
    return desk


async def test_a_provider_is_added_changed_looked_at_and_stopped_and_residents_find_what_is_there(town: Town, li: Desk):
    given = form_to(await li.open(NEW), NEW).typed() | {"code": "xj01", "name": "磨剪子戗菜刀", "kind": "修补"}
    assert given["area"] == COMMUNITY
    assert "已经有了" in await li.send(NEW, **given | {"code": "ｊｚ ０１"}), "jz01 in wide letters"
    await li.open(NEW)
    assert "电话" in await li.send(NEW, **given | {"phone": "12"})
    await li.open(NEW)
    assert "居民现在就能找到" in await li.send(NEW, **given | {"words": "磨刀", "phone": "027-55501999"})
    made = await Provider.get(code="xj01")
    await town.say(CHEN, "附近磨刀")
    assert "磨剪子戗菜刀" in await town.say(CHEN, "磨刀")

    page = f"/services/providers/{made.id}"
    before = form_to(await li.open(page), page).typed()
    town.clock.advance(timedelta(minutes=1))
    await li.send(page, **before | {"phone": "", "price": "一把 5 元"})
    changed = await Provider.get(id=made.id)
    assert (changed.phone, changed.price, changed.words) == ("", "一把 5 元", "磨刀")
    assert "刚刚有人改过" in await li.send(page, **before | {"price": "一把 8 元"})
    await li.open(page)
    town.clock.advance(timedelta(minutes=1))
    assert "今天看过证照和价格" in await li.send(f"{page}/check")
    assert "2026-11-20" in li.page

    stopped = form_to(await li.open(page), page).typed()
    del stopped["active"]
    town.clock.advance(timedelta(minutes=1))
    await li.send(page, **stopped)
    assert "停用" in await li.open("/services/providers?q=磨")
    assert "磨剪子戗菜刀" not in await town.say(CHEN, "附近磨刀")
    assert await AuditEvent.filter(tag="provider:edit", object_id=made.id, allowed=True).count() == 3
    assert history(await li.open(page)) == ["停用了", "看过证照和价格", "改了电话、价格", "新写的"]


async def test_staff_read_what_residents_said_without_their_numbers_and_open_the_complaints(town: Town, li: Desk):
    one, chen = await Provider.all().order_by("id").first(), await find_person(CHEN, town.clock())
    assert one
    await rate_provider(chen, one.id, 2, "打我电话 13800001234 说清楚", town.clock())
    case = (await complain(chen, one.id, "收了钱没来修", town.clock())).case
    page = await li.open(f"/services/providers/{one.id}")
    assert "2 分：打我电话 *** 说清楚" in page
    assert f'href="/console/cases/{case.id}"' in page
    assert "1 件" in await li.open("/services/providers")


async def test_what_others_answer_for_is_read_and_not_written_and_what_is_elsewhere_is_not_there(town: Town, li: Desk):
    one = await Provider.filter(area__code=COMMUNITY).first()
    assert one
    page = f"/services/providers/{one.id}"
    given = form_to(await li.open(page), page).typed()
    await sit_down(town, li, await Staff.get(name="王芳"))
    assert "保存" not in await li.open(page)
    assert "上级统一管理" in await li.send(page, **given)
    assert li.status == 403
    await li.open(NEW)
    assert li.status == 403
    await sit_down(town, li, await Staff.get(name="何主任"))
    await li.open(page)
    assert li.status == 404
    assert one.name not in await li.open("/services/providers")
    new = form_to(await li.open(NEW), NEW).typed() | {"code": "xj02", "name": "试试", "kind": "维修"}
    await li.send(NEW, **new | {"area": COMMUNITY})
    assert (li.status, await Provider.exists(code="xj02")) == (403, False)


async def test_of_two_communities_that_take_the_same_code_at_once_one_is_told_so(town: Town):
    places = {"S001": COMMUNITY, "S002": "429906001002"}
    rows = [{"name": code, "kind": "维修", "area": area, "active": "是"} for code, area in places.items()]
    clerks = [await find_operator(code) for code in places]
    adding = [add_provider(clerk, "xj03", row, town.clock()) for clerk, row in zip(clerks, rows, strict=True)]
    made = await asyncio.gather(*adding, return_exceptions=True)
    assert {type(one) for one in made} == {Provider, Conflict}
