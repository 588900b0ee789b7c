"""The simulated checks of pictures: what they fetch, what they push to the mini-program's server, how they fail."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.crypto import Cryptor, check_signature
from bot.wire import encrypted_part, parse_body
from simulator import Platform, SimulatorConfig, create_app
from tests.simulator.simulator_stage import AES_KEY, APPID, CHEN, SECRET, TOKEN, Api, Clock

MINI, MINI_SECRET = "wxaaaaaaaaaaaaaaaa", "mini-secret"


class MiniStage:
    """The mini-program's own server, the pictures it offers, and the platform between."""

    def __init__(self, platform: Platform, clock: Clock, api: Api, pictures: str) -> None:
        self.platform, self.clock, self.api, self.pictures = platform, clock, api, pictures
        self.pushed: list[dict[str, Any]] = []

    async def receive(self, request: web.Request) -> web.Response:
        query = request.query
        encrypted = encrypted_part(parse_body(await request.read())) or ""
        check_signature(query["msg_signature"], TOKEN, query["timestamp"], query["nonce"], encrypted)
        self.pushed.append(parse_body(Cryptor(MINI, TOKEN, [AES_KEY]).decrypt(encrypted).body))
        return web.Response(text="success")

    async def check(self, name: str = "lamp.jpg", **more: Any) -> dict[str, Any]:
        body = {"version": 2, "scene": 4, "openid": f"mini_{CHEN}", "media_type": 2, **more}
        answer = await self.api.post("/wxa/media_check_async", {"media_url": self.pictures + name, **body})
        await self.platform.settle()
        return answer


@pytest.fixture
async def mini() -> AsyncIterator[MiniStage]:
    clock, stage = Clock(), []

    async def push(request: web.Request) -> web.Response:
        return await stage[0].receive(request)

    async def picture(request: web.Request) -> web.Response:
        return web.Response(body=b"picture", status=200 if request.match_info["name"] == "lamp.jpg" else 404)

    server = web.Application()
    server.router.add_post("/wechat/miniapp", push)
    server.router.add_get("/pictures/{name}", picture)
    async with TestServer(server) as bot, aiohttp.ClientSession() as session:
        config = SimulatorConfig(
            callback_url=str(bot.make_url("/wechat/callback")),
            appid=APPID,
            secret=SECRET,
            token="another",
            mode="plain",
            miniapp_appid=MINI,
            miniapp_secret=MINI_SECRET,
            miniapp_callback_url=str(bot.make_url("/wechat/miniapp")),
            miniapp_token=TOKEN,
            miniapp_aes_key=AES_KEY,
        )
        async with Platform(config, now=clock) as platform:
            app = web.Application()
            app.add_subapp("/simulator", create_app(config, platform=platform))
            async with TestServer(app) as world:
                api = Api(session, str(world.make_url("/simulator")) + "/wechat")
                query = {"grant_type": "client_credential", "appid": MINI, "secret": MINI_SECRET}
                api.token = (await api.get("/cgi-bin/token", **query))["access_token"]
                stage.append(MiniStage(platform, clock, api, str(bot.make_url("/pictures/"))))
                yield stage[0]


async def test_the_result_of_a_picture_is_pushed_sealed_to_the_mini_programs_server(mini: MiniStage) -> None:
    mini.platform.visit(CHEN)
    mini.platform.media_checks.findings.append("risky")
    traces = [(await mini.check())["trace_id"], (await mini.check())["trace_id"]]
    told = [(push["trace_id"], push["result"]["suggest"], push["FromUserName"]) for push in mini.pushed]
    assert told == [(traces[0], "risky", f"mini_{CHEN}"), (traces[1], "pass", f"mini_{CHEN}")]
    assert mini.platform.media_checks.seen == [(mini.pictures + "lamp.jpg", 7)] * 2


async def test_a_file_that_cannot_be_fetched_has_a_result_of_no_use(mini: MiniStage) -> None:
    mini.platform.visit(CHEN)
    await mini.check("missing.jpg")
    assert (mini.pushed[0]["errcode"], mini.pushed[0]["result"]) == (-1008, {})


async def test_a_silent_check_pushes_nothing(mini: MiniStage) -> None:
    mini.platform.visit(CHEN)
    mini.platform.media_checks.silent = True
    assert (await mini.check())["errcode"] == 0
    assert mini.pushed == []


async def test_pictures_of_recent_visitors_only_and_so_many_a_minute(mini: MiniStage) -> None:
    assert (await mini.check())["errcode"] == 61010
    mini.platform.visit(CHEN)
    assert (await mini.check(openid="stranger"))["errcode"] == 40003
    assert (await mini.check(media_type=3))["errcode"] == 40004
    assert (await mini.check(scene=5))["errcode"] == 40129
    for _ in range(1_996):
        mini.platform.calls.count(MINI, "/wxa/media_check_async", mini.clock())
    assert (await mini.check())["errcode"] == 45011
    mini.clock.forward(minutes=1)
    assert (await mini.check())["errcode"] == 0
