"""What a desk shows beside a broadcast: areas and life events to choose from, and what this person may do with it now.

What somebody may do is only offered here; whether it may be done is decided again when they do it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.audiences import fact_kinds
from domain.broadcasts import Broadcast, BroadcastState, officer
from domain.life_dates import Event
from domain.people import Person, Post
from models.database import fetch

#: Areas offered at once; of a city's thousands only the upper ones are.
MOST_AREAS = 300
MOST_EVENTS = 100


@dataclass(frozen=True, slots=True)
class Place:
    """An area of the officer's own, so many steps below theirs."""

    id: int
    code: str
    name: str
    depth: int


@dataclass(frozen=True, slots=True)
class Places:
    """In the order of the map's tree. `more`: those further down were left out."""

    all: Sequence[Place]
    more: bool = False


_AREAS = """
WITH RECURSIVE down AS (
    SELECT id, code, name, 0 AS depth, ARRAY[code::text] AS path FROM area WHERE id = $1
    UNION ALL SELECT a.id, a.code, a.name, down.depth + 1, down.path || a.code::text
    FROM area a JOIN down ON a.parent_id = down.id
)
SELECT id, code, name, depth, path FROM down ORDER BY depth, path LIMIT $2
"""


_AREA = "SELECT id, code, name FROM area WHERE id = $1"


async def places(post: Post, most: int = MOST_AREAS, also: int = 0) -> Places:
    """The officer's own area and those below it; where they are too many, the lowest level shown is shown whole.
    `also`: one that is chosen already and must not be missing, however far down it lies."""
    rows = await fetch(_AREAS, post.area_id, most + 1)
    more = len(rows) > most
    if more:
        lowest = max(1, rows[-1]["depth"])
        rows = [row for row in rows if row["depth"] < lowest]
    rows.sort(key=lambda row: row["path"])
    found = [Place(row["id"], row["code"], row["name"], row["depth"]) for row in rows]
    if also and also not in {place.id for place in found}:
        found += [Place(row["id"], row["code"], row["name"], 1) for row in await fetch(_AREA, also)]
    return Places(found, more)


_UNDER = {
    BroadcastState.APPROVED: {"pause"},
    BroadcastState.PAUSED: {"resume"},
}
_ENDED = (BroadcastState.DONE, BroadcastState.CANCELLED)


def steps(post: Post, broadcast: Broadcast) -> frozenset[str]:
    """What this officer may do with it now: change, hand_in, decide, pause, resume, cancel."""
    own = broadcast.author_id == post.id
    found = set[str]()
    if own and broadcast.state not in _ENDED:
        found.add("change")
    if own and broadcast.state is BroadcastState.DRAFT:
        found.add("hand_in")
    if post.dispatches and not own and broadcast.state is BroadcastState.WAITING:
        found.add("decide")
    if post.dispatches or own:
        found |= _UNDER.get(broadcast.state, set())
        found |= {"cancel"} if broadcast.state not in (*_ENDED, BroadcastState.REFUSED) else set()
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class LifeEvent:
    """A reminder that looks every day whom it concerns; `words`: on which day of their lives."""

    broadcast: Broadcast
    words: str


_EVENTS = """
WITH RECURSIVE down AS (
    SELECT id FROM area WHERE id = $1 UNION ALL SELECT a.id FROM area a JOIN down ON a.parent_id = down.id
)
SELECT b.id FROM broadcast b JOIN down ON down.id = b.area_id WHERE b.event IS NOT NULL ORDER BY b.id LIMIT $2
"""


async def life_events(person: Person) -> list[LifeEvent]:
    """The reminders of life events in this officer's area and below. Raises NotAllowed."""
    post = officer(person, "list")
    ids = [row["id"] for row in await fetch(_EVENTS, post.area_id, MOST_EVENTS)]
    kinds = await fact_kinds(in_use=False)
    found = await Broadcast.filter(id__in=ids).order_by("id")
    return [LifeEvent(one, Event.read(one.event).said(kinds)) for one in found if one.event]
