"""Reports and updates that come in over Open311.

A client is a reporter like any other: it stands for the people who use it, as a resident of its own (`open311:3`), so
what it may do with what it filed is what the transition table lets a reporter do.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from math import isfinite
from urllib.parse import urlsplit

import orjson

import nlp
from domain import rating
from domain.api_keys import Key
from domain.coordinates import to_gcj
from domain.journal import Journal
from domain.open311_services import Attribute, define, find_offered, is_batch
from domain.people import Person, find_person
from domain.reports import Draft, report
from errors import BadRequest, Conflict, NotFound, TooMany
from models.cases import Case
from models.database import fetch, transaction
from models.enums import Source, Status
from models.interconnection import OpenRequest, OpenUpdate
from models.people import Resident
from models.transitions import Verb

#: Within this time the same words of the same client are the same report, sent twice.
REPEATED_WITHIN = timedelta(minutes=10)
#: Reports and updates of one client a minute.
MOST_A_MINUTE = 60
_DESCRIPTION = 4000
_NOTICE = "已收到。请用返回的编号查询进展。"


@dataclass(frozen=True, slots=True)
class Filing:
    """What a client sent, in the field names of the specification; `lat` and `long` are WGS 84."""

    service_code: str
    description: str = ""
    lat: float | None = None
    long: float | None = None
    address_string: str = ""
    address_id: str = ""
    media_url: str = ""
    account_id: str = ""
    contact: Mapping[str, str] = field(default_factory=dict)  # first_name, last_name, phone, email
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Filed:
    """What the client gets: the number, or for a batch service the token."""

    service_request_id: str | None
    token: str | None
    service_notice: str
    account_id: str | None


@dataclass(frozen=True, slots=True)
class Said:
    """An update a client sent; `status` is one of mySociety's, in small letters."""

    service_request_id: str
    update_id: str
    status: str
    description: str


async def file_request(key: Key, filing: Filing, now: datetime) -> Filed:
    """Make a case of it, once however often it is sent within ten minutes. Raises BadRequest, NotFound, TooMany."""
    entry = find_offered(filing.service_code)
    _check(filing)
    digest = hashlib.sha256(orjson.dumps(asdict(filing), option=orjson.OPT_SORT_KEYS)).hexdigest()
    async with transaction():
        await _one_at_a_time(key, now)
        before = await fetch(
            "SELECT o.token, c.number FROM open_request o JOIN cases c ON c.id = o.case_id "
            "WHERE o.key_id = $1 AND o.created_at > $2 AND o.digest = $3",
            key.id,
            now - REPEATED_WITHIN,
            digest,
        )
        if before:
            token, number = before[0]["token"], before[0]["number"]
        else:
            case = await _make(key, filing, entry, now)
            token, number = secrets.token_hex(20), case.number
            kept = {"account_id": filing.account_id, "media_url": filing.media_url}
            await OpenRequest.create(
                token=token,
                key_id=key.id,
                case_id=case.id,
                created_at=now,
                digest=digest,
                contact={name: value for name, value in kept.items() if value},
            )
    batch = await is_batch(entry.code, now)
    return Filed(None if batch else number, token if batch else None, _NOTICE, filing.account_id or None)


async def _one_at_a_time(key: Key, now: datetime) -> None:
    """A client's reports go one after the other, so that two equal ones see each other; too many are refused."""
    await fetch("SELECT pg_advisory_xact_lock(hashtextextended('open311', $1))", key.id)
    rows = await fetch(
        "SELECT (SELECT count(*) FROM open_request WHERE key_id = $1 AND created_at > $2) "
        "+ (SELECT count(*) FROM open_update WHERE key_id = $1 AND created_at > $2) AS done",
        key.id,
        now - timedelta(minutes=1),
    )
    if rows[0]["done"] >= MOST_A_MINUTE:
        say = f"more than {MOST_A_MINUTE} reports a minute: try again in a minute"
        raise TooMany(f"key {key.name}", say=say, retry_after=60)


def _check(filing: Filing) -> None:
    if len(filing.description) > _DESCRIPTION:
        raise BadRequest("description too long", say=f"description is longer than {_DESCRIPTION} characters")
    _check_place(filing)
    if filing.media_url and (len(filing.media_url) > 500 or urlsplit(filing.media_url).scheme not in ("http", "https")):
        raise BadRequest("media_url", say="media_url must be an http(s) address of at most 500 characters")
    _check_attributes(define(filing.service_code), filing.attributes)


def _check_place(filing: Filing) -> None:
    if (filing.lat is None) != (filing.long is None):
        raise BadRequest("half a position", say="lat and long must be given together")
    if filing.lat is None and not filing.address_string and not filing.address_id:
        raise BadRequest("no place", say="a location was not provided: lat and long, address_string or address_id")
    if filing.lat is not None and filing.long is not None:
        good = isfinite(filing.lat) and isfinite(filing.long) and abs(filing.lat) <= 90 and abs(filing.long) <= 180
        if not good:
            raise BadRequest("position", say="lat and long must be degrees of WGS 84")


