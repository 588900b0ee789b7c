"""Complaints, appeals, mutes and reviews over HTTP, as a mini-program uses them."""

from __future__ import annotations

from typing import Any

import pytest

from domain.room_messages import post
from domain.rooms import handle, seats
from models.people import Staff
from models.rooms import Review, Room
from tests.api.caller import Caller
from tests.api.conftest import SignIn
from tests.domain.neighbours import first_room, neighbour, words
from tests.town import Town

PHONE = "找我就打13812345678"


class Page:
    """A room with two neighbours, its worker and the community, each signed in."""

    room: Room
    chen: Caller
    zhao: Caller
    wang: Caller
    li: Caller

    def __init__(self, town: Town) -> None:
        self.town = town

    async def open(self, sign_in: SignIn) -> Page:
        self.speaker = await neighbour("chen", self.town.clock())
        other = await neighbour("zhao", self.town.clock())
        self.room = await first_room()
        self.chen, self.zhao = await sign_in(self.speaker.openid), await sign_in(other.openid)
        self.wang = await sign_in(staff=await Staff.get(code="G001"))
        self.li = await sign_in(staff=await Staff.get(code="S001"))
        return self

    async def says(self, text: str) -> int:
        return (await post(self.speaker, self.room.id, words(text), self.town.clock())).id

    async def seen(self) -> list[str]:
        items = (await self.zhao.get(f"/rooms/{self.room.id}/messages")).json["items"]
        return [one["text"] for one in items if one["kind"] == "text"]

    async def waiting(self, staff: Caller) -> list[dict[str, Any]]:
        return (await staff.get("/reviews")).json["items"]


@pytest.fixture
async def page(town: Town, sign_in: SignIn) -> Page:
    return await Page(town).open(sign_in)


async def test_a_complaint_an_answer_and_an_appeal(page: Page):
    message = await page.says("楼上的都不是好人")
    opened = await page.zhao.post(f"/messages/{message}/complain", {"reason": "骂人"})
    assert (opened.status, opened.json["hidden"]) == (201, True)
    assert await page.seen() == [""]
    [waiting] = await page.waiting(page.wang)
    assert (waiting["kind"], waiting["message"]["text"], waiting["reason"]) == ("complaint", "楼上的都不是好人", "骂人")
    decided = await page.wang.post(f"/reviews/{waiting['id']}/decide", {"keep": False, "answer": "不要说邻居坏话"})
    assert (decided.status, decided.json["outcome"], decided.json["decider"]) == (200, "hidden", "王芳")
    assert (await page.chen.get(f"/messages/{message}")).json["why"] == "不要说邻居坏话"
    appeal = await page.chen.post(f"/messages/{message}/appeal", {"reason": "我说的是物业"})
    assert appeal.status == 201
    refused = await page.wang.post(f"/reviews/{appeal.json['review_id']}/decide", {"keep": True})
    assert (refused.status, refused.code) == (403, "not_allowed")
    assert (await page.li.post(f"/reviews/{appeal.json['review_id']}/decide", {"keep": True})).status == 200
    assert await page.seen() == ["楼上的都不是好人"]
    assert [one["outcome"] for one in (await page.chen.get("/me/reviews")).json["items"]] == ["shown"]
    assert [one["kind"] for one in (await page.zhao.get("/me/reviews")).json["items"]] == ["complaint"]
    assert await page.waiting(page.wang) == []


async def test_a_complaint_with_the_same_key_is_one_complaint(page: Page):
    message = await page.says("难听的话")
    key = {"Idempotency-Key": "c-1"}
    first = await page.zhao.post(f"/messages/{message}/complain", {"reason": "骂人"}, headers=key)
    again = await page.zhao.post(f"/messages/{message}/complain", {"reason": "骂人"}, headers=key)
    assert (first.status, first.raw) == (again.status, again.raw)
    assert (await page.zhao.post(f"/messages/{message}/complain", {"reason": "骂人"})).status == 409
    assert await Review.all().count() == 1


async def test_the_reviews_of_a_busy_day_are_read_page_by_page(page: Page):
    for number in range(5):
        await page.says(f"{PHONE} 第{number}条")
    cursor, texts = "", []
    while True:
        answer = (await page.wang.get("/reviews", params={"limit": 2, "cursor": cursor})).json
        texts += [one["message"]["text"][-2] for one in answer["items"]]
        cursor = answer["next"]
        if not cursor:
            break
    assert texts == ["4", "3", "2", "1", "0"]
    assert (await page.wang.get("/reviews", params={"state": "decided"})).json["items"] == []
    assert (await page.zhao.get("/reviews")).status == 403


async def test_a_mute_is_set_listed_appealed_against_and_ended(page: Page):
    await page.says("买一送一")
    whom = handle((await seats(page.room.id, [page.speaker.actor]))[page.speaker.actor])
    body = {"handle": whom, "minutes": 120, "why": "刷屏"}
    assert (await page.zhao.post(f"/rooms/{page.room.id}/mutes", body)).status == 403
    made = await page.wang.post(f"/rooms/{page.room.id}/mutes", body)
    assert (made.status, made.json["handle"], made.json["why"]) == (201, whom, "刷屏")
    assert (await page.chen.get(f"/rooms/{page.room.id}")).json["muted_until"] == made.json["until"]
    assert [one["handle"] for one in (await page.li.get(f"/rooms/{page.room.id}/mutes")).json["items"]] == [whom]
    appeal = await page.chen.post(f"/rooms/{page.room.id}/appeal", {"reason": "不是我"})
    assert appeal.status == 201
    assert (await page.li.ask("DELETE", f"/rooms/{page.room.id}/mutes/{whom}")).status == 204
    assert (await page.chen.get(f"/rooms/{page.room.id}")).json["muted_until"] is None
    assert [one["outcome"] for one in (await page.chen.get("/me/reviews")).json["items"]] == ["lifted"]
    assert (await page.chen.post(f"/rooms/{page.room.id}/appeal", {"reason": "不是我"})).status == 409


@pytest.mark.parametrize("minutes", [0, 43_201, "60", None])
async def test_a_mute_lasts_from_a_minute_to_thirty_days(page: Page, minutes: Any):
    body = {"handle": "m1", "minutes": minutes, "why": "刷屏"}
    refused = await page.wang.post(f"/rooms/{page.room.id}/mutes", body)
    assert (refused.status, refused.fields) == (400, ["minutes"])
