"""Services as tables: what a file changes in the directory, and how it is written out; what is shipped for the demo."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import date
from importlib.resources import files
from typing import Any

from domain.booking_tables import PLANS, plan_plans
from domain.form_tables import FORMS, plan_forms
from domain.organisation_plans import Known, Plan, draw_ids, given, refuse_lost_zeros, resolve
from domain.service_tables import (
    CLASSES,
    EVERYWHERE,
    ITEMS,
    PROVIDERS,
    write_materials,
    write_questions,
)
from domain.tables import Cell, Faults, Row, Sheet, Table, read_rows
from errors import SettingsError
from models.database import fetch
from models.services import Provider, ServiceClass, ServiceItem

#: What residents read of an item: a change of it is a new version. Another date of review alone is none.
_CONTENT: tuple[str, ...] = ("title", "aliases", "keywords", "summary", "audience", "materials", "steps", "questions")
_CONTENT += ("fee", "duration", "place", "latitude", "longitude", "phone", "hours", "link")
_ITEM = (*_CONTENT, "position", "reviewed_on", "reviewer", "active")
_PROVIDER = ("name", "kind", "words", "phone", "place", "price", "checked_on", "active")
_FILES = "domain.service_data"
#: Audit tags: one row for each column that another row of a table changes.
ITEM_CHANGED, PROVIDER_CHANGED = "service:change", "provider:change"


async def plan_classes(rows: Sequence[Row], known: Known, faults: Faults) -> Plan:
    """A class is known by its code; items of the same file may name one that is new in it."""
    plan = Plan(CLASSES, ServiceClass, faults)
    there = {each.code: each for each in await ServiceClass.all()}
    ids = iter(await draw_ids("service_class", len({row.get("code") for row in rows} - there.keys())))
    for row in rows:
        code = row.get("code")
        found = there.get(code)
        if plan.is_new(row, code) and (found or plan.complete(row)):
            fields = given(row, ServiceClass, "name", "position", "active")
            made = plan.put(row, found, fields if found else {"id": next(ids), "code": code} | fields)
            known.service_classes[code] = made.pk
    return plan


async def plan_items(rows: Sequence[Row], known: Known, faults: Faults) -> Plan:
    """An item is known by its code; new content is a new version."""
    plan = Plan(ITEMS, ServiceItem, faults, ITEM_CHANGED)
    classes = {each.code: each.id for each in await ServiceClass.all()} | known.service_classes
    there = {each.code: each for each in await ServiceItem.all()}
    ids = iter(await draw_ids("service_item", len({row.get("code") for row in rows} - there.keys())))
    for row in rows:
        code, before = row.get("code"), faults.count
        found = there.get(code)
        links = _links(row, known, faults)
        if (chosen := resolve(row, "service_class", classes, faults, "服务类别")) is not None:
            links["service_class_id"] = chosen
        if (unit := resolve(row, "department", known.departments, faults, "部门")) is not None:
            links["department_id"] = unit.id
        elif "department" in row.values and row.values["department"] is None:
            links["department_id"] = None
        if not plan.is_new(row, code) or faults.count > before or (found is None and not plan.complete(row)):
            continue
        fields = given(row, ServiceItem, *_ITEM) | links
        if found and any(getattr(found, name) != fields[name] for name in _CONTENT if name in fields):
            fields["version"] = found.version + 1
        made = plan.put(row, found, fields if found else {"id": next(ids), "code": code} | fields)
        known.services[code] = made.pk
    return plan


async def plan_providers(rows: Sequence[Row], known: Known, faults: Faults) -> Plan:
    """A provider is known by their code."""
    plan = Plan(PROVIDERS, Provider, faults, PROVIDER_CHANGED)
    there = {each.code: each for each in await Provider.all()}
    for row in rows:
        code, before = row.get("code"), faults.count
        found, links = there.get(code), _links(row, known, faults)
        if not plan.is_new(row, code) or faults.count > before or (found is None and not plan.complete(row)):
            continue
        fields = given(row, Provider, *_PROVIDER) | links
        plan.put(row, found, fields if found else {"code": code} | fields)
    return plan


def _links(row: Row, known: Known, faults: Faults) -> dict[str, Any]:
    """The area as far as the row names one."""
    if "area" not in row.values:
        return {}
    if row.values["area"] == "":
        return {"area_id": None}
    if refuse_lost_zeros(row, "area", known.areas, faults):
        return {}
    area = resolve(row, "area", known.areas, faults, "区域")
    return {"area_id": area.id} if area else {}


async def export_classes(_: date) -> list[list[Cell]]:
    rows = await ServiceClass.all().order_by("position", "code")
    return [[row.code, row.name, row.position or None, _flag(row.active)] for row in rows]


async def export_items(_: date) -> list[list[Cell]]:
    rows = (
        await ServiceItem.all()
        .order_by("service_class__position", "position", "code")
        .select_related("service_class", "area", "department")
    )
    return [item_cells(row) for row in rows]


def item_cells(row: ServiceItem) -> list[Cell]:
    """An item as a row of its table; class, area and department must have been fetched with it."""
    return [
        row.code,
        row.service_class.code,
        row.title,
        "、".join(row.aliases),
        row.keywords,
        row.summary,
        row.audience,
        write_materials(row.materials),
        "\n".join(row.steps),
        write_questions(row.questions),
        row.fee,
        row.duration,
        row.place,
        row.latitude,
        row.longitude,
        row.phone,
        row.hours,
        row.link,
        row.area.code if row.area else EVERYWHERE,
        row.department.code if row.department else None,
        row.position,
        row.reviewed_on.isoformat() if row.reviewed_on else None,
        row.reviewer,
        _flag(row.active),
    ]


async def export_providers(_: date) -> list[list[Cell]]:
    return [provider_cells(row) for row in await Provider.all().order_by("kind", "code").select_related("area")]


def provider_cells(row: Provider) -> list[Cell]:
    """A provider as a row of its table; the area must have been fetched with it."""
    return [
        row.code,
        row.name,
        row.kind,
        row.words,
        row.phone,
        row.place,
        row.area.code if row.area else EVERYWHERE,
        row.price,
        row.checked_on.isoformat() if row.checked_on else None,
        _flag(row.active),
    ]


def _flag(active: bool) -> str:
    return "是" if active else "否"


#: What is shipped, in the order in which one needs the other.
_SHIPPED = (
    (CLASSES, plan_classes),
    (ITEMS, plan_items),
    (PROVIDERS, plan_providers),
    (FORMS, plan_forms),
    (PLANS, plan_plans),
)


def shipped_sheets() -> list[Sheet]:
    """The directory of the demo, as sheets an import takes: one file for each table or part of it."""
    tables = {table.name: table for table, _ in _SHIPPED}
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in tables}
    for path in sorted(files(_FILES).iterdir(), key=lambda path: path.name):
        if path.name.endswith(".toml"):
            for name, found in tomllib.loads(path.read_text(encoding="utf-8")).items():
                rows[name] += found
    return [_sheet(tables[name], found) for name, found in rows.items()]


def _sheet(table: Table, rows: Sequence[dict[str, Any]]) -> Sheet:
    names = [column.name for column in table.columns]
    if unknown := {name for row in rows for name in row} - set(names):
        raise SettingsError(f"{_FILES}: {table.name} has no {sorted(unknown)}")
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    return Sheet(table.name, list(enumerate([names, *cells], 1)))


def _cell(value: Any) -> Cell:
    if isinstance(value, list):
        return "\n".join(value)
    found: Cell = value
    return found


async def add_shipped_services() -> int:
    """The demo's directory where there is none, in the running transaction; gives how many items."""
    if (await fetch("SELECT EXISTS (SELECT FROM service_class) AS there"))[0]["there"]:
        return 0
    faults, known, count = Faults(), await Known.load(), 0
    for (table, planner), sheet in zip(_SHIPPED, shipped_sheets(), strict=True):
        plan = await planner(read_rows(table, sheet, faults), known, faults)
        if faults:
            raise SettingsError(f"{_FILES}: {faults.shown[0]}")
        await plan.write()
        count += len(plan.added) if table is ITEMS else 0
    return count
