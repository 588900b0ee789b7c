"""Fixtures of the simulator's tests; what they are made of is in `simulator_stage.py`."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from simulator import Platform, SimulatorConfig, create_app
from tests.simulator.simulator_stage import AES_KEY, APPID, SECRET, TOKEN, Api, Callback, Clock, Stage


@pytest.fixture
def mode() -> str:
    """The account's mode; a test overrides it by parametrizing."""
    return "safe"


@pytest.fixture
async def stage(mode: str) -> AsyncIterator[Stage]:
    callback, clock = Callback(mode), Clock()
    server = web.Application()
    server.router.add_get("/wechat/callback", callback.get)
    server.router.add_post("/wechat/callback", callback.post)
    async with TestServer(server) as bot, aiohttp.ClientSession() as session:
        config = SimulatorConfig(
            callback_url=str(bot.make_url("/wechat/callback")),
            appid=APPID,
            secret=SECRET,
            token=TOKEN,
            aes_key="" if mode == "plain" else AES_KEY,
            mode=mode,
        )
        async with Platform(config, now=clock) as platform:
            app = web.Application()
            app.add_subapp("/simulator", create_app(config, platform=platform))
            async with TestServer(app) as world:
                base = str(world.make_url("/simulator"))
                api = Api(session, base + "/wechat")
                await api.renew()
                yield Stage(platform, callback, clock, api, base)
