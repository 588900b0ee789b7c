"""The demo community's rooms are alive before anybody has done anything, and loading it again changes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.demo import load_demo, settle_rooms
from app.demo_activities import settle_activities
from domain import room_messages
from domain.activities import list_activities
from domain.slots import free_slots
from models.enums import MessageKind
from models.people import Resident
from tests.api.abuse import rows
from tests.domain.neighbours import first_room, neighbour, officer
from tests.town import Clock

pytestmark = pytest.mark.usefixtures("orm")


async def test_a_newcomer_reads_what_neighbours_and_staff_said_today(clock: Clock):
    said = await settle_rooms(clock())
    entries = await room_messages.entries(await neighbour("new", clock()), (await first_room()).id)
    assert len(entries) == said
    assert [entry.kind for entry in entries].count(MessageKind.ANNOUNCEMENT) == 1
    assert {mark.label for entry in entries for mark in entry.badges} == {"社区", "网格员", "党员"}
    assert all(clock() - timedelta(hours=4) < entry.at < clock() for entry in entries)
    on_duty = await room_messages.entries(await officer("G001"), (await first_room()).id)
    assert [entry.hint["category"] for entry in on_duty if entry.hint] == ["lighting.corridor"]


async def test_loading_it_twice_changes_nothing(clock: Clock):
    await load_demo(simulator=True)
    await settle_rooms(clock())
    before = await rows()
    clock.advance(timedelta(days=1))
    await load_demo(simulator=True)
    assert await settle_rooms(clock()) == 0
    assert await rows() == before


async def test_a_community_that_has_talked_already_is_left_alone(clock: Clock):
    room = await first_room()
    await room_messages.append(room.id, MessageKind.SYSTEM, "欢迎", clock())
    assert await settle_rooms(clock()) == 0
    assert not await Resident.filter(nickname="楼上的老张").exists()


async def test_a_newcomer_finds_activities_of_the_coming_weeks_and_they_are_announced_once(clock: Clock):
    made = await settle_activities(clock())
    found = await list_activities(await neighbour("new", clock()), clock())
    assert (len(found), {one.kind_name for one in found}) == (made, {"活动", "课程", "志愿服务"})
    assert all(clock() + timedelta(days=1) < one.sessions[0].starts_at for one in found)
    assert {one.title: len(one.sessions) for one in found}["智能手机课"] == 3
    assert await free_slots(await neighbour("new", clock()), "lvshi", clock())
    assert await settle_activities(clock() + timedelta(days=30)) == 0
