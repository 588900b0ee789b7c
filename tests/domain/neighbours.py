"""People of the demo community as rooms know them, and what they say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain import rooms
from domain.people import Person, find_operator, find_person, join_grid
from domain.room_words import Words
from models.enums import MessageKind
from models.people import Area
from models.rooms import Room

FIRST, SECOND, FAR = "429906001001001", "429906001001002", "429906001002001"
"""Two grids of one community, and one of another."""


async def neighbour(name: str, now: datetime, grid: str = FIRST) -> Person:
    """A resident of a grid."""
    person = await find_person(f"o_neighbour_{name}", now)
    await join_grid(person, now, code=grid)
    return await find_person(person.openid, now)


async def officer(code: str) -> Person:
    """A member of staff by their number: G001 is the first grid's worker, S001 in the community, B021 at the police."""
    return await find_operator(code)


async def first_room(grid: str = FIRST) -> Room:
    """The room of a grid."""
    return await rooms.room_of_grid((await Area.get(code=grid)).id)


def words(text: str, client_id: str = "", kind: MessageKind = MessageKind.TEXT, **more: Any) -> Words:
    """A message named by its own text."""
    return Words(kind, text, client_id or text[:60], **more)
