"""One person, known twice: as a follower of the official account and as a user of the mini-program.

WeChat gives both the same unionid, but not at once: the mini-program's with its login, the account's when it is asked.
Until both are known the mini-program's user is a resident of their own (openid `mini:…`). Then everything of theirs
goes over to the account's resident, and that row ends.
"""

from __future__ import annotations

from datetime import datetime

from domain.bell import room_changed
from domain.booking_people import merge_bookings
from domain.broadcast_people import merge_broadcasts
from domain.journal import MINI, audit
from domain.survey_personal import move_surveys
from domain.volunteer_people import merge_volunteer
from models.database import fetch, to_json, transaction
from models.enums import OutboxKind


async def ask_union(resident_id: int, openid: str, now: datetime) -> None:
    """Leave the worker a job to ask WeChat who this follower is in the mini-program, unless that is known, or was asked
    before."""
    await fetch(_ASK, str(OutboxKind.UNION), f"union:{resident_id}", to_json({"openid": openid}), now, resident_id)


_ASK = """
INSERT INTO outbox
    (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error, created_at)
SELECT $1, 'pending', $2::text, $3::jsonb, 0, 0, $4, '', '', 0, '', $4
FROM resident r WHERE r.id = $5 AND r.unionid IS NULL
    AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.recipient = $2::text AND o.finished_at IS NULL)
"""


# Followers from before there was a mini-program. Whoever was asked about once is not asked about again here: WeChat
# knows them under no other account of the owner's, and tells when they sign in.
_UNASKED = """
SELECT r.id, r.openid FROM resident r
WHERE r.unionid IS NULL AND r.deleted_at IS NULL AND position(':' IN r.openid) = 0
    AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.kind = 'union' AND o.recipient = 'union:' || r.id)
ORDER BY r.id LIMIT $1
"""


async def ask_unions(now: datetime, most: int = 200) -> int:
    """Ask about followers nobody has asked about yet; gives how many."""
    rows = await fetch(_UNASKED, most)
    for row in rows:
        await ask_union(row["id"], row["openid"], now)
    return len(rows)


async def one_at_a_time(person: str) -> None:
    """Sign-ins and links of one person (a unionid, or an openid without one) wait for each other until the commit: two
    at once would make two residents of one, or lose one of them to both."""
    await fetch("SELECT pg_advisory_xact_lock(hashtextextended('one person: ' || $1, 0))", person)


async def link_union(openid: str, unionid: str, now: datetime, source: str = "") -> None:
    """The follower `openid` has this unionid: what they did in the mini-program before becomes theirs here."""
    if not unionid:
        return
    async with transaction():
        await one_at_a_time(unionid)
        mine = await fetch("SELECT id, unionid FROM resident WHERE openid = $1 AND deleted_at IS NULL", openid)
        if not mine or mine[0]["unionid"] == unionid:
            return
        other = await fetch("SELECT id, openid FROM resident WHERE unionid = $1", unionid)
        if other and not other[0]["openid"].startswith(MINI):
            return  # somebody is known by it already; two followers are never one
        if other:
            await merge(other[0]["id"], mine[0]["id"], now, source)
        await note_union(mine[0]["id"], unionid)


async def note_union(resident_id: int, unionid: str) -> None:
    """Who somebody is to WeChat, unless they have just been forgotten. In the running transaction."""
    await fetch("UPDATE resident SET unionid = $2 WHERE id = $1 AND deleted_at IS NULL", resident_id, unionid)


