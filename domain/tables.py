"""Tables people fill in: what a sheet must look like, how its rows are read, and how faults are told row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from difflib import get_close_matches
from hashlib import sha256
from typing import Any

#: What a cell holds when it comes from a workbook or a CSV file.
Cell = str | int | float | bool | datetime | date | time | None

#: Faults that are shown; beyond these they are only counted.
MOST_FAULTS = 200
#: Rows of one table; a street's households fit many times over.
MOST_ROWS = 100_000

_EXAMPLE = "例："
#: What stands in a cell whose field is to be emptied.
EMPTY = "无"
_ERRORS = ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!")


class Wrong(Exception):
    """A cell that cannot be read: what is wrong, and how to mend it."""

    def __init__(self, wrong: str, mend: str) -> None:
        super().__init__(wrong)
        self.wrong = wrong
        self.mend = mend


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet or CSV file as it was found: rows with the numbers the spreadsheet shows, heads included."""

    name: str
    rows: Sequence[tuple[int, Sequence[Cell]]]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `key` must be filled in every row, `needed` in rows that are new; a blank cell changes nothing."""

    name: str
    head: str
    read: Callable[[Cell], Any]
    example: str = ""
    note: str = ""
    key: bool = False
    needed: bool = False
    clears: bool = True  # 无 empties it


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the organisation."""

    name: str
    title: str
    about: str
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, where, and how to mend it. Row 0 is the sheet as a whole."""

    sheet: str
    row: int
    column: str
    value: str
    wrong: str
    mend: str


@dataclass(slots=True)
class Row:
    """One row that was read. `values` has what was filled in; None where somebody wrote 无 to empty the field."""

    sheet: str
    number: int
    table: Table
    values: dict[str, Any]
    cells: Mapping[str, Cell]

    def get(self, name: str, otherwise: Any = None) -> Any:
        return self.values.get(name, otherwise)


@dataclass(slots=True)
class Faults:
    """Collects faults; `count` goes on where the list ends."""

    shown: list[Fault] = field(default_factory=list)
    count: int = 0
    _once: set[tuple[str, str]] = field(default_factory=set)

    def __bool__(self) -> bool:
        return self.count > 0

    def add(self, fault: Fault) -> None:
        self.count += 1
        if len(self.shown) < MOST_FAULTS:
            self.shown.append(fault)

    def sheet(self, name: str, wrong: str, mend: str, *, row: int = 0, column: str = "", value: str = "") -> None:
        """A fault of the sheet or its heads."""
        self.add(Fault(name, row, column, value, wrong, mend))

    def cell(self, row: Row, name: str, wrong: str, mend: str) -> None:
        """A fault of one cell of a row."""
        value = row.cells.get(name)
        self.add(
            Fault(row.sheet, row.number, row.table.column(name).head, "" if value is None else str(value), wrong, mend)
        )

    def missing(self, row: Row, name: str) -> None:
        """A new row without what it needs; told once where the whole column is missing."""
        column = row.table.column(name)
        if name in row.cells:
            mend = f"请填写，比如 {column.example}。合并的单元格要拆开，每行都填。"
            self.cell(row, name, f"{column.head}是空的", mend)
        elif (row.sheet, name) not in self._once:
            self._once.add((row.sheet, name))
            self.sheet(
                row.sheet, f"缺少“{column.head}”这一列", "新增的行要有这一列，请在表头加上。", column=column.head
            )


def find_table(sheet: Sheet, tables: Iterable[Table]) -> Table | None:
    """Which table a sheet is: by its name in Chinese or English, else by heads that fit only one."""
    name = sheet.name.strip().lower()
    by_name = [table for table in tables if name in (table.title, table.name)]
    if by_name:
        return by_name[0]
    heads = {_plain_head(cell) for cell in (sheet.rows[0][1] if sheet.rows else ()) if not is_blank(cell)}
    fitting = [table for table in tables if _fits(table, heads)]
    return fitting[0] if len(fitting) == 1 else None


def _fits(table: Table, heads: set[str]) -> bool:
    known = set(_heads(table))
    keys = [column for column in table.columns if column.key]
    return bool(heads) and heads <= known and all({column.head, column.name} & heads for column in keys)


def _heads(table: Table) -> dict[str, Column]:
    return {name: column for column in table.columns for name in (column.head, column.name)}


def _plain_head(cell: Cell) -> str:
    """A head without blanks, stars and what stands in brackets: `工号*（必填）` is 工号."""
    text = "".join(str(cell).split()).replace("*", "").replace("（", "(")
    return text.split("(")[0].strip("\ufeff").lower()


def is_blank(cell: Cell) -> bool:
    """Nothing, or nothing one can see."""
    return cell is None or (isinstance(cell, str) and not tidy(cell))


def tidy(text: str) -> str:
    """Without blanks at the ends, the wide ones and the invisible ones."""
    return text.replace("\ufeff", "").replace("\u200b", "").replace("\u00a0", " ").strip()


def read_rows(table: Table, sheet: Sheet, faults: Faults) -> list[Row]:
    """The rows of a sheet, each cell read; rows that are blank or the template's example are passed over."""
    filled = [(number, cells) for number, cells in sheet.rows if not all(is_blank(cell) for cell in cells)]
    if not filled:
        return []
    head_row, heads = filled[0]
    columns = _columns(table, sheet.name, head_row, heads, faults)
    if columns is None:
        return []
    if len(filled) - 1 > MOST_ROWS:
        faults.sheet(sheet.name, f"超过 {MOST_ROWS} 行", "请分成几个文件，分几次导入。")
        return []
    rows = []
    for number, cells in filled[1:]:
        first = next(cell for cell in cells if not is_blank(cell))
        if not (isinstance(first, str) and tidy(first).startswith(_EXAMPLE)):
            rows.append(_row(table, sheet.name, number, columns, cells, faults))
    return [row for row in rows if row is not None]


