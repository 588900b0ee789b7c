"""@助手: what the helper is asked in a room, and what it answers where everybody reads it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain import rooms
from domain.reports import Draft, report
from domain.room_cases import Changes, to_case
from domain.room_messages import entries, post
from models.cases import Case, Follower
from models.enums import Source
from models.rooms import RoomMessage
from tests.domain.grid_room import GAS, LAMP, QUARREL, RUBBISH, Grid
from tests.domain.neighbours import words
from tests.town import WANG


async def test_a_report_to_the_helper_becomes_a_case_though_the_room_is_not_set_so(grid: Grid):
    asked = await grid.say(grid.chen, f"@助手 {LAMP}")
    case = await Case.get(source=Source.ROOM)
    assert (case.category, case.description, case.reporter_id) == ("lighting.corridor", LAMP, grid.chen.resident_id)
    assert (await grid.answers(asked.id))[0].startswith(f"已转为事件 {case.number[-4:]} 楼道照明")


async def test_a_mention_calls_it_as_the_words_do(grid: Grid):
    asked = await grid.say(grid.chen, LAMP, data={"mentions": ["助手"]})
    assert (await grid.answers(asked.id))[0].startswith("已转为事件")


async def test_danger_told_to_the_helper_is_answered_with_advice(grid: Grid):
    asked = await grid.say(grid.chen, f"@助手 {GAS}")
    assert "已同时通知" in (await grid.answers(asked.id))[0]


async def test_how_far_a_case_of_the_room_is_anybody_there_may_ask(grid: Grid):
    case = (await to_case(grid.wang, (await grid.say(grid.chen, RUBBISH)).id, Changes(), grid.now)).case
    number = case.number[-4:]
    for person, text in ((grid.chen, f"@助手 查 {number}"), (grid.zhao, f"@助手 {number} 怎么样了")):
        asked = await grid.say(person, text)
        [answer] = await grid.answers(asked.id)
        assert answer.startswith(f"{number} 垃圾满溢：已交给网格员王芳，最晚")


async def test_a_case_that_was_never_said_here_is_found_by_its_reporter_alone(grid: Grid):
    draft = Draft(LAMP, "lighting.corridor", "楼道照明损坏")
    case = (await report(grid.chen, draft, grid.now)).case
    mine, theirs = [await grid.say(person, f"@助手 查 {case.number[-4:]}") for person in (grid.chen, grid.zhao)]
    assert (await grid.answers(mine.id))[0].startswith(f"{case.number[-4:]} 楼道照明损坏")
    assert (await grid.answers(theirs.id))[0].startswith("这个群里没有这个编号")


async def test_of_what_is_nobody_elses_business_it_says_the_number_alone(grid: Grid):
    said = await grid.say(grid.chen, QUARREL)
    case = (await to_case(grid.wang, said.id, Changes(category="noise.neighbour"), grid.now)).case
    asked = await grid.say(grid.chen, f"@助手 查 {case.number[-4:]}")
    [answer] = await grid.answers(asked.id)
    assert case.subject not in answer
    assert answer.startswith(f"{case.number[-4:]}：")


async def test_it_urges_for_the_reporter_and_for_nobody_else(grid: Grid):
    case = (await to_case(grid.wang, (await grid.say(grid.chen, RUBBISH)).id, Changes(), grid.now)).case
    asked = await grid.say(grid.chen, "@助手 催一下")
    assert await grid.answers(asked.id) == [f"已催网格员王芳尽快处理 {case.number[-4:]} 垃圾满溢。"]
    assert "第 1 次催办" in grid.town.last(WANG)
    other = await grid.say(grid.zhao, f"@助手 催 {case.number[-4:]}")
    assert (await Case.get(id=case.id)).urged == 1
    assert not (await grid.answers(other.id))[0].startswith("已催")
    assert (await grid.answers((await grid.say(grid.zhao, "@助手 催")).id))[0].startswith("要催哪一件")


async def test_a_question_goes_to_the_grid_worker_at_once_and_only_once(grid: Grid):
    asked = await grid.say(grid.chen, "@助手 请问老年舞蹈队还收人吗")
    assert await grid.answers(asked.id) == ["已转给网格员王芳，有答复会在这里回您。"]
    assert "老年舞蹈队还收人吗" in grid.town.last(WANG)
    heard = len(grid.town.heard(WANG))
    grid.town.clock.advance(timedelta(hours=1))
    await grid.gather()
    assert len(grid.town.heard(WANG)) == heard


async def test_a_question_the_directory_surely_knows_is_answered_there(grid: Grid):
    asked = await grid.say(grid.chen, "@助手 居住证怎么办理")
    [answer] = await grid.answers(asked.id)
    assert answer.startswith("居住证办理\n要带：身份证")
    assert "\n地点：" in answer
    assert "居住证怎么办理" not in "".join(grid.town.heard(WANG))


async def test_small_talk_with_the_helper_is_answered_with_what_it_can_do(grid: Grid):
    for text in ("@助手", "@助手 你会做什么", "@助手 谢谢"):
        asked = await grid.say(grid.chen, text)
        assert (await grid.answers(asked.id))[0].startswith("我能做这些")


async def test_staff_reply_to_a_message_with_a_word_to_the_helper_to_make_a_case_of_it(grid: Grid):
    said, again = await grid.say(grid.chen, RUBBISH), await grid.say(grid.zhao, "东门垃圾又堆了")
    await grid.say(grid.wang, "@助手 转为事件", reply_to=said.id)
    case = await Case.get(source=Source.ROOM)
    assert (await grid.answers(said.id))[0].startswith(f"已转为事件 {case.number[-4:]}")
    await grid.say(grid.wang, f"@助手 并入 {case.number[-4:]}", reply_to=again.id)
    assert await Follower.filter(case_id=case.id, resident_id=grid.zhao.resident_id).count() == 1
    refused = await grid.say(grid.wang, "@助手 转", reply_to=said.id)
    assert await grid.answers(refused.id) == [f"这条消息已经是 {case.number[-4:]} 了，不用再转。"]
    assert await Case.filter(source=Source.ROOM).count() == 1


async def test_a_resident_cannot_make_a_case_of_what_a_neighbour_said(grid: Grid):
    said = await grid.say(grid.chen, RUBBISH)
    await grid.say(grid.zhao, "@助手 转为事件", reply_to=said.id)
    assert (await RoomMessage.get(id=said.id)).case_id is None
    assert await Case.filter(source=Source.ROOM).count() == 0


@pytest.mark.parametrize("text", ["助手在哪", "请助手网格员来一下", "我是居委会助手"])
async def test_who_only_says_its_name_does_not_call_it(grid: Grid, text: str):
    assert await grid.answers((await grid.say(grid.chen, text)).id) == []


async def test_in_a_private_talk_it_answers_there(grid: Grid):
    room = await rooms.private_room(grid.chen, grid.now)
    await post(grid.chen, room.id, words(f"@助手 {LAMP}"), grid.now)
    await grid.town.deliver()
    assert (await entries(grid.chen, room.id))[-1].text.startswith("已转为事件")
    assert await grid.read() == []
