"""An organisation from tables: all is checked, each fault is told with its row, and all is written or nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime

from domain.organisation import TABLES, Export, export_tables, import_tables, template_tables
from domain.tables import MOST_FAULTS, Cell, Sheet
from models.audit import AuditEvent
from models.cases import Case, ReplyTemplate, SpecialDay
from models.enums import Level, Role, Source, Status, Urgency
from models.people import Absence, Area, Component, Department, Household, Staff
from tests.domain.tables import NOW, areas, imported, refused, sheet, staff

GRID1, GRID4 = "429906001001001", "429906001001004"


def sheet_of(export: Export) -> Sheet:
    """What was exported, as it is read back."""
    heads: list[Cell] = [column.head for column in export.table.columns]
    return Sheet(export.table.title, list(enumerate([heads, *export.rows], 1)))


async def everything() -> list[Sheet]:
    return [sheet_of(export) for export in await export_tables(TABLES, NOW.date())]


async def test_a_new_grid_its_worker_and_its_households_come_in_together(orm: None):
    report = await imported(
        sheet("住户", "网格编码 楼栋 单元 房号 联系人 电话", [GRID4, "3栋", "2单元", "501", "刘大爷", "13812345679"]),
        staff(["G004", "吴娟", GRID4, "13812345678"]),
        areas([GRID4, "第四网格", "027-55503456"]),
    )
    assert {tally.title: tally.added for tally in report.tallies} == {"区域": 1, "人员": 1, "住户": 1}
    worker = await Staff.get(code="G004").select_related("area__parent")
    assert (worker.name, worker.role, worker.area.level) == ("吴娟", Role.GRID_WORKER, Level.GRID)
    assert worker.area.parent.name == "东亭社区"
    assert (await Household.get(room="501")).grid_id == worker.area_id
    assert await AuditEvent.filter(tag="staff:import", actor="operator").count() == 1


async def test_a_whole_district_is_entered_from_one_file(orm: None):
    await imported(
        areas(
            ["420199001001001", "第一网格", None],
            ["420199001", "新街道", None],
            ["420199", "新区", "027-55501234"],
            ["420199001001", "新社区", None],
            ["420100", "新市", None],
        ),
        sheet("部门", "编码 名称 类别 区域编码", ["CG-X", "新街道城管队", "城管", "420199001"]),
        sheet("人员", "工号 姓名 部门编码", ["X1", "丁队长", "CG-X"]),
        sheet("请假", "工号 开始 结束 代办人工号", ["X1", "2026-12-01", "2026-12-03", "G001"]),
    )
    grid = await Area.get(code="420199001001001").select_related("parent__parent__parent__parent")
    assert grid.parent.parent.parent.parent.name == "新市"
    assert (await Staff.get(code="X1")).role is Role.DEPARTMENT_STAFF
    absence = await Absence.get(staff__code="X1")
    assert absence.starts_at == datetime(2026, 11, 30, 16, tzinfo=UTC), "midnight in Shanghai"
    assert absence.ends_at == datetime(2026, 12, 3, 16, tzinfo=UTC), "the last day belongs to it"


async def test_what_is_exported_changes_nothing_when_it_is_imported(orm: None):
    ring = "[[114.34,30.54],[114.35,30.54],[114.35,30.55],[114.34,30.54]]"
    boundary = f'{{"type":"Polygon","coordinates":[{ring}]}}'
    await imported(
        sheet("区域", "编码 边界", [GRID1, boundary]),
        sheet("部件", "编号 种类 网格编码 纬度 经度", ["LD-0132", "路灯", GRID1, 30.545400000000004, "114.3418"]),
        sheet("特殊日期", "日期 上班或放假 名称", ["2027-01-04", "放假", "本地活动日"]),
        sheet("住户", "网格编码 楼栋 单元 房号 备注", [GRID1, "3栋", None, "501", "=1+1"]),
        sheet("答复模板", "名称 事项类别 环节 内容", ["灯", "路灯不亮", "办结", "{place}的灯修好了"]),
        sheet("请假", "工号 开始 结束", ["G002", "2026-12-01 08:30", datetime(2026, 12, 2, 12, 0)]),  # noqa: DTZ001
    )
    before = [await model.all().order_by("id").values() for model in (Area, Staff, Household, Component, Absence)]
    report = await imported(*await everything())
    assert report.changes == 0
    assert {tally.title: tally.same for tally in report.tallies}["职责清单"] > 250
    after = [await model.all().order_by("id").values() for model in (Area, Staff, Household, Component, Absence)]
    assert after == before


async def test_areas_whose_codes_follow_no_rule_come_back_too(orm: None):
    """Somebody's own codes, entered before there was an import."""
    city = await Area.get(level=Level.CITY)
    await Area.create(code="310100", name="直管区", level=Level.DISTRICT, parent=city)
    report = await imported(*await everything())
    assert report.changes == 0


