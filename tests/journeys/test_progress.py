"""“我那个灯的事怎么样了”: a resident finds their cases, sees the timeline, urges, adds, and reaches a person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.audit import AuditEvent
from models.cases import Case
from tests.journeys.test_report_to_rating import report_lamp
from tests.town import CHEN, LI, WANG, Town


@pytest.mark.parametrize(
    "said", ["查 0001", "查0001", "查 1120-0001", "20261120-0001", "我那个灯的事怎么样了", "我的事项"]
)
async def test_the_case_is_found_by_number_or_by_asking(town: Town, said: str):
    await report_lamp(town)
    await town.say(WANG, "1")
    card = await town.say(CHEN, said)
    assert "0001 楼道照明损坏：处理中" in card
    assert "网格员王芳接手处理" in card
    assert "最晚明天" in card
    assert "催一下" in card


async def test_several_cases_are_listed_and_chosen_by_number(town: Town):
    for said in ("3栋2单元楼道灯坏了", "东门垃圾没人收"):
        await town.say(CHEN, said)
        await town.say(CHEN, "1")
    listed = await town.say(CHEN, "我的事项")
    assert "1 0002" in listed
    assert "2 0001 楼道照明损坏：待接手" in listed
    assert "0001 楼道照明损坏" in await town.say(CHEN, "2")


async def test_nobody_elses_case_can_be_read(town: Town):
    await report_lamp(town)
    await town.platform.follow("o_other", "grid:429906001001001")
    assert "没有找到" in await town.say("o_other", "查 0001")
    assert "没有找到" in await town.say("o_other", "查 9999")


async def test_urging_reaches_the_holder_and_the_second_time_the_community(town: Town):
    await report_lamp(town)
    await town.say(CHEN, "查 0001")
    assert "已催网格员王芳" in await town.say(CHEN, "1")
    await town.deliver()
    assert "居民第 1 次催办" in town.last(WANG)
    await town.say(CHEN, "查 0001")
    await town.tap(CHEN, "催一下")
    await town.deliver()
    assert "居民第 2 次催办" in town.last(LI)


async def test_something_forgotten_is_added(town: Town):
    await report_lamp(town)
    await town.say(CHEN, "查 0001")
    await town.tap(CHEN, "补充情况")
    assert "已加到 0001" in await town.say(CHEN, "三楼的也不亮")
    await town.deliver()
    assert "居民补充：“三楼的也不亮”" in town.last(WANG)


async def test_an_overdue_case_says_sorry_and_how_to_urge(town: Town):
    await report_lamp(town)
    town.clock.advance(timedelta(days=3))
    assert "已经超过答应的时间，对不起" in await town.say(CHEN, "查 0001")


async def test_a_resident_without_cases_is_told_how_to_begin(town: Town):
    assert "直接说就行" in await town.say(CHEN, "我的事项")


@pytest.mark.parametrize("said", ["人工", "找网格员"])
async def test_a_person_is_always_one_word_away(town: Town, said: str):
    answer = await town.say(CHEN, said)
    assert "已转给网格员王芳" in answer
    assert "027-55503456" in answer
    assert "已加到 0001" in await town.say(CHEN, "想问下停水到几点")
    await town.deliver()
    assert "想问下停水到几点" in "".join(town.heard(WANG))


async def test_after_work_the_hour_of_the_answer_is_said(town: Town):
    town.clock.advance(timedelta(hours=12))
    assert "8:00 上班，会先看到您这条" in await town.say(CHEN, "人工")


async def test_the_report_at_hand_goes_along_to_the_person(town: Town):
    await town.say(CHEN, "3栋2单元楼道灯坏了")
    await town.say(CHEN, "人工")
    assert (await Case.get()).description == "3栋2单元楼道灯坏了"


async def test_a_question_is_passed_to_the_grid_worker_and_the_answer_comes_back(town: Town):
    asked = await town.say(CHEN, "怎么申请吉尼斯世界纪录，要带什么？")
    assert "请网格员王芳来回答吗" in asked
    await town.say(CHEN, "1")
    await town.deliver()
    await town.say(WANG, "1")
    await town.say(WANG, "2 带身份证和租房合同到社区")
    await town.deliver()
    assert "带身份证和租房合同到社区" in "".join(town.heard(CHEN))


@pytest.mark.parametrize("said", ["他们家又来了", "asdf", "。。。", "啊啊啊啊", "12345"])
async def test_nonsense_is_met_with_four_ways_on(town: Town, said: str):
    answer = await town.say(CHEN, said)
    assert "我没完全明白" in answer or "直接说" in answer
    assert await Case.all().count() == 0


async def test_each_of_the_four_ways_works(town: Town):
    await town.say(CHEN, "他们家又来了")
    assert "看起来您要反映" in await town.say(CHEN, "1")
    await town.say(CHEN, "取消")
    await town.say(CHEN, "他们家又来了")
    assert "请网格员王芳来回答吗" in await town.tap(CHEN, "问怎么办事")
    await town.say(CHEN, "取消")
    await town.say(CHEN, "他们家又来了")
    assert "还没有反映过" in await town.say(CHEN, "3")
    await town.say(CHEN, "他们家又来了")
    assert "已转给网格员王芳" in await town.say(CHEN, "4")
    assert (await Case.get()).description == "他们家又来了"


@pytest.mark.parametrize(("said", "answer"), [("谢谢", "不客气"), ("你好", "您好"), ("帮助", "我能帮您")])
async def test_small_talk_is_answered_and_makes_no_case(town: Town, said: str, answer: str):
    assert answer in await town.say(CHEN, said)
    assert await Case.all().count() == 0


async def test_a_tap_on_an_old_question_is_told_that_it_is_over(town: Town):
    await town.say(CHEN, "楼道灯坏了")
    await town.say(CHEN, "取消")
    assert "这一步已经过去了" in await town.tap(CHEN, "交给网格员")
    assert await Case.all().count() == 0


@pytest.mark.parametrize("said", ["待办", "接 0001", "办好了 0001 修了", "派 0001 第二网格", "未送达"])
async def test_a_resident_has_none_of_staffs_power(town: Town, said: str):
    await report_lamp(town)
    before = await Case.get()
    await town.say(CHEN, said)
    after = await Case.get()
    assert (after.status, after.holder_id) == (before.status, before.holder_id)


async def test_a_residents_tap_on_a_staff_action_is_refused_and_audited(town: Town):
    await report_lamp(town)
    case = await Case.get()
    answer = (await town.platform.tap(CHEN, case.id * 100 + 12, "办好了")).text
    assert "没有办理这件事的权限" in answer
    assert (await Case.get()).status == "dispatched"
    refused = await AuditEvent.get(allowed=False)
    assert (refused.tag, refused.object_id) == ("case:dispose", case.id)
