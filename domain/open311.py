"""Our cases as Open311 GeoReport v2 shows them: services, definitions, requests, and mySociety's updates.

Without a key only what lies in public space is shown, and of it the kind, the place without rooms, the position to a
hundred metres, and where it stands in our own words: never what anybody wrote. A key that may read shows all cases and
what was written, phone and identity numbers blotted out. Who reported something is shown to nobody.
Positions are WGS 84 here and GCJ-02 inside (`domain.coordinates`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import nlp
from domain.api_keys import Key
from domain.coordinates import to_wgs
from domain.duplicates import public_place
from domain.open311_services import code_of, names
from domain.privacy import mask
from errors import BadRequest, NotFound
from models.database import fetch, from_json
from models.enums import Outcome, Status

LONGEST_SPAN = timedelta(days=90)
LARGEST_PAGE = 500
_MOST_IDS = 200
_DESCRIPTION = 4000  # characters, GeoReport's own limit

#: Kinds that lie in public space: whoever passes by sees them, and they say nothing of anybody.
_PUBLIC_GROUPS = frozenset(
    {
        "公共照明",
        "供水供电供气",
        "排水与积水",
        "道路设施",
        "停车秩序",
        "油烟与空气",
        "水体与其他污染",
        "垃圾与环境卫生",
        "绿化",
        "街面秩序",
        "消防安全",
        "电梯",
        "公共交通",
    }
)

STATUS_WORDS = {
    Status.REPORTED: "待受理",
    Status.ACCEPTED: "已受理，正在安排",
    Status.DISPATCHED: "已派出，等待接手",
    Status.DISPOSING: "处理中",
    Status.SUSPENDED: "暂缓，到期继续",
    Status.DISPOSED: "已处理，待核查",
    Status.VERIFIED: "已处理，等反映人确认",
    Status.CLOSED: "已办结",
    Status.REJECTED: "未受理",
    Status.WITHDRAWN: "反映人已撤回",
    Status.MERGED: "与另一件相同，已并案",
}
#: mySociety's finer statuses, which its updates carry.
_EXTENDED = {
    Status.REPORTED: "open",
    Status.ACCEPTED: "investigating",
    Status.DISPATCHED: "investigating",
    Status.DISPOSING: "in_progress",
    Status.SUSPENDED: "action_scheduled",
    Status.DISPOSED: "in_progress",
    Status.VERIFIED: "in_progress",
    Status.REJECTED: "not_councils_responsibility",
    Status.WITHDRAWN: "no_further_action",
    Status.MERGED: "duplicate",
}
#: Verbs whose words are the resident's own: nobody else's to read.
_RESIDENTS = ["report", "supplement", "comment", "rate", "urge", "withdraw", "reopen", "close", "join", "leave"]


@dataclass(frozen=True, slots=True)
class Request:
    """One case, in the field names of the specification."""

    service_request_id: str
    status: str
    status_notes: str
    service_name: str
    service_code: str
    description: str | None
    agency_responsible: str
    service_notice: str | None
    requested_datetime: datetime
    updated_datetime: datetime
    expected_datetime: datetime | None
    address: str
    address_id: str | None
    zipcode: str | None
    lat: float | None
    long: float | None
    media_url: str | None


@dataclass(frozen=True, slots=True)
class Update:
    """One step of a case, in the field names of mySociety's extension."""

    update_id: str
    service_request_id: str
    status: str
    updated_datetime: datetime
    description: str
    media_url: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for. `ids` outranks everything else; a span is at most 90 days."""

    jurisdiction: str = ""
    ids: Sequence[str] = ()
    codes: Sequence[str] = ()
    statuses: Sequence[str] = ()
    start: datetime | None = None
    end: datetime | None = None
    updated_after: datetime | None = None
    page: int = 1
    page_size: int = 100


# The areas of a jurisdiction: the area with this code and all below it. No jurisdiction is all areas.
_DOWN = """
WITH RECURSIVE down AS (
    SELECT id FROM area WHERE code = $1
    UNION ALL
    SELECT a.id FROM area a JOIN down ON a.parent_id = down.id
)
"""
_SEEN = """
    AND ($2::text[] IS NULL OR c.category = ANY ($2)) AND ($3 OR c.urgency <> 'urgent' AND NOT c.anonymous)
    AND ($1 = '' OR coalesce(c.grid_id, c.area_id) IN (SELECT id FROM down))
