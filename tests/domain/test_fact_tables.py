"""What is known of people as tables: kinds of facts, and members of households with a column for each."""

from __future__ import annotations

from datetime import date

from domain.fact_tables import FACT_TABLES
from domain.organisation import export_tables, import_tables
from domain.tables import Cell, Sheet
from models.people import Household
from models.people_facts import FactKind, HouseholdMember
from tests.domain.tables import NOW, imported, refused, sheet

GRID1 = "429906001001001"
_PLACE = "网格编码 楼栋 单元 房号 姓名"


def kinds(*rows: list[Cell]) -> Sheet:
    return sheet("档案项", "编码 名称 类型 选项 敏感", *rows)


def members(facts: str, *rows: list[Cell]) -> Sheet:
    return sheet("户内成员", f"{_PLACE} {facts}", *([GRID1, "90栋", "1单元", "101", *row] for row in rows))


HOMES = sheet("住户", "网格编码 楼栋 单元 房号", [GRID1, "90栋", "1单元", "101"])
KINDS = kinds(
    ["t_alone", "试独居", "是否", None, "否"],
    ["t_poor", "试低保", "是否", None, "是"],
    ["t_wed", "试婚姻", "选项", "未婚、已婚、丧偶", None],
    ["t_kids", "试子女数", "数字", None, None],
    ["t_licence", "试驾照到期", "日期", None, None],
)


async def test_one_file_brings_kinds_households_and_members_and_comes_back_unchanged(orm: None):
    heads = "关系 生日 试独居 试婚姻 试子女数 试驾照到期"
    first: list[Cell] = ["周桂兰", "户主", "1946-12-03", "是", "丧偶", 2, "2027-01-15"]
    await imported(KINDS, HOMES, members(heads, first))
    found = await HouseholdMember.get(name="周桂兰")
    assert (found.relation, found.birthday, found.source) == ("户主", date(1946, 12, 3), "import")
    assert found.facts == {"t_alone": True, "t_wed": "丧偶", "t_kids": 2, "t_licence": "2027-01-15"}
    out = [
        Sheet(each.table.title, list(enumerate([[c.head for c in each.table.columns], *each.rows], 1)))
        for each in await export_tables(FACT_TABLES, NOW.date())
    ]
    assert (await import_tables(out, NOW)).changes == 0


async def test_a_blank_cell_keeps_a_fact_and_none_takes_it_away(orm: None):
    await imported(KINDS, HOMES, members("试独居 试婚姻", ["周桂兰", "是", "已婚"]))
    await imported(members("试独居 试婚姻", ["周桂兰", "无", None]))
    assert (await HouseholdMember.get(name="周桂兰")).facts == {"t_wed": "已婚"}


async def test_each_wrong_cell_is_told_with_its_place_and_nothing_is_written(orm: None):
    await imported(KINDS, HOMES)
    wrong = members("试婚姻 试子女数 试驾照到期", ["甲", "离异", None, None], ["乙", None, "两个", None])
    assert await refused(wrong) == [
        ("户内成员", 2, "试婚姻", "没有“离异”这个选项"),
        ("户内成员", 3, "试子女数", "数字不对"),
    ]
    unborn = members("生日", ["甲", "1846-12-03"], ["乙", "2099-01-01"])
    assert await refused(unborn) == [("户内成员", row, "生日", "不像生日") for row in (2, 3)]
    nowhere = sheet("户内成员", _PLACE, [GRID1, "91栋", "", "101", "丙"])
    assert await refused(nowhere) == [("户内成员", 2, "房号", "住户表里没有这一户")]
    assert await refused(kinds(["t_alone", "试独居", "日期", None, None])) == [
        ("档案项", 2, "类型", "原来是是否，不能改")
    ]
    assert (await refused(kinds(["t_new", "姓名", "是否", None, None])))[:1] == [
        ("档案项", 2, "名称", "名称只能有汉字、字母和数字，不能和别的列同名")
    ]
    assert not await HouseholdMember.filter(household__building="90栋").exists()
    assert await FactKind.filter(code="t_new").count() == 0
    assert await Household.filter(building="90栋").count() == 1
