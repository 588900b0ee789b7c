"""The audit trail for the audit administrator (审计管理员): looked through by who, what, when and about what.

Looking is audited like everything else. Days become places in the table by the daily anchors, so that a search within
a few days reads these days alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.administrators import kind_of
from domain.audit import Verdict, verify
from domain.journal import audit
from domain.people import Post
from errors import NotAllowed
from models.database import fetch
from models.enums import AdminKind


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; "" and None = anything. `actor` is a staff number, or as the trail writes it (`staff:12`);
    `tag` may end with `*`; `about` is a case's number or an id."""

    start: datetime
    end: datetime
    actor: str = ""
    tag: str = ""
    about: str = ""
    allowed: bool | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row, with the names of who did it and of the case."""

    id: int
    at: datetime
    actor: str
    name: str
    tag: str
    object_id: int | None
    number: str
    before: str
    after: str
    allowed: bool
    source: str


# Ids of the days before and after: an anchor names the last row of its day. A day more at both ends.
_SEARCH = """
SELECT a.id, a.at, a.actor, coalesce(s.name, '') AS name, a.tag, a.object_id, coalesce(c.number, '') AS number,
    a.before, a.after, a.allowed, a.source
FROM audit_event a
LEFT JOIN staff s ON a.actor = 'staff:' || s.id
LEFT JOIN cases c ON a.tag LIKE 'case:%' AND c.id = a.object_id
WHERE a.at >= $1 AND a.at < $2 AND a.id < $8
AND a.id > coalesce((SELECT max(last_id) FROM audit_anchor WHERE day < ($1 - interval '1 day')::date), 0)
AND a.id <= coalesce((SELECT min(last_id) FROM audit_anchor WHERE day > ($2 + interval '1 day')::date), a.id)
AND ($3 = '' OR a.actor = $3 OR a.actor = (SELECT 'staff:' || id FROM staff WHERE code = $3))
AND ($4 = '' OR a.tag = $4 OR right($4, 1) = '*' AND starts_with(a.tag, rtrim($4, '*')))
AND ($5 = '' OR a.object_id::text = $5
    OR a.tag LIKE 'case:%' AND a.object_id = (SELECT id FROM cases WHERE number = $5))
AND ($6::boolean IS NULL OR a.allowed = $6)
ORDER BY a.id DESC LIMIT $7
"""
_TOP = 2**63 - 1


async def search(by: Post, wanted: Search, now: datetime, *, before: int = 0, limit: int = 50) -> list[Row]:
    """The newest rows that fit, older than the row `before`. Raises NotAllowed."""
    await _check(by)
    rows = await _rows(wanted, before, limit)
    await audit(by.actor, "audit:search", None, now, source="console")
    return rows


async def export(by: Post, wanted: Search, now: datetime, source: str = "", *, most: int = 20_000) -> list[Row]:
    """Everything that fits, for a file. Raises NotAllowed."""
    await _check(by)
    rows = await _rows(wanted, 0, most)
    await audit(by.actor, "audit:export", None, now, source=source)
    return rows


async def _rows(wanted: Search, before: int, limit: int) -> list[Row]:
    values: tuple[Any, ...] = (wanted.actor, wanted.tag, wanted.about, wanted.allowed)
    rows = await fetch(_SEARCH, wanted.start, wanted.end, *values, limit, before or _TOP)
    return [Row(**row) for row in rows]


async def check_chain(by: Post, now: datetime, source: str = "") -> Verdict:
    """Read every row again; names the first that is not what was written. Raises NotAllowed."""
    await _check(by)
    verdict = await verify()
    await audit(by.actor, "audit:verify", None, now, source=source)
    return verdict


async def _check(by: Post) -> None:
    if await kind_of(by.id) is not AdminKind.AUDIT:
        raise NotAllowed("audit trail", say="审计记录由审计管理员查看。", tag="audit:search", object_id=None)