"""
_SHOWN = """
SELECT c.number, c.status, c.outcome, c.category, c.subject, c.description, c.place, c.latitude, c.longitude,
    c.reported_at, c.due_at, c.closed_at, c.result, a.level, a.name AS area, p.name AS above, d.name AS department,
    coalesce(last.at, c.reported_at) AS updated_at, mine.contact
FROM c JOIN area a ON a.id = c.area_id LEFT JOIN area p ON p.id = a.parent_id
LEFT JOIN department d ON d.id = c.department_id
LEFT JOIN LATERAL (SELECT at FROM case_event WHERE case_id = c.id ORDER BY id DESC LIMIT 1) last ON true
LEFT JOIN LATERAL (SELECT contact FROM open_request WHERE case_id = c.id LIMIT 1) mine ON true
ORDER BY c.reported_at DESC, c.id DESC
"""
_LISTED = """
    AND ($4::text[] IS NULL OR c.status = ANY ($4)) ORDER BY c.reported_at DESC, c.id DESC LIMIT $5 OFFSET $6
)
"""
_NUMBERED = ", c AS (SELECT * FROM cases c WHERE c.number = ANY ($4)"
_TIMED = ", c AS (SELECT * FROM cases c WHERE c.reported_at BETWEEN $7 AND $8"
_CHANGED = ", c AS (SELECT * FROM cases c WHERE c.id IN (SELECT case_id FROM case_event WHERE at > $7)"
_END = ")"
_BY_NUMBER = _DOWN + _NUMBERED + _SEEN + _END + _SHOWN
_OF_TIME = _DOWN + _TIMED + _SEEN + _LISTED + _SHOWN
_SINCE = _DOWN + _CHANGED + _SEEN + _LISTED + _SHOWN
_STEPS = """
SELECT e.id, e.at, e.status, e.verb, e.text, c.number, c.outcome FROM case_event e JOIN cases c ON c.id = e.case_id
WHERE e.at BETWEEN $4 AND $5 AND e.public
"""
_PAGED = " ORDER BY e.at, e.id LIMIT $6 OFFSET $7"
_UPDATES = _DOWN + _STEPS + _SEEN + _PAGED


async def contact() -> tuple[str, datetime | None]:
    """Whom to ask about the interface, and when what it offers last changed: the topmost area, the duty list."""
    rows = await fetch(
        "SELECT concat_ws(' ', t.name, coalesce(nullif(t.duty_phone, ''), (SELECT duty_phone FROM area "
        "WHERE duty_phone <> '' ORDER BY length(code), code LIMIT 1))) AS words, "
        "(SELECT max(created_at) FROM duty_list) AS changed FROM area t ORDER BY length(t.code), t.code LIMIT 1"
    )
    return (rows[0]["words"], rows[0]["changed"]) if rows else ("", None)


async def check_jurisdiction(code: str) -> None:
    """Raises NotFound for a jurisdiction that is none of our areas; "" is everything."""
    if code and not await fetch("SELECT 1 FROM area WHERE code = $1", code):
        raise NotFound(f"jurisdiction {code!r}", say="jurisdiction_id was not found")


async def list_requests(query: Query, key: Key | None, now: datetime) -> list[Request]:
    """The newest first. Raises BadRequest for a span over 90 days."""
    if query.ids:
        return await _by_number(query, key)
    seen = query.jurisdiction, _categories(query.codes, key), key is not None
    size = max(1, min(query.page_size, LARGEST_PAGE))
    paged = _statuses(query.statuses), size, (max(1, query.page) - 1) * size
    if query.updated_after:
        rows = await fetch(_SINCE, *seen, *paged, query.updated_after)
    else:
        rows = await fetch(_OF_TIME, *seen, *paged, *span(query.start, query.end, now))
    return [_request(row, key) for row in rows]


async def find_request(number: str, jurisdiction: str, key: Key | None) -> Request:
    """One case. Raises NotFound, also for what is not shown."""
    found = await _by_number(Query(jurisdiction, ids=[number]), key)
    if not found:
        raise NotFound(f"request {number!r}", say="service_request_id was not found")
    return found[0]


async def _by_number(query: Query, key: Key | None) -> list[Request]:
    if len(query.ids) > _MOST_IDS:
        raise BadRequest("too many ids", say=f"at most {_MOST_IDS} service_request_id at once")
    seen = query.jurisdiction, _categories((), key), key is not None
    return [_request(row, key) for row in await fetch(_BY_NUMBER, *seen, list(query.ids))]


async def list_updates(query: Query, key: Key | None, now: datetime) -> list[Update]:
    """What happened to the cases one may see, oldest first."""
    seen = query.jurisdiction, _categories((), key), key is not None
    size = max(1, min(query.page_size, LARGEST_PAGE))
    rows = await fetch(_UPDATES, *seen, *span(query.start, query.end, now), size, (max(1, query.page) - 1) * size)
    return [
        Update(
            update_id=str(row["id"]),
            service_request_id=row["number"],
            status=extended(Status(row["status"]), row["outcome"]),
            updated_datetime=row["at"],
            description=_step_words(row, key),
        )
        for row in rows
    ]


def span(start: datetime | None, end: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """The span asked for; 90 days where an end of it is open. Raises BadRequest for a longer one."""
    until = end or (min(now, start + LONGEST_SPAN) if start else now)
    since = start or until - LONGEST_SPAN
    if since > until:
        raise BadRequest("span ends before it begins", say="end_date is before start_date")
    if until - since > LONGEST_SPAN:
        raise BadRequest("span too long", say="start_date and end_date may not span more than 90 days")
    return since, until


def extended(status: Status, outcome: str | None) -> str:
    """mySociety's status of a case that stands here."""
    if status is Status.CLOSED:
        return "fixed" if outcome == Outcome.SOLVED else "closed"
    return _EXTENDED[status]


