"""Workbooks for Excel: rows under heads, every text as text. What somebody wrote is never a formula."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

import xlsxwriter

from domain.clock import SHANGHAI

Cell = str | int | float | datetime | None
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
#: What Excel's own answers are called.
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LONGEST = 32_000  # Excel takes 32,767 characters a cell


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet. `widths` are in characters, one a head; `note` stands below the rows."""

    name: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    widths: Sequence[int] = ()
    note: str = ""


async def workbook(*sheets: Sheet) -> bytes:
    """The file, made beside the event loop."""
    return await asyncio.to_thread(_written, sheets)


def _written(sheets: Sequence[Sheet]) -> bytes:
    file = BytesIO()
    with xlsxwriter.Workbook(file, _OPTIONS) as book:
        head = book.add_format({"bold": True, "bg_color": "#DDEBF7"})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for one in sheets:
            sheet = book.add_worksheet(one.name)
            sheet.freeze_panes(1, 0)
            sheet.autofilter(0, 0, max(len(one.rows), 1), len(one.heads) - 1)
            for column, title in enumerate(one.heads):
                sheet.set_column(column, column, one.widths[column] if one.widths else 16)
                sheet.write_string(0, column, title, head)
            for number, cells in enumerate(one.rows, 1):
                for column, cell in enumerate(cells):
                    if isinstance(cell, datetime):
                        sheet.write_datetime(number, column, cell.astimezone(SHANGHAI).replace(tzinfo=None), moment)
                    elif isinstance(cell, int | float):
                        sheet.write_number(number, column, cell)
                    elif cell:
                        sheet.write_string(number, column, cell[:_LONGEST])
            if one.note:
                sheet.write_string(len(one.rows) + 2, 0, one.note)
    return file.getvalue()
