"""A workbook as it is handed round: heading, table with a frozen head, widths, numbers as numbers, ready to print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from domain.clock import SHANGHAI

Value = str | int | float | datetime | None

#: Said where there was nothing to divide by.
NOTHING = "—"
_HEADING, _NOTE, _HEAD = 0, 1, 2  # rows


class Kind(StrEnum):
    """How a column's values are shown."""

    TEXT = ""
    WHOLE = "0"
    SHARE = "0.00%"
    HOURS = "0.0"
    SCORE = "0.00"
    MOMENT = "yyyy-mm-dd hh:mm"


@dataclass(frozen=True, slots=True)
class Column:
    """One column; width in characters."""

    title: str
    kind: Kind = Kind.TEXT
    width: float = 10


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet. `note` says what it is about: area, days, when it was made."""

    name: str
    heading: str
    note: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]


def write_book(path: Path, tables: Sequence[Table]) -> None:
    """Write the workbook. What looks like a formula stays text: names and words come from people."""
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "remove_timezone": True,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        looks = _Looks(book)
        for table in tables:
            _write(book.add_worksheet(table.name), table, looks)


class _Looks:
    """The formats of a workbook."""

    def __init__(self, book: Workbook) -> None:
        self.heading = book.add_format({"bold": True, "font_size": 16, "align": "center", "valign": "vcenter"})
        self.note = book.add_format({"font_color": "#595959", "valign": "vcenter"})
        self.head = book.add_format(
            {
                "bold": True,
                "border": 1,
                "bg_color": "#DDEBF7",
                "align": "center",
                "valign": "vcenter",
                "text_wrap": True,
            }
        )
        self.nothing = book.add_format({"border": 1, "align": "right", "valign": "vcenter"})
        self.kinds: dict[Kind, Format] = {
            kind: book.add_format(
                {"border": 1, "valign": "vcenter"} | ({"num_format": kind.value} if kind.value else {"text_wrap": True})
            )
            for kind in Kind
        }


def _write(sheet: Worksheet, table: Table, looks: _Looks) -> None:
    last = len(table.columns) - 1
    if last:
        sheet.merge_range(_HEADING, 0, _HEADING, last, table.heading, looks.heading)
        sheet.merge_range(_NOTE, 0, _NOTE, last, table.note, looks.note)
    sheet.set_row(_HEADING, 28)
    sheet.set_row(_HEAD, 32)
    for place, column in enumerate(table.columns):
        sheet.set_column(place, place, column.width)
        sheet.write_string(_HEAD, place, column.title, looks.head)
    for number, row in enumerate(table.rows, _HEAD + 1):
        for place, (column, value) in enumerate(zip(table.columns, row, strict=True)):
            _write_cell(sheet, (number, place), column.kind, value, looks)
    sheet.freeze_panes(_HEAD + 1, 1)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(_HEAD)
    sheet.set_footer("&L&A&C第 &P 页，共 &N 页&R&D")


def _write_cell(sheet: Worksheet, at: tuple[int, int], kind: Kind, value: Value, looks: _Looks) -> None:
    if value is None:
        sheet.write_string(*at, "" if kind is Kind.MOMENT else NOTHING, looks.nothing)
    elif isinstance(value, datetime):
        sheet.write_datetime(*at, value.astimezone(SHANGHAI), looks.kinds[kind])
    elif isinstance(value, str):
        sheet.write_string(*at, value, looks.kinds[Kind.TEXT])
    else:
        sheet.write_number(*at, value, looks.kinds[kind])
