"""Many talk at once through several processes: no number is missing, none is given twice, nothing is said twice."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE

from domain import bell, room_messages
from domain.rooms import room_of_grid
from models.database import database, transaction
from models.rooms import Room, RoomMessage, RoomSeat
from tests.domain.crowd import EACH
from tests.domain.neighbours import first_room, neighbour, words
from tests.town import Clock


class Rung:
    """A bell that remembers which rooms it was rung for."""

    def __init__(self) -> None:
        self.rooms: list[int] = []

    def ring(self, room_id: int) -> None:
        self.rooms.append(room_id)

    def read(self, room_id: int, who: str, seq: int) -> None:
        self.rooms.append(-room_id)


async def crowd(url: str, names: list[str]) -> str:
    """Let these neighbours talk, in a process of their own; gives what it printed."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.domain.crowd", url, *names, stdout=PIPE)
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return printed.decode().strip()


async def test_five_hundred_messages_of_twenty_people_through_two_processes_have_the_numbers_one_to_five_hundred(
    database_url: str, clock: Clock
):
    names = [f"{number}" for number in range(20)]
    printed = await asyncio.gather(crowd(database_url, names[:10]), crowd(database_url, names[10:]))
    async with database(database_url, 4):
        room = await first_room()
        messages = await RoomMessage.filter(room_id=room.id).order_by("seq")
        said = [message for message in messages if message.client_id not in ("hello", "one")]
        assert [message.seq for message in messages] == list(range(1, 503))
        assert len(said) == len({(message.sender, message.client_id) for message in said}) == 20 * EACH == 500
        assert printed[0] == printed[1] == str(next(message.id for message in messages if message.client_id == "one"))
        assert (await Room.get(id=room.id)).last_seq == 502
        assert await RoomSeat.filter(room_id=room.id).count() == 21
        for sender in {message.sender for message in said}:
            own = [message.text for message in said if message.sender == sender]
            assert own == [str(number) for number in range(EACH)], "each person's words keep their order"


async def test_who_reads_number_after_number_while_others_talk_misses_nothing(orm: None, clock: Clock):
    people = [await neighbour(f"{number}", clock()) for number in range(5)]
    room, read = await first_room(), []

    async def talk(number: int) -> None:
        for turn in range(10):
            await room_messages.post(people[number], room.id, words(f"{turn}", f"{number}-{turn}"), clock())

    async def follow() -> None:
        while len(read) < 50:
            last = read[-1] if read else 0
            read.extend([entry.seq for entry in await room_messages.entries_for_hub(room.id, last)])

    await asyncio.gather(follow(), *[talk(number) for number in range(5)])
    assert read == list(range(1, 51))


async def test_a_room_asked_for_at_once_by_many_is_made_once(orm: None, clock: Clock):
    grid_id = (await neighbour("chen", clock())).home.grid_id  # type: ignore[union-attr]
    made = await asyncio.gather(*[room_of_grid(grid_id) for _ in range(8)])
    assert len({room.id for room in made}) == await Room.all().count() == 1


async def test_what_is_rolled_back_leaves_its_number_to_the_next_and_rings_nobody(orm: None, clock: Clock):
    chen, room, rung = await neighbour("chen", clock()), await first_room(), Rung()
    with bell.use(rung):
        try:
            async with transaction():
                await room_messages.post(chen, room.id, words("说了一半"), clock())
                raise InterruptedError
        except InterruptedError:
            pass
        assert rung.rooms == []
        entry = await room_messages.post(chen, room.id, words("说完了"), clock())
    assert (entry.seq, rung.rooms) == (1, [room.id])
