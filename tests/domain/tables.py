"""Sheets as a spreadsheet holds them, for tests of the import."""

from __future__ import annotations

from datetime import UTC, datetime

from domain.organisation import ImportReport, import_tables
from domain.tables import Cell, Sheet

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


def sheet(name: str, heads: str, *rows: list[Cell]) -> Sheet:
    """A sheet with its heads in row 1: `sheet("人员", "工号 姓名", ["G009", "吴娟"])`."""
    return Sheet(name, list(enumerate([heads.split(), *rows], 1)))


def areas(*rows: list[Cell]) -> Sheet:
    return sheet("区域", "编码 名称 值班电话", *rows)


def staff(*rows: list[Cell]) -> Sheet:
    return sheet("人员", "工号 姓名 区域编码 电话", *rows)


def duties(*rows: list[Cell]) -> Sheet:
    return sheet("职责清单", "事项类别 层级 责任单位 处置时限 生效日期", *rows)


async def imported(*sheets: Sheet) -> ImportReport:
    """Import what must be without fault."""
    report = await import_tables(sheets, NOW)
    assert report.faults == []
    assert report.written
    return report


async def refused(*sheets: Sheet) -> list[tuple[str, int, str, str]]:
    """Import what must be refused: sheet, row, column and what is wrong of each fault."""
    report = await import_tables(sheets, NOW)
    assert not report.written
    assert all(fault.mend for fault in report.faults), "every fault says how to mend it"
    return [(fault.sheet, fault.row, fault.column, fault.wrong) for fault in report.faults]
