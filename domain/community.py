"""Setting up a community: areas, staff and the duty list. Loading the same again changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import nlp
from errors import BadRequest
from models.cases import Duty, DutyList
from models.database import transaction
from models.enums import Level, Role
from models.people import Area, Staff

_BEGINNING = date(2026, 1, 1)  # the shipped duty list holds for anything older than a community's own


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
    """A first duty list where there is none: the grid worker first for each category of the catalogue, and for what
    has no category."""
    if await DutyList.exists():
        return 0
    now = datetime.now(UTC)
    version = await DutyList.create(effective_on=_BEGINNING, note="随系统提供", created_at=now)
    lines = [
        Duty(
            version_id=version.id,
            category=category.code,
            level=Level.GRID,
            handle_limit=_written(category.time_limit),
            closing_photo=category.closing_photo,
        )
        for category in nlp.categories()
    ]
    await Duty.bulk_create([*lines, Duty(version_id=version.id, category="", level=Level.GRID, handle_limit="7天")])
    return len(lines) + 1


def _written(limit: timedelta) -> str:
    return f"{limit.days}天" if limit >= timedelta(days=2) else f"{limit // timedelta(hours=1)}小时"


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
