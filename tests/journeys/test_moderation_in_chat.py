"""Moderation from the chat: the grid worker decides by tapping, whom it hit objects in a sentence."""

from __future__ import annotations

from datetime import timedelta

from domain import moderation
from domain.people import Person, find_person, join_grid
from domain.review_rounds import tell_staff
from domain.room_messages import entries, post, remove
from domain.rooms import handle, seats
from models.enums import MessageKind
from tests.domain.neighbours import FIRST, first_room, neighbour, words
from tests.town import CHEN, LI, WANG, Town

PHONE = "找我就打13812345678"


async def chen(town: Town) -> Person:
    await join_grid(await find_person(CHEN, town.clock()), town.clock(), code=FIRST)
    return await find_person(CHEN, town.clock())


async def says(town: Town, person: Person, text: str) -> int:
    return (await post(person, (await first_room()).id, words(text), town.clock())).id


async def seen(town: Town) -> list[str]:
    reader = await neighbour("reader", town.clock())
    found = await entries(reader, (await first_room()).id)
    return [entry.text for entry in found if entry.kind is MessageKind.TEXT]


async def test_the_grid_worker_is_told_and_shows_it_with_one_tap(town: Town):
    await town.say(CHEN, "你好")
    await town.say(WANG, "待办")
    await says(town, await chen(town), PHONE)
    await tell_staff(town.clock())
    await town.deliver()
    assert "有 1 条内容等您看" in town.last(WANG)
    asked = await town.say(WANG, "群审核")
    assert PHONE in asked
    assert "含有手机号码" in asked
    assert "已显示" in await town.say(WANG, "1")
    assert await seen(town) == [PHONE]
    await town.deliver()
    assert "已经显示" in town.last(CHEN)
    assert "没有等您看的" in await town.say(WANG, "群审核")


async def test_what_stays_hidden_has_a_reason_its_sender_reads_and_may_object_to(town: Town):
    await town.say(CHEN, "你好")
    await says(town, await chen(town), PHONE)
    await town.say(WANG, "群审核")
    assert "为什么" in await town.say(WANG, "2")
    assert "原因已告诉本人" in await town.say(WANG, "3")
    await town.deliver()
    assert "有别人的电话或隐私" in town.last(CHEN)
    assert "另一位工作人员会再看一次" in await town.say(CHEN, "申诉 这是我自己的电话")
    await town.say(WANG, "群审核")
    assert "另一位工作人员" in await town.say(WANG, "1")
    assert "这是我自己的电话" in await town.say(LI, "群审核")
    assert "已显示" in await town.say(LI, "1")
    assert await seen(town) == [PHONE]


async def test_a_reason_may_be_written_and_one_passed_over(town: Town):
    person = await chen(town)
    await says(town, person, f"{PHONE} 第一条")
    await says(town, person, f"{PHONE} 第二条")
    assert "第一条" in await town.say(WANG, "群审核")
    assert "第二条" in await town.say(WANG, "下一条")
    assert "没有别的等您看了" in await town.say(WANG, "2 号码请私聊发我")
    assert "第一条" in await town.say(WANG, "群审核")


async def test_who_was_faster_has_decided(town: Town):
    await says(town, await chen(town), PHONE)
    await town.say(WANG, "群审核")
    await town.say(LI, "群审核")
    await town.say(LI, "1")
    assert "已经有人处理过了" in await town.say(WANG, "2 广告")
    assert await seen(town) == [PHONE]


async def test_a_mute_is_objected_to_in_chat_and_lifted_there(town: Town):
    person, room = await chen(town), await first_room()
    worker = await find_person(WANG, town.clock())
    whom = handle((await seats(room.id, [person.actor]))[person.actor])
    await moderation.mute(worker, room.id, whom, timedelta(hours=3), "刷屏", town.clock())
    assert "请写一句理由" in await town.say(CHEN, "申诉")
    assert "收到您的申诉" in await town.say(CHEN, "孩子拿着手机乱按的")
    assert "孩子拿着手机乱按的" in await town.say(LI, "群审核")
    assert "已解除禁言" in await town.say(LI, "解除禁言")
    await says(town, person, "不好意思")
    assert await seen(town) == ["不好意思"]


async def test_without_anything_hidden_there_is_nothing_to_object_to(town: Town):
    assert "没有可以申诉的" in await town.say(CHEN, "申诉 为什么")
    person = await chen(town)
    message = await says(town, person, "晚上一起跳舞")
    worker = await find_person(WANG, town.clock())
    await remove(worker, message, "跑题了", town.clock())
    assert "收到您的申诉" in await town.say(CHEN, "申诉：跳舞也是社区的事")
    assert "没有可以申诉的" in await town.say(CHEN, "申诉 还有")


async def test_residents_do_not_decide(town: Town):
    await says(town, await chen(town), PHONE)
    assert PHONE not in await town.say(CHEN, "群审核")
