"""Surveys, votes and follow-ups over the API: from the draft to the picture, and what is refused on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from domain.people import find_person, join_grid
from domain.survey_results import close_due
from models.accounts import IdempotentRequest, PurposeConsent
from models.cases import Case
from models.enums import Outcome, Purpose, SurveyState
from models.people import Area, Household, Resident, Staff
from models.people_facts import HouseholdMember, OptOut
from models.surveys import FollowUp, Survey, SurveyAnswer
from tests.api.caller import Caller
from tests.api.conftest import SignIn
from tests.town import CHEN, Town

GRID, COMMUNITY = "429906001001001", "429906001001"
QUESTIONS: list[dict[str, Any]] = [
    {"text": "办得怎么样？", "type": "stars"},
    {"text": "最想改什么？", "type": "choices", "choices": ["卫生", "停车"]},
    {"text": "想说的话", "type": "text", "required": False},
]


async def agreed(town: Town) -> Resident:
    """陈阿姨 agrees that what she says is worked on."""
    resident = await Resident.get(openid=CHEN)
    await Resident.filter(id=resident.id).update(minor=False)
    await PurposeConsent.create(resident=resident, purpose=Purpose.SERVICE, version=1, given_at=town.clock())
    return resident


async def opened(town: Town, sign_in: SignIn, **more: Any) -> tuple[int, Caller]:
    """A survey of the community that somebody of the street let out; and its author."""
    li, zhou = await sign_in(staff=await Staff.get(code="S001")), await sign_in(staff=await Staff.get(code="J001"))
    draft = {"kind": "questionnaire", "title": "一季度满意度", "words": "请说说物业", "questions": QUESTIONS}
    draft |= {"area_id": (await Area.get(code=COMMUNITY)).id}
    draft |= {"closes_at": (town.clock() + timedelta(days=7)).isoformat()} | more
    made = await li.post("/surveys", draft)
    assert (made.status, made.json["state"], made.json["questions"][0]["key"]) == (201, "draft", "q1")
    ident = made.json["id"]
    changed = await li.ask("PUT", f"/surveys/{ident}", json=draft | {"title": "满意度"})
    assert changed.json["title"] == "满意度"
    assert (await li.post(f"/surveys/{ident}/hand-in")).json["state"] == "waiting"
    assert (await li.post(f"/surveys/{ident}/decision", {"version": 2, "agree": True})).status == 403, "the author"
    assert (await zhou.post(f"/surveys/{ident}/decision", {"version": 2, "agree": True})).json["state"] == "open"
    return ident, li


async def test_from_the_draft_to_the_picture(town: Town, sign_in: SignIn):
    ident, li = await opened(town, sign_in)
    chen, address = await sign_in(CHEN), f"/surveys/{ident}"
    [line] = (await chen.get("/surveys", params={"state": "open"})).json["items"]
    assert (line["title"], line["answered"]) == ("满意度", False)
    given = {"answers": {"q1": 4, "q2": [2, 1], "q3": "早点修门"}}
    refused = await chen.ask("PUT", f"{address}/answers", json=given)
    assert (refused.status, refused.code) == (403, "consent_needed")
    await agreed(town)
    for wrong in ({"q1": "4", "q2": [1]}, {"q1": 4}, {"q1": 4, "q2": [3]}, {"q1": 4, "q2": [1], "q7": 1}):
        assert (await chen.ask("PUT", f"{address}/answers", json={"answers": wrong})).status == 400
    assert (await chen.ask("PUT", f"{address}/answers", json=given)).status == 200
    shown = (await chen.get(address)).json
    assert (shown["hindrance"], shown["answers"], shown["author_id"]) == (
        "",
        {"q1": 4, "q2": [1, 2], "q3": "早点修门"},
        None,
    )
    assert (await chen.get(f"{address}/results")).status == 403, "not before it is over"
    assert (await li.get(f"{address}/results")).json["questions"][2]["texts"] == ["早点修门"]
    town.clock.advance(timedelta(days=7))
    await close_due(town.clock())
    li = await sign_in(staff=await Staff.get(code="S001"))
    result = (await chen.get(f"{address}/results")).json
    assert (result["state"], result["answered"], result["questions"][0]["mean"]) == ("closed", 1, 4.0)
    assert [bar["count"] for bar in result["questions"][1]["bars"]] == [1, 1]
    assert (result["questions"][2]["texts"], result["grids"]) == ([], []), "for staff alone"
    picture = await chen.get(f"{address}/charts/1")
    assert picture.raw.startswith(b"\x89PNG")
    assert (await chen.get(f"{address}/charts/3")).status == 404
    assert (await chen.get(f"{address}/export")).status == 403
    assert (await li.get(f"{address}/export")).raw.startswith(b"PK")


async def test_of_an_anonymous_answer_no_request_is_kept(town: Town, sign_in: SignIn):
    ident, li = await opened(town, sign_in, anonymous=True)
    chen = await sign_in(CHEN)
    resident = await agreed(town)
    given = {"answers": {"q1": 1, "q2": [2]}}
    headers = {"Idempotency-Key": "3f0c3b1e-0000-4000-8000-000000000001"}
    first = await chen.ask("PUT", f"/surveys/{ident}/answers", json=given, headers=headers)
    assert first.status == 200
    assert await IdempotentRequest.filter(actor=f"resident:{resident.id}").count() == 0
    assert (await chen.ask("PUT", f"/surveys/{ident}/answers", json=given)).status == 409
    shown = (await chen.get(f"/surveys/{ident}")).json
    assert (shown["answers"], "不能改" in shown["hindrance"]) == (None, True)
    assert [answer.voter_id for answer in await SurveyAnswer.all()] == [None]
    hidden = (await li.get(f"/surveys/{ident}/results")).json
    assert (hidden["answered"], hidden["questions"], "工作人员也一样" in hidden["hidden"]) == (1, [], True)
    assert [one["answered"] for one in hidden["grids"]] == [1]
    assert (await li.get(f"/surveys/{ident}/export")).status == 409


async def test_the_worker_sees_who_has_not_voted_and_writes_for_an_elder(town: Town, sign_in: SignIn):
    vote = {"kind": "vote", "questions": [{"text": "同意加装电梯吗？", "type": "yes_no"}]}
    ident, _ = await opened(town, sign_in, **vote)
    flat = await Household.create(grid=await Area.get(code=GRID), building="3栋", unit="2单元", room="501")
    granny = await HouseholdMember.create(household=flat, name="赵奶奶", changed_at=town.clock())
    wang, chen = await sign_in(staff=await Staff.get(code="G001")), await sign_in(CHEN)
    await agreed(town)
    assert "3栋2单元501" in (await wang.get(f"/surveys/{ident}/waited-for")).json["items"]
    assert (
        "哪一户"
        in (await chen.ask("PUT", f"/surveys/{ident}/answers", json={"answers": {"q1": True}})).json["error"]["say"]
    )
    written = await wang.ask("PUT", f"/surveys/{ident}/members/{granny.id}/answers", json={"answers": {"q1": False}})
    assert written.status == 200
    assert "3栋2单元501" not in (await wang.get(f"/surveys/{ident}/waited-for")).json["items"]
    cancelled = await sign_in(staff=await Staff.get(code="S001"))
    assert (await cancelled.post(f"/surveys/{ident}/cancel", {"why": "方案要改"})).json["state"] == "cancelled"
    assert (await Survey.get(id=ident)).state is SurveyState.CANCELLED
    assert (await chen.get(f"/surveys/{ident}")).status == 404


async def test_what_happened_again_is_a_case_and_who_wants_no_question_gets_none(town: Town, sign_in: SignIn):
    chen, wang = await sign_in(CHEN), await sign_in(staff=await Staff.get(code="G001"))
    await join_grid(await find_person(CHEN, town.clock()), town.clock(), code=GRID)
    resident = await Resident.get(openid=CHEN)
    asked = []
    for _ in range(2):
        await town.say(CHEN, "3栋2单元楼道灯坏了")
        await town.say(CHEN, "1")
        case = await Case.all().order_by("-id").first()
        assert case
        closed = town.clock() - timedelta(days=28)
        await Case.filter(id=case.id).update(status="closed", outcome=Outcome.SOLVED, closed_at=closed)
        asked.append((await FollowUp.create(case=case, resident=resident, asked_at=town.clock())).id)
    assert [one["id"] for one in (await chen.get("/follow-ups")).json["items"]] == asked[::-1]
    again = await chen.post(f"/follow-ups/{asked[0]}/answer", {"answer": "again", "words": "昨晚又灭了"})
    new = await Case.all().order_by("-id").first()
    assert new
    assert (again.json["state"], again.json["led_to"]) == ("again", new.number)
    assert new.description.startswith("昨晚又灭了")
    assert (await chen.post(f"/follow-ups/{asked[0]}/answer", {"answer": "fine"})).status == 409
    assert (await chen.post(f"/follow-ups/{asked[1]}/answer", {"answer": "no_more"})).json["state"] == "dropped"
    assert [one.topic for one in await OptOut.filter(resident_id=resident.id)] == ["follow_up"]
    figures = (await wang.get("/follow-up-figures")).json
    assert figures == {"asked": 2, "fine": 0, "again": 1, "silent": 0, "no_more": 1, "share_fine": 0.0}
