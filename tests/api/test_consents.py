"""Nothing personal is kept before its own consent, nothing after it was taken back; children are asked for first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain import consents
from models.accounts import PurposeConsent
from models.audit import AuditEvent
from models.cases import Case
from models.database import fetch
from models.enums import Purpose
from models.people import Resident
from tests.api.caller import Caller
from tests.api.conftest import SignIn
from tests.api.newcomer import GRID, agree, open_miniapp
from tests.town import Town

HE = "o_sim_new_he"
NICKNAME, NAME, NUMBER = "楼上的老何", "何建国", "13800138000"


@pytest.fixture
async def he(town: Town, sign_in: SignIn) -> Caller:
    """Somebody who opened the mini-program for the first time."""
    return await open_miniapp(town, await sign_in(), HE)


async def kept(town: Town) -> tuple[str, str, str]:
    """What we have of them."""
    resident = await Resident.get(openid=f"mini:mini_{HE}")
    return resident.nickname, resident.name, resident.phone


async def standing(caller: Caller) -> dict[str, bool]:
    """Which consents hold."""
    return {one["purpose"]: one["holds"] for one in (await caller.get("/me/consents")).json["items"]}


async def test_every_purpose_has_a_text_that_says_what_works_without_it(he: Caller):
    items = (await he.get("/me/consents")).json["items"]
    assert {one["purpose"] for one in items} == set(Purpose)
    assert all(one["version"] >= 1 and one["title"] and len(one["text"]) > 15 and one["without"] for one in items)
    assert not any(one["holds"] for one in items)


@pytest.mark.parametrize(
    ("method", "path", "body", "missing"),
    [
        ("PATCH", "/me", {"nickname": NICKNAME}, "consent.profile"),
        ("PATCH", "/me", {"name": NAME}, "consent.profile"),
        ("PUT", "/me/phone", {"code": "phone"}, "consent.phone"),
        ("POST", "/cases", {"text": "3栋2单元楼道灯坏了"}, "consent.service"),
    ],
)
async def test_before_the_consent_nothing_is_kept_and_the_answer_names_what_is_missing(
    town: Town, he: Caller, method: str, path: str, body: dict[str, str], missing: str
):
    if "code" in body:
        body = {"code": town.platform.make_code(HE, "phone")}
    reply = await he.ask(method, path, json=body)
    assert (reply.status, reply.code, reply.fields) == (403, "consent_needed", [missing])
    assert await kept(town) == ("", "", "")
    assert await Case.all().count() == 0


async def test_each_purpose_is_agreed_to_by_itself(town: Town, he: Caller):
    await agree(he, Purpose.PROFILE)
    assert (await he.ask("PATCH", "/me", json={"nickname": NICKNAME, "name": NAME})).status == 200
    phone = {"code": town.platform.make_code(HE, "phone")}
    refused = await he.ask("PUT", "/me/phone", json=phone)
    assert refused.fields == ["consent.phone"]
    await agree(he, Purpose.PHONE)
    given = await he.ask("PUT", "/me/phone", json=phone)  # the code was not used up by the refusal
    assert given.status == 200
    assert await kept(town) == (NICKNAME, NAME, given.json["phone"])


async def test_a_place_needs_a_consent_of_its_own(town: Town, he: Caller):
    await agree(he, Purpose.SERVICE)
    told = {"text": "东门的垃圾满了", "position": {"latitude": 30.5642, "longitude": 114.3692}}
    refused = await he.post("/cases", told)
    assert (refused.status, refused.fields) == (403, ["consent.location"])
    assert await Case.all().count() == 0
    await agree(he, Purpose.LOCATION)
    assert (await he.post("/cases", told)).status == 201


async def test_who_agrees_to_nothing_can_still_report_without_a_name(town: Town, he: Caller):
    reply = await he.post("/cases", {"text": "3栋2单元楼道灯坏了", "anonymous": True})
    assert reply.status == 201
    case = await Case.get()
    assert (case.reporter_id, case.anonymous) == (None, True)


async def test_taking_a_consent_back_deletes_what_stood_on_it(town: Town, he: Caller):
    await agree(he, Purpose.PROFILE, Purpose.PHONE)
    await he.ask("PATCH", "/me", json={"nickname": NICKNAME, "name": NAME})
    await he.ask("PUT", "/me/phone", json={"code": town.platform.make_code(HE, "phone")})
    reply = await he.ask("DELETE", "/me/consents/profile")
    assert (reply.status, (await standing(he))["profile"], (await standing(he))["phone"]) == (200, False, True)
    nickname, name, phone = await kept(town)
    assert (nickname, name, len(phone)) == ("", "", 11)
    assert (await he.ask("DELETE", "/me/consents/phone")).status == 200
    assert await kept(town) == ("", "", "")
    assert (await he.ask("PATCH", "/me", json={"nickname": NICKNAME})).code == "consent_needed"


async def test_a_nickname_taken_back_leaves_what_was_said_before(he: Caller):
    await agree(he, Purpose.PROFILE, Purpose.ROOM)
    await he.ask("PUT", "/me/grid", json={"code": GRID})
    await he.ask("PATCH", "/me", json={"nickname": NICKNAME})
    room = (await he.get("/rooms")).json["items"][0]["id"]
    said = await he.post(f"/rooms/{room}/messages", {"client_id": "1", "text": "早上好"})
    assert said.json["author"]["label"] == NICKNAME
    await he.ask("DELETE", "/me/consents/profile")
    entry = (await he.get(f"/rooms/{room}/messages")).json["items"][0]
    assert (entry["text"], entry["author"]["label"][:2]) == ("早上好", "邻居")
    assert await fetch("SELECT id FROM room_message t WHERE position($1 IN t::text) > 0", NICKNAME) == []


async def test_answers_kept_for_repeated_requests_go_with_the_consent(town: Town, he: Caller):
    await agree(he, Purpose.PROFILE)
    key = {"Idempotency-Key": "name-1"}
    assert (await he.ask("PATCH", "/me", json={"name": NAME}, headers=key)).json["name"] == NAME
    kept_answers = "SELECT count(*) AS n FROM idempotent_request WHERE position($1 IN body) > 0"
    assert (await fetch(kept_answers, NAME))[0]["n"] == 1
    taken = await he.ask("DELETE", "/me/consents/profile", headers={"Idempotency-Key": "take-1"})
    assert (taken.status, (await fetch(kept_answers, NAME))[0]["n"]) == (200, 0)
    assert (await he.ask("DELETE", "/me/consents/profile", headers={"Idempotency-Key": "take-1"})).raw == taken.raw


async def test_taking_back_the_place_takes_it_off_the_cases(town: Town, he: Caller):
    await agree(he, Purpose.SERVICE, Purpose.LOCATION)
    await he.ask("PUT", "/me/grid", json={"code": GRID})
    await he.post("/cases", {"text": "东门的垃圾满了", "position": {"latitude": 30.5642, "longitude": 114.3692}})
    await he.ask("DELETE", "/me/consents/location")
    case = await Case.get()
    assert (case.latitude, case.longitude, case.grid_id is None) == (None, None, False)


async def test_a_new_text_is_asked_anew(he: Caller, monkeypatch: pytest.MonkeyPatch):
    await agree(he, Purpose.PROFILE)
    now = dict(consents.texts())
    now[Purpose.PROFILE] = replace(now[Purpose.PROFILE], version=2, text=now[Purpose.PROFILE].text + "（新）")
    monkeypatch.setattr(consents, "texts", lambda: now)
    assert (await standing(he))["profile"] is False
    assert (await he.ask("PATCH", "/me", json={"nickname": NICKNAME})).code == "consent_needed"
    old = await he.ask("PUT", "/me/consents/profile", json={"version": 1})
    assert (old.status, old.code) == (409, "conflict")
    assert (await he.ask("PUT", "/me/consents/profile", json={"version": 2})).status == 200
    assert (await standing(he))["profile"] is True
    rows = await PurposeConsent.filter(purpose=Purpose.PROFILE).order_by("id")
    assert [(row.version, row.ended_at is None) for row in rows] == [(1, False), (2, True)]


async def test_what_was_agreed_to_when_stays_on_record_and_is_audited(he: Caller):
    await agree(he, Purpose.PROFILE)
    await agree(he, Purpose.PROFILE)  # once more changes nothing
    await he.ask("DELETE", "/me/consents/profile")
    await he.ask("DELETE", "/me/consents/profile")
    row = await PurposeConsent.get(purpose=Purpose.PROFILE)
    assert row.source.startswith("api:")
    tags = [event.tag for event in await AuditEvent.filter(tag__contains=":profile").order_by("id")]
    assert tags == ["consent:profile", "withdraw:profile"]


async def test_nobody_is_asked_for_anything_before_the_question_for_the_age(he: Caller):
    for purpose in Purpose:
        reply = await he.ask("PUT", f"/me/consents/{purpose}", json={"version": consents.texts()[purpose].version})
        assert (reply.status, reply.fields) == (403, ["consent.age"])
    assert await PurposeConsent.all().count() == 0


async def test_for_a_child_nothing_is_kept_until_a_guardian_agrees(town: Town, he: Caller):
    assert (await he.ask("PUT", "/me/age", json={"over_fourteen": False})).status == 200
    refused = await he.ask("PUT", "/me/consents/profile", json={"version": 1})
    assert (refused.status, refused.fields) == (403, ["consent.guardian"])
    named = await he.post("/cases", {"text": "3栋2单元楼道灯坏了"})
    assert (named.status, named.code) == (403, "consent_needed")
    assert (await he.post("/cases", {"text": "3栋2单元楼道灯坏了", "anonymous": True})).status == 201
    assert (await he.ask("PUT", "/me/consents/guardian", json={"version": 1})).status == 200
    assert (await he.ask("PUT", "/me/consents/profile", json={"version": 1})).status == 200
    assert (await he.ask("PATCH", "/me", json={"nickname": NICKNAME})).status == 200


async def test_a_guardian_who_takes_it_back_takes_everything_back(town: Town, he: Caller):
    await he.ask("PUT", "/me/age", json={"over_fourteen": False})
    for purpose in (Purpose.GUARDIAN, Purpose.PROFILE, Purpose.SERVICE, Purpose.ROOM):
        await he.ask("PUT", f"/me/consents/{purpose}", json={"version": 1})
    await he.ask("PATCH", "/me", json={"nickname": NICKNAME, "name": NAME})
    await he.ask("DELETE", "/me/consents/guardian")
    assert not any((await standing(he)).values())
    assert await kept(town) == ("", "", "")


async def test_what_was_kept_of_a_child_who_had_not_said_so_is_discarded(town: Town, he: Caller):
    await agree(he, Purpose.PROFILE, Purpose.ROOM)
    await he.ask("PATCH", "/me", json={"nickname": NICKNAME})
    assert (await he.ask("PUT", "/me/age", json={"over_fourteen": False})).status == 200
    assert not any((await standing(he)).values())
    assert await kept(town) == ("", "", "")


async def test_a_child_does_not_become_older_by_saying_so(he: Caller):
    await he.ask("PUT", "/me/age", json={"over_fourteen": False})
    reply = await he.ask("PUT", "/me/age", json={"over_fourteen": True})
    assert (reply.status, (await he.get("/me")).json["minor"]) == (409, True)


async def test_a_grown_up_needs_no_guardian(he: Caller):
    await agree(he)
    assert (await he.ask("PUT", "/me/consents/guardian", json={"version": 1})).status == 409


@pytest.mark.parametrize(
    "nickname",
    ["网格员王芳", "社区李主任", "官方客服", "13812345678", "代开发票", "\u202e张三网格员", "老王420106199001011234"],
)
async def test_nobody_looks_like_staff_or_shows_numbers_by_their_nickname(town: Town, he: Caller, nickname: str):
    await agree(he, Purpose.PROFILE)
    reply = await he.ask("PATCH", "/me", json={"nickname": nickname})
    assert (reply.status, (await kept(town))[0]) == (400, "")


async def test_a_nickname_is_kept_as_typed_without_what_cannot_be_seen(town: Town, he: Caller):
    await agree(he, Purpose.PROFILE)
    assert (await he.ask("PATCH", "/me", json={"nickname": " <b>老\u200b何</b>  家 "})).status == 200
    assert (await kept(town))[0] == "<b>老何</b> 家"
    assert (await he.ask("PATCH", "/me", json={"nickname": ""})).json["nickname"] == ""


async def test_a_grid_is_found_by_name_and_chosen(he: Caller):
    found = (await he.get("/grids", params={"words": "第二"})).json["items"]
    assert found
    assert all("第二" in one["grid"] + one["community"] for one in found)
    assert (await he.ask("PUT", "/me/grid", json={"grid_id": found[0]["grid_id"]})).json["grid"] == found[0]["grid"]
    assert (await he.ask("PUT", "/me/grid", json={"code": GRID})).json["grid"] == "第一网格"
    absent = await he.ask("PUT", "/me/grid", json={"grid_id": 999_999})
    both = await he.ask("PUT", "/me/grid", json={"grid_id": found[0]["grid_id"], "code": GRID})
    assert (absent.status, both.status) == (404, 400)
    assert (await he.get("/me")).json["home"]["grid"] == "第一网格"


async def test_the_list_of_grids_goes_on_where_it_ended(he: Caller):
    whole = (await he.get("/grids", params={"limit": 100})).json["items"]
    pages, cursor = [], ""
    while True:
        page = (await he.get("/grids", params={"limit": 2, "cursor": cursor})).json
        pages += page["items"]
        if not (cursor := page["next"]):
            break
    assert pages == whole
    assert len(whole) > 3


@pytest.mark.parametrize("field", ["status", "role", "grid_id", "user_id", "minor", "unionid"])
async def test_what_is_not_to_be_set_here_is_refused_by_name(he: Caller, field: str):
    await agree(he, Purpose.PROFILE)
    reply = await he.ask("PATCH", "/me", json={"nickname": NICKNAME, field: "1"})
    assert (reply.status, reply.fields) == (400, [field])
