"""Every documented push becomes a Message; anything hostile or broken becomes BadMessage and nothing else."""

import json
import random
import time
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy import parse_message as wechatpy_parse

from bot.messages import Kind, Message, parse_message
from bot.wire import cdata
from errors import BadMessage

OPENID, ACCOUNT, CREATED = "o9AgO5Kd5ggOC-bXrbNODIiE3bGY", "gh_97417a04a28d", 1714112445
MSG_ID = 2**62 + 1


def push(type_: str, inner: str = "", *, msg_id: int | None = MSG_ID, created: object = CREATED) -> bytes:
    id_ = "" if msg_id is None else f"<MsgId>{msg_id}</MsgId>"
    return (
        f"<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName><FromUserName><![CDATA[{OPENID}]]></FromUserName>"
        f"<CreateTime>{created}</CreateTime><MsgType><![CDATA[{type_}]]></MsgType>{inner}{id_}</xml>"
    ).encode()


def event(name: str, inner: str = "", created: int = CREATED) -> Message:
    return parse_message(push("event", f"<Event><![CDATA[{name}]]></Event>{inner}", msg_id=None, created=created))


def text(content: str) -> bytes:
    return push("text", f"<Content>{cdata(content)}</Content>")


def test_a_text_has_sender_time_id_and_content() -> None:
    message = parse_message(text("3栋2单元楼道灯坏了"))
    assert message == Message(
        ACCOUNT, OPENID, datetime.fromtimestamp(CREATED, UTC), Kind.TEXT, MSG_ID, text="3栋2单元楼道灯坏了"
    )
    assert message.dedupe_key == f"m:{MSG_ID}"


PRETTY = text("a").replace(b"><", b">\n<").replace(b">\n<![", b"><![").replace(b"]]>\n</", b"]]></")
ORDINARY: dict[str, tuple[bytes, dict[str, Any]]] = {
    "image": (
        push("image", "<PicUrl><![CDATA[http://p/1]]></PicUrl><MediaId><![CDATA[m1]]></MediaId>"),
        {"kind": Kind.IMAGE, "pic_url": "http://p/1", "media_id": "m1"},
    ),
    "voice": (
        push("voice", "<MediaId>m2</MediaId><Format>amr</Format><Recognition>漏水了</Recognition>"),
        {"kind": Kind.VOICE, "media_id": "m2", "media_format": "amr", "text": "漏水了"},
    ),
    "voice without recognition": (
        push("voice", "<MediaId>m2</MediaId><Format>amr</Format><MediaId16K>m3</MediaId16K>"),
        {"kind": Kind.VOICE, "text": "", "fields": {"MediaId16K": "m3"}},
    ),
    "video": (
        push("video", "<MediaId>m4</MediaId><ThumbMediaId>t4</ThumbMediaId>"),
        {"kind": Kind.VIDEO, "media_id": "m4", "thumb_media_id": "t4"},
    ),
    "shortvideo": (
        push("shortvideo", "<MediaId>m5</MediaId><ThumbMediaId>t5</ThumbMediaId>"),
        {"kind": Kind.SHORTVIDEO, "media_id": "m5", "thumb_media_id": "t5"},
    ),
    "location": (
        push(
            "location",
            "<Location_X>30.545678</Location_X><Location_Y>-114.3</Location_Y><Scale>16</Scale><Label>东门</Label>",
        ),
        {
            "kind": Kind.LOCATION,
            "latitude": 30.545678,
            "longitude": -114.3,
            "label": "东门",
            "fields": {"Scale": "16"},
        },
    ),
    "link": (
        push("link", "<Title>通知</Title><Description>d</Description><Url>https://a.cn/1</Url>"),
        {"kind": Kind.LINK, "text": "通知\nhttps://a.cn/1", "fields": {"Description": "d"}},
    ),
    "miniprogrampage": (
        push("miniprogrampage", "<Title>页面</Title><AppId>wx1</AppId><PagePath>pages/a</PagePath>"),
        {"kind": Kind.MINIPROGRAMPAGE, "text": "页面", "fields": {"AppId": "wx1", "PagePath": "pages/a"}},
    ),
    "tapped menu item": (
        push("text", "<Content>满意</Content><bizmsgmenuid>101</bizmsgmenuid>"),
        {"kind": Kind.TEXT, "text": "满意", "tap": 101},
    ),
    "tapped item whose id was lost": (
        push("text", "<Content>满意</Content><bizmsgmenuid>id-a</bizmsgmenuid>"),
        {"kind": Kind.TEXT, "text": "满意", "tap": None},
    ),
    "a type of next year": (
        push("hologram", "<Shape><Corner>1</Corner><Corner>2</Corner></Shape>"),
        {"kind": Kind.UNKNOWN, "fields": {"MsgType": "hologram", "Shape": {"Corner": ["1", "2"]}}},
    ),
    "upper-case type": (push("TEXT", "<Content>a</Content>"), {"kind": Kind.TEXT, "text": "a"}),
    "a future field": (push("text", "<Content>a</Content><Mood>7</Mood>"), {"fields": {"Mood": "7"}}),
    "empty content": (push("text", "<Content></Content>"), {"kind": Kind.TEXT, "text": ""}),
    "declaration, byte order mark and line breaks": (
        b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?>\n" + PRETTY,
        {"kind": Kind.TEXT, "text": "a"},
    ),
}


