"""Pushes to the callback: modes, tries, and how answers are judged."""

import asyncio
import re
from typing import Any

import pytest
from aiohttp import web

from bot.crypto import Cryptor
from bot.messages import Kind
from errors import BadRequest, Conflict
from simulator import Platform
from simulator.answers import FAULT_LINE
from tests.simulator.simulator_stage import ACCOUNT, AES_KEY, APPID, CHEN, TOKEN, Received, Stage, reply_xml


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
async def test_a_text_reaches_the_callback_and_its_reply_the_phone(stage: Stage) -> None:
    stage.callback.always("收到")
    delivery = await stage.platform.send(CHEN, text="灯坏了 <b> ]]> &")
    assert (delivery.outcome, delivery.text, delivery.attempts) == ("reply", "收到", 1)
    message = stage.callback.received[0].message
    assert (message.kind, message.text, message.openid) == (Kind.TEXT, "灯坏了 <b> ]]> &", CHEN)
    assert message.msg_id == delivery.msg_id
    assert [(b.direction, b.text) for b in stage.platform.history(CHEN)] == [
        ("in", "灯坏了 <b> ]]> &"),
        ("out", "收到"),
    ]


@pytest.mark.parametrize("mode", ["compatible"])
async def test_compatible_mode_carries_both_forms_and_takes_a_plain_reply(stage: Stage) -> None:
    stage.callback.answer = lambda _: _now(reply_xml(CHEN, "明文"))
    delivery = await stage.platform.send(CHEN, text="你好")
    body = stage.callback.received[0].body.decode()
    assert "<Content><![CDATA[你好]]></Content>" in body
    assert "<Encrypt>" in body
    assert delivery.text == "明文"


@pytest.mark.parametrize("mode", ["safe"])
async def test_safe_mode_shows_nothing_of_the_text_and_signs_as_wechat_does(stage: Stage) -> None:
    await stage.platform.send(CHEN, text="你好")
    received = stage.callback.received[0]
    assert re.fullmatch(rf"<xml><ToUserName><!\[CDATA\[{ACCOUNT}]]></ToUserName><Encrypt>.*", received.body.decode())
    assert {"signature", "msg_signature", "timestamp", "nonce", "openid", "encrypt_type"} == set(received.query)


async def test_without_an_answer_three_identical_tries_and_then_the_fault_line(stage: Stage) -> None:
    release = asyncio.Event()

    async def hang(_: Received) -> str:
        await release.wait()
        return "success"

    stage.callback.answer = hang
    stage.platform.courier.answer_within = 0.6
    delivery = await stage.platform.send(CHEN, text="在吗")
    release.set()
    assert (delivery.outcome, delivery.attempts) == ("fault", 3)
    assert len(stage.callback.received) == 3
    assert len({(r.body, r.query["nonce"]) for r in stage.callback.received}) == 1
    assert {r.message.msg_id for r in stage.callback.received} == {delivery.msg_id}
    assert stage.platform.history(CHEN)[-1].text == FAULT_LINE


async def test_an_answer_that_came_too_late_is_asked_for_again(stage: Stage) -> None:
    stage.callback.always("第二次")
    stage.platform.faults.drop_answers = 1
    delivery = await stage.platform.send(CHEN, text="在吗")
    assert (delivery.text, delivery.attempts, len(stage.callback.received)) == ("第二次", 2, 2)


async def test_a_refused_connection_is_tried_three_times(stage: Stage) -> None:
    config = stage.platform.config
    closed = type(config)("http://127.0.0.1:1/wechat/callback", APPID, "s", TOKEN, AES_KEY)
    async with Platform(closed) as platform:
        delivery = await platform.send(CHEN, text="在吗")
    assert (delivery.outcome, delivery.attempts) == ("fault", 3)


def _bad(body: bytes, status: int = 200) -> web.Response:
    return web.Response(body=body, status=status)