async def test_an_export_without_staff_numbers_comes_back_too(orm: None):
    await Staff.filter(name="王芳").update(code=None)
    report = await imported(*await everything())
    assert report.changes == 0
    assert (await Staff.get(name="王芳")).code is None
    await imported(staff(["G001", "王芳", GRID1, None]))
    assert (await Staff.get(name="王芳")).code == "G001"


async def test_rows_that_a_file_lacks_and_blank_cells_change_nothing(orm: None):
    await imported(staff(["G001", None, None, "13812345678"]))
    assert await Staff.filter(active=True).count() == 14
    worker = await Staff.get(code="G001")
    assert (worker.name, worker.phone, worker.openid) == ("王芳", "13812345678", "o_sim_grid_wang")
    await imported(sheet("人员", "工号 电话", ["G001", "无"]))
    assert (await Staff.get(code="G001")).phone == ""


async def test_whoever_is_put_off_duty_loses_their_wechat_and_their_cases_are_named(orm: None):
    worker = await Staff.get(code="G001")
    await Case.create(
        number="20261120-0001",
        status=Status.DISPOSING,
        category="lighting.corridor",
        subject="灯",
        urgency=Urgency.NORMAL,
        source=Source.WECHAT,
        description="灯坏了",
        area_id=worker.area_id,
        holder_id=worker.id,
        reported_at=NOW,
    )
    report = await imported(sheet("人员", "工号 在岗", ["G001", "停用"]))
    worker = await Staff.get(code="G001")
    assert (worker.active, worker.openid) == (False, None)
    assert report.notes == ["注意：王芳手上还有 1 件没办完，请派给别人。"]


async def test_one_wrong_row_among_a_thousand_keeps_everything_out(orm: None):
    rows: list[list[Cell]] = [[GRID1, f"{n}栋", "1单元", "101", None, "13812345678"] for n in range(1, 1001)]
    rows[898][5] = "1381234"[:6] + "x"
    there = sheet("住户", "网格编码 楼栋 单元 房号 联系人 电话", *rows)
    assert await refused(areas([GRID4, "第四网格", None]), there) == [("住户", 900, "电话", "不像电话号码")]
    assert await Household.all().count() == 0
    assert not await Area.exists(code=GRID4)
    assert await AuditEvent.all().count() == 0


async def test_two_imports_at_once_come_one_after_the_other(orm: None):
    file = [areas([GRID4, "第四网格", None]), staff(["G004", "吴娟", GRID4, None])]
    reports = await asyncio.gather(*[import_tables(file, NOW) for _ in range(3)])
    assert sorted(report.changes for report in reports) == [0, 0, 2]
    assert await Staff.filter(code="G004").count() == 1


async def test_a_dry_run_says_what_would_happen_and_writes_nothing(orm: None):
    file = [areas([GRID4, "第四网格", None], [GRID1, "第一网格改名", None], ["429906001001002", "第二网格", None])]
    report = await import_tables(file, NOW, dry_run=True)
    tally = report.tallies[0]
    assert (tally.added, tally.changed, tally.same) == (1, 1, 1)
    assert report.lines == ["区域 第 3 行：改名称"]
    assert not report.written
    assert not await Area.exists(code=GRID4)
    assert (await Area.get(code=GRID1)).name == "第一网格"


