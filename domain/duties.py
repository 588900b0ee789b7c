"""The duty list (职责清单): which line holds for a case, and the version in force."""

from __future__ import annotations

from datetime import date, datetime

from domain.clock import SHANGHAI
from models.cases import Case, Duty
from models.database import fetch
from models.enums import Level

# The line of the lowest level; where a category has none, the line for everything else (兜底).
LINE = """
SELECT d.* FROM duty d
WHERE d.version_id = (SELECT id FROM duty_list WHERE effective_on <= $1 ORDER BY effective_on DESC, id DESC LIMIT 1)
    AND d.category IN ($2, '')
ORDER BY d.category = '', array_position(ARRAY['grid', 'community', 'street', 'district', 'city'], d.level::text)
LIMIT 1
"""

_FIND = "SELECT id FROM (" + LINE + ") AS line"  # noqa: S608 - a constant of ours


async def find_duty(category: str, day: date) -> Duty | None:
    """The line in force on `day` (Shanghai time) for a category; None where there is no duty list."""
    rows = await fetch(_FIND, day, category)
    return await Duty.get(id=rows[0]["id"]) if rows else None


async def duty_of(case: Case, now: datetime) -> Duty | None:
    """The line a case was taken on under; for a case not taken on yet the one in force."""
    if case.duty_id:
        return await Duty.get(id=case.duty_id)
    return await find_duty(case.category, now.astimezone(SHANGHAI).date())


# From the case's area upwards, the first unit of the kind whose area is of the line's level or above.
_UNIT = """
WITH RECURSIVE up AS (
    SELECT id, parent_id, level, 0 AS steps FROM area WHERE id = $1
    UNION ALL
    SELECT a.*, up.steps + 1 FROM up
    CROSS JOIN LATERAL (SELECT id, parent_id, level FROM area WHERE id = up.parent_id OFFSET 0) a
)
SELECT d.id FROM up JOIN department d ON d.area_id = up.id AND d.kind = $2
WHERE array_position($3::text[], up.level::text) >= array_position($3::text[], $4)
ORDER BY up.steps, d.id LIMIT 1
"""


async def responsible_department(duty: Duty, area_id: int) -> int | None:
    """The id of the unit a line names, for a case of this area: the named department, or the area's own unit of the
    named kind (each street has its 城管); None = the area's own staff, or no such unit was entered."""
    if duty.department_id or not duty.unit:
        return duty.department_id
    return await find_unit(duty.unit, area_id, duty.level)


async def find_unit(kind: str, area_id: int, level: Level = Level.GRID) -> int | None:
    """The nearest department of a kind that answers for an area, not below `level`; None where there is none."""
    rows = await fetch(_UNIT, area_id, kind, [each.value for each in Level], level.value)
    return rows[0]["id"] if rows else None


_LINE_AT = """
SELECT id FROM duty
WHERE version_id = (SELECT version_id FROM duty WHERE id = $1) AND level = $3 AND category IN ($2, '')
ORDER BY category = '' LIMIT 1
"""


async def duty_at(duty: Duty, category: str, level: Level) -> Duty | None:
    """The line of the same version that holds for a category at another level, as after an escalation."""
    rows = await fetch(_LINE_AT, duty.id, category, level.value)
    return await Duty.get(id=rows[0]["id"]) if rows else None
