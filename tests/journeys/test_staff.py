"""The grid worker's side, one thumb; and the desks above."""

from __future__ import annotations

from datetime import timedelta

from domain.binding import issue_code
from models.audit import AuditEvent
from models.cases import Attachment, Case, CaseEvent, Duty
from models.people import Staff
from tests.journeys.test_report_to_rating import LAMP, report_lamp
from tests.town import CHEN, LI, WANG, ZHOU, Town


async def test_a_worker_binds_with_a_one_time_code(town: Town):
    liu = await Staff.get(name="刘洋")
    code = await issue_code(liu.id, town.clock())
    await town.platform.follow("o_liu")
    assert "绑定好了：第二网格网格员刘洋" in await town.say("o_liu", f"绑定 {code}")
    assert "没有待办" in await town.say("o_liu", "待办")


async def test_a_code_works_once_and_for_seven_days(town: Town):
    liu = await Staff.get(name="刘洋")
    code = await issue_code(liu.id, town.clock())
    await town.say("o_liu", f"绑定{code}")
    assert "绑定码不对" in await town.say(CHEN, f"绑定 {code}")
    late = await issue_code(liu.id, town.clock())
    town.clock.advance(timedelta(days=8))
    assert "绑定码不对" in await town.say(CHEN, f"绑定 {late}")
    assert (await Staff.get(name="刘洋")).openid == "o_liu"


async def test_guessing_codes_ends_after_five_tries_and_is_audited(town: Town):
    for guess in range(5):
        assert "绑定码不对" in await town.say(CHEN, f"绑定 1234567{guess}")
    liu = await Staff.get(name="刘洋")
    code = await issue_code(liu.id, town.clock())
    assert "试错太多次" in await town.say(CHEN, f"绑定 {code}")
    assert await AuditEvent.filter(tag="staff:bind", allowed=False).count() == 5


async def test_unbinding_takes_the_power_away(town: Town):
    assert "已解除" in await town.say(WANG, "解绑")
    assert "这是工作人员用的" in await town.say(WANG, "待办")


async def test_the_to_do_lists_the_most_pressing_first_and_a_number_opens_it(town: Town):
    await report_lamp(town)
    await town.say(CHEN, "我家闻到很浓的煤气味")
    listed = await town.say(WANG, "待办")
    assert "待办 2 件" in listed
    assert listed.index("紧急 0002") < listed.index("0001 楼道照明损坏")
    card = await town.say(WANG, "2")
    assert LAMP in card
    assert "已接 0001" in await town.tap(WANG, "接")


async def test_a_number_with_several_tasks_open_asks_which_one(town: Town):
    await report_lamp(town)
    await town.say(CHEN, "东门垃圾没人收")
    await town.say(CHEN, "1")
    asked = await town.say(WANG, "1")
    assert "是哪一件" in asked
    assert "已接 0001" in await town.say(WANG, "1")


async def test_signing_and_disposing_in_one_message(town: Town):
    await town.say(CHEN, "东门垃圾没人收")
    await town.say(CHEN, "1")
    await town.deliver()
    await town.photo(WANG)
    await town.say(WANG, "取消")
    await town.say(WANG, "办好了 0001")
    await town.photo(WANG)
    assert "已记为办好" in await town.say(WANG, "清走了")
    case = await Case.get()
    assert (case.status, case.result) == ("verified", "清走了")
    assert case.signed_at == case.disposed_at


async def test_progress_is_written_down_and_reaches_the_resident(town: Town):
    await report_lamp(town)
    await town.say(WANG, "1")
    await town.tap(WANG, "写进展")
    assert "进展已告诉居民" in await town.say(WANG, "灯泡买好了，下午装")
    await town.deliver()
    assert "网格员王芳：灯泡买好了，下午装" in town.last(CHEN)


async def test_closing_asks_for_a_photo_where_the_duty_list_does_and_keeps_the_sentence(town: Town):
    await report_lamp(town)
    await town.say(WANG, "1")
    await town.say(WANG, "办好了")
    assert "还差一张处理后的照片" in await town.say(WANG, "换了灯泡")
    assert "已记为办好" in await town.photo(WANG)
    assert (await Case.get()).result == "换了灯泡"


async def test_a_photo_right_after_signing_means_done(town: Town):
    await report_lamp(town)
    await town.say(WANG, "1")
    assert "再说一句结果就办结" in await town.photo(WANG)
    assert "已记为办好" in await town.say(WANG, "好了")
    assert await Attachment.filter(after=True).count() == 1


