"""Departments, staff, absences and reply templates: what a file changes, and how they are written out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from domain.administrators import KIND_NAMES
from domain.organisation_cover import check_cover, say_day
from domain.organisation_plans import Known, Plan, draw_ids, given, reference, refuse_lost_zeros, resolve
from domain.organisation_tables import (
    ABSENCES,
    DEPARTMENTS,
    LEVEL_NAMES,
    POST_NAMES,
    STAFF,
    TEMPLATES,
    VERB_NAMES,
    category_name,
)
from domain.people import LEVEL_ROLE
from domain.tables import Cell, Faults, Row
from domain.templates import VARIABLES, unknown_variables
from models.cases import ReplyTemplate
from models.console import Administrator
from models.enums import Level, Role
from models.people import Absence, Area, Department, Staff
from models.transitions import Verb


async def plan_departments(rows: Sequence[Row], known: Known, faults: Faults) -> Plan:
    """A department is known by its code; it stays in its area."""
    plan = Plan(DEPARTMENTS, Department, faults)
    names = {(unit.area_id, unit.name): unit.code for unit in known.departments.values()}
    ids = iter(await draw_ids("department", len({row.get("code") for row in rows} - known.departments.keys())))
    for row in rows:
        code, before = row.get("code"), faults.count
        found = known.departments.get(code)
        area = resolve(row, "area", known.areas, faults, "区域")
        if not plan.is_new(row, code) or (found is None and not plan.complete(row)):
            continue
        _check_department(row, found, area, names, faults)
        if faults.count > before:
            continue
        fields = given(row, Department, "name", "kind")
        if found is None and area is not None:
            fields |= {"id": next(ids), "code": code, "area_id": area.id}
        unit = plan.put(row, found, fields)
        known.departments[code] = unit  # type: ignore[assignment]
        names[unit.area_id, unit.name] = code  # type: ignore[attr-defined]
    return plan


def _check_department(
    row: Row, found: Department | None, area: Area | None, names: dict[tuple[int, str], str], faults: Faults
) -> None:
    if found is None and refuse_lost_zeros(row, "code", names.values(), faults):
        return
    if area is not None and area.level not in (Level.STREET, Level.DISTRICT):
        faults.cell(row, "area", f"部门不能设在{LEVEL_NAMES[area.level]}", "请写街道（9 位）或区（6 位）的编码。")
    elif area is not None and found is not None and found.area_id != area.id:
        faults.cell(row, "area", "部门不能换区域", "请用新的编码另建一个部门。")
    area_id = found.area_id if found else area.id if area else 0
    if names.get((area_id, row.get("name")), row.get("code")) != row.get("code"):
        faults.cell(
            row, "name", "这个区域已经有同名的部门", f"编码是 {names[area_id, row.get('name')]}，请不要重复建。"
        )


async def export_departments(_: date) -> list[list[Cell]]:
    rows = await Department.all().order_by("code").select_related("area")
    return [[row.code, row.name, row.kind, row.area.code] for row in rows]


async def plan_staff(rows: Sequence[Row], known: Known, faults: Faults) -> Plan:
    """A person is known by their number; somebody without one by name and area, and then gets the number."""
    plan = Plan(STAFF, Staff, faults)
    nameless = {(one.name, one.area_id): one for one in known.staff.values() if one.code is None}
    kinds = {one.staff_id: one.kind for one in await Administrator.all()}
    ids = iter(await draw_ids("staff", len({row.get("code") for row in rows} - known.staff.keys())))
    for row in rows:
        code, before = row.get("code"), faults.count
        if not plan.is_new(row, code):
            continue
        found = known.staff.get(code)
        place = _place(row, found, known, faults)
        if found is None:
            found = nameless.get((row.get("name"), place.get("area_id", 0)))
        if found is None and not _may_be_new(row, plan, place, known):
            continue
        if found is not None and found.id in kinds and row.get("active") is False and found.active:
            kind = KIND_NAMES[kinds[found.id]]
            faults.cell(row, "active", f"{found.name}是{kind}", "请先在工作台的“账号”里撤销，再停用。")
        if faults.count > before:
            continue
        fields = given(row, Staff, "name", "phone", "capacity", "active") | place
        if code != (found and reference(found)):
            fields["code"] = code
        if found is None:
            fields["id"] = next(ids)
        if fields.get("active") is False:
            fields |= {"openid": None, "bound_at": None}
        known.staff[code] = plan.put(row, found, fields)  # type: ignore[assignment]
    return plan


def _may_be_new(row: Row, plan: Plan, place: dict[str, Any], known: Known) -> bool:
    """Whether the row has all that somebody new needs."""
    if row.get("code").startswith("#"):
        plan.faults.cell(row, "code", "没有这个工号", "新来的人请自己定一个工号，比如 G001。")
        return False
    if not plan.complete(row) or refuse_lost_zeros(row, "code", known.staff, plan.faults):
        return False
    if not place and row.get("area") is None and row.get("department") is None:
        plan.faults.cell(row, "area", "不知道这个人在哪里", "请写区域编码；部门的人写部门编码。")
        return False
    return True


def _place(row: Row, found: Staff | None, known: Known, faults: Faults) -> dict[str, Any]:
    """Area, department and role as the row wants them; {} where it says nothing of them, or nothing that fits."""
    area = resolve(row, "area", known.areas, faults, "区域")
    unit = resolve(row, "department", known.departments, faults, "部门")
    wrong = any(row.get(name) is not None and it is None for name, it in (("area", area), ("department", unit)))
    if wrong or not row.values.keys() & {"area", "department", "role"}:
        return {}
    if unit is None and found is not None:
        if area is None and not ("department" in row.values and row.values["department"] is None):
            unit = next((each for each in known.departments.values() if each.id == found.department_id), None)
        area = area or known.area_by_id[found.area_id]
    if unit is not None:
        return _in_department(row, unit, area, known, faults)
    return _in_area(row, area, faults) if area is not None else {}


def _in_department(row: Row, unit: Department, area: Area | None, known: Known, faults: Faults) -> dict[str, Any]:
    if row.get("area") is not None and area is not None and area.id != unit.area_id:
        faults.cell(row, "area", f"部门 {unit.code} 不在这个区域", "部门的人不用写区域编码。")
    if row.get("role") not in (None, Role.DEPARTMENT_STAFF):
        mend = f"写了部门编码就是部门工作人员；{POST_NAMES[row.get('role')]}请写区域编码。"
        faults.cell(row, "role", "岗位和部门对不上", mend)
    return {
        "area_id": known.area_by_id[unit.area_id].id,
        "department_id": unit.id,
        "role": Role.DEPARTMENT_STAFF,
    }


def _in_area(row: Row, area: Area, faults: Faults) -> dict[str, Any]:
    role = row.get("role") or LEVEL_ROLE[area.level]
    if role is Role.DEPARTMENT_STAFF:
        faults.cell(row, "department", "部门工作人员没有写部门", "请写部门编码。")
    elif role is not LEVEL_ROLE[area.level]:
        mend = f"{LEVEL_NAMES[area.level]}的人是{POST_NAMES[LEVEL_ROLE[area.level]]}；请改岗位或区域编码。"
        faults.cell(row, "role", f"{POST_NAMES[role]}不能在{LEVEL_NAMES[area.level]}“{area.name}”", mend)
    return {"area_id": area.id, "department_id": None, "role": role}


async def export_staff(_: date) -> list[list[Cell]]:
    rows = await Staff.all().order_by("area__code", "id").select_related("area", "department")
    return [
        [
            reference(row),
            row.name,
            POST_NAMES[row.role],
            None if row.department else row.area.code,
            row.department.code if row.department else None,
            row.phone,
            row.capacity,
            "是" if row.active else "否",
        ]
        for row in rows
    ]


async def plan_absences(rows: Sequence[Row], known: Known, faults: Faults) -> Plan:
    """An absence is known by who is away and since when."""
    plan = Plan(ABSENCES, Absence, faults)
    leaves = list(await Absence.all())
    there = {(each.staff_id, each.starts_at): each for each in leaves}
    touched: list[tuple[Row, Absence]] = []
    for row in rows:
        before = faults.count
        staff = resolve(row, "staff", known.staff, faults, "人员")
        deputy = resolve(row, "deputy", known.staff, faults, "人员")
        if staff is None or faults.count > before:
            continue
        key = (staff.id, row.get("starts_at"))
        found = there.get(key)
        if not plan.is_new(row, key) or (found is None and not plan.complete(row)):
            continue
        _check_absence(row, staff, deputy, faults)
        if faults.count > before:
            continue
        fields = given(row, Absence, "ends_at", "reason")
        fields |= {"deputy_id": deputy.id if deputy else None} if "deputy" in row.values else {}
        same = plan.same
        leave = plan.put(row, found, fields if found else {"staff_id": staff.id, "starts_at": key[1]} | fields)
        if plan.same == same and isinstance(leave, Absence):
            touched.append((row, leave))
    check_cover(touched, [*leaves, *(leave for _, leave in touched if leave.pk is None)], known, faults)
    return plan


def _check_absence(row: Row, staff: Staff, deputy: Staff | None, faults: Faults) -> None:
    ends = row.get("ends_at")
    if ends is not None and ends <= row.get("starts_at"):
        faults.cell(row, "ends_at", "结束比开始早", "请检查两个日期。")
    if deputy is not None and deputy.id == staff.id:
        faults.cell(row, "deputy", "自己不能代自己", "请写另一个人的工号。")
    elif deputy is not None and not deputy.active:
        faults.cell(row, "deputy", f"{deputy.name}已经停用", "请换一个在岗的人。")


async def export_absences(_: date) -> list[list[Cell]]:
    rows = await Absence.all().order_by("starts_at", "id").select_related("staff", "deputy")
    return [
        [
            reference(row.staff),
            say_day(row.starts_at, end=False),
            say_day(row.ends_at, end=True),
            reference(row.deputy) if row.deputy else None,
            row.reason,
        ]
        for row in rows
    ]


async def plan_templates(rows: Sequence[Row], _: Known, faults: Faults) -> Plan:
    """A template is known by its name."""
    plan = Plan(TEMPLATES, ReplyTemplate, faults)
    there = {each.name: each for each in await ReplyTemplate.all()}
    for row in rows:
        found = there.get(row.get("name"))
        unknown = unknown_variables(row.get("text") or "")
        if unknown:
            known = " ".join(f"{{{name}}}" for name in VARIABLES)
            faults.cell(row, "text", f"没有 {{{unknown[0]}}} 这个变量", f"可以用：{known}。")
        if plan.is_new(row, row.get("name")) and not unknown and (found or plan.complete(row)):
            fields = given(row, ReplyTemplate, "category", "verb", "text", "active")
            plan.put(row, found, fields if found else {"name": row.get("name")} | fields)
    return plan


async def export_templates(_: date) -> list[list[Cell]]:
    rows = await ReplyTemplate.all().order_by("name")
    return [
        [
            row.name,
            category_name(row.category) if row.category else None,
            VERB_NAMES.get(Verb(row.verb), row.verb) if row.verb else None,
            row.text,
            "是" if row.active else "否",
        ]
        for row in rows
    ]
