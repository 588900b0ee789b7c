"""The counter at a desk: who may check in without a code, whose plans one runs, whose texts one writes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.bookings import book
from domain.counter_desk import areas_near, check_in_known, plans_run
from domain.people import Person, find_operator, find_person
from domain.service_desk import read_item
from errors import Conflict, NotAllowed, NotFound
from models.console import Administrator
from models.enums import AdminKind
from models.services import ServiceItem
from tests.domain.counter import NOW, make_plan, make_slot
from tests.domain.homes import FAR, follower

pytestmark = pytest.mark.usefixtures("orm")


async def seat(person: Person, hours: int = 2) -> int:
    """A booking so many hours ahead."""
    slot = await make_slot(await make_plan(f"p{hours}"), NOW + timedelta(hours=hours))
    return (await book(person, slot.id, NOW)).id


async def test_staff_of_the_place_check_in_without_a_code_and_nobody_checks_in_themselves():
    chen = await follower("chen")
    mine = await seat(chen)
    with pytest.raises(NotAllowed):
        await check_in_known(chen, mine, NOW)
    with pytest.raises(NotFound):
        await check_in_known(await find_operator("S002"), mine, NOW)
    assert (await check_in_known(await find_operator("S001"), mine, NOW)).has_come


async def test_another_days_booking_is_not_checked_in():
    later = await seat(await follower("chen"), hours=26)
    with pytest.raises(Conflict):
        await check_in_known(await find_operator("S001"), later, NOW)


async def test_plans_of_the_area_and_below_are_run_stopped_ones_too():
    await make_plan("stopped", active=False)
    await make_plan("far", area=FAR)
    codes = {plan.code for plan in await plans_run(await find_operator("S001"))}
    assert "stopped" in codes
    assert "far" not in codes
    assert "far" in {plan.code for plan in await plans_run(await find_operator("J001"))}
    with pytest.raises(NotAllowed):
        await plans_run(await find_operator("G001"))


async def test_areas_to_choose_begin_with_ones_own():
    names = [one.name for one in await areas_near(await find_operator("S001"))]
    assert names[:2] == ["东亭社区", "第一网格"]


async def test_what_everybody_sees_is_written_by_the_topmost_area_and_the_system_administrator():
    item = await ServiceItem.get(code="jzz")
    street = await find_operator("J001")
    assert not (await read_item(street, item.id)).may_edit
    assert (await read_item(await find_operator("C001"), item.id)).may_edit
    assert street.post
    await Administrator.create(staff_id=street.post.id, kind=AdminKind.SYSTEM, given_at=NOW, given_by="operator")
    assert (await read_item(street, item.id)).may_edit


async def test_residents_read_no_item_at_the_desk():
    item = await ServiceItem.get(code="jzz")
    with pytest.raises(NotFound):
        await read_item(await find_person("o_somebody", NOW), item.id)
