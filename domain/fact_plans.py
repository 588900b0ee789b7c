"""Kinds of facts and members of households as tables: what a file changes, and how they are written out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from domain.audience_rules import KnownFact
from domain.fact_tables import KINDS, MEMBERS, OLDEST, TYPE_NAMES, kinds_in, members_table, say_value
from domain.organisation_plans import Known, Plan, given, resolve
from domain.tables import Cell, Faults, Row, Sheet, Table
from models.database import fetch, from_json
from models.enums import FactType
from models.people import Household
from models.people_facts import FactKind, HouseholdMember

#: Grids, or households, looked up at once.
_CHUNK = 5000


def known_fact(kind: FactKind) -> KnownFact:
    """As rules and cells use it."""
    return KnownFact(kind.code, kind.name, kind.type, tuple(kind.choices), kind.sensitive)


async def active_kinds() -> list[KnownFact]:
    """The kinds in use, in the order of their columns."""
    return [known_fact(kind) for kind in await FactKind.filter(active=True).order_by("id")]


async def members_now(sheets: Sequence[Sheet] = ()) -> Table:
    """The table of members with a column for each kind of fact: those in use, and those that a file brings."""
    kinds = {kind.code: kind for kind in [*await active_kinds(), *kinds_in(sheets)]}
    return members_table(kinds.values())


async def plan_kinds(rows: Sequence[Row], _: Known, faults: Faults) -> Plan:
    """A kind is known by its code. What it is cannot change: values of the old type would have no meaning."""
    plan = Plan(KINDS, FactKind, faults)
    there = {each.code: each for each in await FactKind.all()}
    names = {each.name: each.code for each in there.values()}
    for row in rows:
        code, name = row.get("code"), row.get("name")
        found = there.get(code)
        if not plan.is_new(row, code) or (found is None and not plan.complete(row)):
            continue
        if name and names.setdefault(name, code) != code:
            faults.cell(row, "name", f"“{name}”已经有了", f"编码是 {names[name]}，请改那一行。")
        elif found and row.get("type", found.type) is not found.type:
            faults.cell(row, "type", f"原来是{TYPE_NAMES[found.type]}，不能改", "请另建一项，把这一项停用。")
        elif (row.get("type") or (found and found.type)) is FactType.CHOICE and not (
            row.get("choices") or (found and found.choices)
        ):
            faults.cell(row, "choices", "选项类要写有哪些选项", "几个用顿号隔开，比如 未婚、已婚、丧偶。")
        else:
            fields = given(row, FactKind, "name", "type", "choices", "sensitive", "active")
            plan.put(row, found, fields if found else {"code": code} | fields)
    return plan


async def export_kinds(_: date) -> list[list[Cell]]:
    rows = await FactKind.all().order_by("id")
    return [
        [row.code, row.name, TYPE_NAMES[row.type], "、".join(row.choices), _flag(row.sensitive), _flag(row.active)]
        for row in rows
    ]


def _flag(value: bool) -> str:
    return "是" if value else "否"


async def plan_members(rows: Sequence[Row], known: Known, faults: Faults) -> Plan:
    """A member is known by household and name. A blank fact stays as it is, 无 takes it away."""
    plan = Plan(rows[0].table, HouseholdMember, faults)
    places = await _households(rows, known) | known.households
    there = await _members({places[key] for row in rows if (key := _key(row, known)) in places})
    now = datetime.now(UTC)
    for row in rows:
        grid = resolve(row, "grid", known.areas, faults, "区域")
        if grid is None:
            continue
        household, born = places.get(_key(row, known)), row.get("birthday")
        if born and not OLDEST <= born <= now.date():
            faults.cell(row, "birthday", "不像生日", "请按身份证写，比如 1946-12-03。")
        elif household is None:
            faults.cell(row, "room", "住户表里没有这一户", "请先在“住户”表里写上这一户，再写户内成员。")
        elif plan.is_new(row, (household, row.get("name"))):
            found = there.get((household, row.get("name")))
            fields = _fields(row, found)
            if found is None:
                fields |= {"household_id": household, "name": row.get("name")}
            if found is None or any(getattr(found, name) != value for name, value in fields.items()):
                fields |= {"source": "import", "changed_at": now}
            plan.put(row, found, fields)
    return plan


def _fields(row: Row, found: HouseholdMember | None) -> dict[str, Any]:
    facts = dict(found.facts) if found else {}
    for column in row.table.columns[len(MEMBERS.columns) :]:
        if column.name in row.values:
            value = row.values[column.name]
            facts = {code: known for code, known in facts.items() if code != column.name}
            facts |= {} if value is None else {column.name: value}
    return given(row, HouseholdMember, "relation", "birthday") | {"facts": facts}


def _key(row: Row, known: Known) -> tuple[int, str, str, str]:
    grid = known.areas.get(row.get("grid"))
    return grid.id if grid else 0, row.get("building"), row.get("unit") or "", row.get("room")


async def _households(rows: Sequence[Row], known: Known) -> dict[tuple[int, str, str, str], int]:
    """The households of the file's grids that are there, by their place."""
    grids = sorted({known.areas[code].id for code in {row.get("grid") for row in rows} & known.areas.keys()})
    found = {}
    for start in range(0, len(grids), _CHUNK):
        for each in await Household.filter(grid_id__in=grids[start : start + _CHUNK]):
            found[each.grid_id, each.building, each.unit, each.room] = each.id
    return found


async def _members(households: set[int]) -> dict[tuple[int, str], HouseholdMember]:
    ids, found = sorted(households), {}
    for start in range(0, len(ids), _CHUNK):
        for each in await HouseholdMember.filter(household_id__in=ids[start : start + _CHUNK]):
            found[each.household_id, each.name] = each
    return found


_EXPORT = """
SELECT g.code, h.building, h.unit, h.room, m.name, m.relation, m.birthday, m.facts
FROM household_member m JOIN household h ON h.id = m.household_id JOIN area g ON g.id = h.grid_id
ORDER BY g.code, h.building, h.unit, h.room, m.id
"""


async def export_members(_: date) -> list[list[Cell]]:
    """Everybody, with what is known of them in the columns of `members_now`."""
    kinds = await active_kinds()
    return [_exported(row, kinds) for row in await fetch(_EXPORT)]


def _exported(row: dict[str, Any], kinds: Sequence[KnownFact]) -> list[Cell]:
    facts = from_json(row["facts"])
    place: list[Cell] = [row[name] for name in ("code", "building", "unit", "room", "name", "relation")]
    birthday = row["birthday"].isoformat() if row["birthday"] else None
    return [*place, birthday, *(say_value(kind, facts[kind.code]) if kind.code in facts else None for kind in kinds)]