FAULTS: dict[str, tuple[Sheet, list[tuple[str, int, str, str]]]] = {
    "a column nobody knows": (
        sheet("人员", "工号 姓名 联系电化", ["G009", "吴娟", "13812345678"]),
        [("人员", 1, "联系电化", "不认识这一列")],
    ),
    "a column twice": (
        sheet("人员", "工号 姓名 工号", ["G009", "吴", "G009"]),
        [("人员", 1, "工号", "这一列出现了两次")],
    ),
    "a sheet nobody knows": (sheet("水费", "户号 金额", ["1", "2"]), [("水费", 0, "", "不知道这是哪张表")]),
    "no key column": (sheet("人员", "姓名 电话", ["吴娟", "1"]), [("人员", 1, "工号", "缺少“工号”这一列")]),
    "a blank key": (staff(["G009", "吴", GRID1, None], [None, "张", GRID1, None]), [("人员", 3, "工号", "工号是空的")]),
    "a new row without its name": (staff(["G009", None, GRID1, None]), [("人员", 2, "姓名", "姓名是空的")]),
    "the same twice": (
        staff(["G009", "吴娟", GRID1, None], ["G009", "吴娟", GRID1, None]),
        [("人员", 3, "工号", "和第 2 行重复了")],
    ),
    "an area that is not there": (
        staff(["G009", "吴娟", "429906001001009", None]),
        [("人员", 2, "区域编码", "没有这个区域")],
    ),
    "a grid without its community": (
        areas(["429906001009001", "网格", None]),
        [("区域", 2, "编码", "没有上级 429906001009")],
    ),
    "a parent that does not fit": (
        sheet("区域", "编码 名称 上级编码", [GRID4, "第四网格", "429906001002"]),
        [("区域", 2, "上级编码", "编码和上级对不上，编码应该以 429906001002 开头")],
    ),
    "another parent for an area that is there": (
        sheet("区域", "编码 上级编码", [GRID1, "429906001002"]),
        [("区域", 2, "上级编码", "不能换上级")],
    ),
    "another level for an area that is there": (
        sheet("区域", "编码 层级", ["429906", "市"]),
        [("区域", 2, "层级", "已经是区，不能改层级")],
    ),
    "a level that does not fit": (
        sheet("区域", "编码 名称 层级", [GRID4, "第四网格", "社区"]),
        [("区域", 2, "层级", "层级和编码的位数对不上")],
    ),
    "a code of fourteen digits": (areas(["42990600100100", "网格", None]), [("区域", 2, "编码", "有 14 位")]),
    "a department of a community": (
        sheet("部门", "编码 名称 区域编码", ["CG-1", "城管", "429906001001"]),
        [("部门", 2, "区域编码", "部门不能设在社区")],
    ),
    "a department under another code": (
        sheet("部门", "编码 名称 区域编码", ["CG-1", "城管执法队", "429906001"]),
        [("部门", 2, "名称", "这个区域已经有同名的部门")],
    ),
    "a grid worker in a community": (
        sheet("人员", "工号 姓名 岗位 区域编码", ["G009", "吴娟", "网格员", "429906001001"]),
        [("人员", 2, "岗位", "网格员不能在社区“东亭社区”")],
    ),
    "department staff without a department": (
        sheet("人员", "工号 姓名 岗位 区域编码", ["G009", "吴娟", "部门", "429906001"]),
        [("人员", 2, "部门编码", "部门工作人员没有写部门")],
    ),
    "a person nowhere": (
        sheet("人员", "工号 姓名", ["G009", "吴娟"]),
        [("人员", 2, "区域编码", "不知道这个人在哪里")],
    ),
    "an end before its beginning": (
        sheet("请假", "工号 开始 结束", ["G001", "2026-12-03", "2026-12-01"]),
        [("请假", 2, "结束", "结束比开始早")],
    ),
    "one's own deputy": (
        sheet("请假", "工号 开始 结束 代办人工号", ["G001", "2026-12-01", "2026-12-03", "G001"]),
        [("请假", 2, "代办人工号", "自己不能代自己")],
    ),
    "a household in a community": (
        sheet("住户", "网格编码 楼栋 房号", ["429906001001", "3栋", "501"]),
        [("住户", 2, "网格编码", "东亭社区不是网格")],
    ),
    "a boundary that is not closed": (
        sheet("区域", "编码 边界", [GRID1, '{"type":"Polygon","coordinates":[[[114,30],[115,30],[115,31],[114,31]]]}']),
        [("区域", 2, "边界", "边界没有围起来")],
    ),
    "a boundary the wrong way round": (
        sheet("区域", "编码 边界", [GRID1, '{"type":"Polygon","coordinates":[[[30,114],[30,115],[31,115],[30,114]]]}']),
        [("区域", 2, "边界", "有的点不在国内")],
    ),
    "coordinates the wrong way round": (
        sheet("部件", "编号 种类 网格编码 纬度", ["LD-1", "路灯", GRID1, 114.34]),
        [("部件", 2, "纬度", "纬度不在国内范围")],
    ),
    "a variable that does not exist": (
        sheet("答复模板", "名称 内容", ["灯", "{name}您好"]),
        [("答复模板", 2, "内容", "没有 {name} 这个变量")],
    ),
    "a formula that failed": (staff(["G009", "#REF!", GRID1, None]), [("人员", 2, "姓名", "公式出错了")]),
}


async def test_a_fault_is_told_with_sheet_row_and_column(orm: None):
    for what, (file, faults) in FAULTS.items():
        assert await refused(file) == faults, what
    assert await Staff.all().count() == 14


async def test_every_fault_of_a_file_is_told_at_once(orm: None):
    rows: list[list[Cell]] = [["G001", None, None, "12"] for _ in range(500)]
    report = await import_tables([staff(*rows), areas(["1", "区", None])], NOW)
    assert len(report.faults) == MOST_FAULTS
    assert report.fault_count == 501
    assert report.faults[0].value == "12"


