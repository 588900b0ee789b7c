"""Mass sends (群发): who of a call may still get one this month, whether it may be made at all, and what became of it.

A person gets four in a calendar month, whoever sends them; WeChat leaves the fifth out without a word, so it is kept
back here, before the call, and goes another way. `called_at` is noted before the call: a worker that dies after it
leaves a call that WeChat's own dedupe (by `client_id`, within a day) makes harmless to repeat.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain import broadcast_notices, deliveries
from domain.clock import SHANGHAI
from models.broadcasts import Broadcast, MassCall
from models.database import fetch, to_json, transaction
from models.enums import Channel, OutboxKind

PER_MONTH = 4
"""Mass sends one person may get in a calendar month, and calls to everybody in one."""
ALL_PER_DAY = 1
FEWEST = 2
"""People of one call."""
REPEATABLE = timedelta(hours=23)
"""How long a call may be made again: WeChat knows its client id for a day."""
_LOOK_AFTER, _SOON = timedelta(hours=1), timedelta(seconds=10)
_ONE_AT_A_TIME = 0x6C696E6C6903

FULL = f"这个月的群发已收满 {PER_MONTH} 次，微信不会再送"
ALONE = f"群发至少要 {FEWEST} 个人"
UNSURE = "不确定是否送达，没有重发"
ALL_FULL = {
    "month": f"这个月发给全部粉丝的群发已满 {PER_MONTH} 次",
    "day": "今天已经给全部粉丝群发过一次，明天才能再发",
}

#: What WeChat says of a mass send that its review stopped, by the number in `err(…)`.
_STOPPED = {
    "10001": "涉嫌广告",
    "20001": "涉嫌政治",
    "20002": "涉嫌色情",
    "20004": "涉嫌社会问题",
    "20006": "涉嫌违法犯罪",
    "20008": "涉嫌欺诈",
    "20013": "涉嫌版权",
    "22000": "涉嫌互推",
    "21000": "涉嫌其他",
}


@dataclass(frozen=True, slots=True)
class Ready:
    """A call that may be made now; `openids` is empty where it goes to everybody."""

    call_id: int
    client_id: str
    text: str
    everybody: bool
    openids: Sequence[str]
    again: bool
    """It was about to be made before: WeChat may have it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A call that is not made, and why; "" = it has been made."""

    reason: str


# Its broadcast before the call, as whoever pauses or hands over has it: they change the same deliveries.
_HOLD = """
SELECT FROM broadcast b JOIN broadcast_run r ON r.broadcast_id = b.id JOIN mass_call c ON c.run_id = r.id
WHERE c.id = $1 FOR SHARE OF b
"""


async def prepare(call_id: int, now: datetime) -> Ready | Refused:
    """Keep back whose month is full, and note that the call is about to be made."""
    async with transaction():
        # Two calls with the same person in them, looked at by two workers at once, must see each other.
        await fetch("SELECT pg_advisory_xact_lock($1)", _ONE_AT_A_TIME)
        await fetch(_HOLD, call_id)
        call = await MassCall.filter(id=call_id).select_for_update().get_or_none()
        if call is None or call.state != "planned":
            return Refused("")
        if call.called_at and now - call.called_at > REPEATABLE:
            await _park(call, UNSURE)
            return Refused(UNSURE)
        broadcast, again = await Broadcast.get(runs__id=call.run_id), call.called_at is not None
        chosen, reason = ([], await _all_full(call, now)) if call.everybody else await _people(call, broadcast, now)
        if reason:
            await _park(call, reason)
            return Refused(reason)
        call.people, call.called_at = len(chosen), call.called_at or now
        await call.save(update_fields=["people", "called_at"])
        return Ready(call.id, call.client_id, _words(broadcast), call.everybody, chosen, again)


def _words(broadcast: Broadcast) -> str:
    """A mass send has nothing to tap: the way out is said."""
    text = broadcast_notices.full_text(broadcast)
    return text if broadcast.topic == broadcast_notices.SAFETY else f"{text}\n不想收这类通知，回复“退订”。"


_PEOPLE = """
WITH others AS (
    SELECT id FROM mass_call WHERE called_at >= $2 AND id <> $1 AND NOT everybody
        AND state IN ('planned', 'taken', 'sent')
), had AS (
    SELECT d.recipient, count(*)::int AS times FROM delivery d JOIN others ON others.id = d.mass_call_id
    WHERE d.recipient IN (SELECT recipient FROM delivery WHERE mass_call_id = $1) GROUP BY d.recipient
), all_had AS (
    SELECT count(*)::int AS times FROM mass_call WHERE called_at >= $2 AND everybody
        AND state IN ('planned', 'taken', 'sent')
)
SELECT d.id, coalesce(s.openid, r.openid, '') AS openid, coalesce(had.times, 0) + all_had.times AS times
FROM delivery d CROSS JOIN all_had LEFT JOIN had ON had.recipient = d.recipient
LEFT JOIN resident r ON r.id = d.resident_id AND r.deleted_at IS NULL
LEFT JOIN staff s ON s.active AND d.recipient = 'staff:' || s.id
WHERE d.mass_call_id = $1 AND d.state = 'queued' ORDER BY d.id
"""


async def _people(call: MassCall, broadcast: Broadcast, now: datetime) -> tuple[list[str], str]:
    """The openids it goes to, or why to nobody; the others are told another way. Once it was made the list stays what
    it was: the same client id stands for it."""
    rows = await fetch(_PEOPLE, call.id, _month(now))
    kept = [row for row in rows if row["openid"] and (call.called_at or row["times"] < PER_MONTH)]
    kept = kept if len(kept) >= FEWEST or call.called_at else []
    left = {row["id"] for row in kept}
    await _another_way(broadcast, [row for row in rows if row["id"] not in left], now)
    full = FULL if any(row["times"] >= PER_MONTH for row in rows) else ALONE
    return list(dict.fromkeys(row["openid"] for row in kept)), "" if kept else full


_BY_HAND = """
UPDATE delivery d SET state = 'by_hand', mass_call_id = NULL, reason = l.reason
FROM jsonb_to_recordset($1::jsonb) AS l(id bigint, reason text) WHERE d.id = l.id
"""


async def _another_way(broadcast: Broadcast, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """A notice, where the broadcast has that way too; else it is left to the grid worker, with the reason."""
    by_notice = [row for row in rows if row["openid"] and Channel.NOTICE in broadcast.channels]
    await deliveries.by_notice(broadcast, by_notice, now)
    told = {row["id"] for row in by_notice}
    by_hand = [{"id": row["id"], "reason": _why(row)} for row in rows if row["id"] not in told]
    if by_hand:
        await fetch(_BY_HAND, to_json(by_hand))


def _why(row: Mapping[str, Any]) -> str:
    if not row["openid"]:
        return "已注销或不在岗"
    return FULL if row.get("times", 0) >= PER_MONTH else str(row.get("reason", ALONE))


_TO_ALL = """
SELECT count(*)::int AS month, count(*) FILTER (WHERE called_at >= $2)::int AS day FROM mass_call
WHERE everybody AND called_at >= $1 AND id <> $3 AND state IN ('planned', 'taken', 'sent')
"""


async def _all_full(call: MassCall, now: datetime) -> str:
    """Why there is none to everybody left, or ""."""
    made = (await fetch(_TO_ALL, _month(now), _day(now), call.id))[0]
    if call.called_at:
        return ""
    return ALL_FULL["month"] if made["month"] >= PER_MONTH else ALL_FULL["day"] if made["day"] >= ALL_PER_DAY else ""


def _day(now: datetime) -> datetime:
    return now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)


def _month(now: datetime) -> datetime:
    return _day(now).replace(day=1)


async def _park(call: MassCall, reason: str) -> None:
    call.state, call.error = "parked", reason
    await call.save(update_fields=["state", "error"])


_TAKEN = (
    "UPDATE mass_call SET state = 'taken', msg_id = $2, error = '' WHERE id = $1 AND state = 'planned' RETURNING id"
)
_LATER = """
INSERT INTO outbox (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at, quiet)
VALUES ($1, 'pending', $2, $3::jsonb, 0, 0, $4, '', '', 0, '', $5, false)
"""


async def note_taken(call_id: int, msg_id: str, now: datetime) -> None:
    """WeChat has it. Its report comes by itself; in an hour somebody asks, should it have been lost."""
    async with transaction():
        if await fetch(_TAKEN, call_id, msg_id) and msg_id:
            await _later("look", msg_id, {}, now, _LOOK_AFTER)


async def _later(what: str, msg_id: str, more: Mapping[str, Any], now: datetime, pause: timedelta) -> None:
    # Jobs of one recipient wait for each other: these must not.
    payload = to_json({what: msg_id, **more})
    await fetch(_LATER, OutboxKind.MASS, f"mass:{what}:{msg_id}"[:64], payload, now + pause, now)


async def note_failed(call_id: int, reason: str, now: datetime) -> None:
    """WeChat refused it for good: everybody of it is told another way."""
    async with transaction():
        await fetch(_HOLD, call_id)
        call = await MassCall.filter(id=call_id, state="planned").select_for_update().get_or_none()
        if call is None:
            return
        await _park(call, reason[:300])
        rows = await fetch(_PEOPLE, call.id, _month(now))
        await _another_way(await Broadcast.get(runs__id=call.run_id), [row | {"reason": reason} for row in rows], now)


_PUT_OFF = (
    "UPDATE mass_call SET error = $2, called_at = CASE WHEN $3 THEN called_at END WHERE id = $1 AND state = 'planned'"
)


async def note_put_off(call_id: int, reason: str, *, maybe_sent: bool) -> None:
    """It will be tried again; `maybe_sent` = WeChat may have it already, so nothing of it is changed meanwhile."""
    await fetch(_PUT_OFF, call_id, reason[:300], maybe_sent)


_REPORTED = """
UPDATE mass_call SET state = $2, error = $3, report = $4::jsonb
WHERE msg_id = $1 AND state IN ('taken', 'sent', 'failed') RETURNING id
"""


async def note_report(msg_id: str, status: str, counts: Mapping[str, int], now: datetime) -> None:
    """MASSSENDJOBFINISH: how a mass send ended, and for how many. WeChat can be faster than our own note that it took
    it: then the report waits as a job of its own."""
    async with transaction():
        if not await _reported(msg_id, status, counts):
            await _later("report", msg_id, {"status": status, "counts": dict(counts)}, now, _SOON)


_OPEN = "SELECT 1 FROM mass_call WHERE state = 'planned' AND called_at IS NOT NULL LIMIT 1"


async def note_kept_report(msg_id: str, status: str, counts: Mapping[str, int]) -> bool:
    """The same for one that waited; False = it may still be of a call whose answer was lost. Mass sends made on
    WeChat's own page are none of ours."""
    return await _reported(msg_id, status, counts) or not await fetch(_OPEN)


