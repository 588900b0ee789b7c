"""The page: what it serves, and what its buttons do over HTTP."""

import base64
import re
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp.test_utils import TestClient, TestServer

from simulator import Platform, create_app, samples
from simulator.feed import QUEUED, READERS, next_news
from tests.simulator.simulator_stage import CHEN, Stage


async def get(stage: Stage, path: str) -> tuple[int, str, bytes]:
    async with stage.api.session.get(stage.page + path) as response:
        return response.status, response.content_type, await response.read()


async def post(stage: Stage, path: str, body: Any, status: int = 200) -> dict[str, Any]:
    async with stage.api.session.post(f"{stage.page}/api{path}", json=body) as response:
        assert response.status == status
        return dict(await response.json())


async def act(stage: Stage, name: str, **body: Any) -> dict[str, Any]:
    return await post(stage, f"/phones/{CHEN}/{name}", body)


async def state(stage: Stage) -> dict[str, Any]:
    return dict(orjson.loads((await get(stage, "/api/state"))[2]))


@pytest.mark.parametrize("slash", ["", "/"])
async def test_the_page_and_all_it_asks_for_are_served_from_here(stage: Stage, slash: str) -> None:
    status, kind, page = await get(stage, slash)
    assert (status, kind) == (200, "text/html")
    html = page.decode()
    assert "邻里" in html
    files = re.findall(r'(?:src|href)="(/simulator/[^"]+)"', html)
    assert {file.rsplit(".")[-1] for file in files} == {"css", "js", "svg", "png"}
    loaded = re.sub(r"<a [^>]*>", "", html)  # what a link leads to is not loaded: the room is our own process's
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', loaded)
    for file in files:
        assert (await get(stage, file.removeprefix("/simulator")))[0] == 200


async def test_the_scripts_import_only_files_that_are_served(stage: Stage) -> None:
    asked, seen = ["phones.js"], set()
    while asked:
        name = asked.pop()
        status, kind, script = await get(stage, f"/static/{name}")
        assert (status, kind.rsplit("/")[-1]) == (200, "javascript")
        seen.add(name)
        asked += [found for found in re.findall(r'from "\./([\w.]+)"', script.decode()) if found not in seen]
    assert seen == {"phones.js", "phone.js", "chat.js", "faults.js", "wire.js"}


async def test_three_phones_are_shown_with_their_owners(stage: Stage) -> None:
    phones = (await state(stage))["phones"]
    assert [(phone["name"], phone["role"]) for phone in phones] == [
        ("陈阿姨", "居民"),
        ("王芳", "网格员"),
        ("李主任", "街道"),
    ]


async def test_a_typed_text_is_sent_and_shown_with_its_reply(stage: Stage) -> None:
    stage.callback.always('<b>您好</b> <a href="weixin://bizmsgmenu?msgmenucontent=好&msgmenuid=1">好</a>')
    assert (await act(stage, "text", text="<i>在吗</i>"))["outcome"] == "reply"
    phone = (await state(stage))["phones"][0]
    said, reply = phone["bubbles"]
    assert said["segments"][0]["text"] == "<i>在吗</i>"
    assert [(part["kind"], part["text"]) for part in reply["segments"]] == [("text", "<b>您好</b> "), ("tap", "好")]
    assert phone["quota"] == 5


async def test_every_button_of_a_phone_reaches_the_account(stage: Stage) -> None:
    stage.platform.menu.create({"button": [{"type": "click", "name": "说事", "key": "report"}]})
    await act(stage, "tap", id=7, content="好")
    await act(stage, "press", path=[0])
    await act(stage, "photo", sample="pothole")
    await act(stage, "photo", data=base64.b64encode(b"\xff\xd8\xffmine").decode())
    await act(stage, "voice", seconds=15)
    await act(stage, "location", latitude=30.5, longitude=114.3, label="东门")
    await act(stage, "scan", scene="grid-7")
    await act(stage, "consent", template_id="sub_case_progress", accept=True)
    await act(stage, "unfollow")
    await act(stage, "follow")
    messages = [received.message for received in stage.callback.received]
    assert [message.event or message.kind for message in messages] == [
        "text",
        "click",
        "image",
        "image",
        "voice",
        "location",
        "scan",
        "subscribe_msg_popup_event",
        "unsubscribe",
        "subscribe",
    ]
    assert messages[0].tap == 7
    status, kind, photo = await get(stage, f"/media/{messages[2].media_id}")
    assert (status, kind, photo) == (200, "image/png", samples.photo("pothole"))


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"/phones/{CHEN}/dance", {}, 404),
        ("/phones/o_unknown/text", {"text": "在吗"}, 404),
        (f"/phones/{CHEN}/text", {}, 400),
        (f"/phones/{CHEN}/text", {"text": ""}, 400),
        (f"/phones/{CHEN}/text", [], 400),
        (f"/phones/{CHEN}/tap", {"id": "x", "content": "好"}, 400),
        (f"/phones/{CHEN}/press", {"path": [5]}, 400),
        (f"/phones/{CHEN}/photo", {"sample": "../../secret"}, 400),
        (f"/phones/{CHEN}/photo", {"data": "no base64!"}, 400),
        (f"/phones/{CHEN}/location", {"latitude": 95, "longitude": 0}, 400),
        (f"/phones/{CHEN}/consent", {"template_id": "unknown"}, 404),
        ("/faults", {"duplicates": "many"}, 400),
    ],
)
async def test_nonsense_is_refused_and_reaches_nobody(stage: Stage, path: str, body: Any, status: int) -> None:
    await post(stage, path, body, status)
    assert stage.callback.received == []