def _columns(
    table: Table, sheet: str, row: int, heads: Sequence[Cell], faults: Faults
) -> list[tuple[int, Column]] | None:
    """Where each column stands; None where the heads cannot be used."""
    before, known = faults.count, _heads(table)
    found: dict[str, int] = {}
    for place, cell in enumerate(heads):
        if is_blank(cell):
            continue
        column = known.get(_plain_head(cell))
        if column is None:
            near = get_close_matches(_plain_head(cell), [each.head for each in table.columns], 1, 0.5)
            mend = f"是不是“{near[0]}”？" if near else f"可以用的列：{'、'.join(each.head for each in table.columns)}。"
            faults.sheet(sheet, "不认识这一列", mend, row=row, column=str(cell), value=str(cell))
        elif column.name in found:
            faults.sheet(sheet, "这一列出现了两次", "请删掉一列。", row=row, column=str(cell), value=str(cell))
        else:
            found[column.name] = place
    for column in table.columns:
        if column.key and column.name not in found:
            faults.sheet(sheet, f"缺少“{column.head}”这一列", "请在表头加上这一列。", row=row, column=column.head)
    return [(found[c.name], c) for c in table.columns if c.name in found] if faults.count == before else None


def _row(
    table: Table,
    sheet: str,
    number: int,
    columns: Sequence[tuple[int, Column]],
    cells: Sequence[Cell],
    faults: Faults,
) -> Row | None:
    """One row, or None where a cell is wrong (each is told)."""
    by_name = {column.name: cells[place] if place < len(cells) else None for place, column in columns}
    row, good = Row(sheet, number, table, {}, by_name), True
    for _, column in columns:
        cell = by_name[column.name]
        if is_blank(cell):
            if column.key:
                faults.missing(row, column.name)
                good = False
            continue
        if isinstance(cell, str) and tidy(cell) == EMPTY and _may_empty(column):
            row.values[column.name] = None
            continue
        try:
            if cell in _ERRORS:
                raise Wrong("公式出错了", "请改好公式，或直接写结果。")
            row.values[column.name] = column.read(tidy(cell) if isinstance(cell, str) else cell)
        except Wrong as error:
            faults.cell(row, column.name, error.wrong, error.mend)
            good = False
    return row if good else None


def _may_empty(column: Column) -> bool:
    return column.clears and not column.key and not column.needed


def example_row(table: Table) -> list[str]:
    """What the template shows; it is passed over when it comes back."""
    first, *rest = (column.example for column in table.columns)
    return [_EXAMPLE + first, *rest]


def as_text(columns: Sequence[Column], cells: Sequence[Cell]) -> Mapping[str, str]:
    """A row of a table as a form has it: by the column's name, blank where there is nothing."""
    return {column.name: "" if cell is None else str(cell) for column, cell in zip(columns, cells, strict=True)}


def mark_of(cells: Mapping[str, str]) -> str:
    """Another one after each change: what somebody has read is known by it."""
    return sha256("\0".join(cells.values()).encode()).hexdigest()[:16]
