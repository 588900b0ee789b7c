"""Everything we have about a resident, for themselves: one package they can read and take elsewhere.

Others are in it only as they showed themselves to this person: by their post, or by what was said in a private talk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.broadcast_people import told_of
from domain.journal import MINI, audit
from domain.people import Person
from domain.survey_personal import follow_ups_of, surveys_of
from domain.volunteer_people import certificates_of, time_of
from errors import NotFound
from models.database import fetch, from_json, transaction

Rows = Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Package:
    """Tables of one person's data, as rows of plain values."""

    made_at: datetime
    account: dict[str, Any]
    consents: Rows
    devices: Rows
    cases: Rows
    looked_at: Rows
    followed: Rows
    said_in_rooms: Rows
    private_talks: Rows
    badges: Rows
    complaints: Rows
    ratings: Rows
    checklists: Rows
    household: Rows
    opt_outs: Rows
    broadcasts: Rows
    surveys: Rows
    follow_ups: Rows
    applications: Rows
    bookings: Rows
    volunteer_time: Rows
    certificates: Rows
    files: Rows
    notices: Rows
    messages: Rows
    conversation: Rows


_ACCOUNT = """
SELECT r.id, r.openid, r.unionid, r.nickname, r.name, r.phone, r.minor, r.created_at, g.name AS grid,
    c.name AS community, (SELECT array_agg(m.openid ORDER BY m.id) FROM miniapp_user m WHERE m.resident_id = r.id)
        AS miniapp_openids
FROM resident r LEFT JOIN area g ON g.id = r.grid_id LEFT JOIN area c ON c.id = g.parent_id
WHERE r.id = $1 AND r.deleted_at IS NULL
"""
_CONSENTS = "SELECT purpose, version, given_at, ended_at FROM purpose_consent WHERE resident_id = $1 ORDER BY id"
_DEVICES = """
SELECT kind, device, created_at, seen_at, expires_at, ended_at FROM login_token WHERE resident_id = $1 ORDER BY id
"""
_CASES = """
SELECT c.number, c.status, c.subject, c.category, c.description, c.place, c.latitude, c.longitude, c.anonymous,
    c.reported_at, c.closed_at, c.result, c.solved, c.satisfaction, c.comment,
    (SELECT jsonb_agg(jsonb_build_object('at', e.at, 'who', e.actor, 'what', e.verb, 'text', e.text) ORDER BY e.id)
        FROM case_event e WHERE e.case_id = c.id AND e.public) AS timeline,
    (SELECT jsonb_agg(jsonb_build_object('file', 'a' || a.id, 'kind', a.kind, 'at', a.created_at) ORDER BY a.id)
        FROM attachment a WHERE a.case_id = c.id) AS photos
FROM cases c WHERE c.reporter_id = $1 ORDER BY c.id
"""
_FOLLOWED = """
SELECT c.number, c.subject, f.since, f.words FROM follower f JOIN cases c ON c.id = f.case_id
WHERE f.resident_id = $1 ORDER BY f.id
"""
_LOOKED_AT = """
SELECT c.number, v.at, coalesce(u.name, a.name) || s.name AS who, v.reason
FROM reveal v JOIN cases c ON c.id = v.case_id
JOIN staff s ON s.id = v.staff_id JOIN area a ON a.id = s.area_id LEFT JOIN department u ON u.id = s.department_id
WHERE v.resident_id = $1 ORDER BY v.id
"""
_SAID = """
SELECT g.name AS grid, m.at, m.kind, m.state, m.author AS shown_as, m.text, m.data FROM room_message m
JOIN room r ON r.id = m.room_id JOIN area g ON g.id = r.grid_id
WHERE m.sender = 'resident:' || $1::bigint AND r.kind = 'grid' ORDER BY m.id
"""
_TALKS = """
SELECT g.name AS grid, m.at, m.kind, m.author, m.text, m.data, m.sender = 'resident:' || $1::bigint AS mine
FROM room_message m JOIN room r ON r.id = m.room_id JOIN area g ON g.id = r.grid_id
WHERE r.resident_id = $1 AND m.state <> 'removed' ORDER BY m.id
"""
_BADGES = "SELECT kind, label, granted_at, agreed_at, ended_at FROM badge WHERE resident_id = $1 ORDER BY id"
_COMPLAINTS = """
SELECT kind, reason, opened_at, outcome, decided_at, answer FROM review
WHERE by = 'resident:' || $1::bigint ORDER BY id
"""
_RATINGS = """
SELECT p.name AS provider, r.stars, r.words, r.at FROM provider_rating r JOIN provider p ON p.id = r.provider_id
WHERE r.resident_id = $1 ORDER BY r.id
"""
_CHECKLISTS = """
SELECT i.title AS service, c.ticked, c.changed_at FROM checklist c JOIN service_item i ON i.id = c.item_id
WHERE c.resident_id = $1 ORDER BY c.id
"""
_APPLICATIONS = """
SELECT a.number, i.title AS service, a.state, a.resident_id IS NULL AS for_another, a.name, a.phone, a.relation,
    (SELECT jsonb_object_agg(f->>'label', a.answers->(f->>'key')) FROM jsonb_array_elements(m.fields) AS f
        WHERE a.answers ? (f->>'key')) AS answers,
    a.asked, a.result, a.submitted_at, a.due_at, a.ended_at, a.stars, a.comment,
    (SELECT jsonb_agg(jsonb_build_object('at', e.at, 'who', e.actor, 'what', e.verb, 'text', e.text) ORDER BY e.id)
        FROM application_event e WHERE e.application_id = a.id) AS timeline,
    (SELECT jsonb_agg('p' || f.id ORDER BY f.id) FROM application_file f WHERE f.application_id = a.id) AS photos
FROM application a JOIN service_item i ON i.id = a.item_id JOIN service_form m ON m.id = a.form_id
WHERE a.resident_id = $1 OR a.by = 'resident:' || $1::bigint ORDER BY a.id
"""
_BOOKINGS = """
SELECT p.title AS what, p.place, s.starts_at, s.ends_at, b.state, b.code, b.resident_id IS NULL AS for_another, b.name,
    b.phone, b.relation, b.note, b.booked_at, b.ended_at, b.reason, b.excused, b.stars, b.comment
FROM booking b JOIN slot s ON s.id = b.slot_id JOIN booking_plan p ON p.id = b.plan_id
WHERE b.resident_id = $1 OR b.by = 'resident:' || $1::bigint ORDER BY b.id
"""
_HOUSEHOLD = """
SELECT g.name AS grid, h.building, h.unit, h.room, m.name, m.relation, m.birthday, m.facts, m.confirmed_at, m.changed_at
FROM household_member m JOIN household h ON h.id = m.household_id JOIN area g ON g.id = h.grid_id
WHERE m.resident_id = $1 AND (m.confirmed_at IS NOT NULL OR m.source = 'resident:' || $1::bigint) ORDER BY m.id
"""
_OPT_OUTS = "SELECT topic, at FROM opt_out WHERE resident_id = $1 ORDER BY id"
_FILES = """
SELECT 'u' || replace(id::text, '-', '') AS file, kind, content_type, size, created_at FROM upload
WHERE owner = 'resident:' || $1::bigint ORDER BY created_at, id
"""
_NOTICES = """
SELECT created_at AS at, payload->>'text' AS text, state FROM outbox
WHERE kind = 'notice' AND recipient = ANY ($1) ORDER BY id
"""
_MESSAGES = """
SELECT received_at AS at, kind, convert_from(body, 'UTF8') AS sent, reply FROM inbox WHERE openid = ANY ($1) ORDER BY id
"""
_CONVERSATION = "SELECT state, data, last_message_at FROM conversation WHERE openid = ANY ($1)"


