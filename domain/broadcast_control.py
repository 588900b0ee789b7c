"""Stopping, going on and giving up: by a broadcast's author, or by whoever may approve it."""

from __future__ import annotations

from datetime import datetime

from domain import deliveries
from domain.broadcast_calendar import next_moment
from domain.broadcasts import STATE_NAMES, locked, officer
from domain.journal import audit
from domain.people import Person
from domain.worktime import load_calendar
from errors import Conflict, NotAllowed
from models.broadcasts import Broadcast
from models.database import fetch, transaction
from models.enums import BroadcastState, RunState

_OPEN = (BroadcastState.DRAFT, BroadcastState.WAITING, BroadcastState.APPROVED, BroadcastState.PAUSED)


async def pause(person: Person, broadcast_id: int, why: str, now: datetime, source: str = "") -> Broadcast:
    """Send no more for the moment; what no worker has in its hands yet stays back. Raises NotFound, NotAllowed,
    Conflict."""
    async with transaction():
        broadcast = await _to_control(person, broadcast_id, "pause", (BroadcastState.APPROVED,))
        await deliveries.take_back(broadcast_id)
        broadcast.state, broadcast.why = BroadcastState.PAUSED, " ".join(why.split())[:200]
        await broadcast.save(update_fields=["state", "why"])
        await audit(person.actor, "broadcast:pause", broadcast_id, now, source=source)
    return broadcast


_BEGUN = "SELECT 1 FROM broadcast_run WHERE broadcast_id = $1 LIMIT 1"
_UNDER_WAY = (
    "SELECT 1 FROM broadcast_run WHERE broadcast_id = $1 AND state IN ('planned', 'listing', 'sending') LIMIT 1"
)


async def resume(person: Person, broadcast_id: int, now: datetime, source: str = "") -> Broadcast:
    """Go on where it was stopped. Times of the calendar that passed meanwhile are left out. Raises as `pause`."""
    async with transaction():
        broadcast = await _to_control(person, broadcast_id, "resume", (BroadcastState.PAUSED,))
        begun = bool(await fetch(_BEGUN, broadcast_id))
        broadcast.next_at = next_moment(broadcast.calendar, now, await load_calendar(), first=not begun)
        over = broadcast.next_at is None and not await fetch(_UNDER_WAY, broadcast_id)
        broadcast.state, broadcast.why = BroadcastState.DONE if over else BroadcastState.APPROVED, ""
        await broadcast.save(update_fields=["state", "why", "next_at"])
        await audit(person.actor, "broadcast:resume", broadcast_id, now, source=source)
    return broadcast


_RUNS_END = """
UPDATE broadcast_run SET state = $2, ended_at = $3
WHERE broadcast_id = $1 AND state IN ('planned', 'listing', 'sending')
"""


async def cancel(person: Person, broadcast_id: int, why: str, now: datetime, source: str = "") -> Broadcast:
    """Give it up for good. Who has it already keeps it. Raises as `pause`."""
    async with transaction():
        broadcast = await _to_control(person, broadcast_id, "cancel", _OPEN)
        await deliveries.give_up(broadcast_id)
        await fetch(_RUNS_END, broadcast_id, RunState.CANCELLED, now)
        broadcast.state, broadcast.why, broadcast.next_at = BroadcastState.CANCELLED, " ".join(why.split())[:200], None
        await broadcast.save(update_fields=["state", "why", "next_at"])
        await audit(person.actor, "broadcast:cancel", broadcast_id, now, source=source)
    return broadcast


async def _to_control(person: Person, broadcast_id: int, verb: str, states: tuple[BroadcastState, ...]) -> Broadcast:
    post = officer(person, verb, broadcast_id)
    broadcast = await locked(person, broadcast_id, verb)
    if not post.dispatches and broadcast.author_id != post.id:
        raise NotAllowed(
            f"{person.actor} may not {verb}",
            say="这条通知由写的人或社区来管。",
            tag=f"broadcast:{verb}",
            object_id=broadcast_id,
        )
    if broadcast.state not in states:
        raise Conflict(
            f"{verb} from {broadcast.state}",
            say=f"这条通知{STATE_NAMES[broadcast.state]}，这一步现在做不了。",
            tag=f"broadcast:{verb}",
            object_id=broadcast_id,
        )
    return broadcast
