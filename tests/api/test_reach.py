"""Answering residents one to one over the API: the same ladder, and what is left of its quota shown."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from domain import rooms
from domain.people import find_person, join_grid
from models.people import Staff
from tests.api.conftest import SignIn
from tests.domain.neighbours import FIRST, first_room
from tests.town import CHEN, WANG, Town


async def private_talk(town: Town) -> int:
    """陈阿姨 asks the grid worker something alone, in her chat."""
    await town.platform.scan(CHEN, f"grid:{FIRST}")
    await town.say(CHEN, "私聊 我家老人要人照看")
    chen = await find_person(CHEN, town.clock())
    return (await rooms.private_room(chen, town.clock())).id


async def test_the_worker_sees_what_is_left_and_answers_into_the_chat(town: Town, sign_in: SignIn):
    room, wang = await private_talk(town), await sign_in(staff=await Staff.get(code="G001"))
    assert (await wang.get(f"/rooms/{room}/reach")).json == {"way": "service", "left": 5, "reason": ""}
    said = await wang.post(f"/rooms/{room}/messages", {"client_id": uuid4().hex, "text": "明天上午我来看看"})
    assert said.status == 201
    await town.deliver()
    town.clock.advance(timedelta(minutes=1))
    await town.deliver()
    assert "网格员王芳：明天上午我来看看" in town.last(CHEN)
    assert (await wang.get(f"/rooms/{room}/reach")).json["left"] == 4


async def test_after_two_days_only_a_notice_reaches_them_and_the_reason_is_given(town: Town, sign_in: SignIn):
    room = await private_talk(town)
    town.clock.advance(timedelta(days=3))
    reach = (await (await sign_in(staff=await Staff.get(code="G001"))).get(f"/rooms/{room}/reach")).json
    assert (reach["way"], reach["left"], reach["reason"]) == ("notice", 0, "对方超过 48 小时没有互动")


async def test_who_has_the_mini_program_alone_reads_it_there(town: Town, sign_in: SignIn):
    someone = await find_person("mini:o_phone", town.clock())
    await join_grid(someone, town.clock(), code=FIRST)
    room = await rooms.private_room(await find_person("mini:o_phone", town.clock()), town.clock())
    wang = await sign_in(staff=await Staff.get(code="G001"))
    assert (await wang.get(f"/rooms/{room.id}/reach")).json["way"] == "miniapp"
    await wang.post(f"/rooms/{room.id}/messages", {"client_id": uuid4().hex, "text": "您好"})
    await town.deliver()
    town.clock.advance(timedelta(hours=1))
    await town.deliver()
    assert town.heard("mini:o_phone") == []


async def test_neighbours_other_grids_and_the_resident_do_not_learn_it(town: Town, sign_in: SignIn):
    room = await private_talk(town)
    await join_grid(await find_person("o_zhao", town.clock()), town.clock(), code=FIRST)
    for who in (await sign_in("o_zhao"), await sign_in(staff=await Staff.get(code="G002"))):
        assert (await who.get(f"/rooms/{room}/reach")).status == 404
    assert (await (await sign_in(CHEN)).get(f"/rooms/{room}/reach")).status == 403
    wang = await sign_in(staff=await Staff.get(openid=WANG))
    assert (await wang.get(f"/rooms/{(await first_room()).id}/reach")).status == 400
