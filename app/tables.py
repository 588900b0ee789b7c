"""Tables as files: workbooks and CSV in, workbooks and CSV out. What a cell means is the domain's affair."""

from __future__ import annotations

import csv
import io
import os
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
import xlsxwriter
from openpyxl.utils.exceptions import InvalidFileException

from domain.organisation import Export, explanation
from domain.tables import MOST_ROWS, Cell, Sheet
from errors import BadRequest, TooLarge

#: A file larger than this, or unpacked larger than that, is none that people have filled in.
MOST_BYTES, MOST_UNPACKED = 20 * 2**20, 300 * 2**20
_CELL_CHARACTERS = 32_767  # Excel's own limit
_OLE, _ENCRYPTED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "EncryptedPackage".encode("utf-16-le")
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
    ParseError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    EOFError,
    OSError,
)
#: A CSV cell that begins like this would be run as a formula when a spreadsheet opens the file.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")


def read_tables(path: Path) -> list[Sheet]:
    """The sheets of a workbook, one CSV file, or every CSV file of a folder. Raises BadRequest, TooLarge."""
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() == ".csv")
        if not files:
            raise BadRequest(f"{path}: no CSV file", say="这个文件夹里没有 .csv 文件。")
        return [_read_csv(file) for file in files]
    if not path.is_file():
        raise BadRequest(f"{path}", say="没有这个文件或文件夹，请检查名字。")
    if path.stat().st_size > MOST_BYTES:
        raise TooLarge(f"{path}", say=f"文件超过 {MOST_BYTES >> 20} MB，请分成几个文件，去掉图片。")
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return [_read_csv(path)]
    if suffix != ".xlsx":
        raise BadRequest(f"{path}", say="只能导入 .xlsx 或 .csv；旧的 .xls 请在 Excel 里另存为 .xlsx。")
    return _read_workbook(path)


def _read_workbook(path: Path) -> list[Sheet]:
    _check_package(path)
    try:
        with warnings.catch_warnings(action="ignore"):  # of styles and extensions we do not need
            book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
            try:
                return [Sheet(sheet.title, _rows(sheet)) for sheet in book.worksheets]
            finally:
                book.close()
    except _BROKEN as error:
        raise BadRequest(f"{path}: {error}", say=_BROKEN_SAY) from error


_BROKEN_SAY = "这个 Excel 文件打不开，可能已经损坏。请在 Excel 里打开，另存为一个新的 .xlsx 再试。"


def _check_package(path: Path) -> None:
    """Refuse what is no workbook, is locked by a password, or unpacks to far more than it is."""
    with path.open("rb") as file:
        begins = file.read(len(_OLE))
    if begins == _OLE:
        locked = _ENCRYPTED in path.read_bytes()
        say = (
            "文件设了打开密码。请在 Excel 里去掉密码（文件 → 信息 → 保护工作簿）再导入。"
            if locked
            else "这是旧的 .xls 文件。请在 Excel 里另存为 .xlsx。"
        )
        raise BadRequest(f"{path}", say=say)
    try:
        with zipfile.ZipFile(path) as package:
            names = package.namelist()
            unpacked = sum(entry.file_size for entry in package.infolist())
    except _BROKEN as error:
        raise BadRequest(f"{path}: {error}", say=_BROKEN_SAY) from error
    if "xl/workbook.xml" not in names:
        raise BadRequest(f"{path}: no workbook inside", say=_BROKEN_SAY)
    if unpacked > MOST_UNPACKED:
        raise TooLarge(f"{path}: {unpacked} bytes unpacked", say="文件展开后太大，请删掉图片和空白的格式再试。")


def _rows(sheet: Any) -> list[tuple[int, Sequence[Cell]]]:
    """Rows that have something in them, numbered as Excel shows them; no more than shows that they are too many."""
    sheet.reset_dimensions()  # some programs write a wrong one, and rows would be missed
    rows: list[tuple[int, Sequence[Cell]]] = []
    for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
        if any(cell is not None for cell in cells):
            rows.append((number, [_cell(cell) for cell in cells]))
        if len(rows) > MOST_ROWS + 1:
            break
    return rows


def _cell(value: object) -> Cell:
    return value if isinstance(value, Cell) else str(value)