async def test_escalation_climbs_level_by_level_and_tells_the_resident(town: Town):
    await report_lamp(town)
    answer = await town.say(WANG, "3 要换线路，得物业和街道")
    assert "已上报东亭社区李主任，您仍是联系人" in answer
    await town.deliver()
    assert "已由网格员王芳上报东亭社区李主任处理" in town.last(CHEN)
    assert "上报（要换线路，得物业和街道）" in town.last(LI)

    assert "已上报水果湖街道周科长" in await town.say(LI, "3 社区没有经费")
    await town.deliver()
    await town.say(ZHOU, "上报 0001 请区里协调")
    for name, openid in (("郑主任", "o_zheng"), ("吴处长", "o_wu")):
        await Staff.filter(name=name).update(openid=openid)
    assert "已上报江城市吴处长" in await town.say("o_zheng", "上报 0001 跨区线路")
    assert "上面没有可以接手的单位了" in await town.say("o_wu", "上报 0001 没有更上面了")
    case = await Case.get().prefetch_related("holder")
    assert case.holder.name == "吴处长"
    assert await CaseEvent.filter(verb="escalate").count() == 4


async def test_the_clock_is_not_reset_by_escalating(town: Town):
    await report_lamp(town)
    due = (await Case.get()).due_at
    town.clock.advance(timedelta(hours=3))
    await town.say(WANG, "3 要换线路")
    assert (await Case.get()).due_at == due


async def test_a_returned_case_is_given_to_another_grid(town: Town):
    await report_lamp(town)
    assert "已向东亭社区李主任申请退回" in await town.say(WANG, "4 这栋楼是第二网格的")
    await town.deliver()
    assert "网格员王芳申请退回（这栋楼是第二网格的）" in town.last(LI)
    assert "等您决定 1 件" in await town.say(LI, "待办")
    assert "已派给网格员刘洋" in await town.say(LI, "派 0001 第二网格")
    await town.deliver()
    assert "已交给网格员刘洋" in town.last(CHEN)
    assert (await Case.get()).returned == 1


async def test_dispatching_to_a_grid_that_does_not_exist_is_explained(town: Town):
    await report_lamp(town)
    await town.say(WANG, "4 不是我的")
    assert "没有找到叫“第九网格”的网格" in await town.say(LI, "派 0001 第九网格")


async def test_a_worker_of_another_grid_cannot_touch_the_case(town: Town):
    await report_lamp(town)
    sun = await Staff.get(name="孙丽")
    await Staff.filter(id=sun.id).update(openid="o_sun")
    assert "没有找到" in await town.say("o_sun", "办好了 0001 骗人的")
    assert (await Case.get()).status == "dispatched"


async def test_the_community_rejects_what_is_not_its_business_with_the_reason(town: Town):
    await Duty.all().update(auto_accept=False)
    await report_lamp(town)
    assert (await Case.get()).status == "reported"
    await town.deliver()
    assert "已按不受理处理" in await town.say(ZHOU, "不受理 0001 属于小区外的国道，请拨 12328")
    await town.deliver()
    assert "没有受理，原因：属于小区外的国道" in town.last(CHEN)


async def test_two_step_actions_are_refused_before_the_sentence_is_typed(town: Town):
    await report_lamp(town)
    await town.say(WANG, "1")
    await town.say(WANG, "办好了")
    await town.photo(WANG)
    await town.say(WANG, "好了")
    assert "正在等居民确认，这一步现在做不了" in await town.say(WANG, "办好了 0001")


async def test_what_reaches_nobody_is_listed_for_staff_with_the_reason(town: Town):
    await report_lamp(town)
    await town.platform.unfollow(CHEN)
    await town.say(WANG, "1")
    await town.deliver()
    listed = await town.say(WANG, "未送达")
    assert "0001 楼道照明损坏" in listed
    assert "没有关注" in listed


async def test_a_template_that_was_taken_but_refused_later_is_listed_too(town: Town):
    await report_lamp(town)
    town.clock.advance(timedelta(hours=49))
    town.platform.faults.template_status = "failed:user block"
    await town.say(WANG, "进展 0001 灯泡在路上")
    await town.deliver()
    await town.platform.settle()
    town.clock.advance(timedelta(seconds=11))
    await town.deliver()
    assert "对方拒收" in await town.say(WANG, "未送达")


async def test_after_48_hours_the_resident_gets_a_card_instead(town: Town):
    await report_lamp(town)
    town.clock.advance(timedelta(hours=49))
    await town.say(WANG, "进展 0001 灯泡在路上")
    await town.deliver()
    card = town.platform.pushes(CHEN)[-1]
    assert card.kind == "card"
    assert "20261120-0001" in str(card.rows)
    assert "楼道照明损坏" in str(card.rows)
