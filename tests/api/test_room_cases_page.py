"""Cases in rooms over the API: from a message to its case, as a grid worker's page does it."""

from __future__ import annotations

from datetime import timedelta

import aiohttp

from domain.room_digests import make_digests
from models.accounts import PurposeConsent
from models.cases import Attachment, Case, Follower
from models.enums import Purpose, Source
from models.people import Staff
from tests.api.caller import Caller
from tests.api.conftest import SignIn
from tests.api.files import picture
from tests.api.talk import MoveIn, room_of, say
from tests.domain.neighbours import neighbour
from tests.town import Town

RUBBISH, AGREES = "东门的垃圾桶又满了，苍蝇乱飞", "对啊，都招苍蝇了"


async def test_a_worker_sees_what_a_message_would_become_and_makes_it_a_case(
    move_in: MoveIn, sign_in: SignIn, town: Town
):
    chen, zhao = await move_in("chen"), await move_in("zhao")
    wang = await sign_in(staff=await Staff.get(code="G001"))
    room = await room_of(chen)
    said = await say(chen, room, RUBBISH)
    await _agree_to_places(town)
    place = {"latitude": 30.5431, "longitude": 114.3662, "place": "东门垃圾点"}
    spot = await say(chen, room, "", kind="location", position=place)
    agrees = await say(zhao, room, AGREES)
    await say(zhao, room, "早上好各位邻居")

    hint = (await wang.get(f"/rooms/{room}/hints")).json["items"][-1]
    assert (hint["id"], hint["hint"]["category"]) == (said["id"], "rubbish.overflow")
    card = (await wang.get(f"/messages/{said['id']}/hint")).json
    assert (card["likely"], card["category"], card["subject"], card["urgent"]) == (
        True,
        "rubbish.overflow",
        "垃圾满溢",
        False,
    )
    assert "东门" in card["place"]
    assert card["choices"][0]["category"] == "rubbish.overflow"
    assert [one["id"] for one in card["more"]] == [spot["id"]]
    assert [one["id"] for one in card["agree"]] == [agrees["id"]]

    made = await wang.post(f"/messages/{said['id']}/case", {"together": [spot["id"], agrees["id"]]})
    assert made.status == 201
    assert made.json["say"] == f"已转为事件 {made.json['number'][-4:]}，群里已经说明。"
    case = await Case.get(number=made.json["number"])
    assert (case.source, case.latitude, case.longitude) == (Source.ROOM, 30.5431, 114.3662)
    assert await Follower.filter(case_id=case.id).count() == 1
    items = (await zhao.get(f"/rooms/{room}/messages")).json["items"]
    assert (items[-1]["kind"], items[-1]["reply_to"], items[-1]["case"]) == ("case", said["id"], case.number)
    assert (await wang.get(f"/rooms/{room}/hints")).json["items"] == []
    again = await wang.post(f"/messages/{said['id']}/case", {})
    assert (again.status, case.number[-4:] in again.json["error"]["say"]) == (409, True)


async def test_the_card_offers_open_cases_and_the_message_joins_one(move_in: MoveIn, sign_in: SignIn):
    chen, zhao = await move_in("chen"), await move_in("zhao")
    wang = await sign_in(staff=await Staff.get(code="G001"))
    room = await room_of(chen)
    first = await say(chen, room, RUBBISH)
    number = (await wang.post(f"/messages/{first['id']}/case", {})).json["number"]
    again = await say(zhao, room, "东门的垃圾桶满了没人收，好多苍蝇")
    card = (await wang.get(f"/messages/{again['id']}/hint")).json
    assert [one["number"] for one in card["similar"]] == [number]
    joined = await wang.post(f"/messages/{again['id']}/join", {"number": number})
    assert (joined.status, joined.json["number"], joined.json["joined"]) == (200, number, True)
    other = await say(zhao, room, "3栋楼道灯坏了")
    assert (await wang.post(f"/messages/{other['id']}/join", {"number": "9999"})).status == 404
    assert (await wang.post(f"/messages/{other['id']}/join", {"number": "灯"})).fields == ["number"]


