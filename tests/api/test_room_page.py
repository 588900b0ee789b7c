"""The room page's files and their headers, and what the API has for it."""

from __future__ import annotations

import re

import aiohttp
import pytest

from models.accounts import PurposeConsent
from models.enums import Purpose
from models.people import Staff
from tests.api.conftest import SignIn
from tests.api.talk import MoveIn, room_of, say
from tests.town import Town


async def test_the_page_and_every_part_it_names_are_served_without_script_or_style_inside(town: Town):
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{town.url}/room") as answer:
            html = await answer.text()
            policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! type=\"module\" src=)", html)
        parts = set(re.findall(r'(?:href|src)="/room/([^"]+)"', html))
        seen: set[str] = set()
        while new := parts - seen:
            for name in new:
                async with session.get(f"{town.url}/room/{name}") as answer:
                    assert answer.status == 200, name
                    assert answer.headers["X-Content-Type-Options"] == "nosniff"
                    text = await answer.text()
                parts |= set(re.findall(r'from "\./([^"]+)"', text))
            seen |= new
        assert {"room.js", "room.css", "line.js", "talk.js", "staff.js"} <= seen


@pytest.mark.parametrize("name", ["nothing.js", "..%2froom_page.py", "%2e%2e%2fkernel.py", "room.html%00"])
async def test_nothing_else_is_served_there(town: Town, name: str):
    async with aiohttp.ClientSession() as session, session.get(f"{town.url}/room/{name}") as answer:
        assert answer.status in (400, 404)


async def test_a_part_that_has_not_changed_is_not_sent_again(town: Town):
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{town.url}/room/room.css") as answer:
            mark = answer.headers["ETag"]
        async with session.get(f"{town.url}/room/room.css", headers={"If-None-Match": mark}) as answer:
            assert (answer.status, await answer.read()) == (304, b"")
        async with session.get(f"{town.url}/room/room.css", headers={"If-None-Match": '"other"'}) as answer:
            assert answer.status == 200


async def test_a_room_says_whether_one_is_on_duty_there(move_in: MoveIn, sign_in: SignIn):
    chen = await move_in("chen")
    wang = await sign_in(staff=await Staff.get(code="G001"))
    room = await room_of(chen)
    assert (await chen.get(f"/rooms/{room}")).json["staff"] is False
    assert (await wang.get(f"/rooms/{room}")).json["staff"] is True
    assert [line["staff"] for line in (await wang.get("/rooms")).json["items"]] == [True]


async def test_a_place_as_a_browser_measures_it_lies_on_wechats_map(move_in: MoveIn, town: Town):
    chen = await move_in("chen")
    room = await room_of(chen)
    resident = int((await chen.get("/me")).json["actor"].removeprefix("resident:"))
    await PurposeConsent.create(resident_id=resident, purpose=Purpose.LOCATION, version=1, given_at=town.clock())
    measured = {"latitude": 30.5453, "longitude": 114.3606, "place": "东门", "datum": "wgs84"}
    said = await say(chen, room, "", kind="location", position=measured)
    moved = said["position"]
    assert isinstance(moved, dict)
    assert 0.001 < abs(moved["latitude"] - 30.5453) < 0.006
    assert 0.001 < abs(moved["longitude"] - 114.3606) < 0.008
    same = await say(chen, room, "", client_id="2", kind="location", position=measured | {"datum": "gcj02"})
    assert same["position"] == {"latitude": 30.5453, "longitude": 114.3606, "place": "东门"}
    refused = await chen.post(
        f"/rooms/{room}/messages", {"client_id": "3", "kind": "location", "position": measured | {"datum": "bd09"}}
    )
    assert refused.fields == ["position.datum"]
