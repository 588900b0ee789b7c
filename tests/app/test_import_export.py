"""`linli import` and `linli export` with files as people have them: workbooks, CSV, folders, and broken ones."""

from __future__ import annotations

import csv
import stat
import zipfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engines import Engines
from app.tables import MOST_BYTES, read_tables, write_tables
from domain.organisation import TABLES, Export, export_tables, import_tables, template_tables
from domain.organisation_tables import HOUSEHOLDS, STAFF, named_tables
from errors import BadRequest, TooLarge
from models.database import database
from models.people import Area, Household, Staff
from tests.app.conftest import Linli
from tests.domain.tables import NOW

GRID1 = "429906001001001"


async def changes(path: Path) -> int:
    """Import a file that is without fault; gives what it changed."""
    report = await import_tables(read_tables(path), NOW)
    assert report.faults == []
    return report.changes


def names(folder: Path) -> list[str]:
    """What is in a folder, half-written files too."""
    return sorted(file.name for file in folder.iterdir())


def workbook(path: Path, name: str, *rows: list[object]) -> Path:
    """A workbook of one sheet as openpyxl writes it: numbers as numbers, days as days."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = name
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize("name", ["all.xlsx", "all"])
async def test_what_is_written_comes_back_without_a_change(orm: None, folder: Path, name: str):
    await Household.create(grid=await Area.get(code=GRID1), building="=3+4", room="'501", note="@SUM(A1)\n第二行")
    write_tables(folder / name, await export_tables(TABLES, NOW.date()))
    assert await changes(folder / name) == 0
    assert (await Household.get()).building == "=3+4"


CELL = st.text(st.characters(blacklist_categories=("Cs", "Cc"), whitelist_characters="\n\t=+-@'\""), max_size=40)


@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=4), st.sampled_from([".xlsx", ".csv"]))
@settings(max_examples=60, deadline=None)
def test_any_text_comes_back_from_a_file_as_it_was(rows: list[tuple[str, str]], suffix: str):
    table = replace(HOUSEHOLDS, columns=HOUSEHOLDS.columns[:2])
    with TemporaryDirectory() as name:
        path = Path(name) / f"住户{suffix}"
        write_tables(path, [Export(table, [["first", *row] for row in rows])])
        found = [[cell or "" for cell in cells] for _, cells in read_tables(path)[0].rows][1:]
    assert [(*cells, "", "")[1:3] for cells in found] == rows


async def test_a_workbook_opens_elsewhere_with_the_same_values_as_text(orm: None, folder: Path):
    exports = await export_tables(TABLES, NOW.date())
    write_tables(folder / "all.xlsx", exports)
    book = openpyxl.load_workbook(folder / "all.xlsx")
    assert book.sheetnames == [table.title for table in TABLES] + ["说明"]
    for export in exports:
        rows = list(book[export.table.title].iter_rows(values_only=True))
        assert list(rows[0]) == [column.head for column in export.table.columns]
        assert [list(row) for row in rows[1:]] == [[cell or None for cell in row] for row in export.rows]
    assert isinstance(book["区域"]["A2"].value, str), "a code is text, so that Excel keeps every digit"


async def test_an_export_is_no_programme_for_a_spreadsheet(orm: None, folder: Path):
    await Household.create(grid=await Area.get(code=GRID1), building='=HYPERLINK("http://x")', room="+1", note="-2")
    exports = await export_tables([HOUSEHOLDS], NOW.date())
    write_tables(folder / "h.xlsx", exports)
    cells = openpyxl.load_workbook(folder / "h.xlsx")["住户"][2]
    assert {cell.data_type for cell in cells if cell.value} == {"s"}, "text, not formulas"
    write_tables(folder / "h.csv", exports)
    with (folder / "h.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = list(csv.reader(file))[1]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []


async def test_an_export_is_for_its_owner_alone_and_never_written_over(orm: None, folder: Path):
    exports = await export_tables([STAFF], NOW.date())
    write_tables(folder / "staff.csv", exports)
    assert stat.S_IMODE((folder / "staff.csv").stat().st_mode) == 0o600
    with pytest.raises(BadRequest) as refusal:
        write_tables(folder / "staff.csv", exports)
    assert "已经有这个文件了" in refusal.value.say
    assert names(folder) == ["staff.csv"]


async def test_numbers_as_excel_keeps_them_are_read(orm: None, folder: Path):
    rows: list[list[object]] = [["工号", "区域编码", "电话", "在办上限"], ["G002", 429906001001003, 13812345678, 12.0]]
    assert await changes(workbook(folder / "n.xlsx", "人员", *rows)) == 1
    person = await Staff.get(code="G002").select_related("area")
    assert (person.area.name, person.phone, person.capacity) == ("第三网格", "13812345678", 12)
    day = workbook(folder / "d.xlsx", "特殊日期", ["日期", "上班或放假"], [datetime(2027, 1, 4), "放假"])  # noqa: DTZ001
    assert await changes(day) == 1


async def test_the_row_of_a_fault_is_the_one_excel_shows(orm: None, folder: Path):
    with xlsxwriter.Workbook(str(folder / "gap.xlsx")) as book:
        sheet = book.add_worksheet("人员")
        sheet.write_row(3, 0, ["工号", "姓名", "电话"])
        sheet.write_row(8, 0, ["G001", "王芳", "12"])
    report = await import_tables(read_tables(folder / "gap.xlsx"), NOW)
    assert [(fault.row, fault.column, fault.value) for fault in report.faults] == [(9, "电话", "12")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
async def test_csv_is_read_in_the_ways_programmes_write_it(folder: Path, encoding: str, delimiter: str):
    lines = [["工号", "姓名"], ["G001", "王芳"], [], ["G002", "刘\n洋"]]
    text = "".join(delimiter.join(f'"{cell}"' for cell in line) + "\r\n" for line in lines)
    (folder / "人员.csv").write_bytes(text.encode(encoding))
    found = read_tables(folder / "人员.csv")[0]
    assert found.name == "人员"
    assert [(number, list(cells)) for number, cells in found.rows if cells] == [
        (1, ["工号", "姓名"]),
        (2, ["G001", "王芳"]),
        (4, ["G002", "刘\n洋"]),
    ]


def _refusal(path: Path) -> str:
    with pytest.raises(BadRequest) as refusal:
        read_tables(path)
    return refusal.value.say


async def test_files_that_cannot_be_read_say_what_to_do(folder: Path):
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504
    (folder / "locked.xlsx").write_bytes(ole + "EncryptedPackage".encode("utf-16-le"))
    assert "文件设了打开密码" in _refusal(folder / "locked.xlsx")
    (folder / "old.xlsx").write_bytes(ole)
    assert "旧的 .xls" in _refusal(folder / "old.xlsx")
    (folder / "old.xls").write_bytes(ole)
    assert "另存为 .xlsx" in _refusal(folder / "old.xls")
    (folder / "text.xlsx").write_bytes(b"no workbook at all")
    assert "可能已经损坏" in _refusal(folder / "text.xlsx")
    whole = workbook(folder / "whole.xlsx", "人员", ["工号"], ["G001"]).read_bytes()
    (folder / "cut.xlsx").write_bytes(whole[: len(whole) // 2])
    assert "可能已经损坏" in _refusal(folder / "cut.xlsx")
    with zipfile.ZipFile(folder / "hollow.xlsx", "w") as package:
        package.writestr("xl/workbook.xml", "<workbook")
    assert "可能已经损坏" in _refusal(folder / "hollow.xlsx")
    (folder / "bytes.csv").write_bytes(b"\xff\x00\x81\xff")
    assert "文字编码认不出来" in _refusal(folder / "bytes.csv")
    (folder / "empty").mkdir()
    assert "没有 .csv" in _refusal(folder / "empty")
    assert "没有这个文件" in _refusal(folder / "nothing.xlsx")


async def test_files_that_are_far_too_large_are_not_opened(folder: Path):
    with (folder / "big.csv").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(TooLarge):
        read_tables(folder / "big.csv")
    with zipfile.ZipFile(folder / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/workbook.xml", "<workbook/>")
        with package.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            for _ in range(301):
                part.write(b"\0" * 2**20)
    assert (folder / "bomb.xlsx").stat().st_size < MOST_BYTES
    with pytest.raises(TooLarge):
        read_tables(folder / "bomb.xlsx")


async def test_more_rows_than_a_table_may_have_are_refused(orm: None, folder: Path):
    with (folder / "住户.csv").open("w", encoding="utf-8") as file:
        file.write("网格编码,楼栋,房号\n")
        file.writelines(f"{GRID1},1栋,{number}\n" for number in range(100_001))
    report = await import_tables(read_tables(folder / "住户.csv"), NOW)
    assert [fault.wrong for fault in report.faults] == ["超过 100000 行"]


async def test_a_table_nobody_knows_cannot_be_chosen():
    with pytest.raises(BadRequest) as refusal:
        named_tables(["水费"])
    assert "没有“水费”这张表" in refusal.value.say


async def test_the_command_line_from_the_template_to_the_import(
    linli: Linli, folder: Path, database_url: str, started_engines: Engines
):
    where = {"database_url": database_url, "redis_url": started_engines.redis_url}
    made = await linli("export", "空表.xlsx", "--template", **where)
    assert made.code == 0
    book = openpyxl.load_workbook(folder / "空表.xlsx")
    assert book["区域"]["A2"].value == "例：" + template_tables(TABLES)[0].table.columns[0].example
    book["人员"].append(["G009", "吴娟", "网格员", GRID1, None, "１３８１２３４５６７８"])
    book["人员"].append(["G010", "高强", "网格员", "4299060010010", None, None])
    book.save(folder / "填好.xlsx")
    refused = await linli("import", "填好.xlsx", **where)
    assert refused.code == 1
    assert "人员 第 4 行“区域编码”（4299060010010）：有 13 位。" in refused.said
    assert "什么都没有导入" in refused.said
    book["人员"].delete_rows(4)
    book.save(folder / "填好.xlsx")
    tried = await linli("import", "填好.xlsx", "--dry-run", **where)
    assert (tried.code, "这是试导入" in tried.said) == (0, True)
    async with database(database_url, 2):
        assert not await Staff.exists(code="G009")
    done = await linli("import", "填好.xlsx", **where)
    assert (done.code, "已导入" in done.said) == (0, True)
    async with database(database_url, 2):
        assert (await Staff.get(code="G009")).phone == "13812345678"
    listed = await linli("export", "人员.csv", "--what", "人员", **where)
    assert listed.code == 0
    assert "G009,吴娟,网格员" in (folder / "人员.csv").read_text(encoding="utf-8-sig")
