"""Setting up a community: areas, staff and the duty list. Loading the same again changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import nlp
from errors import BadRequest
from models.cases import Duty
from models.database import fetch, transaction
from models.enums import Level, Role
from models.people import Area, Staff


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was new."""

    areas: int
    staff: int
    duties: int


async def load_community(
    areas: Sequence[Mapping[str, Any]], staff: Sequence[Mapping[str, Any]], *, bind_openids: bool
) -> Loaded:
    """Add the areas (parents first), the staff and a duty for each category that are not there yet.

    `bind_openids`: also bind staff to the WeChat ids given, which only the simulator's data has.
    """
    async with transaction():
        new_areas = sum([await _add_area(row) for row in areas])
        new_staff = sum([await _add_staff(row, bind_openids) for row in staff])
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


async def _add_staff(row: Mapping[str, Any], bind_openids: bool) -> bool:
    area = await Area.get_or_none(code=row["area"])
    if area is None:
        raise BadRequest(f"staff {row['name']}: area {row['area']} does not exist")
    if await Staff.exists(name=row["name"], area_id=area.id):
        return False
    openid = row.get("openid") if bind_openids else None
    await Staff.create(name=row["name"], role=Role(row["role"]), area_id=area.id, openid=openid)
    return True


async def add_default_duties() -> int:
    """A duty for each category of the shipped catalogue that has none: the grid worker first, its usual time limit."""
    known = {row["category"] for row in await fetch("SELECT category FROM duty")}
    fresh = [
        Duty(
            category=category.code,
            level=Level.GRID,
            time_limit=category.time_limit,
            closing_photo=category.closing_photo,
        )
        for category in nlp.categories()
        if category.code not in known
    ]
    await Duty.bulk_create(fresh)
    return len(fresh)


async def has_community() -> bool:
    """Whether there is any grid yet."""
    return await Area.exists(level=Level.GRID)


@dataclass(frozen=True, slots=True)
class StaffRow:
    """One line of `linli staff`."""

    id: int
    name: str
    role: str
    area: str
    bound: bool


async def list_staff() -> list[StaffRow]:
    """Everybody on duty, by area."""
    rows = await Staff.filter(active=True).order_by("area__code", "id").select_related("area")
    return [StaffRow(row.id, row.name, row.role, row.area.name, row.openid is not None) for row in rows]