def _sealed(xml: bytes, token: str = TOKEN, appid: str = APPID) -> bytes:
    return Cryptor(appid, token, [AES_KEY]).seal(xml, timestamp="1760000000", nonce="1")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (_bad(b'{"ok": true}'), "不是 XML"),
        (_bad(b"ok"), "不是 XML"),
        (_bad(b"success", 500), "HTTP 500"),
        (_bad(reply_xml(CHEN, "明文")), "安全模式下回复没有加密"),
        (_bad(_sealed(reply_xml(CHEN, "x"), token="another")), "签名不对"),
        (_bad(_sealed(reply_xml(CHEN, "x"), appid="wxffffffffffffffff")), "解密失败"),
        (_bad(_sealed(reply_xml("o_somebody_else", "x"))), "收发双方不对"),
        (_bad(_sealed(reply_xml(CHEN, ""))), "空的"),
        (_bad(_sealed(reply_xml(CHEN, "x", kind="poem"))), "类型不认识"),
        (_bad(_sealed(reply_xml(CHEN, "a\x1db"))), "不是 XML"),
        (_bad(_sealed(b"<!DOCTYPE xml><xml></xml>")), "不是 XML"),
        (_bad(b"<xml><Encrypt>abc</Encrypt></xml>"), "字段不全"),
    ],
)
async def test_an_answer_wechat_would_not_take_shows_the_fault_line_at_once(
    stage: Stage, answer: web.Response, reason: str
) -> None:
    body, status = answer.body, answer.status
    stage.callback.answer = lambda _: _now(web.Response(body=body, status=status))
    delivery = await stage.platform.send(CHEN, text="在吗")
    assert (delivery.outcome, delivery.attempts) == ("fault", 1)
    assert reason in delivery.reason
    last = stage.platform.history(CHEN)[-1]
    assert (last.kind, last.text) == ("fault", FAULT_LINE)
    assert [note.openid for note in stage.platform.journal] == [CHEN]


@pytest.mark.parametrize("answer", ["success", ""])
async def test_success_and_nothing_are_silence_in_safe_mode_too(stage: Stage, answer: str) -> None:
    stage.callback.answer = lambda _: _now(answer)
    assert (await stage.platform.send(CHEN, text="在吗")).outcome == "silent"
    assert len(stage.platform.history(CHEN)) == 1


async def test_a_text_of_2048_bytes_is_shown_and_one_byte_more_is_not(stage: Stage) -> None:
    stage.callback.always("a" * 2048)
    assert (await stage.platform.send(CHEN, text="长")).outcome == "reply"
    stage.callback.always("a" * 2049)
    delivery = await stage.platform.send(CHEN, text="长")
    assert (delivery.outcome, "2048" in delivery.reason) == ("silent", True)


async def test_one_article_is_shown_and_two_are_not(stage: Stage) -> None:
    item = "<item><Title>通知</Title><Url>https://example.com</Url></item>"

    def news(count: int) -> bytes:
        head = reply_xml(CHEN, "", kind="news").decode().removesuffix("</xml>")
        xml = f"{head}<ArticleCount>{count}</ArticleCount><Articles>{item * count}</Articles></xml>"
        return _sealed(xml.encode())

    stage.callback.answer = lambda _: _now(news(1))
    assert (await stage.platform.send(CHEN, text="通知")).kind == "news"
    assert stage.platform.history(CHEN)[-1].title == "通知"
    stage.callback.answer = lambda _: _now(news(2))
    assert (await stage.platform.send(CHEN, text="通知")).outcome == "fault"


async def test_links_in_a_reply_are_shown_as_labels_and_can_be_tapped(stage: Stage) -> None:
    stage.callback.always(
        '1 <a href="weixin://bizmsgmenu?msgmenucontent=交给网格员&msgmenuid=3701">交给</a> '
        '<a href="https://example.com/?a=1&amp;b=2">指南</a> <a href="javascript:x">坏</a><b>粗</b>'
    )
    delivery = await stage.platform.send(CHEN, text="灯坏了")
    assert delivery.text == "1 交给 指南 坏<b>粗</b>"
    assert [(link.kind, link.href) for link in delivery.links][1:] == [("link", "https://example.com/?a=1&b=2")]
    await stage.platform.choose(CHEN, "交给")
    message = stage.callback.received[-1].message
    assert (message.tap, message.text) == (3701, "交给网格员")
    with pytest.raises(BadRequest):
        await stage.platform.choose(CHEN, "没有这一项")


async def test_every_message_type_is_understood_by_the_bot(stage: Stage) -> None:
    platform = stage.platform
    await platform.send(CHEN, "image", data=b"\xff\xd8\xffphoto")
    await platform.send(CHEN, "voice", seconds=2)
    await platform.send(CHEN, "video")
    await platform.send(CHEN, "shortvideo")
    await platform.send(CHEN, "location", latitude=30.5, longitude=114.25, label="东门")
    await platform.send(CHEN, "link", title="标题", description="说明", url="https://example.com")
    await platform.send(CHEN, "miniprogrampage", title="小程序", appid="wx1", page_path="pages/a")
    await platform.send(CHEN, "hologram", extra={"Shape": "cube"})
    messages = [received.message for received in stage.callback.received]
    kinds = ["image", "voice", "video", "shortvideo", "location", "link", "miniprogrampage", "unknown"]
    assert [message.kind for message in messages] == kinds
    assert platform.media.read(platform.media.get(messages[0].media_id, stage.clock())) == b"\xff\xd8\xffphoto"
    assert (messages[4].latitude, messages[4].longitude, messages[4].label) == (30.5, 114.25, "东门")
    assert messages[7].fields["Shape"] == "cube"
    assert len({message.msg_id for message in messages}) == len(messages)


