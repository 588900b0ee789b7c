"""群聊日报: what a room's day comes to, made once the next morning, without anybody's words."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domain.room_cases import Changes, ignore_hint, to_case
from domain.room_digests import digests, make_digests
from domain.room_messages import post, recall, remove
from errors import NotAllowed, NotFound
from models.rooms import RoomDigest
from tests.domain.grid_room import LAMP, RUBBISH, Grid
from tests.domain.neighbours import SECOND, first_room, neighbour, officer, words
from tests.town import LI

ASKS, BENEFIT = "请问居住证怎么办理，要带什么材料", "请问高龄津贴怎么申请"


async def morning(grid: Grid) -> int:
    """The next day, half past eight."""
    grid.town.clock.advance(timedelta(hours=22, minutes=30))
    made = await make_digests(grid.now)
    await grid.town.deliver()
    return made


async def a_day(grid: Grid) -> None:
    """A case, two hints (one dismissed), two questions (one answered after ten minutes), small talk."""
    rubbish = await grid.say(grid.chen, RUBBISH)
    await to_case(grid.wang, rubbish.id, Changes(), grid.now)
    await grid.say(grid.zhao, LAMP)
    dismissed = await grid.say(grid.sun, "东门的垃圾桶满了是去年的事吧")
    await ignore_hint(grid.wang, dismissed.id, grid.now)
    asked = await grid.say(grid.chen, ASKS)
    grid.town.clock.advance(timedelta(minutes=10))
    await grid.say(grid.wang, "带身份证去派出所", reply_to=asked.id)
    await grid.say(grid.zhao, BENEFIT)
    await grid.say(grid.sun, "早上好各位邻居")
    await recall(grid.sun, (await grid.say(grid.sun, "发错群了")).id, grid.now)
    await remove(grid.wang, (await grid.say(grid.sun, "便宜卖烟花爆竹")).id, "群里不卖东西", grid.now)


async def test_a_rooms_day_is_counted_and_told_to_the_community_the_next_morning(grid: Grid):
    await a_day(grid)
    assert await morning(grid) == 1
    [day] = await digests(grid.li, grid.room.id)
    assert day.figures == {
        "messages": 9,
        "speakers": 3,
        "reports": 2,
        "cases": 1,
        "questions": 4,
        "unanswered": 2,
        "answered_after": 601,
        "removed": 1,
        "subjects": [["垃圾满溢", 1], ["楼道照明损坏", 1]],
    }
    assert grid.town.last(LI) == (
        "群聊日报 11 月 20 日\n第一网格：9 条消息，3 人说话，像要办的 2 件（已转 1 件），2 条没人回；"
        "说得多的：垃圾满溢 1、楼道照明损坏 1"
    )


async def test_it_is_made_once_however_many_look(grid: Grid):
    await a_day(grid)
    grid.town.clock.advance(timedelta(hours=22, minutes=30))
    heard = len(grid.town.heard(LI))
    assert sum(await asyncio.gather(*(make_digests(grid.now) for _ in range(4)))) == 1
    assert await make_digests(grid.now) == 0
    await grid.town.deliver()
    assert len(grid.town.heard(LI)) == heard + 1


async def test_not_before_eight_and_not_of_a_silent_day(grid: Grid):
    await grid.say(grid.chen, "早上好各位邻居")
    grid.town.clock.advance(timedelta(hours=21, minutes=30))  # half past seven
    assert await make_digests(grid.now) == 0
    grid.town.clock.advance(timedelta(hours=1))
    assert await make_digests(grid.now) == 1
    assert await morning(grid) == 0
    assert await RoomDigest.all().count() == 1


async def test_the_grids_of_a_community_stand_in_one_message(grid: Grid):
    await grid.say(grid.chen, "早上好各位邻居")
    other = await neighbour("other", grid.now, SECOND)
    await post(other, (await first_room(SECOND)).id, words(LAMP), grid.now)
    assert await morning(grid) == 2
    told = grid.town.last(LI).split("\n")
    assert [line.split("：")[0] for line in told] == ["群聊日报 11 月 20 日", "第一网格", "第二网格"]


async def test_nobodys_words_are_kept_in_it(grid: Grid):
    await a_day(grid)
    await morning(grid)
    kept = str(await RoomDigest.all().values("text", "figures"))
    assert not any(said[:6] in kept for said in (RUBBISH, LAMP, ASKS, BENEFIT))


async def test_staff_of_the_room_read_its_days_and_nobody_else(grid: Grid):
    for _ in range(3):
        await grid.say(grid.chen, "早上好各位邻居")
        grid.town.clock.advance(timedelta(hours=24))
        assert await make_digests(grid.now) == 1
    newest = await digests(grid.wang, grid.room.id, limit=2)
    assert [one.day.day for one in newest] == [22, 21]
    assert [one.day.day for one in await digests(grid.wang, grid.room.id, before=newest[-1].day)] == [20]
    with pytest.raises(NotAllowed):
        await digests(grid.chen, grid.room.id)
    with pytest.raises(NotFound):
        await digests(await officer("S002"), grid.room.id)