TRAPS: dict[str, tuple[str, Cell, object]] = {
    "a mobile number as a number": ("电话", 13812345678, "13812345678"),
    "a mobile number as a decimal": ("电话", 13812345678.0, "13812345678"),
    "full-width digits": ("电话", "１３８１２３４５６７８", "13812345678"),
    "blanks around and within": ("电话", "\u3000138 1234 5678 ", "13812345678"),
    "with the country's code": ("电话", "+8613812345678", "13812345678"),
    "a number without its zero": ("电话", 2755501234, "像是区号前面的 0 被 Excel 去掉了"),
    "a number in scientific notation": ("电话", "1.38E+10", "变成了科学计数法，后面的数字已经丢了"),
    "an area code as a number": ("区域编码", 429906001001002, "429906001001002"),
    "an area code as a decimal": ("区域编码", 4.29906001001002e14, "429906001001002"),
    "an area code in scientific notation": ("区域编码", "4.29906E+14", "变成了科学计数法，后面的数字已经丢了"),
    "a padded name": ("姓名", "王\u3000\n芳", "王芳"),
    "a name that became a date": ("姓名", datetime(2026, 3, 2), "Excel 把它当成日期存了"),  # noqa: DTZ001
    "a true of Excel": ("在岗", True, True),
    "a zero of Excel": ("在岗", 0, False),
}


async def test_what_spreadsheets_do_to_numbers_is_undone_or_refused(orm: None):
    for trap, (head, cell, expected) in TRAPS.items():
        await Staff.filter(code="G002").update(phone="", active=True)
        report = await import_tables([sheet("人员", f"工号 {head}", ["G002", cell])], NOW)
        person = await Staff.get(code="G002").select_related("area")
        read = {"电话": person.phone, "区域编码": person.area.code, "姓名": person.name, "在岗": person.active}[head]
        assert expected == (report.faults[0].wrong if report.faults else read), trap


DAYS: list[Cell] = ["2026-12-01", "2026/12/1", "2026年12月1日", "20261201", 20261201, 46357, 46357.0, date(2026, 12, 1)]


async def test_a_day_is_read_however_it_is_kept(orm: None):
    for cell in DAYS:
        await imported(sheet("特殊日期", "日期 上班或放假", [cell, "上班"]))
    assert [each.day.isoformat() for each in await SpecialDay.all()] == ["2026-12-01"]


async def test_what_is_no_day_is_refused(orm: None):
    for cell in ("12月1日", "2026-02-29", "明天", 12, True):
        faults = await refused(sheet("特殊日期", "日期 上班或放假", [cell, "上班"]))
        assert [(row, column) for _, row, column, _ in faults] == [(2, "日期")], cell


async def test_a_staff_number_without_its_zeros_is_not_somebody_new(orm: None):
    await imported(staff(["007", "吴娟", GRID1, None]))
    wrong = "可能是 007，前面的 0 被 Excel 去掉了"
    assert await refused(staff([7, "吴娟", GRID1, None])) == [("人员", 2, "工号", wrong)]
    away = sheet("请假", "工号 开始 结束", [7, "2026-12-01", "2026-12-02"])
    assert await refused(away) == [("请假", 2, "工号", wrong)]


async def test_the_template_as_it_is_brings_nothing_in(orm: None):
    report = await imported(*[sheet_of(export) for export in template_tables(TABLES)])
    assert report.changes == 0


async def test_every_example_of_the_template_is_one_that_can_be_read():
    for table in TABLES:
        for column in table.columns:
            if column.example:
                assert column.read(column.example) is not None, f"{table.title} {column.head}"


async def test_english_heads_any_order_and_heads_with_notes_are_understood(orm: None):
    await imported(sheet("staff", "phone name* code（必填） area", ["13812345678", "吴娟", "G009", GRID1]))
    assert (await Staff.get(code="G009")).phone == "13812345678"


async def test_a_sheet_with_another_name_is_known_by_its_heads(orm: None):
    await imported(sheet("Sheet1", "编号 种类 网格编码", ["LD-0132", "路灯", GRID1]))
    assert await Component.filter(code="LD-0132").count() == 1


async def test_a_department_stays_where_it_is(orm: None):
    moved = sheet("部门", "编码 区域编码", ["CG-SGH", "429906"])
    assert await refused(moved) == [("部门", 2, "区域编码", "部门不能换区域")]
    assert (await Department.get(code="CG-SGH").select_related("area")).area.level is Level.STREET


async def test_a_reply_template_is_changed_by_its_name(orm: None):
    await imported(sheet("答复模板", "名称 内容 启用", ["灯", "修好了", "是"]))
    report = await imported(sheet("答复模板", "名称 内容 启用", ["灯", "{subject}修好了", "否"]))
    assert report.lines == ["答复模板 第 2 行：改内容、启用"]
    assert (await ReplyTemplate.get(name="灯")).active is False
