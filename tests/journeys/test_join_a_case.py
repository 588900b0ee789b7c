"""我也遇到: neighbours with the same trouble join one case, hear of it, and read nothing of each other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.duplicates import join
from domain.people import find_person
from domain.reports import Draft
from errors import Conflict
from models.audit import AuditEvent
from models.cases import Case, CaseEvent, Duty, Follower
from models.enums import Urgency
from tests.town import CHEN, LI, WANG, Town

SUN, QIAN, HE = "o_sun", "o_qian", "o_he"
GRID = "grid:429906001001001"
LAMP = "3栋2单元501室门口楼道灯坏了好几天了，我腿脚不好摔了一跤"
SAME = "我们3栋2单元的楼道灯不亮了，黑漆漆的"


async def neighbours(town: Town, *openids: str) -> None:
    for openid in openids:
        await town.platform.follow(openid, GRID)


async def reported(town: Town, said: str = LAMP) -> Case:
    """陈阿姨 reported it, and the worker heard."""
    await town.say(CHEN, said)
    await town.say(CHEN, "1")
    await town.deliver()
    return await Case.all().order_by("-id").first()


async def joined(town: Town, openid: str, said: str = SAME) -> str:
    await town.say(openid, said)
    return await town.say(openid, "1")


async def test_the_same_trouble_next_door_is_offered_instead_of_a_second_case(town: Town):
    await reported(town)
    await neighbours(town, SUN)
    offered = await town.say(SUN, SAME)
    assert "附近已有人反映：楼道照明损坏｜3栋2单元" in offered
    assert "编号 1120-0001，已交给网格员王芳" in offered
    answer = await town.tap(SUN, "我也遇到（有进展告诉您）")
    assert "记下了，您也遇到。编号 1120-0001" in answer
    case = await Case.get()
    assert case.joined == 1
    assert (await Follower.get()).words == SAME
    lines = await CaseEvent.filter(case_id=case.id, verb="join")
    assert [(line.text, line.actor) for line in lines] == [("又有居民反映，共 2 位", "居民")]
    assert await AuditEvent.filter(tag="case:join", object_id=case.id, allowed=True).count() == 1


async def test_a_line_of_an_older_question_answers_nothing_of_the_one_that_stands_open(town: Town):
    await reported(town)
    await neighbours(town, SUN)
    assert "交给网格员" in await town.say(SUN, "东门的垃圾桶满了没人收")
    await town.say(SUN, "取消")
    assert "附近已有人反映" in await town.say(SUN, SAME)
    answer = await town.tap(SUN, "交给网格员")
    assert "您点的是前面的问题。现在这一步请选：" in answer
    assert "我也遇到（有进展告诉您）" in answer
    assert (await Case.get()).joined == 0
    assert "记下了，您也遇到" in await town.say(SUN, "1")


async def test_a_newcomer_who_chooses_the_grid_last_is_offered_what_neighbours_reported_there(town: Town):
    await reported(town)
    await town.platform.follow(SUN)
    await town.say(SUN, SAME)
    assert "您住在哪个网格" in await town.say(SUN, "1")
    offered = await town.say(SUN, "1")
    assert "附近已有人反映：楼道照明损坏｜3栋2单元" in offered
    assert "记下了，您也遇到。编号 1120-0001" in await town.say(SUN, "1")
    assert (await Case.get()).joined == 1


async def test_a_newcomer_with_another_matter_hands_it_in_all_the_same(town: Town):
    await reported(town)
    await town.platform.follow(SUN)
    await town.say(SUN, SAME)
    await town.say(SUN, "1")
    await town.say(SUN, "1")
    assert "已交给网格员王芳，编号 1120-0002" in await town.say(SUN, "2")


async def test_who_joined_hears_every_step_and_the_result_and_is_not_asked_to_rate(town: Town):
    await reported(town)
    await neighbours(town, SUN)
    await joined(town, SUN)
    await town.say(WANG, "1")
    await town.deliver()
    assert town.last(SUN) == "0001 楼道照明损坏：网格员王芳已接手。"
    await town.say(WANG, "2")
    await town.photo(WANG)
    await town.say(WANG, "换了灯泡和开关")
    await town.deliver()
    assert town.last(SUN) == "0001 楼道照明损坏：网格员王芳已处理：“换了灯泡和开关”"
    assert "解决了吗" in town.last(CHEN)
    await town.say(CHEN, "2 我家501门口还是黑的")
    await town.deliver()
    assert town.last(SUN) == "0001 楼道照明损坏：还没解决，已重新交给网格员王芳。"


async def test_a_telephone_number_in_what_staff_write_reaches_the_reporter_alone(town: Town):
    await reported(town)
    await neighbours(town, SUN)
    await joined(town, SUN)
    await town.say(WANG, "接 0001")
    await town.say(WANG, "进展 0001 师傅电话13900001111，下午来")
    await town.deliver()
    assert "13900001111" in town.last(CHEN)
    assert town.last(SUN).endswith("0001 楼道照明损坏：网格员王芳：师傅电话***，下午来")


async def test_a_joiner_reads_subject_place_status_and_holder_and_nothing_else(town: Town):
    await reported(town)
    await town.say(CHEN, "补充 0001 我住501室，电话13900001111")
    await town.say(CHEN, "我的事项")
    await neighbours(town, SUN)
    texts = [await town.say(SUN, SAME), await town.say(SUN, "1"), await town.say(SUN, "查 0001")]
    await town.say(WANG, "1")
    await town.deliver()
    texts += [await town.say(SUN, "我的事项"), await town.say(SUN, "1"), *town.heard(SUN)]
    assert "网格员王芳正在处理" in texts[4]
    for text in texts:
        for secret in ("501", "腿脚", "摔", "1390000", "陈"):
            assert secret not in text.replace(SAME, ""), text


async def test_a_case_one_did_not_join_does_not_exist_for_a_neighbour(town: Town):
    case = await reported(town)
    await neighbours(town, SUN)
    assert "没有找到" in await town.say(SUN, "查 0001")
    assert "没有关注" in await town.say(SUN, "不再关注 0001")
    assert not await Follower.filter(case_id=case.id).exists()


async def test_another_matter_is_handed_in_as_usual_in_the_same_turn(town: Town):
    await reported(town)
    await neighbours(town, SUN)
    await town.say(SUN, SAME)
    assert "已交给网格员王芳，编号 1120-0002" in await town.say(SUN, "2")
    assert (await Case.get(number="20261120-0001")).joined == 0


@pytest.mark.parametrize(("said", "cases"), [("是的", 1), ("我也遇到", 1), ("不是", 2), ("照常上报", 2)])
async def test_the_question_is_answered_in_words_too(town: Town, said: str, cases: int):
    await reported(town)
    await neighbours(town, SUN)
    await town.say(SUN, SAME)
    await town.say(SUN, said)
    assert await Case.all().count() == cases


async def test_the_question_is_asked_once_and_may_be_ignored(town: Town):
    await reported(town)
    await neighbours(town, SUN)
    assert "是同一件事吗" in await town.say(SUN, SAME)
    ignored = await town.say(SUN, "晚上老人上下楼都看不见路")
    assert "是同一件事吗" not in ignored
    assert "要交给网格员王芳处理吗" in ignored
    assert "编号 1120-0002" in await town.say(SUN, "1")
    assert "晚上老人" in (await Case.get(number="20261120-0002")).description


async def test_a_photo_sent_while_asked_joins_the_draft_and_goes_along_when_it_is_handed_in(town: Town):
    await reported(town)
    await neighbours(town, SUN)
    await town.say(SUN, SAME)
    assert "共 1 张照片" in await town.photo(SUN)
    await town.say(SUN, "1")
    assert len(await (await Case.get(number="20261120-0002")).attachments) == 1


async def test_a_number_that_is_no_choice_is_said_so_and_cancelling_leaves_nothing(town: Town):
    await reported(town)
    await neighbours(town, SUN)
    await town.say(SUN, SAME)
    assert "没有第 7 项" in await town.say(SUN, "7")
    assert "已取消" in await town.say(SUN, "取消")
    assert await Follower.all().count() == 0
    assert await Case.all().count() == 1


async def test_no_question_for_an_emergency_another_place_or_ones_own_case(town: Town):
    await reported(town)
    assert "是同一件事吗" not in await town.say(CHEN, SAME), "one's own"
    await neighbours(town, SUN, QIAN, HE)
    assert "是同一件事吗" not in await town.say(SUN, "7栋1单元楼道灯坏了"), "another building"
    assert "是同一件事吗" not in await town.say(QIAN, "3栋5单元楼道灯坏了"), "another entrance"
    await town.say(HE, "闻到很浓的煤气味 3栋2单元")
    await neighbours(town, "o_wu")
    assert "请马上" in await town.say("o_wu", "3栋2单元闻到很浓的煤气味")
    assert await Case.all().count() == 3


async def test_a_familys_quarrel_is_nobody_elses_business(town: Town):
    await reported(town, "3栋2单元楼上邻居天天半夜吵闹太吵了")
    await neighbours(town, SUN)
    assert "附近已有人反映" not in await town.say(SUN, "3栋2单元楼上邻居半夜吵闹")


async def test_an_old_or_closed_case_is_not_offered(town: Town):
    case = await reported(town)
    await neighbours(town, SUN, QIAN)
    town.clock.advance(timedelta(days=31))
    assert "是同一件事吗" not in await town.say(SUN, SAME)
    await Case.filter(id=case.id).update(reported_at=town.clock(), status="closed", closed_at=town.clock())
    assert "是同一件事吗" not in await town.say(QIAN, SAME)


async def test_a_case_done_between_question_and_answer_is_not_lost(town: Town):
    case = await reported(town)
    await neighbours(town, SUN)
    await town.say(SUN, SAME)
    await Case.filter(id=case.id).update(status="closed", closed_at=town.clock())
    answer = await town.say(SUN, "1")
    assert "刚刚办完了" in answer
    assert "要交给网格员王芳处理吗" in answer
    assert "编号 1120-0002" in await town.say(SUN, "1")


async def test_the_third_joiner_makes_it_pressing_and_the_worker_hears_from_then_on(town: Town):
    case = await reported(town)
    await neighbours(town, SUN, QIAN, HE, "o_wu")
    heard = len(town.heard(WANG))
    for openid in (SUN, QIAN):
        await joined(town, openid)
        await town.deliver()
    assert len(town.heard(WANG)) == heard, "two neighbours disturb nobody"
    assert (await Case.get(id=case.id)).urgency is Urgency.NORMAL
    await joined(town, HE)
    await town.deliver()
    assert "已有 4 位居民反映，改为较急" in town.last(WANG)
    assert (await Case.get(id=case.id)).urgency is Urgency.PRESSING
    assert "反映的人多，改为较急" in await town.say(CHEN, "查 0001")
    await joined(town, "o_wu")
    await town.deliver()
    assert "已有 5 位居民反映，请尽快处理" in town.last(WANG)
    assert "较急 0001" in await town.say(WANG, "待办")


async def test_when_many_join_everybody_who_waits_hears_the_nearer_time(town: Town):
    await Duty.all().update(handle_limit="5天")
    await reported(town)
    await neighbours(town, SUN, QIAN, HE)
    assert "最晚 11 月 25 日前" in await joined(town, SUN)
    await joined(town, QIAN)
    assert "最晚明天上午 10 点半前" in await joined(town, HE)
    await town.deliver()
    for openid in (CHEN, SUN, QIAN):
        assert town.last(openid) == "0001 楼道照明损坏：反映的人多，改为较急，最晚明天上午 10 点半前办好。"
    assert town.heard(HE) == [], "who joined last was answered"
    assert "改为较急，最晚明天上午 10 点半前，请尽快处理" in town.last(WANG)
    assert "最晚明天上午 10 点半前" in await town.say(CHEN, "查 0001")


async def test_who_stops_following_hears_nothing_more(town: Town):
    await reported(town)
    await neighbours(town, SUN)
    await joined(town, SUN)
    assert "0001 楼道照明损坏" in await town.say(SUN, "查 0001")
    assert "进展不再发给您" in await town.say(SUN, "不再关注 0001")
    heard = len(town.heard(SUN))
    await town.say(WANG, "1")
    await town.deliver()
    assert len(town.heard(SUN)) == heard
    assert (await Case.get()).joined == 0
    assert "还没有反映过" in await town.say(SUN, "我的事项")


async def test_a_joined_case_stands_in_the_list_beside_ones_own(town: Town):
    await reported(town)
    await neighbours(town, SUN)
    await joined(town, SUN)
    await town.say(SUN, "东门的垃圾好几天没人收了")
    await town.say(SUN, "1")
    listed = await town.say(SUN, "我的事项")
    assert "1 0002 垃圾" in listed
    assert "2 0001 楼道照明损坏：待接手（您也遇到）" in listed
    assert "不再关注 0001" in await town.say(SUN, "2")


async def test_what_neighbours_wait_for_cannot_be_withdrawn(town: Town):
    await reported(town)
    await neighbours(town, SUN)
    await joined(town, SUN)
    assert "还有邻居也在等结果" in await town.say(CHEN, "撤回 0001")
    assert (await Case.get()).status == "dispatched"


async def test_a_resident_cannot_join_twice_or_join_their_own(town: Town):
    case = await reported(town)
    await neighbours(town, SUN)
    await joined(town, SUN)
    for openid in (SUN, CHEN):
        with pytest.raises(Conflict):
            await join(await find_person(openid, town.clock()), case.id, Draft("", "", ""), town.clock())
    assert (await Case.get()).joined == 1


async def test_staff_see_what_is_probably_the_same_and_residents_do_not(town: Town):
    await reported(town)
    await neighbours(town, SUN, QIAN)
    await town.say(SUN, SAME)
    await town.say(SUN, "2")
    await town.say(QIAN, "7栋楼道灯坏了")
    await town.say(QIAN, "1")
    found = await town.say(LI, "类似 0001")
    assert "0002 楼道照明损坏" in found
    assert "0003" not in found
    assert "并 0001 0002" in found
    assert "没有找到和 0003 类似" in await town.say(LI, "类似 0003")
    assert "工作人员用的" in await town.say(SUN, "类似 0001")


async def test_a_position_finds_the_same_trouble_across_the_street(town: Town):
    await neighbours(town, SUN)
    here = {"latitude": 30.5500, "longitude": 114.3500, "label": ""}
    for openid, east in ((CHEN, 0.0), (SUN, 0.0005)):  # 48 metres
        await town.send(openid, "location", **(here | {"longitude": here["longitude"] + east}))
        answer = await town.say(openid, "垃圾堆了好几天没人收")
        if openid == CHEN:
            await town.say(CHEN, "1")
    assert "附近已有人反映" in answer