async def test_events_carry_what_wechat_puts_into_them(stage: Stage) -> None:
    platform = stage.platform
    await platform.click(CHEN, "report")
    await platform.enter_location(CHEN, 30.5, 114.25)
    await platform.subscribe_consent(CHEN, "sub_case_progress", accept=False)
    await platform.unfollow(CHEN)
    events = [received.message for received in stage.callback.received]
    assert [event.event for event in events] == ["click", "location", "subscribe_msg_popup_event", "unsubscribe"]
    assert events[0].key == "report"
    assert (events[1].latitude, events[1].longitude) == (30.5, 114.25)
    assert {event.msg_id for event in events} == {None}


async def test_a_qr_code_brings_the_prefix_for_new_followers_only(stage: Stage) -> None:
    platform = stage.platform
    made = platform.qrcodes.create(
        {"action_name": "QR_LIMIT_STR_SCENE", "action_info": {"scene": {"scene_str": "grid-7"}}}, stage.clock()
    )
    await platform.scan(CHEN, "grid-7")
    await platform.unfollow(CHEN)
    await platform.scan(CHEN, "grid-7")
    scan, _, subscribe = (received.message for received in stage.callback.received)
    assert (scan.event, scan.scene) == ("scan", "grid-7")
    assert (subscribe.event, subscribe.scene) == ("subscribe", "grid-7")
    assert {scan.fields["Ticket"], subscribe.fields["Ticket"]} == {made["ticket"]}
    raw = Cryptor(APPID, TOKEN, [AES_KEY])
    bodies = [raw.decrypt(_encrypted(r.body)).body.decode() for r in stage.callback.received]
    assert "<EventKey><![CDATA[grid-7]]></EventKey>" in bodies[0]
    assert "<EventKey><![CDATA[qrscene_grid-7]]></EventKey>" in bodies[2]


async def test_who_does_not_follow_has_no_type_box_and_no_menu(stage: Stage) -> None:
    await stage.platform.unfollow(CHEN)
    with pytest.raises(Conflict):
        await stage.platform.send(CHEN, text="在吗")
    with pytest.raises(Conflict):
        await stage.platform.click(CHEN, "report")
    assert len(stage.callback.received) == 1


async def test_a_failed_event_of_the_platform_itself_shows_nothing(stage: Stage) -> None:
    stage.callback.answer = lambda _: _now(web.Response(status=500))
    assert (await stage.platform.unfollow(CHEN)).outcome == "fault"
    assert [bubble.kind for bubble in stage.platform.history(CHEN)] == ["notice"]


async def test_an_unknown_openid_becomes_a_follower_behind_the_page(stage: Stage) -> None:
    await stage.platform.send("o_replay_1", text="在吗")
    assert len(stage.platform.history("o_replay_1")) == 1
    assert "o_replay_1" not in [phone.openid for phone in stage.platform.phones.on_page()]


async def test_the_callback_address_is_verified_with_get(stage: Stage) -> None:
    assert (await stage.platform.verify_callback()).ok


async def test_an_address_that_is_no_callback_fails_the_check(stage: Stage) -> None:
    config = stage.platform.config
    wrong = type(config)(config.callback_url + "/no", APPID, "s", TOKEN, AES_KEY)
    async with Platform(wrong) as platform:
        verification = await platform.verify_callback()
    assert (verification.ok, "404" in verification.reason) == (False, True)


async def test_two_platforms_in_one_process_share_nothing(stage: Stage) -> None:
    async with Platform(stage.platform.config) as other:
        await stage.platform.send(CHEN, text="在吗")
        stage.platform.faults.duplicates = 3
        assert (other.history(CHEN), other.faults.duplicates) == ([], 1)


async def test_a_phone_keeps_its_last_500_bubbles(stage: Stage) -> None:
    for number in range(260):
        stage.callback.always(str(number))
        await stage.platform.send(CHEN, text=str(number))
    history = stage.platform.history(CHEN)
    assert (len(history), history[0].number, history[-1].number) == (500, 21, 520)


def _encrypted(body: bytes) -> str:
    return body.split(b"<Encrypt><![CDATA[")[1].split(b"]]>")[0].decode()


async def _now(value: Any) -> Any:
    return value
