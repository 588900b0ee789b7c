"""Areas, households, components and special days: what a file changes, and how they are written out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from domain.organisation_plans import Known, Plan, draw_ids, given, resolve
from domain.organisation_tables import AREAS, COMPONENTS, HOUSEHOLDS, LEVEL_NAMES, SPECIAL_DAYS
from domain.tables import Cell, Faults, Row
from models.cases import SpecialDay
from models.enums import Level
from models.people import Area, Component, Household

_DIGITS = {9: Level.STREET, 12: Level.COMMUNITY, 15: Level.GRID}
_UP = {9: 6, 12: 9, 15: 12}
#: Rows looked up at once; the driver takes 32,767 arguments.
_CHUNK = 5000


async def plan_areas(rows: Sequence[Row], known: Known, faults: Faults) -> Plan:
    """Parents first, whatever their order in the file."""
    plan = Plan(AREAS, Area, faults)
    ids = iter(await draw_ids("area", len({row.get("code") for row in rows} - known.areas.keys())))
    for row in sorted(rows, key=lambda row: (len(row.get("code")), not row.get("code").endswith("00"))):
        code = row.get("code")
        found = known.areas.get(code)
        level = _level(row, found)
        if not plan.is_new(row, code) or not _level_fits(row, level, found, faults):
            continue
        above = _parent(row, level, known, faults) if found is None else _same_parent(row, found, known, faults)
        if above is faults or (found is None and not plan.complete(row)):
            continue
        fields = given(row, Area, "name", "duty_phone", "gas_phone", "boundary")
        if found is None:
            parent_id = above.id if isinstance(above, Area) else None
            fields |= {"id": next(ids), "code": code, "level": level, "parent_id": parent_id}
        area = plan.put(row, found, fields)
        known.areas[code] = known.area_by_id[area.pk] = area  # type: ignore[assignment]
    return plan


def _level(row: Row, found: Area | None) -> Level:
    """What the number of digits says; of the six-digit ones a city's end in 00, unless it is known or said."""
    code: str = row.get("code")
    if len(code) in _DIGITS:
        return _DIGITS[len(code)]
    by_code = Level.CITY if code.endswith("00") else Level.DISTRICT
    return row.get("level") or (found.level if found else by_code)


def _level_fits(row: Row, level: Level, found: Area | None, faults: Faults) -> bool:
    written = row.get("level")
    if written not in (None, level) or (len(row.get("code")) == 6 and level.rank < Level.DISTRICT.rank):
        by_code = LEVEL_NAMES[_DIGITS[len(row.get("code"))]] if len(row.get("code")) in _DIGITS else "区或市"
        faults.cell(row, "level", "层级和编码的位数对不上", f"{len(row.get('code'))} 位的编码是{by_code}。")
        return False
    if found is not None and found.level is not level:
        faults.cell(row, "level", f"已经是{LEVEL_NAMES[found.level]}，不能改层级", "请用新的编码另建一个。")
        return False
    return True


def _parent(row: Row, level: Level, known: Known, faults: Faults) -> Area | Faults | None:
    """The area above; None for a city and for a district without one; `faults` itself where it does not fit."""
    code: str = row.get("code")
    if len(code) in _UP:
        expected = code[: _UP[len(code)]]
    else:
        cities = [each for each in known.areas.values() if each.level is Level.CITY and _is_below(code, each.code)]
        expected = cities[0].code if cities and level is Level.DISTRICT else ""
    written = row.get("parent")
    if written not in (None, expected):
        starts = f"，编码应该以 {written} 开头" if len(code) in _UP else ""
        faults.cell(row, "parent", f"编码和上级对不上{starts}", "请检查编码和上级编码。")
        return faults
    if expected and expected not in known.areas:
        faults.cell(row, "code", f"没有上级 {expected}", "请在表里写上上级，或检查编码前面的数字。")
        return faults
    return known.areas.get(expected)


def _same_parent(row: Row, found: Area, known: Known, faults: Faults) -> Area | Faults | None:
    """The area above one that is there; it stays, and so `faults` itself where the row names another."""
    above = known.area_by_id.get(found.parent_id or 0)
    if row.get("parent") not in (None, above and above.code):
        faults.cell(
            row, "parent", "不能换上级", f"现在的上级是 {above.code if above else '没有'}；请用新的编码另建一个。"
        )
        return faults
    return above


def _is_below(district: str, city: str) -> bool:
    """420106 belongs to 420100, 110101 to 110000."""
    while city.endswith("00"):
        city = city[:-2]
    return district.startswith(city)