async def test_only_json_is_taken_so_that_no_foreign_page_can_work_the_phones(stage: Stage) -> None:
    url = f"{stage.page}/api/phones/{CHEN}/text"
    async with stage.api.session.post(url, data='{"text":"hi"}', headers={"Content-Type": "text/plain"}) as response:
        assert response.status == 415


async def test_who_does_not_follow_is_told_so(stage: Stage) -> None:
    await act(stage, "unfollow")
    answer = await post(stage, f"/phones/{CHEN}/text", {"text": "在吗"}, 409)
    assert "关注" in answer["say"]


async def test_a_new_resident_follows_by_scanning_the_code_of_a_grid(stage: Stage) -> None:
    openid = (await post(stage, "/phones", {"name": "新邻居"}))["openid"]
    assert (await post(stage, f"/phones/{openid}/text", {"text": "在吗"}, 409))["code"] == "conflict"
    await post(stage, f"/phones/{openid}/scan", {"scene": "grid-7"})
    message = stage.callback.received[0].message
    assert (message.event, message.scene, message.openid) == ("subscribe", "grid-7", openid)


async def test_residents_are_added_until_the_page_is_full(stage: Stage) -> None:
    for _ in range(9):
        await post(stage, "/phones", {})
    assert len({phone["openid"] for phone in (await state(stage))["phones"]}) == 12
    await post(stage, "/phones", {}, 409)


async def test_the_fault_panel_sets_and_resets(stage: Stage) -> None:
    rule = {"kind": "errcode", "path": "/cgi-bin/menu/get", "errcode": 45009, "left": 2}
    faults = await post(stage, "/faults", {"duplicates": 2, "mark_fail": True, "api": [rule]})
    assert (faults["duplicates"], faults["mark_fail"], faults["api"][0]["left"]) == (2, True, 2)
    async with stage.api.session.delete(f"{stage.page}/api/faults") as response:
        assert (await response.json())["api"] == []


async def test_codes_for_the_mini_program_and_the_callback_check(stage: Stage) -> None:
    code = (await post(stage, f"/phones/{CHEN}/code", {}))["code"]
    assert stage.platform.codes.redeem("login", code, stage.clock()) == CHEN
    assert (await post(stage, "/verify", {}))["ok"] is True


async def test_grid_qr_codes_are_listed_and_drawn(stage: Stage) -> None:
    body = {"action_name": "QR_LIMIT_STR_SCENE", "action_info": {"scene": {"scene_str": "grid-7"}}}
    await stage.api.post("/cgi-bin/qrcode/create", body)
    [code] = (await state(stage))["qrcodes"]
    async with stage.api.session.get(f"{stage.page}/qrcode", params={"ticket": code["ticket"]}) as response:
        assert (code["scene"], code["label"], response.content_type) == ("grid-7", "grid-7", "image/png")


async def test_the_settings_name_places_scenes_and_the_account(stage: Stage) -> None:
    place = {"label": "西门", "latitude": 30.1, "longitude": 114.2}
    demo = {"title": "东亭邻里", "places": [place], "scenes": {"grid-7": "第七网格"}}
    config = replace(stage.platform.config, demo=demo)
    async with Platform(config) as platform, TestClient(TestServer(create_app(config, platform=platform))) as client:
        code = {"action_name": "QR_STR_SCENE", "action_info": {"scene": {"scene_str": "grid-7"}}}
        platform.qrcodes.create(code, platform.now())
        page = await (await client.get("/")).text()
        assert ("东亭邻里" in page, "西门" in page) == (True, True)
        assert (await (await client.get("/api/state")).json())["qrcodes"][0]["label"] == "第七网格"


async def test_refused_messages_stand_in_the_journal_with_their_reason(stage: Stage) -> None:
    await stage.api.send_text(CHEN)
    [note] = (await state(stage))["journal"]
    assert (note["openid"], note["detail"][:5]) == (CHEN, "45015")


async def news(response: aiohttp.ClientResponse) -> dict[str, Any]:
    while True:
        line = await response.content.readline()
        if line.startswith(b"data: "):
            return dict(orjson.loads(line[6:]))


async def test_news_come_without_asking(stage: Stage) -> None:
    async with stage.api.session.get(f"{stage.page}/api/events") as stream:
        assert stream.content_type == "text/event-stream"
        stage.callback.always("收到")
        await stage.platform.send(CHEN, text="在吗")
        come = [await news(stream) for _ in range(4)]
        assert [item["kind"] for item in come] == ["bubble", "phone", "bubble", "phone"]
        assert [item["phone"]["quota"] for item in come] == [5, 5, 5, 5]
        assert come[2]["bubble"]["segments"][0]["text"] == "收到"
        stage.platform.feed.close()
        assert (await stream.content.read()).strip() == b""


async def test_a_page_that_does_not_read_is_told_to_load_anew(stage: Stage) -> None:
    feed = stage.platform.feed
    with feed.subscribe() as queue:
        for number in range(QUEUED + 1):
            feed.publish("menu", menu=[number])
        assert (queue.qsize(), await next_news(queue, 1)) == (1, b'{"kind":"reload"}')
        assert await next_news(queue, 0.001) == b""
        feed.close()
        assert await next_news(queue, 1) is None
    assert not feed.watched


async def test_only_so_many_pages_can_watch(stage: Stage) -> None:
    with ExitStack() as watchers:
        for _ in range(READERS):
            watchers.enter_context(stage.platform.feed.subscribe())
        assert (await get(stage, "/api/events"))[0] == 503
