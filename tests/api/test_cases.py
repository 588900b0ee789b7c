"""A resident's cases over the API: from the first words to the rating, and what they may read on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from models.accounts import PurposeConsent
from models.cases import Attachment, Case
from models.enums import Purpose
from models.people import Resident, Staff
from tests.api.caller import Caller
from tests.api.conftest import SignIn
from tests.api.files import picture
from tests.api.test_uploads import opened, send
from tests.town import CHEN, LI, WANG, ZHOU, Town

LAMP = "3栋2单元楼道灯坏了好几天了，晚上老人上下楼看不见"


async def agree(openid: str, *purposes: Purpose) -> None:
    """What they would tap in the mini-program."""
    resident = await Resident.get(openid=openid)
    for purpose in purposes or (Purpose.SERVICE, Purpose.LOCATION):
        await PurposeConsent.create(resident=resident, purpose=purpose, version=1, given_at=resident.created_at)


@pytest.fixture
async def chen(town: Town, sign_in: SignIn) -> Caller:
    await town.say(CHEN, "你好")
    await agree(CHEN)
    return await sign_in(CHEN)


@pytest.fixture
async def wang(town: Town, sign_in: SignIn) -> Caller:
    await town.say(WANG, "待办")
    return await sign_in(WANG)


async def reported(chen: Caller, **more: Any) -> dict[str, Any]:
    reply = await chen.post("/cases", {"text": LAMP} | more)
    assert reply.status == 201, reply.json
    return reply.json


async def disposed(wang: Caller, path: str) -> None:
    """The grid worker says what was done."""
    photo = (await send(wang, picture(colour="gold"))).json
    reply = await wang.post(f"{path}/disposal", {"result": "换了灯泡，已经亮了，请放心", "uploads": [photo["id"]]})
    assert reply.status == 200, reply.json


async def test_before_it_is_handed_in_a_report_is_shown_as_it_is_understood(chen: Caller):
    reply = await chen.post("/reports/preview", {"text": LAMP})
    assert reply.status == 200
    seen = reply.json
    assert (seen["subject"], seen["place"].startswith("3栋2单元"), seen["urgent"]) == ("楼道照明损坏", True, False)
    assert 1 <= len(seen["kinds"]) <= 3
    assert seen["kinds"][0]["category"] == seen["category"]
    assert await Case.all().count() == 0


async def test_who_chooses_another_kind_gets_that_kind(chen: Caller):
    reply = await chen.post("/reports/preview", {"text": LAMP, "category": "lighting.street"})
    made = await reported(chen, category="lighting.street")
    assert reply.json["category"] == (await Case.get(id=made["id"])).category == "lighting.street"
    wrong = await chen.post("/cases", {"text": LAMP, "category": "no.such.kind"})
    assert (wrong.status, wrong.code) == (400, "bad_request")


async def test_danger_is_answered_with_what_to_do_now_and_becomes_urgent(town: Town, chen: Caller):
    text = "我家闻到很浓的煤气味"
    seen = (await chen.post("/reports/preview", {"text": text})).json
    assert seen["urgent"]
    assert "开门窗" in seen["advice"]
    await reported(chen, text=text)
    assert (await Case.first()).urgency == "urgent"
    await town.deliver()
    assert town.last(LI).startswith("紧急")


async def test_a_report_gets_a_number_an_owner_and_a_promised_time_and_the_owner_gets_the_photo(
    town: Town, chen: Caller, wang: Caller
):
    photo = (await send(chen, picture(colour="navy"))).json
    made = await reported(chen, uploads=[photo["id"]])
    assert (made["holder"], made["status"]) == ("网格员王芳", "dispatched")
    assert made["number"].split("-")[1] in made["say"]
    assert made["due_at"] > town.clock().isoformat()
    await town.deliver()
    pictures = [push for push in town.platform.pushes(WANG) if push.kind == "image"]
    assert len(pictures) == 1
    assert "楼道照明损坏" in town.last(WANG)


async def test_a_photo_that_is_gone_does_not_hold_up_the_task(town: Town, chen: Caller, wang: Caller):
    photo = (await send(chen, picture())).json
    made = await reported(chen, uploads=[photo["id"]])
    (town.services.media / (await Attachment.get(case_id=made["id"])).path).unlink()
    await town.deliver()
    assert "新任务" in town.last(WANG)
    assert "image" not in [push.kind for push in town.platform.pushes(WANG)]
    url = (await chen.get(f"/cases/{made['id']}")).json["photos"][0]["url"]
    assert (await opened(chen, town, url)).status == 404


async def test_a_photo_in_a_case_is_here_already_and_is_seen_by_its_people_alone(
    town: Town, chen: Caller, wang: Caller, sign_in: SignIn
):
    photo = (await send(chen, picture())).json
    made = await reported(chen, uploads=[photo["id"]])
    attachment = await Attachment.get(case_id=made["id"])
    assert (attachment.content_type, attachment.size) == ("image/jpeg", photo["size"])
    for caller in (chen, wang):
        shown = (await caller.get(f"/cases/{made['id']}")).json["photos"]
        assert [one["after"] for one in shown] == [False]
        assert len((await opened(caller, town, shown[0]["url"])).raw) == photo["size"]
    await town.say("o_sim_stranger", "你好")
    stranger = await sign_in("o_sim_stranger")
    assert (await stranger.get(f"/cases/{made['id']}")).status == 404
    assert (await stranger.post("/files/links", {"names": [f"a{attachment.id}"]})).json["items"] == []


async def test_an_address_of_a_photo_ends_with_the_right_to_see_it(town: Town, chen: Caller, wang: Caller):
    photo = (await send(chen, picture())).json
    made = await reported(chen, uploads=[photo["id"]])
    url = (await chen.get(f"/cases/{made['id']}")).json["photos"][0]["url"]
    assert (await opened(chen, town, url)).status == 200
    await Case.filter(id=made["id"]).update(reporter_id=None)
    assert (await opened(chen, town, url)).status == 404


async def test_the_whole_way_from_report_to_rating(town: Town, chen: Caller, wang: Caller):
    made = await reported(chen)
    path = f"/cases/{made['id']}"
    assert (await chen.get(path)).json["may"] == ["supplement", "urge", "withdraw"]
    assert (await wang.post(f"{path}/sign")).json["status"] == "disposing"
    after = (await send(wang, picture(colour="yellow"))).json
    done = await wang.post(f"{path}/disposal", {"result": "换了灯泡和开关，已经亮了", "uploads": [after["id"]]})
    assert (done.status, done.json["status"]) == (200, "verified")
    view = (await chen.get(path)).json
    assert (view["result"], view["holder"], view["relation"]) == ("换了灯泡和开关，已经亮了", "网格员王芳", "reporter")
    assert [one["after"] for one in view["photos"]] == [True]
    assert {"close", "reopen"} <= set(view["may"])
    rated = await chen.post(f"{path}/rating", {"solved": True, "satisfaction": 3, "comment": "来得快"})
    assert (rated.status, rated.json["status"]) == (200, "closed")
    view = (await chen.get(path)).json
    assert (view["solved"], view["satisfaction"], view["comment"]) == (True, 3, "来得快")
    assert [step["verb"] for step in view["steps"]][-3:] == ["close", "rate", "comment"]


async def test_not_solved_opens_it_again_and_needs_no_second_form(town: Town, chen: Caller, wang: Caller):
    made = await reported(chen)
    path = f"/cases/{made['id']}"
    await disposed(wang, path)
    again = await chen.post(f"{path}/rating", {"solved": False, "comment": "又不亮了"})
    assert again.status == 200, again.json
    assert again.json["status"] == "dispatched"
    assert (await Case.get(id=made["id"])).reopened == 1


async def test_a_rating_that_says_nothing_is_refused(chen: Caller, wang: Caller):
    made = await reported(chen)
    await disposed(wang, f"/cases/{made['id']}")
    reply = await chen.post(f"/cases/{made['id']}/rating", {})
    assert (reply.status, reply.code) == (400, "bad_request")


async def test_urging_adding_and_taking_back(town: Town, chen: Caller, wang: Caller):
    made = await reported(chen)
    path = f"/cases/{made['id']}"
    assert "网格员王芳" in (await chen.post(f"{path}/urge")).json["say"]
    photo = (await send(chen, picture())).json
    place = {"latitude": 30.53, "longitude": 114.34}
    added = await chen.post(f"{path}/supplements", {"text": "还有一盏", "uploads": [photo["id"]], "position": place})
    assert added.status == 200
    view = (await chen.get(path)).json
    assert [step["verb"] for step in view["steps"]][-3:] == ["urge", "supplement", "supplement"]
    assert len(view["photos"]) == 1
    empty = await chen.post(f"{path}/supplements", {})
    assert (empty.status, empty.json["error"]["say"]) == (400, "请说一句要补充的情况。")
    assert (await chen.post(f"{path}/withdrawal")).json["status"] == "withdrawn"
    late = await chen.post(f"{path}/urge")
    assert (late.status, late.code) == (409, "conflict")


async def test_own_cases_come_in_pages_newest_first(town: Town, chen: Caller):
    numbers = []
    for number in range(5):
        town.clock.advance(timedelta(minutes=15))
        numbers.append((await reported(chen, text=f"{number + 1}栋楼道灯坏了"))["number"])
    first = (await chen.get("/cases", params={"limit": 2})).json
    rest = (await chen.get("/cases", params={"limit": 3, "cursor": first["next"]})).json
    assert [one["number"] for one in first["items"] + rest["items"]] == numbers[::-1]
    assert rest["next"] == ""
    assert (await chen.get("/cases", params={"open": "false"})).json["items"] == []
    forged = await chen.get("/cases", params={"cursor": first["next"][:-1] + "x"})
    assert (forged.status, forged.code) == (400, "bad_request")
    other = await chen.get("/cases", params={"cursor": first["next"], "open": "true"})
    assert other.status == 400


async def test_a_neighbour_joins_instead_of_reporting_again_and_reads_what_neighbours_may(
    town: Town, chen: Caller, sign_in: SignIn
):
    made = await reported(chen, text="小区东门的路灯不亮了，电话13812345678")
    neighbour = "o_sim_neighbour"
    await town.send(neighbour, "text", text="你好")
    home = (await Resident.get(openid=CHEN)).grid_id
    await Resident.filter(openid=neighbour).update(grid_id=home)
    await agree(neighbour)
    other = await sign_in(neighbour)
    seen = (await other.post("/reports/preview", {"text": "东门路灯不亮"})).json
    assert seen["similar"]["number"] == made["number"]
    photo = (await send(other, picture())).json
    joined = await other.post(f"/cases/{made['id']}/follow", {"text": "我家门口也是", "uploads": [photo["id"]]})
    assert (joined.status, joined.json["joined"]) == (200, 1)
    assert [one["number"] for one in (await other.get("/followed")).json["items"]] == [made["number"]]
    one = await other.get(f"/followed/{made['id']}")
    assert (one.status, "13812345678" in one.raw.decode()) == (200, False)
    assert (await other.get(f"/cases/{made['id']}")).status == 404
    # Who reported it sees that others have it too, and not what they sent.
    assert (await chen.get(f"/cases/{made['id']}")).json["photos"] == []
    again = await other.post(f"/cases/{made['id']}/follow", {})
    assert again.status == 409
    assert (await other.ask("DELETE", f"/cases/{made['id']}/follow")).status == 204
    assert (await other.get("/followed")).json["items"] == []


async def test_without_consent_a_report_needs_no_name_and_then_has_none(town: Town, sign_in: SignIn):
    await town.say(CHEN, "你好")
    chen = await sign_in(CHEN)
    asked = await chen.post("/cases", {"text": LAMP})
    assert (asked.status, asked.code) == (403, "consent_needed")
    photo = (await send(chen, picture())).json
    made = await reported(chen, anonymous=True, uploads=[photo["id"]])
    case = await Case.get(id=made["id"])
    assert (case.reporter_id, case.anonymous) == (None, True)
    assert "没有记下是谁" in made["say"]
    assert (await chen.get("/cases")).json["items"] == []
    assert (await chen.post("/files/links", {"names": ["u" + photo["id"].replace("-", "")]})).json["items"] == []


async def test_a_position_needs_its_own_consent_and_is_kept_as_maps_here_have_it(town: Town, sign_in: SignIn):
    await town.say(CHEN, "你好")
    await agree(CHEN, Purpose.SERVICE)
    chen = await sign_in(CHEN)
    here = {"latitude": 30.5301, "longitude": 114.3401, "datum": "wgs84"}
    assert (await chen.post("/cases", {"text": LAMP, "position": here})).code == "consent_needed"
    await agree(CHEN, Purpose.LOCATION)
    made = await reported(chen, position=here)
    case = await Case.get(id=made["id"])
    assert case.latitude == pytest.approx(30.5301, abs=0.01)
    assert abs(case.latitude - 30.5301) > 0.0005  # moved into GCJ-02


async def test_who_reported_without_showing_their_name_is_not_named_to_staff(town: Town, chen: Caller, wang: Caller):
    await Resident.filter(openid=CHEN).update(name="陈秀兰", phone="13812345678")
    hidden = await reported(chen, anonymous=True)
    open_one = await reported(chen)
    refused = await wang.get(f"/cases/{hidden['id']}/contact")
    known = await wang.get(f"/cases/{open_one['id']}/contact")
    assert (refused.status, known.json) == (404, {"name": "陈秀兰", "phone": "13812345678"})
    assert "陈秀兰" not in (await wang.get(f"/cases/{hidden['id']}")).raw.decode()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": LAMP, "status": "closed"}, "status"),
        ({"text": LAMP, "reporter_id": 1}, "reporter_id"),
        ({"text": "灯" * 2001}, "text"),
        ({"text": LAMP, "uploads": ["x"]}, "uploads.0"),
        ({"text": LAMP, "position": {"latitude": 91, "longitude": 0}}, "position.latitude"),
    ],
)
async def test_what_does_not_belong_into_a_report_is_named(chen: Caller, body: dict[str, Any], field: str):
    reply = await chen.post("/cases", body)
    assert (reply.status, reply.fields) == (400, [field])
    assert await Case.all().count() == 0


async def test_hidden_characters_do_not_get_into_a_case(chen: Caller):
    made = await reported(chen, text="楼道灯\u202e坏了\x07\x1b[31m")
    assert (await Case.get(id=made["id"])).description == "楼道灯坏了[31m"


async def test_the_eleventh_report_of_an_hour_has_to_wait(chen: Caller):
    statuses = [(await chen.post("/cases", {"text": LAMP})).status for _ in range(11)]
    assert statuses == [201] * 10 + [429]


async def test_a_report_sent_twice_is_one_case(chen: Caller):
    key = {"Idempotency-Key": "report-1"}
    first, second = [await chen.post("/cases", {"text": LAMP}, headers=key) for _ in range(2)]
    assert first.json == second.json
    assert await Case.all().count() == 1


async def test_staff_do_not_use_what_is_for_residents(town: Town, sign_in: SignIn):
    zhou = await sign_in(staff=await Staff.get(openid=ZHOU))
    assert (await zhou.post("/cases", {"text": LAMP})).status == 403
