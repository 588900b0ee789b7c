"""The account's own things: menu, QR codes, media, followers, quotas, login codes, text check."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from simulator import Platform, samples
from simulator.calls import LIMITS
from tests.simulator.simulator_stage import APPID, CHEN, SECRET, Stage

CLICK = {"type": "click", "name": "说事", "key": "report"}


async def create_menu(stage: Stage, *buttons: dict[str, Any]) -> int:
    return int((await stage.api.post("/cgi-bin/menu/create", {"button": list(buttons)}))["errcode"])


async def test_a_menu_is_created_read_pressed_and_deleted(stage: Stage) -> None:
    assert (await stage.api.get("/cgi-bin/menu/get"))["errcode"] == 46003
    view = {"type": "view", "name": "主页", "url": "https://example.com/"}
    assert await create_menu(stage, CLICK, {"name": "更多", "sub_button": [view, CLICK]}) == 0
    menu = (await stage.api.get("/cgi-bin/menu/get"))["menu"]
    assert [button["name"] for button in menu["button"]] == ["说事", "更多"]
    await stage.platform.press(CHEN, [0])
    await stage.platform.press(CHEN, [1, 0])
    events = [received.message for received in stage.callback.received]
    assert [(event.event, event.key) for event in events] == [("click", "report"), ("view", "https://example.com/")]
    assert (await stage.api.get("/cgi-bin/menu/delete"))["errcode"] == 0
    assert (await stage.api.get("/cgi-bin/menu/get"))["errcode"] == 46003


async def test_a_scanning_button_tells_what_it_read(stage: Stage) -> None:
    await create_menu(stage, {"type": "scancode_waitmsg", "name": "扫一扫", "key": "scan"})
    await stage.platform.press(CHEN, [0], result="lamp-0081")
    event = stage.callback.received[0].message
    assert (event.event, event.fields["ScanCodeInfo"]["ScanResult"]) == ("scancode_waitmsg", "lamp-0081")


@pytest.mark.parametrize(
    ("buttons", "errcode"),
    [
        ([], 40016),
        ([CLICK] * 3, 0),
        ([CLICK] * 4, 40016),
        ([CLICK | {"name": "a" * 16}], 0),
        ([CLICK | {"name": "一二三四五六"}], 40018),
        ([CLICK | {"name": ""}], 40018),
        ([CLICK | {"key": "k" * 129}], 40019),
        ([CLICK | {"type": "dance"}], 40017),
        ([{"type": "view", "name": "x", "url": "u" * 1025}], 40020),
        ([{"name": "x", "sub_button": [CLICK] * 5}], 0),
        ([{"name": "x", "sub_button": [CLICK] * 6}], 40023),
        ([{"name": "x", "sub_button": [CLICK | {"name": "字" * 20}]}], 0),
        ([{"name": "x", "sub_button": [CLICK | {"name": "字" * 21}]}], 40025),
        ([{"name": "x", "sub_button": [{"name": "y", "sub_button": [CLICK]}]}], 40023),
        ([{"type": "miniprogram", "name": "x", "url": "https://a", "appid": "wx1", "pagepath": "p"}], 0),
    ],
)
async def test_the_limits_of_a_menu(stage: Stage, buttons: list[dict[str, Any]], errcode: int) -> None:
    assert await create_menu(stage, *buttons) == errcode


async def test_a_menu_wrapped_in_menu_is_refused(stage: Stage) -> None:
    answer = await stage.api.post("/cgi-bin/menu/create", {"menu": {"button": [CLICK]}})
    assert answer["errcode"] == 40016


def qr(action: str, **more: Any) -> dict[str, Any]:
    scene = {key: more.pop(key) for key in ("scene_id", "scene_str") if key in more}
    return {"action_name": action, "action_info": {"scene": scene}, **more}


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        (qr("QR_SCENE", scene_id=1), 0),
        (qr("QR_SCENE", scene_id=0), 40053),
        (qr("QR_SCENE", scene_id=2**32), 40053),
        (qr("QR_STR_SCENE", scene_str="x" * 64), 0),
        (qr("QR_STR_SCENE", scene_str="x" * 65), 40053),
        (qr("QR_STR_SCENE", scene_str=""), 40053),
        (qr("QR_STR_SCENE", scene_str="x", expire_seconds=2_592_000), 0),
        (qr("QR_STR_SCENE", scene_str="x", expire_seconds=2_592_001), 40053),
        (qr("QR_LIMIT_SCENE", scene_id=100_000), 0),
        (qr("QR_LIMIT_SCENE", scene_id=100_001), 40053),
        (qr("QR_WHAT", scene_id=1), 40053),
    ],
)
async def test_the_limits_of_a_qr_code(stage: Stage, body: dict[str, Any], errcode: int) -> None:
    assert (await stage.api.post("/cgi-bin/qrcode/create", body)).get("errcode", 0) == errcode


async def test_a_qr_code_is_drawn_by_its_ticket_and_dies_at_its_time(stage: Stage) -> None:
    made = await stage.api.post("/cgi-bin/qrcode/create", qr("QR_STR_SCENE", scene_str="grid-7"))
    assert (made["expire_seconds"], made["url"][:24]) == (60, "http://weixin.qq.com/q/" + made["url"][23])
    status, kind, image = await stage.api.raw("GET", "/cgi-bin/showqrcode", params={"ticket": made["ticket"]})
    assert (status, kind, image[:4]) == (200, "image/png", b"\x89PNG")
    status, _, _ = await stage.api.raw("GET", "/cgi-bin/showqrcode", params={"ticket": "unknown"})
    assert status == 404
    stage.clock.forward(seconds=60)
    assert stage.platform.qrcodes.alive(stage.clock()) == []


async def upload(stage: Stage, kind: str, data: bytes) -> dict[str, Any]:
    form = aiohttp.FormData()
    form.add_field("media", data, filename="a.png")
    params = {"access_token": stage.api.token, "type": kind}
    url = stage.api.base + "/cgi-bin/media/upload"
    async with stage.api.session.post(url, data=form, params=params) as response:
        return dict(await response.json(content_type=None))


async def test_uploaded_media_can_be_fetched_and_sent_for_three_days(stage: Stage) -> None:
    photo = samples.photo("garbage")
    made = await upload(stage, "image", photo)
    params = {"access_token": stage.api.token, "media_id": made["media_id"]}
    _, kind, data = await stage.api.raw("GET", "/cgi-bin/media/get", params=params)
    assert (kind, data) == ("image/png", photo)
    stage.clock.forward(days=3, seconds=-1)
    await stage.platform.send(CHEN, text="在吗")
    image = {"touser": CHEN, "msgtype": "image", "image": {"media_id": made["media_id"]}}
    await stage.api.renew()
    assert (await stage.api.post("/cgi-bin/message/custom/send", image))["errcode"] == 0
    stage.clock.forward(seconds=1)
    assert (await stage.api.get("/cgi-bin/media/get", media_id=made["media_id"]))["errcode"] == 40007
    assert (await stage.api.post("/cgi-bin/message/custom/send", image))["errcode"] == 40007


async def test_a_video_is_answered_with_its_address(stage: Stage) -> None:
    await stage.platform.send(CHEN, "video")
    media_id = stage.callback.received[0].message.media_id
    address = (await stage.api.get("/cgi-bin/media/get", media_id=media_id))["video_url"]
    assert address.endswith(f"/simulator/media/{media_id}")


@pytest.mark.parametrize(
    ("kind", "data", "errcode"),
    [
        ("poem", b"\x89PNG\r\n\x1a\n", 40004),
        ("image", b"", 41005),
        ("image", b"hello", 40005),
        ("thumb", b"\xff\xd8\xff" + bytes(64 * 1024), 40006),
        ("voice", b"#!AMR\n", None),
    ],
)
async def test_media_of_the_wrong_type_or_size_are_refused(
    stage: Stage, kind: str, data: bytes, errcode: int | None
) -> None:
    assert (await upload(stage, kind, data)).get("errcode") == errcode


async def test_user_info_knows_no_nickname(stage: Stage) -> None:
    await stage.platform.unfollow(CHEN)
    assert await stage.api.get("/cgi-bin/user/info", openid=CHEN) == {"subscribe": 0, "openid": CHEN}
    await stage.platform.scan(CHEN, "grid-7")
    info = await stage.api.get("/cgi-bin/user/info", openid=CHEN)
    assert (info["subscribe"], info["nickname"], info["qr_scene_str"]) == (1, "", "grid-7")
    assert (await stage.api.get("/cgi-bin/user/info", openid="o_unknown"))["errcode"] == 40003


async def test_followers_are_listed(stage: Stage) -> None:
    answer = await stage.api.get("/cgi-bin/user/get")
    assert (answer["total"], CHEN in answer["data"]["openid"]) == (3, True)


async def test_daily_limits_are_counted_refused_and_cleared(stage: Stage) -> None:
    path = "/cgi-bin/menu/delete"
    for _ in range(LIMITS[path]):
        stage.platform.calls.count(APPID, path, stage.clock())
    assert (await stage.api.get(path))["errcode"] == 45009
    quota = await stage.api.post("/cgi-bin/openapi/quota/get", {"cgi_path": path})
    assert quota["quota"] == {"daily_limit": 1000, "used": 1000, "remain": 0}
    assert (await stage.api.post("/cgi-bin/openapi/quota/get", {"cgi_path": "/x"}))["errcode"] == 76003
    assert (await stage.api.post("/cgi-bin/clear_quota", {"appid": APPID}))["errcode"] == 0
    assert (await stage.api.get(path))["errcode"] == 0
    for _ in range(9):
        await stage.api.post("/cgi-bin/clear_quota", {"appid": APPID})
    assert (await stage.api.post("/cgi-bin/clear_quota", {"appid": APPID}))["errcode"] == 48006


async def test_limits_start_anew_at_midnight_in_china(stage: Stage) -> None:
    stage.platform.calls.count(APPID, "/cgi-bin/menu/get", stage.clock())
    stage.clock.forward(hours=7, minutes=59, seconds=59)
    assert stage.platform.calls.quota(APPID, "/cgi-bin/menu/get", stage.clock())["used"] == 1
    stage.clock.forward(seconds=1)
    assert stage.platform.calls.quota(APPID, "/cgi-bin/menu/get", stage.clock())["used"] == 0


async def login(stage: Stage, code: str, **more: str) -> dict[str, Any]:
    query = {"appid": APPID, "secret": SECRET, "js_code": code, "grant_type": "authorization_code"}
    return await stage.api.get("/sns/jscode2session", **(query | more))


async def test_a_login_code_works_once_within_five_minutes(stage: Stage) -> None:
    code = stage.platform.make_code(CHEN)
    stage.clock.forward(minutes=5, seconds=-1)
    answer = await login(stage, code)
    assert ("errcode" in answer, answer["openid"]) == (False, CHEN)
    assert (await login(stage, code))["errcode"] == 40163
    late = stage.platform.make_code(CHEN)
    stage.clock.forward(minutes=5)
    assert (await login(stage, late))["errcode"] == 40029
    assert (await login(stage, "invented"))["errcode"] == 40029
    assert (await login(stage, stage.platform.make_code(CHEN), secret="wrong"))["errcode"] == 40125
    assert (await login(stage, stage.platform.make_code(CHEN, "phone")))["errcode"] == 40029


async def test_a_mini_program_of_its_own_has_its_own_openids_and_tokens(stage: Stage) -> None:
    old = stage.platform.config
    config = type(old)(old.callback_url, APPID, SECRET, "t", old.aes_key, miniapp_appid="wxmini", miniapp_secret="s")
    platform = Platform(config, now=stage.clock)
    assert config.secrets == {APPID: SECRET, "wxmini": "s"}
    assert platform.tokens.check(platform.tokens.issue_stable("wxmini", stage.clock())["access_token"], stage.clock())


async def test_a_phone_number_code_gives_an_invented_number(stage: Stage) -> None:
    path = "/wxa/business/getuserphonenumber"
    code = stage.platform.make_code(CHEN, "phone")
    info = (await stage.api.post(path, {"code": code}))["phone_info"]
    assert (len(info["phoneNumber"]), info["watermark"]["appid"]) == (11, APPID)
    assert (await stage.api.post(path, {"code": code}))["errcode"] == 40163


async def test_texts_are_checked_for_recent_visitors_only(stage: Stage) -> None:
    async def check(**more: Any) -> dict[str, Any]:
        body = {"version": 2, "scene": 2, "openid": CHEN, "content": "楼道灯坏了", **more}
        return await stage.api.post("/wxa/msg_sec_check", body)

    assert (await check())["errcode"] == 61010
    await stage.platform.send(CHEN, text="在吗")
    assert (await check())["errcode"] == 61010  # a chat with the account is no visit to the mini-program
    stage.platform.visit(CHEN)
    assert (await check())["result"] == {"suggest": "pass", "label": 100}
    assert (await check(content="代开发票"))["result"]["suggest"] == "risky"
    assert (await check(content="请加微信"))["result"]["suggest"] == "review"
    assert (await check(content="字" * 2501))["errcode"] == 45002
    assert (await check(version=1))["errcode"] == 40129
    stage.clock.forward(hours=2, seconds=1)
    await stage.api.renew()
    assert (await check())["errcode"] == 61010


async def test_the_address_of_a_picture_is_the_simulators_own(stage: Stage) -> None:
    await stage.platform.send(CHEN, "image")
    picture = urlsplit(stage.callback.received[0].message.pic_url)
    assert picture.path.startswith("/simulator/media/")
    assert parse_qs(picture.query) == {}
