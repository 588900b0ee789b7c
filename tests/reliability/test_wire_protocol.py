"""The callback over HTTP: what WeChat sends is answered, what anybody else sends is refused without a word."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter
from typing import Any

import pytest

from bot.crypto import Cryptor, signature
from models.database import fetch
from tests.reliability.account import NEW_KEY, OLD_KEY, Account
from tests.reliability.wire import Got, Post, WeChat, event, message, text
from tests.town import Town

ME = "o_wire_me"
REFUSED = {400, 403, 405, 413}


async def rows() -> int:
    """How many messages are stored."""
    return int((await fetch("SELECT count(*) AS n FROM inbox WHERE starts_with(openid, 'o_wire')"))[0]["n"])


# Every documented type (wechat.md §1.5, §1.6), and whether somebody waits for an answer.
ORDINARY = {
    "text": ("<Content>你好</Content>", True),
    "image": ("<PicUrl>http://p/1</PicUrl><MediaId>m1</MediaId>", True),
    "voice": ("<MediaId>m2</MediaId><Format>amr</Format><Recognition></Recognition>", True),
    "video": ("<MediaId>m3</MediaId><ThumbMediaId>t3</ThumbMediaId>", True),
    "shortvideo": ("<MediaId>m4</MediaId><ThumbMediaId>t4</ThumbMediaId>", True),
    "location": (
        "<Location_X>30.56</Location_X><Location_Y>114.36</Location_Y><Scale>16</Scale><Label>东门</Label>",
        True,
    ),
    "link": ("<Title>通知</Title><Description>说明</Description><Url>https://example.com</Url>", True),
    "miniprogrampage": (
        "<Title>页</Title><AppId>wx1</AppId><PagePath>p</PagePath><ThumbMediaId>t</ThumbMediaId>",
        True,
    ),
    "hologram": ("<Shape>cube</Shape>", False),
}
_PICTURES = "<SendPicsInfo><Count>1</Count><PicList><item><PicMd5Sum>a</PicMd5Sum></item></PicList></SendPicsInfo>"
_CONSENT = "<List><TemplateId>t</TemplateId><SubscribeStatusString>{}</SubscribeStatusString></List>"
_SENT = (
    "<List><TemplateId>t</TemplateId><MsgID>1</MsgID><ErrorCode>0</ErrorCode><ErrorStatus>success</ErrorStatus></List>"
)
EVENTS = {
    "subscribe": ("<EventKey></EventKey>", True),
    "SCAN": ("<EventKey>grid:429906001001001</EventKey><Ticket>T</Ticket>", True),
    "LOCATION": ("<Latitude>30.5</Latitude><Longitude>114.3</Longitude><Precision>30</Precision>", False),
    "CLICK": ("<EventKey>help</EventKey>", True),
    "VIEW": ("<EventKey>https://example.com</EventKey>", False),
    "view_miniprogram": ("<EventKey>pages/a</EventKey><MenuId>1</MenuId>", False),
    "scancode_push": ("<EventKey>k</EventKey><ScanCodeInfo><ScanType>q</ScanType></ScanCodeInfo>", False),
    "scancode_waitmsg": ("<EventKey>k</EventKey><ScanCodeInfo><ScanType>q</ScanType></ScanCodeInfo>", False),
    "pic_sysphoto": (f"<EventKey>k</EventKey>{_PICTURES}", False),
    "pic_photo_or_album": (f"<EventKey>k</EventKey>{_PICTURES}", False),
    "pic_weixin": (f"<EventKey>k</EventKey>{_PICTURES}", False),
    "location_select": ("<EventKey>k</EventKey><SendLocationInfo><Scale>1</Scale></SendLocationInfo>", False),
    "TEMPLATESENDJOBFINISH": ("<MsgID>1</MsgID><Status>success</Status>", False),
    "MASSSENDJOBFINISH": ("<MsgID>1</MsgID><Status>send success</Status><TotalCount>1</TotalCount>", False),
    "subscribe_msg_popup_event": (
        f"<SubscribeMsgPopupEvent>{_CONSENT.format('accept')}</SubscribeMsgPopupEvent>",
        False,
    ),
    "subscribe_msg_change_event": (
        f"<SubscribeMsgChangeEvent>{_CONSENT.format('reject')}</SubscribeMsgChangeEvent>",
        False,
    ),
    "subscribe_msg_sent_event": (f"<SubscribeMsgSentEvent>{_SENT}</SubscribeMsgSentEvent>", False),
    "kf_create_session": ("<KfAccount>a@b</KfAccount>", False),
    "kf_close_session": ("<KfAccount>a@b</KfAccount>", False),
    "kf_switch_session": ("<FromKfAccount>a@b</FromKfAccount><ToKfAccount>c@d</ToKfAccount>", False),
    "user_authorization_revoke": ("<OpenID>o</OpenID><AppID>wx1</AppID><RevokeInfo>201</RevokeInfo>", False),
    "wxa_media_check": ("<appid>wx1</appid><trace_id>x</trace_id><version>2</version>", False),
    "unsubscribe": ("", False),
    "a_very_new_event_" + "x" * 200: ("<Whatever><Deep>1</Deep></Whatever>", False),
}


async def test_every_documented_type_and_unknown_ones_are_answered_and_stored_once(town: Town, wechat: WeChat) -> None:
    now = town.clock()
    pushes = [
        *((message(f"{ME}_{kind}", kind, now, inner), answered) for kind, (inner, answered) in ORDINARY.items()),
        *((event(f"{ME}_{name}"[:60], name, now, inner), answered) for name, (inner, answered) in EVENTS.items()),
        (message(f"{ME}_future", "text", now, "<Content>你好</Content><NewField><A>1</A></NewField>"), True),
    ]
    for xml, answered in pushes:
        got = await wechat.push(xml, now)
        assert got.status == 200, xml
        assert bool(got.text) if answered else got.body == b"success", (xml, got)
    assert await rows() == len(pushes)
    assert await fetch("SELECT dedupe_key FROM inbox WHERE state <> 'done'") == []


async def test_a_name_wechat_may_invent_leaves_no_error_and_no_words(
    town: Town, wechat: WeChat, logged: list[MutableMapping[str, Any]]
) -> None:
    assert (await wechat.push(message(ME, "hologram", town.clock()), town.clock())).body == b"success"
    assert [line for line in logged if line["log_level"] in ("warning", "error")] == []


async def test_tampered_requests_are_refused_and_leave_nothing(town: Town, wechat: WeChat) -> None:
    good = wechat.seal(text(ME, "3栋楼道灯坏了", town.clock()), town.clock())
    seed = random.Random(7)

    def flipped(value: str) -> str:
        place = seed.randrange(len(value))
        return value[:place] + ("0" if value[place] != "0" else "1") + value[place + 1 :]

    requests = [Post(good.query | {name: flipped(good.query[name])}, good.body) for name in ("msg_signature", "nonce")]
    requests += [
        Post(good.query | {"msg_signature": flipped(good.query["msg_signature"])}, good.body) for _ in range(40)
    ]
    requests += [Post({k: v for k, v in good.query.items() if k != "msg_signature"}, good.body)]
    requests += [Post(good.query | {"msg_signature": ""}, good.body)]
    requests += [wechat.with_(token="").seal(text(ME, "x", town.clock()), town.clock())]
    requests += [Post({k: v for k, v in good.query.items() if k != "encrypt_type"}, text(ME, "x", town.clock()))]
    for request in requests:
        assert await wechat.post(request) == Got(403, b"")
    assert await rows() == 0
    assert (await wechat.post(good)).text.startswith("看起来您要反映")


async def test_a_timestamp_must_be_within_ten_minutes_both_ways(town: Town, wechat: WeChat) -> None:
    now = town.clock()
    for minutes in (-11, -10.1, 10.1, 11, 60 * 24 * 365):
        at = now + timedelta(minutes=minutes)
        assert await wechat.push(text(ME, "x", at), at) == Got(403, b""), minutes
    for stamp in ("", "abc", "1e9", "-1", "９" * 10, "9" * 40):
        good = wechat.seal(text(ME, "x", now), now)
        encrypted = good.body.split(b"<Encrypt><![CDATA[")[1].split(b"]]>")[0].decode()
        signed = signature(wechat.config.token, stamp, good.query["nonce"], encrypted)
        assert await wechat.post(Post(good.query | {"timestamp": stamp, "msg_signature": signed}, good.body)) == Got(
            403, b""
        )
    assert await rows() == 0
    for minutes in (-9.9, 9.9):
        at = now + timedelta(minutes=minutes)
        assert (await wechat.push(text(ME, "你好", at), at)).status == 200


async def test_a_genuine_retry_within_the_window_gets_the_same_answer(town: Town, wechat: WeChat) -> None:
    request = wechat.seal(text(ME, "3栋楼道灯坏了", town.clock()), town.clock())
    first = await wechat.post(request)
    for _ in range(2):
        town.clock.advance(timedelta(seconds=5))
        assert (await wechat.post(request)).text == first.text
    assert await rows() == 1


def _malformed(wechat: WeChat, good: Post, xml: bytes, seed: random.Random) -> Post:
    """One request that WeChat would never make, of some twenty kinds."""
    body, query = good.body, dict(good.query)
    at = datetime.fromtimestamp(int(query["timestamp"]), UTC)
    encrypted = body.split(b"<Encrypt><![CDATA[")[1].split(b"]]>")[0].decode()

    def resigned(cipher: str) -> Post:
        signed = signature(wechat.config.token, query["timestamp"], query["nonce"], cipher)
        return Post(query | {"msg_signature": signed}, f"<xml><Encrypt><![CDATA[{cipher}]]></Encrypt></xml>".encode())

    def cut(data: bytes) -> bytes:
        return data[: seed.randrange(len(data))]

    def noise(size: int) -> bytes:
        return seed.randbytes(size)

    inner: list[Callable[[], bytes]] = [
        lambda: cut(xml),
        lambda: xml.replace(b"<CreateTime>", b"<CreateTime>9" * 3),
        lambda: b'<!DOCTYPE xml [<!ENTITY a "aaaa">]>' + xml,
        lambda: b'<?xml version="1.0"?><!DOCTYPE xml SYSTEM "file:///etc/passwd">' + xml,
        lambda: xml.replace(b"<MsgType>", b"<MsgType>text</MsgType><MsgType>"),
        lambda: xml.replace(b"<MsgId>", b"<MsgId>99999999999999999999999"),
        lambda: xml.decode().encode("utf-16"),
        lambda: b"<a>" * 5000,
        lambda: b"{" * seed.randrange(1, 3000),
        lambda: noise(seed.randrange(1, 4000)),
        lambda: xml.replace(b"o_wire", b"\xff\xfe"),
        lambda: xml.replace(b"</xml>", b"<X>&#0;</X></xml>"),
        lambda: b"",
    ]
    kinds: list[Callable[[], Post]] = [
        *(lambda make=make: wechat.seal(make(), at) for make in inner),
        lambda: Post(query, cut(body)),
        lambda: Post(query, noise(seed.randrange(0, 5000))),
        lambda: Post(query, b"x" * seed.choice((65_537, 1_048_576))),
        lambda: Post(query | {"msg_signature": noise(20).hex()}, body),
        lambda: Post({}, body),
        lambda: Post(query, body, method=seed.choice(("PUT", "DELETE", "PATCH"))),
        lambda: resigned(encrypted[: -4 * seed.randrange(1, 8)]),
        lambda: resigned(encrypted[40:] + encrypted[:40]),
        lambda: resigned(base64.b64encode(noise(16 * seed.randrange(1, 40))).decode()),
        lambda: resigned("".join(seed.choices("=+/Az09 \n", k=80))),
        lambda: wechat.with_(appid="wx0000000000000000").seal(xml, at),
        lambda: wechat.with_(aes_key=OLD_KEY).seal(xml, at),
        lambda: Post(query, body + body),
        lambda: Post(
            query, body.replace(b"</xml>", b"<Encrypt>x</Encrypt></xml>"), headers={"Content-Type": "a" * 200}
        ),
    ]
    return seed.choice(kinds)()


async def test_five_hundred_malformed_callbacks_are_refused_without_a_trace(town: Town, wechat: WeChat) -> None:
    seed, seconds = random.Random(20261120), []
    xml = text("o_wire_bad", "3栋楼道灯坏了", town.clock())
    good = wechat.seal(xml, town.clock())
    for number in range(500):
        request = _malformed(wechat, good, xml, seed)
        started = perf_counter()
        got = await wechat.post(request)
        seconds.append(perf_counter() - started)
        assert got.status in REFUSED, (number, request, got)
        # Nothing says why: an empty body, or the web server's own two words about the method.
        assert got.body in (b"", b"405: Method Not Allowed"), (number, got)
    assert await rows() == 0
    assert median(seconds) < 0.5, "nothing is waited for, on a busy machine too"
    assert (await wechat.post(good)).status == 200


async def test_bad_input_leaves_one_log_line_each_and_no_row(
    town: Town, wechat: WeChat, logged: list[MutableMapping[str, Any]]
) -> None:
    now = town.clock()
    xml = text("o_wire_bad", "x", now)
    good = wechat.seal(xml, now)
    bad = {
        "wrong signature": Post(good.query | {"msg_signature": "0" * 40}, good.body),
        "stale timestamp": wechat.seal(xml, now - timedelta(minutes=30)),
        "other app id": wechat.with_(appid="wx0000000000000000").seal(xml, now),
        "document type": wechat.seal(b'<!DOCTYPE xml [<!ENTITY a "a">]>' + xml, now),
        "a megabyte": Post(good.query, b"<xml>" + b"x" * 1_048_576),
        "random bytes": Post(good.query, random.Random(1).randbytes(500)),
        "nothing": Post(good.query, b""),
    }
    for name, request in bad.items():
        logged.clear()
        got = await wechat.post(request)
        assert got.status in REFUSED, name
        assert got.body == b"", name
        assert [line["event"] for line in logged] == ["callback refused"], name
    assert await rows() == 0


async def test_every_kind_of_decryption_failure_looks_the_same(town: Town, wechat: WeChat) -> None:
    query = wechat.seal(text(ME, "x", town.clock()), town.clock()).query
    sound = wechat.cryptor().encrypt(text(ME, "x", town.clock()))
    ciphers = {
        "padding": base64.b64encode(base64.b64decode(sound)[:-32] + b"\x00" * 32).decode(),
        "length": base64.b64encode(base64.b64decode(sound)[:-16]).decode(),
        "base64": "*" + sound[1:],
        "app id": Cryptor("wx0000000000000000", "t", [wechat.config.aes_key]).encrypt(b"<xml></xml>"),
        "key": Cryptor(wechat.config.appid, "t", [OLD_KEY]).encrypt(b"<xml></xml>"),
    }
    answers = set()
    for cipher in ciphers.values():
        signed = signature(wechat.config.token, query["timestamp"], query["nonce"], cipher)
        body = f"<xml><Encrypt><![CDATA[{cipher}]]></Encrypt></xml>".encode()
        got = await wechat.post(Post(dict(query) | {"msg_signature": signed}, body))
        answers.add((got.status, got.body))
    assert answers == {(400, b"")}


async def test_saving_the_server_settings_echoes_only_for_our_token(town: Town, wechat: WeChat) -> None:
    assert (await town.platform.verify_callback()).ok
    stamp = str(int(town.clock().timestamp()))
    query = {"timestamp": stamp, "nonce": "n", "echostr": "<b>1</b>", "signature": "0" * 40}
    assert await wechat.post(Post(query, b"", method="GET")) == Got(403, b"")


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
async def test_a_text_comes_and_goes_in_each_mode(mode: str, account: Account) -> None:
    async with account.serve(wechat_mode=mode) as wechat:
        got = await wechat.push(text(ME, "3栋楼道灯坏了", account.clock()), account.clock())
        assert got.text.startswith("看起来您要反映")
        assert (b"<Encrypt>" in got.body) is (mode != "plain")
        assert await rows() == 1


async def test_after_a_change_of_keys_the_old_one_is_taken_and_answered_with(account: Account) -> None:
    async with account.serve(wechat_aes_key=NEW_KEY, wechat_aes_key_previous=OLD_KEY) as wechat:
        for key in (OLD_KEY, NEW_KEY):
            with_key = wechat.with_(aes_key=key)  # opens answers with this key alone
            got = await with_key.push(text(f"{ME}_{key[:3]}", "3栋楼道灯坏了", account.clock()), account.clock())
            assert got.text.startswith("看起来您要反映")
