"""线上办理 over the API: the form, handing it in once, who reads answers and pictures, what staff do."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import aiohttp

from domain.people import find_person
from models.accounts import PurposeConsent
from models.bookings import Application
from models.people import Staff
from tests.api.caller import Caller
from tests.api.conftest import SignIn
from tests.api.files import amr, picture
from tests.domain.applied import ID_NUMBER, NAME, PHONE
from tests.town import CHEN, Town


async def sent(caller: Caller, data: bytes | None = None) -> str:
    """An upload of the caller's."""
    form = aiohttp.FormData()
    form.add_field("file", data or picture(), filename="x", content_type="image/jpeg")
    return str((await caller.ask("POST", "/uploads", data=form)).json["id"])


def answers(photo: str) -> dict[str, Any]:
    return {"f1": NAME, "f2": ID_NUMBER, "f3": PHONE, "f4": True, "f5": "6222021234567890123", "f6": [photo]}


async def consent(town: Town, openid: str) -> None:
    person = await find_person(openid, town.clock())
    await PurposeConsent.create(resident_id=person.resident_id, purpose="service", version=1, given_at=town.clock())


async def test_from_the_form_to_the_result_with_pictures_for_the_two_alone(town: Town, sign_in: SignIn):
    chen, li = await sign_in(CHEN), await sign_in(staff=await Staff.get(code="S001"))
    wang = await sign_in(staff=await Staff.get(code="G001"))
    form = (await chen.get("/services/gljt/form")).json
    assert (form["title"], form["time_limit"], len(form["fields"])) == ("高龄津贴", "10工作日", 6)
    assert [one["type"] for one in form["fields"]][:3] == ["text", "id_number", "phone"]
    body, key = {"answers": answers(await sent(chen))}, {"Idempotency-Key": uuid4().hex}
    assert (await chen.post("/services/gljt/applications", body)).code == "consent_needed"
    await consent(town, CHEN)
    first, again = [await chen.post("/services/gljt/applications", body, headers=key) for _ in range(2)]
    assert (first.status, first.json) == (201, again.json)
    assert (await chen.post("/services/gljt/applications", body)).status == 409
    ident, own = first.json["id"], first.json
    assert [line["value"] for line in own["answers"]][1:4] == [ID_NUMBER, PHONE, "是"]
    assert [line["number"] for line in (await wang.get("/application-tasks")).json["items"]] == [own["number"]]
    [name] = own["answers"][5]["files"]
    for caller, links in ((chen, 1), (li, 0), (wang, 0)):
        assert len((await caller.post("/files/links", {"names": [name]})).json["items"]) == links
    for caller in (li, wang):
        seen = (await caller.get(f"/applications/{ident}")).json
        assert (seen["whole"], seen["answers"], seen["name"], seen["events"]) == (False, [], "", [])
    assert (await li.post(f"/applications/{ident}/accept")).status == 403
    taken = (await li.post(f"/applications/{ident}/take")).json
    assert (taken["whole"], taken["answers"][1]["value"], taken["holder"]) == (True, ID_NUMBER, "东亭社区李主任")
    assert len((await li.post("/files/links", {"names": [name]})).json["items"]) == 1
    paper = await sent(li)
    done = await li.post(f"/applications/{ident}/finish", {"text": "从下月起发", "files": [paper]})
    assert (done.json["state"], len(done.json["result_files"])) == ("done", 1)
    [result] = (await chen.get(f"/applications/{ident}")).json["result_files"]
    [link] = (await chen.post("/files/links", {"names": [result]})).json["items"]
    assert (link["name"], link["content_type"]) == (result, "image/jpeg")
    assert (await chen.ask("PUT", f"/applications/{ident}/rating", json={"stars": 5})).json["stars"] == 5
    assert [one["state"] for one in (await chen.get("/applications")).json["items"]] == ["done"]
    assert (await wang.get("/application-tasks")).json["items"] == []


async def test_what_does_not_fit_is_named_field_by_field(town: Town, sign_in: SignIn):
    chen = await sign_in(CHEN)
    await consent(town, CHEN)
    wrong = answers(await sent(chen)) | {"f2": "110105194912310021", "f3": "138"}
    reply = await chen.post("/services/gljt/applications", {"answers": wrong})
    assert (reply.status, reply.fields) == (400, ["answers.f2", "answers.f3"])
    assert "110105194912310021" not in reply.raw.decode()
    voice = answers(await sent(chen, amr()))
    assert (await chen.post("/services/gljt/applications", {"answers": voice})).status == 400
    other = await sign_in(staff=await Staff.get(code="S001"))
    foreign = answers(await sent(other))
    assert (await chen.post("/services/gljt/applications", {"answers": foreign})).status == 404
    assert await Application.all().count() == 0


async def test_the_grids_worker_applies_for_an_elder_and_adds_what_is_missing(town: Town, sign_in: SignIn):
    wang, li = await sign_in(staff=await Staff.get(code="G001")), await sign_in(staff=await Staff.get(code="S001"))
    elder = {"name": NAME, "phone": PHONE}
    body = {"answers": answers(await sent(wang)), "behalf": elder}
    made = (await wang.post("/services/gljt/applications", body)).json
    assert (made["name"], made["phone"], made["relation"]) == (NAME, PHONE, "网格员")
    await li.post(f"/applications/{made['id']}/take")
    await li.post(f"/applications/{made['id']}/ask", {"text": "背面也要"})
    [mine] = (await wang.get("/applications")).json["items"]
    assert (mine["asked"], mine["for_name"], mine["state"]) == ("背面也要", NAME, "supplement")
    assert (await wang.post(f"/applications/{made['id']}/supplement", {})).status == 400
    added = await wang.post(f"/applications/{made['id']}/supplement", {"photos": [await sent(wang)]})
    assert (added.json["state"], len(added.json["more_files"])) == ("submitted", 1)
    assert (await wang.post(f"/applications/{made['id']}/withdraw")).json["state"] == "withdrawn"


async def test_tasks_come_page_by_page_what_ends_first_before_the_others(town: Town, sign_in: SignIn):
    wang, li = await sign_in(staff=await Staff.get(code="G001")), await sign_in(staff=await Staff.get(code="S001"))
    for code, name in (("zyz", NAME), ("gljt", NAME), ("zyz", "李桂芳")):
        given = answers(await sent(wang)) if code == "gljt" else {"f1": NAME, "f2": PHONE, "f3": ["陪伴老人"]}
        reply = await wang.post(
            f"/services/{code}/applications", {"answers": given, "behalf": {"name": name, "phone": PHONE}}
        )
        assert reply.status == 201
    titles, cursor = [], ""
    while True:
        page = (await li.get("/application-tasks", params={"limit": 1, "cursor": cursor})).json
        titles += [one["title"] for one in page["items"]]
        if not (cursor := page["next"]):
            break
    assert titles == ["志愿者注册", "志愿者注册", "高龄津贴"]
