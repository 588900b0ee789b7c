"""Being forgotten: everything by which a resident could be known, and everything they said, is gone in one transaction.

Cases stay as figures: category, area, times, status and rating are nobody's. What staff wrote stays without names and
numbers. The audit trail knows a resident by a number alone; the row that said who the number is loses everything else.
Files leave the disk by a job, after the commit. Copies with other platforms and backups are not ours to reach.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.application_erasure import forget_applications, open_applications
from domain.bell import room_changed
from domain.booking_people import forget_bookings
from domain.broadcast_people import forget_broadcasts
from domain.journal import audit
from domain.people import Person
from domain.privacy import mask
from domain.survey_personal import forget_surveys
from domain.volunteer_people import forget_volunteer
from errors import Conflict, NotFound
from models.database import fetch, to_json, transaction
from models.enums import OutboxKind

GONE = "（当事人已要求删除）"
"""Stands where their words stood."""

_SHORTEST, _TELLING = 4, 16
"""Characters of a message by which copies of it are looked for: shorter ones say nothing of anybody, and of longer ones
a copy may have the beginning alone."""


@dataclass(frozen=True, slots=True)
class _Traces:
    """Where somebody is found: their numbers, their names for WeChat, what they are called, their cases and files."""

    resident_id: int
    openids: Sequence[str]
    called: Sequence[str]
    cases: Sequence[int]

    @property
    def actor(self) -> str:
        return f"resident:{self.resident_id}"

    def scrub(self, text: str) -> str:
        """What somebody else wrote, without them in it."""
        for name in self.called:
            text = text.replace(name, "***")
        return mask(text)


async def erase(person: Person, now: datetime, source: str = "", *, even_open: bool = False) -> None:
    """Forget a resident for good. Raises Conflict for staff who have not unbound, and while cases of theirs are open
    unless `even_open`: whoever works on those has only kind and grid left."""
    if person.post is not None:
        raise Conflict("bound to a post", say="您绑定了工作身份。请先在公众号里回复“解绑”，再删除个人信息。")
    async with transaction():
        traces = await _find(person, even_open=even_open)
        files = await forget_applications(traces.resident_id, now)
        files += await _forget_cases(traces)
        await _forget_staff_words(traces)
        await forget_bookings(traces.resident_id, now)
        await forget_volunteer(traces.resident_id)
        await forget_broadcasts(traces.resident_id, GONE)
        await _forget_messages(traces)
        files += await _forget_rooms(traces)
        await forget_surveys(traces.resident_id)
        await _forget_account(traces, now)
        if files:
            await fetch(_ERASE_FILES, str(OutboxKind.ERASE), to_json({"paths": sorted(set(files))}), now)
        await audit(traces.actor, "resident:erase", traces.resident_id, now, source=source)


# Their messages come first, as they do when one of them comes in: what they say now is said before or after.
_TALK = """
SELECT FROM conversation c JOIN resident r ON r.openid = c.openid WHERE r.id = $1 FOR UPDATE OF c
"""


async def _find(person: Person, *, even_open: bool) -> _Traces:
    me = person.resident_id
    await fetch(_TALK, me)
    cases = await fetch("SELECT id, closed_at FROM cases WHERE reporter_id = $1 ORDER BY id FOR NO KEY UPDATE", me)
    still_open = sum(row["closed_at"] is None for row in cases) + await open_applications(me)
    if still_open and not even_open:
        raise Conflict(
            f"{still_open} open cases and applications",
            say=f"您还有 {still_open} 件事在办，删了就没法告诉您结果。可以等办结，或确认现在就删。",
        )
    rows = await fetch("SELECT * FROM resident WHERE id = $1 AND deleted_at IS NULL FOR UPDATE", me)
    if not rows:
        raise NotFound(f"resident {me}")
    row = rows[0]
    await fetch("SELECT FROM room WHERE resident_id = $1 ORDER BY id FOR UPDATE", me)
    minis = await fetch("SELECT openid FROM miniapp_user WHERE resident_id = $1", row["id"])
    called = [row[name] for name in ("name", "nickname", "phone") if len(row[name]) > 1]
    openids = [row["openid"], *(one["openid"] for one in minis)]
    return _Traces(row["id"], openids, called, [one["id"] for one in cases])


_CASES = """
UPDATE cases SET description = $2, place = '', latitude = NULL, longitude = NULL, comment = '' WHERE id = ANY ($1)
"""
_OWN_LINES = "UPDATE case_event SET text = '' WHERE case_id = ANY ($1) AND actor = '居民' AND text <> ''"
_OWN_FILES = "DELETE FROM attachment WHERE case_id = ANY ($1) AND NOT after RETURNING path"
_OWN_UPLOADS = "DELETE FROM upload WHERE owner = $1 RETURNING path"
_ELSEWHERE_SHOWN = "DELETE FROM attachment WHERE path = ANY ($1) AND path <> ''"
_FOLLOWED = "UPDATE follower SET words = '' WHERE resident_id = $1 OR from_case_id = ANY ($2)"
_OPEN311 = "UPDATE open_request SET contact = '{}'::jsonb WHERE case_id = ANY ($1)"


async def _forget_cases(traces: _Traces) -> list[str]:
    """What they reported loses their words, places and photos; gives the files."""
    await fetch(_CASES, traces.cases, GONE)
    await fetch(_OWN_LINES, traces.cases)
    await fetch(_FOLLOWED, traces.resident_id, traces.cases)
    await fetch(_OPEN311, traces.cases)
    await fetch("DELETE FROM missing_item WHERE case_id = ANY ($1)", traces.cases)
    files = [row["path"] for row in await fetch(_OWN_FILES, traces.cases)]
    uploads = [row["path"] for row in await fetch(_OWN_UPLOADS, traces.actor)]
    await fetch(_ELSEWHERE_SHOWN, uploads)  # with a case they joined, or in somebody's report for them
    return [path for path in files + uploads if path]


_STAFF_WORDS = """
SELECT 'line' AS kind, id, text AS one, '' AS two FROM case_event WHERE case_id = ANY ($1) AND text <> ''
UNION ALL SELECT 'case', id, result, '' FROM cases WHERE id = ANY ($1) AND result <> ''
UNION ALL SELECT 'request', id, reason, answer FROM case_request WHERE case_id = ANY ($1)
UNION ALL SELECT 'assist', id, text, answer FROM assist WHERE case_id = ANY ($1)
UNION ALL SELECT 'supervision', id, text, answer FROM supervision WHERE case_id = ANY ($1)
UNION ALL SELECT 'exclusion', id, reason, '' FROM exclusion WHERE case_id = ANY ($1)
"""
_WRITE_STAFF_WORDS = """
WITH said AS (SELECT * FROM jsonb_to_recordset($1::jsonb) AS s(kind text, id bigint, one text, two text)
), lines AS (UPDATE case_event t SET text = s.one FROM said s WHERE s.kind = 'line' AND t.id = s.id
), results AS (UPDATE cases t SET result = s.one FROM said s WHERE s.kind = 'case' AND t.id = s.id
), requests AS (
    UPDATE case_request t SET reason = s.one, answer = s.two FROM said s WHERE s.kind = 'request' AND t.id = s.id
), assists AS (UPDATE assist t SET text = s.one, answer = s.two FROM said s WHERE s.kind = 'assist' AND t.id = s.id
), supervised AS (
    UPDATE supervision t SET text = s.one, answer = s.two FROM said s WHERE s.kind = 'supervision' AND t.id = s.id
)
UPDATE exclusion t SET reason = s.one FROM said s WHERE s.kind = 'exclusion' AND t.id = s.id
"""


async def _forget_staff_words(traces: _Traces) -> None:
    """What staff wrote about their cases stays, without what they are called and without numbers."""
    rows = await fetch(_STAFF_WORDS, traces.cases)
    clean = [row | {"one": traces.scrub(row["one"]), "two": traces.scrub(row["two"])} for row in rows]
    changed = [new for old, new in zip(rows, clean, strict=True) if old != new]
    if changed:
        await fetch(_WRITE_STAFF_WORDS, to_json(changed))


_INBOX = """
UPDATE inbox SET dedupe_key = 'gone:' || id, openid = 'gone', body = ''::bytea, reply = NULL, error = '',
    state = 'done', due_at = NULL