@pytest.mark.parametrize(("body", "expected"), ORDINARY.values(), ids=ORDINARY)
def test_ordinary_messages(body: bytes, expected: dict[str, Any]) -> None:
    message = parse_message(body)
    assert {name: getattr(message, name) for name in expected} == expected
    assert message.event == ""
    assert message.dedupe_key == f"m:{MSG_ID}"


def key(value: str) -> str:
    return f"<EventKey><![CDATA[{value}]]></EventKey>"


def photo(md5: str) -> dict[str, str]:
    return {"PicMd5Sum": md5}


def photos(*md5s: str) -> str:
    items = "".join(f"<item><PicMd5Sum>{md5}</PicMd5Sum></item>" for md5 in md5s)
    return f"<SendPicsInfo><Count>{len(md5s)}</Count><PicList>{items}</PicList></SendPicsInfo>"


def consents(*templates: str) -> str:
    items = "".join(f"<List><TemplateId>{template}</TemplateId></List>" for template in templates)
    return f"<SubscribeMsgPopupEvent>{items}</SubscribeMsgPopupEvent>"


EVENTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "follow": ("subscribe", key(""), {"event": "subscribe", "key": "", "scene": None}),
    "follow by QR code": (
        "subscribe",
        key("qrscene_grid:420106-03") + "<Ticket>t</Ticket>",
        {"key": "grid:420106-03", "scene": "grid:420106-03", "fields": {"Ticket": "t"}},
    ),
    "follow after paying": ("subscribe", key("last_trade_no_4"), {"key": "last_trade_no_4", "scene": None}),
    "unfollow": ("unsubscribe", "", {"event": "unsubscribe", "fields": {}}),
    "scan": (
        "SCAN",
        key("grid:7") + "<Ticket>t</Ticket>",
        {"event": "scan", "key": "grid:7", "scene": "grid:7"},
    ),
    "where the phone is": (
        "LOCATION",
        "<Latitude>30.5</Latitude><Longitude>114.3</Longitude><Precision>119.38</Precision>",
        {"event": "location", "latitude": 30.5, "longitude": 114.3, "fields": {"Precision": "119.38"}},
    ),
    "menu click": ("CLICK", key("report"), {"event": "click", "key": "report", "scene": None}),
    "menu page": (
        "VIEW",
        key("https://a.cn") + "<MenuId>4</MenuId>",
        {"event": "view", "key": "https://a.cn"},
    ),
    "menu mini program": (
        "view_miniprogram",
        key("pages/a"),
        {"event": "view_miniprogram", "key": "pages/a"},
    ),
    "scan by menu": (
        "scancode_waitmsg",
        key("k") + "<ScanCodeInfo><ScanType>qrcode</ScanType><ScanResult>1</ScanResult></ScanCodeInfo>",
        {"key": "k", "fields": {"ScanCodeInfo": {"ScanType": "qrcode", "ScanResult": "1"}}},
    ),
    "one photo by menu": (
        "pic_sysphoto",
        key("k") + photos("1b"),
        {"fields": {"SendPicsInfo": {"Count": "1", "PicList": {"item": [{"PicMd5Sum": "1b"}]}}}},
    ),
    "two photos by menu": (
        "pic_weixin",
        key("k") + photos("1", "2"),
        {"fields": {"SendPicsInfo": {"Count": "2", "PicList": {"item": [photo("1"), photo("2")]}}}},
    ),
    "photos cancelled": (
        "pic_photo_or_album",
        key("k") + photos(),
        {"key": "k"},
    ),
    "place by menu": (
        "location_select",
        key("k") + "<SendLocationInfo><Location_X>23</Location_X><Poiname></Poiname></SendLocationInfo>",
        {"fields": {"SendLocationInfo": {"Location_X": "23", "Poiname": ""}}},
    ),
    "template result": (
        "TEMPLATESENDJOBFINISH",
        "<MsgID>200163836</MsgID><Status>failed:user block</Status>",
        {"event": "templatesendjobfinish", "fields": {"MsgID": "200163836", "Status": "failed:user block"}},
    ),
    "broadcast result": (
        "MASSSENDJOBFINISH",
        "<MsgID>1625</MsgID><Status>err(30003)</Status><ArticleUrlResult><Count>0</Count></ArticleUrlResult>",
        {"event": "masssendjobfinish"},
    ),
    "consent, one": (
        "subscribe_msg_popup_event",
        consents("T1"),
        {"fields": {"List": [{"TemplateId": "T1"}]}},
    ),
    "consent, two": (
        "subscribe_msg_popup_event",
        consents("T1", "T2"),
        {"fields": {"List": [{"TemplateId": "T1"}, {"TemplateId": "T2"}]}},
    ),
    "consent withdrawn, in the other event's wrapper": (
        "subscribe_msg_change_event",
        consents("T1"),
        {"event": "subscribe_msg_change_event", "fields": {"List": [{"TemplateId": "T1"}]}},
    ),
    "subscription result": (
        "subscribe_msg_sent_event",
        "<SubscribeMsgSentEvent><List><MsgID>1</MsgID><ErrorCode>0</ErrorCode></List></SubscribeMsgSentEvent>",
        {"fields": {"List": [{"MsgID": "1", "ErrorCode": "0"}]}},
    ),
    "desk session": ("kf_create_session", "<KfAccount>a@b</KfAccount>", {"fields": {"KfAccount": "a@b"}}),
    "consent to data withdrawn": (
        "user_authorization_revoke",
        "<OpenID>o</OpenID><RevokeInfo>201</RevokeInfo>",
        {"fields": {"OpenID": "o", "RevokeInfo": "201"}},
    ),
    "an event of next year": ("Moon_Landing", key("x"), {"event": "moon_landing", "key": "x"}),
}


