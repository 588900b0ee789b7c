"""The counter at the console: who comes today, with a code or without, booking for somebody, plans and their times."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest

from domain.bookings import book
from domain.people import find_person
from models.audit import AuditEvent
from models.bookings import Booking, BookingPlan, Slot
from models.people import Staff
from tests.console.administration import sit_down
from tests.console.conftest import Desk
from tests.domain.counter import make_plan, make_slot
from tests.town import CHEN, Town

PLAN = {
    "title": "户口窗口",
    "area_code": "429906001001",
    "hours": "每天｜9:00-17:00｜60｜2\n",
    "opens_days": "7",
    "closes_minutes": "60",
    "cancel_minutes": "120",
    "per_person": "1",
    "waiting_most": "5",
    "remind": "1天、2小时",
    "strikes": "3",
    "strike_days": "90",
    "pause_days": "30",
    "active": "yes",
}


@pytest.fixture
async def li(town: Town, desk: Desk) -> Desk:
    """The community's desk."""
    await sit_down(town, desk, await Staff.get(name="李主任"))
    return desk


async def soon(town: Town, code: str = "hall", seats: int = 1) -> Slot:
    """Half an hour in two hours' time."""
    return await make_slot(await make_plan(code), town.clock() + timedelta(hours=2), seats)


async def chens_seat(town: Town, slot: Slot) -> Booking:
    """Chen's booking of it."""
    chen = await find_person(CHEN, town.clock())
    return await Booking.get(id=(await book(chen, slot.id, town.clock())).id)


async def test_todays_list_masks_people_and_a_code_checks_them_in(town: Town, li: Desk):
    seat = await chens_seat(town, await soon(town))
    await Booking.filter(id=seat.id).update(name="陈建国", phone="13800001234")
    page = await li.open("/counter")
    assert "陈**" in page
    assert "13800001234" not in page
    assert "陈建国已签到：12:00 社保窗口" in await li.send("/counter/check-in", code=seat.code)
    assert "已签到" in (await li.open("/counter/list")).split("<tbody>")[1]
    assert li.path == "/console/counter/list"
    assert (await Booking.get(id=seat.id)).state == "arrived"


async def test_a_wrong_code_checks_nobody_in(town: Town, li: Desk):
    seat = await chens_seat(town, await soon(town))
    await li.open("/counter")
    assert "今天没有这个签到码" in await li.send("/counter/check-in", code="000000" if seat.code != "000000" else "1")
    assert (await Booking.get(id=seat.id)).state == "booked"


async def test_whoever_has_no_phone_at_hand_is_checked_in_by_a_document_on_the_day_alone(town: Town, li: Desk):
    plan = await make_plan()
    today = await chens_seat(town, await make_slot(plan, town.clock() + timedelta(hours=2)))
    later = await chens_seat(town, await make_slot(plan, town.clock() + timedelta(days=1)))
    await li.open(f"/counter/bookings/{later.id}")
    assert "核对证件" not in li.page
    assert "不是今天的预约" in await li.send(f"/counter/bookings/{later.id}/arrive")
    await li.open(f"/counter/bookings/{today.id}")
    assert "已签到" in await li.send(f"/counter/bookings/{today.id}/arrive")
    assert await AuditEvent.filter(tag="booking:arrive", object_id=today.id, allowed=True).count() == 1


async def test_a_booking_of_another_community_is_as_if_there_were_none(town: Town, desk: Desk):
    seat = await chens_seat(town, await soon(town))
    await sit_down(town, desk, await Staff.get(name="何主任"))
    await desk.open(f"/counter/bookings/{seat.id}")
    assert desk.status == 404
    await desk.open("/counter")
    await desk.send(f"/counter/bookings/{seat.id}/cancel", reason="试试")
    assert desk.status == 404
    assert (await Booking.get(id=seat.id)).state == "booked"


async def test_a_long_day_goes_on_on_the_next_page(town: Town, li: Desk):
    slot, now = await soon(town, seats=200), town.clock()
    fields = {"slot_id": slot.id, "plan_id": slot.plan_id, "state": "booked", "by": "staff:1", "booked_at": now}
    await Booking.bulk_create(
        [Booking(code=f"{n:06}", name=f"甲{n}", phone="027-55501234", **fields) for n in range(103)]
    )
    page = await li.open("/counter")
    assert page.count("/console/counter/bookings/") == 100
    following = unescape(page.split("后面的</a>")[0].rsplit('href="/console', maxsplit=1)[1].split('"', maxsplit=1)[0])
    assert (await li.open(following)).count("/console/counter/bookings/") == 3
    assert "every 20s" not in li.page