async def _reported(msg_id: str, status: str, counts: Mapping[str, int]) -> bool:
    good = status.lower().replace(" ", "_") == "send_success"
    error = "" if good else f"群发没有送出：{_stopped(status)}"
    return bool(await fetch(_REPORTED, msg_id, "sent" if good else "failed", error, to_json(dict(counts))))


_LOOKED = "UPDATE mass_call SET state = $2, error = $3 WHERE msg_id = $1 AND state = 'taken'"


async def note_status(msg_id: str, status: str) -> None:
    """What WeChat says when asked, where no report came."""
    if status == "SEND_SUCCESS":
        await fetch(_LOOKED, msg_id, "sent", "")
    else:
        await fetch(
            _LOOKED, msg_id, "failed", "已在公众平台删除" if status == "DELETE" else "群发没有送出：微信系统原因"
        )


def _stopped(status: str) -> str:
    number = "".join(filter(str.isdigit, status))
    if number in _STOPPED:
        return f"微信审核没有通过，{_STOPPED[number]}"
    return "微信系统原因" if not number else f"微信审核没有通过（{number}）"


_LOST = """
SELECT c.id, o.error, c.called_at IS NULL AS free FROM mass_call c JOIN outbox o ON (o.payload->>'call')::bigint = c.id
WHERE c.state = 'planned' AND o.kind = 'mass' AND o.state = 'parked' AND o.payload ? 'call' ORDER BY c.id
"""
_GIVEN_UP = "UPDATE mass_call SET state = 'parked', error = left($2, 300) WHERE id = $1 AND state = 'planned'"


async def settle(now: datetime) -> int:
    """Calls whose job was put aside are over too: what WeChat certainly has not goes another way. Gives how many."""
    lost = await fetch(_LOST)
    for row in lost:
        if row["free"]:
            await note_failed(row["id"], row["error"], now)
        else:
            await fetch(_GIVEN_UP, row["id"], row["error"])
    return len(lost)