@pytest.mark.parametrize(("name", "inner", "expected"), EVENTS.values(), ids=EVENTS)
def test_events(name: str, inner: str, expected: dict[str, Any]) -> None:
    message = event(name, inner)
    assert message.kind is Kind.EVENT
    assert {field: getattr(message, field) for field in expected} == expected


@pytest.mark.parametrize("items", [{"TemplateId": "T1"}, [{"TemplateId": "T1"}]])
def test_subscription_events_in_json_have_a_list_whatever_came(items: object) -> None:
    body = {"ToUserName": ACCOUNT, "FromUserName": OPENID, "CreateTime": CREATED, "MsgType": "event"}
    body |= {"Event": "subscribe_msg_popup_event", "List": items}
    assert parse_message(orjson.dumps(body)).fields == {"List": [{"TemplateId": "T1"}]}


def test_a_json_push_is_the_message_its_xml_is() -> None:
    body = {"ToUserName": ACCOUNT, "FromUserName": OPENID, "CreateTime": CREATED, "MsgType": "text"}
    assert parse_message(orjson.dumps(body | {"Content": "你好", "MsgId": MSG_ID})) == parse_message(text("你好"))


def test_our_reading_of_a_text_is_wechatpys() -> None:
    theirs, ours = wechatpy_parse(text("你好 <b>&amp;")), parse_message(text("你好 <b>&amp;"))
    assert (ours.openid, ours.account, ours.msg_id, ours.text) == (
        theirs.source,
        theirs.target,
        theirs.id,
        theirs.content,
    )


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_survives_but_for_what_xml_cannot_carry(content: str) -> None:
    received = parse_message(text(content)).text
    carried = "".join(c for c in content if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))
    assert received == carried.replace("\r\n", "\n").replace("\r", "\n")


