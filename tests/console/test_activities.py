"""Activities at the console: from a draft to the list of who came, and what is told to who signed up."""

from __future__ import annotations

import io
from datetime import timedelta

import openpyxl
import pytest

from domain.arrivals import bring
from domain.booking_rules import Other
from domain.people import find_operator, find_person
from domain.sign_ups import sign_up
from domain.volunteers import credit
from models.audit import AuditEvent
from models.bookings import Activity, Booking, BookingPlan, Certificate, Slot
from models.people import Staff
from tests.console.administration import sit_down
from tests.console.conftest import Desk
from tests.town import CHEN, Town

FORM = {
    "kind": "activity",
    "title": "重阳包饺子",
    "words": "一起包，一起吃",
    "place": "社区活动室",
    "starts_at": "2026-11-28T09:00",
    "ends_at": "2026-11-28T11:00",
    "capacity": "2",
    "weeks": "1",
    "minutes": "0",
    "waiting_most": "5",
}


@pytest.fixture
async def li(town: Town, desk: Desk) -> Desk:
    """The community's desk."""
    await sit_down(town, desk, await Staff.get(name="李主任"))
    return desk


async def opened(li: Desk, **more: str) -> Activity:
    """Written and open; its page is shown."""
    await li.open("/activities/new")
    await li.send("/activities/new", **FORM | more)
    made = await Activity.all().order_by("-id").first()
    assert made, li.page
    await li.send(f"/activities/{made.id}/open")
    return made


async def test_a_draft_is_opened_and_residents_sign_up_with_a_code_on_the_spot(town: Town, li: Desk):
    await li.open("/activities/new")
    assert "存成草稿" in await li.send("/activities/new", **FORM)
    made = await Activity.all().order_by("-id").first()
    assert made
    assert "重阳包饺子" in await li.open("/activities?state=draft")
    await li.open(f"/activities/{made.id}")
    assert "居民现在就能报名" in await li.send(f"/activities/{made.id}/open")
    assert (await Activity.get(id=made.id)).check_in_code in li.page
    assert "重阳包饺子" in await town.say(CHEN, "活动")


async def test_a_course_over_several_weeks_has_a_time_each_week(town: Town, li: Desk):
    made = await opened(li, kind="course", title="书法班", weeks="4")
    begins = [slot.starts_at.day for slot in await Slot.filter(plan_id=made.plan_id).order_by("starts_at")]
    assert begins == [28, 5, 12, 19]


async def test_an_end_before_the_begin_is_refused_and_nothing_is_written(town: Town, li: Desk):
    before = await Activity.all().count()
    await li.open("/activities/new")
    assert "结束时间要在开始之后" in await li.send("/activities/new", **FORM | {"ends_at": "2026-11-28T08:00"})
    assert await Activity.all().count() == before


async def test_another_place_another_time_and_a_cancellation_are_told_with_the_reason(town: Town, li: Desk):
    made = await opened(li)
    await sign_up(await find_person(CHEN, town.clock()), made.id, town.clock())
    slot, path = await Slot.get(plan_id=made.plan_id), f"/activities/{made.id}"
    changed = {"title": "重阳包饺子", "place": "文化广场", "waiting_most": "5", "until": "2026-11-28T09:00"}
    await li.send(f"{path}/change", **changed)
    await town.deliver()
    assert "文化广场" in town.last(CHEN)
    later = {"starts_at": "2026-11-28T14:00", "ends_at": "2026-11-28T16:00", "capacity": "9"}
    await li.send(f"{path}/sessions/change", slot_id=str(slot.id), **later)
    await town.deliver()
    assert "14:00" in town.last(CHEN)
    assert "9" in li.page
    await li.send(f"{path}/cancel", why="场地漏水")
    await town.deliver()
    assert "场地漏水" in town.last(CHEN)
    assert "取消原因" in li.page
    assert "重阳包饺子" in await li.open("/activities"), "with no time ahead any more"


async def test_somebody_without_wechat_is_signed_up_and_the_list_masks_what_the_workbook_has(town: Town, li: Desk):
    made = await opened(li)
    page = await li.send(f"/activities/{made.id}/sign-ups", name="李桂英", phone="13812345678", note="=1+1")
    assert f"签到码 {(await Booking.get(name='李桂英')).code}" in page
    people = await li.open(f"/activities/{made.id}/people")
    assert "李**" in people
    assert "13812345678" not in people
    async with li.session.get(f"{li.url}/console/activities/{made.id}/people.xlsx") as answer:
        sheet = openpyxl.load_workbook(io.BytesIO(await answer.read())).active
    cells = [str(cell.value) for row in sheet.iter_rows(min_row=2) for cell in row]
    assert {"李桂英", "13812345678", "=1+1"} <= set(cells)
    assert not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    assert await AuditEvent.filter(tag="activity:export", object_id=made.id, allowed=True).count() == 1


async def test_another_community_neither_sees_nor_changes_it(town: Town, li: Desk):
    made = await opened(li)
    await sit_down(town, li, await Staff.get(name="何主任"))
    await li.open(f"/activities/{made.id}")
    assert li.status == 404
    await li.open("/activities")
    assert "重阳包饺子" not in li.page
    await li.send(f"/activities/{made.id}/cancel", why="试试")
    assert li.status == 404
    assert (await BookingPlan.get(id=made.plan_id)).title == "重阳包饺子"
    assert (await Activity.get(id=made.id)).state == "open"


async def test_who_helped_without_wechat_has_their_time_credited_and_put_right_at_the_desk(town: Town, li: Desk):
    made = await opened(li, kind="volunteer", title="楼道清扫", minutes="60")
    slot, li_person = await Slot.get(plan_id=made.plan_id), await find_operator("S001")
    town.clock.advance(slot.starts_at - town.clock())
    card = await bring(li_person, made.id, Other("李桂英", "13812345678"), town.clock())
    town.clock.advance(timedelta(hours=3))
    await credit(town.clock())
    await sit_down(town, li, await Staff.get(name="李主任"))
    path = f"/counter/bookings/{card.id}"
    assert "这次 1 小时，一共 1 小时（1 次）" in await li.open(path)
    assert "一共 1 小时 30 分钟" in await li.send(f"{path}/volunteer-time", minutes="30", why="多留了半小时")
    assert "证书开好了" in await li.send(f"{path}/certificate")
    async with li.session.get(f"{li.url}/console{path}/certificate.png") as answer:
        assert (answer.status, (await answer.read())[:4]) == (200, b"\x89PNG")
    paper = await Certificate.get()
    assert (paper.name, paper.minutes, paper.community) == ("李桂英", 90, "东亭社区")
