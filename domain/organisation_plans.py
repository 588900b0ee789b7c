"""What an import is going to do to one table: compared with what is there, row by row, before anything is written."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tortoise.models import Model

from domain.tables import Faults, Row, Table
from models.database import fetch
from models.people import Area, Department, Staff

#: Changed rows that are named one by one in the report.
MOST_LINES = 20
_BATCH = 500
T = TypeVar("T")


@dataclass(slots=True)
class Plan:
    """The rows of one table that are new, changed or as they were."""

    table: Table
    model: type[Model]
    faults: Faults
    tag: str = ""
    """Under which the audit trail is told of each row that is there which of its columns change; "" = it is not."""
    noted: list[tuple[str, int, str]] = field(default_factory=list)
    """(tag, id, what) for the audit trail, one row each."""
    added: list[Model] = field(default_factory=list)
    changed: list[Model] = field(default_factory=list)
    dropped: int = 0
    same: int = 0
    lines: list[str] = field(default_factory=list)
    _names: set[str] = field(default_factory=set)
    _seen: dict[Hashable, int] = field(default_factory=dict)

    def is_new(self, row: Row, key: Hashable) -> bool:
        """False, and a fault, for a key that stood in an earlier row of the file."""
        earlier = self._seen.setdefault(key, row.number)
        if earlier != row.number:
            name = next(column.name for column in self.table.columns if column.key)
            self.faults.cell(row, name, f"和第 {earlier} 行重复了", "同一个只能写一行，请删掉一行。")
        return earlier == row.number

    def complete(self, row: Row) -> bool:
        """Whether a new row has all it needs; a fault for each cell it lacks."""
        lacking = [column.name for column in self.table.columns if column.needed and row.get(column.name) is None]
        for name in lacking:
            self.faults.missing(row, name)
        return not lacking

    def put(self, row: Row, found: Model | None, fields: Mapping[str, Any]) -> Model:
        """Take a row: make a new record of the fields, or note what of the one that is there they change."""
        if found is None:
            made = self.model(**fields)
            self.added.append(made)
            return made
        changes = {name: value for name, value in fields.items() if getattr(found, name) != value}
        if not changes:
            self.same += 1
            return found
        for name, value in changes.items():
            setattr(found, name, value)
        self.changed.append(found)
        self._names |= changes.keys()
        self.noted += [(self.tag, found.pk, switched(name, value)) for name, value in changes.items() if self.tag]
        if len(self.lines) < MOST_LINES:
            self.lines.append(f"{self.table.title} 第 {row.number} 行：改{self._heads(changes)}")
        return found

    def _heads(self, changes: Iterable[str]) -> str:
        heads = {column.name: column.head for column in self.table.columns}
        named = [heads[name] for name in (change.removesuffix("_id") for change in changes) if name in heads]
        return "、".join(named) or "相关内容"

    async def write(self) -> None:
        """Insert and update, in the running transaction."""
        if self.added:
            await self.model.bulk_create(self.added, batch_size=_BATCH)
        for start in range(0, len(self.changed), _BATCH):  # one by one: the ORM would first write down all of them
            await self.model.bulk_update(self.changed[start : start + _BATCH], fields=sorted(self._names))


def switched(name: str, value: object) -> str:
    """What the audit trail is told of a column: of one that says whether something is in use, what it says now."""
    return name if name != "active" else "on" if value else "off"


def given(row: Row, model: type[Model], *names: str) -> dict[str, Any]:
    """What was filled in of these fields; where 无 was written, what a new record has there."""
    found = {}
    for name in names:
        if name in row.values:
            value = row.values[name]
            found[name] = getattr(model(), name) if value is None else value
    return found


@dataclass(slots=True)
class Known:
    """Areas, departments and staff by their codes: those of the database and, once planned, those of the file."""

    areas: dict[str, Area]
    departments: dict[str, Department]
    staff: dict[str, Staff]
    area_by_id: dict[int, Area]
    service_classes: dict[str, int] = field(default_factory=dict)  # new ones of the file, with the ids drawn for them
    households: dict[tuple[int, str, str, str], int] = field(default_factory=dict)  # those of the file, by their place
    services: dict[str, int] = field(default_factory=dict)  # items of the file likewise

    @classmethod
    async def load(cls) -> Known:
        """What the database has."""
        areas = await Area.all()
        return cls(
            areas={area.code: area for area in areas},
            departments={unit.code: unit for unit in await Department.all()},
            staff={reference(person): person for person in await Staff.all()},
            area_by_id={area.id: area for area in areas},
        )


def reference(person: Staff) -> str:
    """How tables name a member of staff: by their number, or #12 where they have none yet."""
    return person.code or f"#{person.id}"


def refuse_lost_zeros(row: Row, name: str, known: Iterable[str], faults: Faults) -> bool:
    """A fault where a number is a known code from which Excel has taken the zeros in front."""
    code = row.values[name] if isinstance(row.cells.get(name), (int, float)) else None
    meant = next((each for each in known if each != code and each.lstrip("0") == code), "")
    if meant:
        wrong = f"可能是 {meant}，前面的 0 被 Excel 去掉了"
        faults.cell(row, name, wrong, "请把这一列设成“文本”再写。")
    return bool(meant)


def resolve(row: Row, name: str, known: Mapping[str, T], faults: Faults, what: str) -> T | None:
    """What a cell refers to; a fault where there is no such thing, None as well where the cell was blank."""
    code = row.get(name)
    if code is None:
        return None
    if code not in known and not refuse_lost_zeros(row, name, known, faults):
        faults.cell(row, name, f"没有这个{what}", f"请先在“{what}”表里写上，或检查编码。")
    return known.get(code)


_NEXT_IDS = (
    "SELECT nextval(pg_get_serial_sequence($1, 'id')) AS id FROM generate_series(1, $2::int)"  # drawn even by a dry run
)


async def draw_ids(table: str, count: int) -> Sequence[int]:
    """Ids for new rows, so that others can refer to them before they are written."""
    return [row["id"] for row in await fetch(_NEXT_IDS, table, count)] if count else []
