"""Setting up a community: areas, staff and the duty list. Loading the same again changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from domain.duty_lists import BEGINNING, shipped_lines, write_version
from domain.table_values import moment
from domain.templates import add_default_templates
from errors import BadRequest, NotFound
from models.cases import DutyList
from models.database import transaction
from models.enums import Level, Role
from models.people import Absence, Area, Department, Staff


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was new."""

    areas: int
    staff: int
    duties: int


async def load_community(community: Mapping[str, Any], *, bind_openids: bool) -> Loaded:
    """Add what is not there yet of its lists `area` (parents first), `department`, `staff` and `absence`, and a duty
    list if there is none.

    `bind_openids`: also bind staff to the WeChat ids given, which only the simulator's data has.
    """
    async with transaction():
        new_areas = sum([await _add_area(row) for row in community["area"]])
        for row in community.get("department", ()):
            await _add_department(row)
        new_staff = sum([await _add_staff(row, bind_openids) for row in community["staff"]])
        for row in community.get("absence", ()):
            await _add_absence(row)
        await add_default_templates()
        return Loaded(new_areas, new_staff, await add_default_duties())


async def _add_area(row: Mapping[str, Any]) -> bool:
    if await Area.exists(code=row["code"]):
        return False
    parent = await Area.get_or_none(code=row["parent"]) if row.get("parent") else None
    if row.get("parent") and parent is None:
        raise BadRequest(f"area {row['code']}: parent {row['parent']} does not exist: list parents first")
    await Area.create(
        code=row["code"],
        level=Level(row["level"]),
        name=row["name"],
        parent_id=parent.id if parent else None,
        duty_phone=row.get("duty_phone", ""),
        gas_phone=row.get("gas_phone", ""),
    )
    return True


async def _add_department(row: Mapping[str, Any]) -> None:
    if not await Department.exists(code=row["code"]):
        area = await Area.get(code=row["area"])
        await Department.create(code=row["code"], name=row["name"], kind=row["kind"], area_id=area.id)


async def _add_staff(row: Mapping[str, Any], bind_openids: bool) -> bool:
    unit = await Department.get(code=row["department"]) if "department" in row else None
    area = await Area.get_or_none(id=unit.area_id) if unit else await Area.get_or_none(code=row["area"])
    if area is None:
        raise BadRequest(f"staff {row['name']}: area {row['area']} does not exist")
    if await Staff.exists(name=row["name"], area_id=area.id):
        return False
    await Staff.create(
        code=row["code"],
        name=row["name"],
        role=Role(row["role"]),
        area_id=area.id,
        department_id=unit.id if unit else None,
        openid=row.get("openid") if bind_openids else None,
    )
    return True


async def _add_absence(row: Mapping[str, Any]) -> None:
    staff, deputy = await Staff.get(code=row["staff"]), await Staff.get(code=row["deputy"])
    starts_at, ends_at = moment(end=False)(row["starts_on"]), moment(end=True)(row["ends_on"])
    if not await Absence.exists(staff_id=staff.id, starts_at=starts_at):
        await Absence.create(
            staff_id=staff.id,
            deputy_id=deputy.id,
            starts_at=starts_at,
            ends_at=ends_at,
            reason=row.get("reason", ""),
        )


async def add_default_duties() -> int:
    """The shipped duty list where there is none; gives the number of its lines."""
    if await DutyList.exists():
        return 0
    lines = shipped_lines()
    await write_version(lines, BEGINNING, "随系统提供", datetime.now(UTC))
    return len(lines)


async def has_community() -> bool:
    """Whether there is any grid yet."""
    return await Area.exists(level=Level.GRID)


@dataclass(frozen=True, slots=True)
class StaffRow:
    """One line of `linli staff`."""

    id: int
    code: str
    name: str
    role: str
    unit: str
    bound: bool


async def list_staff(wanted: str = "") -> list[StaffRow]:
    """Everybody on duty, by area; or the one with this staff number (else this id); `all` = all who are not bound."""
    rows = await Staff.filter(active=True).order_by("area__code", "id").select_related("area", "department")
    listed = [
        StaffRow(
            row.id,
            row.code or "",
            row.name,
            row.role,
            row.department.name if row.department else row.area.name,
            row.openid is not None,
        )
        for row in rows
    ]
    if wanted == "all":
        return [row for row in listed if not row.bound]
    chosen = [row for row in listed if row.code == wanted] or [row for row in listed if str(row.id) == wanted]
    if wanted and not chosen:
        raise NotFound(f"staff {wanted!r}", say="没有这个工号或编号的在岗人员，用 linli staff 看一看。")
    return chosen if wanted else listed
