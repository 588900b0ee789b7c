"""What nobody in a room has answered is gathered for the grid's worker: once, after a while, not at night."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain import erasure, room_messages, rooms
from domain.room_cases import Changes, ignore_hint, to_case
from domain.room_messages import post
from domain.room_questions import on_duty, unanswered
from errors import NotAllowed
from models.enums import MessageKind
from models.messaging import Outbox
from models.people import Absence, Staff
from models.rooms import RoomMessage
from tests.domain.grid_room import LAMP, RUBBISH, Grid
from tests.domain.neighbours import officer, words
from tests.town import LI, WANG

ASKS = "请问居住证怎么办理，要带什么材料"


async def later(grid: Grid, minutes: int = 16) -> int:
    grid.town.clock.advance(timedelta(minutes=minutes))
    return await grid.gather()


async def waiting(grid: Grid) -> list[str]:
    return [entry.text for entry in await unanswered(grid.wang, grid.room.id, grid.now)]


async def test_what_nobody_answered_is_told_to_the_worker_once_and_together(grid: Grid):
    await grid.say(grid.chen, ASKS)
    await grid.say(grid.zhao, RUBBISH)
    await grid.say(grid.sun, "早上好各位邻居")
    assert await later(grid, 10) == 0
    assert await later(grid, 6) == 2
    told = grid.town.last(WANG)
    assert told.startswith("第一网格群里有 2 条还没人回：\n11 ")
    assert "居住证" in told
    assert "垃圾桶" in told
    assert "早上好" not in told
    assert await later(grid) == 0
    assert await waiting(grid) == [ASKS, RUBBISH]


async def test_many_are_one_message_with_the_first_few(grid: Grid):
    for number in range(7):
        await grid.say(grid.chen, f"请问第{number}号楼的居住证怎么办理")
    assert await later(grid) == 7
    told = grid.town.last(WANG)
    assert "有 7 条还没人回" in told
    assert told.count("\n") == 5
    assert "还有 4 条" in told
    assert len(told.encode()) < 2048


async def test_an_answer_by_reply_mention_or_the_next_word_of_staff_ends_the_waiting(grid: Grid):
    first = await grid.say(grid.chen, ASKS)
    await grid.say(grid.wang, "带身份证到派出所", reply_to=first.id)
    assert await waiting(grid) == []
    await grid.say(grid.zhao, "请问高龄津贴怎么申请")
    await grid.say(grid.wang, "带身份证来社区就行")
    assert await waiting(grid) == []
    asked, newer = await grid.say(grid.sun, LAMP), await grid.say(grid.chen, "请问医保怎么转")
    await grid.say(grid.wang, "马上去看", data={"mentions": [asked.handle]})
    assert await waiting(grid) == [newer.text]
    assert await later(grid) == 1


async def test_a_neighbours_answer_is_none_and_an_announcement_is_none(grid: Grid):
    asked = await grid.say(grid.chen, ASKS)
    await grid.say(grid.zhao, "好像要去派出所", reply_to=asked.id)
    await grid.say(grid.wang, "明天停水", kind=MessageKind.ANNOUNCEMENT)
    assert await waiting(grid) == [ASKS]


async def test_what_became_a_case_was_dismissed_or_taken_back_waits_no_more(grid: Grid):
    made, dismissed = await grid.say(grid.chen, RUBBISH), await grid.say(grid.zhao, LAMP)
    slip = await grid.say(grid.sun, ASKS)
    await to_case(grid.wang, made.id, Changes(), grid.now)
    await ignore_hint(grid.wang, dismissed.id, grid.now)
    await room_messages.recall(grid.sun, slip.id, grid.now)
    assert await later(grid) == 0
    assert await waiting(grid) == []


async def test_whatever_a_resident_says_in_private_waits_until_staff_speak(grid: Grid):
    room = await rooms.private_room(grid.chen, grid.now)
    await post(grid.chen, room.id, words("我想单独说点事"), grid.now)
    await post(grid.chen, room.id, words("您在吗"), grid.now)
    assert await later(grid) == 2
    assert grid.town.last(WANG).startswith("第一网格居民私聊有 2 条还没人回")
    await post(grid.wang, room.id, words("在的，您说"), grid.now)
    assert await unanswered(grid.wang, room.id, grid.now) == []


async def test_at_night_it_waits_for_the_morning(grid: Grid):
    grid.town.clock.advance(timedelta(hours=13))  # eleven at night
    await grid.say(grid.chen, ASKS)
    heard = len(grid.town.heard(WANG))
    assert await later(grid) == 1
    assert len(grid.town.heard(WANG)) == heard
    grid.town.clock.advance(timedelta(hours=9))
    await grid.town.deliver()
    assert "居住证" in grid.town.last(WANG)


async def test_while_the_worker_is_away_their_deputy_is_told_and_without_one_the_community(grid: Grid):
    wang = await Staff.get(code="G001")
    away = await Absence.create(staff=wang, starts_at=grid.now, ends_at=grid.now + timedelta(days=2))
    await grid.say(grid.chen, ASKS)
    assert await later(grid) == 1
    assert "居住证" in grid.town.last(LI)
    deputy = await Staff.get(code="G002")
    away.deputy = deputy
    await away.save()
    assert [post.id for post in await on_duty(grid.room.grid_id, grid.now)] == [deputy.id]


async def test_last_week_is_not_dug_out(grid: Grid):
    await grid.say(grid.chen, ASKS)
    grid.town.clock.advance(timedelta(days=3))
    assert await grid.gather() == 0
    assert await waiting(grid) == []


async def test_residents_read_no_such_list_and_officers_of_departments_do(grid: Grid):
    await grid.say(grid.chen, ASKS)
    with pytest.raises(NotAllowed):
        await unanswered(grid.zhao, grid.room.id, grid.now)
    police = await officer("B021")
    assert [entry.text for entry in await unanswered(police, grid.room.id, grid.now)] == [ASKS]


async def test_who_is_forgotten_is_forgotten_in_what_the_worker_was_told(grid: Grid):
    canary = "请问金丝雀巷子三号的居住证怎么办理，我搬来不到半年，材料不齐可以先登记吗，谢谢各位热心的邻居"
    await grid.say(grid.chen, canary)
    await later(grid)
    assert "金丝雀" in grid.town.last(WANG)
    await erasure.erase(grid.chen, grid.now, even_open=True)
    assert not [row.payload for row in await Outbox.all() if "金丝雀" in str(row.payload)]
    assert (await RoomMessage.get(room_id=grid.room.id, kind=MessageKind.TEXT)).text == ""