# $1 goes, $2 stays. What both have (a followed case, a seat, a draft's name) stays as it is with $2.
_MOVE = """
WITH reported AS (UPDATE cases SET reporter_id = $2 WHERE reporter_id = $1
), followed AS (UPDATE follower f SET resident_id = $2 WHERE resident_id = $1
    AND NOT EXISTS (SELECT 1 FROM follower o WHERE o.case_id = f.case_id AND o.resident_id = $2)
), signed_in AS (UPDATE login_token SET resident_id = $2 WHERE resident_id = $1
), opened AS (UPDATE miniapp_user SET resident_id = $2 WHERE resident_id = $1
), wears AS (
    UPDATE badge b SET resident_id = $2, ended_at = CASE WHEN b.ended_at IS NULL AND EXISTS (
        SELECT 1 FROM badge o WHERE o.resident_id = $2 AND o.kind = b.kind AND o.ended_at IS NULL
    ) THEN $3 ELSE b.ended_at END
    WHERE resident_id = $1
), agreed AS (UPDATE purpose_consent SET resident_id = $2 WHERE resident_id = $1
), sent AS (UPDATE upload SET owner = 'resident:' || $2::bigint WHERE owner = 'resident:' || $1::bigint
), asked AS (UPDATE review SET by = 'resident:' || $2::bigint WHERE by = 'resident:' || $1::bigint
), rated AS (UPDATE provider_rating r SET resident_id = $2 WHERE resident_id = $1
    AND NOT EXISTS (SELECT 1 FROM provider_rating o WHERE o.provider_id = r.provider_id AND o.resident_id = $2)
), ticked AS (UPDATE checklist c SET resident_id = $2 WHERE resident_id = $1
    AND NOT EXISTS (SELECT 1 FROM checklist o WHERE o.item_id = c.item_id AND o.resident_id = $2)
), applied AS (
    UPDATE application a SET resident_id = $2, state = CASE WHEN again.there THEN 'withdrawn' ELSE a.state END,
        ended_at = CASE WHEN again.there THEN $3 ELSE a.ended_at END
    FROM (
        SELECT b.id, b.ended_at IS NULL AND EXISTS (
            SELECT 1 FROM application o WHERE o.item_id = b.item_id AND o.resident_id = $2 AND o.ended_at IS NULL
        ) AS there FROM application b WHERE b.resident_id = $1
    ) again WHERE a.id = again.id
), belongs AS (
    UPDATE household_member m SET resident_id = CASE WHEN EXISTS (
        SELECT 1 FROM household_member o WHERE o.resident_id = $2 AND o.confirmed_at IS NOT NULL
    ) THEN NULL ELSE $2 END WHERE resident_id = $1
), refused AS (UPDATE opt_out o SET resident_id = $2 WHERE resident_id = $1
    AND NOT EXISTS (SELECT 1 FROM opt_out s WHERE s.topic = o.topic AND s.resident_id = $2)
), answered AS (DELETE FROM idempotent_request WHERE actor = 'resident:' || $1::bigint
), said AS (
    UPDATE room_message m SET sender = 'resident:' || $2::bigint, client_id = CASE WHEN EXISTS (
        SELECT 1 FROM room_message o WHERE o.room_id = m.room_id AND o.sender = 'resident:' || $2::bigint
            AND o.client_id = m.client_id
    ) THEN 'moved:' || m.id ELSE m.client_id END
    WHERE sender = 'resident:' || $1::bigint
), sits AS (
    UPDATE room_seat s SET who = 'resident:' || $2::bigint WHERE who = 'resident:' || $1::bigint
    AND NOT EXISTS (SELECT 1 FROM room_seat o WHERE o.room_id = s.room_id AND o.who = 'resident:' || $2::bigint)
), muted AS (
    UPDATE room_seat s SET muted_until = greatest(s.muted_until, o.muted_until),
        muted_why = CASE WHEN s.muted_until >= o.muted_until THEN s.muted_why ELSE o.muted_why END,
        muted_by = CASE WHEN s.muted_until >= o.muted_until THEN s.muted_by ELSE o.muted_by END
    FROM room_seat o WHERE s.who = 'resident:' || $2::bigint AND o.who = 'resident:' || $1::bigint
        AND o.room_id = s.room_id AND o.muted_until IS NOT NULL
), told AS (
    UPDATE outbox o SET recipient = stays.openid FROM resident stays WHERE stays.id = $2 AND o.id IN (
        SELECT w.id FROM outbox w JOIN resident gone ON gone.openid = w.recipient
        WHERE gone.id = $1 AND w.kind = 'notice' ORDER BY w.id FOR NO KEY UPDATE OF w
    )
)
UPDATE resident stays SET
    grid_id = coalesce(stays.grid_id, gone.grid_id),
    nickname = CASE WHEN stays.nickname = '' THEN gone.nickname ELSE stays.nickname END,
    name = CASE WHEN stays.name = '' THEN gone.name ELSE stays.name END,
    phone = CASE WHEN stays.phone = '' THEN gone.phone ELSE stays.phone END,
    minor = coalesce(stays.minor, gone.minor)
FROM resident gone WHERE stays.id = $2 AND gone.id = $1
"""