async def gather(person: Person, now: datetime, source: str = "") -> Package:
    """The whole package, of one moment. Raises NotFound for whoever is no resident."""
    async with transaction():
        account = await fetch(_ACCOUNT, person.resident_id)
        if not account:
            raise NotFound("no resident", say="这里没有您作为居民的资料。")
        me, openids = person.resident_id, _openids(account[0])
        package = Package(
            now,
            account[0],
            consents=await fetch(_CONSENTS, me),
            devices=await fetch(_DEVICES, me),
            cases=_opened(await fetch(_CASES, me)),
            looked_at=await fetch(_LOOKED_AT, me),
            followed=await fetch(_FOLLOWED, me),
            said_in_rooms=_opened(await fetch(_SAID, me)),
            private_talks=_opened(await fetch(_TALKS, me)),
            badges=await fetch(_BADGES, me),
            complaints=await fetch(_COMPLAINTS, me),
            ratings=await fetch(_RATINGS, me),
            checklists=_opened(await fetch(_CHECKLISTS, me)),
            applications=_opened(await fetch(_APPLICATIONS, me)),
            bookings=await fetch(_BOOKINGS, me),
            volunteer_time=await time_of(me),
            certificates=await certificates_of(me),
            surveys=await surveys_of(me),
            follow_ups=await follow_ups_of(me),
            household=_opened(await fetch(_HOUSEHOLD, me)),
            opt_outs=await fetch(_OPT_OUTS, me),
            broadcasts=await told_of(me),
            files=await fetch(_FILES, me),
            notices=await fetch(_NOTICES, openids),
            messages=await fetch(_MESSAGES, openids),
            conversation=_opened(await fetch(_CONVERSATION, openids)),
        )
        await audit(f"resident:{me}", "resident:export", me, now, source=source)
    return package


