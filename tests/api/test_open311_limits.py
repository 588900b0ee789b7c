"""How often the open interface may be asked: counted for a key, else for an address that no client can choose."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import aiohttp
import pytest
from redis import asyncio as aioredis

from app.engines import Engines
from app.serve import Parts, serving
from app.settings import Settings
from domain.api_keys import add_key
from models.audit import AuditEvent
from models.cases import Case
from tests.conftest import free_port
from tests.town import Clock

MOST, MOST_WITH_KEY = 4, 7


class Client:
    """Asks the server, as from behind a proxy of ours that says `address`."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session, self._base = session, base
        self.headers: dict[str, str] = {}
        self.text = ""

    async def get(self, path: str, address: str = "198.51.100.7", **query: str) -> int:
        return await self._ask("GET", path, address, params=query)

    async def post(self, path: str, address: str = "198.51.100.7", **fields: str) -> int:
        return await self._ask("POST", path, address, data=fields)

    async def _ask(self, method: str, path: str, address: str, **given: Any) -> int:
        headers = {"X-Forwarded-For": address} if address else {}
        async with self._session.request(method, f"{self._base}/{path}", headers=headers, **given) as answer:
            self.headers, self.text = dict(answer.headers), await answer.text()
            return answer.status


async def serve(engines: Engines, database_url: str, clock: Clock, home: Path, **given: Any) -> AsyncIterator[Client]:
    redis = aioredis.from_url(engines.redis_url)
    await redis.flushall()
    await redis.aclose()
    most = {"open311_per_minute": MOST, "open311_key_per_minute": MOST_WITH_KEY}
    settings = Settings(home=home, port=free_port(), simulator=True, _env_file=None, **most | given)
    own = Engines(database_url, engines.redis_url)
    async with (
        serving(settings, own, Parts(web=True, worker=False), now=clock) as served,
        aiohttp.ClientSession() as session,
    ):
        yield Client(session, f"{served.url}/open311/v2")


@pytest.fixture
async def client(started_engines: Engines, database_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[Client]:
    """Behind a proxy on this machine."""
    async for one in serve(started_engines, database_url, clock, tmp_path, trusted_proxies="127.0.0.1,10.0.0.0/8"):
        yield one


@pytest.fixture
async def direct(started_engines: Engines, database_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[Client]:
    """Without a proxy that is believed."""
    async for one in serve(started_engines, database_url, clock, tmp_path):
        yield one


async def used_up(client: Client, address: str) -> None:
    for _ in range(MOST):
        assert await client.get("services.json", address) == 200
    assert await client.get("services.json", address) == 429


async def test_an_address_that_asks_too_often_is_told_when_to_come_again_in_both_forms(client: Client, clock: Clock):
    await used_up(client, "198.51.100.7")
    (error,) = json.loads(client.text)
    assert error["code"] == 429
    assert "4 requests a minute" in error["description"]
    wait = int(client.headers["Retry-After"])
    assert 0 < wait <= 60

    assert await client.get("requests.xml") == 429
    assert client.headers["Content-Type"].startswith("text/xml")
    document = fromstring(client.text)  # noqa: S314 - our own server's answer
    assert (document.tag, document.findtext("error/code")) == ("errors", "429")
    assert "api_key" in (document.findtext("error/description") or "")

    clock.advance(timedelta(seconds=wait + 60))
    assert await client.get("services.json") == 200


async def test_every_page_counts_and_so_do_posts_wrong_keys_and_wrong_addresses(client: Client):
    asked = [
        await client.get("discovery.json", "198.51.100.1"),
        await client.get("nothing.json", "198.51.100.1"),
        await client.get("requests.json", "198.51.100.1", api_key="guessed"),
        await client.post("requests.json", "198.51.100.1", service_code="lighting-street"),
    ]
    assert asked == [200, 404, 403, 403]
    assert await client.post("requests.json", "198.51.100.1", service_code="lighting-street") == 429
    assert await client.get("requests.json", "198.51.100.1", api_key="guessed again") == 429
    assert await client.post("servicerequestupdates.xml", "198.51.100.1", description="x" * 70_000) == 429


async def test_a_key_has_a_limit_of_its_own_wherever_it_is_used(client: Client, clock: Clock):
    key, other = await add_key("随手拍", clock()), await add_key("大屏", clock(), may_write=False)
    await used_up(client, "198.51.100.7")
    said = {"service_code": "lighting-street", "address_string": "中山路口", "description": "路灯不亮"}
    assert await client.post("requests.json", api_key=key, **said) == 201
    for number in range(MOST_WITH_KEY - 1):
        assert await client.get("requests.json", f"198.51.100.{number}", api_key=key) == 200
    assert await client.get("requests.json", "203.0.113.1", api_key=key) == 429
    refused = await client.post("requests.json", "203.0.113.1", api_key=key, **said | {"description": "又一盏"})
    assert refused == 429
    assert await Case.all().count() == 1
    assert await client.get("requests.json", "203.0.113.1", api_key=other) == 200
    assert await AuditEvent.filter(tag="key:write").count() == 0


async def test_an_address_is_what_our_proxy_saw_and_not_what_the_client_claims(client: Client):
    await used_up(client, "198.51.100.7")
    assert await client.get("services.json", "203.0.113.5, 198.51.100.7") == 429, "claimed further left"
    assert await client.get("services.json", "198.51.100.7, 10.1.2.3") == 429, "by way of a second proxy of ours"
    assert await client.get("services.json", "203.0.113.5") == 200, "somebody else"


async def test_a_network_of_ipv6_is_one_address(client: Client):
    await used_up(client, "2001:db8:1:2::1")
    assert await client.get("services.json", "2001:db8:1:2:ffff::9") == 429
    assert await client.get("services.json", "2001:db8:1:3::1") == 200


async def test_without_a_proxy_that_is_believed_nobody_says_where_they_are(direct: Client):
    await used_up(direct, "198.51.100.7")
    assert await direct.get("services.json", "203.0.113.5") == 429


def test_a_proxy_that_is_no_address_is_named():
    with pytest.raises(ValueError, match=r"proxy\.local"):
        Settings(trusted_proxies="127.0.0.1,proxy.local", _env_file=None)
