"""What the grid's worker is shown of a likely report: kind, place, what may be the same matter, what belongs to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import nlp
from domain import room_entries
from domain.duplicates import Similar, open_like
from domain.people import Person, home_of_grid
from domain.places import known_as
from domain.previews import CHOICES, Choice
from domain.room_cases import Changes, Said, draft_of, workable
from domain.room_words import Entry
from domain.rooms import Member, sit
from errors import NotAllowed
from models.database import fetch
from models.enums import MessageKind

#: How far from a message in time, and how many messages, what belongs to it is looked for.
_NEAR = timedelta(minutes=10)
_MOST = 40
#: From this on a message agrees with the one before it, whatever else it says.
_AGREES = re.compile(
    r"^(?:对|是啊|是的|就是|确实|没错|同感|支持|顶|\+\s?1|＋１|加一|嗯|我们?家?也|我们?这也|俺家?也|也是|附议|太对)"
)
_SHORT = 30  # characters of one that only agrees


@dataclass(frozen=True, slots=True)
class Card:
    """A report as it would be made. `known_as`: what the place is called in the register; `choices`: the likeliest
    kinds; `similar`: open cases that may be the same; `more`: further messages of the same person that seem to belong
    to it; `agree`: neighbours who say so too; `case`: the number of what it has become."""

    entry: Entry
    likely: bool
    category: str
    subject: str
    place: str
    known_as: str
    urgent: bool
    confidence: float
    choices: Sequence[Choice]
    similar: Sequence[Similar]
    more: Sequence[Entry]
    agree: Sequence[Entry]

    @property
    def case(self) -> str:
        return self.entry.case_number


async def card(person: Person, message_id: int, now: datetime) -> Card:
    """The card of a message. Raises as `room_cases.to_case`."""
    member, entry = await workable(person, message_id)
    draft = await draft_of(Said(entry, member.room), Changes())
    seen, home = nlp.understand(entry.text), await home_of_grid(member.room.grid_id)
    around = await _around(entry)
    choices = [Choice(one.code, nlp.category(one.code).subject, round(one.confidence, 3)) for one in seen.alternatives]
    return Card(
        entry,
        bool(entry.hint) and not (entry.hint or {}).get("ignored"),
        draft.category,
        draft.subject,
        draft.place,
        known_as(draft.place, home) if draft.place else "",
        draft.urgent,
        round(seen.confidence, 3),
        choices[:CHOICES],
        await open_like(draft, home, now),
        [one for one in around if _belongs(one, entry)],
        [one for one in around if _agrees(one, entry)],
    )


_AROUND = """
SELECT id FROM room_message WHERE room_id = $1 AND id <> $2 AND at BETWEEN $3 AND $4 AND seq IS NOT NULL
    AND state = 'shown' AND case_id IS NULL AND kind IN ('text', 'image', 'voice', 'location')
    AND (sender = $5 OR sender LIKE 'resident:%')
ORDER BY abs(extract(epoch FROM at - $6)), id LIMIT $7
"""


async def _around(entry: Entry) -> list[Entry]:
    span = entry.at - _NEAR, entry.at + _NEAR
    rows = await fetch(_AROUND, entry.room_id, entry.id, *span, entry.by, entry.at, _MOST)
    return [await room_entries.read(row["id"]) for row in sorted(rows, key=lambda row: int(row["id"]))]


def _belongs(one: Entry, entry: Entry) -> bool:
    """Photos, recordings and places of the same person; words that answer it, or are no matter of their own."""
    if one.by != entry.by:
        return False
    return one.kind is not MessageKind.TEXT or one.reply_to == entry.id or one.hint is None


def _agrees(one: Entry, entry: Entry) -> bool:
    if one.by == entry.by or one.id < entry.id or one.kind is not MessageKind.TEXT or len(one.text) > _SHORT:
        return False
    return bool(_AGREES.match(one.text)) and one.reply_to in (None, entry.id)


_HINTS = """
SELECT id FROM room_message WHERE room_id = $1 AND hint IS NOT NULL AND case_id IS NULL AND NOT hint ? 'ignored'
    AND state NOT IN ('recalled', 'refused') AND ($2::bigint IS NULL OR id < $2)
ORDER BY id DESC LIMIT $3
"""


async def hints(person: Person, room_id: int, *, before: int | None = None, limit: int = 20) -> list[Entry]:
    """A room's likely reports that are no case yet and not dismissed, the newest first. Raises NotFound, NotAllowed."""
    await watcher(person, room_id)
    return [await room_entries.read(row["id"]) for row in await fetch(_HINTS, room_id, before, limit)]


async def watcher(person: Person, room_id: int) -> Member:
    """Somebody on duty in a room. Raises NotFound, NotAllowed for residents."""
    member = await sit(person, room_id)
    if not member.staff:
        raise NotAllowed(f"{member.who} watches no room", tag="room:watch", object_id=room_id)
    return member
