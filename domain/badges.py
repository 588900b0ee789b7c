"""亮身份: as what people are shown in rooms. Staff by their post; others once they agreed to what staff set."""

from __future__ import annotations

from collections.abc import Iterable

from domain.people import role_name
from domain.room_words import Mark
from models.database import fetch
from models.enums import BadgeKind, Role

NAMES = {
    BadgeKind.PARTY_MEMBER: "党员",
    BadgeKind.VOLUNTEER: "志愿者",
    BadgeKind.PROPERTY_MANAGER: "物业",
}

_SHOWN = """
SELECT 'staff:' || s.id AS who, s.role AS kind, coalesce(d.name, '') AS label, 0 AS badge
FROM staff s LEFT JOIN department d ON d.id = s.department_id WHERE s.id = ANY ($1::int[])
UNION ALL
SELECT coalesce('staff:' || staff_id, 'resident:' || resident_id), kind, label, id FROM badge
WHERE (staff_id = ANY ($1::int[]) OR resident_id = ANY ($2::bigint[])) AND agreed_at IS NOT NULL AND ended_at IS NULL
ORDER BY badge
"""


async def marks(actors: Iterable[str]) -> dict[str, tuple[Mark, ...]]:
    """What each of these actors (resident:7, staff:12) is shown as now: the post first, then what they agreed to."""
    parts = [actor.partition(":") for actor in set(actors)]
    ids = {kind: [int(number) for one, _, number in parts if one == kind] for kind in ("staff", "resident")}
    if not any(ids.values()):
        return {}
    found: dict[str, tuple[Mark, ...]] = {}
    for row in await fetch(_SHOWN, ids["staff"], ids["resident"]):
        mark = _badge(row["kind"], row["label"]) if row["badge"] else _post(Role(row["kind"]), row["label"])
        found[row["who"]] = (*found.get(row["who"], ()), mark)
    return found


def _post(role: Role, department: str) -> Mark:
    return Mark(role.value, department or role_name(role))


def _badge(kind: str, unit: str) -> Mark:
    return Mark(kind, unit or NAMES[BadgeKind(kind)])
