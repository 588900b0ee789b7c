"""A write with an Idempotency-Key happens once, however often and wherever it is sent (C06)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from domain.idempotency import forget_answers
from models.accounts import IdempotentRequest
from models.audit import AuditEvent
from tests.api import trial as book
from tests.api.caller import Caller, Reply
from tests.town import CHEN, LI, WANG, Town

Trial = Callable[..., Awaitable[Caller]]


@pytest.fixture(autouse=True)
def _gate() -> None:
    book.gate, book.begun = asyncio.Event(), asyncio.Event()


@pytest.fixture
async def chen(town: Town, trial: Trial) -> Caller:
    await town.say(CHEN, "你好")
    return await trial(CHEN)


async def written() -> int:
    return await AuditEvent.filter(tag="trial:write").count()


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


async def test_ten_at_once_over_two_servers_write_once_and_read_the_same(town: Town, chen: Caller, trial: Trial):
    other = await trial(CHEN, server=1)
    for round_ in range(20):
        asked = [(chen, other)[n % 2].post("/notes", {"text": "一"}, headers=keyed(f"k{round_}")) for n in range(10)]
        replies: list[Reply] = await asyncio.gather(*asked)
        assert {reply.status for reply in replies} == {201}
        assert len({reply.raw for reply in replies}) == 1
        assert await written() == round_ + 1
        town.clock.advance(timedelta(minutes=1))


async def test_without_a_key_each_is_a_write_of_its_own(chen: Caller):
    counts = [(await chen.post("/notes", {"text": "一"})).json["count"] for _ in range(2)]
    assert counts == [1, 2]


async def test_the_same_key_with_another_body_is_refused(chen: Caller):
    await chen.post("/notes", {"text": "一"}, headers=keyed("k"))
    reply = await chen.post("/notes", {"text": "二"}, headers=keyed("k"))
    assert (reply.status, reply.code, await written()) == (422, "unprocessable", 1)


async def test_the_same_key_at_another_address_is_refused(chen: Caller):
    await chen.post("/notes", {"text": "一"}, headers=keyed("k"))
    assert (await chen.post("/reports", {"text": "一"}, headers=keyed("k"))).status == 422


async def test_two_people_may_have_the_same_key(town: Town, chen: Caller, trial: Trial):
    await town.say(LI, "你好")
    assert (await chen.post("/notes", {"text": "一"}, headers=keyed("k"))).json["count"] == 1
    assert (await (await trial(LI)).post("/notes", {"text": "二"}, headers=keyed("k"))).json["count"] == 2


@pytest.mark.parametrize("page", ["/slow", "/apart"])
async def test_while_the_first_is_under_way_the_second_is_told_so(chen: Caller, page: str):
    first = asyncio.create_task(chen.post(page, {"text": "一"}, headers=keyed("k")))
    await book.begun.wait()
    second = await chen.post(page, {"text": "一"}, headers=keyed("k"))
    assert (second.status, second.code) == (409, "conflict")
    assert "正在处理" in second.json["error"]["say"]
    book.gate.set()
    assert (await first).json["count"] == 1
    assert (await chen.post(page, {"text": "一"}, headers=keyed("k"))).raw == (await first).raw


async def test_what_failed_may_be_tried_again_under_its_key(chen: Caller):
    book.gate.set()
    failed = await chen.post("/apart", {"text": "一", "mood": "sad"}, headers=keyed("k"))
    assert (failed.status, failed.code, await written()) == (500, "internal", 0)
    assert (await chen.post("/apart", {"text": "二"}, headers=keyed("k"))).json["count"] == 1


async def test_a_write_whose_process_died_may_be_made_again_after_two_minutes(town: Town, chen: Caller):
    book.gate.set()
    await chen.post("/apart", {"text": "一"}, headers=keyed("k"))
    await IdempotentRequest.all().update(status=None, body="")
    town.clock.advance(timedelta(minutes=1))
    assert (await chen.post("/apart", {"text": "一"}, headers=keyed("k"))).status == 409
    town.clock.advance(timedelta(minutes=1))
    assert (await chen.post("/apart", {"text": "一"}, headers=keyed("k"))).json["count"] == 2


async def test_after_a_day_the_key_is_free_again(town: Town, chen: Caller):
    await chen.post("/notes", {"text": "一"}, headers=keyed("k"))
    town.clock.advance(timedelta(hours=24) - timedelta(seconds=1))
    assert (await chen.post("/notes", {"text": "一"}, headers=keyed("k"))).json["count"] == 1
    assert await forget_answers(town.clock()) == 0
    town.clock.advance(timedelta(seconds=1))
    assert (await chen.post("/notes", {"text": "二"}, headers=keyed("k"))).json["count"] == 2


async def test_what_was_kept_for_a_day_is_forgotten(town: Town, chen: Caller):
    await chen.post("/notes", {"text": "一"}, headers=keyed("k"))
    town.clock.advance(timedelta(hours=24))
    assert (await forget_answers(town.clock()), await IdempotentRequest.all().count()) == (1, 0)


@pytest.mark.parametrize("key", ["k" * 256, "a b", "钥匙"], ids=["too long", "a space", "Chinese"])
async def test_a_key_of_another_form_is_named(chen: Caller, key: str):
    reply = await chen.post("/notes", {"text": "一"}, headers=keyed(key))
    assert (reply.status, reply.fields, await written()) == (400, ["Idempotency-Key"], 0)


async def test_an_answer_with_nothing_in_it_comes_again_as_nothing(town: Town, chen: Caller):
    first = await chen.post("/reports", {"text": "一"}, headers=keyed("k"))
    again = await chen.post("/reports", {"text": "一"}, headers=keyed("k"))
    assert (first.status, again.status, again.raw, await written()) == (204, 204, b"", 1)


async def test_staff_and_resident_of_one_phone_are_one_person(town: Town, trial: Trial):
    await town.say(WANG, "你好")
    reply = await (await trial(WANG)).post("/notes", {"text": "一"}, headers=keyed("k"))
    assert reply.status == 201
    assert (await IdempotentRequest.first()).actor.startswith("staff:")


async def test_a_report_sent_again_counts_once(chen: Caller):
    for n in range(10):
        for _ in range(3):
            assert (await chen.post("/reports", {"text": "灯"}, headers=keyed(f"k{n}"))).status == 204
    assert (await chen.post("/reports", {"text": "灯"}, headers=keyed("k10"))).status == 429
    assert await written() == 10
