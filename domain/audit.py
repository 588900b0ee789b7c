"""The audit trail as evidence: each case's rows are a hash chain, and every day a digest covers all chains.

A row's hash is SHA-256 over the hash of the row before it in the same case and its own fields; the case remembers how
long its chain is and how it ends, so that a row changed, put in, taken out or cut off at the end shows. Chains of
different cases know nothing of each other: audit never makes one case wait for another. The daily anchor chains over
all rows until then; kept elsewhere (`linli audit anchor` prints it), it also shows what somebody with the whole
database in their hands has written anew. What they cut off after the last anchor, case rows included, nobody can see.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Any

import orjson

from domain.clock import SHANGHAI
from models.audit import AuditAnchor
from models.database import fetch, transaction

_FIELDS = ("object_id", "place", "actor", "tag", "before", "after", "allowed", "source")
_PAGE = 5_000
#: An anchor is made this long after the day's end: whatever began before is committed or gone by then.
SETTLED = timedelta(minutes=10)


def row_hash(before: str, row: Mapping[str, Any]) -> str:
    """Hash of one audit row whose predecessor in the chain has the hash `before` ("" for the first)."""
    said = [row["at"].astimezone(UTC).isoformat(timespec="microseconds"), *(row[name] for name in _FIELDS)]
    return sha256(before.encode() + b"\n" + orjson.dumps(said)).hexdigest()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found: rows and chains read, anchors compared, the first bad place in words ("" = all is well)."""

    rows: int
    chains: int
    anchors: int
    fault: str = ""


# The chain rows case by case, each with what the case remembers of its chain.
_CHAINED = """
SELECT a.id, a.at, a.object_id, a.place, a.actor, a.tag, a.before, a.after, a.allowed, a.source, a.hash,
    c.audit_count, c.audit_head, c.number
FROM audit_event a LEFT JOIN cases c ON c.id = a.object_id
WHERE a.place IS NOT NULL AND (a.object_id, a.place) > ($1, $2) ORDER BY a.object_id, a.place LIMIT $3
"""
_LOOSE = """
SELECT id, at, object_id, place, actor, tag, before, after, allowed, source, hash FROM audit_event
WHERE place IS NULL AND id > $1 ORDER BY id LIMIT $2
"""
_UNCHAINED = """
SELECT number FROM cases c WHERE audit_count > 0
    AND NOT EXISTS (SELECT 1 FROM audit_event a WHERE a.object_id = c.id AND a.place IS NOT NULL) ORDER BY id LIMIT 1
"""


async def verify() -> Verdict:
    """Read every row again. Names the first row that is not what was written, or the place where one is missing."""
    chains, rows, fault = await _verify_chains()
    if not fault and (cut := await fetch(_UNCHAINED)):
        fault = f"case {cut[0]['number']}: all audit rows are missing"
    loose, loose_fault = await _verify_loose()
    anchors, anchor_fault = await _verify_anchors()
    return Verdict(rows + loose, chains, anchors, fault or loose_fault or anchor_fault)


async def _chained() -> AsyncIterator[dict[str, Any]]:
    seen, place = 0, 0
    while page := await fetch(_CHAINED, seen, place, _PAGE):
        for row in page:
            yield row
        seen, place = page[-1]["object_id"], page[-1]["place"]


async def _verify_chains() -> tuple[int, int, str]:
    """(chains, rows, first fault)."""
    chains = rows = 0
    last: dict[str, Any] | None = None
    async for row in _chained():
        rows += 1
        if last is None or last["object_id"] != row["object_id"]:
            chains += 1
            if last and (fault := _end_fault(last)):
                return chains, rows, fault
            last = None
        if fault := _row_fault(last, row):
            return chains, rows, fault
        last = row
    return chains, rows, _end_fault(last) if last else ""


def _name(row: Mapping[str, Any]) -> str:
    return f"audit row {row['id']} (case {row['number'] or row['object_id']}, place {row['place']}, {row['tag']})"