WHERE openid = ANY ($1)
"""
_CONVERSATION = "DELETE FROM conversation WHERE openid = ANY ($1)"
_SUBSCRIPTIONS = "DELETE FROM consent WHERE openid = ANY ($1)"
# What waits for them is not sent any more. What others were told of their cases loses its words; what waits for others
# says only that there is something. Webhooks go on with what they say of the status.
_TO_THEM = "DELETE FROM outbox WHERE recipient = ANY ($1)"
_TO_OTHERS = """
UPDATE outbox SET payload = CASE
    WHEN kind = 'webhook' THEN jsonb_set(payload, '{events}', coalesce((
        SELECT jsonb_agg(e || '{"text": ""}'::jsonb) FROM jsonb_array_elements(payload->'events') e), '[]'::jsonb))
    ELSE $2::jsonb END
WHERE case_id = ANY ($1) AND kind IN ('notice', 'webhook')
"""
_UNFETCHED = """
DELETE FROM outbox o WHERE o.kind = 'media' AND o.case_id = ANY ($1) AND o.finished_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM attachment a WHERE a.id = (o.payload->>'attachment')::bigint)
"""


async def _forget_messages(traces: _Traces) -> None:
    """What they wrote to the account, and what was pushed to them or to others about them."""
    mine = [*traces.openids, *(f"mini:{openid}" for openid in traces.openids), f"union:{traces.resident_id}"]
    await fetch(_INBOX, traces.openids)
    await fetch(_CONVERSATION, traces.openids)
    await fetch(_SUBSCRIPTIONS, traces.openids)
    await fetch(_TO_THEM, mine)
    await fetch(_TO_OTHERS, traces.cases, to_json({"text": f"有一件事的内容{GONE}，请在待办里看。"}))
    await fetch(_UNFETCHED, traces.cases)


_SAID = """
UPDATE room_message SET text = '', data = '{}'::jsonb, hint = NULL, why = '', author = '已注销',
    client_id = 'gone:' || id, state = CASE WHEN state = 'removed' THEN state ELSE 'recalled' END
