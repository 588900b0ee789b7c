"""Households with their members, for tests of what is told to whom."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from domain.people import Person, find_person, join_grid
from models.enums import FactType
from models.people import Area, Household
from models.people_facts import FactKind, HouseholdMember

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
TODAY = date(2026, 11, 20)
COMMUNITY, FIRST, SECOND, FAR = "429906001001", "429906001001001", "429906001001002", "429906001002001"
_KINDS = (
    ("t_alone", "试独居", FactType.YES, [], False),
    ("t_poor", "试低保", FactType.YES, [], True),
    ("t_wed", "试婚姻", FactType.CHOICE, ["未婚", "已婚", "丧偶"], False),
    ("t_kids", "试子女数", FactType.NUMBER, [], False),
    ("t_licence", "试驾照到期", FactType.DATE, [], False),
)


async def area(code: str = COMMUNITY) -> int:
    """The id of an area."""
    return (await Area.get(code=code)).id


async def fact_kinds() -> None:
    """A tag, a sensitive one, a choice, a number and a date."""
    for code, name, kind, choices, sensitive in _KINDS:
        await FactKind.create(code=code, name=name, type=kind, choices=choices, sensitive=sensitive)


async def home(room: str, grid: str = FIRST, building: str = "3栋") -> Household:
    """A household without anybody."""
    return await Household.create(grid_id=await area(grid), building=building, unit="1单元", room=room)


async def member(
    where: Household, name: str, born: str = "", *, follower: Person | None = None, source: str = "import", **facts: Any
) -> HouseholdMember:
    """Somebody of a household; a `follower` is confirmed to be them."""
    return await HouseholdMember.create(
        household=where,
        name=name,
        birthday=date.fromisoformat(born) if born else None,
        facts=facts,
        resident_id=follower.resident_id if follower else None,
        confirmed_at=NOW if follower else None,
        source=source,
        changed_at=NOW,
    )


async def follower(name: str, grid: str = FIRST) -> Person:
    """A resident who follows the account."""
    person = await find_person(f"o_home_{name}", NOW)
    await join_grid(person, NOW, code=grid)
    return await find_person(person.openid, NOW)
