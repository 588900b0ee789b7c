"""Whom a change may concern: those who may have it on a list, and as few others as can be."""

from __future__ import annotations

from datetime import timedelta

from domain.bookings import book
from domain.changes import Change, Trail, rooms_changed, viewer_of
from domain.people import find_person
from tests.domain.counter import make_plan, make_slot
from tests.domain.neighbours import first_room, officer
from tests.town import CHEN, Town

#: The grid's worker, the next grid's, the community, the street, another community, the police.
CODES = ("G001", "G002", "S001", "J001", "S002", "B021")


async def concerned(changes: list[Change]) -> set[str]:
    """Whom of these people any of the changes concerns."""
    posts = {code: (await officer(code)).post for code in CODES}
    viewers = {code: await viewer_of(post) for code, post in posts.items() if post}
    return {code for code, viewer in viewers.items() if any(one.concerns(viewer) for one in changes)}


async def test_a_case_concerns_its_grid_those_above_and_who_was_given_it(town: Town):
    trail = Trail()
    await town.say(CHEN, "楼道灯坏了")
    assert list(await trail.look()) == []  # what was before is no news
    for words in ("3栋2单元楼道灯坏了好几天了，晚上看不见", "1"):
        await town.say(CHEN, words)
    changes = list(await trail.look())
    assert [one.what for one in changes] == ["case"]
    assert await concerned(changes) == {"G001", "S001", "J001"}
    assert list(await trail.look()) == []


async def test_a_booking_concerns_the_counter_and_the_worker_of_who_comes(town: Town):
    slot = await make_slot(await make_plan("hall"), town.clock() + timedelta(hours=2))
    chen, trail = await find_person(CHEN, town.clock()), Trail()
    await trail.look()
    await book(chen, slot.id, town.clock())
    assert await concerned(list(await trail.look())) == {"G001", "S001", "J001"}


async def test_a_room_concerns_who_is_on_duty_above_it(town: Town):
    assert await concerned(list(await rooms_changed([(await first_room()).id]))) == {"G001", "S001", "J001", "B021"}
