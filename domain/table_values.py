"""Cells as values: what spreadsheets do to codes, telephone numbers and dates is undone, or refused with the reason."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from unicodedata import normalize

from domain.clock import SHANGHAI
from domain.tables import Cell, Wrong
from domain.worktime import TimeLimit
from errors import BadRequest

_AS_TEXT = "请把这一列设成“文本”格式再重新填写。"
_SCIENTIFIC = re.compile(r"\d(\.\d+)?[eE]\+?\d+")
_CODE = re.compile(r"#?[0-9A-Za-z][0-9A-Za-z_\-./#]*")
_PHONE = re.compile(
    r"1[3-9]\d{9}|0\d{2,3}-?\d{7,8}(-\d{1,6})?|[48]00-?\d{3}-?\d{4}|\d{3,8}"  # mobile, with area code, 400, short
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_PADDED = re.compile(r"(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])")
_YES = ("是", "启用", "在岗", "上班", "1", "y", "yes", "true")
_NO = ("否", "停用", "离岗", "放假", "0", "n", "no", "false")
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_MOMENT = re.compile(r"(.+?)[ T]+(\d{1,2})[:：](\d{2})(?:[:：]\d{2})?")
#: Day 0 of Excel's calendar; serial numbers in this range are days between 1954 and 2119.
_EXCEL_ZERO, _EXCEL_DAYS = date(1899, 12, 30), range(20_000, 80_000)
#: Points of a boundary: more would not fit into a cell of Excel.
MOST_POINTS = 1200

Reader = Callable[[Cell], Any]


def plain(cell: Cell) -> str:
    """A cell as half-width text; whole numbers without a point. Raises Wrong for digits that Excel has lost."""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        if not cell.is_integer() or abs(cell) >= 10**15:
            raise Wrong("Excel 把它当成小数或太长的数字存了", _AS_TEXT)
        return str(int(cell))
    if isinstance(cell, (datetime, date, time)):
        raise Wrong("Excel 把它当成日期存了", _AS_TEXT)
    text = normalize("NFKC", str(cell)).strip()
    if _SCIENTIFIC.fullmatch(text):
        raise Wrong("变成了科学计数法，后面的数字已经丢了", _AS_TEXT)
    return text


def text(most: int, *, lines: bool = False) -> Reader:
    """Text up to `most` characters, in one line unless `lines`; blanks and breaks become one space."""

    def read(cell: Cell) -> str:
        found = cell if isinstance(cell, str) else _written(cell)
        rows = [" ".join(_CONTROL.sub("", row).split()) for row in re.split(r"\r\n?|\n", found)]
        found = ("\n" if lines else " ").join(rows).strip()
        if len(found) > most:
            raise Wrong(f"太长，有 {len(found)} 个字", f"请写短些，最多 {most} 个字。")
        return found

    return read


def person(cell: Cell) -> str:
    """A name; the blanks that make 王　芳 as long as 欧阳小明 are taken out."""
    found: str = text(32)(cell)
    return _PADDED.sub("", found)


def _written(cell: Cell) -> str:
    """A name somebody typed as a number: building 3."""
    return f"{cell:g}" if isinstance(cell, float) and not cell.is_integer() else plain(cell)


def code(cell: Cell) -> str:
    """A code of letters and digits."""
    found = plain(cell).replace(" ", "")
    if not _CODE.fullmatch(found) or len(found) > 20:
        raise Wrong("编码只能有字母、数字和 - _ . /，最多 20 位", "比如 G001、CG-SGH。")
    return found


def component_code(cell: Cell) -> str:
    """What is printed on a lamp-post; may hold Chinese."""
    found = plain(cell).replace(" ", "")
    if len(found) > 32:
        raise Wrong("编码太长", "最多 32 位。")
    return found


def area_code(cell: Cell) -> str:
    """6 digits for a city or district, 9 for a street, 12 for a community, 15 for a grid."""
    found = plain(cell).replace(" ", "")
    if not found.isascii() or not found.isdigit():
        raise Wrong("区域编码只能是数字", "区 6 位、街道 9 位、社区 12 位、网格 15 位。")
    if len(found) not in (6, 9, 12, 15):
        hint = "前面或后面的 0 可能被 Excel 去掉了。" if isinstance(cell, (int, float)) else ""
        raise Wrong(f"有 {len(found)} 位", f"区 6 位、街道 9 位、社区 12 位、网格 15 位。{hint}")
    return found


def phone(cell: Cell) -> str:
    """A telephone number as one dials it."""
    found = plain(cell).replace(" ", "").replace("—", "-").removeprefix("+86").removeprefix("86-")
    if isinstance(cell, (int, float)) and 9 <= len(found) <= 11 and not re.fullmatch(r"1[3-9]\d{9}|[48]00\d{7}", found):
        raise Wrong("像是区号前面的 0 被 Excel 去掉了", "请写成 027-55501234 的样子，并把这一列设成“文本”。")
    if not _PHONE.fullmatch(found):
        raise Wrong("不像电话号码", "手机写 11 位；座机写 027-55501234。")
    return found


def flag(cell: Cell) -> bool:
    """是/否, also 启用/停用 and what Excel makes of TRUE."""
    found = plain(cell).lower()
    if found in _YES:
        return True
    if found in _NO:
        return False
    raise Wrong("只能写 是 或 否", "请写“是”或“否”。")


def number(least: int, most: int) -> Reader:
    """A whole number within bounds."""

    def read(cell: Cell) -> int:
        found = plain(cell)
        if not found.isascii() or not found.isdigit() or not least <= int(found) <= most:
            raise Wrong("数字不对", f"请写 {least} 到 {most} 之间的整数。")
        return int(found)

    return read


def degrees(least: float, most: float, name: str) -> Reader:
    """Latitude or longitude within China, to a tenth of a metre."""

    def read(cell: Cell) -> float:
        try:
            found = float(cell) if isinstance(cell, (int, float)) else float(normalize("NFKC", str(cell)))
        except ValueError:
            raise Wrong(f"{name}要写成数字", "比如纬度 30.5454、经度 114.3418。") from None
        if not least <= found <= most:
            raise Wrong(f"{name}不在国内范围", "经度和纬度是不是写反了？纬度约 18 到 54，经度约 73 到 136。")
        return round(found, 6)

    return read


def limit(cell: Cell) -> str:
    """2小时, 4工作时, 7天, 3工作日."""
    found = plain(cell).replace(" ", "").replace("个", "").replace("工作天", "工作日").replace("工作小时", "工作时")
    try:
        return str(TimeLimit.parse(found))
    except BadRequest:
        raise Wrong("时限看不懂", "请写成 2小时、4工作时、7天 或 3工作日。") from None


def choice(names: Mapping[str, Any], hint: str = "") -> Reader:
    """One of a few words."""

    def read(cell: Cell) -> Any:
        found = plain(cell)
        if found not in names:
            known = "、".join(dict.fromkeys(word for word in names if not word.isascii()))
            raise Wrong("不在可选的范围里", hint or f"可以写：{known}。")
        return names[found]

    return read


def words(cell: Cell) -> list[str]:
    """Several codes or names, between commas or the like."""
    return [word for word in re.split(r"[、,，;；\s]+", plain(cell)) if word]


def day(cell: Cell) -> date:
    """A date, however the spreadsheet keeps it."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    found = "" if isinstance(cell, (bool, time)) else plain(cell)
    try:
        if found.isdigit():
            if int(found) in _EXCEL_DAYS:
                return _EXCEL_ZERO + timedelta(days=int(found))
            return datetime.strptime(found, "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
        parts = _DAY.fullmatch(found)
        if parts:
            return date(int(parts[1]), int(parts[2]), int(parts[3]))
    except ValueError:
        pass
    raise Wrong("日期看不懂，或者没有这一天", "请写成 2026-12-01。")


def moment(*, end: bool) -> Reader:
    """A point in time in Shanghai; a day alone begins at midnight, or ends with the day."""

    def read(cell: Cell) -> datetime:
        if isinstance(cell, datetime) and cell.time() != time():
            return cell.replace(second=0, microsecond=0, tzinfo=SHANGHAI)
        parts = _MOMENT.fullmatch(normalize("NFKC", cell)) if isinstance(cell, str) else None
        if parts:
            return datetime.combine(day(parts[1]), _clock(parts[2], parts[3]), SHANGHAI)
        found = datetime.combine(day(cell), time(), SHANGHAI)
        return found + timedelta(days=1) if end else found

    return read


def _clock(hour: str, minute: str) -> time:
    try:
        return time(int(hour), int(minute))
    except ValueError:
        raise Wrong("没有这个时间", "请写成 2026-12-01 08:30。") from None


def boundary(cell: Cell) -> list[list[list[float]]]:
    """The rings of a GeoJSON polygon, or of a feature that holds one."""
    try:
        found = json.loads(str(cell))
        shape = found.get("geometry", found)
        kind, rings = shape["type"], shape.get("coordinates")
    except (ValueError, AttributeError, KeyError, TypeError):
        raise Wrong("不是 GeoJSON", '请从地图工具复制 {"type": "Polygon", "coordinates": …} 的整段文字。') from None
    if kind != "Polygon":
        raise Wrong(f"边界的类型是 {kind}", "只能是一个 Polygon；分成几块的网格请拆成几个网格。")
    try:
        points = [[(float(x), float(y)) for x, y, *_ in ring] for ring in rings]
    except (TypeError, ValueError):
        raise Wrong("坐标看不懂", "每个点要写成 [经度, 纬度]。") from None
    if not points or any(len(ring) < 4 or ring[0] != ring[-1] for ring in points):
        raise Wrong("边界没有围起来", "每一圈至少三个点，最后一个点要和第一个点相同。")
    if sum(map(len, points)) > MOST_POINTS:
        raise Wrong(f"边界的点太多（{sum(map(len, points))} 个）", f"请简化到 {MOST_POINTS} 个点以内。")
    if not all(73 <= x <= 136 and 3 <= y <= 54 for ring in points for x, y in ring):
        raise Wrong("有的点不在国内", "每个点先写经度再写纬度，不要写反。")
    return [[[round(x, 6), round(y, 6)] for x, y in ring] for ring in points]
