"""Other platforms (街道, 区, 12345): who they are, what they are sent, what they know a case by.

Every step of a case below a connector's area is a job of its own, written with the step (`domain.journal`). What is
sent is put together when it is sent: the steps as they were, the case as it is. The mapping of categories and statuses
is data.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import nlp
from domain.coordinates import to_wgs
from domain.journal import audit
from errors import BadRequest, Conflict, NotFound
from models.cases import Case
from models.database import fetch, transaction
from models.enums import Outcome, Status
from models.interconnection import Connector, ConnectorCase
from models.people import Area, Staff
from models.transitions import Verb

#: What a platform may do with a case: what it holds as a post, what it reported, and words on what lies in its area.
AS_HOLDER = frozenset({Verb.SIGN, Verb.DISPOSE, Verb.ASK_RETURN})
AS_REPORTER = frozenset({Verb.SUPPLEMENT, Verb.URGE, Verb.WITHDRAW, Verb.CLOSE, Verb.REOPEN})
ACTIONS = AS_HOLDER | AS_REPORTER | {Verb.NOTE}
#: What an entry of `actions` may say: a verb, or how a disposal ended where it did not solve anything.
ACTION_WORDS = ACTIONS | {f"{Verb.DISPOSE}:{Outcome.EXPLAINED}", f"{Verb.DISPOSE}:{Outcome.CANNOT}"}
_PARTS = frozenset({"categories", "statuses", "outcomes", "orders", "actions"})


@dataclass(frozen=True, slots=True)
class Sending:
    """One signed message to a platform: where to, with which key, and the body."""

    connector: int
    name: str
    url: str
    secret: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ConnectorPlan:
    """What an operator says of a platform. `area` is an area's code ("" = all), `staff` its post's staff number."""

    name: str
    url: str = ""
    area: str = ""
    staff: str = ""
    mapping: Mapping[str, Any] | None = None


async def add_connector(plan: ConnectorPlan, now: datetime, *, plain_http: bool = False) -> str:
    """Connect a platform; gives the shared key. Raises BadRequest, Conflict, NotFound."""
    if not plan.name or not all(letter.isalnum() or letter in "-_" for letter in plan.name) or len(plan.name) > 32:
        raise BadRequest("a connector's name has letters, digits, - and _, 32 at most: it is part of its address")
    if plan.url and (fault := url_fault(plan.url, plain_http=plain_http)):
        raise BadRequest(fault)
    mapping = dict(plan.mapping or {})
    check_mapping(mapping)
    secret = secrets.token_urlsafe(32)
    async with transaction():
        if await Connector.exists(name=plan.name):
            raise Conflict(f"there is a connector {plan.name} already")
        made = await Connector.create(
            name=plan.name,
            url=plan.url,
            secret=secret,
            area_id=await _area(plan.area),
            staff_id=await _staff(plan.staff),
            mapping=mapping,
        )
        await audit("system", "connector:add", made.id, now)
    return secret


async def change_mapping(name: str, mapping: Mapping[str, Any], now: datetime) -> None:
    """Replace a platform's mapping. Raises BadRequest, NotFound."""
    check_mapping(mapping)
    async with transaction():
        connector = await find_connector(name)
        connector.mapping = dict(mapping)
        await connector.save(update_fields=["mapping"])
        await audit("system", "connector:map", connector.id, now)


async def stop_connector(name: str, now: datetime) -> None:
    """Send nothing more and let nothing more in; what is under way is parked when its turn comes. Raises NotFound."""
    async with transaction():
        connector = await find_connector(name)
        connector.active = False
        await connector.save(update_fields=["active"])
        await audit("system", "connector:stop", connector.id, now)


async def find_connector(name: str) -> Connector:
    """A platform by its name. Raises NotFound."""
    found = await Connector.get_or_none(name=name)
    if found is None:
        raise NotFound(f"no connector {name}: see `linli connector list`")
    return found


async def list_connectors() -> list[dict[str, Any]]:
    """Each platform with what waits, what was put aside, and when something last arrived there."""
    return await fetch(
        "SELECT k.name, k.url, k.active, coalesce(a.name, '') AS area, coalesce(s.name, '') AS staff, "
        "count(o.id) FILTER (WHERE o.finished_at IS NULL) AS waiting, "
        "count(o.id) FILTER (WHERE o.state = 'parked') AS parked, "
        "max(o.finished_at) FILTER (WHERE o.state = 'sent') AS sent_at, "
        "(array_agg(o.error ORDER BY o.id DESC) FILTER (WHERE o.error <> '' AND o.state <> 'sent'))[1] AS error "
        "FROM connector k LEFT JOIN area a ON a.id = k.area_id LEFT JOIN staff s ON s.id = k.staff_id "
        "LEFT JOIN outbox o ON o.kind = 'webhook' AND (o.payload->>'connector')::int = k.id "
        "GROUP BY k.id, a.name, s.name ORDER BY k.name"
    )


async def _area(code: str) -> int | None:
    if not code:
        return None
    area = await Area.get_or_none(code=code)
    if area is None:
        raise NotFound(f"no area with code {code}")
    return area.id


async def _staff(code: str) -> int | None:
    if not code:
        return None
    staff = await Staff.get_or_none(code=code)
    if staff is None:
        raise NotFound(f"no member of staff with number {code}")
    return staff.id


