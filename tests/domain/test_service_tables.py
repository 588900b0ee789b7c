"""服务事项 as people fill them in: lists in a cell, faults told with what to write, what is shipped."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from domain.organisation import export_tables, import_tables
from domain.people import Person, find_person, post_of
from domain.service_plans import add_shipped_services
from domain.service_tables import ITEMS, PROVIDERS, SERVICE_TABLES, materials, questions
from domain.services import classes, list_items, overdue_reviews, place_of
from domain.tables import Sheet, Wrong
from models.people import Area, Staff
from models.services import Provider, ServiceClass, ServiceItem
from tests.domain.tables import NOW

HEADS = ["编码", "类别编码", "名称", "材料", "步骤", "能不能办", "区域编码", "核对日期"]
ROW = [
    "swj",
    "gov",
    "试试",
    "身份证｜原件｜2｜双方\n照片",
    "先来\n再来",
    "满 18 岁了吗？｜满了=可以｜没满=不能：满了再来",
]


def sheet(*rows: list[object], name: str = "服务事项", heads: list[str] = HEADS) -> Sheet:
    return Sheet(name, list(enumerate([heads, *rows], 1)))


async def test_what_is_shipped_covers_six_classes(orm: None):
    assert [one.name for one in await classes()] == ["政务", "生活", "法律", "文体", "关爱", "党员"]
    assert await ServiceItem.all().count() >= 80
    assert await Provider.all().count() >= 12
    assert await add_shipped_services() == 0, "what is there stays as it is"


async def test_every_shipped_item_says_what_to_do(orm: None):
    for item in await ServiceItem.all():
        assert item.summary, item.code
        assert item.steps, item.code
        assert len(item.summary) <= 60, item.code
        assert item.phone == "" or len(item.phone) == 5, f"{item.code}: a national short number"


async def test_what_has_a_place_in_the_demo_community_says_where_on_the_map(orm: None):
    placed = await ServiceItem.exclude(latitude=None).select_related("department")
    assert len(placed) >= 40
    assert all(
        30.5 < item.latitude < 30.6 and 114.3 < (item.longitude or 0) < 114.4 for item in placed if item.latitude
    )
    assert {item.department.name for item in placed if item.department} == {"水果湖派出所", "房管所"}


async def test_the_directory_goes_out_and_comes_back_without_a_change(orm: None):
    sheets = [
        Sheet(each.table.title, list(enumerate([[column.head for column in each.table.columns], *each.rows], 1)))
        for each in await export_tables(SERVICE_TABLES, NOW.date())
    ]
    report = await import_tables(sheets, NOW)
    assert (report.faults, report.changes) == ([], 0)


async def test_a_row_becomes_an_item_with_its_lists(orm: None):
    report = await import_tables([sheet([*ROW, "全部", "2026-11-01"])], NOW)
    assert report.faults == []
    item = await ServiceItem.get(code="swj")
    assert [(one["name"], one["form"], one["count"]) for one in item.materials] == [
        ("身份证", "original", 2),
        ("照片", "original", 1),
    ]
    assert item.steps == ["先来", "再来"]
    assert [one["verdict"] for one in item.questions[0]["answers"]] == ["yes", "no"]
    assert (item.area_id, item.reviewed_on) == (None, date(2026, 11, 1))


async def test_changed_content_is_a_new_version_and_a_review_is_none(orm: None):
    heads = ["编码", "费用", "核对日期"]
    await import_tables([sheet(["flyz", "", "2026-11-19"], heads=heads)], NOW)
    assert (await ServiceItem.get(code="flyz")).version == 1
    await import_tables([sheet(["flyz", "不收钱", ""], heads=heads)], NOW)
    item = await ServiceItem.get(code="flyz")
    assert (item.version, item.fee, item.reviewed_on) == (2, "不收钱", date(2026, 11, 19))


async def test_a_new_class_and_its_items_come_in_one_file(orm: None):
    new = sheet(["vol", "志愿", "7"], name="服务类别", heads=["编码", "名称", "顺序"])
    report = await import_tables([sheet([ROW[0], "vol", *ROW[2:], "429906001001", None]), new], NOW)
    assert report.faults == []
    item = await ServiceItem.get(code="swj").select_related("service_class", "area")
    assert (item.service_class.name, item.area and item.area.name) == ("志愿", "东亭社区")


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        (1, "nope", "没有这个服务类别"),
        (3, "身份证｜扫描件", "“扫描件”看不懂"),
        (3, "身份证｜原件｜很多", "份数“很多”不对"),
        (3, "身份证\n身份证", "有两行是同一份材料"),
        (4, "\n".join(map(str, range(11))), "有 11 行"),
        (5, "满了吗？｜满了=好", "看不懂"),
        (6, "429906009009", "没有这个区域"),
    ],
)
async def test_a_fault_is_told_with_how_to_mend_it_and_nothing_is_written(
    orm: None, column: int, value: str, told: str
):
    row: list[object] = [*ROW, "全部", None]
    row[column] = value
    report = await import_tables([sheet(row)], NOW)
    assert [told in fault.wrong for fault in report.faults] == [True]
    assert report.faults[0].mend
    assert not await ServiceItem.exists(code="swj")


def test_half_a_line_is_refused():
    for read, line in ((materials, "｜原件"), (questions, "只有问题？"), (materials, "甲" * 31)):
        with pytest.raises(Wrong):
            read(line)


async def test_a_provider_is_imported_for_an_area(orm: None):
    heads = ["编码", "名称", "类别", "区域编码"]
    report = await import_tables(
        [sheet(["wx99", "修得快", "维修", "429906001"], name=PROVIDERS.title, heads=heads)], NOW
    )
    assert report.faults == []
    assert (await Provider.get(code="wx99").select_related("area")).area == await Area.get(code="429906001")


async def test_items_are_listed_in_the_order_of_the_menu_page_by_page(orm: None):
    person = await find_person("o_reader", NOW)
    every = await list_items(person, limit=500)
    assert len(every) == await ServiceItem.all().count()
    paged, beyond = [], (0, 0, 0)
    while page := await list_items(person, beyond=beyond, limit=17):
        paged, beyond = paged + page, place_of(page[-1])
    assert [item.code for item in paged] == [item.code for item in every]
    assert {item.service_class.code for item in await list_items(person, "law")} == {"law"}


async def test_what_nobody_has_looked_at_for_half_a_year_is_on_staffs_list(orm: None):
    staff = Person("", 0, None, await post_of((await Staff.get(code="S001")).id))
    assert await overdue_reviews(staff, date(2026, 11, 20)) == []
    await ServiceItem.filter(code="flyz").update(reviewed_on=date(2026, 11, 20) - timedelta(days=181))
    await ServiceItem.filter(code="jzz").update(reviewed_on=None)
    assert [item.code for item in await overdue_reviews(staff, date(2026, 11, 20))] == ["jzz", "flyz"]
    assert await overdue_reviews(await find_person("o_reader", NOW), date(2026, 11, 20)) == []


async def test_a_class_that_is_switched_off_takes_its_items_with_it(orm: None):
    await ServiceClass.filter(code="party").update(active=False)
    assert "party" not in {one.code for one in await classes()}
    assert await list_items(await find_person("o_reader", NOW), "party") == []


def test_the_template_has_an_example_of_every_list():
    by_name = {column.name: column for column in ITEMS.columns}
    assert by_name["materials"].read(by_name["materials"].example)[0]["name"] == "身份证"
    assert len(by_name["questions"].read(by_name["questions"].example)[0]["answers"]) == 2