def test_control_characters_that_phones_send_are_dropped_not_fatal() -> None:
    body = text("灯坏了").replace("灯坏了".encode(), "灯\x1d坏\x10了\x08\uffff".encode())
    assert parse_message(body).text == "灯坏了"


def test_html_a_resident_writes_is_text() -> None:
    content = '<!DOCTYPE html><!ENTITY a "b"> ]]> &lol;'
    assert parse_message(text(content)).text == content


def test_deliveries_of_one_event_share_a_key_and_other_events_of_the_second_do_not() -> None:
    click, again = event("CLICK", key("report")), event("CLICK", key("report"))
    assert click.dedupe_key == again.dedupe_key == f"e:{OPENID}:{CREATED}:click:report"
    others = [
        click,
        event("CLICK", key("help")),
        event("VIEW", key("report")),
        event("CLICK", key("report"), CREATED + 1),
        event("unsubscribe"),
        event("TEMPLATESENDJOBFINISH", "<MsgID>1</MsgID><Status>success</Status>"),
        event("TEMPLATESENDJOBFINISH", "<MsgID>2</MsgID><Status>success</Status>"),
        event("VIEW", key("https://a.cn/" + "x" * 500)),
        event("VIEW", key("https://a.cn/" + "x" * 501)),
        parse_message(push("text", "<Content>a</Content>", msg_id=None)),
        parse_message(push("text", "<Content>b</Content>", msg_id=None)),
    ]
    assert len({message.dedupe_key for message in others}) == len(others)
    assert max(len(message.dedupe_key) for message in others) < 180


def bomb(levels: int) -> bytes:
    entities = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(levels))
    return f'<!DOCTYPE xml [<!ENTITY a0 "ha">{entities}]>'.encode() + text("&x;").replace(
        b"&x;", f"&a{levels};".encode()
    )


