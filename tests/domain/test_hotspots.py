"""A place where something comes up far more often than it used to is found; an ordinary week is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from domain.hot_matters import all_hotspots, refresh_hotspots
from domain.hotspots import DAYS, LEAST, WEEKS, HotSpot, chance_of, find_hotspots
from models.cases import Case, Follower
from models.enums import Source, Status, Urgency
from models.people import Area, Resident
from tests.town import CHEN, LI, ZHOU, Town

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
FIRST, SECOND = "429906001001001", "429906001001002"
STREET, CHAGANG = "429906001", "429906001002"


async def people(count: int) -> list[Resident]:
    before = await Resident.all().count()
    return [await Resident.create(openid=f"o_{before + n}", created_at=NOW) for n in range(count)]


async def said(who: Resident, days_ago: float, *, grid: str = FIRST, kind: str = "rubbish.overflow", **more) -> Case:
    """One report of a resident, some days ago."""
    area = await Area.get(code=grid)
    number = await Case.all().count() + 1
    return await Case.create(
        number=f"20261001-{number:05}",
        status=Status.CLOSED,
        category=kind,
        subject="垃圾满溢",
        urgency=Urgency.NORMAL,
        source=Source.WECHAT,
        description="又满了",
        reporter_id=who.id,
        grid_id=area.id,
        area_id=area.id,
        reported_at=NOW - timedelta(days=days_ago),
        **more,
    )


async def weekly(each: int, **where) -> None:
    """The same few reports in every week of the past and in this one."""
    for week in range(WEEKS + 1):
        for resident in await people(each):
            await said(resident, 7 * week + 3.5, **where)


async def spots(code: str = STREET) -> list[tuple[str, int, bool]]:
    found = await find_hotspots((await Area.get(code=code)).id, NOW)
    return [(spot.place, spot.count, spot.near) for spot in found]


async def test_what_comes_up_far_more_often_than_it_used_to_is_found(orm: None):
    await weekly(1)
    for resident in await people(8):
        await said(resident, 2)
    found = await find_hotspots((await Area.get(code=STREET)).id, NOW)
    assert [(spot.place, spot.count, spot.usual) for spot in found] == [("第一网格", 9, 1.0)]
    assert found[0].chance < 1e-4
    assert len(found[0].case_ids) == 9


@pytest.mark.parametrize("each", [1, 4, 12])
async def test_the_same_every_week_is_not(orm: None, each: int):
    await weekly(each)
    assert await spots() == []


async def test_a_place_that_is_always_busy_needs_more_than_a_quiet_one(orm: None):
    await weekly(6)
    await weekly(1, grid=SECOND)
    for grid in (FIRST, SECOND):
        for resident in await people(6):
            await said(resident, 1, grid=grid)
    assert await spots() == [("第二网格", 7, False)], "12 where 6 are usual is a bad week; 7 where 1 is usual is not"


async def test_fewer_than_the_least_are_no_alarm_however_unusual(orm: None):
    for resident in await people(LEAST - 1):
        await said(resident, 1)
    assert await spots() == []


async def test_one_resident_counts_once_a_week_however_often_they_write(orm: None):
    (angry,) = await people(1)
    for day in range(7):
        await said(angry, day + 0.5)
    assert await spots() == []


async def test_who_joined_counts_like_who_reported(orm: None):
    first, *others = await people(7)
    case = await said(first, 1)
    assert await spots() == []
    for resident in others:
        await Follower.create(case_id=case.id, resident_id=resident.id, since=NOW - timedelta(hours=3))
    assert await spots() == [("第一网格", 7, False)]


async def test_different_kinds_and_other_places_are_not_added_up(orm: None):
    for place, kind in ((FIRST, "dog.unleashed"), (FIRST, "rubbish.overflow"), (SECOND, "rubbish.overflow")):
        for resident in await people(3):
            await said(resident, 1, grid=place, kind=kind)
    assert await spots() == []


async def test_a_spot_within_a_grid_is_named_by_what_people_call_it(orm: None):
    for place in ("东门垃圾点", "东门垃圾点", "东门", "东门垃圾点", ""):
        for resident in await people(1):
            await said(resident, 1, latitude=30.5501, longitude=114.3501, place=place)
    assert await spots() == [("第一网格（东门垃圾点一带）", 5, True)]


async def test_staff_see_their_own_area_only(orm: None):
    for resident in await people(8):
        await said(resident, 1)
    assert await spots(CHAGANG) == []
    assert await spots(FIRST) == [("第一网格", 8, False)]


@pytest.mark.parametrize(("recent", "total"), [(4, 4), (9, 17), (3, 40), (30, 90), (1, 1), (0, 5)])
def test_the_probability_is_that_of_reports_thrown_one_by_one_into_recent_and_past(recent: int, total: int):
    share = Fraction(DAYS, DAYS + 7 * WEEKS)
    thrown = [Fraction(1)]  # thrown[k]: the probability that k of the reports so far are recent
    for _ in range(total):
        thrown = [past * (1 - share) + new * share for past, new in zip([*thrown, 0], [0, *thrown], strict=True)]
    assert chance_of(recent, total, float(share)) == pytest.approx(float(sum(thrown[recent:])), rel=1e-9)


async def test_staff_ask_for_hot_spots_in_chat_and_residents_have_none(town: Town):
    assert "没有比平时明显多的事" in await town.say(LI, "热点")
    now = town.clock() - NOW
    for resident in await people(8):
        await said(resident, 1 - now.total_seconds() / 86400)
    answer = await town.say(ZHOU, "热点")
    assert "1 第一网格 垃圾满溢：近 7 天 8 人反映，平时一周 不到 1 人" in answer
    assert "垃圾满溢" in await town.say(ZHOU, "1")
    assert "工作人员用的" in await town.say(CHEN, "热点")


PLANT = [
    ("noise.site", "菜场旁边的搅拌站半夜还在轰鸣，睡不着"),
    ("air.dust", "菜场边上搅拌厂灰尘太大，窗户不敢开"),
    ("noise.site", "搅拌站夜里太吵，菜场这边没法休息"),
    ("air.dust", "菜场旁的搅拌站扬尘严重，搅拌站归谁管"),
    ("noise.neighbour", "菜场旁边搅拌站夜里轰鸣，吵得睡不着"),
]


async def tell(told: list[tuple[str, str]], days_ago: float = 1, grid: str = FIRST) -> None:
    for resident, (kind, text) in zip(await people(len(told)), told, strict=True):
        case = await said(resident, days_ago, grid=grid, kind=kind, place="菜场")
        await Case.filter(id=case.id).update(description=text)


async def matters(code: str = STREET) -> list[HotSpot]:
    return await all_hotspots((await Area.get(code=code)).id, NOW)


async def test_one_matter_put_under_several_kinds_is_found_by_what_is_said(orm: None):
    await tell(PLANT)
    assert await spots() == [], "no kind alone has enough"
    (found,) = await matters()
    assert (found.place, found.count, len(found.case_ids)) == ("第一网格（菜场一带）", 5, 5)
    assert found.line.startswith("第一网格（菜场一带） ")
    assert await matters(CHAGANG) == []


async def test_a_matter_that_is_said_every_week_is_not_hot(orm: None):
    for week in range(WEEKS + 1):
        await tell(PLANT, 7 * week + 1)
    assert await matters() == []


async def test_different_matters_of_a_grid_are_not_one(orm: None):
    await tell(
        [
            ("lift.fault", "3栋电梯坏了"),
            ("parking", "门口车乱停"),
            ("noise.square", "广场舞太吵"),
            ("air.dust", "工地灰尘大"),
        ]
    )
    assert await matters() == []


async def test_one_angry_resident_makes_no_matter_hot(orm: None):
    (angry,) = await people(1)
    for at, (kind, text) in enumerate(PLANT):
        case = await said(angry, at, kind=kind)
        await Case.filter(id=case.id).update(description=text)
    assert await matters() == []


async def test_what_a_kind_shows_already_is_shown_once(orm: None):
    await tell([("noise.site", text) for _, text in PLANT] + [PLANT[1]])
    assert [spot.near for spot in await matters()] == [False]


async def test_the_hot_spots_of_an_area_with_many_places_are_those_of_its_parts(orm: None):
    (community,) = await Area.filter(code="429906001001")
    known = {"parent_id": community.id, "level": "grid"}
    more = [Area(**known, name=f"{n} 网格", code=f"{community.code}9{n:03}") for n in range(150)]
    await Area.bulk_create(more)
    await tell(PLANT)
    for resident in await people(8):
        await said(resident, 1, grid=SECOND)
    of_grids = [*await matters(FIRST), *await matters(SECOND)]
    assert sorted(spot.case_ids for spot in await matters()) == sorted(spot.case_ids for spot in of_grids) != []


async def test_what_was_counted_lately_is_shown_for_half_an_hour_and_counted_again_after_ten_minutes(orm: None):
    await tell(PLANT)
    for resident in await people(8):
        await said(resident, 1, grid=SECOND)
    street = (await Area.get(code=STREET)).id
    counted = await all_hotspots(street, NOW)
    assert await refresh_hotspots(NOW) == await Area.exclude(level="grid").count()
    await Case.all().delete()
    assert await all_hotspots(street, NOW) == counted != []
    assert await all_hotspots(street, NOW + timedelta(minutes=29)) == counted
    assert await all_hotspots(street, NOW + timedelta(minutes=30)) == []
    district = (await Area.get(level="district")).id
    assert await all_hotspots(district, NOW + timedelta(hours=23)) == counted, "none waits while a district is counted"
    assert await all_hotspots(district, NOW + timedelta(hours=24)) == []
    assert await all_hotspots(street, NOW - timedelta(days=1)) == [], "what is looked at is another day"
    assert await refresh_hotspots(NOW + timedelta(minutes=9)) == 0
    assert await refresh_hotspots(NOW + timedelta(minutes=10)) > 0
    assert await all_hotspots(street, NOW + timedelta(minutes=11)) == []
