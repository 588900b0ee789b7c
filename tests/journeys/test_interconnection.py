"""A hotline's order goes the whole way: to the grid worker's phone, done there, called back, done again."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from domain.connectors import ConnectorPlan, add_connector, signature
from models.cases import Case
from tests.conftest import free_port
from tests.town import WANG, Town


class Hotline:
    """A 12345 platform that orders, listens and calls back."""

    def __init__(self, town: Town, session: aiohttp.ClientSession) -> None:
        self.town = town
        self.port = free_port()
        self.secret = ""
        self.heard: list[str] = []
        self._session = session

    async def receive(self, request: web.Request) -> web.Response:
        self.heard += [line["verb"] for line in json.loads(await request.read())["events"]]
        return web.Response()

    async def send(self, page: str, body: dict[str, Any]) -> dict[str, Any]:
        raw, timestamp = json.dumps(body).encode(), str(int(self.town.clock().timestamp()))
        headers = {"X-Linli-Timestamp": timestamp, "X-Linli-Signature": signature(self.secret, timestamp, raw)}
        url = f"{self.town.url}/api/v1/connectors/hotline/{page}"
        async with self._session.post(url, data=raw, headers=headers) as answer:
            said: dict[str, Any] = await answer.json()
            assert answer.status == 200, said
            return said


@pytest.fixture
async def hotline(town: Town) -> AsyncIterator[Hotline]:
    async with aiohttp.ClientSession() as session:
        there = Hotline(town, session)
        app = web.Application()
        app.router.add_post("/", there.receive)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", there.port).start()
        plan = ConnectorPlan(
            "hotline",
            f"http://127.0.0.1:{there.port}/",
            mapping={"orders": {"照明": "lighting.corridor"}, "actions": {"未解决": "reopen", "已解决": "close"}},
        )
        there.secret = await add_connector(plan, town.clock())
        yield there
        await runner.cleanup()


async def test_an_order_is_done_called_back_and_done_again(town: Town, hotline: Hotline):
    order = {"update_id": "1", "external_id": "WH-7", "category": "照明", "description": "楼道灯坏了好几天"}
    made = await hotline.send("orders", order | {"place": "东亭社区第一网格3栋2单元"})
    await town.deliver()
    assert "楼道照明损坏｜东亭社区第一网格3栋2单元" in town.last(WANG)

    await _do_it(town)
    assert hotline.heard == ["sign", "dispose", "verify"]

    await hotline.send("updates", {"update_id": "2", "external_id": "WH-7", "status": "未解决", "text": "还是不亮"})
    await town.deliver()
    assert "还是不亮" in town.last(WANG)
    assert (await Case.get(number=made["number"])).round == 2

    await _do_it(town)
    await hotline.send("updates", {"update_id": "3", "external_id": "WH-7", "status": "已解决"})
    assert (await Case.get(number=made["number"])).solved is True


async def _do_it(town: Town) -> None:
    """The grid worker takes it and does it, by chat."""
    await town.say(WANG, "1")
    await town.say(WANG, "2")
    await town.photo(WANG)
    await town.say(WANG, "换了灯泡和开关")
    await town.deliver()
