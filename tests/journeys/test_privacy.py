"""What somebody who only chats can know of what we keep, and how they end it."""

from __future__ import annotations

from domain.linking import ask_unions
from models.cases import Case
from models.database import fetch
from models.people import Resident
from tests.town import CHEN, WANG, Town


async def test_a_resident_reads_what_is_kept_of_them(town: Town):
    await town.say(CHEN, "3栋2单元楼道灯坏了")
    await town.say(CHEN, "1")
    said = await town.say(CHEN, "我的信息")
    assert "反映过的 1 件事" in said
    assert "手机号" not in said
    assert "删除我的信息" in said


async def test_being_forgotten_is_asked_once_more_and_done(town: Town):
    await town.say(CHEN, "3栋2单元楼道灯坏了，鹌鹑在叫")
    await town.say(CHEN, "1")
    asked = await town.say(CHEN, "删除我的信息")
    assert "还有 1 件事在办" in asked
    assert "已全部删除" in await town.tap(CHEN, "全部删除")
    assert not await Resident.filter(openid=CHEN).exists()
    assert "鹌鹑" not in (await Case.get()).description
    assert "没有" in await town.say(CHEN, "我的事项")  # somebody new
    assert len(await fetch("SELECT id FROM audit_event WHERE tag = 'resident:erase'")) == 1


async def test_who_thinks_better_of_it_keeps_everything(town: Town):
    await town.say(CHEN, "删除我的信息")
    assert "没有删除" in await town.say(CHEN, "2")
    assert await Resident.filter(openid=CHEN).exists()
    await town.say(CHEN, "删除我的信息")
    await town.say(CHEN, "取消")
    assert await Resident.filter(openid=CHEN).exists()


async def test_staff_are_told_to_unbind_first(town: Town):
    await town.say(WANG, "删除我的信息")
    assert "解绑" in await town.say(WANG, "1")
    assert await Resident.filter(openid=WANG).exists()


async def test_followers_from_before_the_mini_program_are_asked_about_once(town: Town):
    await fetch("DELETE FROM outbox WHERE kind = 'union'")
    await fetch("UPDATE resident SET unionid = NULL")
    assert await ask_unions(town.clock()) == await Resident.all().count()
    await town.deliver()
    assert (await Resident.get(openid=CHEN)).unionid == f"union_{CHEN}"
    assert await ask_unions(town.clock()) == 0