def _read_csv(path: Path) -> Sheet:
    if path.stat().st_size > MOST_BYTES:
        raise TooLarge(f"{path}", say=f"文件超过 {MOST_BYTES >> 20} MB，请分成几个文件。")
    text = _decoded(path)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise BadRequest(f"{path}: {error}", say="这个 CSV 文件的格式不对，请在 Excel 里另存为 CSV 再试。") from error
    rows = [(number, [cell.removeprefix("'") for cell in cells]) for number, cells in enumerate(records, 1)]
    return Sheet(path.stem, rows)


def _decoded(path: Path) -> str:
    """UTF-8 with or without a mark, UTF-16 with one, or what Chinese Excel writes (GB18030)."""
    raw = path.read_bytes()
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings: Sequence[str] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise BadRequest(f"{path}: unknown encoding", say="文字编码认不出来，请在 Excel 里另存为“CSV UTF-8”。")


def write_tables(path: Path, exports: Sequence[Export]) -> list[Path]:
    """A workbook (.xlsx), one CSV file (.csv, one table) or a folder of CSV files. Never over a file that is there."""
    suffix = path.suffix.lower()
    if suffix == ".xlsx":
        return [_create(path, lambda part: _write_workbook(part, exports))]
    if suffix == ".csv":
        if len(exports) != 1:
            raise BadRequest(f"{path}", say="一个 CSV 只能放一张表：请用 --what 选一张，或导出到 .xlsx 或文件夹。")
        return [_create(path, lambda part: _write_csv(part, exports[0]))]
    if suffix:
        raise BadRequest(f"{path}", say="请导出到 .xlsx、.csv 或一个文件夹。")
    path.mkdir(parents=True, exist_ok=True)
    return [
        _create(path / f"{export.table.title}.csv", lambda part, export=export: _write_csv(part, export))  # type: ignore[misc]
        for export in exports
    ]


def _create(path: Path, write: Callable[[Path], None]) -> Path:
    """Write beside and put in place at once, readable by its owner alone: it holds names and telephone numbers."""
    if path.exists():
        raise BadRequest(f"{path}", say="已经有这个文件了，请换个名字，或先把旧的移走。")
    part = path.with_name(f".{path.name}.part")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        write(part)
        part.replace(path)
    except OSError as error:
        raise BadRequest(f"{path}: {error}", say="这个位置写不进去，请检查文件夹是否存在、有没有权限。") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _write_workbook(path: Path, exports: Sequence[Export]) -> None:
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        text, head = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "bg_color": "#DDEBF7"})
        for export in exports:
            sheet = book.add_worksheet(export.table.title)
            sheet.freeze_panes(1, 0)
            for place, column in enumerate(export.table.columns):
                # as text: Excel keeps every digit of a code, and the zeros in front
                sheet.set_column(place, place, max(len(column.head) * 2 + 2, len(column.example) + 2), text)
                sheet.write_string(0, place, column.head, head)
            for number, cells in enumerate(export.rows, 1):
                for place, cell in enumerate(cells):
                    _write_cell(sheet, (number, place), cell, text)
        sheet = book.add_worksheet("说明")
        sheet.set_column(0, 4, 18)
        for number, row in enumerate(explanation()):
            for place, words in enumerate(row):
                sheet.write_string(number, place, words, head if number == 0 else text)


def _write_cell(
    sheet: xlsxwriter.worksheet.Worksheet, where: tuple[int, int], cell: Cell, text: xlsxwriter.format.Format
) -> None:
    if isinstance(cell, (int, float)):
        sheet.write_number(*where, cell, text)
    elif cell is not None and cell != "":
        if len(str(cell)) > _CELL_CHARACTERS:
            raise BadRequest(
                f"row {where[0] + 1}", say="有一格内容太长，Excel 放不下（多半是边界），请导出到文件夹（CSV）。"
            )
        sheet.write_string(*where, str(cell), text)


def _write_csv(path: Path, export: Export) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.head for column in export.table.columns])
        writer.writerows(_safe(cells) for cells in export.rows)


def _safe(cells: Iterable[Cell]) -> list[str]:
    """Cells no spreadsheet takes for a formula; reading takes the mark off again."""
    written = ["" if cell is None else str(cell) for cell in cells]
    return [f"'{text}" if text.startswith(_FORMULA) else text for text in written]
