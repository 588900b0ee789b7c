"""What was sent back has a limit of its own until somebody has it again; the promised time goes on beside it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from domain import casework, requests, timing
from domain.deadlines import watch
from domain.desk_choices import receivers
from domain.dispatching import dispatch_to_grid
from domain.requests import Wish
from domain.timing import Timing
from errors import Conflict
from models.audit import AuditEvent
from models.cases import Case, CaseEvent, Duty
from models.enums import RequestKind, Status, Urgency
from models.people import Area, Staff
from tests.domain.tables import imported, sheet
from tests.domain.watched import CHEN, DAY, HOUR, MONDAY, at, mark, now_of, person, reported, signed, tick, told
from tests.town import LI, WANG, ZHOU

pytestmark = pytest.mark.usefixtures("orm")


async def sent_back(case: Case, now: datetime = MONDAY) -> Case:
    """Wang says it is not hers, Li agrees: now it waits for Li."""
    await requests.ask(await person(WANG), case.id, Wish(RequestKind.RETURN, "不在我的网格"), now)
    return await requests.grant(await person(LI), case.id, RequestKind.RETURN, now)


async def test_it_is_asked_for_then_told_above_and_then_goes_up():
    case = await sent_back(await signed("30天", dispatch_limit="10小时"))
    assert (case.status, case.holder_id, case.dispatch_due_at) == (Status.ACCEPTED, None, MONDAY + 10 * HOUR)
    before = await mark()
    with timing.use(Timing(quiet=None)):
        acted = await tick(MONDAY, MONDAY + 21 * HOUR)
    assert [(moment - MONDAY) / HOUR for moment in acted] == [8, 10, 20]

    assert "退回后还没有派给别人，请最晚今天晚上 7 点前回复“派 0001 网格名”" in (await told(LI, before))[0]
    assert "应在今天 19:00前" in (await told(LI, before))[1]
    assert "系统已上报水果湖街道周科长" in (await told(LI, before))[2]
    assert "退回后还没有派给别人（应在今天 19:00前），请过问" in (await told(ZHOU, before))[0]
    assert "上报（一直没有派人）" in (await told(ZHOU, before))[1]
    assert ["一直没有派人" in text for text in await told(CHEN, before)] == [True]

    after = await now_of(case)
    assert (after.status, (await Staff.get(id=after.holder_id)).name) == (Status.DISPATCHED, "周科长")
    assert (after.due_at, after.accepted_at, after.handle_limit) == (case.due_at, MONDAY, "30天"), "nothing is reset"
    assert await CaseEvent.filter(case_id=case.id, verb="escalate").count() == 1
    assert await AuditEvent.filter(object_id=case.id, tag="case:escalate", actor="system", allowed=True).exists()


async def test_whoever_gives_it_away_in_time_is_told_nothing():
    case = await sent_back(await signed("30天", dispatch_limit="10小时", sign_limit="30天"))
    await dispatch_to_grid(await person(LI), case.id, "第二网格", MONDAY + HOUR)
    before = await mark()
    assert await tick(MONDAY + HOUR, MONDAY + 2 * DAY) == []
    assert await told(LI, before) == []


async def test_a_name_that_several_grids_have_is_asked_for_in_full():
    await Area.filter(code="429906001002001").update(name="第二网格")
    case = await sent_back(await signed("30天", dispatch_limit="10小时"))
    zhou = await person(ZHOU)
    assert zhou.post
    assert {"东亭社区第二网格", "茶港社区第二网格"} < set(await receivers(zhou.post))
    with pytest.raises(Conflict, match="several") as refused:
        await dispatch_to_grid(zhou, case.id, "第二网格", MONDAY + HOUR)
    assert "“第二网格”不止一个：东亭社区第二网格、茶港社区第二网格。请写全是哪一个。" in refused.value.say
    _, holder = await dispatch_to_grid(zhou, case.id, "东亭社区第二网格", MONDAY + HOUR)
    assert holder.name == "刘洋"


async def test_each_return_has_its_own_time():
    case = await sent_back(await signed("30天", dispatch_limit="2小时"))
    case, holder = await dispatch_to_grid(await person(LI), case.id, "第二网格", MONDAY + HOUR)
    await Staff.filter(id=holder.id).update(openid="o_second")
    second = await person("o_second")
    await requests.ask(second, case.id, Wish(RequestKind.RETURN, "也不是我的"), MONDAY + 3 * HOUR)
    case = await requests.grant(await person(ZHOU), case.id, RequestKind.RETURN, MONDAY + 4 * HOUR)
    assert case.dispatch_due_at == MONDAY + 6 * HOUR
    before = await mark()
    assert await watch(MONDAY + 6 * HOUR) == 1
    assert ["应在" in text for text in await told(ZHOU, before)] == [True], (
        "now it is the street that must give it away"
    )


@pytest.mark.parametrize(
    ("urgency", "due"),
    [
        (Urgency.NORMAL, at(2026, 11, 16, 11, 0)),  # two working hours
        (Urgency.PRESSING, at(2026, 11, 16, 10, 0)),
        (Urgency.URGENT, at(2026, 11, 16, 10, 0)),
    ],
)
async def test_where_the_duty_list_says_nothing_the_urgency_does(urgency: Urgency, due: datetime):
    case = await signed("30天")
    await Case.filter(id=case.id).update(urgency=urgency)
    assert (await sent_back(case)).dispatch_due_at == due


async def test_nobody_is_held_to_it_over_the_weekend():
    friday = at(2026, 11, 20, 16, 30)
    case = await sent_back(await signed("30天", now=friday), friday)
    assert case.dispatch_due_at == at(2026, 11, 23, 9, 30)
    assert await tick(friday, at(2026, 11, 23, 9, 30), timedelta(minutes=6)) == [
        at(2026, 11, 23, 9, 6),  # 80 % of two working hours
        at(2026, 11, 23, 9, 30),
    ]


async def test_after_an_outage_only_the_most_severe_step_is_taken_once():
    case = await sent_back(await signed("30天", dispatch_limit="10小时"))
    before = await mark()
    late = MONDAY + 40 * HOUR
    assert sum(await asyncio.gather(*(watch(late) for _ in range(4)))) == 1
    assert (await now_of(case)).status is Status.DISPATCHED
    assert len(await told(LI, before)) == 1
    assert ["上报（一直没有派人）" in text for text in await told(ZHOU, before)] == [True]


async def test_the_superior_hears_once_when_both_times_are_over():
    case = await sent_back(await signed("10小时", dispatch_limit="10小时"))
    before = await mark()
    with timing.use(Timing(quiet=None, warn_at=())):
        await tick(MONDAY, MONDAY + 12 * HOUR)
    assert len(await told(ZHOU, before)) == 1
    assert len(await told(LI, before)) == 1
    assert (await now_of(case)).alerted == 100


async def test_what_waits_because_everybody_is_busy_is_given_out_by_rule_and_has_no_such_limit():
    await Staff.filter(name="王芳").update(capacity=0)
    case = await reported("30天", dispatch_limit="1小时")
    assert (case.status, case.dispatch_due_at) == (Status.ACCEPTED, None)
    assert await watch(MONDAY + DAY) == 0


async def test_the_limit_is_a_column_of_the_duty_list():
    await imported(sheet("职责清单", "事项类别 层级 派遣时限 生效日期", ["兜底", "网格", "3小时", "2026-11-21"]))
    line = await Duty.filter(category="", dispatch_limit="3小时").first()
    assert line
    late = at(2026, 11, 23, 9, 0)
    await reported("30天", now=late)
    case = await casework.sign(await person(WANG), (await Case.get()).id, late)
    assert (await sent_back(case, late)).dispatch_due_at == late + 3 * HOUR
