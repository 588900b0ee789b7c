"""One person's part of a broadcast: how it was handed over, whether they have read it, who must be told at the door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from domain import broadcast_notices, room_messages
from domain.audiences import Audience, check_audience
from domain.broadcasts import officer
from domain.journal import audit, is_platform
from domain.people import Person, ancestors, post_of
from errors import Conflict, NotFound
from models.broadcasts import Broadcast, BroadcastRun, Delivery, MassCall
from models.database import fetch, to_json, transaction
from models.enums import Channel, DeliveryState, MessageKind, OutboxKind

_FEWEST = 2  # people of one mass send (wechat.md §5)


async def audience_of(broadcast: Broadcast) -> Audience:
    """Its audience, read."""
    return await check_audience(broadcast.audience, broadcast.area_id, event=broadcast.event, in_use=False)


_QUEUED = "UPDATE delivery SET state = 'queued' WHERE id = $1"


async def announce(broadcast: Broadcast, run: BroadcastRun, delivery_id: int, room_id: int, now: datetime) -> None:
    """Put it into a room, as its author's announcement; once, however often it is tried. In a transaction."""
    author = await post_of(broadcast.author_id)
    await room_messages.append(
        room_id,
        MessageKind.ANNOUNCEMENT,
        broadcast_notices.full_text(broadcast),
        now,
        sender=f"staff:{broadcast.author_id}",
        author=author.label if author else "社区",
        client_id=f"broadcast:{run.id}",
    )
    await fetch(_QUEUED, delivery_id)


_SKIP = """
UPDATE delivery d SET state = 'skipped', reason = s.reason
FROM jsonb_to_recordset($1::jsonb) AS s(id bigint, reason text) WHERE d.id = s.id
"""
_BY_HAND = "UPDATE delivery SET state = 'by_hand' WHERE id = ANY ($1::bigint[])"


async def skip(rows: Sequence[Mapping[str, Any]]) -> None:
    """Those who are not to be told after all, with the reason."""
    if rows:
        await fetch(_SKIP, to_json([{"id": row["id"], "reason": row["skip"]} for row in rows]))


async def leave_by_hand(ids: Sequence[int]) -> None:
    """No WeChat reaches them: they are on the grid worker's list."""
    if ids:
        await fetch(_BY_HAND, list(ids))


_BY_NOTICE = """
WITH jobs AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS j(delivery bigint, recipient text, payload jsonb)
), put AS (
    INSERT INTO outbox (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error,
        created_at, quiet)
    SELECT 'notice', 'pending', recipient, payload, 0, 0, $2, '', '', 0, '', $2, false FROM jobs ORDER BY delivery
    RETURNING id, (payload->>'delivery')::bigint AS delivery
)
UPDATE delivery d SET state = 'queued', outbox_id = put.id, mass_call_id = NULL FROM put WHERE d.id = put.delivery
"""