async def test_a_photo_in_the_room_goes_into_the_case(move_in: MoveIn, sign_in: SignIn, town: Town):
    chen = await move_in("chen")
    wang = await sign_in(staff=await Staff.get(code="G001"))
    room = await room_of(chen)
    said = await say(chen, room, RUBBISH)
    photo = await say(chen, room, "", kind="image", upload=await _photo(chen))
    assert (await wang.get(f"/messages/{said['id']}/hint")).json["more"][0]["id"] == photo["id"]
    made = await wang.post(f"/messages/{said['id']}/case", {"together": [photo["id"]]})
    [kept] = await Attachment.filter(case__number=made.json["number"])
    assert (kept.kind, kept.content_type, kept.after) == ("image", "image/jpeg", False)


async def _agree_to_places(town: Town) -> None:
    chen = await neighbour("chen", town.clock())
    given = {"resident_id": chen.resident_id, "version": 1, "given_at": town.clock()}
    await PurposeConsent.create(purpose=Purpose.LOCATION, **given)


async def _photo(caller: Caller) -> str:
    form = aiohttp.FormData()
    form.add_field("file", picture(), filename="a.jpg", content_type="image/jpeg")
    return str((await caller.ask("POST", "/uploads", data=form)).json["id"])


async def test_a_hint_that_is_none_is_put_away(move_in: MoveIn, sign_in: SignIn):
    chen = await move_in("chen")
    wang = await sign_in(staff=await Staff.get(code="G001"))
    room = await room_of(chen)
    said = await say(chen, room, RUBBISH)
    assert (await wang.ask("DELETE", f"/messages/{said['id']}/hint")).status == 204
    assert (await wang.get(f"/rooms/{room}/hints")).json["items"] == []
    assert (await wang.get(f"/messages/{said['id']}/hint")).json["likely"] is False


async def test_hints_and_questions_go_page_by_page(move_in: MoveIn, sign_in: SignIn, town: Town):
    chen = await move_in("chen")
    wang = await sign_in(staff=await Staff.get(code="G001"))
    room = await room_of(chen)
    sent = [(await say(chen, room, f"{number}栋楼道灯坏了好几天"))["id"] for number in range(1, 6)]
    assert await _pages(wang, f"/rooms/{room}/hints") == [sent[4:2:-1], sent[2:0:-1], sent[:1]]
    assert await _pages(wang, f"/rooms/{room}/questions") == [sent[:2], sent[2:4], sent[4:]]


async def _pages(caller: Caller, path: str) -> list[list[int]]:
    found, query = [], {"limit": "2"}
    while True:
        page = (await caller.get(path, params=query)).json
        found.append([one["id"] for one in page["items"]])
        if not page["next"]:
            return found
        query = {"limit": "2", "cursor": page["next"]}


async def test_the_community_lets_clear_reports_open_cases(move_in: MoveIn, sign_in: SignIn, town: Town):
    chen = await move_in("chen")
    li, wang = [await sign_in(staff=await Staff.get(code=code)) for code in ("S001", "G001")]
    room = await room_of(chen)
    assert (await wang.get(f"/rooms/{room}/auto-cases")).json == {"on": False}
    assert (await wang.ask("PUT", f"/rooms/{room}/auto-cases", json={"on": True})).status == 403
    assert (await li.ask("PUT", f"/rooms/{room}/auto-cases", json={"on": True})).json == {"on": True}
    said = await say(chen, room, RUBBISH)
    await town.deliver()
    items = (await chen.get(f"/rooms/{room}/messages")).json["items"]
    assert [one["kind"] for one in items] == ["text", "case"]
    assert items[1]["reply_to"] == said["id"]
    assert items[0]["case"] == items[1]["case"] == (await Case.get(source=Source.ROOM)).number


async def test_a_rooms_days_are_read_by_its_staff(move_in: MoveIn, sign_in: SignIn, town: Town):
    chen = await move_in("chen")
    room = await room_of(chen)
    await say(chen, room, RUBBISH)
    town.clock.advance(timedelta(hours=22, minutes=30))
    await make_digests(town.clock())
    li = await sign_in(staff=await Staff.get(code="S001"))
    [day] = (await li.get(f"/rooms/{room}/digests")).json["items"]
    assert day["day"] == "2026-11-20"
    assert day["figures"]["subjects"] == [{"name": "垃圾满溢", "times": 1}]
    assert (await chen.get(f"/rooms/{room}/digests")).status == 403