def _check_attributes(questions: list[Attribute], given: Mapping[str, str]) -> None:
    asked = {entry.code: entry for entry in questions if entry.variable}
    for code, value in given.items():
        if code not in asked:
            raise BadRequest(f"attribute {code}", say=f"attribute[{code}] is not one of this service's")
        keys = [key for key, _ in asked[code].values]
        if value and keys and value not in keys:
            raise BadRequest(f"attribute {code}", say=f"attribute[{code}] must be one of {', '.join(keys)}")
        if len(value) > 100:
            raise BadRequest(f"attribute {code}", say=f"attribute[{code}] is longer than 100 characters")
    for code, entry in asked.items():
        if entry.required and not given.get(code):
            raise BadRequest(f"attribute {code}", say=f"attribute[{code}] was not provided")


async def _make(key: Key, filing: Filing, entry: nlp.Category, now: datetime) -> Case:
    place = " ".join(filter(None, (filing.address_string, filing.attributes.get("place_detail"), filing.address_id)))
    position = to_gcj(filing.lat, filing.long) if filing.lat is not None and filing.long is not None else (None, None)
    urgent = filing.attributes.get("danger") == "yes" or nlp.understand(filing.description).urgent
    draft = Draft(
        description=_with_picture(filing) or entry.subject,
        category=entry.code,
        subject=entry.subject,
        domain=entry.domain,
        place=place,
        urgent=urgent or entry.urgency == "urgent",
        latitude=position[0],
        longitude=position[1],
        source=Source.OPEN311,
        via=_name(key),
    )
    receipt = await report(await _reporter(key, filing.account_id, now), draft, now)
    await keep_contact(receipt.case.id, filing.contact, now, _name(key))
    return receipt.case


def _with_picture(filing: Filing) -> str:
    picture = f"照片：{filing.media_url}" if filing.media_url else ""
    return "\n".join(filter(None, (filing.description, picture)))


def _name(key: Key) -> str:
    """The client in the audit trail, and as a resident."""
    return f"open311:{key.id}"


async def _reporter(key: Key, account_id: str, now: datetime) -> Person:
    """The resident with this account, who is then told in WeChat; else the client itself."""
    known = bool(account_id) and await Resident.exists(openid=account_id)
    return await find_person(account_id if known else _name(key), now)


async def keep_contact(case_id: int, contact: Mapping[str, str], now: datetime, via: str) -> None:
    """How to reach the person, for the staff of the case alone. Runs inside the caller's transaction."""
    words = " ".join(value for value in contact.values() if value)
    if words:
        case = await Case.filter(id=case_id).select_for_update().get()
        journal = Journal(now, via)
        journal.event(Verb.MEMO, case.status, "系统", f"联系人：{words}", public=False)
        await journal.write(case)


async def find_token(token: str) -> str | None:
    """The number behind a token; None while nobody has decided whether it is taken on. Raises NotFound."""
    rows = await fetch(
        "SELECT c.number, c.status FROM open_request o JOIN cases c ON c.id = o.case_id WHERE o.token = $1", token
    )
    if not rows:
        raise NotFound("unknown token", say="token was not found")
    return rows[0]["number"] if rows[0]["status"] != Status.REPORTED else None


async def say_update(key: Key, said: Said, now: datetime, *, reopen_within: timedelta) -> str:
    """Take a client's update to a case it filed; gives our number of it, as it will stand in the list of updates.

    Raises NotFound for other cases, Conflict for an update id seen before and for what the case's status forbids.
    """
    if not said.description.strip():
        raise BadRequest("no description", say="description was not provided")
    async with transaction():
        await _one_at_a_time(key, now)
        rows = await fetch(
            "SELECT c.id, c.status, r.openid FROM open_request o JOIN cases c ON c.id = o.case_id "
            "JOIN resident r ON r.id = c.reporter_id WHERE o.key_id = $1 AND c.number = $2",
            key.id,
            said.service_request_id,
        )
        if not rows:
            raise NotFound("not this client's", say="service_request_id was not found among what this api_key filed")
        case_id, person = rows[0]["id"], await find_person(rows[0]["openid"], now)
        if await OpenUpdate.exists(key_id=key.id, update_id=said.update_id):
            raise Conflict("update seen", say=f"update_id {said.update_id} already exists")
        await OpenUpdate.create(key_id=key.id, update_id=said.update_id, case_id=case_id, created_at=now)
        await _carry_out(person, case_id, Status(rows[0]["status"]), said, (now, reopen_within, _name(key)))
        made = await fetch("SELECT max(id) AS id FROM case_event WHERE case_id = $1", case_id)
        return str(made[0]["id"])


async def _carry_out(
    person: Person, case_id: int, status: Status, said: Said, when: tuple[datetime, timedelta, str]
) -> None:
    """fixed and closed answer 解决了吗, or take back what nobody has begun; reopen says no; the rest adds words."""
    now, within, via = when
    words = said.description.strip()[:2000]
    try:
        if said.status in ("fixed", "closed") and status is Status.VERIFIED:
            await rating.confirm_solved(person, case_id, now, via)
        elif said.status == "closed" and status in (Status.REPORTED, Status.ACCEPTED, Status.DISPATCHED):
            await rating.withdraw(person, case_id, now, via)
        elif said.status == "reopen":
            await rating.say_not_solved(person, case_id, words, now, within=within, source=via)
        else:
            await rating.supplement(person, case_id, words, now, via)
    except Conflict as refused:
        raise Conflict(
            refused.detail, say=f"the request is {status.value}: this update is not possible now"
        ) from refused
