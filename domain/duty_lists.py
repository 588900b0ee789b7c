"""Versions of the duty list (职责清单): the shipped one, those a community imports, and how one is written out.

A version is never changed once it is written: cases keep the line they were taken on under.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import nlp
from domain.organisation_plans import Known, Plan, given
from domain.organisation_tables import DUTIES, LEVEL_NAMES, VERIFIER_NAMES, category_name
from domain.tables import Cell, Faults, Row
from errors import SettingsError
from models.cases import Duty, DutyList
from models.enums import Level, Verifier

#: The shipped list holds for anything older than a community's own.
BEGINNING = date(2026, 1, 1)
_FIELDS = (
    "department_id",
    "unit",
    "assisting",
    "accept_limit",
    "dispatch_limit",
    "sign_limit",
    "handle_limit",
    "verify_limit",
    "auto_accept",
    "verifier",
    "closing_photo",
    "closing_text",
    "anonymous",
)
Key = tuple[str, Level]
_DUTY_FILE = "default_duties.toml"


@cache
def _shipped() -> dict[str, Any]:
    table = tomllib.loads(files("domain.duty_data").joinpath(_DUTY_FILE).read_text(encoding="utf-8"))
    if unknown := set(table["lines"]) ^ {each.code for each in nlp.categories()}:
        raise SettingsError(f"domain/duty_data/{_DUTY_FILE}: lines and categories differ: {sorted(unknown)}")
    return table


@cache
def shipped_kinds() -> frozenset[str]:
    """The kinds of unit the shipped list names."""
    lines = _shipped()["lines"].values()
    return frozenset(kind for line in lines for kind in (line["unit"], *line.get("with", ())))


def shipped_lines() -> list[Duty]:
    """The shipped list: for each category a line at the level that begins and one at that of the unit it ends with."""
    table = _shipped()
    lines = [duty for code, line in table["lines"].items() for duty in _pair(code, table["usual"] | line, table)]
    return [*lines, _line("", Level.GRID, table["usual"] | table["other"])]


def _pair(code: str, line: Mapping[str, Any], table: Mapping[str, Any]) -> list[Duty]:
    if line.get("urgent"):
        line = {**line, **table["urgent"]}
    first, at = Level(line["first"]), Level(line["at"])
    unit = {"unit": line["unit"], "assisting": list(line.get("with", ()))}
    begins = [] if first is at else [_line(code, first, line)]
    return [*begins, _line(code, at, line, **unit)]


def _line(code: str, level: Level, line: Mapping[str, Any], **unit: Any) -> Duty:
    return Duty(
        category=code,
        level=level,
        accept_limit=line["accept"],
        sign_limit=line["sign"],
        handle_limit=line["handle"],
        verify_limit=line["verify"],
        verifier=Verifier(line["verifier"]),
        closing_photo=line.get("photo", False),
        closing_text=line.get("text", False),
        anonymous=not line.get("named", False),
        **unit,
    )


async def version_on(day: date) -> DutyList | None:
    """The version in force on a day (Shanghai time)."""
    return await DutyList.filter(effective_on__lte=day).order_by("-effective_on", "-id").first()


async def write_version(lines: Sequence[Duty], effective_on: date, note: str, now: datetime) -> DutyList:
    """A new version with these lines, in the running transaction."""
    version = await DutyList.create(effective_on=effective_on, note=note, created_at=now)
    for line in lines:
        line.version_id = version.id
    await Duty.bulk_create(lines, batch_size=500)
    return version


@dataclass(slots=True)
class DutyPlan(Plan):
    """The next version: that in force on its first day, with the file's lines put in, over or left out."""

    effective_on: date = BEGINNING
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    lines_now: dict[Key, Duty] = field(default_factory=dict)

    async def write(self) -> None:
        if self.added or self.changed or self.dropped:
            await write_version(list(self.lines_now.values()), self.effective_on, "导入", self.now)


