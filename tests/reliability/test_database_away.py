"""PostgreSQL gone for a while: what was not stored was not acknowledged, and what comes again is taken."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import aiohttp
import asyncpg
import pytest

from app.engines import Engines
from models.database import fetch, is_away, parse_url
from tests.reliability.wire import WeChat, text
from tests.town import CHEN, WANG, Town
from tests.waiting import eventually


class Switch:
    """Takes one database away from everybody, and gives it back."""

    def __init__(self, admin: asyncpg.Connection, name: str) -> None:
        self._admin, self._name = admin, name

    async def off(self) -> None:
        """As a crash: open connections die, new ones are refused."""
        await self._admin.execute(f"ALTER DATABASE {self._name} WITH ALLOW_CONNECTIONS false")
        await self._admin.execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = $1", self._name
        )

    async def on(self) -> None:
        """It is back."""
        await self._admin.execute(f"ALTER DATABASE {self._name} WITH ALLOW_CONNECTIONS true")


@pytest.fixture
async def switch(started_engines: Engines, database_url: str):
    """The switch of this test's database."""
    admin = await asyncpg.connect(**parse_url(started_engines.database_url) | {"database": "postgres"})
    switch = Switch(admin, parse_url(database_url)["database"])
    yield switch
    await switch.on()
    await admin.close()


async def test_messages_of_a_short_outage_are_answered_within_the_first_try(
    town: Town, switch: Switch, logged: list[MutableMapping[str, Any]]
) -> None:
    await town.say(CHEN, "你好")
    await switch.off()
    people = [CHEN, WANG, *(f"o_short_{number}" for number in range(20))]
    said = [asyncio.create_task(town.platform.send(openid, text="3栋楼道灯坏了")) for openid in people]
    await eventually(lambda: any(line["event"] == "message not stored yet" for line in logged))
    await switch.on()
    deliveries = await asyncio.gather(*said)
    assert {(delivery.outcome, delivery.attempts) for delivery in deliveries} == {("reply", 1)}
    stored = await fetch("SELECT count(*) AS n, count(DISTINCT openid) AS people FROM inbox WHERE reply LIKE '看起来%'")
    assert stored == [{"n": len(people), "people": len(people)}]


async def test_without_a_database_nothing_is_acknowledged_and_the_next_delivery_counts(
    town: Town, wechat: WeChat, switch: Switch
) -> None:
    request = wechat.seal(text("o_away", "3栋楼道灯坏了", town.clock()), town.clock())
    await switch.off()
    with pytest.raises(aiohttp.ClientError):
        await wechat.post(request)  # four seconds, then the line is dropped: WeChat comes again
    await switch.on()
    assert (await wechat.post(request)).text.startswith("看起来您要反映")
    assert len(await fetch("SELECT id FROM inbox WHERE openid = 'o_away'")) == 1


async def test_no_connection_is_lost_to_outages_however_many_there_are(town: Town, switch: Switch) -> None:
    for _ in range(8):  # more broken transactions than the pool has connections
        await switch.off()
        broken = (town.services.inbox.retry_failed(town.clock()), *(town.outbox.claim() for _ in range(4)))
        results = await asyncio.gather(*broken, return_exceptions=True)
        assert all(isinstance(result, Exception) for result in results)
        await switch.on()
    async with asyncio.timeout(60):
        await eventually(lambda: _works(town))
        assert await asyncio.gather(*(town.outbox.claim() for _ in range(20))) == [[]] * 20


async def _works(town: Town) -> bool:
    try:
        await town.outbox.claim()
    except Exception:  # noqa: BLE001 - a dead connection of the pool is met once each
        return False
    return True


async def test_a_begin_that_is_broken_off_gives_its_connection_back(town: Town) -> None:
    await asyncio.gather(*(town.outbox.claim() for _ in range(20)))  # the pool is warm
    for steps in range(60):
        under_way = asyncio.create_task(town.outbox.claim())
        for _ in range(steps % 20):
            await asyncio.sleep(0)
        under_way.cancel()
        await asyncio.gather(under_way, return_exceptions=True)
    async with asyncio.timeout(60):
        assert await asyncio.gather(*(town.outbox.claim() for _ in range(20))) == [[]] * 20


async def test_a_worker_goes_on_when_the_database_is_back(town: Town, switch: Switch) -> None:
    await town.say(CHEN, "3栋楼道灯坏了")
    await town.say(CHEN, "1")
    await switch.off()
    # In this very task, as a worker's loop runs it: bound to a dead connection it would never recover.
    with pytest.raises(Exception) as broken:  # noqa: PT011 - the driver has many words for it
        await town.outbox.run_once()
    assert is_away(broken.value)
    await switch.on()

    async def delivered() -> int:
        try:
            return await town.deliver()
        except Exception:  # noqa: BLE001 - a dead connection of the pool is met once each
            return 0

    assert await eventually(delivered)
    assert "新任务" in town.last(WANG)
