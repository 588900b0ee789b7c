"""Nothing of a person where it does not belong (P1): residents with canary names, numbers and words use every route of
the API and the account, well and badly; logs at the finest level, Redis, metrics and refusals hold none of it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import aiohttp
import pytest
from redis import asyncio as aioredis

from miniapp_api.api import SUBJECTS
from miniapp_api.policy import POLICY, Relation
from miniapp_api.policy import Caller as Role
from models.people import Resident, Staff
from tests.api.caller import Caller, Reply, token_of_resident, token_of_staff
from tests.api.files import picture
from tests.api.matrix import BODIES, SCENES, Actor, World, make_world, read_scenes, routes_of, some_target
from tests.api.sockets import Line
from tests.fault.conftest import Cluster
from tests.reliability.wire import text
from tests.town import Town

read_scenes()

NEAR = Relation.SAME_GRID
OPENID, PHONE, NAME, NICKNAME, WORDS = "o_canary_chat", "13987650123", "金丝雀梓萱", "金丝雀昵称", "金丝雀路88号"
#: How every token begins; call_off is a word, and WeChat's own tokens are any letters.
TOKEN = r"(?<![\w-])ll_"
#: What must not turn up. The residents the policy matrix makes are called o_matrix_….
CANARIES = (OPENID, "o_matrix_", PHONE, NAME, NICKNAME, WORDS, "金丝雀", TOKEN)
#: What a refusal does not hold either. It may repeat the words its reader sent.
UNSENT = (OPENID, "o_matrix_", NICKNAME, TOKEN)


class Now:
    """The real time, which no test moves."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)

    def advance(self, step: timedelta) -> None:
        """Not here."""


class Here:
    """A running cluster as the policy matrix asks a town."""

    def __init__(self, url: str) -> None:
        self.url, self.clock = url, Now()


def sung(value: Any) -> Any:
    """A body with canaries in every text of it."""
    if isinstance(value, dict):
        return {name: sung(one) for name, one in value.items()}
    if isinstance(value, list):
        return [sung(one) for one in value]
    return f"{value}{WORDS} {PHONE} {NAME}" if isinstance(value, str) else value


def strings(value: Any) -> Iterator[str]:
    """What Redis gives for any kind of key, as text."""
    if isinstance(value, bytes):
        yield value.decode(errors="replace")
    elif isinstance(value, dict):
        for pair in value.items():
            yield from strings(list(pair))
    elif isinstance(value, list | tuple | set):
        for one in value:
            yield from strings(one)
    else:
        yield str(value)


_READ = {b"string": "GET", b"list": "LRANGE", b"hash": "HGETALL", b"set": "SMEMBERS", b"zset": "ZRANGE"}


async def taken_from_redis(url: str) -> list[str]:
    """Every key with all it holds, each as one text. Then all is forgotten: nobody reaches a limit."""
    found = []
    async with aioredis.from_url(url) as redis:
        async for key in redis.scan_iter():
            command = _READ[await redis.type(key)]
            value = await redis.execute_command(command, key, *((0, -1) if command.endswith("RANGE") else ()))
            found.append(" ".join(strings([key, value])))
        await redis.flushall()
    return found


def canaries_in(what: str, lines: list[str], canaries: tuple[str, ...] = CANARIES) -> list[str]:
    """Each canary with the line it sits in."""
    return [f"{what}: {canary} in {line[:300]}" for canary in canaries for line in lines if re.search(canary, line)]


@pytest.fixture
async def world(cluster: Cluster) -> AsyncIterator[World]:
    """The policy matrix's people, on a running process that logs everything."""
    cluster.environment.update(LINLI_LOG_LEVEL="debug", LINLI_LOG_FORMAT="json")
    town = cast("Town", Here(cluster.urls[0]))
    async with aiohttp.ClientSession() as session:

        async def sign_in(openid: str = "", *, staff: Staff | None = None) -> Caller:
            token = await token_of_resident(town, openid) if openid else ""
            return Caller(session, f"{town.url}/api/v1", await token_of_staff(town, staff) if staff else token)

        yield await make_world(town, sign_in)


