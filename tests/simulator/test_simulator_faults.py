"""Faults on purpose, on both sides of the platform."""

import asyncio

import aiohttp
import pytest
from aiohttp import web

from errors import BadRequest
from simulator.faults import MARK_FAIL_AFTER
from tests.simulator.simulator_stage import CHEN, Received, Stage

SEND = "/cgi-bin/message/custom/send"


async def test_duplicates_reach_the_callback_together_and_the_phone_sees_one_answer(stage: Stage) -> None:
    stage.callback.always("收到")
    stage.platform.faults.duplicates = 3
    delivery = await stage.platform.send(CHEN, text="在吗")
    assert len({received.body for received in stage.callback.received}) == 1
    assert len(stage.callback.received) == 3
    assert [copy.text for copy in delivery.copies] == ["收到"] * 3
    assert len(stage.platform.history(CHEN)) == 2


async def test_spaced_duplicates_come_one_after_the_other(stage: Stage) -> None:
    running, together = 0, []

    async def answer(_: Received) -> str:
        nonlocal running
        running += 1
        together.append(running)
        await asyncio.sleep(0)
        running -= 1
        return "success"

    stage.callback.answer = answer
    stage.platform.faults.change({"duplicates": 3, "duplicate_spacing": 0.25})
    delivery = await stage.platform.send(CHEN, text="在吗")
    assert (together, len(delivery.copies)) == ([1, 1, 1], 3)


async def test_control_characters_arrive_raw_inside_the_text(stage: Stage) -> None:
    stage.platform.faults.control_characters = True
    await stage.platform.send(CHEN, text="在吗")
    opened = stage.callback.cryptor.decrypt(
        stage.callback.received[0].body.split(b"<Encrypt><![CDATA[")[1].split(b"]]>")[0].decode()
    )
    assert "\x1d在吗\x10".encode() in opened.body
    assert stage.callback.received[0].message.text == "在吗"


async def test_a_dropped_answer_makes_the_callback_answer_again(stage: Stage) -> None:
    stage.callback.always("收到")
    stage.platform.faults.drop_answers = -1
    delivery = await stage.platform.send(CHEN, text="在吗")
    assert (delivery.outcome, len(stage.callback.received)) == ("fault", 3)


async def test_with_reordering_the_second_push_overtakes_the_first(stage: Stage) -> None:
    stage.platform.faults.reorder = True
    first = asyncio.create_task(stage.platform.send(CHEN, text="先"))
    await asyncio.sleep(0)
    await stage.platform.send(CHEN, text="后")
    await first
    assert [received.message.text for received in stage.callback.received] == ["后", "先"]


async def test_a_push_that_nobody_overtakes_goes_out_after_its_wait(stage: Stage) -> None:
    stage.platform.faults.reorder = True
    stage.platform.faults.reorder_wait = 0.01
    assert (await stage.platform.send(CHEN, text="独自")).outcome == "silent"


async def test_after_several_failures_pushes_stop_for_a_minute(stage: Stage) -> None:
    async def broken(_: Received) -> web.Response:
        return web.Response(status=500)

    stage.callback.answer = broken
    stage.platform.faults.mark_fail = True
    for _ in range(MARK_FAIL_AFTER):
        await stage.platform.send(CHEN, text="在吗")
    stage.callback.answer = None
    stopped = await stage.platform.send(CHEN, text="在吗")
    assert (stopped.outcome, stopped.attempts) == ("fault", 0)
    stage.clock.forward(seconds=59)
    assert (await stage.platform.send(CHEN, text="在吗")).attempts == 0
    stage.clock.forward(seconds=1)
    assert (await stage.platform.send(CHEN, text="在吗")).outcome == "silent"


async def test_without_the_switch_failures_stop_nothing(stage: Stage) -> None:
    async def broken(_: Received) -> web.Response:
        return web.Response(status=500)

    stage.callback.answer = broken
    for _ in range(MARK_FAIL_AFTER + 1):
        assert (await stage.platform.send(CHEN, text="在吗")).attempts == 1


async def test_an_errcode_fault_hits_its_path_so_many_times(stage: Stage) -> None:
    await stage.platform.send(CHEN, text="在吗")
    stage.platform.faults.fail_api("errcode", SEND, errcode=45009, left=2)
    assert [await stage.api.send_text(CHEN) for _ in range(3)] == [45009, 45009, 0]
    assert (await stage.api.get("/cgi-bin/getcallbackip"))["ip_list"]


async def test_every_path_can_fail_until_faults_are_reset(stage: Stage) -> None:
    stage.platform.faults.fail_api("errcode")
    for _ in range(3):
        assert (await stage.api.get("/cgi-bin/getcallbackip"))["errcode"] == -1
    stage.platform.faults.reset()
    assert "errcode" not in await stage.api.get("/cgi-bin/getcallbackip")


async def test_a_500_and_a_page_of_html_instead_of_json(stage: Stage) -> None:
    stage.platform.faults.fail_api("http_500", left=1)
    status, _, _ = await stage.api.raw("GET", "/cgi-bin/getcallbackip")
    assert status == 500
    stage.platform.faults.fail_api("garbage", left=1)
    status, kind, body = await stage.api.raw("GET", "/cgi-bin/getcallbackip")
    assert (status, kind, body[:6]) == (200, "text/html", b"<html>")


@pytest.mark.parametrize(("kind", "arrived"), [("reset", 0), ("reset_after", 1), ("hang", 0)])
async def test_a_connection_is_cut_before_or_after_the_work_was_done(stage: Stage, kind: str, arrived: int) -> None:
    await stage.platform.send(CHEN, text="在吗")
    stage.platform.faults.change({"api": [{"kind": kind, "path": SEND, "seconds": 0.01}]})
    with pytest.raises(aiohttp.ClientError):
        await stage.api.send_text(CHEN)
    assert len(stage.platform.pushes(CHEN)) == arrived


async def test_a_slow_answer_is_right_in_the_end(stage: Stage) -> None:
    await stage.platform.send(CHEN, text="在吗")
    stage.platform.faults.fail_api("slow", SEND, seconds=0.01)
    assert await stage.api.send_text(CHEN) == 0


async def test_a_hanging_call_does_not_outlive_the_platform(stage: Stage) -> None:
    stage.platform.faults.fail_api("hang", "/cgi-bin/getcallbackip", seconds=100)
    stage.platform.closing.set()
    with pytest.raises(aiohttp.ClientError):
        await stage.api.get("/cgi-bin/getcallbackip")


@pytest.mark.parametrize(
    "wanted",
    [
        {"duplicates": "3"},
        {"reorder": 1},
        {"unknown": True},
        {"api": [{"kind": "explode"}]},
        {"api": [{"what": 1}]},
        {"api": "all"},
    ],
)
async def test_switches_that_do_not_exist_are_refused(stage: Stage, wanted: dict[str, object]) -> None:
    with pytest.raises(BadRequest):
        stage.platform.faults.change(wanted)
    assert stage.platform.faults.as_json()["api"] == []
