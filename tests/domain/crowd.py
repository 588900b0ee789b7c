"""Neighbours who talk all at once, in a process of their own: `python -m tests.domain.crowd URL NAME...`.

Each named neighbour of the first grid says 25 things; then 阿姨 says hello, and one thing as often as there are names,
all at once under one client_id. Prints the ids of the entries that one message became.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime

import nlp
from domain.people import Person
from domain.room_messages import post
from models.database import database
from tests.domain.neighbours import first_room, neighbour, words

EACH = 25
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


async def talk(person: Person, room_id: int) -> None:
    for number in range(EACH):
        await post(person, room_id, words(f"{number}", f"{person.resident_id}-{number}"), NOW)


async def main(url: str, names: list[str]) -> None:
    nlp.prepare()
    async with database(url, 12):
        people = [await neighbour(name, NOW) for name in names]
        room = await first_room()
        await asyncio.gather(*[talk(person, room.id) for person in people])
        aunt = await neighbour("阿姨", NOW)
        await post(aunt, room.id, words("您好", "hello"), NOW)
        sent = await asyncio.gather(*[post(aunt, room.id, words("有人在吗", "one"), NOW) for _ in names])
        print(*{entry.id for entry in sent})


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
