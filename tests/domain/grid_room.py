"""A grid's room as a test sees it: people talk in it, and the workers do what that leaves to be done."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.people import Person
from domain.room_messages import entries, post
from domain.room_questions import gather_questions
from domain.room_words import Entry
from models.rooms import Room
from tests.domain.neighbours import first_room, neighbour, officer, words
from tests.town import LI, WANG, Town

RUBBISH = "东门的垃圾桶又满了，苍蝇乱飞"
LAMP = "3栋2单元楼道灯坏了好几天了"
QUARREL = "楼上老是半夜吵架，我睡不着"
GAS = "3栋2单元楼道里有很浓的煤气味"


class Grid:
    """The first grid's room, with people in it and a worker process behind it."""

    def __init__(self, town: Town, room: Room, people: dict[str, Person]) -> None:
        self.town, self.room, self._people = town, room, people

    def __getattr__(self, name: str) -> Person:
        return self._people[name]

    @property
    def now(self) -> datetime:
        return self.town.clock()

    async def say(self, person: Person, text: str, **more: object) -> Entry:
        """Say it, and let the workers do what it leaves."""
        self.town.clock.advance(timedelta(seconds=1))
        entry = await post(person, self.room.id, words(text, f"{text}{self.now.isoformat()}"[:64], **more), self.now)
        await self.town.deliver()
        return entry

    async def read(self, person: Person | None = None) -> list[Entry]:
        return await entries(person or self.zhao, self.room.id, limit=100)

    async def answers(self, to: int | None = None) -> list[str]:
        """What the helper has said, in reply to a message."""
        found = [entry for entry in await self.read() if entry.by == "system" and entry.text]
        return [entry.text for entry in found if to is None or entry.reply_to == to]

    async def gather(self) -> int:
        """Let a scheduler look for what nobody has answered for a quarter of an hour, and deliver what it finds."""
        found = await gather_questions(self.now, timedelta(minutes=15))
        await self.town.deliver()
        return found


async def make_grid(town: Town) -> Grid:
    """Four neighbours, the grid's worker and the community's staff, whose phones can be reached."""
    await town.say(WANG, "待办")
    await town.say(LI, "待办")
    people = {name: await neighbour(name, town.clock()) for name in ("chen", "zhao", "sun", "qian")}
    people |= {"wang": await officer("G001"), "li": await officer("S001")}
    return Grid(town, await first_room(), people)