def _openids(account: dict[str, Any]) -> list[str]:
    return [account["openid"], *(MINI + openid for openid in account["miniapp_openids"] or ())]


def _opened(rows: list[dict[str, Any]]) -> Rows:
    """JSON columns as values, not as text."""
    for row in rows:
        for name in ("timeline", "photos", "data", "ticked", "answers", "facts"):
            if name in row:
                row[name] = from_json(row[name])
    return rows


@dataclass(frozen=True, slots=True)
class Summary:
    """What is kept of somebody, in a few words."""

    what: str
    open_cases: int


_SUMMARY = """
SELECT r.grid_id IS NOT NULL AS grid, r.nickname || r.name <> '' AS name, r.phone <> '' AS phone,
    (SELECT count(*) FROM cases c WHERE c.reporter_id = r.id) AS cases,
    (SELECT count(*) FROM cases c WHERE c.reporter_id = r.id AND c.closed_at IS NULL)
        + (SELECT count(*) FROM application a WHERE a.ended_at IS NULL
            AND (a.resident_id = r.id OR a.by = 'resident:' || r.id)) AS open_cases,
    (SELECT count(*) FROM room_message m WHERE m.sender = 'resident:' || r.id AND m.text <> '') AS said,
    (SELECT count(*) FROM application a WHERE a.resident_id = r.id OR a.by = 'resident:' || r.id) AS applications,
    (SELECT count(*) FROM booking b WHERE b.resident_id = r.id OR b.by = 'resident:' || r.id) AS bookings
FROM resident r WHERE r.id = $1
"""


async def summarise(person: Person) -> Summary:
    """What there is, for whoever only chats."""
    row = (await fetch(_SUMMARY, person.resident_id))[0]
    parts = {
        "您的微信在本号的编号": True,
        "网格": row["grid"],
        "姓名或昵称": row["name"],
        "手机号": row["phone"],
        f"反映过的 {row['cases']} 件事": row["cases"],
        f"群里说过的 {row['said']} 句话": row["said"],
        f"网上申请的 {row['applications']} 件事": row["applications"],
        f"{row['bookings']} 次预约": row["bookings"],
        "您发来的消息": True,
    }
    return Summary("、".join(part for part, there in parts.items() if there), row["open_cases"])


@dataclass(frozen=True, slots=True)
class Told:
    """One notice as its receiver finds it again."""

    id: int
    at: datetime
    text: str
    case_number: str
    arrived: bool | None


_TOLD = """
SELECT o.id, o.created_at AS at, o.payload->>'text' AS text, coalesce(c.number, '') AS case_number,
    CASE WHEN o.finished_at IS NOT NULL THEN o.state = 'sent' END AS arrived
FROM outbox o LEFT JOIN cases c ON c.id = o.case_id
WHERE o.kind = 'notice' AND o.recipient = $1 AND ($2::bigint IS NULL OR o.id < $2) AND NOT (o.quiet AND o.due_at > $4)
ORDER BY o.id DESC LIMIT $3
"""


async def list_notices(person: Person, before: int | None, limit: int, now: datetime) -> list[Told]:
    """What this person was told, the newest first; `before` = the id the page before ended with. What waits for the
    morning is not told yet. `arrived` is None while it is under way, False where no message reached them."""
    openid = person.openid or (person.post.openid if person.post else "") or ""
    rows = await fetch(_TOLD, openid, before, limit, now) if openid else []
    return [Told(**row) for row in rows]
