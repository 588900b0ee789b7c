"""亮身份 from the chat: nobody is shown as anything without their yes, and they take it back with one word."""

from __future__ import annotations

from domain.badges import grant
from domain.people import find_person
from domain.room_messages import entries, post
from domain.rooms import handle, seats
from models.audit import AuditEvent
from models.enums import BadgeKind
from models.rooms import Badge
from tests.domain.neighbours import first_room, neighbour, officer, words
from tests.town import CHEN, Town


async def given(town: Town, kind: BadgeKind = BadgeKind.PARTY_MEMBER, unit: str = "第二支部") -> None:
    """陈阿姨 speaks in the room, and 李主任 sets a badge for her."""
    await town.say(CHEN, "你好")
    chen, room = await find_person(CHEN, town.clock()), await first_room()
    await post(chen, room.id, words("我来组织大家扫雪"), town.clock())
    [seat] = (await seats(room.id, [chen.actor])).values()
    await grant(await officer("S001"), room.id, handle(seat), kind, unit, town.clock())
    await town.deliver()


async def seen(town: Town) -> list[str]:
    """As what a neighbour sees 陈阿姨."""
    reader = await neighbour("reader", town.clock())
    [entry] = await entries(reader, (await first_room()).id)
    return [mark.label for mark in entry.badges]


async def test_she_is_asked_agrees_and_is_shown_until_she_takes_it_back(town: Town):
    await given(town)
    assert "党员·第二支部" in town.last(CHEN)
    assert "亮身份" in town.last(CHEN)
    assert await seen(town) == []
    assert "同意后邻居才能看到" in await town.say(CHEN, "亮身份")
    assert await seen(town) == []
    assert "显示为：党员·第二支部" in await town.say(CHEN, "1")
    assert await seen(town) == ["党员·第二支部"]
    assert "邻居在网格群里看到您是：党员·第二支部" in await town.say(CHEN, "亮身份")
    assert "不再看到" in await town.say(CHEN, "1")
    assert await seen(town) == []
    tags = [row.tag for row in await AuditEvent.filter(tag__startswith="badge:").order_by("id")]
    assert tags == ["badge:grant", "badge:agree", "badge:end"]


async def test_she_declines_and_it_is_as_if_nobody_had_asked(town: Town):
    await given(town)
    await town.say(CHEN, "亮身份")
    assert "不会显示" in await town.tap(CHEN, "不同意")
    assert await seen(town) == []
    assert "还没有给您设置身份" in await town.say(CHEN, "亮身份")


async def test_of_two_badges_the_one_she_names_ends(town: Town):
    await given(town)
    await town.say(CHEN, "亮身份")
    await town.say(CHEN, "1")
    await given(town, BadgeKind.VOLUNTEER, "")
    await town.say(CHEN, "亮身份")
    await town.say(CHEN, "同意")
    await town.say(CHEN, "亮身份")
    await town.tap(CHEN, "不再显示“志愿者”")
    assert await seen(town) == ["党员·第二支部"]


async def test_a_yes_that_comes_after_the_community_took_it_back_shows_nothing(town: Town):
    await given(town)
    await town.say(CHEN, "亮身份")
    await Badge.all().update(ended_at=town.clock())
    assert "没有找到这个身份标识" in await town.say(CHEN, "1")
    assert await seen(town) == []
