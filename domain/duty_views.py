"""Versions of the duty list as people look them up: which there are, and what one changed against the one before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from domain.duty_lists import export_duties
from domain.organisation_tables import DUTIES
from errors import NotFound
from models.database import fetch

_NAMES = tuple(column.name for column in DUTIES.columns)
_HEADS = {column.name: column.head for column in DUTIES.columns}
_KEY = ("category", "level")
_NOT_COMPARED = (*_KEY, "effective_on", "active")
Line = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Version:
    """One version: from which day on it holds, and of how many lines it is."""

    effective_on: date
    note: str
    created_at: datetime
    lines: int


@dataclass(frozen=True, slots=True)
class Change:
    """A line that differs from the version before: what (新增, 去掉, or a column) and how."""

    category: str
    level: str
    what: str
    before: str
    after: str


# Of several written for one day the last is in force, and is all there is to see.
_VERSIONS = """
SELECT DISTINCT ON (v.effective_on) v.effective_on, v.note, v.created_at,
    (SELECT count(*) FROM duty d WHERE d.version_id = v.id) AS lines
FROM duty_list v ORDER BY v.effective_on DESC, v.id DESC
"""


async def list_versions() -> list[Version]:
    """Those that were, is or will be in force, the latest first."""
    return [Version(**row) for row in await fetch(_VERSIONS)]


async def lines_on(day: date) -> list[Line]:
    """The lines in force on a day, as the table writes them."""
    rows = await export_duties(day)
    return [dict(zip(_NAMES, ("" if cell is None else str(cell) for cell in row), strict=True)) for row in rows]


async def changes_of(day: date, versions: Sequence[Version]) -> list[Change]:
    """What the version that begins on `day` changed. Raises NotFound for a day on which none begins."""
    if all(one.effective_on != day for one in versions):
        raise NotFound(f"no duty list from {day}", say="没有从这一天起的职责清单。")
    before = next((one.effective_on for one in versions if one.effective_on < day), None)
    return _differences(await lines_on(before), await lines_on(day)) if before else []


def _differences(before: Sequence[Line], after: Sequence[Line]) -> list[Change]:
    old, new = _by_key(before), _by_key(after)
    found = []
    for key in [*new, *(key for key in old if key not in new)]:
        if key not in old or key not in new:
            found.append(Change(*key, "去掉" if key in old else "新增", "", ""))
            continue
        compared = (name for name in _NAMES if name not in _NOT_COMPARED and old[key][name] != new[key][name])
        found += [Change(*key, _HEADS[name], old[key][name], new[key][name]) for name in compared]
    return found


def _by_key(lines: Sequence[Line]) -> dict[tuple[str, str], Line]:
    return {(line["category"], line["level"]): line for line in lines}
