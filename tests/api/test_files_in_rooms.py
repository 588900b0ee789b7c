"""Photos and places in rooms: members see them by the message that shows them, as long as it is there to be seen."""

from __future__ import annotations

from typing import Any

import pytest

from domain.positions import coarsen
from models.enums import MessageState, Purpose
from models.people import Staff
from models.rooms import RoomMessage
from tests.api.caller import Caller
from tests.api.conftest import SignIn
from tests.api.files import amr, picture
from tests.api.test_cases import agree
from tests.api.test_uploads import opened, send
from tests.domain.neighbours import FAR, FIRST, first_room, neighbour
from tests.town import WANG, Town


async def member(town: Town, sign_in: SignIn, name: str, grid: str = FIRST) -> Caller:
    """A resident of a grid who agreed to speak in its room."""
    person = await neighbour(name, town.clock(), grid)
    await agree(person.openid, Purpose.ROOM)
    return await sign_in(person.openid)


@pytest.fixture
async def chen(town: Town, sign_in: SignIn) -> Caller:
    return await member(town, sign_in, "chen")


async def show(caller: Caller, content: bytes, kind: str) -> dict[str, Any]:
    """Send a file into the first grid's room."""
    sent = (await send(caller, content)).json
    body = {"client_id": f"c-{sent['id'][:8]}", "kind": kind, "upload": sent["id"]}
    reply = await caller.post(f"/rooms/{(await first_room()).id}/messages", body)
    assert reply.status == 201, reply.json
    return reply.json


async def links(caller: Caller, name: str) -> list[dict[str, Any]]:
    return (await caller.post("/files/links", {"names": [name]})).json["items"]


@pytest.mark.parametrize(
    ("kind", "content", "content_type"),
    [("image", picture(colour="teal"), "image/jpeg"), ("voice", amr(60), "audio/amr")],
)
async def test_members_see_what_a_message_shows_and_others_do_not(
    town: Town, chen: Caller, sign_in: SignIn, kind: str, content: bytes, content_type: str
):
    message = await show(chen, content, kind)
    await RoomMessage.filter(id=message["id"]).update(state=MessageState.SHOWN)
    liu = await member(town, sign_in, "liu")
    await town.say(WANG, "待办")
    for caller in (chen, liu, await sign_in(WANG)):
        [link] = await links(caller, f"m{message['id']}")
        assert link["content_type"] == content_type
        assert len((await opened(caller, town, link["url"])).raw) == link["size"]
    other = await member(town, sign_in, "other", FAR)
    assert await links(other, f"m{message['id']}") == []
    assert (await Caller(chen._session, chen.base).post("/files/links", {"names": ["m1"]})).status == 401


@pytest.mark.parametrize("state", [MessageState.REVIEW, MessageState.REFUSED, MessageState.REMOVED])
async def test_what_is_not_shown_is_seen_by_its_sender_and_staff_alone(
    town: Town, chen: Caller, sign_in: SignIn, state: MessageState
):
    message = await show(chen, picture(), "image")
    liu = await member(town, sign_in, "liu")
    await RoomMessage.filter(id=message["id"]).update(state=MessageState.SHOWN)
    [before] = await links(liu, f"m{message['id']}")
    await RoomMessage.filter(id=message["id"]).update(state=state)
    await town.say(WANG, "待办")
    assert await links(liu, f"m{message['id']}") == []
    assert (await opened(liu, town, before["url"])).status == 404
    assert len(await links(chen, f"m{message['id']}")) == 1
    assert len(await links(await sign_in(WANG), f"m{message['id']}")) == 1


async def test_an_address_ends_with_the_message_it_shows(town: Town, chen: Caller, sign_in: SignIn):
    message, liu = await show(chen, picture(), "image"), await member(town, sign_in, "liu")
    [link] = await links(liu, f"m{message['id']}")
    assert (await opened(liu, town, link["url"])).headers["Content-Type"] == "image/jpeg"
    wang = await sign_in(staff=await Staff.get(code="G001"))
    assert (await wang.post(f"/messages/{message['id']}/remove", {"why": "照片里有别人的车牌"})).status == 200
    assert (await opened(liu, town, link["url"])).status == 404


async def test_what_was_taken_back_is_seen_by_nobody(town: Town, chen: Caller, sign_in: SignIn):
    message = await show(chen, picture(), "image")
    assert (await chen.post(f"/messages/{message['id']}/recall")).status in (200, 204)
    await town.say(WANG, "待办")
    assert await links(chen, f"m{message['id']}") == []
    assert await links(await sign_in(WANG), f"m{message['id']}") == []


async def test_nobody_shows_a_file_of_somebody_else(town: Town, chen: Caller, sign_in: SignIn):
    mine = (await send(chen, picture())).json
    liu = await member(town, sign_in, "liu")
    body = {"client_id": "c-1", "kind": "image", "upload": mine["id"]}
    reply = await liu.post(f"/rooms/{(await first_room()).id}/messages", body)
    assert (reply.status, await RoomMessage.all().count()) == (400, 0)


async def test_a_place_stands_in_the_message_until_only_its_name_is_kept(town: Town, chen: Caller, sign_in: SignIn):
    place = {"latitude": 30.5458, "longitude": 114.3536, "place": "东门垃圾点"}
    body = {"client_id": "1", "kind": "location", "position": place}
    path = f"/rooms/{(await first_room()).id}/messages"
    refused = await chen.post(path, body)
    assert (refused.status, refused.code) == (403, "consent_needed")
    await agree("o_neighbour_chen", Purpose.LOCATION)
    assert (await chen.post(path, body)).status == 201
    liu = await member(town, sign_in, "liu")
    [read] = (await liu.get(path)).json["items"]
    assert (read["kind"], read["position"], read["text"]) == ("location", place, "")
    await coarsen(town.clock())
    [read] = (await liu.get(path)).json["items"]
    assert (read["position"], read["text"]) == (None, "东门垃圾点")
