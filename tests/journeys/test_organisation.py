"""Deputies and units in chat: who is away says so, and a case finds the unit whose duty it is."""

from __future__ import annotations

from datetime import timedelta

from models.cases import Case
from models.people import Absence, Staff
from tests.town import CHEN, LI, WANG, ZHOU, Town

LIU, FENG = "o_liu", "o_feng"


async def report_lamp(town: Town) -> None:
    await town.say(CHEN, "3栋2单元楼道灯坏了好几天了")
    await town.say(CHEN, "1")
    await town.deliver()


async def test_who_is_away_says_so_and_the_deputy_gets_the_next_case(town: Town):
    await Staff.filter(name="刘洋").update(openid=LIU)
    await town.say(LIU, "待办")
    answer = await town.say(WANG, "请假 3天 刘洋")
    assert "11 月 20 日到 11 月 22 日请假，新任务由网格员刘洋代办" in answer
    await town.deliver()
    assert "网格员王芳请假，11 月 20 日到 11 月 22 日，这几天的新任务由您代办" in town.last(LIU)
    assert "由网格员刘洋代" in town.last(LI)
    await report_lamp(town)
    assert (await Case.get().select_related("holder")).holder.name == "刘洋"


async def test_whoever_is_back_early_gets_their_cases_again(town: Town):
    await town.say(WANG, "请假 一周")
    assert "已销假" in await town.say(WANG, "销假")
    assert "您没有请假" in await town.say(WANG, "销假")
    await report_lamp(town)
    assert (await Case.get().select_related("holder")).holder.name == "王芳"


async def test_leave_that_begins_later_leaves_today_as_it_is(town: Town):
    assert "12 月 1 日到 12 月 3 日" in await town.say(WANG, "请假 12月1日到12月3日 刘洋")
    await report_lamp(town)
    assert (await Case.get().select_related("holder")).holder.name == "王芳"
    assert "销假" in await town.say(WANG, "请假 12月2日 赵敏"), "one leave after the other"
    town.clock.advance(timedelta(days=11, hours=1))
    assert "已销假" in await town.say(WANG, "销假")
    assert await Absence.filter(staff__name="王芳", ends_at__gt=town.clock()).count() == 0


async def test_what_cannot_be_a_leave_is_answered_with_how_to_say_it(town: Town):
    assert "请假 3天 刘洋" in await town.say(WANG, "请假")
    assert "没有找到同事“老天爷”" in await town.say(WANG, "请假 3天 老天爷")
    assert "最多请 180 天" in await town.say(WANG, "请假 300天")
    assert "没有找到同事“王芳”" in await town.say(WANG, "请假 2天 王芳"), "nobody is their own deputy"
    assert await Absence.filter(staff__name="王芳").count() == 0


async def test_a_resident_who_speaks_of_leave_takes_none(town: Town):
    await town.say(CHEN, "请假 3天 刘洋")
    assert await Absence.all().count() == 1, "the demo's own"


async def test_who_goes_on_leave_with_cases_in_hand_is_reminded(town: Town):
    await report_lamp(town)
    assert "您手上还有 1 件没办完" in await town.say(WANG, "请假 3天 刘洋")


async def test_the_street_learns_which_unit_it_is_and_hands_the_case_on(town: Town):
    await Staff.filter(name="冯所长").update(openid=FENG)
    await report_lamp(town)
    await town.say(WANG, "3 要换线路，得物业来")
    await town.say(LI, "3 物业不肯")
    await town.deliver()
    assert "职责清单上归房管所，要交给他们请回复“转 0001 房管所 原因”" in town.last(ZHOU)
    await town.say(ZHOU, "1")
    assert "已转给房管所冯所长" in await town.say(ZHOU, "转 0001 房管所 请督促物业")
    await town.say(FENG, "接 0001")
    assert (await Case.get().select_related("holder")).holder.name == "冯所长"


async def test_a_colleague_of_the_department_reads_its_case_and_does_nothing_with_it(town: Town):
    await Staff.filter(name="马队长").update(openid="o_ma")
    await Staff.filter(name="钱队员").update(openid="o_qian")
    await Staff.filter(name="冯所长").update(openid="o_feng")
    await town.say(CHEN, "3栋2单元楼道灯坏了好几天了，我电话13900001111")
    await town.say(CHEN, "1")
    ma = await Staff.get(name="马队长")
    await Case.all().update(holder_id=ma.id, area_id=ma.area_id, department_id=ma.department_id)
    assert "13900001111" in await town.say("o_ma", "查 0001")
    read = await town.say("o_qian", "查 0001")
    assert "楼道灯坏了好几天了，我电话***" in read
    assert "没有办理这件事的权限" in await town.say("o_qian", "接 0001")
    assert (await Case.get()).status == "dispatched"
    assert "没有找到" in await town.say("o_feng", "查 0001"), "another department"
