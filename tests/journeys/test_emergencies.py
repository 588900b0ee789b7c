"""Danger: advice at once and an urgent case, in one turn."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.cases import Case, CaseEvent
from tests.town import CHEN, LI, WANG, Town


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("我家闻到很浓的煤气味", "119"),
        ("3栋着火了 快来人", "119"),
        ("电梯困人了 8号楼 里面有小孩", "119"),
        ("有人要跳楼", "110"),
        ("我爸突然晕倒了没有呼吸", "120"),
    ],
)
async def test_the_number_to_call_comes_first_and_an_urgent_case_is_made_at_once(town: Town, said: str, number: str):
    answer = await town.say(CHEN, said)
    assert number in answer
    assert "已同时通知网格员王芳和社区值班 027-55503456（编号 1120-0001）" in answer
    assert len(answer.splitlines()) <= 6, "nobody in danger reads more"
    case = await Case.get()
    assert (case.urgency, case.status) == ("urgent", "dispatched")
    assert case.due_at - case.accepted_at <= timedelta(hours=2, minutes=30)


async def test_grid_worker_and_community_are_both_told(town: Town):
    await town.say(CHEN, "我家闻到很浓的煤气味")
    await town.deliver()
    assert "紧急" in town.last(WANG)
    assert "紧急" in town.last(LI)
    assert "已通知网格员王芳" in town.last(LI)


async def test_the_gas_number_of_the_district_is_given(town: Town):
    assert "027-55596777" in await town.say(CHEN, "我家闻到很浓的煤气味")


async def test_what_is_said_next_goes_to_the_same_case(town: Town):
    await town.say(CHEN, "我家闻到很浓的煤气味")
    assert "已加到 0001" in await town.say(CHEN, "3栋2单元501")
    assert "已加到 0001" in await town.photo(CHEN)
    assert await Case.all().count() == 1
    said = [event.text for event in await CaseEvent.filter(verb="supplement").order_by("id")]
    assert said == ["3栋2单元501", "补充了照片或语音"]
    await town.deliver()
    assert "3栋2单元501" in "".join(town.heard(WANG))


async def test_half_an_hour_later_a_new_matter_is_a_new_matter(town: Town):
    await town.say(CHEN, "我家闻到很浓的煤气味")
    town.clock.advance(timedelta(minutes=31))
    assert "看起来您要反映" in await town.say(CHEN, "楼道灯坏了")


async def test_an_emergency_in_the_middle_of_a_report_does_not_wait_for_confirmation(town: Town):
    await town.say(CHEN, "楼道灯坏了")
    answer = await town.say(CHEN, "现在着火了 快来人")
    assert "119" in answer
    assert (await Case.get()).urgency == "urgent"


async def test_without_a_grid_the_community_gets_it(town: Town):
    await town.platform.follow("o_new")
    answer = await town.say("o_new", "我家着火了")
    assert "119" in answer
    await town.deliver()
    assert "我家着火了" in town.last(LI)


@pytest.mark.parametrize("said", ["煤气费怎么交", "跳楼价大甩卖最后三天", "火锅店几点关门"])
async def test_talk_of_it_is_no_alarm(town: Town, said: str):
    assert "119" not in await town.say(CHEN, said)
    assert await Case.all().count() == 0


async def test_thanks_after_an_alarm_add_nothing_to_the_case(town: Town):
    await town.say(CHEN, "我家闻到很浓的煤气味")
    assert "注意安全" in await town.say(CHEN, "好的 谢谢你啊")
    assert await CaseEvent.filter(verb="supplement").count() == 0


async def test_another_danger_a_minute_later_is_another_alarm(town: Town):
    await town.say(CHEN, "我家闻到很浓的煤气味")
    assert "120" in await town.say(CHEN, "我老伴晕倒了叫不醒")
    assert await Case.filter(urgency="urgent").count() == 2


async def test_another_complaint_after_an_alarm_is_a_report_of_its_own(town: Town):
    await town.say(CHEN, "我家闻到很浓的煤气味")
    assert "看起来您要反映：楼道照明损坏" in await town.say(CHEN, "3栋楼道灯坏了")


async def test_the_building_asked_for_may_be_answered_by_a_bare_number(town: Town):
    await town.say(CHEN, "我家闻到很浓的煤气味")
    assert "已加到 0001" in await town.say(CHEN, "3")