VALID = text("灯坏了")
NESTED = 1_000_000
HOSTILE: dict[str, bytes] = {
    **{f"bomb of {levels} levels": bomb(levels) for levels in range(5, 11)},
    "quadratic": b'<!DOCTYPE xml [<!ENTITY a "' + b"x" * 30_000 + b'">]><xml>' + b"&a;" * 5_000 + b"</xml>",
    "external entity": b'<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Content>&a;</Content></xml>',
    "external DTD": b'<!DOCTYPE xml SYSTEM "http://127.0.0.1:1/a.dtd">' + VALID,
    "parameter entity": b'<!DOCTYPE xml [<!ENTITY % a SYSTEM "http://127.0.0.1:1/a"> %a;]>' + VALID,
    "doctype alone": b"<!DOCTYPE xml>" + VALID,
    "doctype after comment": b"<!-- a --><!DOCTYPE xml>" + VALID,
    "doctype in lower case": b"<!doctype xml>" + VALID,
    "doctype inside": VALID.replace(b"<xml>", b"<xml><!DOCTYPE xml>"),
    "entity inside": VALID.replace(b"<xml>", b'<xml><!ENTITY a "b">'),
    "undefined entity": VALID.replace(b"<Content>", b"<Content>&lol;"),
    "XInclude": b'<xml xmlns:x="http://www.w3.org/2001/XInclude"><x:include href="file:///etc/passwd"/></xml>',
    "attribute inside": VALID.replace(b"<Content>", b'<Content a="b">'),
    "processing instruction": b'<?xml-stylesheet href="http://127.0.0.1:1/"?>' + VALID,
    "UTF-16 with mark": VALID.decode().encode("utf-16"),
    "UTF-16 little end": VALID.decode().encode("utf-16-le"),
    "UTF-16 big end": VALID.decode().encode("utf-16-be"),
    "UTF-32": VALID.decode().encode("utf-32"),
    "UTF-16 claimed": b"<?xml version='1.0' encoding='utf-16'?>" + VALID,
    "UTF-7 claimed": b"<?xml version='1.0' encoding='UTF-7'?>" + VALID,
    "UTF-7": b"<?xml version='1.0' encoding='UTF-7'?>" + VALID.decode().encode("utf-7"),
    "GBK claimed": b"<?xml version='1.0' encoding='gbk'?>" + VALID,
    "ISO-8859-1 claimed": b"<?xml version='1.0' encoding='iso-8859-1'?>" + VALID,
    "deep in 64 KiB": b"<xml>" + b"<a>" * 10_000 + b"</a>" * 10_000 + b"</xml>",
    "a million deep": b"<xml>" + b"<a>" * NESTED + b"</a>" * NESTED + b"</xml>",
    "deep JSON": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "deep JSON lists": b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "many elements": b"<xml>" + b"<a/>" * 10_000 + b"</xml>",
    "token of 800 KB": text("灯" * 270_000),
    "64 KiB and a byte": text("x" * (64 * 1024 + 1 - len(text("")))),
    "spaces before the root": b" " * 60_000 + b"<",
    "spaces in the declaration": b"<?xml" + b" " * 60_000,
    "NUL inside": VALID.replace("灯".encode(), b"\x00"),
    "NULs alone": b"\x00" * 1_000,
    "NUL in JSON": b'{"ToUserName": "a\\u0000"}',
    "invalid UTF-8": VALID.replace("灯".encode(), b"\xff\xfe"),
    "overlong UTF-8": VALID.replace("灯".encode(), b"\xc0\xbc"),
    "surrogate in UTF-8": VALID.replace("灯".encode(), b"\xed\xa0\x80"),
    "cut character": VALID.replace("灯".encode(), "灯".encode()[:2]),
    "reference to a control character": VALID.replace(b"<CreateTime>", b"<A>&#x1d;</A><CreateTime>"),
}

BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "a space": b" ",
    "a word": b"success",
    "HTML": b"<html></html>",
    "root alone": b"<xml></xml>",
    "root with text": b"<xml>hello</xml>",
    "not closed": VALID[:-1],
    "two roots": VALID + VALID,
    "JSON list": b"[]",
    "JSON text": b'"a"',
    "JSON object": b"{}",
    "JSON cut": b'{"ToUserName": "a"',
    "JSON number as MsgType": b'{"ToUserName":"a","FromUserName":"b","CreateTime":1,"MsgType":[1]}',
    "JSON true as CreateTime": b'{"ToUserName":"a","FromUserName":"b","CreateTime":true,"MsgType":"text"}',
    "JSON huge number": b'{"ToUserName":"a","FromUserName":"b","CreateTime":1e999,"MsgType":"text"}',
    **{
        f"no {name}": VALID.replace(name.encode(), b"Other")
        for name in ("ToUserName", "FromUserName", "CreateTime", "MsgType")
    },
    **{
        f"{name} twice": VALID.replace(f"<{name}>".encode(), f"<{name}>1</{name}><{name}>".encode())
        for name in ("ToUserName", "FromUserName", "CreateTime", "MsgType", "Content", "MsgId")
    },
    "child in Content": VALID.replace(b"<Content>", b"<Content><b>1</b>"),
    "child in FromUserName": VALID.replace(b"<FromUserName>", b"<FromUserName><b>1</b>"),
    "openid with spaces": VALID.replace(OPENID.encode(), b"a b"),
    "openid in Chinese": VALID.replace(OPENID.encode(), "王芳".encode()),
    "openid of 65": VALID.replace(OPENID.encode(), b"o" * 65),
    "event without a name": push("event"),
    "latitude 91": push("location", "<Location_X>91</Location_X><Location_Y>1</Location_Y>"),
    "latitude nan": push("location", "<Location_X>nan</Location_X><Location_Y>1</Location_Y>"),
    "longitude of many digits": push("location", f"<Location_X>1</Location_X><Location_Y>{'9' * 5_000}</Location_Y>"),
    **{
        f"CreateTime {value[:12]!r}": push("text", created=value)
        for value in ("", "-1", "1.5", "1e9", "0x10", "99999999999", "9" * 20_000, "１７１４", "1_000", "nan")
    },
    "MsgId beyond 64 bits": push("text", msg_id=2**63),
    "MsgId of 20,000 digits": push("text").replace(str(MSG_ID).encode(), b"9" * 20_000),
    "MsgId negative": push("text", msg_id=-1),
}


@pytest.mark.parametrize("body", [*HOSTILE.values(), *BROKEN.values()], ids=[*HOSTILE, *BROKEN])
def test_hostile_and_broken_bodies_are_bad_messages(body: bytes) -> None:
    with pytest.raises(BadMessage):
        parse_message(body)


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_hostile_bodies_cost_little(body: bytes) -> None:
    started = time.process_time()
    with pytest.raises(BadMessage):
        parse_message(body)
    spent = time.process_time() - started
    tracemalloc.start()
    with pytest.raises(BadMessage):
        parse_message(body)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert spent < 0.1
    assert peak < 5_000_000


def mutate(random_: random.Random, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(random_.randint(1, 6)):
        place = random_.randrange(len(changed) + 1)
        match random_.randrange(4):
            case 0:
                changed[place:place] = random_.randbytes(random_.randint(1, 8))
            case 1:
                del changed[place : place + random_.randint(1, 40)]
            case 2:
                changed[place : place + 1] = random_.choice(
                    [b"<", b">", b"]]>", b"&", b"\x00", b"</", b"<a>", b"9" * 30]
                )
            case _:
                changed[place:place] = changed[place : place + random_.randint(1, 200)]
    return bytes(changed)


def test_ten_thousand_mutations_give_a_message_or_a_bad_message() -> None:
    random_ = random.Random(20261120)
    samples = [body for body, _ in ORDINARY.values()] + [
        push("event", f"<Event>{name}</Event>{inner}", msg_id=None) for name, inner, _ in EVENTS.values()
    ]
    samples.append(json.dumps({"ToUserName": "a", "FromUserName": "b", "CreateTime": 1, "MsgType": "text"}).encode())
    parsed = 0
    for _ in range(10_000):
        try:
            message = parse_message(mutate(random_, random_.choice(samples)))
        except BadMessage:
            continue
        parsed += 1
        assert 0 < len(message.dedupe_key) < 200
    assert 0 < parsed < 10_000


@given(st.binary(max_size=2_000))
def test_random_bytes_are_bad_messages(body: bytes) -> None:
    with pytest.raises(BadMessage):
        parse_message(body)


def test_a_message_cannot_be_changed() -> None:
    message = parse_message(VALID)
    with pytest.raises(AttributeError):
        message.text = "other"  # type: ignore[misc]
    assert replace(message, text="other").openid == OPENID