def _row_fault(last: Mapping[str, Any] | None, row: Mapping[str, Any]) -> str:
    expected = last["place"] + 1 if last else 1
    if row["place"] != expected:
        return f"{_name(row)}: place {expected} is missing before it"
    if row["hash"] != row_hash(last["hash"] if last else "", row):
        return f"{_name(row)}: changed after it was written"
    return ""


def _end_fault(last: Mapping[str, Any]) -> str:
    if last["number"] is None:
        return f"{_name(last)}: its case does not exist any more"
    if last["audit_count"] != last["place"]:
        return f"{_name(last)}: the chain ends here, but the case had {last['audit_count']} rows"
    if last["audit_head"] != last["hash"]:
        return f"{_name(last)}: not the row the chain ended with"
    return ""


async def _verify_loose() -> tuple[int, str]:
    """Rows that belong to no case: each is sealed by itself, their absence shows in the anchors."""
    rows, seen, sealed = 0, 0, False
    while page := await fetch(_LOOSE, seen, _PAGE):
        for row in page:
            rows += 1
            if not row["hash"] and not sealed:
                continue  # written before there were hashes
            sealed = True
            if row["hash"] != row_hash("", row):
                return rows, f"audit row {row['id']} ({row['tag']}): changed after it was written"
        seen = page[-1]["id"]
    return rows, ""


async def _verify_anchors() -> tuple[int, str]:
    """(anchors, first fault)."""
    before = AuditAnchor(day=date.min, last_id=0, rows=0, digest="")
    count = 0
    for anchor in await AuditAnchor.all().order_by("day"):
        count += 1
        rows, digest = await _digest(before, anchor.last_id)
        if rows != anchor.rows:
            return count, f"anchor of {anchor.day}: {anchor.rows} rows were there, now {rows}"
        if not compare_digest(digest, anchor.digest):
            return count, f"anchor of {anchor.day}: the rows until then are not the ones it was made over"
        before = anchor
    return count, ""


_HASHES = "SELECT id, hash FROM audit_event WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3"


async def _digest(before: AuditAnchor, last_id: int) -> tuple[int, str]:
    """Rows until `last_id` in all, and the digest over those after the anchor before."""
    total, seen, state = before.rows, before.last_id, sha256(before.digest.encode())
    while page := await fetch(_HASHES, seen, last_id, _PAGE):
        for row in page:
            state.update(f"\n{row['id']} {row['hash']}".encode())
        total, seen = total + len(page), page[-1]["id"]
    return total, state.hexdigest()


async def anchor(now: datetime) -> AuditAnchor | None:
    """Make yesterday's anchor (Shanghai time) unless it is there; gives it when it is new."""
    day = (now - SETTLED).astimezone(SHANGHAI).date() - timedelta(days=1)
    async with transaction():
        last = await AuditAnchor.all().order_by("-day").select_for_update().first()
        if last and last.day >= day:
            return None
        end = datetime.combine(day + timedelta(days=1), time(), SHANGHAI)
        rows = await fetch("SELECT coalesce(max(id), 0) AS id FROM audit_event WHERE at < $1", end)
        before = last or AuditAnchor(day=date.min, last_id=0, rows=0, digest="")
        last_id = max(rows[0]["id"], before.last_id)
        total, digest = await _digest(before, last_id)
        made = await fetch(
            "INSERT INTO audit_anchor (day, last_id, rows, digest, made_at) VALUES ($1, $2, $3, $4, $5) "
            "ON CONFLICT (day) DO NOTHING RETURNING day",
            day,
            last_id,
            total,
            digest,
            now,
        )
        return await AuditAnchor.get(day=day) if made else None


async def newest_anchors(limit: int) -> list[AuditAnchor]:
    """The last anchors, newest first."""
    return await AuditAnchor.all().order_by("-day").limit(limit)
