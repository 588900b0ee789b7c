"""The duty list has versions: a new one begins on its day, an old one is never touched, and cases keep their line."""

from __future__ import annotations

from datetime import date, timedelta

import nlp
from domain.duties import duty_of, find_duty, unit_at
from domain.duty_lists import shipped_lines
from domain.organisation import export_tables, import_tables
from domain.organisation_tables import DUTIES
from domain.worktime import TimeLimit
from models.cases import Case, Duty, DutyList
from models.enums import Level, Source, Status, Urgency
from models.people import Area
from tests.domain.tables import NOW, duties, imported, refused, sheet

TODAY = date(2026, 11, 20)
DECEMBER = date(2026, 12, 1)
STREET_LIGHT = "lighting.street"


async def limit_on(day: date, category: str = STREET_LIGHT) -> str:
    duty = await find_duty(category, day)
    assert duty
    return duty.handle_limit


async def test_a_new_version_begins_on_its_day_and_has_the_rest_of_the_old_one(orm: None):
    before = await Duty.all().order_by("id").values()
    report = await imported(duties(["路灯不亮", "网格", None, "2工作日", "2026-12-01"]))
    assert await limit_on(DECEMBER - timedelta(days=1)) == "1工作日"
    assert await limit_on(DECEMBER) == "2工作日"
    assert await limit_on(DECEMBER, "lighting.corridor") == "24小时", "what the file lacks stays as it was"
    assert await Duty.all().order_by("id").limit(len(before)).values() == before, "the old version is as it was"
    assert report.notes == ["新的一版职责清单从 2026-12-01 起生效；已经受理的事项仍按原来的。"]


async def test_without_a_day_it_begins_today_and_a_day_that_is_over_counts_as_today(orm: None):
    await imported(sheet("职责清单", "事项类别 层级 处置时限", ["lighting.street", "网格", "3工作日"]))
    assert await limit_on(TODAY) == "3工作日"
    assert await limit_on(TODAY - timedelta(days=1)) == "1工作日"
    await imported(duties(["路灯不亮", "网格", None, "4工作日", "2026-06-01"]))
    assert await limit_on(TODAY) == "4工作日"
    assert await limit_on(TODAY - timedelta(days=1)) == "1工作日", "nobody changes what held yesterday"


async def test_the_day_of_the_command_line_holds_where_the_file_has_none(orm: None):
    file = sheet("职责清单", "事项类别 层级 处置时限", ["路灯不亮", "网格", "3工作日"])
    await import_tables([file], NOW, effective_on=DECEMBER)
    assert (await limit_on(TODAY), await limit_on(DECEMBER)) == ("1工作日", "3工作日")


async def test_whoever_enters_a_version_before_a_later_one_is_told(orm: None):
    await imported(duties(["路灯不亮", "网格", None, "2工作日", "2027-01-01"]))
    report = await imported(duties(["路灯不亮", "网格", None, "3工作日", None]))
    assert "注意：2027-01-01 起还有另一版会接替它，里面没有这次的改动。" in report.notes


async def test_a_case_keeps_the_line_it_was_taken_on_under(orm: None):
    duty = await find_duty(STREET_LIGHT, TODAY)
    assert duty
    case = await Case.create(
        number="20261120-0001",
        status=Status.DISPATCHED,
        category=STREET_LIGHT,
        subject="路灯",
        urgency=Urgency.NORMAL,
        source=Source.WECHAT,
        description="路灯不亮",
        area=await Area.get(code="429906001001001"),
        duty=duty,
        reported_at=NOW,
    )
    await imported(duties(["路灯不亮", "网格", None, "2工作日", None]))
    kept = await duty_of(await Case.get(id=case.id), NOW)
    assert kept
    assert kept.handle_limit == "1工作日"


async def test_the_same_list_makes_no_version(orm: None):
    await imported(duties(["路灯不亮", "网格", None, "1工作日", None]))
    assert await DutyList.all().count() == 1


async def test_a_line_that_is_put_out_of_use_is_not_in_the_next_version(orm: None):
    report = await imported(sheet("职责清单", "事项类别 层级 启用", ["路灯不亮", "网格", "停用"]))
    assert report.tallies[0].dropped == 1
    duty = await find_duty(STREET_LIGHT, TODAY)
    assert duty
    assert duty.level is Level.STREET


