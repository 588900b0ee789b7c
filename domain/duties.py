"""The duty list (职责清单): which line holds for a case, and the version in force."""

from __future__ import annotations

from datetime import date, datetime

from domain.clock import SHANGHAI
from models.cases import Case, Duty
from models.database import fetch

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