# A second statement: one may not change the same row twice.
_FILLED_IN = """
UPDATE application SET by = 'resident:' || $2::bigint WHERE by = 'resident:' || $1::bigint
"""

# Of two agreements to one purpose the newer holds.
_ONE_CONSENT = """
UPDATE purpose_consent c SET ended_at = $2 WHERE c.resident_id = $1 AND c.ended_at IS NULL AND EXISTS (
    SELECT 1 FROM purpose_consent o WHERE o.resident_id = $1 AND o.purpose = c.purpose AND o.ended_at IS NULL
        AND (o.given_at, o.id) > (c.given_at, c.id))
"""

# A private talk goes over whole, or, where there is one in this grid already, its entries behind those that are there.
_TAKE_ROOMS = """
UPDATE room r SET key = 'private:' || grid_id || ':' || $2::bigint, resident_id = $2 WHERE resident_id = $1
    AND NOT EXISTS (SELECT 1 FROM room o WHERE o.resident_id = $2 AND o.grid_id = r.grid_id)
"""
_TAKE_ENTRIES = """
WITH pairs AS (
    SELECT o.id AS old, n.id AS new, n.last_seq FROM room o
    JOIN room n ON n.resident_id = $2 AND n.grid_id = o.grid_id WHERE o.resident_id = $1
), entries AS (
    SELECT m.id, p.old, p.new, CASE WHEN m.seq IS NOT NULL THEN p.last_seq + m.seq END AS seq
    FROM room_message m JOIN pairs p ON p.old = m.room_id
), moved AS (
    UPDATE room_message m SET room_id = e.new, seq = e.seq, client_id = left(e.old || ':' || m.client_id, 64)
    FROM entries e WHERE e.id = m.id
), reviewed AS (
    UPDATE review r SET room_id = p.new FROM pairs p WHERE r.room_id = p.old
)
UPDATE room r SET last_seq = r.last_seq + o.last_seq FROM pairs p JOIN room o ON o.id = p.old
WHERE r.id = p.new RETURNING r.id
"""


_HOLD = "SELECT FROM resident WHERE id = ANY ($1::bigint[]) AND deleted_at IS NULL ORDER BY id FOR UPDATE"


async def merge(gone: int, stays: int, now: datetime, source: str = "") -> None:
    """Everything of the resident `gone` becomes that of `stays`, and the row ends. In the running transaction.

    Their cases are locked before anything else, as everywhere, then both residents, then their private talks; whoever
    refers to `gone` meanwhile waits for the end.
    """
    both = [gone, stays]
    await fetch("SELECT FROM cases WHERE reporter_id = ANY ($1::bigint[]) ORDER BY id FOR NO KEY UPDATE", both)
    if len(await fetch(_HOLD, both)) < len(both):
        return  # one of them has just been forgotten
    await fetch("SELECT FROM room WHERE resident_id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE", both)
    await merge_bookings(gone, stays, now)
    await merge_volunteer(gone, stays)
    await merge_broadcasts(gone, stays)
    await fetch(_MOVE, gone, stays, now)
    await fetch(_FILLED_IN, gone, stays)
    await move_surveys(gone, stays)
    await fetch(_ONE_CONSENT, stays, now)
    await fetch(_TAKE_ROOMS, gone, stays)
    for row in await fetch(_TAKE_ENTRIES, gone, stays):
        room_changed(row["id"])
    await fetch("DELETE FROM room WHERE resident_id = $1", gone)
    await fetch("DELETE FROM room_seat WHERE who = 'resident:' || $1::bigint", gone)
    await fetch("DELETE FROM resident WHERE id = $1", gone)
    await audit(f"resident:{stays}", "resident:link", gone, now, source=source)
