"""Which open case is probably the same matter as what is being reported, and who follows it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.duplicates import find_similar, followed, followers_openids, join, leave, likely_duplicates, public_place
from domain.people import Person, find_person, join_grid
from domain.reports import Draft, report
from errors import Conflict, NotFound
from models.audit import AuditEvent
from models.cases import Case, CaseEvent, Follower
from models.enums import Urgency
from models.messaging import Outbox
from models.people import Area, Component, Household

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
FIRST, SECOND, CHAGANG = "429906001001001", "429906001001002", "429906001002001"
EAST_GATE = {"longitude": 114.3500, "latitude": 30.5500}
METRE = 1 / 95_760  # degrees of longitude, there


async def resident(openid: str, grid: str = FIRST) -> Person:
    await join_grid(await find_person(openid, NOW), NOW, code=grid)
    return await find_person(openid, NOW)


def draft(text: str, place: str = "", kind: str = "lighting.corridor", **more: Any) -> Draft:
    return Draft(text, kind, "楼道照明损坏", place=place, **more)


async def reported(text: str, place: str = "", *, grid: str = FIRST, **more: Any) -> Case:
    by = await resident(f"o_reporter_{grid}", grid)
    return (await report(by, draft(text, place, **more), NOW)).case


async def found(text: str, place: str = "", *, grid: str = FIRST, **more: Any) -> int | None:
    similar = await find_similar(await resident(f"o_asks_{grid}", grid), draft(text, place, **more), NOW)
    return similar.case_id if similar else None


@pytest.mark.parametrize(
    ("here", "there", "kind", "same"),
    [
        ("3栋2单元", "三幢2单元", "lighting.corridor", True),
        ("3栋2单元", "3栋", "lighting.corridor", True),
        ("3栋2单元", "3栋5单元", "lighting.corridor", False),
        ("3栋", "13栋", "lighting.corridor", False),
        ("3栋", "", "lighting.corridor", False),
        ("3栋2单元", "7栋1单元", "utility.water_off", True),  # one pipe feeds the estate
        ("", "", "utility.water_off", True),
        ("", "", "lighting.corridor", False),
        ("东门垃圾点", "东门的垃圾点", "rubbish.overflow", True),
        ("东门", "小区东门口", "rubbish.overflow", True),
        ("东门垃圾点", "西门菜场", "rubbish.overflow", False),
        ("3栋", "3栋", "noise.neighbour", False),  # nobody else's business
        ("3栋", "3栋", "welfare.allowance", False),
        ("3栋", "3栋", "other", False),
    ],
)
async def test_words_tell_the_same_place(orm: None, here: str, there: str, kind: str, same: bool):
    case = await reported("坏了", there, kind=kind)
    assert await found("又坏了", here, kind=kind) == (case.id if same else None)


async def test_another_kind_of_matter_at_the_same_place_is_another_matter(orm: None):
    await reported("灯坏了", "3栋")
    assert await found("堵了", "3栋", kind="drain.blocked") is None


@pytest.mark.parametrize(("metres", "same"), [(0, True), (55, True), (100, False), (400, False)])
async def test_positions_tell_it_within_the_kinds_own_radius(orm: None, metres: float, same: bool):
    case = await reported("灯坏了", **EAST_GATE)
    there = EAST_GATE | {"longitude": EAST_GATE["longitude"] + metres * METRE}
    assert await found("不亮", **there) == (case.id if same else None)
    assert await found("不亮", **there, grid=CHAGANG) == (case.id if same else None), "also across a border"


async def test_positions_far_apart_speak_against_equal_words(orm: None):
    await reported("灯坏了", "东门", **EAST_GATE)
    far = EAST_GATE | {"longitude": EAST_GATE["longitude"] + 300 * METRE}
    assert await found("灯坏了", "东门", **far) is None


async def test_the_nearest_is_offered(orm: None):
    near = EAST_GATE | {"longitude": EAST_GATE["longitude"] + 10 * METRE}
    far = EAST_GATE | {"longitude": EAST_GATE["longitude"] + 40 * METRE}
    await reported("灯坏了", **far)
    best = await reported("灯坏了", **near)
    assert await found("不亮", **EAST_GATE) == best.id


async def test_a_location_code_tells_it_for_sure(orm: None):
    for code in ("LD-0231", "LD-0232"):
        await Component.create(code=code, kind="路灯", grid=await Area.get(code=FIRST))
    case = await reported("LD-0231不亮", kind="lighting.street")
    assert await found("ld0231又灭了", kind="lighting.street", grid=CHAGANG) == case.id
    assert await found("LD-0232不亮", kind="lighting.street") is None


async def test_the_same_number_in_another_grid_is_another_building(orm: None):
    case = await reported("灯坏了", "3栋", grid=SECOND)
    assert await found("灯坏了", "3栋") is None
    await Household.create(grid=await Area.get(code=SECOND), building="3栋", room="101")
    assert await found("灯坏了", "3栋") == case.id, "the register says that the 3rd building is over there"


async def test_what_is_old_done_ones_own_or_followed_is_not_offered(orm: None):
    case = await reported("灯坏了", "3栋")
    assert await found("灯坏了", "3栋") == case.id
    own = await find_person(f"o_reporter_{FIRST}", NOW)
    assert await find_similar(own, draft("灯坏了", "3栋"), NOW) is None
    assert await find_similar(await resident("o_late"), draft("灯坏了", "3栋"), NOW + timedelta(days=31)) is None
    await join(await find_person(f"o_asks_{FIRST}", NOW), case.id, draft("我家也是"), NOW)
    assert await found("灯坏了", "3栋") is None
    await Case.filter(id=case.id).update(status="disposed")
    assert await find_similar(await resident("o_new"), draft("灯坏了", "3栋"), NOW) is None


async def test_an_emergency_is_never_held_up(orm: None):
    await reported("起火了", "3栋", kind="fire.charging")
    assert await found("起火了", "3栋", kind="fire.charging", urgent=True) is None


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("3栋2单元501室", "3栋2单元"),
        ("3栋2单元5楼501", "3栋2单元5楼"),
        ("3-2-501", "3-2"),
        ("三栋二单元五零一", "三栋二单元"),
        ("三杠二杠五零一", "三杠二"),
        ("8号601", "8号"),
        ("住302", ""),
        ("5楼503室", "5楼"),
        ("王大妈家楼下", "楼下"),
        ("王大妈家门口", ""),
        ("王建国3栋", "3栋"),
        ("长江路128号", "长江路128号"),
        ("张建国13900001111", ""),
        ("东门垃圾点", "东门垃圾点"),
    ],
)
def test_neighbours_read_no_room_and_no_name(said: str, shown: str):
    assert public_place(said) == shown


async def test_what_neighbours_may_not_see_cannot_be_joined_even_by_its_id(orm: None):
    case = await reported("天天打骂", "3栋", kind="noise.neighbour")
    with pytest.raises(NotFound):
        await join(await resident("o_curious"), case.id, draft("我也是"), NOW)
    with pytest.raises(NotFound):
        await join(await resident("o_curious"), 999_999, draft("我也是"), NOW)
    assert await Follower.all().count() == 0


async def test_a_closed_case_cannot_be_joined_and_nothing_is_left_behind(orm: None):
    case = await reported("灯坏了", "3栋")
    await Case.filter(id=case.id).update(status="closed")
    with pytest.raises(Conflict):
        await join(await resident("o_late"), case.id, draft("我也是"), NOW)
    assert await Follower.all().count() == 0
    assert (await Case.get(id=case.id)).joined == 0


async def test_twenty_who_join_at_once_are_twenty(orm: None):
    case = await reported("灯坏了", "3栋")
    people = [await resident(f"o_{turn}") for turn in range(20)]
    await asyncio.gather(*(join(person, case.id, draft("我家也是"), NOW) for person in people))
    after = await Case.get(id=case.id)
    assert (after.joined, after.urgency) == (20, Urgency.PRESSING)
    assert len(await followers_openids(case.id)) == 20
    assert await CaseEvent.filter(case_id=case.id, text="反映的人多，改为较急").count() == 1
    assert await Outbox.filter(case_id=case.id, recipient="o_sim_grid_wang").count() == 1 + 18, (
        "the task, then from the third"
    )


async def test_one_who_joins_twice_at_once_follows_once(orm: None):
    case = await reported("灯坏了", "3栋")
    person = await resident("o_hasty")
    results = await asyncio.gather(
        *(join(person, case.id, draft("我家也是"), NOW) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(result, Conflict) for result in results) == 3
    assert (await Case.get(id=case.id)).joined == 1


async def test_an_urgent_case_stays_urgent_however_many_join(orm: None):
    case = await reported("灯坏了", "3栋")
    await Case.filter(id=case.id).update(urgency="urgent")
    await join(await resident("o_one"), case.id, draft("我家也是"), NOW, many=1)
    assert (await Case.get(id=case.id)).urgency is Urgency.URGENT


async def test_leaving_is_audited_and_only_for_who_follows(orm: None):
    case = await reported("灯坏了", "3栋")
    person, stranger = await resident("o_one"), await resident("o_two")
    await join(person, case.id, draft("我家也是"), NOW)
    assert [one.case_id for one in await followed(person)] == [case.id]
    with pytest.raises(NotFound):
        await leave(stranger, case.id, NOW)
    await leave(person, case.id, NOW)
    assert await followed(person) == []
    assert (await AuditEvent.filter(object_id=case.id).order_by("-id").first()).tag == "case:leave"
    assert not await CaseEvent.filter(case_id=case.id, verb="leave", public=True).exists()


async def test_staff_are_shown_likely_duplicates_of_private_matters_too(orm: None):
    first = await reported("天天打骂", "3栋2单元", kind="noise.neighbour")
    second = await reported("又吵起来了", "3栋2单元", kind="noise.neighbour")
    await reported("吵", "5栋", kind="noise.neighbour")
    assert [case.id for case in await likely_duplicates(first.id, NOW)] == [second.id]


SITE = {"kind": "noise.site"}


@pytest.mark.parametrize(
    ("here", "there", "same"),
    [
        ("菜场旁边搅拌站灰尘大，窗户不敢开", "菜场那个搅拌厂扬尘太大，没法开窗", True),
        ("滨江公园健身器材断了", "滨江公园的运动器材坏了好几个", True),
        ("滨江公园健身器材断了", "滨江公园厕所没人打扫", False),
        ("坏了", "又坏了", False),
    ],
)
async def test_what_is_said_tells_the_same_matter_where_no_place_was_given(
    orm: None, here: str, there: str, same: bool
):
    case = await reported(there, kind="green.park")
    assert await found(here, kind="green.park") == (case.id if same else None)


async def test_the_same_matter_put_under_another_kind_is_offered_too(orm: None):
    case = await reported("幸福路那边工地夜里施工，吵得全家没法休息", "幸福路", kind="noise.traffic")
    assert await found("幸福路工地凌晨还在施工打桩，吵得睡不着", "幸福路", **SITE) == case.id
    assert await found("幸福路路灯坏了", "幸福路", kind="lighting.street") is None
    assert await found("幸福路工地凌晨还在施工打桩，吵得睡不着", "幸福路", grid=SECOND, **SITE) is None, "another grid"


async def test_a_private_matter_in_like_words_is_not_offered_to_neighbours_but_shown_to_staff(orm: None):
    private = await reported("幸福路那边工地夜里施工，吵得全家没法休息", "幸福路", kind="noise.neighbour")
    assert await found("幸福路工地凌晨还在施工打桩，吵得睡不着", "幸福路", **SITE) is None
    second = await reported("幸福路工地凌晨还在施工打桩，吵得睡不着", "幸福路", **SITE)
    assert [case.id for case in await likely_duplicates(second.id, NOW)] == [private.id]


async def test_what_is_of_the_kind_comes_before_what_is_only_alike_in_words(orm: None):
    alike = await reported("幸福路那边工地夜里施工，吵得全家没法休息", "幸福路", kind="noise.traffic")
    of_the_kind = await reported("工地太吵", "幸福路", **SITE)
    asked = await reported("幸福路工地凌晨还在施工打桩，吵得睡不着", "幸福路", **SITE)
    assert [case.id for case in await likely_duplicates(asked.id, NOW)] == [of_the_kind.id, alike.id]
