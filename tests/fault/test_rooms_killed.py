"""Rooms over two web processes: whichever is killed, nobody misses an entry, hears one twice, or says one twice."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
from redis import asyncio as aioredis

from app.engines import engines
from domain import consents, tokens
from domain.people import find_person, join_grid
from domain.rooms import room_of_grid
from models.database import fetch, transaction
from models.enums import LoginKind, Purpose
from models.people import Area
from tests.api.sockets import HungUp, Line
from tests.fault.conftest import Cluster
from tests.fault.processes import Process
from tests.waiting import eventually

GRID = "429906001001001"


class Member:
    """Somebody who stays in the room whatever happens: connects again, to any process, from where they stand."""

    def __init__(self, session: aiohttp.ClientSession, urls: list[str], token: str, room: int, seed: int) -> None:
        self._session, self._urls, self._token, self._room = session, urls, token, room
        self._dice = random.Random(seed)
        self._numbers: list[int] = []
        self._line: Line | None = None
        self.to_say: list[str] = []
        self.said: list[str] = []
        self.connections = 0

    @property
    def numbers(self) -> list[int]:
        """Every number heard, over all connections."""
        return self._numbers + (self._line.numbers if self._line else [])

    async def stay(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with self._session.ws_connect(
                    f"{self._dice.choice(self._urls)}/api/v1/ws", headers={"Authorization": f"Bearer {self._token}"}
                ) as socket:
                    self._line = Line(socket)
                    self.connections += 1
                    await self._talk(self._line)
            except (aiohttp.ClientError, HungUp, ConnectionError):
                continue  # the other process may be there
            finally:
                self._numbers, self._line = self.numbers, None

    async def _talk(self, line: Line) -> None:
        after = self._numbers[-1] if self._numbers else 0
        await line.ask("subscribe", room=self._room, after=after)
        while True:
            if self.to_say:  # after a kill it is said again, under the same name
                message = {"client_id": self.to_say[0], "text": self.to_say[0]}
                answer = await line.ask("post", room=self._room, message=message)
                assert answer["type"] == "posted", answer
                self.said.append(self.to_say.pop(0))
            with contextlib.suppress(TimeoutError):  # listen for a while
                await line.hear("nothing", within=0.4)


@asynccontextmanager
async def crowd(urls: list[str], people: int) -> AsyncIterator[tuple[int, list[Member]]]:
    """The room of the first grid and some of its people, who are in it for the life of the context."""
    grid = await Area.get(code=GRID)
    room = (await room_of_grid(grid.id)).id
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        members = [Member(session, urls, await signed_in(number), room, number) for number in range(people)]
        staying = [asyncio.create_task(member.stay()) for member in members]
        try:
            yield room, members
        finally:
            for task in staying:
                task.cancel()
            ended = await asyncio.gather(*staying, return_exceptions=True)
            assert [type(one) for one in ended] == [asyncio.CancelledError] * people, ended


async def signed_in(number: int) -> str:
    """A resident of the grid who agreed to speak in rooms; gives their token."""
    now = datetime.now(UTC)
    person = await find_person(f"o_member_{number}_{uuid4().hex[:8]}", now)
    await join_grid(person, now, code=GRID)
    await consents.say_age(person, over_fourteen=True, now=now)
    await consents.give(person, Purpose.ROOM, consents.texts()[Purpose.ROOM].version, now)
    async with transaction():
        return await tokens.issue(LoginKind.MINIAPP, now, resident_id=person.resident_id)


async def test_a_killed_web_process_costs_nobody_an_entry_and_doubles_none(cluster: Cluster) -> None:
    dice = random.Random(20261121)
    webs = [cluster.start(f"web {number}") for number in (0, 1)]
    await asyncio.gather(*(web.start() for web in webs))
    async with crowd(cluster.urls, 8) as (room, members):
        for number, member in enumerate(members):
            member.to_say = [f"成员{number}第{line}句" for line in range(500)]
        for _ in range(3):
            heard = len(members[0].numbers)
            await eventually(lambda heard=heard: len(members[0].numbers) > heard + 10)
            victim = dice.choice(webs)
            await victim.kill()  # in the middle of somebody's transaction, or between commit and fan-out
            await victim.start()
        for member in members:
            del member.to_say[1:]  # what is being said is said to its end
        await eventually(lambda: not any(member.to_say for member in members))
        said = [text for member in members for text in member.said]
        everything = list(range(1, len(said) + 1))
        await eventually(lambda: all(member.numbers[-1:] == everything[-1:] for member in members))
        assert [member.numbers for member in members] == [everything] * 8
        assert max(member.connections for member in members) > 1
    rows = await fetch("SELECT seq, text FROM room_message WHERE room_id = $1 ORDER BY seq", room)
    assert [row["seq"] for row in rows] == everything
    assert sorted(row["text"] for row in rows) == sorted(said)


@pytest.fixture
async def own_redis() -> AsyncIterator[str]:
    """A Valkey that a test may kill."""
    with (
        tempfile.TemporaryDirectory(prefix="linli-redis-") as folder,
        engines(Path(folder), database_url="postgresql://nobody@localhost/nothing") as own,
    ):
        yield own.redis_url


async def test_while_redis_is_dead_the_other_process_hears_within_seconds(
    cluster: Cluster, own_redis: str, tmp_path: Path
) -> None:
    ports = [url.rsplit(":", 1)[1] for url in cluster.urls]
    webs = [
        Process("web", cluster.environment | {"LINLI_REDIS_URL": own_redis, "LINLI_PORT": port}, tmp_path)
        for port in ports
    ]
    await asyncio.gather(*(web.start() for web in webs))
    redis = aioredis.from_url(own_redis)
    pid = int((await redis.info("server"))["process_id"])
    await redis.aclose()
    async with crowd(cluster.urls[:1], 1) as (_, [speaker]), crowd(cluster.urls[1:], 1) as (_, [listener]):
        speaker.to_say = ["有铃声的一句"]
        await eventually(lambda: listener.numbers == [1])
        os.kill(pid, signal.SIGKILL)
        speaker.to_say = ["没有铃声的一句", "再一句"]
        await eventually(lambda: listener.numbers == speaker.numbers == [1, 2, 3], within=30)
    for web in webs:
        await web.stop()
