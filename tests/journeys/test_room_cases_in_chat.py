"""From the grid worker's chat: a report in the room is told, and becomes a case by a word and a number."""

from __future__ import annotations

import re
from datetime import timedelta

from domain.room_cases import Changes, to_case
from models.cases import Case, Follower
from models.enums import Source
from models.rooms import RoomMessage
from tests.domain.grid_room import LAMP, RUBBISH, Grid
from tests.town import WANG


async def told(grid: Grid) -> list[int]:
    """What waits is told to the worker; gives the numbers of the lines."""
    grid.town.clock.advance(timedelta(minutes=16))
    await grid.gather()
    return [int(number) for number in re.findall(r"^(\d\d) ", grid.town.last(WANG), re.MULTILINE)]


async def test_a_report_is_told_and_made_a_case_by_its_number(grid: Grid):
    said = await grid.say(grid.chen, RUBBISH)
    [number] = await told(grid)
    assert f"要办的回复“立案 {number}”" in grid.town.last(WANG)
    answer = await grid.town.say(WANG, f"立案 {number}")
    case = await Case.get(source=Source.ROOM)
    assert answer.startswith(f"已转为事件 {case.number[-4:]} 垃圾满溢，网格员王芳处理")
    assert (await grid.answers(said.id))[0].startswith(f"已转为事件 {case.number[-4:]}")
    assert "不用再转" in await grid.town.say(WANG, f"立案 {number}")
    assert await Case.filter(source=Source.ROOM).count() == 1


async def test_a_place_that_was_not_said_is_added(grid: Grid):
    await grid.say(grid.chen, "楼道灯坏了好几天了没人管")
    [number] = await told(grid)
    await grid.town.say(WANG, f"立案 {number} 3栋2单元")
    assert (await Case.get(source=Source.ROOM)).place == "3栋2单元"


async def test_what_is_known_already_joins_and_what_is_nothing_is_put_away(grid: Grid):
    first = (await to_case(grid.wang, (await grid.say(grid.chen, RUBBISH)).id, Changes(), grid.now)).case
    again, nothing = await grid.say(grid.zhao, "东门垃圾又堆起来了"), await grid.say(grid.sun, LAMP)
    numbers = await told(grid)
    assert len(numbers) == 2
    answer = await grid.town.say(WANG, f"并入 {numbers[0]} {first.number[-4:]}")
    assert answer.startswith(f"已并入 {first.number[-4:]} 垃圾满溢")
    assert await Follower.filter(case_id=first.id, resident_id=grid.zhao.resident_id).count() == 1
    assert "不再提醒" in await grid.town.say(WANG, f"忽略 {numbers[1]}")
    assert (await RoomMessage.get(id=nothing.id)).hint["ignored"] is True
    assert (await RoomMessage.get(id=again.id)).case_id == first.id


async def test_a_question_is_answered_by_its_number(grid: Grid):
    asked = await grid.say(grid.chen, "请问居住证怎么办理，要带什么材料")
    [number] = await told(grid)
    await grid.town.say(WANG, f"答 {number} 带身份证去派出所一楼")
    assert (await grid.read())[-1].reply_to == asked.id
    assert (await RoomMessage.get(id=asked.id)).answered_at == grid.now


async def test_a_number_nobody_was_told_is_said_so(grid: Grid):
    assert "没有第 57 条" in await grid.town.say(WANG, "立案 57")