async def test_what_a_duty_list_cannot_have_is_refused_by_row(orm: None):
    assert await refused(
        duties(
            ["路灯不亮", "网格", None, "二天", None],
            ["飞碟降落", "网格", None, "2天", None],
            ["路灯不亮", "街道", "打更队", "2天", None],
            ["楼道照明损坏", "网格", None, "2天", "2026-12-01"],
            ["楼道照明损坏", "街道", None, "2天", "2026-12-02"],
        )
    ) == [
        ("职责清单", 2, "处置时限", "时限看不懂"),
        ("职责清单", 3, "事项类别", "没有这个事项类别"),
        ("职责清单", 4, "责任单位", "没有叫“打更队”的部门编码或类别"),
        ("职责清单", 6, "生效日期", "和前面的 2026-12-01 不一样"),
    ]
    without_rest = sheet("职责清单", "事项类别 层级 启用", ["兜底", "网格", "否"])
    assert await refused(without_rest) == [("职责清单", 0, "", "没有“兜底”这一行")]
    assert await DutyList.all().count() == 1


async def a_case(category: str, area: str) -> Case:
    where = await Area.get(code=area)
    return Case(category=category, grid_id=where.id if where.level is Level.GRID else None, area_id=where.id)


async def unit(category: str, area: str, level: Level) -> str | None:
    found = await unit_at(await a_case(category, area), level, NOW)
    return found.code if found else None


async def test_a_kind_of_unit_is_each_streets_own(orm: None):
    await imported(
        sheet("区域", "编码 名称", ["429906002", "东湖路街道"], ["429906002001", "湖边社区"]),
        sheet("部门", "编码 名称 类别 区域编码", ["CG-DHL", "城管执法队", "城管", "429906002"]),
    )
    assert await unit(STREET_LIGHT, "429906001001001", Level.GRID) is None, "the grid worker begins"
    assert await unit(STREET_LIGHT, "429906001001001", Level.STREET) == "CG-SGH"
    assert await unit(STREET_LIGHT, "429906002001", Level.STREET) == "CG-DHL"
    assert await unit("pollution.water", "429906001001001", Level.DISTRICT) == "HB-DH"
    assert await unit(STREET_LIGHT, "429906001001001", Level.DISTRICT) is None, (
        "a street's unit is none of the district's"
    )


async def test_a_line_may_name_one_department_by_its_code(orm: None):
    await imported(duties(["路灯不亮", "街道", "FG-SGH", "2工作日", None]))
    assert await unit(STREET_LIGHT, "429906001001001", Level.STREET) == "FG-SGH"
    exported = (await export_tables([DUTIES], TODAY))[0].rows
    assert [row[2] for row in exported if row[:2] == ["路灯不亮", "街道"]] == ["FG-SGH"]


async def test_the_shipped_list_has_a_line_for_every_category_and_for_the_rest():
    lines = shipped_lines()
    assert {line.category for line in lines} == {each.code for each in nlp.categories()} | {""}
    keys = [(line.category, line.level) for line in lines]
    assert len(keys) == len(set(keys))
    for line in lines:
        for written in (line.accept_limit, line.sign_limit, line.handle_limit, line.verify_limit):
            TimeLimit.parse(written)
    assert all(line.unit for line in lines if line.level is not Level.GRID)


async def test_a_complaint_about_officials_does_not_pass_through_their_own_hands():
    lowest = {line.category: line.level for line in reversed(shipped_lines())}
    assert lowest["conduct.style"] is lowest["conduct.corruption"] is Level.DISTRICT
    assert lowest[STREET_LIGHT] is Level.GRID


async def test_an_empty_database_gets_the_shipped_list_under_the_first_import(orm: None):
    await Duty.all().delete()
    await DutyList.all().delete()
    await imported(duties(["路灯不亮", "网格", None, "2工作日", "2026-12-01"]))
    assert (await limit_on(TODAY), await limit_on(DECEMBER)) == ("1工作日", "2工作日")
