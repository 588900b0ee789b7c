"""The tables of what is known of people: kinds of facts (档案项), and members of households with a column a fact."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from domain import table_values as read
from domain.audience_rules import KnownFact
from domain.tables import Cell, Column, Faults, Row, Sheet, Table, Wrong, find_table, read_rows
from models.enums import FactType

TYPES = {
    "是否": FactType.YES,
    "选项": FactType.CHOICE,
    "数字": FactType.NUMBER,
    "日期": FactType.DATE,
    "文字": FactType.TEXT,
}
TYPE_NAMES = {kind: name for name, kind in TYPES.items()}
_LONGEST_TEXT, _LARGEST = 100, 10**6
#: Before this day nobody alive was born.
OLDEST = date(1900, 1, 1)
_NAME = re.compile(r"[\w\u4e00-\u9fff]{1,24}")


def fact_name(cell: Cell) -> str:
    """What a kind is called: a head of its own in the other table, so without blanks and signs."""
    found = read.plain(cell).replace(" ", "")
    if not _NAME.fullmatch(found) or found in _FIXED:
        raise Wrong("名称只能有汉字、字母和数字，不能和别的列同名", "最多 24 个字，比如 独居、驾驶证到期。")
    return found


def fact_code(cell: Cell) -> str:
    """A code as rules name it."""
    found: str = read.code(cell)
    if found in _FIXED:
        raise Wrong("编码不能和别的列同名", "请换一个，比如 dibao。")
    return found


def value_of(kind: KnownFact, cell: Cell) -> Any:
    """What a cell, or what somebody typed, says of a fact, as it is kept. Raises Wrong."""
    if kind.type is FactType.YES:
        return read.flag(cell)
    if kind.type is FactType.CHOICE:
        found = read.plain(cell)
        if found not in kind.choices:
            raise Wrong(f"没有“{found[:20]}”这个选项", f"请写其中一个：{'、'.join(kind.choices)}。")
        return found
    if kind.type is FactType.NUMBER:
        return read.number(0, _LARGEST)(cell)
    if kind.type is FactType.DATE:
        return read.day(cell).isoformat()
    return read.text(_LONGEST_TEXT)(cell)


def say_value(kind: KnownFact, value: Any) -> str:
    """As people read it, and as it is written out."""
    return ("是" if value else "否") if kind.type is FactType.YES else str(value)


KINDS = Table(
    "fact_kinds",
    "档案项",
    "居民档案里记哪些内容；是否类就是标签，比如低保、独居",
    (
        Column("code", "编码", fact_code, "dibao", "自己定的短编码，不重复", key=True),
        Column("name", "名称", fact_name, "低保", "户内成员表里的列名", needed=True),
        Column("type", "类型", read.choice(TYPES), "是否", "是否、选项、数字、日期、文字", needed=True),
        Column("choices", "选项", read.words, "", "类型是选项时写，几个用顿号隔开"),
        Column("sensitive", "敏感", read.flag, "是", "敏感的不在名单里显示，查看和使用都留记录", clears=False),
        Column("active", "启用", read.flag, "是", "写 停用 就不再用来挑人", clears=False),
    ),
)
MEMBERS = Table(
    "household_members",
    "户内成员",
    "每户有谁，和每人的档案；档案项每项一列",
    (
        Column("grid", "网格编码", read.area_code, "429906001001004", "网格的 15 位编码", key=True),
        Column("building", "楼栋", read.text(32), "3栋", key=True),
        Column("unit", "单元", read.text(16), "2单元"),
        Column("room", "房号", read.text(16), "501", key=True),
        Column("name", "姓名", read.person, "刘桂兰", "同一户里不重名", key=True),
        Column("relation", "关系", read.text(16), "户主", "户主、配偶、子女、父母、租户 …"),
        Column("birthday", "生日", read.day, "1946-12-03", "身份证上的出生日期"),
    ),
)
FACT_TABLES = (KINDS, MEMBERS)
_FIXED = frozenset({each for column in MEMBERS.columns for each in (column.name, column.head)})


def members_table(kinds: Iterable[KnownFact]) -> Table:
    """With a column for each kind of fact."""
    columns = [Column(kind.code, kind.name, partial(value_of, kind), "", TYPE_NAMES[kind.type]) for kind in kinds]
    return replace(MEMBERS, columns=(*MEMBERS.columns, *columns))


def kinds_in(sheets: Iterable[Sheet]) -> list[KnownFact]:
    """The kinds of facts that a file brings with it, as far as they can be read; faults are told when it is planned."""
    found = [sheet for sheet in sheets if find_table(sheet, FACT_TABLES) is KINDS]
    rows = [row for sheet in found for row in read_rows(KINDS, sheet, Faults())]
    return [_kind(row) for row in rows if {"code", "name", "type"} <= row.values.keys()]


def _kind(row: Row) -> KnownFact:
    return KnownFact(row.get("code"), row.get("name"), row.get("type"), tuple(row.get("choices") or ()))
