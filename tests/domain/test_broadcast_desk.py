"""What the desk offers for broadcasts and surveys is what may be done: areas, steps, life events, who is asked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.demo import settle_homes
from domain import broadcast_control, broadcasts, survey_desk, surveys
from domain.broadcast_desk import life_events, places, steps
from domain.broadcasts import Draft
from domain.people import Person, Post
from domain.surveys import Plan
from errors import NotAllowed
from models.enums import SurveyKind
from tests.domain.neighbours import FIRST, officer
from tests.town import Clock

WATER = Draft("停水", "请先接好水。", {"area": [FIRST]})


def post_of(person: Person) -> Post:
    """Whose post it is."""
    assert person.post
    return person.post


async def test_areas_are_ones_own_and_those_below_and_where_they_are_too_many_the_upper_ones(
    orm: None, clock: Clock
) -> None:
    street = post_of(await officer("J001"))
    everything = await places(street)
    depths = [place.depth for place in everything.all]
    assert (depths[0], max(depths), everything.more) == (0, 2, False)
    grid = next(place for place in everything.all if place.code == FIRST)
    above = everything.all[: everything.all.index(grid)]
    assert FIRST.startswith([place.code for place in above if place.depth == grid.depth - 1][-1])
    upper = await places(street, len(depths) - 1)
    assert ({place.depth for place in upper.all}, upper.more) == ({0, 1}, True)
    chosen = await places(street, len(depths) - 1, also=grid.id)
    assert [place.code for place in chosen.all] == [*(place.code for place in upper.all), FIRST]
    assert [place.code for place in (await places(post_of(await officer("G001")))).all] == [FIRST]


async def test_each_step_is_offered_to_whom_it_is_open_and_in_its_state(orm: None, clock: Clock) -> None:
    author, other, worker, now = await officer("S001"), await officer("J001"), await officer("G001"), clock()
    written = await broadcasts.create(author, WATER, now)
    assert steps(post_of(author), written) == {"change", "hand_in", "cancel"}
    assert steps(post_of(worker), written) == set()
    written = await broadcasts.hand_in(author, written.id, 1, now)
    assert steps(post_of(author), written) == {"change", "cancel"}
    assert steps(post_of(other), written) == {"decide", "cancel"}
    written = await broadcasts.approve(other, written.id, 1, now)
    assert steps(post_of(other), written) == {"pause", "cancel"}
    written = await broadcast_control.pause(other, written.id, "", now)
    assert steps(post_of(author), written) == {"change", "resume", "cancel"}
    written = await broadcast_control.cancel(author, written.id, "", now)
    assert steps(post_of(author), written) == set()


async def test_life_events_say_their_day_and_notices_are_not_among_them(orm: None, clock: Clock) -> None:
    await settle_homes(clock())
    author = await officer("S001")
    notice = await broadcasts.create(author, WATER, clock())
    found = await life_events(author)
    assert found[0].words == "满 80 岁，提前 30 天"
    assert notice.id not in [one.broadcast.id for one in found]
    with pytest.raises(NotAllowed):
        await life_events(await officer("B021"))


async def test_the_steps_of_a_survey_follow_its_state_and_say_how_many_it_asks(orm: None, clock: Clock) -> None:
    await settle_homes(clock())
    author, other, worker, now = await officer("S001"), await officer("J001"), await officer("G001"), clock()
    question = {"text": "同意吗？", "type": "yes_no"}
    plan = Plan(SurveyKind.VOTE, "快递柜", [question], post_of(author).area_id, now, now + timedelta(days=7))
    survey = await surveys.make_survey(author, plan, now)
    assert await survey_desk.steps(author, survey) == {"change", "hand_in", "cancel"}
    assert await survey_desk.say_asked(survey) == "东亭社区的每一户"
    homes = await survey_desk.asked(author, survey.id, now)
    survey = await surveys.hand_in(author, survey.id, now)
    assert await survey_desk.steps(author, survey) == {"cancel"}
    assert await survey_desk.steps(other, survey) == {"decide", "cancel"}
    survey = await surveys.decide(other, survey.id, 1, True, now)
    assert survey.expected == homes > 0
    assert await survey_desk.steps(author, survey) == {"results", "export", "watch", "cancel"}
    assert await survey_desk.steps(worker, survey) == {"watch"}
    survey.results = "all"
    assert await survey_desk.steps(worker, survey) == {"results", "watch"}
    with pytest.raises(NotAllowed):
        await survey_desk.asked(worker, survey.id, now)
