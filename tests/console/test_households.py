"""Households at the console: found, written down, what is known of people, and who says to live where."""

from __future__ import annotations

import pytest

from domain.homes import Home
from domain.household_claims import claim
from domain.people import find_person
from models.audit import AuditEvent
from models.people import Household, Staff
from models.people_facts import HouseholdMember
from tests.console.administration import sit_down
from tests.console.conftest import Desk
from tests.domain.homes import FAR, area, fact_kinds, home, member
from tests.town import CHEN, Town


@pytest.fixture
async def wang(town: Town, desk: Desk) -> Desk:
    """The grid worker's desk."""
    await sit_down(town, desk, await Staff.get(name="王芳"))
    return desk


async def looks(member_id: int) -> int:
    """How often somebody's sensitive facts were looked at."""
    return await AuditEvent.filter(tag="member:read_sensitive", object_id=member_id, allowed=True).count()


async def test_a_household_and_its_people_are_written_down_and_found_by_place_and_by_name(town: Town, wang: Desk):
    grid = await area("429906001001001")
    await wang.open("/households")
    await wang.send("/households", grid_id=str(grid), place="9栋1单元902")
    made = await Household.get(building="9栋", room="902")
    assert wang.path == f"/console/households/{made.id}"
    await wang.send(f"/households/{made.id}/members", name="刘桂兰", relation="户主", birthday="1946-12-03")
    assert "在册了" in wang.page
    for words in ("9-1-902", "刘桂兰"):
        assert f"/console/households/{made.id}" in await wang.open(f"/households?q={words}")
    assert "没有找到" in await wang.open("/households?q=没有这个人")


async def test_a_sensitive_fact_is_on_no_list_and_each_look_at_it_is_noted(town: Town, wang: Desk):
    await fact_kinds()
    poor = await member(await home("903", building="9栋"), "张大爷", t_poor=True, t_alone=True)
    page = await wang.open(f"/households/{poor.household_id}")
    assert "试独居" in page
    assert "试低保" not in page
    assert await looks(poor.id) == 0
    assert "试低保" in await wang.open(f"/households/members/{poor.id}")
    assert await looks(poor.id) == 1


async def test_facts_are_noted_corrected_and_taken_away(town: Town, wang: Desk):
    await fact_kinds()
    one = await member(await home("904", building="9栋"), "赵阿姨")
    path = f"/households/members/{one.id}"
    await wang.open(path)
    assert "试婚姻记下了" in await wang.send(f"{path}/facts", code="t_wed", value="丧偶")
    assert "请写其中一个" in await wang.send(f"{path}/facts", code="t_wed", value="保密")
    await wang.open(path)
    await wang.send(f"{path}/facts", code="t_alone", value="是")
    await wang.send(f"{path}/facts", code="t_wed", value="")
    assert (await HouseholdMember.get(id=one.id)).facts == {"t_alone": True}
    await wang.send(path, name="赵秀英", relation="户主", birthday="1950-01-02")
    stored = await HouseholdMember.get(id=one.id)
    assert (stored.name, stored.relation, str(stored.birthday)) == ("赵秀英", "户主", "1950-01-02")
    await wang.send(f"{path}/remove")
    assert not await HouseholdMember.filter(id=one.id).exists()


async def test_who_says_to_live_somewhere_is_confirmed_or_told_that_it_does_not_fit(town: Town, wang: Desk):
    chen = await find_person(CHEN, town.clock())
    await claim(chen, Home("9栋", "1单元", "905"), "陈建国", town.clock())
    said = await HouseholdMember.get(name="陈建国")
    assert "等您核对的住址" in await wang.open("/households")
    assert "没有对上" in await wang.send("/households/refuse", member_id=str(said.id))
    await claim(chen, Home("9栋", "1单元", "906"), "陈建国", town.clock())
    said = await HouseholdMember.get(name="陈建国")
    await wang.open(f"/households/members/{said.id}")
    await wang.send("/households/confirm", member_id=str(said.id))
    assert (await HouseholdMember.get(id=said.id)).confirmed_at == town.clock()
    await town.deliver()
    assert "已核对" in town.last(CHEN)


async def test_another_grids_people_are_as_if_there_were_none_and_the_street_keeps_no_households(
    town: Town, wang: Desk
):
    foreign = await member(await home("907", FAR, "9栋"), "外人")
    for path in (f"/households/{foreign.household_id}", f"/households/members/{foreign.id}"):
        await wang.open(path)
        assert wang.status == 404
    await wang.open("/households")
    await wang.send(f"/households/members/{foreign.id}/remove")
    assert wang.status == 404
    assert await HouseholdMember.filter(id=foreign.id).exists()
    await sit_down(town, wang, await Staff.get(name="周科长"))
    assert "/console/households" not in await wang.open("/")
    await wang.open("/households")
    assert wang.status == 403
