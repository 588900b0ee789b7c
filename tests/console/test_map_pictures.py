"""Map pictures behind the drawing: off unless a server is named, and then nothing else from elsewhere is let in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from app.settings import load_settings
from app.web import office
from console.app import create_console
from console.live import Live
from errors import SettingsError
from tests.town import Town

TILES = "https://tiles.example.gov.cn:8443/{z}/{x}/{y}.png"


async def policy(town: Town, tiles: str) -> str:
    """The console's content policy with such pictures."""
    app = web.Application()
    app.add_subapp("/console", create_console(replace(office(town.services, Live(town.clock)), map_tiles=tiles)))
    async with TestClient(TestServer(app)) as client, client.get("/console/login") as answer:
        return answer.headers["Content-Security-Policy"]


async def test_the_server_of_map_pictures_is_the_only_one_pages_may_ask(town: Town):
    assert "https:" not in await policy(town, "")
    named = await policy(town, TILES)
    assert "img-src 'self' data: blob: https://tiles.example.gov.cn:8443;" in named
    assert named.count("https:") == 1


@pytest.mark.parametrize(
    "poor", ["tiles/{z}/{x}/{y}", "https://t.example/{z}/{x}", "https://t.example/{z}/{x}/{y};script-src *"]
)
def test_an_address_without_its_numbers_or_with_more_than_one_is_refused(monkeypatch: pytest.MonkeyPatch, poor: str):
    monkeypatch.setenv("LINLI_MAP_TILES", poor)
    with pytest.raises(SettingsError):
        load_settings()