def url_fault(url: str, *, plain_http: bool) -> str:
    """What is wrong with where updates go; "" for nothing. Plain http is for this machine, or where it is allowed."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return f"{url} is no address"
    if parts.scheme not in ("http", "https") or not host or parts.username:
        return f"{url} must look like https://platform.example.gov.cn/updates, without a password"
    if parts.scheme == "http" and not plain_http and host not in ("127.0.0.1", "::1", "localhost"):
        return f"{url} is not encrypted: use https, or set LINLI_CONNECTOR_HTTP=1 in a closed network"
    return ""


def is_private(url: str) -> bool:
    """Whether an address is written as one of a closed network or of this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or "." not in host


def check_mapping(mapping: Mapping[str, Any]) -> None:
    """Raises BadRequest that names the first entry which means nothing to us."""
    if unknown := set(mapping) - _PARTS:
        raise BadRequest(f"mapping: no part {min(unknown)!r}; there are {', '.join(sorted(_PARTS))}")
    for part in mapping.values():
        if not isinstance(part, Mapping) or not all(isinstance(word, str) for pair in part.items() for word in pair):
            raise BadRequest("mapping: each part is an object of texts")
    known = {entry.code for entry in nlp.categories()}
    ours: list[tuple[str, set[str], list[str]]] = [
        ("categories", known, list(mapping.get("categories", {}))),
        ("statuses", set(Status), list(mapping.get("statuses", {}))),
        ("outcomes", set(Outcome), list(mapping.get("outcomes", {}))),
        ("orders", known, list(mapping.get("orders", {}).values())),
        ("actions", set(ACTION_WORDS), list(mapping.get("actions", {}).values())),
    ]
    for name, allowed, used in ours:
        for word in used:
            if word not in allowed:
                raise BadRequest(f"mapping: {name}: {word!r} is none of ours")


async def compose(payload: Mapping[str, Any], case_id: int) -> Sending | None:
    """What a job sends; None when the platform was stopped or the case is gone."""
    connector = await Connector.get_or_none(id=payload["connector"], active=True)
    case = await Case.get_or_none(id=case_id).prefetch_related("area", "department")
    if connector is None or case is None or not connector.url:
        return None
    link = await ConnectorCase.get_or_none(connector_id=connector.id, case_id=case_id)
    statuses = connector.mapping.get("statuses", {})
    events = [line | {"status": statuses.get(line["status"], line["status"])} for line in payload["events"]]
    body = {
        "at": payload["at"],
        "events": events,
        "case": _shown(case, connector.mapping, link.external_id if link else None),
    }
    return Sending(connector.id, connector.name, connector.url, connector.secret, body)


def _shown(case: Case, mapping: Mapping[str, Any], external_id: str | None) -> dict[str, Any]:
    """The case for a platform: what to do and where, never who reported it."""
    position = None
    if case.latitude is not None and case.longitude is not None:
        latitude, longitude = to_wgs(case.latitude, case.longitude)
        position = {
            "gcj02": [case.longitude, case.latitude],
            "wgs84": [round(longitude, 6), round(latitude, 6)],
        }
    return {
        "number": case.number,
        "external_id": external_id,
        "status": mapping.get("statuses", {}).get(case.status.value, case.status.value),
        "category": mapping.get("categories", {}).get(case.category, case.category),
        "subject": case.subject,
        "description": case.description,
        "place": case.place,
        "position": position,
        "area": case.area.code,
        "department": case.department.name if case.department else None,
        "urgency": case.urgency.value,
        "reported_at": case.reported_at,
        "due_at": case.due_at,
        "closed_at": case.closed_at,
        "result": case.result,
        "outcome": mapping.get("outcomes", {}).get(case.outcome.value, case.outcome.value) if case.outcome else None,
    }


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`sha256=…` over `timestamp.body`, both ways: who lacks the key can neither make one nor use an old one later."""
    return "sha256=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


async def link_case(connector_id: int, case_id: int, external_id: str) -> None:
    """Remember their number of a case; one they had already given stays."""
    await fetch(
        "INSERT INTO connector_case (connector_id, case_id, external_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        connector_id,
        case_id,
        external_id[:64],
    )


_REPLAY = """
INSERT INTO outbox (kind, state, recipient, case_id, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at)
SELECT kind, 'pending', recipient, case_id, payload || jsonb_build_object('again', id), 0, 0, $4, '', '', 0, '', $4
FROM outbox
WHERE kind = 'webhook' AND finished_at IS NOT NULL AND (payload->>'connector')::int = $1
    AND created_at BETWEEN $2 AND $3 AND NOT payload ? 'again' AND ($5 OR state <> 'sent')
ORDER BY id
RETURNING 1
"""


async def replay(name: str, start: datetime, end: datetime, now: datetime, *, also_sent: bool = True) -> int:
    """Send again what left (or should have) between two times, in its order and under its old ids, so that what did
    arrive is not done twice. Gives how many. Raises NotFound."""
    async with transaction():
        connector = await find_connector(name)
        again = await fetch(_REPLAY, connector.id, start, end, now, also_sent)
        await audit("system", "connector:replay", connector.id, now)
        return len(again)