def _categories(codes: Sequence[str], key: Key | None) -> list[str] | None:
    """Our category codes to look for; None = whatever there is."""
    wanted = {code.replace("-", ".") for code in codes}
    if key is not None:
        return sorted(wanted) or None
    public = {entry.code for entry in nlp.categories() if entry.group in _PUBLIC_GROUPS}
    return sorted(public & wanted if wanted else public)


def _statuses(given: Sequence[str]) -> list[str] | None:
    if unknown := set(given) - {"open", "closed"}:
        raise BadRequest(f"status {unknown}", say="status must be open or closed")
    wanted = {name == "open" for name in given}
    return [status for status in Status if status.is_open in wanted] if len(wanted) == 1 else None


def _request(row: dict[str, Any], key: Key | None) -> Request:
    status = Status(row["status"])
    place = mask(row["place"]) if key else public_place("".join(row["place"].split()))
    contact = from_json(row["contact"]) or {}
    latitude, longitude = _position(row, key)
    return Request(
        service_request_id=row["number"],
        status="open" if status.is_open else "closed",
        status_notes=_notes(row, status, key),
        service_name=names().get(row["category"], row["subject"]),
        service_code=code_of(row["category"]),
        description=mask(row["description"])[:_DESCRIPTION] if key else None,
        agency_responsible=row["department"] or _unit(row),
        service_notice=None,
        requested_datetime=row["reported_at"],
        updated_datetime=row["updated_at"] if status.is_open else row["closed_at"] or row["updated_at"],
        expected_datetime=row["due_at"],
        address=f"{_unit(row)} {place}".strip(),
        address_id=None,
        zipcode=None,
        lat=latitude,
        long=longitude,
        media_url=contact.get("media_url") or None if key else None,
    )


def _position(row: dict[str, Any], key: Key | None) -> tuple[float | None, float | None]:
    if row["latitude"] is None or row["longitude"] is None:
        return None, None
    latitude, longitude = to_wgs(row["latitude"], row["longitude"])
    digits = 6 if key else 3
    return round(latitude, digits), round(longitude, digits)


def _unit(row: dict[str, Any]) -> str:
    """东亭社区第一网格, 水果湖街道: whose it is now."""
    return f"{row['above']}{row['area']}" if row["level"] == "grid" and row["above"] else str(row["area"])


def _notes(row: dict[str, Any], status: Status, key: Key | None) -> str:
    words = STATUS_WORDS[status]
    if status is Status.CLOSED and row["outcome"] == Outcome.SOLVED:
        words = "已办结，反映人确认解决"
    return f"{words}：{mask(row['result'])}" if key and row["result"] else words


def _step_words(row: dict[str, Any], key: Key | None) -> str:
    words = STATUS_WORDS[Status(row["status"])]
    return mask(row["text"]) if key and row["text"] and row["verb"] not in _RESIDENTS else words
