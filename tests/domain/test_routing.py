"""Which grid a report belongs to, whose duty it is there, and who of them takes it."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.casework import dispose
from domain.people import Person, find_person, join_grid
from domain.places import find_buildings, find_codes
from domain.reports import Draft, Receipt, report
from domain.routing import route
from domain.waiting import refill
from models.audit import AuditEvent
from models.cases import Case, CaseEvent, Duty, DutyList, Follower
from models.database import transaction
from models.enums import Level, Role, Status
from models.messaging import Outbox
from models.people import Absence, Area, Component, Department, Household, Staff
from tests.town import CHEN, LI, WANG, Town

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
FIRST, SECOND, THIRD, CHAGANG = "429906001001001", "429906001001002", "429906001001003", "429906001002001"
LAMP = "lighting.corridor"


async def resident(openid: str = "o_resident", grid: str | None = FIRST) -> Person:
    person = await find_person(openid, NOW)
    if grid:
        await join_grid(person, NOW, code=grid)
    return await find_person(openid, NOW)


async def say(
    text: str = "灯坏了", *, of: Person | None = None, place: str = "", urgent: bool = False, **more: Any
) -> Receipt:
    draft = Draft(text, more.pop("category", LAMP), "楼道照明损坏", place=place, urgent=urgent, **more)
    return await report(of or await resident(), draft, NOW)


async def grid_of(receipt: Receipt) -> str:
    case = await Case.get(id=receipt.case.id).select_related("grid")
    return case.grid.code if case.grid else ""


async def draw(code: str, west: float, south: float, *, side: float = 0.01, holes: list[Any] | None = None) -> None:
    """Give an area a square boundary."""
    east, north = west + side, south + side
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    await Area.filter(code=code).update(boundary=[ring, *(holes or [])])


async def house(code: str, building: str) -> None:
    await Household.create(grid=await Area.get(code=code), building=building, unit="1单元", room="101")


async def lamp_post(code: str, grid: str) -> Component:
    return await Component.create(code=code, kind="路灯", grid=await Area.get(code=grid))


async def hire(name: str, *, grid: str = FIRST, **more: Any) -> Staff:
    area = await Area.get(code=grid)
    return await Staff.create(**({"name": name, "role": Role.GRID_WORKER, "area_id": area.id, "openid": name} | more))


async def away(name: str, deputy: str | None = None) -> None:
    staff = await Staff.get(name=name)
    other = await Staff.get(name=deputy) if deputy else None
    await Absence.create(
        staff_id=staff.id, deputy=other, starts_at=NOW - timedelta(hours=1), ends_at=NOW + timedelta(days=1)
    )


async def duty_line(category: str, level: Level, **more: Any) -> Duty:
    """A line that comes before all others of its category."""
    version = await DutyList.create(effective_on=date(2026, 11, 1), created_at=NOW)
    await Duty.create(version_id=version.id, category="", level=Level.GRID, handle_limit="7天")
    return await Duty.create(version_id=version.id, category=category, level=level, **more)


# Which grid: each source wins over the next.


async def test_the_residents_own_grid_takes_what_names_no_place(orm: None):
    receipt = await say("楼道灯坏了")
    assert await grid_of(receipt) == FIRST
    assert receipt.holder
    assert receipt.holder.name == "王芳"


async def test_a_building_of_another_grid_wins_over_the_residents_own(orm: None):
    await house(SECOND, "3栋")
    receipt = await say("灯坏了", place="三幢2单元")
    assert await grid_of(receipt) == SECOND
    assert receipt.holder
    assert receipt.holder.name == "刘洋"


@pytest.mark.parametrize("codes", [(FIRST, SECOND), (SECOND, THIRD), (CHAGANG,)])
async def test_a_building_that_tells_nothing_leaves_it_to_the_own_grid(orm: None, codes: tuple[str, ...]):
    """Also in the own grid; in two others; in another community only."""
    for code in codes:
        await house(code, "3栋")
    assert await grid_of(await say("灯坏了", place="3栋")) == FIRST


async def test_a_grid_that_is_named_wins_over_a_building(orm: None):
    await house(SECOND, "3栋")
    assert await grid_of(await say("第三网格3栋的灯坏了")) == THIRD


async def test_a_community_that_is_named_says_whose_first_grid_is_meant(orm: None):
    receipt = await say("茶港社区第一网格门口灯坏了")
    assert await grid_of(receipt) == CHAGANG
    assert receipt.duty_phone == "027-55504567", "the resident is given the number of the place, not of home"


async def test_another_community_that_is_named_without_a_grid_finds_the_owner_itself(orm: None):
    receipt = await say("茶港社区门口灯坏了")
    case = await Case.get(id=receipt.case.id).select_related("area")
    assert (case.area.name, case.grid_id, case.status, receipt.holder) == ("茶港社区", None, Status.REPORTED, None)


async def test_the_own_community_named_changes_nothing(orm: None):
    assert await grid_of(await say("我们东亭社区的灯坏了")) == FIRST


async def test_a_position_wins_over_names_and_buildings(orm: None):
    await draw(CHAGANG, 114.34, 30.55)
    await house(SECOND, "3栋")
    receipt = await say("第三网格3栋灯坏了", longitude=114.345, latitude=30.555)
    assert await grid_of(receipt) == CHAGANG


async def test_a_position_in_a_hole_or_outside_says_nothing(orm: None):
    await draw(CHAGANG, 114.34, 30.55, holes=[[[114.343, 30.553], [114.347, 30.553], [114.345, 30.557]]])
    for point in ((114.345, 30.554), (114.36, 30.555)):
        assert await grid_of(await say(longitude=point[0], latitude=point[1])) == FIRST


async def test_on_the_edge_of_two_grids_it_is_the_residents_own(orm: None):
    await draw(FIRST, 114.34, 30.55)
    await draw(SECOND, 114.35, 30.55)
    for home in (FIRST, SECOND):
        person = await resident(f"o_{home}", home)
        assert await grid_of(await say(of=person, longitude=114.35, latitude=30.555)) == home


async def test_a_position_in_a_community_narrows_what_the_words_say(orm: None):
    await draw("429906001002", 114.34, 30.55)
    here = {"longitude": 114.345, "latitude": 30.555}
    assert await grid_of(await say("第一网格灯坏了", **here)) == CHAGANG
    await house(CHAGANG, "3栋")
    assert await grid_of(await say("3栋灯坏了", **here)) == CHAGANG
    assert await grid_of(await say("灯坏了", **here)) == "", "its community finds the grid"


@pytest.mark.parametrize("typed", ["LD-0231", "ld0231", "ＬＤ 0231", "路灯杆LD_0231"])
async def test_a_location_code_wins_over_everything(orm: None, typed: str):
    await draw(CHAGANG, 114.34, 30.55)
    post = await lamp_post("LD-0231", SECOND)
    receipt = await say(f"第三网格{typed}不亮", longitude=114.345, latitude=30.555)
    assert await grid_of(receipt) == SECOND
    assert (await Case.get(id=receipt.case.id)).component_id == post.id


async def test_a_bare_number_is_a_code_only_where_the_text_says_so(orm: None):
    await lamp_post("10231", SECOND)
    assert await grid_of(await say("路灯编号10231不亮")) == SECOND
    assert await grid_of(await say("10231号路灯不亮")) == SECOND
    assert await grid_of(await say("欠了10231元物业费")) == FIRST


async def test_somebody_without_a_grid_is_served_where_the_place_is_known(orm: None):
    await lamp_post("LD-0231", SECOND)
    person = await resident("o_guest", None)
    assert await grid_of(await say("LD-0231不亮", of=person)) == SECOND
    nowhere = await say("灯坏了", of=person)
    assert (nowhere.holder, nowhere.case.status) == (None, Status.REPORTED)


def test_buildings_are_read_however_they_are_written():
    assert find_buildings("三栋、3幢和3号楼") == ("3",)
    assert find_buildings("十二栋A座，b3#楼") == ("12", "a", "b3")
    assert find_buildings("灯坏了 十点以后") == ()


def test_phone_numbers_prices_rooms_buildings_and_buses_are_no_location_codes():
    assert find_codes("3栋2单元501室，电话13912345678，欠费2300元，B12栋，坐K602路") == ()
    assert find_codes("b12-0031坏了") == ("B120031",)


# Whose duty.


async def test_a_line_with_a_unit_gives_it_to_the_unit_of_the_cases_own_street(orm: None):
    ours = await Department.get(name="城管执法队")
    city = await Area.get(level=Level.CITY)
    other = await Area.create(code="429906002", level=Level.STREET, name="别的街道", parent_id=city.id)
    theirs = await Department.create(code="CG-QT", name="别处城管中队", kind="城管", area_id=other.id)
    await hire("牛队长", area_id=other.id, role=Role.DEPARTMENT_STAFF, department_id=theirs.id)
    line = await duty_line("street.stalls", Level.STREET, unit="城管")
    receipt = await say("占道摆摊", category="street.stalls")
    case = await Case.get(id=receipt.case.id)
    assert receipt.holder
    assert receipt.holder.label == "城管执法队马队长"
    assert (case.department_id, case.area_id, case.duty_id) == (ours.id, ours.area_id, line.id)
    assert await grid_of(receipt) == FIRST, "the grid stays the place's"


async def test_a_unit_that_was_not_entered_leaves_it_to_the_levels_own_staff(orm: None):
    await duty_line("street.stalls", Level.STREET, unit="水务")
    receipt = await say("占道摆摊", category="street.stalls")
    assert receipt.holder
    assert receipt.holder.name == "周科长"


async def test_a_grid_without_a_worker_leaves_it_to_the_community(orm: None):
    await Staff.filter(name="王芳").update(active=False)
    receipt = await say()
    assert receipt.holder
    assert receipt.holder.label == "东亭社区李主任"
    assert (await Case.get(id=receipt.case.id)).area_id == receipt.holder.area_id


async def test_a_line_that_wants_a_person_to_accept_waits_for_the_community(orm: None):
    await duty_line(LAMP, Level.GRID, auto_accept=False)
    receipt = await say()
    assert (receipt.holder, receipt.case.status) == (None, Status.REPORTED)
    assert await grid_of(receipt) == FIRST
    async with transaction():
        way = await route(await Case.get(id=receipt.case.id), NOW)
    assert way.by_rule is False


async def test_what_no_line_names_stays_with_the_first_unit_until_another_accepts(orm: None):
    unit = await Department.get(name="城管执法队")
    receipt = await say("说不清是谁管", category="other")
    case = await Case.get(id=receipt.case.id)
    case.department_id, case.area_id = unit.id, unit.area_id
    await case.save()
    ma = await Staff.get(name="马队长")
    async with transaction():
        again = await route(case, NOW, exclude=[ma.id])
    assert not again.clear
    assert (again.department_id, again.holder and again.holder.name) == (unit.id, "钱队员")


async def test_a_case_that_was_escalated_is_not_given_back_to_the_grid(orm: None):
    receipt = await say()
    case = await Case.get(id=receipt.case.id)
    case.area_id = (await Area.get(code="429906001")).id
    async with transaction():
        way = await route(case, NOW)
    assert way.holder
    assert way.holder.name == "周科长"


async def test_who_sent_it_back_does_not_get_it_again(orm: None):
    await hire("小张")
    receipt = await say()
    assert receipt.holder
    async with transaction():
        way = await route(await Case.get(id=receipt.case.id), NOW, exclude=[receipt.holder.id])
    assert {receipt.holder.name, way.holder and way.holder.name} == {"王芳", "小张"}


# Who.


async def test_the_least_busy_gets_it_and_of_two_as_busy_who_waited_longer(orm: None):
    await hire("小张")
    got = [(await say(of=await resident(f"o_{turn}"))).holder for turn in range(4)]
    assert [post and post.name for post in got] == ["王芳", "小张", "王芳", "小张"]
    await Case.filter(holder__name="王芳").update(status=Status.DISPOSED)
    third = await say()
    assert third.holder
    assert third.holder.name == "王芳", "what waits for a check is no work of hers"


async def test_fair_over_time_although_everything_is_done_at_once(orm: None):
    for name in ("小张", "小李"):
        await hire(name)
    served = Counter[str]()
    for turn in range(9):
        draft = Draft("灯坏了", LAMP, "楼道照明损坏")
        receipt = await report(await resident(), draft, NOW + timedelta(minutes=turn))
        assert receipt.holder
        served[receipt.holder.name] += 1
        await Case.filter(id=receipt.case.id).update(status=Status.DISPOSED)
    assert set(served.values()) == {3}


async def test_twenty_reports_at_once_spread_evenly_and_exceed_no_cap(orm: None):
    await Staff.filter(name="王芳").update(capacity=4)
    await hire("小张", capacity=3)
    await hire("小李", capacity=20)
    people = [await resident(f"o_{turn}") for turn in range(20)]
    receipts = await asyncio.gather(*(say(of=person) for person in people))
    held = Counter(receipt.holder.name for receipt in receipts if receipt.holder)
    assert held == {"王芳": 4, "小张": 3, "小李": 13}

    await Staff.filter(name="小李").update(capacity=13)
    more = await asyncio.gather(*(say(of=person) for person in people))
    assert [receipt.holder for receipt in more] == [None] * 20
    assert {receipt.case.status for receipt in more} == {Status.ACCEPTED}
    assert all(receipt.case.due_at for receipt in more), "the clock runs from acceptance, holder or not"


async def test_twenty_at_once_are_shared_alike(orm: None):
    for name in ("小张", "小李", "小周"):
        await hire(name)
    people = [await resident(f"o_{turn}") for turn in range(20)]
    receipts = await asyncio.gather(*(say(of=person) for person in people))
    assert set(Counter(receipt.holder.name for receipt in receipts if receipt.holder).values()) == {5}


async def test_an_emergency_is_given_to_somebody_even_when_all_are_full(orm: None):
    await Staff.filter(name="王芳").update(capacity=0)
    assert (await say()).holder is None
    alarm = await say("有人晕倒了", urgent=True)
    assert alarm.holder
    assert alarm.holder.name == "王芳"


async def test_who_is_away_is_replaced_by_their_deputy(orm: None):
    await away("王芳", "刘洋")
    receipt = await say()
    assert receipt.holder
    assert receipt.holder.name == "刘洋"
    case = await Case.get(id=receipt.case.id).select_related("area")
    assert case.area.code == FIRST, "the duty stays the grid's"


async def test_a_deputy_is_no_busier_than_their_own_capacity(orm: None):
    await away("王芳", "刘洋")
    await Staff.filter(name="刘洋").update(capacity=1)
    assert (await say()).holder
    assert (await say()).holder is None


async def test_who_is_away_without_a_deputy_leaves_the_case_waiting_and_the_community_told(orm: None):
    await away("王芳")
    receipt = await say()
    assert (receipt.holder, receipt.case.status) == (None, Status.ACCEPTED)
    told = await Outbox.get(case_id=receipt.case.id)
    assert (told.recipient, "有人空出来就自动派" in told.payload["text"]) == ("o_sim_community_li", True)


async def test_an_emergency_goes_up_when_nobody_of_the_grid_is_there(orm: None):
    await away("王芳")
    alarm = await say("有人晕倒了", urgent=True)
    assert alarm.holder
    assert alarm.holder.label == "东亭社区李主任"


# Refilling.


async def test_who_frees_up_gets_the_urgent_first_and_then_the_oldest(orm: None):
    await Staff.filter(name="王芳").update(capacity=0)
    first, second = (await say()).case, (await say()).case
    pressing = (await say()).case
    await Case.filter(id=pressing.id).update(urgency="urgent", accepted_at=NOW + timedelta(hours=1))
    await Case.filter(id=second.id).update(accepted_at=NOW - timedelta(hours=1))
    assert await refill(NOW) == 1, "the emergency is given although she is full"
    assert await held() == [pressing.id]

    await Staff.filter(name="王芳").update(capacity=2)
    assert await refill(NOW) == 1
    assert await held() == [second.id, pressing.id]
    await Case.filter(id=pressing.id).update(status=Status.DISPOSED)
    assert await refill(NOW) == 1
    assert await held() == [first.id, second.id]
    assert await refill(NOW) == 0


async def held() -> list[int]:
    return [case.id for case in await Case.filter(status=Status.DISPATCHED).order_by("id")]


async def test_a_refilled_case_is_told_and_audited_like_any_other(orm: None):
    await Staff.filter(name="王芳").update(capacity=0)
    case = (await say()).case
    neighbour = await resident("o_neighbour")
    await Follower.create(case_id=case.id, resident_id=neighbour.resident_id, since=NOW)
    await Outbox.all().delete()
    await Staff.filter(name="王芳").update(capacity=1)
    assert await refill(NOW) == 1
    told = {job.recipient: job.payload["text"] for job in await Outbox.all()}
    assert set(told) == {"o_sim_grid_wang", "o_resident", "o_neighbour"}
    assert "已交给网格员王芳" in told["o_resident"]
    assert (await CaseEvent.filter(case_id=case.id).order_by("-id").first()).text == "已交给网格员王芳"
    assert (await AuditEvent.filter(object_id=case.id).order_by("-id").first()).tag == "case:dispatch"


async def test_what_was_sent_back_waits_for_a_person(orm: None):
    await Staff.filter(name="王芳").update(capacity=0)
    case = (await say()).case
    await Case.filter(id=case.id).update(returned=1)
    await Staff.filter(name="王芳").update(capacity=1)
    assert await refill(NOW) == 0


async def test_a_full_unit_does_not_hold_up_the_others(orm: None):
    await Staff.filter(name__in=["王芳", "刘洋"]).update(capacity=0)
    for turn in range(3):
        await say(of=await resident(f"o_{turn}"))
    other = (await say(of=await resident("o_other", SECOND))).case
    await Staff.filter(name="刘洋").update(capacity=1)
    assert await refill(NOW) == 1
    assert await held() == [other.id]


async def test_two_that_refill_at_once_give_each_case_once_and_exceed_no_cap(orm: None):
    await Staff.filter(name="王芳").update(capacity=0)
    for turn in range(8):
        await say(of=await resident(f"o_{turn}"))
    await Staff.filter(name="王芳").update(capacity=5)
    await asyncio.gather(refill(NOW), refill(NOW), refill(NOW))
    assert len(await held()) == 5
    assert await CaseEvent.filter(verb="dispatch").count() == 5


async def test_whoever_finishes_something_gets_the_next_at_once_and_the_dispatcher_sees_what_waits(town: Town):
    await Staff.filter(name="王芳").update(capacity=1)
    for said in ("3栋2单元楼道灯坏了好几天了", "5栋1单元楼道灯坏了"):
        await town.say(CHEN, said)
        answer = await town.say(CHEN, "1")
    assert "社区安排好人就告诉您" in answer
    await town.deliver()
    assert "有人空出来就自动派" in town.last(LI)
    assert "待派 1 件" in await town.say(LI, "待办")
    await town.say(WANG, "办好了 0001")
    await town.photo(WANG)
    await town.say(WANG, "换了灯泡和开关")
    await town.deliver()
    assert "新任务 0002" in town.last(WANG)
    assert any("0002 楼道照明损坏：已交给网格员王芳" in text for text in town.heard(CHEN))
    assert "没有待办" in await town.say(LI, "待办")


async def test_a_dispatcher_who_names_a_grid_leaves_the_choice_to_routing_and_who_names_a_person_does_not(town: Town):
    await hire("小刘", grid=SECOND)
    liu = await Staff.get(name="刘洋")
    for turn, (said, got) in enumerate(
        [("第二网格", "刘洋"), ("第二网格", "小刘"), ("刘洋", "刘洋"), ("第二网格", "小刘")]
    ):
        case = (await say(of=await resident(f"o_{turn}"))).case
        await Case.filter(id=case.id).update(status=Status.ACCEPTED, holder_id=None)
        await town.say(LI, f"派 {case.number[-4:]} {said}")
        after = await Case.get(id=case.id).select_related("holder", "grid")
        assert (after.holder.name, after.grid.code) == (got, SECOND)
    await Absence.create(
        staff_id=liu.id, deputy=await Staff.get(name="赵敏"), starts_at=NOW, ends_at=NOW + timedelta(days=1)
    )
    case = (await say()).case
    await Case.filter(id=case.id).update(status=Status.ACCEPTED, holder_id=None)
    assert "已派给网格员赵敏" in await town.say(LI, f"派 {case.number[-4:]} 刘洋")
    assert (await Case.get(id=case.id).select_related("area")).area.code == SECOND


async def test_two_who_finish_at_once_get_one_of_the_waiting_each(orm: None):
    await Staff.filter(name="王芳").update(capacity=1)
    await hire("小张", capacity=1)
    people = [await resident(f"o_{turn}") for turn in range(6)]
    for person in people:
        await say(of=person)
    in_hand = await Case.filter(status=Status.DISPATCHED).select_related("holder")
    await Duty.all().update(closing_photo=False)
    done = [
        dispose(await find_person(case.holder.openid, NOW), case.id, "换了灯泡和开关，都亮了", NOW) for case in in_hand
    ]
    await asyncio.gather(*done)
    held_now = Counter(case.holder_id for case in await Case.filter(status=Status.DISPATCHED))
    assert sorted(held_now.values()) == [1, 1]
    assert await Case.filter(status=Status.ACCEPTED).count() == 2
