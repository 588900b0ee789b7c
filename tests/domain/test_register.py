"""A report goes to the grid of the place it names, however that is written; what is known of places is kept in memory
and is as new as the database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from domain import register
from domain.people import Person, find_person, join_grid
from domain.places import Spot, known_as, locate
from models.database import transaction
from models.people import Area, Component, Household, PlaceVersion
from tests.domain.tables import areas, imported, sheet

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
FIRST, SECOND, THIRD, CHAGANG = "429906001001001", "429906001001002", "429906001001003", "429906001002001"


async def house(grid: str, building: str) -> None:
    await Household.create(grid=await Area.get(code=grid), building=building, unit="1单元", room="101")


async def thing(grid: str, code: str, kind: str = "路灯", place: str = "") -> Component:
    return await Component.create(code=code, kind=kind, place=place, grid=await Area.get(code=grid))


async def resident(grid: str | None = FIRST) -> Person:
    person = await find_person("o_resident", NOW)
    if grid:
        await join_grid(person, NOW, code=grid)
    return await find_person("o_resident", NOW)


async def spot(words: str, grid: str | None = FIRST, **position: Any) -> Spot:
    async with transaction():
        return await locate(words, (await resident(grid)).home, **position)


async def where(words: str, grid: str | None = FIRST) -> str:
    """The code of the area a report of somebody of `grid` starts from; "" for nowhere."""
    found = await spot(words, grid)
    return (await Area.get(id=found.area_id)).code if found.area_id else ""


async def town_of_estates() -> None:
    for grid, buildings in {
        FIRST: ("阳光花园1栋", "阳光花园2栋", "翠湖小区1栋"),
        SECOND: ("阳光花园3栋", "阳光花园12栋"),
        CHAGANG: ("金域蓝湾B座", "翠湖小区9栋"),
    }.items():
        for building in buildings:
            await house(grid, building)


@pytest.mark.parametrize(
    ("said", "grid"),
    [
        ("阳光花园3栋灯坏了", SECOND),
        ("阳光花园三幢灯坏了", SECOND),
        ("阳光小区十二号楼漏水", SECOND),
        ("阳光12#漏水", SECOND),
        ("杨光花园3栋灯坏了", SECOND),
        ("我是翠湖小区9栋的，没水", CHAGANG),
        ("金域兰湾b座电梯坏了", CHAGANG),
        ("金域蓝湾停水了", CHAGANG),
    ],
)
async def test_a_building_of_a_named_estate_is_in_its_grid(orm: None, said: str, grid: str):
    await town_of_estates()
    assert await where(said) == grid


async def test_an_estate_in_several_grids_is_the_residents_own_if_it_is_one_of_them(orm: None):
    await town_of_estates()
    assert await where("阳光花园停水了", FIRST) == FIRST
    assert await where("阳光花园停水了", SECOND) == SECOND
    assert await where("阳光花园停水了", THIRD) == THIRD, "their own grid: nothing says which of the others"


async def test_somebody_without_a_grid_is_found_by_the_estate(orm: None):
    await town_of_estates()
    assert await where("阳光花园3栋灯坏了", None) == SECOND
    assert await where("阳光花园停水了", None) == (await Area.get(name="东亭社区")).code
    assert await where("翠湖小区停水了", None) == "", "it is in two communities"


async def test_a_community_that_is_named_says_which_estate_of_two_is_meant(orm: None):
    await house(CHAGANG, "翠湖小区3栋")
    await house(SECOND, "翠湖小区3栋")
    assert await where("翠湖小区3栋没水") == SECOND, "the one in the resident's own community"
    assert await where("茶港社区翠湖小区3栋没水") == CHAGANG


async def test_a_grid_that_is_named_wins_over_an_estate(orm: None):
    await town_of_estates()
    assert await where("第三网格阳光花园3栋") == THIRD


async def test_names_of_areas_may_be_misspelt(orm: None):
    assert await where("茶岗社区第一网格门口灯坏了") == CHAGANG
    assert await where("第3网格灯坏了") == THIRD


async def test_where_a_thing_stands_says_something_of_the_house_number_and_of_the_own_community(orm: None):
    await thing(SECOND, "LD-1", place="长江路12号")
    await thing(THIRD, "LD-2", place="菜场门口")
    await thing(CHAGANG, "LD-3", place="粮站门口")
    assert await where("长江路十二号门前路灯不亮") == SECOND
    assert await where("长江路99号门前路灯不亮") == FIRST
    assert await where("菜场门口路灯不亮") == THIRD
    assert await where("粮站门口路灯不亮") == FIRST, "every community may have one"


async def test_the_digits_of_a_code_are_enough_in_the_own_community(orm: None):
    post = await thing(SECOND, "LD-0231")
    await thing(THIRD, "JG-0231", "井盖")
    assert (await spot("灯杆0231不亮")).component_id == post.id
    assert await where("灯杆0231不亮") == SECOND
    assert await where("井盖0231翘了") == THIRD
    assert await where("灯杆0231不亮", CHAGANG) == CHAGANG
    assert (await spot("尾号0231的电话打不通")).component_id is None


async def test_a_new_place_is_known_to_the_next_report_and_one_that_is_gone_is_not(orm: None):
    assert await where("阳光花园3栋灯坏了") == FIRST
    await house(SECOND, "阳光花园3栋")
    assert await where("阳光花园3栋灯坏了") == SECOND
    await Household.filter(building="阳光花园3栋").update(grid=await Area.get(code=THIRD))
    assert await where("阳光花园3栋灯坏了") == THIRD
    await Household.filter(building="阳光花园3栋").delete()
    assert await where("阳光花园3栋灯坏了") == FIRST


async def test_an_import_is_known_to_the_next_report(orm: None):
    assert await where("翠湖小区3栋没水") == FIRST
    grid = "429906001001004"
    await imported(
        areas([grid, "第四网格", "027-55503456"]),
        sheet("住户", "网格编码 楼栋 单元 房号", [grid, "翠湖小区3栋", "2单元", "501"]),
        sheet("部件", "编号 种类 位置 网格编码", ["LD-0777", "路灯", "沿湖路 6 号门口", grid]),
    )
    assert await where("翠胡小区三栋没水") == grid
    assert await where("沿湖路六号门口没路灯") == grid
    assert await where("第4网格没路灯") == grid
    assert await where("灯杆0777不亮") == grid


async def test_the_version_changes_with_places_and_with_nothing_else(orm: None):
    async def version() -> object:
        return (await PlaceVersion.get(id=1)).version

    before = await version()
    await Area.filter(code=FIRST).update(duty_phone="027-1")
    await resident()
    assert await version() == before
    seen = {before}
    await house(FIRST, "1栋")
    seen.add(await version())
    await thing(FIRST, "LD-1")
    seen.add(await version())
    await Area.filter(code=FIRST).update(name="东一网格")
    seen.add(await version())
    assert len(seen) == 4


async def test_the_copy_is_read_once_for_one_version(orm: None):
    await town_of_estates()
    await where("阳光花园3栋灯坏了")
    copy = register.held()
    await where("阳光花园1栋灯坏了")
    assert register.held() is copy


@pytest.mark.parametrize("said", ["3栋2单元楼道灯坏了", "楼上半夜装修太吵", "菜场门口有人占道", "今天阳光很好"])
async def test_a_report_without_a_name_does_not_ask_for_the_version(orm: None, said: str):
    await town_of_estates()
    await where("阳光花园3栋灯坏了")
    copy = register.held()
    await house(THIRD, "阳光花园5栋")
    await where(said)
    assert register.held() is copy
    await where("阳光花园5栋停水了")
    assert register.held() is not copy


async def test_the_bot_says_which_place_of_the_register_it_took(orm: None):
    await town_of_estates()
    home = (await resident()).home
    await where("阳光花园3栋灯坏了")
    assert known_as("杨光花园三栋", home) == "阳光花园3栋"
    assert known_as("阳光12幢", home) == "阳光花园12栋"
    assert known_as("阳光花园三栋", home) == "", "it is written so already"
    assert known_as("阳光花园", home) == ""
    assert known_as("菜场门口", home) == ""
