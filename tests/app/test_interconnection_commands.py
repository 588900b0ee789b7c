"""`linli apikey` and `linli connector` as an operator uses them."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from app.engines import Engines
from domain.api_keys import find_key
from domain.connectors import find_connector
from errors import NotAllowed
from models.database import database
from tests.app.conftest import Linli
from tests.conftest import free_port

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


@pytest.fixture
def settings(started_engines: Engines, database_url: str, folder: Path) -> dict[str, Any]:
    return {"home": folder, "database_url": database_url, "redis_url": started_engines.redis_url}


@pytest.fixture
async def platform() -> AsyncIterator[tuple[str, list[int]]]:
    """A platform's address, and the statuses it will answer with (200 once they are used up)."""
    answers: list[int] = []

    async def receive(_request: web.Request) -> web.Response:
        return web.Response(status=answers.pop() if answers else 200)

    app = web.Application()
    app.router.add_post("/", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://127.0.0.1:{port}/", answers
    await runner.cleanup()


async def test_a_key_is_printed_once_listed_by_name_and_revoked(
    linli: Linli, settings: dict[str, Any], database_url: str
):
    made = await linli("apikey", "add", "大屏", "--read-only", **settings)
    key = re.search(r"大屏: (\S+)", made.said)
    assert key, made.said
    async with database(database_url, 2):
        found = await find_key(key[1], NOW)
        assert found
        assert not found.may_write
    listed = await linli("apikey", "list", **settings)
    assert "大屏" in listed.said
    assert key[1] not in listed.said
    twice = await linli("apikey", "add", "大屏", **settings)
    assert (twice.code, "revoke it first" in twice.said) == (1, True)
    assert (await linli("apikey", "revoke", "大屏", **settings)).code == 0
    async with database(database_url, 2):
        with pytest.raises(NotAllowed):
            await find_key(key[1], NOW)


async def test_a_platform_is_connected_tried_mapped_and_stopped(
    linli: Linli, settings: dict[str, Any], database_url: str, folder: Path, platform: tuple[str, list[int]]
):
    url, answers = platform
    mapping = folder / "mapping.json"
    mapping.write_text(json.dumps({"statuses": {"closed": "DONE"}}), encoding="utf-8")
    made = await linli(
        "connector", "add", "district", "--url", url, "--area", "429906", "--mapping", str(mapping), **settings
    )
    assert "Give this key to the platform" in made.said
    assert "took the test message" in (await linli("connector", "test", "district", **settings)).said
    answers.append(401)
    refused = await linli("connector", "test", "district", **settings)
    assert (refused.code, "answered 401" in refused.said) == (1, True)

    mapping.write_text(json.dumps({"statuses": {"gone": "DONE"}}), encoding="utf-8")
    wrong = await linli("connector", "map", "district", str(mapping), **settings)
    assert (wrong.code, "'gone' is none of ours" in wrong.said) == (1, True)
    assert "0 updates" in (await linli("connector", "replay", "district", "--from", "2026-11-20", **settings)).said
    assert (await linli("connector", "replay", "district", "--from", "yesterday", **settings)).code == 1

    assert (await linli("connector", "stop", "district", **settings)).code == 0
    assert "district" in (await linli("connector", "list", **settings)).said
    async with database(database_url, 2):
        connector = await find_connector("district")
    assert not connector.active
    assert connector.mapping == {"statuses": {"closed": "DONE"}}


async def test_doctor_names_a_platform_in_a_closed_network(linli: Linli, settings: dict[str, Any]):
    url = "https://10.0.0.8/updates"
    assert (await linli("connector", "add", "district", "--url", url, **settings)).code == 0
    said = (await linli("doctor", simulator=1, port=free_port(), **settings)).said
    assert f"connector district sends to {url}, an address of a closed network" in said
