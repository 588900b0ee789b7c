"""What a client sent, checked and turned into our values. Refusals are `errors` whose `say` the client reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from aiohttp import web

from domain.open311 import LARGEST_PAGE, Query
from domain.open311_filing import Filing, Said
from errors import BadRequest, NotFound, TooLarge

_MOST_BYTES = 64 * 1024
_ATTRIBUTE = re.compile(r"attribute\[([\w-]{1,64})\](?:\[\])?")
#: Control characters but tab and line ends: PostgreSQL does not take a NUL, nobody means the rest.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CONTACT = ("last_name", "first_name", "phone", "email")
_EXTENDED = frozenset(
    {
        "open",
        "closed",
        "fixed",
        "in_progress",
        "action_scheduled",
        "planned",
        "investigating",
        "duplicate",
        "not_councils_responsibility",
        "no_further_action",
        "internal_referral",
        "reopen",
        "for_triage",
    }
)
Fields = Mapping[str, str]


async def read_form(request: web.Request) -> Fields:
    """The fields of a form-encoded (or multipart) body; of a repeated field the last. Raises TooLarge, BadRequest."""
    try:
        form = await request.clone(client_max_size=_MOST_BYTES).post()
    except web.HTTPRequestEntityTooLarge as error:
        raise TooLarge("form", say=f"more than {_MOST_BYTES} bytes") from error
    except (ValueError, LookupError) as error:
        raise BadRequest("form", say="the body is not a form in UTF-8") from error
    fields: dict[str, str] = {}
    for name, value in form.items():
        if not isinstance(value, str):
            raise BadRequest("file", say="files are not taken: send the address of a picture as media_url")
        fields[name] = _clean(value)
    return fields


def query_of(request: web.Request) -> Fields:
    """The fields of the address, without control characters."""
    return {name: _clean(value) for name, value in request.query.items()}


def _clean(value: str) -> str:
    if "\ufffd" in value:
        raise BadRequest("encoding", say="text must be UTF-8")
    return _CONTROL.sub("", value).strip()


def read_query(fields: Fields) -> Query:
    """What is asked for in a list of requests or updates. Raises BadRequest."""
    return Query(
        jurisdiction=fields.get("jurisdiction_id", ""),
        ids=_listed(fields.get("service_request_id", "")),
        codes=_listed(fields.get("service_code", "")),
        statuses=_listed(fields.get("status", "").lower()),
        start=_moment(fields, "start_date"),
        end=_moment(fields, "end_date"),
        updated_after=_moment(fields, "updated_after"),
        page=_count(fields, "page", 1, 10_000),
        page_size=_count(fields, "page_size", 100, LARGEST_PAGE),
    )


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def _moment(fields: Fields, name: str) -> datetime | None:
    value = fields.get(name, "")
    if not value:
        return None
    try:
        # A plus that was not escaped arrives as a space.
        moment = datetime.fromisoformat(re.sub(r" (\d\d:\d\d)$", r"+\1", value))
        if moment.tzinfo is None or not 1970 < moment.year < 9000:
            raise ValueError("no time zone")
    except ValueError:
        raise BadRequest(name, say=f"{name} must look like 2026-11-20T02:00:00Z") from None
    return moment


def _count(fields: Fields, name: str, default: int, most: int) -> int:
    value = fields.get(name, "")
    if not value:
        return default
    if not re.fullmatch(r"[0-9]{1,6}", value) or int(value) == 0:
        raise BadRequest(name, say=f"{name} must be a number from 1")
    return min(int(value), most)


def read_filing(fields: Fields) -> Filing:
    """A report. Raises BadRequest."""
    return Filing(
        service_code=_needed(fields, "service_code"),
        description=fields.get("description", ""),
        lat=_degrees(fields, "lat"),
        long=_degrees(fields, "long"),
        address_string=_short(fields, "address_string", 200),
        address_id=_short(fields, "address_id", 64),
        media_url=fields.get("media_url", ""),
        account_id=_short(fields, "account_id", 64),
        contact={name: _short(fields, name, 100) for name in _CONTACT if fields.get(name)},
        attributes={found[1]: value for name, value in fields.items() if (found := _ATTRIBUTE.fullmatch(name))},
    )


def read_update(fields: Fields) -> Said:
    """An update. Raises BadRequest for a field that is missing or none of its values."""
    status = _needed(fields, "status").lower()
    if status not in _EXTENDED:
        raise BadRequest("status", say=f"status must be one of {', '.join(sorted(_EXTENDED)).upper()}")
    _needed(fields, "updated_datetime")
    _moment(fields, "updated_datetime")
    return Said(
        service_request_id=_needed(fields, "service_request_id"),
        update_id=_short(fields, "update_id", 64, needed=True),
        status=status,
        description=_short(fields, "description", 4000, needed=True),
    )


def _needed(fields: Fields, name: str) -> str:
    value = fields.get(name, "")
    if not value:
        raise BadRequest(name, say=f"{name} was not provided")
    return value


def _short(fields: Fields, name: str, most: int, *, needed: bool = False) -> str:
    value = _needed(fields, name) if needed else fields.get(name, "")
    if len(value) > most:
        raise BadRequest(name, say=f"{name} is longer than {most} characters")
    return value


def _degrees(fields: Fields, name: str) -> float | None:
    value = fields.get(name, "")
    if not value:
        return None
    try:
        return float(value)
    except ValueError:
        raise BadRequest(name, say=f"{name} must be a number") from None


def no_such_page() -> NotFound:
    """For an address below ours that is none of ours."""
    return NotFound("open311 path", say="there is no such resource")
