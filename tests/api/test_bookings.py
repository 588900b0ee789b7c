"""预约 over the API: a time is found, taken, moved, shown at the counter and rated; staff set plans and close times."""

from __future__ import annotations

from datetime import timedelta

from domain.booking_rounds import GRACE, settle
from domain.slot_making import make_slots
from models.audit import AuditEvent
from models.bookings import Booking, BookingPlan, Slot
from models.enums import Purpose
from models.people import Staff
from tests.api.conftest import SignIn
from tests.api.newcomer import agree
from tests.town import CHEN, Town

PLAN = {
    "code": "hukou",
    "title": "户籍窗口",
    "area_code": "429906001001",
    "hours": ["工作日｜9:00-10:00｜30｜1", "2026-11-23｜停｜盘点"],
    "item_code": "hkqy",
    "closes_minutes": 0,
}


async def test_a_time_is_taken_moved_shown_and_rated(town: Town, sign_in: SignIn):
    await make_slots(town.clock())
    chen, li = await sign_in(CHEN), await sign_in(staff=await Staff.get(code="S001"))
    [plan] = (await chen.get("/booking-plans", params={"item_code": "sqls"})).json["items"]
    assert (plan["code"], plan["hours"]) == ("lvshi", ["周三｜14:30-17:00｜30｜1"])
    free = (await chen.get("/booking-plans/lvshi/slots", params={"last": "2026-11-30"})).json["items"]
    assert [one["left"] for one in free] == [1] * 5
    unasked = await chen.post(f"/slots/{free[0]['id']}/bookings", {})
    assert (unasked.status, unasked.code) == (403, "consent_needed")
    await agree(chen, Purpose.SERVICE)
    made = await chen.post(f"/slots/{free[0]['id']}/bookings", {"note": "问遗嘱"})
    assert (made.status, made.json["state"], len(made.json["code"])) == (201, "booked", 6)
    path = f"/bookings/{made.json['id']}"
    assert (await chen.post(f"/slots/{free[0]['id']}/bookings", {})).status == 409
    moved = (await chen.ask("PUT", f"{path}/slot", json={"slot_id": free[1]["id"]})).json
    assert (moved["slot_id"], moved["code"]) == (free[1]["id"], made.json["code"])
    assert (await chen.post(f"{path}/rating", {"stars": 5})).status == 409
    assert (await chen.post("/check-ins", {"code": made.json["code"]})).status == 403
    assert (await li.post("/check-ins", {"code": made.json["code"]})).status == 404, "it is not today"
    town.clock.advance(timedelta(days=5, hours=4))
    li = await sign_in(staff=await Staff.get(code="S001"))
    [listed] = (await li.get("/counter")).json["items"]
    assert (listed["id"], listed["state"]) == (made.json["id"], "booked")
    came = await li.post("/check-ins", {"code": made.json["code"]})
    assert (came.json["state"], came.json["note"]) == ("arrived", "问遗嘱")
    assert (await chen.post(f"{path}/rating", {"stars": 5, "comment": "讲得清楚"})).json["stars"] == 5
    assert (await chen.get("/bookings", params={"live": "false"})).json["items"][0]["state"] == "arrived"
    tags = {one.tag for one in await AuditEvent.filter(object_id=made.json["id"], allowed=True)}
    assert {"booking:make", "booking:move", "booking:arrive", "booking:rate"} <= tags


