"""Opening hours as people write them, the slots they become, and what a change of them does to seats that are taken."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.booking_hours import read_line, times_of, write_line
from domain.booking_plans import PlanWords, change_plan
from domain.booking_plans import make_plan as new_plan
from domain.booking_tables import PLANS, look_again, reminders, write_reminders
from domain.bookings import book, cancel
from domain.clock import SHANGHAI
from domain.organisation import export_tables, import_tables
from domain.slot_making import make_slots
from domain.slots import close_slot, free_slots, resize_slot
from domain.tables import Sheet, Wrong
from errors import Conflict
from models.bookings import Booking, BookingPlan, Slot
from models.enums import BookingState
from models.messaging import Outbox
from tests.domain.counter import COMMUNITY, make_plan
from tests.domain.neighbours import neighbour, officer
from tests.domain.tables import NOW

HEADS = [column.head for column in PLANS.columns]
BEFORE_NEW_YEAR = datetime(2026, 2, 12, 1, 0, tzinfo=UTC)
"""A Thursday. The Saturday after it is worked, for the long holidays from Sunday on."""


def sheet(*rows: list[object], heads: list[str]) -> Sheet:
    return Sheet("预约", list(enumerate([heads, *rows], 1)))


@pytest.mark.parametrize(
    "line",
    [
        "工作日｜09:00-11:30｜30｜2",
        "周一、周三｜14:00-17:00｜60｜1",
        "2026-12-24｜停｜盘点",
        "每天｜08:00-24:00｜480｜9",
    ],
)
def test_a_line_of_hours_is_written_as_it_was_read(line: str):
    assert write_line(read_line(line)) == line


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("周八｜9:00-10:00｜30｜1", "不是日子"),
        ("周一｜9点到10点｜30｜1", "看不懂"),
        ("周一｜9:00-10:00｜90｜1", "不够一个号"),
        ("周一｜9:00-25:00｜30｜1", "没有 25:00"),
        ("周一｜9:00-10:00｜30｜0", "几个号"),
        ("周一｜停", "看不懂"),
        ("2026-02-30｜停", "没有"),
        ("｜9:00-10:00｜30｜1", "没有写哪些日子"),
    ],
)
def test_what_is_wrong_with_a_line_is_said(line: str, wrong: str):
    with pytest.raises(Wrong, match=wrong):
        read_line(line)


def test_a_date_holds_on_that_day_alone_and_ranges_go_over_the_weekend():
    week = [
        read_line(line)
        for line in ("周五至周一｜9：00－10：00｜30｜1".replace("－", "-"), "2026-11-20｜8:00-9:00｜60｜4")
    ]
    friday, monday, tuesday = date(2026, 11, 20), date(2026, 11, 23), date(2026, 11, 24)
    assert [one.capacity for one in times_of(week, friday, works=True)] == [4]
    assert [one.starts_at.strftime("%H:%M") for one in times_of(week, monday, works=True)] == ["09:00", "09:30"]
    assert times_of(week, tuesday, works=True) == []
    assert write_reminders(reminders("2小时、1天、90分钟")) == "1天、2小时、90分钟"
    with pytest.raises(Wrong, match="不对"):
        reminders("8天")


async def test_working_days_are_those_of_the_calendar_and_of_special_days(orm: None):
    plan = await make_plan(
        week=[read_line("工作日｜9:00-10:00｜60｜1"), read_line("休息日｜15:00-16:00｜60｜1")], opens_days=4
    )
    made = await asyncio.gather(make_slots(BEFORE_NEW_YEAR), make_slots(BEFORE_NEW_YEAR))
    starts = [one.starts_at.astimezone(SHANGHAI) for one in await Slot.filter(plan_id=plan.id).order_by("starts_at")]
    assert [f"{one:%a %H}" for one in starts] == ["Fri 09", "Sat 09", "Sun 15", "Mon 15"]
    assert sum(made) == await Slot.all().count(), "made once, however many look"
    report = await import_tables([Sheet("特殊日期", [(1, ["日期", "上班或放假"]), (2, ["2026-02-16", "上班"])])], NOW)
    assert report.written
    await make_slots(BEFORE_NEW_YEAR)
    monday = await Slot.filter(plan_id=plan.id, starts_at__gte=starts[3].replace(hour=0)).order_by("starts_at")
    assert [(f"{one.starts_at.astimezone(SHANGHAI):%H}", one.closed) for one in monday] == [
        ("09", ""),
        ("15", "开放时间调整"),
    ]


async def test_a_changed_plan_takes_no_seat_and_more_seats_go_to_who_waits(orm: None):
    now = NOW
    plan = await make_plan(week=[read_line("每天｜15:00-16:00｜30｜1")], opens_days=2)
    await make_slots(now)
    chen, zhao = await neighbour("chen", now), await neighbour("zhao", now)
    first, second, *_ = await free_slots(chen, plan.code, now)
    seat = await book(chen, first.id, now)
    waits = await book(zhao, first.id, now, wait=True)
    other = await book(chen, second.id, now)

    async def becomes(*lines: str) -> None:
        report = await import_tables([sheet([plan.code, "\n".join(lines)], heads=["编码", "开放时间"])], now)
        assert report.faults == []
        await make_slots(now)

    await becomes("每天｜15:00-15:30｜30｜2")
    assert (await Booking.get(id=waits.id)).state is BookingState.BOOKED
    assert await Outbox.filter(recipient=zhao.openid, kind="notice").count() == 1
    closed = await Slot.get(id=second.id)
    assert (closed.closed, closed.taken) == ("开放时间调整", 1)
    with pytest.raises(Conflict, match="cannot be booked"):
        await book(zhao, second.id, now)
    await becomes("每天｜15:00-16:00｜30｜1", f"{first.starts_at.astimezone(SHANGHAI):%Y-%m-%d}｜停｜盘点")
    kept, again = await Slot.get(id=first.id), await Slot.get(id=second.id)
    assert (kept.closed, kept.taken, kept.capacity) == ("开放时间调整：盘点", 2, 2)
    assert again.closed == "开放时间调整"
    assert await close_slot(await officer("S001"), first.id, "盘点", now) == 2
    assert {(await Booking.get(id=one.id)).state for one in (seat, waits)} == {BookingState.CANCELLED}
    assert (await Booking.get(id=other.id)).state is BookingState.BOOKED
    await cancel(chen, other.id, now)


async def test_seats_that_staff_added_to_a_time_stay_until_the_hours_are_others(orm: None):
    staff, now = await officer("S001"), NOW
    said = PlanWords("健康小屋", COMMUNITY, ["每天｜15:00-15:30｜30｜1"], opens_days=2)
    plan = await new_plan(staff, "hut", said, now)
    last = await Slot.filter(plan_id=plan.id).order_by("-starts_at").first().values_list("id", flat=True)
    await resize_slot(staff, last, 4, now)
    await make_slots(now + timedelta(days=1))
    await look_again()
    await change_plan(staff, plan.code, replace(said, title="健康小屋（二楼）"), now)
    assert (await Slot.get(id=last)).capacity == 4
    await change_plan(staff, plan.code, replace(said, hours=["每天｜15:00-15:30｜30｜2"]), now)
    assert (await Slot.get(id=last)).capacity == 2


async def test_plans_go_out_and_come_back_and_faults_are_told_row_by_row(orm: None):
    [exported] = await export_tables([PLANS], NOW.date())
    assert len(exported.rows) == await BookingPlan.all().count() >= 4
    report = await import_tables([sheet(*exported.rows, heads=HEADS)], NOW)
    assert (report.faults, report.changes) == ([], 0)
    bad = ["x1", "没有", "", "周一｜9:00｜30｜1"]
    report = await import_tables([sheet(bad, heads=["编码", "事项编码", "名称", "开放时间"])], NOW)
    assert {fault.column for fault in report.faults} >= {"事项编码", "开放时间"}
    new = ["x1", "新窗口", "429906001001", "工作日｜9:00-11:00｜30｜2", "1天"]
    report = await import_tables([sheet(new, heads=["编码", "名称", "区域编码", "开放时间", "提醒"])], NOW)
    assert (report.faults, report.changes) == ([], 1)
    made = await BookingPlan.get(code="x1")
    assert (made.remind_minutes, made.opens_days, made.strikes) == ([1440], 7, 3)
    assert await make_slots(NOW + timedelta(days=0)) > 0
