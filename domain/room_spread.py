"""What else an entry sets off once it is shown: each effect runs in the transaction that shows it.

That transaction holds the room's row lock. So an effect may insert rows (outbox jobs above all) and append entries to
the same room with `domain.room_entries.append`; what locks a case is left to an outbox job. An effect gives the entries
it appended: they spread in their turn.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from domain.relay_jobs import leave_for_groups, leave_relay
from domain.room_jobs import leave_jobs
from domain.room_words import Entry
from models.rooms import Room

Effect = Callable[[Entry, Room, datetime], Awaitable[Sequence[Entry]]]

EFFECTS: tuple[Effect, ...] = (leave_jobs, leave_relay, leave_for_groups)


async def spread(entry: Entry, room: Room, now: datetime) -> None:
    """Run every effect on an entry that was just given its number, and on what these append."""
    waiting = [entry]
    while waiting:
        one = waiting.pop(0)
        for effect in EFFECTS:
            waiting += await effect(one, room, now)
