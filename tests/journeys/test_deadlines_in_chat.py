"""Time runs out, as the people on both sides read it."""

from __future__ import annotations

from datetime import timedelta

from domain.clock import SHANGHAI
from domain.deadlines import watch
from models.cases import Case, Duty, Supervision
from models.people import Staff
from tests.journeys.test_report_to_rating import LAMP, report_lamp
from tests.town import CHEN, LI, WANG, Town

HOUR = timedelta(hours=1)


async def let_pass(town: Town, span: timedelta, step: timedelta = HOUR / 2) -> None:
    """Time passes; watches look and workers deliver all the while."""
    end = town.clock() + span
    while town.clock() < end:
        town.clock.advance(min(step, end - town.clock()))
        await watch(town.clock())
        await town.deliver()


async def test_the_receipt_and_the_question_name_the_time_that_is_kept(town: Town):
    await Duty.all().update(handle_limit="1工作日")
    await town.say(CHEN, LAMP)
    assert "最晚 11 月 23 日前" in await town.say(CHEN, "1"), "Friday at ten, one working day"
    assert "最晚 11 月 23 日前" in await town.say(CHEN, "查 0001")
    due = (await Case.get()).due_at
    assert due
    local = due.astimezone(SHANGHAI)
    assert (local.day, local.hour, local.minute) == (23, 10, 30), "rounded up to what people say"


async def test_a_worker_is_warned_then_the_community_takes_it_over_and_the_resident_is_told_once(town: Town):
    await Duty.all().update(handle_limit="4小时")
    await report_lamp(town)
    await town.say(WANG, "1")
    await town.deliver()
    heard = len(town.heard(CHEN))

    await let_pass(town, 2.5 * HOUR)
    assert "0001 楼道照明损坏：时限已用 " in town.last(WANG)
    assert "来不及就回复“延期 0001 3天 原因”" in town.last(WANG)
    await let_pass(town, 2 * HOUR)
    assert "已经超过时限（今天 14:30），请马上处理" in town.last(WANG)
    assert "网格员王芳已经超过时限" in town.last(LI)
    assert len(town.heard(CHEN)) == heard, "the resident is not bothered with our clocks"

    await let_pass(town, 2 * HOUR)
    assert "上报（超过时限还没办好） 0001 楼道照明损坏｜3栋2单元楼道｜已超时" in town.last(LI)
    assert town.heard(CHEN)[heard:] == ["0001 楼道照明损坏：超过时限还没办好。已由系统上报东亭社区李主任处理。"]
    assert "已接 0001" in await town.say(LI, "接 0001")


async def test_asking_for_more_time_stops_the_warnings_that_are_past(town: Town):
    await Duty.all().update(handle_limit="4小时")
    await report_lamp(town)
    await town.say(WANG, "1")
    await let_pass(town, 2.5 * HOUR)
    assert "申请" in await town.say(WANG, "延期 0001 2天 等配件")
    await town.say(LI, "同意 0001")
    await town.deliver()
    heard = len(town.heard(WANG))
    await let_pass(town, 6 * HOUR)
    assert town.heard(WANG)[heard:] == []


async def test_a_task_nobody_takes_is_asked_for_again(town: Town):
    await Duty.all().update(handle_limit="7天", sign_limit="2小时")
    await report_lamp(town)
    await let_pass(town, 3 * HOUR)
    assert "还没有接" in town.last(WANG)
    assert "请回复“接 0001”" in town.last(WANG)
    assert "网格员王芳还没有接" in town.last(LI)
    assert "已接 0001" in await town.say(WANG, "接 0001")


async def test_what_waits_for_the_resident_goes_on_with_their_answer_and_the_clock_stood_meanwhile(town: Town):
    await Duty.all().update(handle_limit="10小时")
    await report_lamp(town)
    await town.say(WANG, "1")
    due = (await Case.get()).due_at
    assert due
    await town.say(WANG, "待补充 0001 是哪一盏灯")
    await let_pass(town, 3 * 24 * HOUR + HOUR, 2 * HOUR)
    card = town.platform.pushes(CHEN)[-1]
    assert (card.kind, "还在等您补充" in str(card.rows)) == ("card", True), "after 48 hours a card is what WeChat takes"
    await town.say(CHEN, "补充")
    await town.say(CHEN, "三楼那一盏")
    case = await Case.get()
    assert case.status == "disposing"
    assert case.due_at
    assert case.due_at - due > 3 * 24 * HOUR


async def test_what_wakes_nobody_at_night_is_there_in_the_morning(town: Town):
    await Duty.all().update(handle_limit="20小时")
    await report_lamp(town)
    await town.say(WANG, "1")
    heard = len(town.heard(WANG))
    await let_pass(town, 21 * HOUR)  # 10:00 to 7:00: half and four fifths of the limit, and its end
    night = [text for text in town.heard(WANG)[heard:] if "时限" in text]
    assert ["50%" in text for text in night] == [True], "half of it was over at eight in the evening"
    await let_pass(town, HOUR)
    morning = [text for text in town.heard(WANG)[heard:] if "时限" in text][1:]
    assert ["已经超过时限" in text for text in morning] == [True]


async def test_at_the_top_the_case_cannot_be_closed_without_an_answer(town: Town):
    await Duty.all().update(handle_limit="2小时", closing_photo=False)
    await Staff.filter(role__not="grid_worker").update(active=False)
    await report_lamp(town)
    await town.say(WANG, "1")
    await let_pass(town, 4 * HOUR)
    assert await Supervision.filter(asked_by_id=None).count() == 1
    assert "督办" in town.last(WANG)
    assert "答复 0001" in await town.say(WANG, "办好了 0001 换了灯泡，已经亮了")
    await town.say(WANG, "答复 0001 配件刚到，马上换")
    assert "已记为办好" in await town.say(WANG, "办好了 0001 换了灯泡，已经亮了")
