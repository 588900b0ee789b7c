"""Time runs out: who is told when, what climbs, what goes on by itself; each effect once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from bot.inbox import Inbox
from bot.outbox import Outbox
from domain import casework, rating, requests, timing
from domain.clock import SHANGHAI
from domain.deadlines import unwatched, watch, watch_answers
from domain.requests import Wish
from domain.supervision import answer, supervise
from domain.timing import Timing
from domain.worktime import TimeLimit, Unit
from jobs.loops import start_scheduler
from models.cases import Case, CaseEvent, Supervision
from models.enums import Pause, RequestKind, Status
from models.messaging import Outbox as OutboxRow
from models.people import Absence, Staff
from tests.domain.watched import CHEN, DAY, HOUR, MONDAY, at, mark, now_of, person, reported, signed, tick, told
from tests.town import LI, WANG, ZHOU, Clock
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("orm")

# -- the promised time -------------------------------------------------------------------------------------------------


async def test_a_limit_warns_at_half_and_at_four_fifths_then_climbs_to_the_top_and_is_listed_there():
    case = await signed("10小时", sign_limit="4工作时")
    before = await mark()
    with timing.use(Timing(quiet=None)):
        acted = await tick(MONDAY, MONDAY + 50 * HOUR)
    hours = [(moment - MONDAY) / HOUR for moment in acted]
    assert hours[:-1] == [5, 8, 10, 15, 20, 25, 30, 35], "50 %, 80 %, the end, four levels up, the list at the top"
    assert acted[-1] == at(2026, 11, 18, 10, 0), "the last holder has not signed for four working hours"

    assert ["50%" in text for text in await told(WANG, before)][:2] == [True, False]
    assert "80%" in (await told(WANG, before))[1]
    assert "已经超过时限" in (await told(WANG, before))[2]
    assert "网格员王芳已经超过时限" in (await told(LI, before))[0]
    assert "上报（超过时限还没办好）" in (await told(LI, before))[1]
    assert "超过时限，系统已上报东亭社区李主任" in (await told(WANG, before))[3]

    late = await now_of(case)
    assert (await Staff.get(id=late.holder_id)).name == "吴处长"
    assert await CaseEvent.filter(case_id=case.id, verb="escalate").count() == 4
    assert await Supervision.filter(case_id=case.id, asked_by_id=None, answered_at=None).count() == 1
    assert (late.due_at, late.supervised, late.watch_at) == (case.due_at, 1, None)


async def test_the_resident_hears_that_it_climbed_but_not_of_warnings():
    await signed("10小时")
    before = await mark()
    await tick(MONDAY, MONDAY + 12 * HOUR)
    assert await told(CHEN, before) == []
    await tick(MONDAY + 12 * HOUR, MONDAY + 15 * HOUR)
    assert await told(CHEN, before) == ["0001 楼道照明损坏：超过时限还没办好。已由系统上报东亭社区李主任处理。"]


async def test_a_working_limit_warns_in_working_time_only():
    friday = at(2026, 11, 20, 14, 0)
    case = await signed("2工作日", now=friday)
    assert case.due_at == at(2026, 11, 24, 12, 0)
    assert await tick(friday, at(2026, 11, 25, 23, 0), HOUR / 10) == [
        at(2026, 11, 23, 12, 0),  # 7 of 14 hours, with the morning
        at(2026, 11, 24, 9, 12),  # 11.2 hours
        at(2026, 11, 24, 12, 0),  # 14 hours
        at(2026, 11, 25, 12, 0),  # 7 more
    ]


async def test_after_an_outage_only_the_most_severe_stage_acts_and_the_next_keeps_its_distance():
    case = await signed("10小时")
    before = await mark()
    late = MONDAY + 19 * HOUR  # 190 %
    assert await watch(late) == 1
    assert await watch(late + HOUR / 60) == 0
    assert len(await told(WANG, before)) == 1
    assert len(await told(LI, before)) == 1
    assert (await now_of(case)).alerted == 190
    assert await tick(late, late + 6 * HOUR) == [late + 5 * HOUR], "not an hour later, when 200 % are reached"


async def test_what_is_done_is_not_warned_of():
    case = await signed("10小时", closing_photo=False)
    await casework.dispose(await person(WANG), case.id, "换了灯泡，已经亮了，请放心", MONDAY + HOUR)
    before = await mark()
    assert await tick(MONDAY, MONDAY + 20 * HOUR) == []
    assert await told(WANG, before) == []


async def test_handing_a_case_on_resets_no_clock():
    case = await reported("10小时")
    wang, li = await person(WANG), await person(LI)
    await casework.escalate(wang, case.id, "要换线路", MONDAY + HOUR)
    await casework.recategorise(li, case.id, ("light.street", "路灯不亮", "城乡建设"), MONDAY + 2 * HOUR)
    after = await now_of(case)
    assert (after.due_at, after.accepted_at, after.handle_limit) == (case.due_at, case.accepted_at, "10小时")
    assert await tick(MONDAY + 2 * HOUR, MONDAY + 6 * HOUR) == [MONDAY + 5 * HOUR]


async def test_an_extension_warns_of_nothing_that_is_past():
    case = await signed("10小时")
    wish = Wish(RequestKind.EXTEND, "等配件", MONDAY + 12 * HOUR)
    await requests.ask(await person(WANG), case.id, wish, MONDAY + 9 * HOUR)
    await requests.grant(await person(LI), case.id, RequestKind.EXTEND, MONDAY + 9 * HOUR)
    assert (await now_of(case)).due_at == MONDAY + 12 * HOUR
    acted = await tick(MONDAY + 9 * HOUR, MONDAY + 12 * HOUR)
    assert acted == [MONDAY + 10 * HOUR, MONDAY + 12 * HOUR], "80 % of the limit before the new end, and the end"


async def test_who_must_do_it_again_is_not_punished_for_the_time_it_took_to_look_at_it():
    case = await signed("10小时", verifier="community", verify_limit="30天", closing_photo=False)
    await casework.dispose(await person(WANG), case.id, "换了灯泡，已经亮了，请放心", MONDAY + 9 * HOUR)
    await casework.rework(await person(LI), case.id, "又不亮了", MONDAY + 16 * HOUR)
    again = await now_of(case)
    assert (again.round, again.due_at) == (2, case.due_at), "rework resets no clock"
    acted = await tick(MONDAY + 16 * HOUR, MONDAY + 22 * HOUR)
    assert acted == [MONDAY + 21 * HOUR], "160 % were used up, the next step is at 210 %"


async def test_a_watch_that_falls_behind_shows():
    await signed("10小时")
    assert await unwatched(MONDAY + 5 * HOUR - HOUR / 60) == (0, None)
    assert await unwatched(MONDAY + 9 * HOUR) == (1, MONDAY + 5 * HOUR)
    await watch(MONDAY + 9 * HOUR)
    assert await unwatched(MONDAY + 9 * HOUR) == (0, None)


# -- standing still ----------------------------------------------------------------------------------------------------


async def suspend(case: Case, until: datetime, now: datetime) -> None:
    await requests.ask(await person(WANG), case.id, Wish(RequestKind.SUSPEND, "等开春", until), now)
    await requests.grant(await person(LI), case.id, RequestKind.SUSPEND, now)


async def test_while_it_is_suspended_no_time_passes_and_on_its_day_it_goes_on():
    case = await signed("10小时")
    await suspend(case, MONDAY + 3 * DAY, MONDAY + 4 * HOUR)
    before = await mark()
    acted = await tick(MONDAY + 4 * HOUR, MONDAY + 3 * DAY)
    assert acted == [MONDAY + 3 * DAY]
    assert "到期了，继续处理" in (await told(WANG, before))[-1]
    case = await now_of(case)
    assert (case.status, case.pause, case.suspended_at) == (Status.DISPOSING, None, None)
    assert case.paused == 3 * DAY - 4 * HOUR
    assert case.due_at == MONDAY + 3 * DAY + 6 * HOUR, "six of ten hours were left"
    assert (await tick(MONDAY + 3 * DAY, MONDAY + 4 * DAY))[0] == MONDAY + 3 * DAY + HOUR


async def test_a_working_limit_resumes_with_the_working_time_that_was_left():
    case = await signed("2工作日")  # Monday 9:00 to Wednesday 9:00
    assert case.due_at == at(2026, 11, 18, 9, 0)
    await suspend(case, at(2026, 11, 21, 12, 0), at(2026, 11, 16, 15, 0))
    assert await watch(at(2026, 11, 21, 12, 0)) == 1, "on a Saturday"
    # three hours of the morning and one of the afternoon were used: ten of 14 are left, from Monday 8:30 on
    assert (await now_of(case)).due_at == at(2026, 11, 24, 11, 30)


async def test_an_answer_that_does_not_come_is_asked_for_twice_and_then_the_case_is_closed():
    case = await signed("10天")
    await requests.wait_for_resident(await person(WANG), case.id, "是哪一盏灯", MONDAY)
    before = await mark()
    acted = await tick(MONDAY, MONDAY + 12 * DAY, 2 * HOUR)
    assert acted == [MONDAY + 3 * DAY, MONDAY + 6 * DAY, MONDAY + 9 * DAY]
    heard = await told(CHEN, before)
    assert "“是哪一盏灯”\n请回复“补充”。到 11 月 25 日还没有回复，就先结案了。" in heard[0]
    assert "请直接再说一次" in heard[-1]
    case = await now_of(case)
    assert (case.status, case.outcome, case.solved) == (Status.CLOSED, "unanswered", None)
    assert (case.pause, case.paused) == (None, 9 * DAY)


async def test_a_suspended_case_that_ends_has_stood_until_then():
    case = await signed("10小时")
    await suspend(case, MONDAY + 3 * DAY, MONDAY + 4 * HOUR)
    await rating.confirm_solved(await person(CHEN), case.id, MONDAY + DAY)
    case = await now_of(case)
    assert (case.status, case.paused, case.pause, case.suspended_at) == (Status.CLOSED, 20 * HOUR, None, None)
    assert case.due_at == MONDAY + DAY + 6 * HOUR, "closed in time"


async def test_after_an_outage_a_resident_is_reminded_once_and_has_time_to_answer():
    case = await signed("10天")
    await requests.wait_for_resident(await person(WANG), case.id, "是哪一盏灯", MONDAY)
    late = MONDAY + 20 * DAY
    assert await watch(late) == 1
    assert await tick(late, late + 2 * DAY, 2 * HOUR) == []
    assert (await now_of(case)).pause is Pause.RESIDENT


async def test_who_does_not_say_whether_it_is_solved_is_asked_once_more():
    case = await signed("10小时", closing_photo=False)
    await casework.dispose(await person(WANG), case.id, "换了灯泡，已经亮了，请放心", MONDAY)
    before = await mark()
    assert await tick(MONDAY, MONDAY + 7 * DAY, 2 * HOUR) == [MONDAY + 3.5 * DAY]
    assert await told(CHEN, before) == ["0001 楼道照明损坏：解决了吗？到 11 月 23 日没有答复就结案了。"]


# -- steps nobody takes ------------------------------------------------------------------------------------------------


async def test_who_does_not_sign_is_reminded_and_the_level_above_hears_of_it_once():
    case = await reported("30天", sign_limit="2小时")
    assert case.sign_due_at == MONDAY + 2 * HOUR
    before = await mark()
    assert await tick(MONDAY, MONDAY + 2 * DAY) == [MONDAY + 2 * HOUR]
    assert ["还没有接" in text for text in await told(WANG, before)] == [True]
    assert ["网格员王芳还没有接" in text for text in await told(LI, before)] == [True]


async def test_an_emergency_is_signed_within_the_hour_whatever_the_list_gives_its_category_in_ordinary_times():
    case = await reported("30天", urgent=True, sign_limit="4工作时")
    assert case.sign_due_at == MONDAY + HOUR


async def test_what_nobody_accepts_climbs_level_by_level():
    case = await reported("30天", auto_accept=False, accept_limit="2小时")
    assert (case.status, case.accept_due_at) == (Status.REPORTED, MONDAY + 2 * HOUR)
    before = await mark()
    acted = await tick(MONDAY, MONDAY + 2 * DAY)
    assert [(moment - MONDAY) / HOUR for moment in acted] == [2, 4, 6]
    assert ["还没有受理" in text for text in await told(ZHOU, before)] == [True]
    after = await now_of(case)
    assert (after.status, after.area_id, after.watch_at) == (Status.REPORTED, case.area_id, None)


async def test_a_result_nobody_looks_at_is_told_above():
    case = await signed("10小时", verifier="community", verify_limit="4小时", closing_photo=False)
    case = await casework.dispose(await person(WANG), case.id, "换了灯泡，已经亮了，请放心", MONDAY + HOUR)
    assert (case.status, case.verify_due_at) == (Status.DISPOSED, MONDAY + 5 * HOUR)
    before = await mark()
    assert (await tick(MONDAY, MONDAY + 6 * HOUR)) == [MONDAY + 5 * HOUR]
    assert "还没有核查" in (await told(LI, before))[0]


async def test_a_supervision_without_an_answer_is_told_to_who_asked_once():
    case = await signed("30天")
    await supervise(await person(ZHOU), case.id, "今天内到现场", MONDAY, within=TimeLimit(2, Unit.HOURS))
    before = await mark()
    assert await watch_answers(MONDAY + HOUR) == 0
    assert sum(await asyncio.gather(*(watch_answers(MONDAY + 2 * HOUR) for _ in range(3)))) == 1
    assert await watch_answers(MONDAY + 9 * HOUR) == 0
    assert ["督办还没有答复" in text for text in await told(WANG, before)] == [True]
    assert ["网格员王芳没有按时答复督办" in text for text in await told(ZHOU, before)] == [True]


async def test_a_supervision_that_was_answered_or_whose_case_has_ended_is_left_alone():
    first, second = await signed("30天"), await signed("30天", closing_photo=False)
    for case in (first, second):
        await supervise(await person(ZHOU), case.id, "今天内到现场", MONDAY, within=TimeLimit(2, Unit.HOURS))
    await answer(await person(WANG), first.id, "已到现场", MONDAY + HOUR)
    await Case.filter(id=second.id).update(status=Status.REJECTED, closed_at=MONDAY + HOUR)
    assert await watch_answers(MONDAY + 3 * HOUR) == 0
    assert await Supervision.filter(reminded_at=None, answered_at=None).count() == 0


# -- quiet hours -------------------------------------------------------------------------------------------------------


async def test_a_warning_of_the_night_waits_for_the_morning_and_an_emergency_does_not():
    evening = at(2026, 11, 16, 17, 0)
    await signed("10小时", now=evening)
    before = await mark()
    assert await tick(evening, evening + 5 * HOUR) == [at(2026, 11, 16, 22, 0)]
    warning = await OutboxRow.get(id__gt=before)
    assert (warning.due_at, warning.quiet) == (at(2026, 11, 17, 7, 30), True)

    night = at(2026, 11, 16, 23, 0)
    await reported(now=night, urgent=True)
    assert await watch(night + HOUR / 2) == 0
    assert await watch(night + HOUR) == 1, "an urgent one has two hours"
    urgent = await OutboxRow.filter(recipient=WANG).order_by("-id").first()
    assert urgent
    assert "50%" in urgent.payload["text"]
    assert (urgent.due_at, urgent.quiet) == (night + HOUR, False)


async def test_what_waits_for_the_morning_holds_back_nothing_and_is_sent_then():
    clock = Clock(at(2026, 11, 16, 22, 0))
    await signed("10小时", now=at(2026, 11, 16, 17, 0))
    await OutboxRow.all().delete()
    assert await watch(clock()) == 1
    clock.advance(HOUR)
    await reported(now=clock(), urgent=True)
    outbox = Outbox({}, now=clock)
    claimed = [job.payload["text"] for job in await outbox.claim() if job.recipient == WANG]
    assert ["紧急 新任务" in text for text in claimed] == [True]
    clock.advance(9 * HOUR)
    claimed = [job.payload["text"] for job in await outbox.claim() if job.recipient == WANG]
    assert any("时限已用 50%" in text for text in claimed)


async def test_a_warning_that_is_read_in_the_morning_speaks_of_that_day():
    await signed("24小时", now=at(2026, 11, 16, 10, 0))
    before = await mark()
    assert await watch(at(2026, 11, 16, 22, 0)) == 1
    (warning,) = await told(WANG, before)
    assert "请最晚今天上午 10 点前办好" in warning


async def test_nobody_wakes_up_to_three_warnings():
    evening = at(2026, 11, 16, 17, 0)
    await signed("10小时", now=evening)
    before = await mark()
    acted = await tick(evening, at(2026, 11, 17, 7, 0))
    assert [moment.astimezone(SHANGHAI).hour for moment in acted] == [22, 1, 3]
    assert ["已经超过时限" in text for text in await told(WANG, before)] == [True]


async def test_nobody_wakes_up_to_a_warning_about_what_is_done():
    evening = at(2026, 11, 16, 17, 0)
    case = await signed("10小时", now=evening, closing_photo=False)
    before = await mark()
    assert await watch(evening + 5 * HOUR) == 1
    await casework.dispose(await person(WANG), case.id, "换了灯泡，已经亮了，请放心", evening + 6 * HOUR)
    assert await told(WANG, before) == []
    assert ["解决了吗" in text for text in await told(CHEN, before)] == [True]


async def test_what_a_person_does_at_night_is_told_at_once():
    night = at(2026, 11, 16, 23, 0)
    case = await reported(now=night)
    before = await mark()
    await casework.sign(await person(WANG), case.id, night)
    heard = await OutboxRow.get(id__gt=before, recipient=CHEN)
    assert (heard.due_at, heard.quiet) == (night, False)


# -- several at once, and what fails -----------------------------------------------------------------------------------


async def test_many_watches_at_once_give_each_effect_once():
    cases = [await signed("10小时") for _ in range(12)]
    before = await mark()
    done = await asyncio.gather(*(watch(MONDAY + 5 * HOUR) for _ in range(4)))
    assert sum(done) == len(cases)
    assert len(await told(WANG, before)) == len(cases)
    assert await CaseEvent.filter(verb="note").count() == len(cases)


async def test_two_schedulers_alive_give_each_effect_once():
    case = await signed("10小时")
    before = await mark()
    late = MONDAY + 15 * HOUR
    schedulers = [
        start_scheduler(Inbox(_nobody_writes, _nobody_writes), now=lambda: late, silence=7 * DAY) for _ in range(2)
    ]
    try:
        ran: list[int] = []
        for scheduler in schedulers:
            scheduler.add_listener(lambda event: ran.append(1) if event.job_id == "watch deadlines" else None)
            scheduler.modify_job("watch deadlines", next_run_time=datetime.now(UTC))
        await eventually(lambda: len(ran) >= 6)  # each: changed, submitted, executed
    finally:
        for scheduler in schedulers:
            scheduler.shutdown(wait=False)
    assert await CaseEvent.filter(case_id=case.id, verb="escalate").count() == 1
    assert len(await told(LI, before)) == 1
    assert len(await told(CHEN, before)) == 1


async def _nobody_writes(*_: object) -> None:
    raise AssertionError("no message was sent")


async def test_a_case_that_cannot_be_handled_does_not_keep_the_others_waiting():
    broken, sound = await signed("10小时"), await signed("10小时")
    await Case.filter(id=broken.id).update(handle_limit="许久", watch_at=MONDAY)
    assert await watch(MONDAY + 5 * HOUR, limit=2) == 1
    assert (await now_of(sound)).alerted == 50
    assert await watch(MONDAY + 5 * HOUR, limit=1) == 0
    assert (await now_of(broken)).watch_at == MONDAY + 6 * HOUR, "tried again later"


async def test_a_deputy_hears_what_the_absent_holder_would():
    case = await signed("10小时")
    wang, liu = await Staff.get(name="王芳"), await Staff.get(name="刘洋")
    await Staff.filter(id=liu.id).update(openid="o_liu")
    await Absence.create(staff_id=wang.id, deputy_id=liu.id, starts_at=MONDAY, ends_at=MONDAY + DAY)
    before = await mark()
    await tick(MONDAY, MONDAY + 5 * HOUR)
    assert await told(WANG, before) == []
    assert "时限已用 50%" in (await told("o_liu", before))[0]
    assert (await now_of(case)).holder_id == wang.id