async def export_areas(_: date) -> list[list[Cell]]:
    rows = await Area.all().order_by("code").select_related("parent")
    rows.sort(key=lambda row: (-row.level.rank, row.code))
    return [
        [
            row.code,
            row.name,
            LEVEL_NAMES[row.level],
            row.parent.code if row.parent else None,
            row.duty_phone,
            row.gas_phone,
            _geojson(row.boundary),
        ]
        for row in rows
    ]


def _geojson(rings: list[list[list[float]]] | None) -> str | None:
    return json.dumps({"type": "Polygon", "coordinates": rings}, separators=(",", ":")) if rings else None


def _grid(row: Row, known: Known, faults: Faults) -> Area | None:
    """The grid a row names; a fault for an area that is none."""
    area = resolve(row, "grid", known.areas, faults, "区域")
    if area is not None and area.level is not Level.GRID:
        faults.cell(row, "grid", f"{area.name}不是网格", "请写 15 位的网格编码。")
        return None
    return area


async def plan_households(rows: Sequence[Row], known: Known, faults: Faults) -> Plan:
    """A household is known by its grid, building, unit and room."""
    plan = Plan(HOUSEHOLDS, Household, faults)
    grids = [known.areas[code].id for code in {row.get("grid") for row in rows} & known.areas.keys()]
    there: dict[tuple[int, str, str, str], Household] = {}
    for start in range(0, len(grids), _CHUNK):
        for each in await Household.filter(grid_id__in=grids[start : start + _CHUNK]):
            there[each.grid_id, each.building, each.unit, each.room] = each
    ids = iter(await draw_ids("household", len({_place(row, known) for row in rows} - there.keys())))
    for row in rows:
        grid = _grid(row, known, faults)
        if grid is None:
            continue
        key = _place(row, known)
        if plan.is_new(row, key):
            found = there.get(key)
            place = {} if found else dict(zip(("grid_id", "building", "unit", "room"), key, strict=True))
            place |= {} if found else {"id": next(ids)}
            made = plan.put(row, found, place | given(row, Household, "contact", "phone", "note"))
            known.households[key] = made.pk
    return plan


def _place(row: Row, known: Known) -> tuple[int, str, str, str]:
    """By what a household is known; grid 0 where the row names none."""
    grid = known.areas.get(row.get("grid"))
    return grid.id if grid else 0, row.get("building"), row.get("unit") or "", row.get("room")


async def export_households(_: date) -> list[list[Cell]]:
    rows = await Household.all().order_by("grid__code", "building", "unit", "room").select_related("grid")
    return [[row.grid.code, row.building, row.unit, row.room, row.contact, row.phone, row.note] for row in rows]


async def plan_components(rows: Sequence[Row], known: Known, faults: Faults) -> Plan:
    """A component is known by its code."""
    plan = Plan(COMPONENTS, Component, faults)
    codes = sorted({row.get("code") for row in rows})
    there: dict[str, Component] = {}
    for start in range(0, len(codes), _CHUNK):
        there |= {each.code: each for each in await Component.filter(code__in=codes[start : start + _CHUNK])}
    for row in rows:
        code, before = row.get("code"), faults.count
        found, grid = there.get(code), _grid(row, known, faults)
        if not plan.is_new(row, code) or faults.count > before or (found is None and not plan.complete(row)):
            continue
        fields = given(row, Component, "kind", "place", "latitude", "longitude")
        fields |= {"grid_id": grid.id} if grid else {}
        plan.put(row, found, fields if found else {"code": code} | fields)
    return plan


async def export_components(_: date) -> list[list[Cell]]:
    rows = await Component.all().order_by("code").select_related("grid")
    return [[row.code, row.kind, row.place, row.grid.code, row.latitude, row.longitude] for row in rows]


async def plan_special_days(rows: Sequence[Row], _: Known, faults: Faults) -> Plan:
    """A day is known by its date."""
    plan = Plan(SPECIAL_DAYS, SpecialDay, faults)
    there = {each.day: each for each in await SpecialDay.all()}
    for row in rows:
        day = row.get("day")
        found = there.get(day)
        if plan.is_new(row, day) and (found or plan.complete(row)):
            fields: dict[str, Any] = given(row, SpecialDay, "works", "name")
            plan.put(row, found, fields if found else {"day": day} | fields)
    return plan


async def export_special_days(_: date) -> list[list[Cell]]:
    rows = await SpecialDay.all().order_by("day")
    return [[row.day.isoformat(), "上班" if row.works else "放假", row.name] for row in rows]
