"""消息审核 at the desk: what is hidden is looked at by somebody it does not concern, and they say why."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from domain import moderation
from domain.room_messages import entries
from models.enums import MessageState
from models.rooms import Review
from tests.console.conftest import Desk
from tests.console.test_rooms import grid as grid  # noqa: PLC0414 - the fixture
from tests.console.test_rooms import sign_in
from tests.domain.grid_room import Grid
from tests.town import Town

RUDE = "3栋的人都没素质"


async def _complaint(grid: Grid) -> int:
    """Somebody was rude, and a neighbour complained; gives the message."""
    said = await grid.say(grid.chen, RUDE)
    await moderation.complain(grid.zhao, said.id, "骂人", grid.now)
    return said.id


async def _as_neighbours_read(grid: Grid, message_id: int) -> tuple[MessageState, str]:
    [entry] = [one for one in await entries(grid.sun, grid.room.id) if one.id == message_id]
    return entry.state, entry.text


async def _decide(desk: Desk, **given: str) -> str:
    """Open the list and decide its first review."""
    page = await desk.open("/reviews")
    found = re.search(r'action="/console(/reviews/\d+)"', page)
    assert found, page
    return await desk.send(found[1], **given)


async def test_a_complaint_is_read_with_its_reason_and_the_message_shown_again(town: Town, desk: Desk, grid: Grid):
    message = await _complaint(grid)
    assert await _as_neighbours_read(grid, message) == (MessageState.REMOVED, "")
    await sign_in(town, desk, "李主任")
    assert "消息审核 1" in await desk.open("/")
    page = await desk.open("/reviews")
    assert ("有人投诉" in page, "骂人" in page, RUDE in page) == (True, True, True)
    assert "已决定：显示" in await _decide(desk, keep="true")
    assert "没有等您处理的" in desk.page
    assert await _as_neighbours_read(grid, message) == (MessageState.SHOWN, RUDE)
    assert "李主任" in await desk.open("/reviews?state=decided")


async def test_what_stays_hidden_needs_a_reason_which_its_sender_reads(town: Town, desk: Desk, grid: Grid):
    await _complaint(grid)
    await sign_in(town, desk, "李主任")
    assert "请写一句原因" in await _decide(desk, keep="false")
    assert desk.status == 400
    assert "已决定：不显示" in await _decide(desk, keep="false", answer="请就事论事")
    assert "请就事论事" in await desk.open("/reviews?state=decided")
    assert (await Review.get()).answer == "请就事论事"


async def test_who_hid_a_message_does_not_decide_the_appeal_against_it(town: Town, desk: Desk, grid: Grid):
    message = await _complaint(grid)
    await sign_in(town, desk, "王芳")
    await _decide(desk, keep="false", answer="请就事论事")
    await moderation.appeal(grid.chen, message, "我说的是事实", grid.now + timedelta(hours=1))
    assert "要由另一位工作人员决定" in await _decide(desk, keep="true")
    assert desk.status == 403
    await desk.open("/account")
    await desk.send("/logout")
    await sign_in(town, desk, "李主任")
    assert "我说的是事实" in await desk.open("/reviews")
    assert "已决定：显示" in await _decide(desk, keep="true")


@pytest.mark.parametrize("name", ["马队长", "周科长"])
async def test_reviews_are_for_the_grid_the_community_and_the_street(town: Town, desk: Desk, name: str):
    await sign_in(town, desk, name)
    page = await desk.open("/reviews")
    assert ("没有等您处理的" in page, "消息审核</a>" in page) == ((True, True) if name == "周科长" else (False, False))
