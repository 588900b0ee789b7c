"""住户档案 over the API: claimed and confirmed, kept by staff, read and put right by whom it is about; rules tried."""

from __future__ import annotations

from app.demo import settle_homes
from domain import consents
from domain.people import find_person
from models.audit import AuditEvent
from models.enums import Purpose
from models.people import Staff
from models.people_facts import HouseholdMember
from tests.api.conftest import SignIn
from tests.town import CHEN, Town

HOME = {"place": "3栋2单元501", "name": "陈秀英"}


async def test_a_resident_claims_a_home_staff_confirm_and_both_keep_the_record(town: Town, sign_in: SignIn):
    await settle_homes(town.clock())
    chen, worker = await sign_in(CHEN), await sign_in(staff=await Staff.get(code="G001"))
    refused = await chen.ask("PUT", "/me/household", json=HOME)
    assert (refused.status, refused.fields) == (403, ["consent.profile"])
    person = await find_person(CHEN, town.clock())
    await consents.say_age(person, over_fourteen=True, now=town.clock())
    await consents.give(person, Purpose.PROFILE, consents.texts()[Purpose.PROFILE].version, town.clock())
    assert (await chen.ask("PUT", "/me/household", json=HOME | {"place": "楼上"})).status == 400
    claimed = (await chen.ask("PUT", "/me/household", json=HOME)).json["record"]
    assert (claimed["claimed"], claimed["birthday"], claimed["relation"]) == (True, None, "")
    assert [fact for fact in claimed["facts"] if fact["value"] is not None] == [], "nothing is shown before it is sure"
    [waiting] = (await worker.get("/claims")).json["items"]
    assert (waiting["name"], waiting["place"], waiting["linked"]) == ("陈秀英", "3栋2单元501", False)
    assert (await worker.post(f"/members/{waiting['id']}/confirm")).json["linked"] is True
    assert (await worker.post(f"/members/{waiting['id']}/confirm")).status == 409
    mine = (await chen.ask("PATCH", "/me/record", json={"changes": {"dog": True, "birthday": "1968-02-29"}})).json
    assert mine["record"]["birthday"] == "1968-02-29"
    assert {one["code"]: one["said"] for one in mine["record"]["facts"] if one["said"]}["dog"] == "是"
    assert (await chen.ask("PATCH", "/me/record", json={"changes": {"birthday": "2030-01-01"}})).status == 400
    seen = (await worker.get(f"/members/{waiting['id']}")).json
    assert {fact["code"] for fact in seen["facts"] if fact["value"]} == {"dog", "licence_expires"}
    assert (await chen.ask("DELETE", "/me/household")).status == 204
    assert (await chen.get("/me/record")).json == {"record": None}


async def test_staff_find_write_and_remove_members_and_reading_what_is_sensitive_is_noted(town: Town, sign_in: SignIn):
    await settle_homes(town.clock())
    worker, community = (
        await sign_in(staff=await Staff.get(code="G001")),
        await sign_in(staff=await Staff.get(code="S001")),
    )
    [home] = (await worker.get("/households", params={"q": "3栋302"})).json["items"]
    [zhou] = (await worker.get(f"/households/{home['id']}/members")).json["items"]
    assert "facts" not in zhou
    assert await AuditEvent.filter(tag="member:read_sensitive").count() == 0
    await worker.get(f"/members/{zhou['id']}")
    assert await AuditEvent.filter(tag="member:read_sensitive", object_id=zhou["id"]).count() == 1
    made = await worker.post(f"/households/{home['id']}/members", {"name": "周小福", "birthday": "2019-05-06"})
    assert (made.status, made.json["birthday"]) == (201, "2019-05-06")
    assert (await worker.post(f"/households/{home['id']}/members", {"name": "周小福"})).status == 409
    wrong = await worker.ask("PUT", f"/members/{zhou['id']}/facts/hukou", json={"value": "火星"})
    assert (wrong.status, "请写其中一个：本地、外地" in wrong.json["error"]["say"]) == (400, True)
    assert (await worker.ask("DELETE", f"/members/{made.json['id']}")).status == 204
    places, cursor = [], ""
    while True:
        page = (await community.get("/households", params={"limit": 2, "cursor": cursor})).json
        places += [one["place"] for one in page["items"]]
        if not (cursor := page["next"]):
            break
    assert len(places) == len(set(places)) == 7
    preview = await community.post("/audience-previews", {"audience": {"fact": "dibao", "is": True}})
    assert (preview.json["words"], preview.json["people"], preview.json["ways"]) == ("低保的人", 1, {"hand": 1})
    assert preview.json["sample"] == [{"name": "周**", "place": "3栋", "via": "hand"}]
    assert (await worker.post("/audience-previews", {"audience": {"fact": "dibao", "is": True}})).status == 403
    wrong = await community.post("/audience-previews", {"audience": {"age": {"from": 90, "to": 80}}})
    assert (wrong.status, wrong.json["error"]["say"]) == (400, "人群：年龄从 90 到 80 写反了。")
    born = {"audience": {"followers": False}, "event": {"from": "birthday", "years": 80, "days_before": 30}}
    said = (await community.post("/audience-previews", born)).json["words"]
    assert said == "没有关注公众号的人，满 80 岁，提前 30 天"
    assert await HouseholdMember.filter(name="周小福").count() == 0


async def test_topics_are_switched_one_by_one_and_all_at_once(town: Town, sign_in: SignIn):
    chen = await sign_in(CHEN)
    await chen.ask("PUT", "/me/topics", json={"topic": "elder", "wanted": False})
    found = {one["topic"]: one["wanted"] for one in (await chen.get("/me/topics")).json["items"]}
    assert [topic for topic, wanted in found.items() if not wanted] == ["elder"]
    await chen.ask("PUT", "/me/topics", json={"topic": "*", "wanted": False})
    assert not any(one["wanted"] for one in (await chen.get("/me/topics")).json["items"])
    await chen.ask("PUT", "/me/topics", json={"topic": "*", "wanted": True})
    assert all(one["wanted"] for one in (await chen.get("/me/topics")).json["items"])
    assert (await chen.ask("PUT", "/me/topics", json={"topic": "safety", "wanted": False})).status == 403
    assert (await chen.ask("PUT", "/me/topics", json={"topic": "没有的", "wanted": False})).status == 400
    assert (await chen.get("/me/why-told")).status == 404