async def test_a_plan_keeps_working_whatever_signs_its_imported_code_has(town: Town, li: Desk):
    slot = await soon(town, "SB/1#a")
    page = await li.open("/counter/plans")
    path = unescape(page.split('href="/console/counter/plans/SB')[1].split('"', maxsplit=1)[0])
    await li.open(f"/counter/plans/SB{path}")
    await li.send(f"/counter/plans/SB{path}/seats", slot_id=str(slot.id), seats="4")
    assert (await Slot.get(id=slot.id)).capacity == 4


async def test_booking_for_somebody_without_wechat_gives_the_code_to_tell_them(town: Town, li: Desk):
    slot = await soon(town)
    assert "剩 1 个" in await li.open("/counter/book?plan=hall")
    page = await li.send("/counter/book", slot_id=str(slot.id), name="李桂英", phone="13812345678")
    seat = await Booking.get(name="李桂英")
    assert f"签到码 {seat.code}" in page
    await li.open("/counter/book?plan=hall")
    assert "可候补" in li.page
    await li.send("/counter/book", slot_id=str(slot.id), name="王大爷", phone="13812345679", wait="yes")
    assert "前面 0 人" in li.page


async def test_a_name_that_is_none_is_refused_and_nothing_is_booked(town: Town, li: Desk):
    slot = await soon(town)
    await li.open("/counter/book?plan=hall")
    assert "电话不对" in await li.send("/counter/book", slot_id=str(slot.id), name="李桂英", phone="12")
    assert not await Booking.exists()


async def test_cancelling_tells_why_and_moving_keeps_the_code(town: Town, li: Desk):
    plan = await make_plan()
    first = await make_slot(plan, town.clock() + timedelta(hours=2))
    second = await make_slot(plan, town.clock() + timedelta(hours=4))
    seat = await chens_seat(town, first)
    await li.open(f"/counter/bookings/{seat.id}")
    await li.send(f"/counter/bookings/{seat.id}/move", slot_id=str(second.id))
    moved = await Booking.get(id=seat.id)
    assert (moved.slot_id, moved.code) == (second.id, seat.code)
    await li.send(f"/counter/bookings/{seat.id}/cancel", reason="窗口停电")
    await town.deliver()
    assert "窗口停电" in town.last(CHEN)


async def test_a_mark_for_staying_away_is_taken_back_by_who_runs_the_plan(town: Town, li: Desk):
    seat = await chens_seat(town, await soon(town))
    await Booking.filter(id=seat.id).update(state="missed")
    assert "免除这次爽约" in await li.open(f"/counter/bookings/{seat.id}")
    assert "不算爽约" in await li.send(f"/counter/bookings/{seat.id}/excuse")
    assert (await Booking.get(id=seat.id)).excused


async def test_a_plan_is_made_changed_and_stopped_and_its_times_are_there_at_once(town: Town, li: Desk):
    await li.open("/counter/plans/new")
    assert "居民现在就能约" in await li.send("/counter/plans/new", code="hukou", **PLAN)
    assert "9:00–10:00" in await li.open("/counter/plans/hukou?day=2026-11-21")
    changed = {name: text for name, text in PLAN.items() if name != "active"} | {"title": "户口窗口（停）"}
    await li.send("/counter/plans/hukou", **changed)
    assert not (await BookingPlan.get(code="hukou")).active
    assert "户口窗口（停）" in await li.open("/counter/plans")


async def test_opening_hours_that_cannot_be_read_are_refused_with_how_to_write_them(town: Town, li: Desk):
    await li.open("/counter/plans/new")
    assert "工作日｜9:00-11:30｜30｜2" in await li.send(
        "/counter/plans/new", code="hukou", **PLAN | {"hours": "工作日｜九点"}
    )
    assert li.status == 400
    assert not await BookingPlan.filter(code="hukou").exists()


async def test_a_time_is_closed_with_a_reason_opened_again_and_given_more_seats(town: Town, li: Desk):
    slot = await soon(town)
    await chens_seat(town, slot)
    await li.open("/counter/plans/hall")
    page = await li.send("/counter/plans/hall/close", slot_id=str(slot.id), reason="系统维护", day="2026-11-20")
    assert "1 个预约已取消" in page
    assert "停办：系统维护" in page
    await town.deliver()
    assert "系统维护" in town.last(CHEN)
    await li.send("/counter/plans/hall/open", slot_id=str(slot.id))
    await li.send("/counter/plans/hall/seats", slot_id=str(slot.id), seats="7")
    stored = await Slot.get(id=slot.id)
    assert (stored.closed, stored.capacity) == ("", 7)


async def test_a_department_has_no_counter_and_a_grid_worker_no_plans(town: Town, desk: Desk):
    await sit_down(town, desk, await Staff.get(name="马队长"))
    assert "/console/counter" not in await desk.open("/")
    await desk.open("/counter")
    assert desk.status == 403
    await sit_down(town, desk, await Staff.get(name="王芳"))
    assert "签到码" in await desk.open("/counter")
    await desk.open("/counter/plans")
    assert desk.status == 403
