"""Requests about personal data that come by letter, telephone or counter, and the yearly account of children's data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from domain.clock import SHANGHAI
from domain.consents import texts
from domain.people import Person, person_of
from errors import NotFound
from models.database import fetch
from models.enums import Purpose


@dataclass(frozen=True, slots=True)
class Found:
    """A resident as an operator tells them apart."""

    id: int
    name: str
    nickname: str
    phone: str
    grid: str
    cases: int


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Somebody who had themselves forgotten, by the number that is nobody's now."""

    id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class ChildrenYear:
    """Figures for the yearly compliance audit of minors' personal data. All but `deleted` are as of now."""

    year: int
    children: int
    with_guardian: int
    without_guardian: int
    kept_without_guardian: int
    guardians_agreed: int
    guardians_withdrew: int
    deleted: int


_FIND = """
SELECT r.id, r.name, r.nickname, r.phone, coalesce(c.name || g.name, '') AS grid,
    (SELECT count(*) FROM cases k WHERE k.reporter_id = r.id) AS cases
FROM resident r LEFT JOIN area g ON g.id = r.grid_id LEFT JOIN area c ON c.id = g.parent_id
WHERE r.deleted_at IS NULL AND $1 <> '' AND ($1 IN (r.phone, r.name, r.nickname, r.openid)
    OR EXISTS (SELECT 1 FROM cases k WHERE k.reporter_id = r.id AND k.number = $1))
ORDER BY r.id LIMIT 50
"""
_FORGOTTEN = "SELECT id, deleted_at AS at FROM resident WHERE deleted_at IS NOT NULL ORDER BY deleted_at, id"
_CHILDREN = """
WITH children AS (
    SELECT r.id, r.nickname || r.name || r.phone <> '' AS kept, EXISTS (
        SELECT 1 FROM purpose_consent c WHERE c.resident_id = r.id AND c.purpose = 'guardian' AND c.ended_at IS NULL
            AND c.version = $3) AS guarded
    FROM resident r WHERE r.minor AND r.deleted_at IS NULL
)
SELECT (SELECT count(*) FROM children) AS children,
    (SELECT count(*) FROM children WHERE guarded) AS with_guardian,
    (SELECT count(*) FROM children WHERE NOT guarded) AS without_guardian,
    (SELECT count(*) FROM children WHERE NOT guarded AND kept) AS kept_without_guardian,
    (SELECT count(*) FROM purpose_consent WHERE purpose = 'guardian' AND given_at >= $1 AND given_at < $2)
        AS guardians_agreed,
    (SELECT count(*) FROM purpose_consent WHERE purpose = 'guardian' AND ended_at >= $1 AND ended_at < $2)
        AS guardians_withdrew,
    (SELECT count(*) FROM resident r WHERE r.deleted_at >= $1 AND r.deleted_at < $2 AND EXISTS (
        SELECT 1 FROM purpose_consent c WHERE c.resident_id = r.id AND c.purpose = 'guardian')) AS deleted
"""


async def find_residents(text: str) -> Sequence[Found]:
    """Residents with exactly this telephone number, name, nickname, WeChat id or case number."""
    return [Found(**row) for row in await fetch(_FIND, text.strip())]


async def resident(resident_id: int) -> Person:
    """Who a request is about. Raises NotFound, also for somebody forgotten."""
    rows = await fetch("SELECT id FROM resident WHERE id = $1 AND deleted_at IS NULL", resident_id)
    if not rows:
        raise NotFound(f"no resident {resident_id}: see `linli privacy find`")
    return await person_of(resident_id)


async def list_forgotten() -> Sequence[Forgotten]:
    """Everybody who was forgotten: kept beside the backups, to be forgotten again after one of these is restored."""
    return [Forgotten(**row) for row in await fetch(_FORGOTTEN)]


async def children_in(year: int) -> ChildrenYear:
    """The account of a calendar year (Shanghai time)."""
    start, end = (datetime.combine(date(one, 1, 1), datetime.min.time(), SHANGHAI) for one in (year, year + 1))
    version = texts()[Purpose.GUARDIAN].version
    rows = await fetch(_CHILDREN, start.astimezone(UTC), end.astimezone(UTC), version)
    return ChildrenYear(year, **rows[0])
