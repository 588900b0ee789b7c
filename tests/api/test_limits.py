"""How often one may ask: exact at the boundary, over processes, in any window; and what holds while Redis is away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import asyncio as aioredis

from errors import TooMany
from miniapp_api.limits import LIMITS, Limit, RateLimits
from models.audit import AuditEvent
from models.people import Staff
from tests.api.caller import Caller, Reply
from tests.town import CHEN, LI, Clock, Town

Trial = Callable[..., Awaitable[Caller]]


@pytest.fixture
async def chens(town: Town, trial: Trial) -> list[Caller]:
    """Her two devices, each at another server."""
    await town.say(CHEN, "你好")
    return [await trial(CHEN, server=server) for server in range(2)]


async def ask_often(callers: list[Caller], times: int, method: str, path: str, body: object = None) -> list[Reply]:
    """All at once, in turn over the callers."""
    return await asyncio.gather(*(callers[n % len(callers)].ask(method, path, json=body) for n in range(times)))


def passed(replies: list[Reply]) -> int:
    return sum(reply.status < 300 for reply in replies)


async def test_a_person_asks_two_hundred_times_a_minute_over_all_servers_and_devices(town: Town, chens: list[Caller]):
    replies = await ask_often(chens, 201, "GET", "/notes/1")
    refused = next(reply for reply in replies if reply.status != 200)
    assert (passed(replies), refused.status, refused.code) == (200, 429, "too_many")
    assert refused.headers["Retry-After"] == "60"
    assert "1 分钟" in refused.json["error"]["say"]
    town.clock.advance(timedelta(seconds=60) - timedelta(microseconds=1))
    assert (await chens[0].get("/notes/1")).status == 429
    town.clock.advance(timedelta(microseconds=1))
    assert (await chens[1].get("/notes/1")).status == 200


async def test_one_person_at_the_limit_does_not_stop_another(town: Town, chens: list[Caller], trial: Trial):
    await ask_often(chens, 201, "GET", "/notes/1")
    await town.say(LI, "你好")
    assert (await (await trial(LI)).get("/notes/1")).status == 200


async def test_an_address_without_a_token_asks_a_hundred_times_a_minute(trial: Trial):
    callers = [await trial(server=server) for server in range(2)]
    replies = await ask_often(callers, 101, "GET", "/notes/1")
    assert sorted(reply.status for reply in replies) == [401] * 100 + [429]


async def test_a_guessed_token_counts_for_the_address(trial: Trial):
    guesser = await trial()
    guesser.token = "ll_" + "x" * 43
    replies = await ask_often([guesser], 101, "GET", "/notes/1")
    assert sorted(reply.status for reply in replies) == [401] * 100 + [429]


@pytest.mark.parametrize(
    "claimed", ["10.0.0.{n}", "{n}.1.1.1, 2.2.2.{n}", "unknown", "::1", "127.0.0.1, 10.0.0.{n}", "[2001:db8::{n}]:80"]
)
async def test_who_claims_other_addresses_is_counted_as_who_they_are(trial: Trial, claimed: str):
    caller = await trial()
    statuses = []
    for n in range(102):
        forged = {"X-Forwarded-For": claimed.format(n=n), "X-Real-IP": f"10.1.1.{n}", "Forwarded": f"for=10.2.2.{n}"}
        statuses.append((await caller.get("/notes/1", headers=forged)).status)
    assert statuses == [401] * 100 + [429] * 2


async def test_behind_a_proxy_each_address_it_names_is_counted_for_itself(trial: Trial):
    caller = await trial(server=2)

    async def ask(forwarded: str) -> int:
        return (await caller.get("/notes/1", headers={"X-Forwarded-For": forwarded})).status

    assert [await ask(f"10.9.9.{n}, 203.0.113.7") for n in range(101)] == [401] * 100 + [429]
    assert await ask("203.0.113.7, 203.0.113.8") == 401
    assert await ask("203.0.113.8, 203.0.113.7, 127.0.0.1") == 429
    whole_network = [await ask(f"2001:db8::{n}") for n in range(101)]  # one customer has all of it
    assert whole_network == [401] * 100 + [429]


async def test_an_account_is_tried_five_times_in_five_minutes_and_an_address_twenty_times_a_minute(
    town: Town, trial: Trial
):
    caller = await trial()
    tried = [(await caller.post("/login", {"name": "G001"})).status for _ in range(6)]
    assert tried == [200] * 5 + [429]
    others = [(await caller.post("/login", {"name": f"G1{n}"})).status for n in range(15)]
    assert others == [200] * 14 + [429]
    town.clock.advance(timedelta(minutes=1))
    assert [(await caller.post("/login", {"name": name})).status for name in ("G001", "G199")] == [429, 200]
    town.clock.advance(timedelta(minutes=4))
    assert (await caller.post("/login", {"name": "G001"})).status == 200


async def test_a_resident_reports_ten_times_an_hour(town: Town, chens: list[Caller]):
    replies = await ask_often(chens, 11, "POST", "/reports", {"text": "灯坏了"})
    refused = next(reply for reply in replies if reply.status != 204)
    assert (passed(replies), refused.status, refused.headers["Retry-After"]) == (10, 429, "3600")
    assert "60 分钟" in refused.json["error"]["say"]
    assert await AuditEvent.filter(tag="trial:write").count() == 10
    town.clock.advance(timedelta(hours=1))
    assert (await chens[0].post("/reports", {"text": "灯坏了"})).status == 204


def test_the_limits_are_those_that_were_agreed():
    agreed = {"user": (200, 60), "staff": (200, 60), "address": (100, 60), "report": (10, 3600), "upload": (60, 3600)}
    agreed |= {"login": (5, 300), "login_address": (20, 60)}
    assert {kind: (LIMITS[kind].count, LIMITS[kind].seconds) for kind in agreed} == agreed


@given(
    steps=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4_000_000)), max_size=60),
    count=st.integers(1, 5),
    away=st.booleans(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_window_ever_holds_more_than_the_limit(
    redis_url: str, steps: list[tuple[int, int]], count: int, away: bool
):
    clock, granted = Clock(datetime(2026, 11, 20, tzinfo=UTC)), []
    async with aioredis.from_url("unix:///nowhere/redis.sock" if away else redis_url) as redis:
        table = {"x": Limit(count, 10)}
        servers = [RateLimits(redis, clock, table) for _ in range(1 if away else 2)]
        who = uuid4().hex
        for server, microseconds in steps:
            clock.advance(timedelta(microseconds=microseconds))
            with contextlib.suppress(TooMany):
                await servers[server % len(servers)].take("x", who)
                granted.append(clock())
    windows = [sum(timedelta() <= late - early < timedelta(seconds=10) for late in granted) for early in granted]
    assert max(windows, default=0) <= count
    # and whoever waited was let in: the next one after a full window comes at once when the oldest has left it
    assert len(granted) >= min(count, len(steps))


@pytest.fixture
async def no_redis(town: Town):
    """Nothing listens where the servers look for Redis."""
    gone = town.services.redis.connection_pool
    town.services.redis.connection_pool = aioredis.ConnectionPool.from_url("unix:///nowhere/redis.sock")
    yield
    town.services.redis.connection_pool = gone


async def test_without_redis_nobody_signs_in_and_the_answer_says_so(no_redis: None, trial: Trial):
    reply = await (await trial()).post("/login", {"name": "G001"})
    assert (reply.status, reply.code, reply.headers["Retry-After"]) == (503, "unavailable", "60")
    assert "暂时不能登录" in reply.json["error"]["say"]


async def test_without_redis_staff_wait(town: Town, no_redis: None, trial: Trial):
    worker = await trial(staff=await Staff.get(code="G001"))
    assert (await worker.get("/notes/1")).status == 503


async def test_without_redis_residents_go_on_and_each_server_counts_for_itself(no_redis: None, chens: list[Caller]):
    for caller in chens:
        replies = await ask_often([caller], 201, "GET", "/notes/1")
        assert passed(replies) == 200
    replies = await ask_often([chens[0]], 11, "POST", "/reports", {"text": "灯坏了"})
    assert passed(replies) == 0  # the minute's two hundred are used up


async def test_without_redis_reports_fall_to_the_server_s_own_count(no_redis: None, chens: list[Caller]):
    assert passed(await ask_often([chens[0]], 12, "POST", "/reports", {"text": "灯坏了"})) == 10


async def test_a_refused_request_uses_nothing_up(redis_url: str, clock: Clock):
    async with aioredis.from_url(redis_url) as redis:
        limits = RateLimits(redis, clock, {"x": Limit(2, 10)})
        for _ in range(2):
            await limits.take("x", "a")
        for _ in range(5):
            clock.advance(timedelta(seconds=1))
            with pytest.raises(TooMany):
                await limits.take("x", "a")
        clock.advance(timedelta(seconds=5))
        await limits.take("x", "a")