async def use(world: World, actor: Actor, subject: str) -> list[Reply]:
    """Every route of a subject as it is meant, then with canaries wherever there are words; gives the answers."""
    replies = []
    for route in routes_of(subject):
        name = f"{route.method} {route.path}"
        if "logout" in name or "erase" in name or route.status == 101:
            continue
        kind = POLICY[route.rule].kind
        there = await some_target(world, route, actor) or (await SCENES[kind](world, actor, NEAR) if kind else None)
        path = route.path.format_map({"handle": "m1", "purpose": "phone", **(there or {})})
        body = BODIES.get(name, lambda: None)()
        replies.append(await actor.caller.ask(route.method, path, json=body))
        replies.append(await actor.caller.ask(route.method, path, json=sung(body), params={"q": WORDS, PHONE: NAME}))
        replies.append(await actor.caller.ask(route.method, path, json=sung(body)))
    return replies


async def test_what_people_are_and_say_is_in_no_log_no_key_and_no_refusal(cluster: Cluster, world: World):
    processes = [cluster.start("web 0"), cluster.start("worker")]
    for process in processes:
        await process.start()
    resident, worker = world.actors[Role.RESIDENT], world.actors[Role.GRID_WORKER]
    await Resident.filter(id=resident.resident.id if resident.resident else 0).update(
        name=NAME, phone=PHONE, nickname=NICKNAME
    )
    replies, keys = list[Reply](), list[str]()
    for subject in SUBJECTS:
        for actor in (resident, worker):
            replies += await use(world, actor, subject.subject)
        keys += await taken_from_redis(cluster.environment["LINLI_REDIS_URL"])
    replies += await chat(cluster, resident)
    keys += await taken_from_redis(cluster.environment["LINLI_REDIS_URL"])
    refused = [reply for reply in replies if reply.status >= 400]
    async with aiohttp.ClientSession() as session, session.get(f"{cluster.urls[0]}/metrics") as metrics:
        numbers = await metrics.text()
    for process in processes:
        await process.stop()
    logged = [line for process in processes for line in process.log.read_text(encoding="utf-8").splitlines()]
    assert {reply.status for reply in replies} >= {200, 201, 204, 400, 403, 404, 409}
    assert 429 not in {reply.status for reply in replies}
    assert any("api refused" in line for line in logged)
    assert any("message" in json.loads(line)["event"] for line in logged)
    assert any("resident:" in line for line in keys)
    found = canaries_in("log", logged) + canaries_in("Redis", keys) + canaries_in("metrics", numbers.splitlines())
    found += canaries_in("refusal", [reply.raw.decode() for reply in refused], UNSENT)
    assert found == []


async def chat(cluster: Cluster, resident: Actor) -> list[Reply]:
    """A follower says what they should not, a member speaks over a WebSocket, a photo has a telling name."""
    for words in (
        f"查 {PHONE}",
        f"3栋2单元楼道灯坏了，我叫{NAME}，电话{PHONE}",
        "1",
        f"评价 {WORDS}",
        "\x00\x1b[31m" + NAME,
    ):
        await cluster.wechat.push(text(OPENID, words.replace("\x00", ""), datetime.now(UTC)), datetime.now(UTC))
    form = aiohttp.FormData()
    form.add_field("file", picture(), filename=f"{NAME}{PHONE}.jpg", content_type="image/jpeg")
    bad = aiohttp.FormData()
    bad.add_field("file", WORDS.encode(), filename=f"{NAME}{PHONE}.jpg", content_type="image/jpeg")
    replies = [await resident.caller.ask("POST", "/uploads", data=one) for one in (form, bad)]
    async with aiohttp.ClientSession() as session:
        line = Line(await session.ws_connect(f"{cluster.urls[0]}/api/v1/ws"))
        await line.say("sign_in", token=resident.caller.token)
        await line.hear("welcome")
        room = (await resident.caller.get("/rooms")).json["items"][0]["id"]
        await line.ask("subscribe", room=room)
        for words in (f"@助手 查 {PHONE}", f"@助手 催 {PHONE}", f"{NAME} {WORDS}"):
            await line.post(room, words, mentions=["助手"])
        await line.raw(json.dumps({"type": WORDS, PHONE: NAME}))
        await line.hear("error")
    return replies