async def plan_duties(rows: Sequence[Row], known: Known, faults: Faults, now: datetime, chosen: date) -> DutyPlan:
    """Compare the file's lines with the version in force on the day the new one begins (`chosen`, or the file's)."""
    plan = DutyPlan(DUTIES, Duty, faults, effective_on=_first_day(rows, chosen, faults), now=now)
    version = await version_on(plan.effective_on)
    old = await Duty.filter(version_id=version.id) if version else shipped_lines()
    plan.lines_now = {(each.category, each.level): _copy(each) for each in old}
    units = _Units(known, plan.lines_now)
    for row in rows:
        key = (row.get("category"), row.get("level"))
        if not plan.is_new(row, key):
            continue
        found = plan.lines_now.get(key)
        if row.get("active") is False:
            plan.dropped += plan.lines_now.pop(key, None) is not None
            continue
        fields = given(row, Duty, *_FIELDS[3:]) | units.fields(row, faults)
        made = plan.put(row, found, fields if found else {"category": key[0], "level": key[1]} | fields)
        plan.lines_now[key] = made  # type: ignore[assignment]
    if not any(category == "" for category, _ in plan.lines_now):
        sheet = rows[0].sheet
        faults.sheet(sheet, "没有“兜底”这一行", "请加一行：事项类别写 兜底，层级写 网格，处置时限写 7天。")
    return plan


def _first_day(rows: Sequence[Row], chosen: date, faults: Faults) -> date:
    """One day for the whole file, today at the earliest."""
    first: date | None = None
    for row in rows:
        day = row.get("effective_on")
        if first is not None and day is not None and day != first:
            faults.cell(row, "effective_on", f"和前面的 {first} 不一样", "一次只能导入一版，整张表写同一个日期。")
        first = first or day
    return max(first, chosen) if first else chosen


def _copy(line: Duty) -> Duty:
    same = {name: getattr(line, name) for name in _FIELDS}
    return Duty(category=line.category, level=line.level, **(same | {"assisting": list(line.assisting)}))


class _Units:
    """What 责任单位 and 协办单位 may name: codes of departments, or kinds that somebody uses."""

    def __init__(self, known: Known, lines: Mapping[Key, Duty]) -> None:
        self._codes = known.departments
        self._kinds = shipped_kinds() | {unit.kind for unit in known.departments.values() if unit.kind}
        self._kinds |= {kind for line in lines.values() for kind in (line.unit, *line.assisting)}

    def fields(self, row: Row, faults: Faults) -> dict[str, Any]:
        """department_id, unit and assisting, as far as the row names them."""
        found: dict[str, Any] = {}
        if "unit" in row.values:
            unit = row.values["unit"]
            department = self._codes.get(unit)
            found = {"department_id": department.id if department else None, "unit": "" if department else unit or ""}
            self._check(row, "unit", [unit] if unit else [], faults)
        if "assisting" in row.values:
            found["assisting"] = row.values["assisting"] or []
            self._check(row, "assisting", found["assisting"], faults)
        return found

    def _check(self, row: Row, name: str, named: Sequence[str], faults: Faults) -> None:
        for each in named:
            if each not in self._codes and each not in self._kinds:
                mend = "请写部门表里的编码或类别，比如 CG-SGH 或 城管。"
                faults.cell(row, name, f"没有叫“{each}”的部门编码或类别", mend)


async def export_duties(day: date) -> list[list[Cell]]:
    """The version in force on a day; the shipped one where there is none yet."""
    version = await version_on(day)
    lines = await Duty.filter(version_id=version.id).select_related("department") if version else shipped_lines()
    order = [each.code for each in nlp.categories()]
    lines.sort(key=lambda line: (order.index(line.category) if line.category in order else len(order), line.level.rank))
    return [_written(line, version.effective_on if version else BEGINNING) for line in lines]


def _written(line: Duty, day: date) -> list[Cell]:
    flags = (line.auto_accept, VERIFIER_NAMES[line.verifier], line.closing_photo, line.closing_text, line.anonymous)
    return [
        category_name(line.category),
        LEVEL_NAMES[line.level],
        line.department.code if line.department_id and line.department else line.unit,
        "、".join(line.assisting),
        line.accept_limit,
        line.dispatch_limit,
        line.sign_limit,
        line.handle_limit,
        line.verify_limit,
        *(flag if isinstance(flag, str) else "是" if flag else "否" for flag in flags),
        day.isoformat(),
        "是",
    ]
