"""The duty list (职责清单): which line holds for a case, and the version in force."""

from __future__ import annotations

from datetime import date, datetime

from domain.clock import SHANGHAI
from models.cases import Case, Duty
from models.database import fetch
from models.enums import Level
from models.people import Department

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


_UNIT = """
WITH RECURSIVE up AS (
    SELECT id, parent_id, level FROM area WHERE id = $1
    UNION ALL
    SELECT a.* FROM up CROSS JOIN LATERAL (SELECT id, parent_id, level FROM area WHERE id = up.parent_id OFFSET 0) a
)
SELECT d.id FROM up JOIN department d ON d.area_id = up.id AND d.kind = $2 WHERE up.level = $3 ORDER BY d.id LIMIT 1
"""


async def responsible_department(duty: Duty, area_id: int) -> Department | None:
    """The unit a line names, for a case of this area: one department, or the own unit of a kind that the street (the
    district …) of the line's level has; None = the area's own staff, or no such unit was entered."""
    if duty.department_id:
        return await Department.get(id=duty.department_id)
    rows = await fetch(_UNIT, area_id, duty.unit, duty.level.value) if duty.unit else []
    return await Department.get(id=rows[0]["id"]) if rows else None


_LINE_AT = """
SELECT id FROM duty
WHERE version_id = (SELECT version_id FROM duty WHERE id = $1) AND level = $3 AND category IN ($2, '')
ORDER BY category = '' LIMIT 1
"""


async def unit_at(case: Case, level: Level, now: datetime) -> Department | None:
    """The unit the case's duty list makes responsible once the case has come to a level; None = that level's staff."""
    first = await duty_of(case, now)
    rows = await fetch(_LINE_AT, first.id, case.category, level.value) if first else []
    line = await Duty.get(id=rows[0]["id"]) if rows else None
    return await responsible_department(line, case.grid_id or case.area_id) if line else None
