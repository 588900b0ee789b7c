"""A resident in relay mode hands what they said in the room to the grid worker: a new case, or one known already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain import relay, room_entries
from domain.journal import audit
from domain.people import Person
from domain.room_cases import Said, claim
from domain.room_rules import open_or_join
from domain.rooms import is_me
from errors import Conflict, NotFound
from models.database import fetch, transaction
from models.enums import MessageState
from models.rooms import Room

_ANSWER = """
SELECT id, text FROM room_message WHERE room_id = $1 AND reply_to = $2 AND kind = 'case' AND case_id = $3
ORDER BY id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class HandedIn:
    """The case it became or joined, and what the room reads of it."""

    number: str
    text: str


async def hand_in(person: Person, message_id: int, now: datetime, source: str = "") -> HandedIn:
    """Make a case of what this person said in a room, or let it join the one that is known. Raises NotFound for what is
    not theirs, Conflict for what is a case already or is not shown any more."""
    async with transaction():
        if await claim(message_id) is not None:
            raise Conflict("a case already", say="这件事已经交给网格员了，群里有编号。")
        entry = await room_entries.read(message_id)
        if not is_me(person, entry.by):
            raise NotFound(f"message {message_id}", tag="room_message:hand_in", object_id=message_id)
        if entry.state is not MessageState.SHOWN:
            raise Conflict("not shown", say="这条消息已经不在群里了。请再说一次是什么事。")
        filed = await open_or_join(Said(entry, await Room.get(id=entry.room_id)), now)
        await audit(person.actor, "room_message:hand_in", message_id, now, source=source)
        [answer] = await fetch(_ANSWER, entry.room_id, entry.id, filed.case.id)
        await relay.number_lines(person.openid, [answer["id"]], now)  # they read it here: it need not be told again
    return HandedIn(filed.case.number, answer["text"])