async def test_staff_set_a_plan_close_a_time_and_tell_everybody_why(town: Town, sign_in: SignIn):
    li, wang = [await sign_in(staff=await Staff.get(code=code)) for code in ("S001", "G001")]
    assert (await wang.post("/booking-plans", PLAN)).status == 403
    assert (await li.post("/booking-plans", PLAN | {"hours": ["周八｜9:00-10:00｜30｜1"]})).status == 400
    assert (await li.post("/booking-plans", PLAN | {"area_code": "429906001002"})).status == 400, "not their area"
    made = await li.post("/booking-plans", PLAN)
    assert (made.status, made.json["hours"][1]) == (201, "2026-11-23｜停｜盘点")
    times = (await wang.get("/booking-plans/hukou/slots")).json["items"]
    assert times[0]["starts_at"].startswith("2026-11-24T01:00"), "the weekend and the closed Monday have none"
    mother = {"other": {"name": "李桂英", "phone": "13812345678"}}
    booked = await wang.post(f"/slots/{times[0]['id']}/bookings", mother)
    assert (booked.json["relation"], booked.json["by_staff"]) == ("网格员", True)
    full = await li.post(f"/slots/{times[0]['id']}/bookings", mother | {"other": mother["other"] | {"name": "赵四"}})
    assert full.status == 409
    assert "可以候补" in str(full.json)
    assert (await wang.ask("PUT", f"/slots/{times[0]['id']}/closing", json={"reason": "停电"})).status == 403
    changed = PLAN | {"hours": ["工作日｜9:30-10:30｜30｜3"]}
    del changed["code"]
    assert (await li.ask("PUT", "/booking-plans/hukou", json=changed)).status == 200
    day = (await li.get("/booking-plans/hukou/schedule", params={"day": "2026-11-24"})).json["items"]
    assert [(one["taken"], one["capacity"], one["closed"]) for one in day] == [
        (1, 1, "开放时间调整"),
        (0, 3, ""),
        (0, 3, ""),
    ]
    await BookingPlan.filter(code="hukou").update(per_person=9)
    chen = await sign_in(CHEN)
    await agree(chen, Purpose.SERVICE)
    family = [{"other": {"name": f"家人{name}", "phone": "13812345678"}, "wait": True} for name in "一二三四五六"]
    got = [(await chen.post(f"/slots/{day[1]['id']}/bookings", one)).status for one in family]
    assert got == [201] * 5 + [409], "nobody fills a time with made-up names"
    closed = await li.ask("PUT", f"/slots/{times[0]['id']}/closing", json={"reason": "停电"})
    assert closed.json == {"cancelled": 1}
    await town.deliver()
    assert town.last("o_sim_grid_wang").startswith("您给李**约的户籍窗口，11 月 24 日（周二）9:00，取消了：停电。")
    [again] = (await wang.get("/bookings", params={"live": "false"})).json["items"]
    assert (again["state"], again["name"]) == ("cancelled", "李桂英")


async def test_who_stays_away_three_times_pauses_until_staff_excuse_one(town: Town, sign_in: SignIn):
    li = await sign_in(staff=await Staff.get(code="S001"))
    other = {"other": {"name": "李桂英", "phone": "13812345678"}}
    plan = await BookingPlan.get(code="lvshi")
    await BookingPlan.filter(id=plan.id).update(closes_minutes=0)
    for _ in range(3):
        starts_at = town.clock() + timedelta(hours=1)
        slot = await Slot.create(plan=plan, starts_at=starts_at, ends_at=starts_at + timedelta(hours=1), capacity=1)
        booked = await li.post(f"/slots/{slot.id}/bookings", other)
        assert booked.status == 201
        town.clock.advance(timedelta(hours=2) + GRACE)
        assert await settle(town.clock()) == 1
    starts_at = town.clock() + timedelta(hours=1)
    slot = await Slot.create(plan=plan, starts_at=starts_at, ends_at=starts_at + timedelta(hours=1), capacity=1)
    refused = await li.post(f"/slots/{slot.id}/bookings", other)
    assert refused.status == 409
    assert "12 月 20 日起才能再约" in str(refused.json)
    excused = await li.post(f"/bookings/{booked.json['id']}/excuse", {})
    assert (excused.json["state"], excused.json["excused"]) == ("missed", True)
    assert (await li.post(f"/slots/{slot.id}/bookings", other)).status == 201
    assert await Booking.filter(state="missed").count() == 3
