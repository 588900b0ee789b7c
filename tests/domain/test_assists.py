"""Who was asked to assist has until the promised time, or less: both sides are warned before it and told after it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from domain import casework, requests, together
from domain.assists import watch_assists
from domain.duplicates import join
from domain.reports import Draft
from domain.requests import Wish
from domain.worktime import TimeLimit, Unit
from models.audit import AuditEvent
from models.cases import Assist, Case, CaseEvent
from models.enums import RequestKind, Status
from models.people import Absence, Staff
from tests.domain.watched import CHEN, DAY, HOUR, MONDAY, mark, now_of, person, signed, told
from tests.town import LI, WANG

pytestmark = pytest.mark.usefixtures("orm")

LIU = "o_liu"


async def assisted(case: Case, now: datetime = MONDAY, within: TimeLimit | None = None) -> Assist:
    """Wang asks Liu to bring a ladder."""
    await Staff.filter(name="刘洋").update(openid=LIU)
    await together.assist(await person(WANG), case.id, "刘洋", "搬一下梯子", now, within=within)
    return await Assist.get()


async def look(start: datetime, end: datetime, step: timedelta = HOUR / 2) -> list[float]:
    """Let watches look all the time; gives after how many hours one of them told somebody."""
    acted, now = [], start
    while now <= end:
        if await watch_assists(now):
            acted.append((now - MONDAY) / HOUR)
        now += step
    return acted


async def test_both_are_warned_at_four_fifths_and_told_at_the_end_and_the_case_stays():
    case = await signed("10小时")
    await assisted(case)
    before = await mark()
    assert await look(MONDAY, MONDAY + 5 * DAY) == [8, 10]
    assert await told(LIU, before) == [
        "0001 楼道照明损坏：协办请最晚今天晚上 7 点前做好，做好了回复“协办好了 0001 结果”。",
        "0001 楼道照明损坏：协办已经超过时限（今天 19:00），请马上做，做好了回复“协办好了 0001 结果”。",
    ]
    assert await told(WANG, before) == [
        "0001 楼道照明损坏：网格员刘洋的协办还没做好，应在今天晚上 7 点前，请问一下。",
        "0001 楼道照明损坏：网格员刘洋的协办超过时限（今天 19:00）还没做好，请催一下，或者另外找人。",
    ]
    assert await told(LI, before) == []
    assert await told(CHEN, before) == []
    after = await now_of(case)
    assert (after.status, after.holder_id, after.due_at) == (Status.DISPOSING, case.holder_id, case.due_at)
    assert await CaseEvent.filter(case_id=case.id, verb="note", public=True).count() == 0
    assert await AuditEvent.filter(object_id=case.id, tag="case:note", source="job:assists").count() == 2


async def test_what_is_done_is_not_warned_of():
    case = await signed("10小时")
    await assisted(case)
    await together.assisted(await person(LIU), case.id, "梯子送到了", MONDAY + HOUR)
    before = await mark()
    assert await look(MONDAY, MONDAY + DAY) == []
    assert await told(LIU, before) == []


async def test_a_time_of_its_own_that_is_sooner_holds_and_a_later_one_does_not():
    case = await signed("10小时")
    task = await assisted(case, within=TimeLimit(5, Unit.HOURS))
    assert task.due_at == MONDAY + 5 * HOUR
    assert "今天下午 2 点前" in (await told(LIU))[0]
    assert await look(MONDAY, MONDAY + DAY) == [4, 5]
    await Assist.all().delete()
    assert (await assisted(case, within=TimeLimit(3, Unit.DAYS))).due_at is None, "the promised time"


async def test_of_a_case_that_is_late_it_has_a_working_day():
    case = await signed("10小时")
    task = await assisted(case, MONDAY + DAY)
    assert task.due_at == MONDAY + 2 * DAY


async def test_an_extension_of_the_case_moves_it():
    case = await signed("10小时")
    await assisted(case)
    wish = Wish(RequestKind.EXTEND, "等配件", MONDAY + 20 * HOUR)
    await requests.ask(await person(WANG), case.id, wish, MONDAY + HOUR)
    await requests.grant(await person(LI), case.id, RequestKind.EXTEND, MONDAY + HOUR)
    assert await look(MONDAY, MONDAY + DAY) == [16, 20]


async def test_it_stands_with_its_case_and_goes_on_with_it():
    case = await signed("10小时")
    await assisted(case)
    await requests.ask(await person(WANG), case.id, Wish(RequestKind.SUSPEND, "等", MONDAY + 9 * DAY), MONDAY + HOUR)
    await requests.grant(await person(LI), case.id, RequestKind.SUSPEND, MONDAY + HOUR)
    assert await look(MONDAY, MONDAY + 2 * DAY) == []
    await requests.resume(await person(WANG), case.id, MONDAY + 2 * DAY)
    hours = await look(MONDAY + 2 * DAY, MONDAY + 3 * DAY)
    assert hours[-1] == 2 * 24 + 9, "nine hours were left"
    assert len(hours) == 2


async def test_neighbours_who_join_bring_it_nearer():
    case = await signed("7天")
    await Case.filter(id=case.id).update(category="lighting.corridor")
    await assisted(case)
    for turn in range(3):
        await join(await person(f"o_joins_{turn}"), case.id, Draft("灯坏了", "lighting.corridor", "灯"), MONDAY + HOUR)
    assert await look(MONDAY + HOUR, MONDAY + 2 * DAY) == [20, 25]


async def test_once_the_result_is_there_nobody_is_chased():
    case = await signed("10小时", verifier="community", verify_limit="30天", closing_photo=False)
    await assisted(case)
    await casework.dispose(await person(WANG), case.id, "换了灯泡，已经亮了，请放心", MONDAY + HOUR)
    assert await look(MONDAY, MONDAY + DAY) == []
    await casework.rework(await person(LI), case.id, "又不亮了", MONDAY + DAY)
    assert len(await look(MONDAY + DAY, MONDAY + 2 * DAY)) == 1


async def test_a_case_that_has_ended_ends_the_watch():
    case = await signed("10小时")
    await assisted(case)
    await Case.filter(id=case.id).update(status=Status.REJECTED, closed_at=MONDAY + HOUR)
    assert await look(MONDAY, MONDAY + DAY) == []
    assert (await Assist.get()).watch_at is None


async def test_after_an_outage_only_the_end_is_told():
    await assisted(await signed("10小时"))
    before = await mark()
    assert await watch_assists(MONDAY + 3 * DAY) == 1
    assert ["已经超过时限" in text for text in await told(LIU, before)] == [True]


async def test_many_watches_at_once_tell_once():
    await assisted(await signed("10小时"))
    before = await mark()
    assert sum(await asyncio.gather(*(watch_assists(MONDAY + 10 * HOUR) for _ in range(4)))) == 1
    assert len(await told(LIU, before)) == 1


async def test_the_deputy_of_an_absent_assistant_hears_of_it():
    case = await signed("10小时")
    await assisted(case)
    liu, zhao = await Staff.get(name="刘洋"), await Staff.get(name="赵敏")
    await Staff.filter(id=zhao.id).update(openid="o_zhao")
    await Absence.create(staff_id=liu.id, deputy_id=zhao.id, starts_at=MONDAY, ends_at=MONDAY + DAY)
    before = await mark()
    await watch_assists(MONDAY + 8 * HOUR)
    assert await told(LIU, before) == []
    assert len(await told("o_zhao", before)) == 1


async def test_a_task_that_cannot_be_handled_does_not_keep_the_others_waiting():
    broken = await signed("10小时")
    await assisted(broken)
    sound = await signed("10小时")
    await together.assist(await person(WANG), sound.id, "刘洋", "搬一下梯子", MONDAY)
    await Case.filter(id=broken.id).update(handle_limit="许久")
    await Assist.filter(case_id=broken.id).update(watch_at=MONDAY)
    assert await watch_assists(MONDAY + 10 * HOUR) == 1
    assert (await Assist.get(case_id=broken.id)).watch_at == MONDAY + 11 * HOUR, "tried again later"
