"""Who joins makes a case more urgent: what is still to come gets a nearer time, counted from then, never later."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from domain import casework, requests
from domain.dispatching import dispatch_to_grid
from domain.duplicates import join
from domain.people import join_grid
from domain.reports import Draft, report
from domain.requests import Wish
from domain.together import merge
from domain.worktime import TimeLimit, Unit, limit_for
from models.cases import Case, CaseEvent, Duty
from models.enums import RequestKind, Status, Urgency
from tests.domain.watched import CHEN, DAY, HOUR, MONDAY, at, mark, now_of, person, tick, told
from tests.town import LI, WANG

pytestmark = pytest.mark.usefixtures("orm")

LAMP = Draft("灯坏了", "lighting.corridor", "楼道照明损坏", place="3栋")


async def lamp(limit: str = "7天", openid: str = CHEN, **more: object) -> Case:
    """A lamp of the first grid: with Wang, who has not signed yet, unless `auto_accept` is off."""
    await Duty.filter(category="lighting.corridor").update(handle_limit=limit, sign_limit="3天", **more)
    await join_grid(await person(openid), MONDAY, code="429906001001001")
    return (await report(await person(openid), LAMP, MONDAY)).case


async def joined(case: Case, now: datetime, *, people: int = 3) -> Case:
    """So many neighbours say 我也遇到, all at `now`."""
    for turn in range(people):
        await join(await person(f"o_neighbour_{turn}", now), case.id, LAMP, now)
    return await now_of(case)


async def test_the_third_joiner_brings_the_promised_time_nearer_and_residents_are_told_once():
    case = await lamp("7天")
    before = await mark()
    after = await joined(case, MONDAY + DAY)
    assert (after.urgency, after.due_at, after.handle_limit) == (Urgency.PRESSING, MONDAY + 2 * DAY, "24小时")
    assert (after.accepted_at, after.alerted) == (MONDAY, 0)
    assert after.sign_due_at == MONDAY + DAY + 4 * HOUR
    said = "0001 楼道照明损坏：反映的人多，改为较急，最晚明天上午 9 点前办好。"
    assert await told(CHEN, before) == [said]
    assert await told("o_neighbour_0", before) == [said]
    assert await told("o_neighbour_2", before) == [], "the third reads it in the answer they get"
    assert "已有 4 位居民反映，改为较急，最晚明天上午 9 点前，请尽快处理。" in (await told(WANG, before))[0]
    assert await CaseEvent.filter(case_id=case.id, text="反映的人多，改为较急，最晚明天上午 9 点前").count() == 1


async def test_the_joiner_is_answered_with_the_new_time():
    case = await lamp("7天")
    await joined(case, MONDAY, people=2)
    found = await join(await person("o_third"), case.id, LAMP, MONDAY)
    assert found.due_at == MONDAY + DAY


async def test_the_holder_is_warned_by_the_nearer_time():
    case = await lamp("7天")
    await casework.sign(await person(WANG), case.id, MONDAY)
    await joined(case, MONDAY)
    assert await tick(MONDAY, MONDAY + DAY) == [MONDAY + 12 * HOUR, MONDAY + 19.5 * HOUR, MONDAY + DAY]


async def test_whoever_joins_later_moves_it_no_more():
    case = await lamp("7天")
    first = await joined(case, MONDAY)
    await join(await person("o_fourth"), case.id, LAMP, MONDAY + HOUR)
    assert (await now_of(case)).due_at == first.due_at


@pytest.mark.parametrize(
    ("limit", "raised_after", "kept"),
    [
        ("7天", 6.5 * DAY, True),  # twelve hours are left: a day from now would be later
        ("24小时", HOUR, True),
        ("1工作日", HOUR, True),
        ("4工作时", HOUR, True),
        ("7天", 8 * DAY, True),  # overdue already
        ("3天", DAY, False),
    ],
)
async def test_it_is_never_later_than_it_was(limit: str, raised_after: timedelta, kept: bool):
    case = await lamp(limit)
    before = await mark()
    after = await joined(case, MONDAY + raised_after)
    assert after.urgency is Urgency.PRESSING
    assert after.due_at
    assert case.due_at
    assert after.due_at <= case.due_at
    assert (after.due_at == case.due_at) is kept
    assert bool(await told(CHEN, before)) is not kept, "residents hear of a nearer time and of nothing else"


async def test_what_may_take_weeks_is_not_promised_for_tomorrow():
    case = await joined(await lamp("30天"), MONDAY)
    assert (case.due_at, case.handle_limit) == (MONDAY + 7 * DAY, "7天")


async def test_an_extension_that_was_granted_stays_as_it_was_told():
    case = await lamp("7天")
    wish = Wish(RequestKind.EXTEND, "等配件", MONDAY + 12 * DAY)
    await casework.sign(await person(WANG), case.id, MONDAY)
    await requests.ask(await person(WANG), case.id, wish, MONDAY)
    await requests.grant(await person(LI), case.id, RequestKind.EXTEND, MONDAY)
    after = await joined(case, MONDAY + HOUR)
    assert (after.urgency, after.due_at) == (Urgency.PRESSING, MONDAY + 12 * DAY)


async def test_while_the_clock_stands_the_nearer_time_counts_from_when_it_goes_on():
    case = await lamp("7天")
    await casework.sign(await person(WANG), case.id, MONDAY)
    wish = Wish(RequestKind.SUSPEND, "等开春", MONDAY + 10 * DAY)
    await requests.ask(await person(WANG), case.id, wish, MONDAY + DAY)
    await requests.grant(await person(LI), case.id, RequestKind.SUSPEND, MONDAY + DAY)
    before = await mark()
    await joined(case, MONDAY + 3 * DAY)
    assert await told(CHEN, before) == [], "no time can be promised while it stands"
    await requests.resume(await person(WANG), case.id, MONDAY + 5 * DAY)
    assert (await now_of(case)).due_at == MONDAY + 6 * DAY
    assert "继续处理，最晚明天上午 9 点前" in (await told(CHEN, before))[0]


async def test_what_nobody_has_taken_on_is_looked_at_sooner_and_then_has_the_stricter_limit():
    case = await lamp("7天", auto_accept=False, accept_limit="3天")
    assert case.accept_due_at == MONDAY + 3 * DAY
    after = await joined(case, MONDAY + HOUR)
    assert (after.status, after.accept_due_at, after.due_at) == (Status.REPORTED, at(2026, 11, 16, 12, 0), None)
    taken, _ = await dispatch_to_grid(await person(LI), case.id, "第一网格", MONDAY + 2 * HOUR)
    assert taken.due_at == MONDAY + DAY + 2 * HOUR


async def test_what_was_sent_back_must_be_given_away_sooner():
    case = await lamp("7天", dispatch_limit="3天")
    await requests.ask(await person(WANG), case.id, Wish(RequestKind.RETURN, "不是我的"), MONDAY)
    await requests.grant(await person(LI), case.id, RequestKind.RETURN, MONDAY)
    after = await joined(case, MONDAY)
    assert after.dispatch_due_at == MONDAY + HOUR


@pytest.mark.parametrize(
    ("written", "pressing"),
    [
        ("", TimeLimit(24, Unit.HOURS)),
        ("2小时", TimeLimit(2, Unit.HOURS)),
        ("1天", TimeLimit(1, Unit.DAYS)),
        ("2天", TimeLimit(24, Unit.HOURS)),
        ("7天", TimeLimit(24, Unit.HOURS)),
        ("5工作日", TimeLimit(24, Unit.HOURS)),
        ("15工作日", TimeLimit(7, Unit.DAYS)),
        ("365天", TimeLimit(7, Unit.DAYS)),
    ],
)
def test_pressing_is_one_class_stricter_than_the_duty_list(written: str, pressing: TimeLimit):
    assert limit_for(written, Urgency.PRESSING) == pressing


async def test_merging_makes_the_survivor_as_urgent_as_what_is_merged():
    first, second = await lamp("7天"), await lamp("7天", "o_sun")
    await Case.filter(id=second.id).update(urgency=Urgency.URGENT)
    before = await mark()
    await merge(await person(LI), second.id, first.number, MONDAY + HOUR)
    survivor = await now_of(first)
    assert (survivor.urgency, survivor.due_at) == (Urgency.URGENT, MONDAY + 3 * HOUR)
    assert "两件并成一件，改为紧急，最晚今天中午 12 点前办好。" in (await told(CHEN, before))[0]
    assert "两件并成一件，改为紧急" in (await told("o_sun", before))[-1]
    assert "改为紧急，最晚今天中午 12 点前。" in (await told(WANG, before))[-1]


async def test_what_the_reporter_of_a_merged_case_was_promised_holds():
    slow, quick = await lamp("7天"), await lamp("2天", "o_sun")
    before = await mark()
    await merge(await person(LI), quick.id, slow.number, MONDAY + HOUR)
    survivor = await now_of(slow)
    assert (survivor.due_at, survivor.handle_limit, survivor.urgency) == (MONDAY + 2 * DAY, "2天", Urgency.NORMAL)
    assert await told(CHEN, before) == ["0001 楼道照明损坏：两件并成一件，最晚后天上午 9 点前办好。"]
    assert "最晚后天上午 9 点前。" in (await told(WANG, before))[-1]


async def test_a_merged_case_makes_nothing_later_or_late():
    quick, slow, late = await lamp("2天"), await lamp("7天", "o_sun"), await lamp("1小时", "o_qian")
    await merge(await person(LI), slow.id, quick.number, MONDAY + 2 * HOUR)
    await merge(await person(LI), late.id, quick.number, MONDAY + 2 * HOUR)
    assert (await now_of(quick)).due_at == quick.due_at


async def test_reporters_that_are_merged_count_like_joiners():
    first = await lamp("7天")
    for turn in range(3):
        await merge(await person(LI), (await lamp("7天", f"o_also_{turn}")).id, first.number, MONDAY + HOUR)
        assert ((await now_of(first)).urgency is Urgency.PRESSING) is (turn == 2)
    assert (await now_of(first)).due_at == at(2026, 11, 17, 10, 0)