WHERE sender = $1 RETURNING id, room_id
"""
_WHAT_THEY_SAID = """
SELECT DISTINCT left(text, $3) AS text FROM room_message WHERE sender = $1 AND length(text) >= $2
"""
# Entries about theirs (a return has the words again), and copies: relayed lines, groups elsewhere, a day's digest.
_ABOUT = "UPDATE room_message SET text = '', data = '{}'::jsonb WHERE target = ANY ($1)"
_COPIES = """
WITH told AS (
    UPDATE outbox o SET payload = $2::jsonb
    FROM unnest($1::text[]) AS said(words) WHERE o.kind IN ('notice', 'room', 'check', 'group')
        AND position(said.words IN o.payload::text) > 0
)
UPDATE room_digest d SET text = $3, figures = '{}'::jsonb
FROM unnest($1::text[]) AS said(words) WHERE position(said.words IN d.text || d.figures::text) > 0
"""
# What staff were told of messages, which it names by their ids: the beginnings of longer ones stand in it.
_QUOTED = """
UPDATE outbox SET payload = $2::jsonb WHERE kind = 'notice' AND payload ? 'messages'
    AND EXISTS (SELECT FROM jsonb_array_elements_text(payload->'messages') one WHERE one::bigint = ANY ($1::bigint[]))
"""
_ROOM_FILES = """
SELECT u.path FROM upload u JOIN room_message m ON m.data->>'upload' = u.id::text
JOIN room r ON r.id = m.room_id WHERE r.resident_id = $1
"""


async def _forget_rooms(traces: _Traces) -> list[str]:
    """What they said in rooms stays as an empty place in the numbers; their private talks end. Gives the files."""
    rows = await fetch(_WHAT_THEY_SAID, traces.actor, _SHORTEST, _TELLING)
    said = await fetch(_SAID, traces.actor)
    await fetch(_ABOUT, [row["id"] for row in said])
    await fetch(_QUOTED, [row["id"] for row in said], to_json({"text": GONE}))
    if rows:
        await fetch(_COPIES, [row["text"] for row in rows], to_json({"text": GONE}), GONE)
    files = [row["path"] for row in await fetch(_ROOM_FILES, traces.resident_id)]
    await fetch("DELETE FROM room WHERE resident_id = $1", traces.resident_id)
    await fetch("DELETE FROM room_seat WHERE who = $1", traces.actor)
    await fetch("UPDATE review SET reason = '' WHERE by = $1", traces.actor)
    await fetch("DELETE FROM relay_line WHERE openid = ANY ($1)", traces.openids)
    await fetch("DELETE FROM badge WHERE resident_id = $1", traces.resident_id)
    for room_id in {row["room_id"] for row in said}:
        room_changed(room_id)
    return files


_RESIDENT = """
UPDATE resident SET openid = $2, unionid = NULL, nickname = '', name = '', phone = '', minor = NULL, grid_id = NULL,
    deleted_at = $3
WHERE id = $1
"""
# The rows stay a while without what they were called: open connections see by them that it is over.
_TOKENS = "UPDATE login_token SET ended_at = coalesce(ended_at, $2), device = '' WHERE resident_id = $1"
_CONSENTS = "UPDATE purpose_consent SET ended_at = $2, source = '' WHERE resident_id = $1 AND ended_at IS NULL"

# Of a household: what is known of them, not what they only said to be and staff have of somebody else.
_MEMBER = """
DELETE FROM household_member WHERE resident_id = $1
    AND (confirmed_at IS NOT NULL OR source = 'resident:' || $1::bigint)
"""


async def _forget_account(traces: _Traces, now: datetime) -> None:
    """Who the number is."""
    await fetch(_TOKENS, traces.resident_id, now)
    await fetch("DELETE FROM miniapp_user WHERE resident_id = $1", traces.resident_id)
    await fetch("DELETE FROM idempotent_request WHERE actor = $1", traces.actor)
    await fetch("DELETE FROM checklist WHERE resident_id = $1", traces.resident_id)
    await fetch(_MEMBER, traces.resident_id)
    await fetch("UPDATE household_member SET resident_id = NULL WHERE resident_id = $1", traces.resident_id)
    await fetch("DELETE FROM opt_out WHERE resident_id = $1", traces.resident_id)
    await fetch("DELETE FROM reveal WHERE resident_id = $1", traces.resident_id)
    await fetch("UPDATE provider_rating SET words = '' WHERE resident_id = $1", traces.resident_id)
    await fetch(_CONSENTS, traces.resident_id, now)
    await fetch(_RESIDENT, traces.resident_id, f"gone:{secrets.token_hex(16)}", now)


_ERASE_FILES = """
INSERT INTO outbox
    (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error, created_at)
SELECT $1, 'pending', 'erase:' || md5($2::text), $2::text::jsonb, 0, 0, $3, '', '', 0, '', $3
"""
