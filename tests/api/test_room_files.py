"""Pictures and places in a room: seen by whoever sits in it, for as long as the message stands."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from domain.positions import coarsen
from models.accounts import PurposeConsent
from models.enums import Purpose
from models.people import Staff
from tests.api.caller import Caller
from tests.api.conftest import SignIn
from tests.api.files import picture
from tests.domain.neighbours import FAR, FIRST, neighbour
from tests.town import Town


class People:
    """Residents who let neighbours read what they write, signed in."""

    def __init__(self, town: Town, sign_in: SignIn) -> None:
        self._town, self._sign_in = town, sign_in

    async def move_in(self, name: str, grid: str = FIRST) -> Caller:
        person = await neighbour(name, self._town.clock(), grid)
        await self.agree(name, Purpose.ROOM, grid)
        return await self._sign_in(person.openid)

    async def agree(self, name: str, purpose: Purpose, grid: str = FIRST) -> None:
        person = await neighbour(name, self._town.clock(), grid)
        await PurposeConsent.create(
            resident_id=person.resident_id, purpose=purpose, version=1, given_at=self._town.clock()
        )


@pytest.fixture
def people(town: Town, sign_in: SignIn) -> People:
    return People(town, sign_in)


async def upload(caller: Caller) -> str:
    form = aiohttp.FormData()
    form.add_field("file", picture(), filename="lamp.jpg", content_type="image/jpeg")
    reply = await caller.ask("POST", "/uploads", data=form)
    assert reply.status == 201, reply.raw
    return str(reply.json["id"])


async def show(caller: Caller, ident: str) -> dict[str, Any]:
    """Put an uploaded picture into the caller's first room."""
    room = (await caller.get("/rooms")).json["items"][0]["id"]
    body = {"client_id": ident, "kind": "image", "upload": ident, "text": "就是这盏灯"}
    reply = await caller.post(f"/rooms/{room}/messages", body)
    assert reply.status == 201, reply.raw
    return dict(reply.json)


async def addresses(caller: Caller, name: str) -> list[str]:
    return [one["url"] for one in (await caller.post("/files/links", {"names": [name]})).json["items"]]


async def test_a_picture_is_seen_by_the_room_and_by_nobody_else_until_it_is_removed(
    people: People, town: Town, sign_in: SignIn
):
    chen, zhao, far = await people.move_in("chen"), await people.move_in("zhao"), await people.move_in("far", FAR)
    wang = await sign_in(staff=await Staff.get(code="G001"))
    entry = await show(chen, await upload(chen))
    [read] = (await zhao.get(f"/rooms/{entry['room']}/messages")).json["items"]
    assert (read["kind"], read["text"]) == ("image", "就是这盏灯")
    [url] = await addresses(zhao, read["file"])
    path = url.removeprefix(town.url).removeprefix("/api/v1")
    nobody = await sign_in()
    assert (await nobody.get(path)).headers["Content-Type"] == "image/jpeg"
    assert await addresses(far, read["file"]) == []
    assert (await wang.post(f"/messages/{entry['id']}/remove", {"why": "照片里有别人的车牌"})).status == 200
    assert await addresses(zhao, read["file"]) == []
    assert (await nobody.get(path)).status == 404
    assert len(await addresses(chen, read["file"])) == len(await addresses(wang, read["file"])) == 1


async def test_a_picture_of_somebody_else_cannot_be_shown(people: People):
    chen, zhao = await people.move_in("chen"), await people.move_in("zhao")
    theirs = await upload(chen)
    room = (await zhao.get("/rooms")).json["items"][0]["id"]
    body = {"client_id": "1", "kind": "image", "upload": theirs}
    assert (await zhao.post(f"/rooms/{room}/messages", body)).status == 400
    assert (await zhao.get(f"/rooms/{room}/messages")).json["items"] == []


async def test_a_place_stands_in_the_message_until_only_its_name_is_kept(people: People, town: Town):
    chen, zhao = await people.move_in("chen"), await people.move_in("zhao")
    room = (await chen.get("/rooms")).json["items"][0]["id"]
    place = {"latitude": 30.5458, "longitude": 114.3536, "place": "东门垃圾点"}
    body = {"client_id": "1", "kind": "location", "position": place}
    refused = await chen.post(f"/rooms/{room}/messages", body)
    assert (refused.status, refused.code) == (403, "consent_needed")
    await people.agree("chen", Purpose.LOCATION)
    assert (await chen.post(f"/rooms/{room}/messages", body)).status == 201
    [read] = (await zhao.get(f"/rooms/{room}/messages")).json["items"]
    assert (read["kind"], read["position"], read["text"]) == ("location", place, "")
    await coarsen(town.clock())
    [read] = (await zhao.get(f"/rooms/{room}/messages")).json["items"]
    assert (read["position"], read["text"]) == (None, "东门垃圾点")