async def by_notice(broadcast: Broadcast, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Hand one person's notice each to the outbox; rows have `id`, `openid` and perhaps `about`. In a transaction."""
    jobs = [
        {
            "delivery": row["id"],
            "recipient": row["openid"],
            "payload": broadcast_notices.told(broadcast, row["id"], row.get("about") or "", now),
        }
        for row in rows
    ]
    if jobs:
        await fetch(_BY_NOTICE, to_json(jobs), now)


_MASS = """
INSERT INTO outbox (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at, quiet)
VALUES ($1, 'pending', 'mass', $2::jsonb, 0, 0, $3, '', '', 0, '', $3, false)
"""
_IN_CALL = "UPDATE delivery SET state = 'queued', mass_call_id = $2 WHERE id = ANY ($1::bigint[])"


async def by_mass(run: BroadcastRun, rows: Sequence[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """Put these people into one mass send; gives those whom it cannot take and who get a notice instead, where the
    broadcast has that way too. Who has neither is left to the grid worker. In a transaction."""
    able = [row for row in rows if not row["about"] and not _has_no_chat(row)]
    chosen = able if len(able) >= _FEWEST else []
    if chosen:
        call = await MassCall.create(run_id=run.id, client_id=uuid4().hex, people=len(chosen))
        await fetch(_IN_CALL, [row["id"] for row in chosen], call.id)
        await fetch(_MASS, OutboxKind.MASS, to_json({"call": call.id}), now)
    taken = {row["id"] for row in chosen}
    rest = [row for row in rows if row["id"] not in taken]
    if Channel.NOTICE in run.broadcast.channels:
        return rest
    await leave_by_hand([row["id"] for row in rest])
    return []


def _has_no_chat(row: Mapping[str, Any]) -> bool:
    """Known from the mini-program alone, or no person."""
    return ":" in row["openid"] or is_platform(row["openid"])


@dataclass(frozen=True, slots=True)
class Received:
    """A broadcast as one of its readers sees it."""

    id: int
    broadcast_id: int
    title: str
    text: str
    link: str
    topic: str
    item_code: str
    at: datetime
    read_at: datetime | None


_MINE = """
SELECT d.id, d.broadcast_id, b.title, b.text, b.link, b.topic, coalesce(i.code, '') AS item_code,
    coalesce(o.created_at, c.called_at, r.started_at, b.created_at) AS at, d.read_at
FROM delivery d JOIN broadcast b ON b.id = d.broadcast_id JOIN broadcast_run r ON r.id = d.run_id
LEFT JOIN service_item i ON i.id = b.item_id LEFT JOIN outbox o ON o.id = d.outbox_id
LEFT JOIN mass_call c ON c.id = d.mass_call_id
WHERE (d.resident_id = $1 OR d.recipient = $2) AND d.state IN ('queued', 'by_hand', 'told')
    AND ($3::bigint = 0 OR d.id < $3) AND ($4::bigint = 0 OR d.id = $4)
ORDER BY d.id DESC LIMIT $5
"""


async def received(person: Person, *, before: int = 0, limit: int = 20) -> list[Received]:
    """What this person was told by broadcasts, the newest first."""
    return await _mine(person, before, 0, limit)


async def _mine(person: Person, before: int, one: int, limit: int) -> list[Received]:
    staff = person.post.actor if person.post else ""
    rows = await fetch(_MINE, person.resident_id or None, staff, before, one, limit)
    return [Received(**row) for row in rows]


_READ = "UPDATE delivery SET read_at = $2 WHERE id = $1 AND read_at IS NULL"


async def read(person: Person, delivery_id: int, now: datetime) -> Received:
    """Open one: from now on it counts as read. Raises NotFound for what was told to others."""
    async with transaction():
        found = await _mine(person, 0, delivery_id, 1)
        if not found:
            raise _none(delivery_id, "read")
        await fetch(_READ, delivery_id, now)
        return (await _mine(person, 0, delivery_id, 1))[0]


def _none(delivery_id: int, verb: str) -> NotFound:
    return NotFound(f"delivery {delivery_id}", tag=f"delivery:{verb}", object_id=delivery_id)


async def tell(person: Person, delivery_id: int, now: datetime, source: str = "") -> Delivery:
    """Note that staff told somebody at the door or by telephone. Raises NotFound for who does not answer for their
    grid, Conflict where there is nothing to tell."""
    async with transaction():
        delivery = await Delivery.filter(id=delivery_id).select_for_update().get_or_none()
        post = person.post and officer(person, "tell", delivery_id)
        if delivery is None or delivery.grid_id is None or not post:
            raise _none(delivery_id, "tell")
        if post.area_id not in await ancestors(delivery.grid_id):
            raise _none(delivery_id, "tell")
        if delivery.state in (DeliveryState.LISTED, DeliveryState.SKIPPED):
            raise Conflict(
                f"{delivery.state}", say="这一条还没发出，或不用告知。", tag="delivery:tell", object_id=delivery_id
            )
        if delivery.state is not DeliveryState.TOLD:
            delivery.state, delivery.read_at = DeliveryState.TOLD, delivery.read_at or now
            await delivery.save(update_fields=["state", "read_at"])
            await audit(person.actor, "delivery:tell", delivery_id, now, source=source)
    return delivery


# What waits in the outbox and nobody has taken, and what was never handed over. A template whose last call may have
# reached WeChat (called_at) is left to end by itself.
_BACK = """
WITH held AS (
    SELECT d.id, d.outbox_id FROM delivery d JOIN outbox o ON o.id = d.outbox_id
    WHERE d.broadcast_id = $1 AND d.state = 'queued' AND o.state = 'pending' ORDER BY d.id FOR NO KEY UPDATE OF d
), gone AS (
    DELETE FROM outbox o USING held
    WHERE o.id = held.outbox_id AND o.state = 'pending' AND o.finished_at IS NULL AND o.called_at IS NULL
    RETURNING held.id
)
UPDATE delivery d SET state = $2, reason = $3, outbox_id = NULL FROM gone WHERE d.id = gone.id
"""
_CALLS_BACK = """
WITH gone AS (
    DELETE FROM outbox o USING mass_call c, broadcast_run r
    WHERE r.broadcast_id = $1 AND c.run_id = r.id AND c.state = 'planned' AND o.kind = 'mass' AND o.state = 'pending'
        AND o.finished_at IS NULL AND o.attempt = 0 AND c.called_at IS NULL AND (o.payload->>'call')::bigint = c.id
    RETURNING c.id
), left_out AS (
    UPDATE delivery d SET state = $2, reason = $3, mass_call_id = NULL FROM gone WHERE d.mass_call_id = gone.id
)
UPDATE mass_call c SET state = 'withdrawn' FROM gone WHERE c.id = gone.id
"""
_FROM_THE_START = "UPDATE broadcast_run SET queued_to = 0 WHERE broadcast_id = $1 AND state = 'sending'"
_STAYS_BACK = "UPDATE delivery SET state = 'skipped', reason = $2 WHERE broadcast_id = $1 AND state = 'listed'"
_CANCELLED = "已取消"


async def take_back(broadcast_id: int) -> None:
    """What no worker has taken yet is not sent; it may be handed over again. In a transaction."""
    await _take_back(broadcast_id, DeliveryState.LISTED, "")


async def _take_back(broadcast_id: int, state: DeliveryState, reason: str) -> None:
    """Each delivery is changed once: a second change would look for its person, whom somebody may hold who waits for
    the delivery."""
    await fetch(_BACK, broadcast_id, state, reason)
    await fetch(_CALLS_BACK, broadcast_id, state, reason)
    await fetch(_FROM_THE_START, broadcast_id)


async def give_up(broadcast_id: int) -> None:
    """What was taken back, or never handed over, stays back for good. In a transaction."""
    await fetch(_STAYS_BACK, broadcast_id, _CANCELLED)
    await _take_back(broadcast_id, DeliveryState.SKIPPED, _CANCELLED)
