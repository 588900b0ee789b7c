"""What staff do in the field: to-do, rounds, reporting for somebody else, calls, the shortlist, who decides what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.contacts import forget_contacts
from models.audit import AuditEvent
from models.cases import Attachment, Case
from models.enums import Purpose
from models.people import Area, Resident, Staff
from tests.api.caller import Caller, Reply
from tests.api.conftest import SignIn
from tests.api.files import picture
from tests.api.test_cases import agree
from tests.api.test_uploads import send
from tests.town import CHEN, LI, WANG, Town

LAMP = "3栋2单元楼道灯坏了好几天了"
DONE = "换了灯泡和开关，已经亮了，请放心"


@pytest.fixture
async def chen(town: Town, sign_in: SignIn) -> Caller:
    await town.say(CHEN, "你好")
    await agree(CHEN, Purpose.SERVICE)
    return await sign_in(CHEN)


@pytest.fixture
async def wang(town: Town, sign_in: SignIn) -> Caller:
    await town.say(WANG, "待办")
    return await sign_in(WANG)


@pytest.fixture
async def li(town: Town, sign_in: SignIn) -> Caller:
    await town.say(LI, "待办")
    return await sign_in(LI)


async def dispose(caller: Caller, case_id: int) -> Reply:
    """Say what was done, with the photo most matters want."""
    photo = (await send(caller, picture(colour="gold"))).json
    return await caller.post(f"/cases/{case_id}/disposal", {"result": DONE, "uploads": [photo["id"]]})


async def reported(chen: Caller, text: str = LAMP) -> dict[str, Any]:
    reply = await chen.post("/cases", {"text": text})
    assert reply.status == 201, reply.json
    return reply.json


async def told(wang: Caller, **more: Any) -> dict[str, Any]:
    """A report for somebody who called."""
    body = {"text": LAMP, "name": "张奶奶", "phone": "13812345678", "agreed": True}
    reply = await wang.post("/on-behalf", body | more)
    assert reply.status == 201, reply.json
    return reply.json


async def test_the_to_do_has_what_is_due_first_in_front_page_by_page(town: Town, chen: Caller, wang: Caller):
    numbers = [(await reported(chen, f"{number + 1}栋楼道灯坏了"))["number"] for number in range(3)]
    for days, number in zip((3, 1, 2), numbers, strict=True):
        await Case.filter(number=number).update(due_at=town.clock() + timedelta(days=days))
    first = (await wang.get("/tasks", params={"limit": 2})).json
    rest = (await wang.get("/tasks", params={"limit": 2, "cursor": first["next"]})).json
    assert [one["number"] for one in first["items"] + rest["items"]] == [numbers[1], numbers[2], numbers[0]]
    assert (len(first["items"]), rest["next"]) == (2, "")
    await Case.filter(number=numbers[1]).update(due_at=town.clock() - timedelta(minutes=1))
    assert [one["overdue"] for one in (await wang.get("/tasks")).json["items"]] == [True, False, False]


async def test_signing_noting_and_disposing_with_photos(town: Town, chen: Caller, wang: Caller):
    path = f"/cases/{(await reported(chen))['id']}"
    assert "sign" in (await wang.get(path)).json["may"]
    await wang.post(f"{path}/sign")
    photo = (await send(wang, picture())).json
    assert (await wang.post(f"{path}/notes", {"text": "在等配件", "uploads": [photo["id"]]})).status == 200
    after = (await send(wang, picture(colour="gold"))).json
    await wang.post(f"{path}/disposal", {"result": DONE, "uploads": [after["id"]]})
    await town.deliver()
    assert DONE in town.last(CHEN)
    assert [push.kind for push in town.platform.pushes(CHEN)].count("image") == 1
    assert await Attachment.filter(after=True).count() == 2


async def test_a_memo_is_read_by_staff_alone(chen: Caller, wang: Caller):
    path = f"/cases/{(await reported(chen))['id']}"
    await wang.post(f"{path}/memos", {"text": "钥匙在门卫"})
    assert "钥匙在门卫" in (await wang.get(path)).raw.decode()
    assert "钥匙在门卫" not in (await chen.get(path)).raw.decode()


async def test_what_one_asks_another_decides(town: Town, chen: Caller, wang: Caller, li: Caller):
    case = await reported(chen)
    path = f"/cases/{case['id']}"
    await wang.post(f"{path}/sign")
    until = (town.clock() + timedelta(days=20)).isoformat()
    asked = await wang.post(f"{path}/requests", {"kind": "extend", "reason": "等配件", "until": until})
    assert (asked.status, "李主任" in asked.json["say"]) == (200, True)
    assert (await wang.post(f"{path}/decision", {"kind": "extend", "agree": True})).status == 403
    inbox = (await li.get("/tasks/inbox")).json
    assert [one["number"] for one in inbox["decisions"]] == [case["number"]]
    view = (await li.get(path)).json
    assert (view["request"], "decide" in view["may"]) == ("extend", True)
    assert (await li.post(f"{path}/decision", {"kind": "extend", "agree": True})).status == 200
    assert (await chen.get(path)).json["due_at"] > case["due_at"]
    naive = await wang.post(f"{path}/requests", {"kind": "suspend", "reason": "等开春", "until": "2026-12-20T00:00:00"})
    assert (naive.status, naive.fields) == (400, ["until"])


async def test_a_return_that_is_refused_needs_a_reason_and_changes_nothing(chen: Caller, wang: Caller, li: Caller):
    path = f"/cases/{(await reported(chen))['id']}"
    await wang.post(f"{path}/requests", {"kind": "return", "reason": "不是我这里的"})
    assert (await li.post(f"{path}/decision", {"kind": "return", "agree": False})).status == 400
    refused = await li.post(f"{path}/decision", {"kind": "return", "agree": False, "reason": "就在您网格里"})
    assert (refused.status, refused.json["status"]) == (200, "dispatched")


async def test_transfer_escalation_and_giving_to_a_grid(chen: Caller, wang: Caller, li: Caller, sign_in: SignIn):
    first, second = await reported(chen), await reported(chen, "5栋楼道灯坏了")
    offered = await wang.post(f"/cases/{first['id']}/transfer", {"to": "刘洋", "reason": "在他那边"})
    assert (offered.status, "刘洋" in offered.json["say"]) == (200, True)
    liu = await sign_in(staff=await Staff.get(name="刘洋"))
    assert [one["id"] for one in (await liu.get("/tasks/inbox")).json["decisions"]] == [first["id"]]
    assert (await liu.post(f"/cases/{first['id']}/takeover")).json["status"] == "disposing"
    up = await wang.post(f"/cases/{second['id']}/escalation", {"reason": "要换线路，得物业来"})
    assert "李主任" in up.json["say"]
    assert (await Case.get(id=second["id"])).holder_id == (await Staff.get(name="李主任")).id


async def test_what_is_found_on_a_round_is_nobodys_and_is_checked_by_the_community(
    town: Town, wang: Caller, li: Caller
):
    before = (await send(wang, picture())).json
    found = await wang.post("/patrols", {"text": "4栋门口路灯不亮", "uploads": [before["id"]]})
    assert found.status == 201, found.json
    case = await Case.get(id=found.json["id"])
    assert (case.source, case.reporter_id, case.grid_id) == ("patrol", None, (await Staff.get(name="王芳")).area_id)
    steps = (await wang.get(f"/cases/{case.id}")).json["steps"]
    assert (steps[0]["verb"], steps[0]["actor"]) == ("report", "网格员王芳")
    await Case.filter(id=case.id).update(holder_id=(await Staff.get(name="王芳")).id, status="dispatched")
    done = await wang.post(f"/cases/{case.id}/disposal", {"result": DONE, "uploads": [before["id"]]})
    assert (done.status, done.json["status"]) == (200, "disposed")
    assert [one["id"] for one in (await li.get("/tasks/inbox")).json["checks"]] == [case.id]
    assert (await wang.post(f"/cases/{case.id}/verification")).status == 403
    checked = await li.post(f"/cases/{case.id}/verification")
    assert (checked.status, checked.json["status"]) == (200, "closed")
    case = await Case.get(id=case.id)
    assert (case.outcome, case.solved, case.satisfaction) == ("solved", None, None)


async def test_small_things_are_put_right_on_the_spot(town: Town, wang: Caller, li: Caller):
    after = (await send(wang, picture())).json
    reply = await wang.post("/patrols", {"text": LAMP, "result": DONE, "after": [after["id"]]})
    assert (reply.status, reply.json["status"]) == (201, "disposed")
    await town.deliver()
    assert "待核查" in town.last(LI)
    assert town.heard(WANG) == []  # nobody is told of what they did themselves


async def test_what_is_somebody_elses_duty_is_not_put_right_on_the_spot_and_leaves_nothing(li: Caller):
    grid = await Area.get(code="429906001001001")
    reply = await li.post("/patrols", {"text": LAMP, "grid_id": grid.id, "result": DONE})
    assert (reply.status, reply.code) == (409, "conflict")
    assert "归网格员王芳办" in reply.json["error"]["say"]
    assert await Case.all().count() == 0


async def test_a_round_leads_through_ones_own_area_only(li: Caller, wang: Caller):
    own, other = await Area.get(code="429906001001002"), await Area.get(code="429906001002001")
    assert (await li.post("/patrols", {"text": LAMP, "grid_id": own.id})).status == 201
    assert (await li.post("/patrols", {"text": LAMP, "grid_id": other.id})).status == 404
    assert (await wang.post("/patrols", {"text": LAMP, "grid_id": own.id})).status == 404
    unnamed = await li.post("/patrols", {"text": LAMP})
    assert (unnamed.status, unnamed.json["error"]["say"]) == (400, "请选是哪个网格的事。")


async def test_who_has_no_wechat_is_reported_for_and_told_by_telephone_by_somebody_else(
    town: Town, wang: Caller, li: Caller
):
    made = await told(wang)
    path = f"/cases/{made['id']}"
    assert made["say"].startswith("请告诉对方：已交给网格员王芳")
    await town.deliver()
    assert town.heard(WANG) == []  # she wrote it down herself
    await dispose(wang, made["id"])
    await town.deliver()
    assert "请打电话" in town.last(LI)
    assert "13812345678" not in town.last(LI)
    assert (await wang.get("/calls")).json["items"] == []
    item = (await li.get("/calls")).json["items"][0]
    assert (item["name"], item["phone"], item["result"]) == ("张奶奶", "13812345678", DONE)
    own = await wang.post(f"{path}/calls", {"solved": True})
    assert (own.status, own.json["error"]["say"]) == (409, "自己办的事请同事打电话问，这样居民好说话。")
    missed = await li.post(f"{path}/calls", {})
    assert (missed.status, missed.json["status"]) == (200, "verified")
    called = await li.post(f"{path}/calls", {"solved": True, "satisfaction": 3, "words": "谢谢小王"})
    assert (called.status, called.json["status"]) == (200, "closed")
    case = await Case.get(id=made["id"])
    assert (case.solved, case.satisfaction, case.comment) == (True, 3, "谢谢小王")
    assert (await li.get("/calls")).json["items"] == []
    assert (await li.post(f"{path}/calls", {"solved": True})).status == 409


async def test_not_solved_on_the_telephone_opens_it_again(wang: Caller, li: Caller):
    made = await told(wang)
    path = f"/cases/{made['id']}"
    await dispose(wang, made["id"])
    assert (await li.post(f"{path}/calls", {"solved": False})).status == 400
    again = await li.post(f"{path}/calls", {"solved": False, "words": "又不亮了"})
    assert (again.status, again.json["status"]) == (200, "dispatched")


async def test_the_same_caller_is_the_same_person_and_their_agreement_is_asked(wang: Caller):
    first, second = await told(wang), await told(wang, text="5栋楼道灯坏了")
    reporters = [(await Case.get(id=one["id"])).reporter_id for one in (first, second)]
    assert reporters[0] == reporters[1]
    assert await Resident.filter(openid__startswith="contact:").count() == 1
    refused = await wang.post("/on-behalf", {"text": LAMP, "name": "李爷爷", "phone": "", "agreed": False})
    assert (refused.status, await Resident.filter(name="李爷爷").count()) == (400, 0)
    wrong = await wang.post("/on-behalf", {"text": LAMP, "name": "李爷爷", "phone": "12345", "agreed": True})
    assert (wrong.status, wrong.fields) == (400, ["phone"])


async def test_a_number_is_forgotten_once_the_matter_can_no_longer_be_opened_again(
    town: Town, wang: Caller, li: Caller
):
    over, still_open = await told(wang), await told(wang, text="5栋楼道灯坏了", name="李爷爷", phone="13912345678")
    await dispose(wang, over["id"])
    await li.post(f"/cases/{over['id']}/calls", {"solved": True})
    assert await forget_contacts(town.clock() - timedelta(minutes=1)) == 0
    assert await forget_contacts(town.clock() + timedelta(days=15)) == 1
    assert (await wang.get(f"/cases/{over['id']}/contact")).status == 404
    assert (await wang.get(f"/cases/{still_open['id']}/contact")).json["phone"] == "13912345678"
    again = await told(wang, text="6栋楼道灯坏了")
    assert (await wang.get(f"/cases/{again['id']}/contact")).json["name"] == "张奶奶"


async def test_every_look_at_a_telephone_number_is_written_down(wang: Caller, chen: Caller):
    made = await told(wang)
    assert (await wang.get(f"/cases/{made['id']}/contact")).json["phone"] == "13812345678"
    looks = await AuditEvent.filter(tag="case:contact", object_id=made["id"])
    assert [look.actor for look in looks] == [f"staff:{(await Staff.get(name='王芳')).id}"]
    assert "13812345678" not in (await wang.get(f"/cases/{made['id']}")).raw.decode()
    assert (await chen.get(f"/cases/{made['id']}/contact")).status == 404


async def test_the_shortlist_holds_what_one_may_read_until_it_has_ended(chen: Caller, wang: Caller, li: Caller):
    first, second = await reported(chen), await reported(chen, "5栋楼道灯坏了")
    for case in (first, second, first):
        assert (await wang.ask("PUT", f"/shortlist/{case['id']}")).status == 204
    assert {one["id"] for one in (await wang.get("/shortlist")).json["items"]} == {first["id"], second["id"]}
    assert (await li.get("/shortlist")).json["items"] == []
    await wang.ask("DELETE", f"/shortlist/{second['id']}")
    await chen.post(f"/cases/{first['id']}/withdrawal")
    assert (await wang.get("/shortlist")).json["items"] == []
    assert (await wang.ask("PUT", f"/shortlist/{2**40}")).status == 404


async def test_the_area_is_listed_searched_and_no_further(town: Town, chen: Caller, li: Caller, wang: Caller):
    made = await reported(chen)
    await reported(chen, "东门垃圾没人收")
    found = (await li.get("/area/cases", params={"text": "楼道灯"})).json
    assert [one["number"] for one in found["items"]] == [made["number"]]
    by_number = (await li.get("/area/cases", params={"text": made["number"].split("-")[1]})).json
    assert [one["number"] for one in by_number["items"]] == [made["number"]]
    assert len((await wang.get("/area/cases", params={"open": "true"})).json["items"]) == 2
    assert (await wang.get("/area/cases", params={"status": "closed"})).json["items"] == []
    other = await Area.get(code="429906001002001")
    assert (await li.get("/area/cases", params={"area_id": other.id})).status == 404
    wrong = await li.get("/area/cases", params={"sort": "biggest"})
    assert (wrong.status, wrong.fields) == (400, ["query.sort"])


async def test_what_needs_words_is_refused_without(chen: Caller, wang: Caller):
    path = f"/cases/{(await reported(chen))['id']}"
    assert (await wang.post(f"{path}/escalation", {"reason": ""})).fields == ["reason"]
    assert (await wang.post(f"{path}/escalation", {"reason": " \n "})).status == 400
    assert (await wang.post(f"{path}/notes", {})).json["error"]["say"] == "还差一句进展，或一张照片。"
    assert (await wang.post(f"{path}/disposal", {})).json["error"]["say"] == "还差处理后的照片，或一句结果。"


async def test_staff_who_left_see_nothing_from_the_next_request_on(town: Town, chen: Caller, sign_in: SignIn):
    made = await reported(chen)
    wang = await sign_in(staff=await Staff.get(name="王芳"))
    assert (await wang.get(f"/cases/{made['id']}")).status == 200
    await Staff.filter(name="王芳").update(active=False)
    assert (await wang.get(f"/cases/{made['id']}")).status == 401
