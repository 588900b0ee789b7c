"""网格群: who sits in a room, what they read of it, and that its numbers are the whole story."""

from __future__ import annotations

import pytest

from domain import room_messages, rooms
from domain.people import Person, find_person, join_grid, list_grids
from domain.room_words import Words
from models.enums import MessageKind
from models.rooms import Room
from tests.town import CHEN, WANG, Clock

pytestmark = pytest.mark.usefixtures("orm")


async def somebody(openid: str, clock: Clock, grid: int = 0) -> Person:
    """A resident of the n-th grid of the demo community, made when they are new."""
    person = await find_person(openid, clock())
    if person.home is None and person.post is None:
        await join_grid(person, clock(), grid_id=(await list_grids())[grid].id)
    return await find_person(openid, clock())


async def room_of(person: Person) -> Room:
    assert person.home
    return await rooms.room_of_grid(person.home.grid_id)


def words(text: str, client_id: str = "", kind: MessageKind = MessageKind.TEXT, **more: object) -> Words:
    return Words(kind, text, client_id or text[:60], **more)  # type: ignore[arg-type]


async def test_neighbours_and_their_grid_worker_read_one_another_in_order(clock: Clock):
    chen, neighbour, wang = [await somebody(who, clock) for who in (CHEN, "o_neighbour", WANG)]
    room = await room_of(chen)
    await room_messages.post(chen, room.id, words("东门的垃圾又满了"), clock())
    await room_messages.post(neighbour, room.id, words("对，都招苍蝇了"), clock())
    await room_messages.post(wang, room.id, words("我下午去看看"), clock())
    read = await room_messages.entries(neighbour, room.id)
    assert [(entry.seq, entry.text) for entry in read] == [
        (1, "东门的垃圾又满了"),
        (2, "对，都招苍蝇了"),
        (3, "我下午去看看"),
    ]
    assert read[2].author == "网格员王芳"
    assert [(entry.staff, [mark.label for mark in entry.badges]) for entry in read] == [
        (False, []),
        (False, []),
        (True, ["网格员"]),
    ]
