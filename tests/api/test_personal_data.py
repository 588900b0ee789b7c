"""Everything about me as a package, none of it any more, places only as long as they are needed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from domain.audit import verify
from domain.desk_search import index_missing
from domain.positions import coarsen
from domain.standing import ended_lately
from models.cases import Attachment, Case
from models.database import fetch
from models.enums import Purpose
from models.people import Resident, Staff
from tests.api.caller import Caller
from tests.api.conftest import SignIn
from tests.api.newcomer import GRID, agree, open_miniapp
from tests.town import CHEN, PNG, WANG, Town

HE = "o_sim_new_he"
#: What somebody leaves behind, each found nowhere else.
NICKNAME, NAME = "楼上的老阚", "阚金雀"
REPORT = "3栋2单元阚家门口的楼道灯坏了，钥匙在鹌鹑家"
ADDED = "灯罩也掉了，砸到鸸鹋花盆"
COMMENT = "师傅手脚麻利，还帮忙扶正了鸵鸟摆件"
ROOM = "鹈鹕楼的邻居们，明早一起去活动室吗"
TALK = "悄悄说一句，鸬鹚家的狗夜里一直叫"
CANARIES = ("阚金雀", "老阚", "鹌鹑", "鸸鹋", "鸵鸟", "鹈鹕", "鸬鹚")
PLACE = {"latitude": 30.564218, "longitude": 114.369187}


@pytest.fixture
async def he(town: Town, sign_in: SignIn) -> Caller:
    """Somebody new who agreed to everything and lives in the first grid."""
    caller = await open_miniapp(town, await sign_in(), HE)
    await agree(caller, *(set(Purpose) - {Purpose.GUARDIAN}))
    await caller.ask("PUT", "/me/grid", json={"code": GRID})
    return caller


async def did(caller: Caller, path: str, body: dict[str, object] | None = None) -> Any:
    """A write that works; gives what it answers."""
    reply = await caller.post(path, body)
    assert reply.status in (200, 201, 204), (path, reply.json)
    return reply.json


async def upload(caller: Caller) -> str:
    """A photo."""
    form = aiohttp.FormData()
    form.add_field("file", PNG, filename="photo.png")
    reply = await caller.ask("POST", "/uploads", data=form)
    assert reply.status == 201, reply.json
    return str(reply.json["id"])


async def live(town: Town, he: Caller, wang: Caller) -> int:
    """What people do in a month: names, a report with photo and place, a rating, words in the room and in private.
    Gives the case, which the grid worker has closed with a photo of their own."""
    await he.ask("PATCH", "/me", json={"nickname": NICKNAME, "name": NAME})
    await he.ask("PUT", "/me/phone", json={"code": town.platform.make_code(HE, "phone")})
    made = await did(he, "/cases", {"text": REPORT, "uploads": [await upload(he)], "position": PLACE})
    case = f"/cases/{made['id']}"
    await did(he, f"{case}/supplements", {"text": ADDED, "uploads": [await upload(he)]})
    await did(wang, f"{case}/sign")
    await did(wang, f"{case}/notes", {"text": f"已联系{NAME}，约好明天上门，电话 13912345678"})
    await did(wang, f"{case}/disposal", {"result": f"换了灯泡和开关，{NAME}在场确认", "uploads": [await upload(wang)]})
    await did(he, f"{case}/rating", {"solved": True, "satisfaction": 3, "comment": COMMENT})
    room = next(one["id"] for one in (await he.get("/rooms")).json["items"] if one["kind"] == "grid")
    await did(he, f"/rooms/{room}/messages", {"client_id": uuid4().hex, "text": ROOM})
    private = (await did(he, "/rooms/private", {}))["id"]
    await did(he, f"/rooms/{private}/messages", {"client_id": uuid4().hex, "text": TALK})
    await town.deliver()
    return int(made["id"])


@pytest.fixture
async def wang(sign_in: SignIn) -> Caller:
    """The grid worker, by code."""
    return await sign_in(staff=await Staff.get(code="G001"))


async def rows_with(text: str) -> dict[str, int]:
    """In which tables a text stands, in any column."""
    tables = await fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found = {}
    for table in tables:
        name = table["tablename"]
        count = (await _count(name, text))[0]["n"]
        if count:
            found[name] = count
    return found


async def _count(table: str, text: str) -> list[dict[str, int]]:
    sql = f"SELECT count(*) AS n FROM {table} t WHERE position($1 IN t::text) > 0"  # noqa: S608 - names of our tables
    if table == "inbox":
        sql = "SELECT count(*) AS n FROM inbox t WHERE position($1 IN t::text || convert_from(t.body, 'UTF8')) > 0"
    return await fetch(sql, text)


async def test_the_package_has_all_that_was_put_in_and_nothing_of_others(town: Town, he: Caller, wang: Caller):
    await town.say(CHEN, "4栋电梯坏了，孔雀大妈困在里面了吗")
    await town.say(CHEN, "1")
    await live(town, he, wang)
    reply = await he.get("/me/export")
    assert reply.status == 200
    text = json.dumps(reply.json, ensure_ascii=False)
    phone = (await Resident.get(openid=f"mini:mini_{HE}")).phone
    own = (NICKNAME, NAME, phone, REPORT, ADDED, COMMENT, ROOM, TALK, f"mini_{HE}")
    assert [one for one in own if one not in text] == []
    assert str(PLACE["latitude"]) in text
    assert {one["purpose"] for one in reply.json["consents"]} == set(Purpose) - {Purpose.GUARDIAN}
    assert (len(reply.json["cases"]), len(reply.json["files"]), len(reply.json["cases"][0]["photos"])) == (1, 2, 3)
    assert len(reply.json["devices"]) == 1
    assert [one for one in ("孔雀", CHEN, WANG, he.token) if one in text] == []


async def test_what_somebody_wrote_to_the_account_is_in_the_package(town: Town, sign_in: SignIn):
    await town.say(CHEN, "4栋电梯坏了，孔雀大妈困在里面了吗")
    text = (await (await sign_in(CHEN)).get("/me/export")).raw.decode()
    assert "孔雀大妈" in text


async def test_staff_by_code_have_no_package_as_residents(wang: Caller):
    assert (await wang.get("/me/export")).status == 403
    assert (await wang.post("/me/erase", {"confirm": "删除"})).status == 403


async def test_after_being_forgotten_nothing_of_a_person_is_found_anywhere(town: Town, he: Caller, wang: Caller):
    case_id = await live(town, he, wang)
    await index_missing()
    resident = await Resident.get(openid=f"mini:mini_{HE}")
    canaries = (*CANARIES, resident.phone, f"mini_{HE}", "13912345678", str(PLACE["latitude"]))
    assert all([await rows_with(one) for one in canaries])
    folder = town.services.media
    files = {path for path in folder.rglob("*") if path.is_file()}
    assert len(files) == 3

    assert (await he.post("/me/erase", {"confirm": "删除"})).status == 204
    await town.deliver()
    await index_missing()
    assert {one: found for one in canaries if (found := await rows_with(one))} == {}
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 1  # the grid worker's own
    assert (await he.get("/me")).status == 401
    gone = await Resident.get(id=resident.id)
    assert (gone.openid.startswith("gone:"), gone.deleted_at, gone.grid_id) == (True, town.clock(), None)
    case = await Case.get(id=case_id)
    assert (case.status, case.satisfaction, case.reporter_id) == ("closed", 3, resident.id)
    assert await _in_redis(town, canaries) == []


async def _in_redis(town: Town, canaries: tuple[str, ...]) -> list[str]:
    """Keys of Redis that name or hold one of these."""
    found = []
    async for key in town.services.redis.scan_iter("*"):
        kind = await town.services.redis.type(key)
        value = await town.services.redis.get(key) if kind == b"string" else b""
        if any(one.encode() in key + (value or b"") for one in canaries):
            found.append(key.decode())
    return found


async def test_figures_are_the_same_before_and_after(town: Town, he: Caller, wang: Caller):
    await live(town, he, wang)
    figures = """
        SELECT status, category, urgency, source, outcome, solved, satisfaction, round, grid_id, area_id, holder_id,
            reported_at, accepted_at, dispatched_at, signed_at, disposed_at, verified_at, closed_at, due_at, joined
        FROM cases ORDER BY id
    """
    lines = "SELECT case_id, at, verb, status, actor FROM case_event ORDER BY id"
    before, events = await fetch(figures), await fetch(lines)
    await he.post("/me/erase", {"confirm": "删除"})
    assert await fetch(figures) == before
    assert await fetch(lines) == events


async def test_the_audit_trail_stays_whole_and_knows_a_number_alone(town: Town, he: Caller, wang: Caller):
    await live(town, he, wang)
    actor = (await he.get("/me")).json["actor"]
    before = await fetch("SELECT count(*) AS n FROM audit_event WHERE actor = $1", actor)
    await he.post("/me/erase", {"confirm": "删除"})
    after = await fetch("SELECT tag FROM audit_event WHERE actor = $1 ORDER BY id", actor)
    assert (len(after), after[-1]["tag"]) == (before[0]["n"] + 1, "resident:erase")
    verdict = await verify()
    assert verdict.fault == ""


async def test_rooms_keep_their_numbers_and_others_their_words(town: Town, he: Caller, wang: Caller):
    await live(town, he, wang)
    room = next(one["id"] for one in (await wang.get("/rooms")).json["items"] if one["kind"] == "grid")
    await did(wang, f"/rooms/{room}/messages", {"client_id": "w1", "text": "好的，明早九点"})
    before = (await wang.get(f"/rooms/{room}/messages")).json["items"]
    await he.post("/me/erase", {"confirm": "删除"})
    after = (await wang.get(f"/rooms/{room}/messages")).json["items"]
    assert [one["seq"] for one in after] == [one["seq"] for one in before]
    assert any("明早九点" in one["text"] for one in after)
    assert not any("鹈鹕" in one["text"] or NICKNAME in one["author"]["label"] for one in after)


async def test_while_something_is_under_way_being_forgotten_is_asked_twice(town: Town, he: Caller):
    await he.post("/cases", {"text": REPORT})
    first = await he.post("/me/erase", {"confirm": "删除"})
    assert (first.status, "1 件" in first.json["error"]["say"]) == (409, True)
    assert await rows_with("鹌鹑")
    assert (await he.post("/me/erase", {"confirm": "删除", "even_open": True})).status == 204
    assert await rows_with("鹌鹑") == {}
    case = await Case.get()
    assert (case.closed_at, case.status, "删除" in case.description) == (None, "dispatched", True)


@pytest.mark.parametrize("body", [{}, {"confirm": "是"}, {"confirm": "删除", "resident_id": 1}])
async def test_being_forgotten_needs_the_word(he: Caller, body: dict[str, object]):
    assert (await he.post("/me/erase", body)).status == 400
    assert (await he.get("/me")).status == 200


async def test_staff_unbind_before_they_are_forgotten(town: Town, sign_in: SignIn):
    await town.say(WANG, "你好")
    wang = await sign_in(WANG)
    refused = await wang.post("/me/erase", {"confirm": "删除"})
    assert (refused.status, "解绑" in refused.json["error"]["say"]) == (409, True)


async def test_open_connections_see_that_it_is_over(town: Town, he: Caller):
    tokens = await fetch("SELECT id FROM login_token")
    await he.post("/me/erase", {"confirm": "删除"})
    assert {row["id"] for row in tokens} <= await ended_lately(town.clock())


async def test_who_comes_back_is_somebody_new(town: Town, he: Caller, sign_in: SignIn):
    before = (await he.get("/me")).json["actor"]
    await he.post("/me/erase", {"confirm": "删除"})
    again = (await (await open_miniapp(town, await sign_in(), HE)).get("/me")).json
    assert (again["actor"] == before, again["nickname"], again["minor"]) == (False, "", None)


async def test_a_follower_who_is_forgotten_is_unknown_to_the_account_too(town: Town, sign_in: SignIn):
    await town.say(CHEN, "4栋2单元电梯坏了，孔雀大妈很着急")
    await town.say(CHEN, "1")
    await town.deliver()
    assert await rows_with("孔雀")
    chen = await sign_in(CHEN)
    assert (await chen.post("/me/erase", {"confirm": "删除", "even_open": True})).status == 204
    await town.deliver()
    assert (await rows_with("孔雀"), await rows_with(CHEN)) == ({}, {})
    assert "没有" in await town.say(CHEN, "我的事项")


async def test_a_neighbours_case_keeps_what_is_the_neighbours(town: Town, he: Caller, sign_in: SignIn):
    await town.say(CHEN, "3栋2单元楼道灯坏了，孔雀大妈看不见")
    await town.say(CHEN, "1")
    case = await Case.get()
    joined = await he.post(f"/cases/{case.id}/follow", {"text": ADDED})
    assert joined.status in (200, 201), joined.json
    await he.post("/me/erase", {"confirm": "删除"})
    assert await rows_with("鸸鹋") == {}
    assert "孔雀" in (await Case.get(id=case.id)).description
    assert await Attachment.filter(case_id=case.id).count() == 0


async def test_an_exact_place_lasts_until_the_case_can_no_longer_be_reopened(town: Town, he: Caller, wang: Caller):
    case_id = await live(town, he, wang)
    closed = (await Case.get(id=case_id)).closed_at
    assert closed
    await coarsen(closed - timedelta(seconds=1))
    assert (await Case.get(id=case_id)).latitude == PLACE["latitude"]
    assert await coarsen(closed) == 1
    case = await Case.get(id=case_id)
    assert (case.latitude, case.longitude, case.grid_id is None) == (None, None, False)
    assert await coarsen(closed) == 0


async def test_the_place_of_an_open_case_is_kept_however_old_it_is(town: Town, he: Caller):
    await he.post("/cases", {"text": REPORT, "position": PLACE})
    await coarsen(town.clock() + timedelta(days=900))
    assert (await Case.get()).latitude == PLACE["latitude"]


async def test_a_place_sent_in_chat_leaves_the_stored_message_too(town: Town):
    await town.send(CHEN, "location", **PLACE, label="东门")
    assert await rows_with(str(PLACE["latitude"])) != {}
    await coarsen(town.clock())
    assert "inbox" not in await rows_with(str(PLACE["latitude"]))


async def test_a_place_sent_into_the_room_becomes_the_grid(town: Town, he: Caller):
    room = next(one["id"] for one in (await he.get("/rooms")).json["items"] if one["kind"] == "grid")
    said = {"client_id": "p1", "kind": "location", "text": "在这里集合", "position": PLACE}
    assert (await he.post(f"/rooms/{room}/messages", said)).status == 201
    await coarsen(town.clock() + timedelta(days=1))
    assert await rows_with(str(PLACE["latitude"])) == {}


async def test_what_i_was_told_is_found_again_page_by_page(town: Town, he: Caller, wang: Caller, sign_in: SignIn):
    await live(town, he, wang)
    told = (await he.get("/me/notices")).json["items"]
    assert told
    assert all(one["arrived"] and one["case_number"] for one in told)
    first = (await he.get("/me/notices", params={"limit": 1})).json
    second = (await he.get("/me/notices", params={"limit": 1, "cursor": first["next"]})).json
    assert [first["items"][0], second["items"][0]] == told[:2]
    other = await open_miniapp(town, await sign_in(), "o_sim_new_other")
    assert (await other.get("/me/notices")).json["items"] == []
    assert (await other.get("/me/notices", params={"cursor": first["next"]})).status == 400
