"""Lines told in chats: numbered for their reader, once each, however many workers tell them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from domain import reach, relay, rooms
from domain.people import Person, find_person
from domain.room_messages import post
from domain.room_words import Words
from models.database import from_json
from models.enums import MessageKind, OutboxKind
from models.messaging import Outbox
from models.rooms import RelayLine, RoomSeat
from tests.domain.neighbours import first_room, neighbour, officer, words
from tests.town import Clock

pytestmark = pytest.mark.usefixtures("orm")


async def in_relay_mode(name: str, clock: Clock) -> Person:
    """A resident of the first grid who reads the room in their chat."""
    person, room = await neighbour(name, clock()), await first_room()
    await rooms.seats(room.id, [person.actor])
    await RoomSeat.filter(who=person.actor).update(relay_since=clock())
    return person


async def answers(to: Person, count: int, clock: Clock) -> list[int]:
    """So many answers to one message of somebody."""
    room, other = await first_room(), await neighbour("other", clock())
    asked = (await post(to, room.id, words("晚上跳舞吗", uuid4().hex), clock())).id
    said = [Words(MessageKind.TEXT, f"第 {number} 答", uuid4().hex, asked) for number in range(count)]
    return [(await post(other, room.id, one, clock())).id for one in said]


async def lines_of(person: Person) -> list[int]:
    """Numbers in the notices that wait for somebody."""
    jobs = await Outbox.filter(kind=OutboxKind.NOTICE, recipient=person.openid).order_by("id")
    return [line["number"] for job in jobs for line in from_json(job.payload)["relay"]]


async def test_many_workers_tell_each_line_once_under_numbers_of_its_own(clock: Clock):
    chen = await in_relay_mode("chen", clock)
    messages = await answers(chen, 12, clock)
    told = await asyncio.gather(*(relay.tell(message, clock()) for message in messages * 3), return_exceptions=True)
    assert sum(one for one in told if isinstance(one, int)) == 12
    assert sorted(await lines_of(chen)) == list(range(11, 23))
    assert await Outbox.filter(kind=OutboxKind.NOTICE).count() == 1


async def test_after_99_numbers_begin_at_11_again_and_mean_the_newest_line(clock: Clock):
    chen = await in_relay_mode("chen", clock)
    messages = await answers(chen, 95, clock)
    for message in messages:
        await relay.tell(message, clock())
    numbers = await lines_of(chen)
    assert numbers == [*range(11, 100), *range(11, 17)]
    assert await relay.message_of(chen.openid, 11) == messages[89]
    assert await relay.message_of(chen.openid, 99) == messages[88]


async def test_numbers_mean_nothing_to_others_or_after_two_weeks(clock: Clock):
    chen = await in_relay_mode("chen", clock)
    [message] = await answers(chen, 1, clock)
    await relay.tell(message, clock())
    assert await relay.message_of(chen.openid, 11) == message
    assert await relay.message_of("o_stranger", 11) is None
    clock.advance(timedelta(days=15))
    assert await relay.forget_lines(clock()) == 1
    assert await relay.message_of(chen.openid, 11) is None


async def test_an_announcement_is_told_to_everybody_in_relay_mode_and_to_nobody_else(clock: Clock):
    inside = [await in_relay_mode(name, clock) for name in ("chen", "zhao", "qian")]
    await neighbour("outside", clock())
    moved = await in_relay_mode("moved", clock)
    await neighbour("moved", clock(), "429906001001002")
    notice = Words(MessageKind.ANNOUNCEMENT, "今晚停水", "a1")
    entry = await post(await officer("S001"), (await first_room()).id, notice, clock())
    assert await relay.tell(entry.id, clock()) == 3
    recipients = set(await Outbox.filter(kind=OutboxKind.NOTICE).values_list("recipient", flat=True))
    assert recipients == {person.openid for person in inside}
    assert moved.openid not in recipients


async def test_what_is_only_for_the_mini_program_makes_no_notice(clock: Clock):
    chen = await in_relay_mode("chen", clock)
    mini = await find_person("mini:o_only", clock())
    await rooms.seats((await first_room()).id, [f"resident:{mini.resident_id}"])
    await RoomSeat.filter(who=f"resident:{mini.resident_id}").update(relay_since=clock())
    [message] = await answers(chen, 1, clock)
    await relay.tell(message, clock())
    assert await RelayLine.filter(openid=chen.openid).count() == 1
    assert await RelayLine.all().count() == 1


async def test_without_anything_to_count_by_a_notice_goes_out(clock: Clock):
    found = await reach.reach_of("o_somebody", clock())
    assert (found.way, found.left) == (reach.Way.NOTICE, 0)
    assert (await reach.reach_of("contact:abc", clock())).way is reach.Way.NONE
    assert (await reach.reach_of("", clock())).way is reach.Way.NONE
