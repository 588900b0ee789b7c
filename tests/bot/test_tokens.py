"""One token and one set of limits for all processes, without hammering WeChat, with and without Redis."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest
from redis import asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bot.limits import DAY, Limit, RateLimits
from bot.tokens import LOCK_SECONDS, PAUSE, TokenStore, TokenUnavailable
from errors import Unavailable, WeChatError, WeChatUnreachable


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 1_763_600_000.0

    def __call__(self) -> float:
        return self.seconds


class Endpoint:
    """WeChat's token endpoint: a new token whenever the last one was killed, as stable_token does."""

    def __init__(self) -> None:
        self.calls = 0
        self.current = 1
        self.seconds = 7200.0
        self.down: Exception | None = None
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> tuple[str, float]:
        self.calls += 1
        self.asked.set()
        await self.gate.wait()
        if self.down is not None:
            raise self.down
        return f"token-{self.current}", self.seconds

    def kill(self) -> None:
        self.current += 1


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[aioredis.Redis]:
    client = aioredis.from_url(redis_url, retry=Retry(NoBackoff(), 0))
    yield client
    await client.aclose()


@pytest.fixture
async def no_redis() -> AsyncIterator[aioredis.Redis]:
    """A client of a Redis that is gone."""
    client = aioredis.from_url("unix:///nonexistent/redis.sock", retry=Retry(NoBackoff(), 0))
    yield client
    await client.aclose()


@pytest.fixture
def appid() -> str:
    return f"wx{secrets.token_hex(8)}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
def stores(redis: aioredis.Redis, appid: str, endpoint: Endpoint, clock: Clock) -> list[TokenStore]:
    """The stores of three processes."""
    return [TokenStore(redis, appid, endpoint, now=clock) for _ in range(3)]


async def test_one_process_asks_and_all_use_its_token(stores: list[TokenStore], endpoint: Endpoint) -> None:
    tokens = await asyncio.gather(*(store.get() for store in stores for _ in range(50)))
    assert (set(tokens), endpoint.calls) == ({"token-1"}, 1)


async def test_a_refused_token_is_renewed_once_by_all_processes_together(
    stores: list[TokenStore], endpoint: Endpoint
) -> None:
    await asyncio.gather(*(store.get() for store in stores))
    endpoint.kill()
    tokens = await asyncio.gather(*(store.refused("token-1") for store in stores for _ in range(50)))
    assert (set(tokens), endpoint.calls) == ({"token-2"}, 2)


async def test_a_late_refusal_of_an_old_token_asks_nobody(stores: list[TokenStore], endpoint: Endpoint) -> None:
    await stores[0].get()
    endpoint.kill()
    await stores[0].refused("token-1")
    assert await stores[0].refused("token-1") == "token-2"
    assert await stores[1].refused("token-1") == "token-2"
    assert endpoint.calls == 2


async def test_a_token_is_renewed_before_it_dies(stores: list[TokenStore], endpoint: Endpoint, clock: Clock) -> None:
    await stores[0].get()
    endpoint.kill()
    clock.seconds += 7200 - 241
    assert await stores[0].get() == "token-1"
    clock.seconds += 2
    assert await stores[0].get() == "token-2"


async def test_short_lived_tokens_are_used_too(stores: list[TokenStore], endpoint: Endpoint) -> None:
    endpoint.seconds = 300
    await stores[0].get()
    assert (await stores[0].get(), endpoint.calls) == ("token-1", 1)


@pytest.mark.parametrize(
    "trouble",
    [WeChatUnreachable("cgi-bin/stable_token"), WeChatError(40164, "invalid ip", "cgi-bin/stable_token")],
)
async def test_while_there_is_no_token_wechat_is_asked_once_in_five_seconds(
    stores: list[TokenStore],
    endpoint: Endpoint,
    clock: Clock,
    redis: aioredis.Redis,
    appid: str,
    trouble: Exception,
) -> None:
    endpoint.down = trouble
    for _ in range(30):
        results = await asyncio.gather(*(store.get() for store in stores), return_exceptions=True)
        assert {type(result) for result in results} == {TokenUnavailable}
    assert endpoint.calls == 1
    clock.seconds += PAUSE + 1
    await redis.delete(f"linli:token:{appid}:closed")  # Redis has its own clock
    endpoint.down = None
    assert await stores[0].get() == "token-1"


async def test_the_error_says_that_nothing_was_sent_and_when_to_come_back(
    stores: list[TokenStore], endpoint: Endpoint
) -> None:
    endpoint.down = WeChatError(40164, "invalid ip 1.2.3.4", "cgi-bin/stable_token")
    with pytest.raises(TokenUnavailable, match="40164 invalid ip") as refused:
        await stores[0].get()
    assert refused.value.data == {"sent": False, "retry_after": PAUSE}
    with pytest.raises(TokenUnavailable) as elsewhere:
        await stores[1].get()
    assert 0 < elsewhere.value.data["retry_after"] <= PAUSE


async def test_the_old_token_serves_while_no_new_one_comes(
    stores: list[TokenStore], endpoint: Endpoint, clock: Clock
) -> None:
    await stores[0].get()
    endpoint.down = WeChatUnreachable("cgi-bin/stable_token")
    clock.seconds += 7000
    assert await stores[0].get() == "token-1"
    assert await stores[1].get() == "token-1"
    clock.seconds += 201
    with pytest.raises(TokenUnavailable):
        await stores[0].get()


async def test_a_token_that_comes_back_although_refused_is_not_asked_for_in_a_loop(
    stores: list[TokenStore], endpoint: Endpoint
) -> None:
    await stores[0].get()
    for store in stores:
        for _ in range(10):
            with pytest.raises(TokenUnavailable):
                await store.refused("token-1")
    assert endpoint.calls == 2


async def test_a_process_waits_for_the_one_that_is_asking(stores: list[TokenStore], endpoint: Endpoint) -> None:
    endpoint.gate.clear()
    waiting = [asyncio.create_task(store.get()) for store in stores]
    await endpoint.asked.wait()
    endpoint.gate.set()
    assert (set(await asyncio.gather(*waiting)), endpoint.calls) == ({"token-1"}, 1)


async def test_a_cancelled_caller_leaves_no_lock_behind(stores: list[TokenStore], endpoint: Endpoint) -> None:
    endpoint.gate.clear()
    asking = asyncio.create_task(stores[0].get())
    await endpoint.asked.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    endpoint.gate.set()
    async with asyncio.timeout(LOCK_SECONDS / 2):
        assert await stores[1].get() == "token-1"


async def test_without_redis_each_process_keeps_its_own_copy(
    no_redis: aioredis.Redis, appid: str, endpoint: Endpoint, clock: Clock
) -> None:
    store = TokenStore(no_redis, appid, endpoint, now=clock)
    tokens = await asyncio.gather(*(store.get() for _ in range(50)))
    endpoint.kill()
    renewed = await asyncio.gather(*(store.refused("token-1") for _ in range(50)))
    assert (set(tokens), set(renewed), endpoint.calls) == ({"token-1"}, {"token-2"}, 2)


async def test_without_redis_a_dead_endpoint_is_still_asked_once_in_five_seconds(
    no_redis: aioredis.Redis, appid: str, endpoint: Endpoint, clock: Clock
) -> None:
    store = TokenStore(no_redis, appid, endpoint, now=clock)
    endpoint.down = WeChatUnreachable("cgi-bin/stable_token")
    for expected_calls in (1, 2):
        results = await asyncio.gather(*(store.get() for _ in range(50)), return_exceptions=True)
        assert {type(result) for result in results} == {TokenUnavailable}
        assert endpoint.calls == expected_calls
        clock.seconds += PAUSE


@pytest.mark.parametrize("stored", [b"", b"not json", b"[1]", b'{"a":1}', b"\xff"])
async def test_a_spoilt_value_in_redis_is_replaced(
    redis: aioredis.Redis, appid: str, endpoint: Endpoint, clock: Clock, stored: bytes
) -> None:
    await redis.set(f"linli:token:{appid}", stored)
    assert await TokenStore(redis, appid, endpoint, now=clock).get() == "token-1"


async def allowed(limits: list[RateLimits], api: str, tries: int) -> int:
    """How many of the tries, taken in turn by several processes, are let through."""
    count = 0
    for number in range(tries):
        try:
            await limits[number % len(limits)].take(api)
        except Unavailable:
            continue
        count += 1
    return count


async def test_processes_share_one_limit(redis: aioredis.Redis, appid: str, clock: Clock) -> None:
    rules = {"send": [Limit(10, 60)]}
    limits = [RateLimits(redis, appid, rules, now=clock) for _ in range(2)]
    assert await allowed(limits, "send", 30) == 10
    assert await allowed(limits, "other", 30) == 30


async def test_the_refusal_says_when_to_come_back(redis: aioredis.Redis, appid: str, clock: Clock) -> None:
    clock.seconds = 1_763_600_000.0 // 60 * 60 + 45
    limits = RateLimits(redis, appid, {"send": [Limit(1, 60)]}, now=clock)
    await limits.take("send")
    with pytest.raises(Unavailable) as refused:
        await limits.take("send")
    assert refused.value.data == {"retry_after": 15, "api": "send", "seconds": 60}


async def test_a_minute_slides_so_no_burst_passes_at_its_edge(redis: aioredis.Redis, appid: str, clock: Clock) -> None:
    clock.seconds = 1_763_600_000.0 // 60 * 60 + 59
    limits = [RateLimits(redis, appid, {"send": [Limit(100, 60)]}, now=clock)]
    assert await allowed(limits, "send", 150) == 100
    clock.seconds += 31
    assert await allowed(limits, "send", 150) == 50


async def test_a_day_ends_at_midnight_in_china(redis: aioredis.Redis, appid: str, clock: Clock) -> None:
    clock.seconds = (1_763_600_000.0 + 8 * 3600) // DAY * DAY - 8 * 3600 + DAY - 1
    limits = [RateLimits(redis, appid, {"send": [Limit(3, DAY)]}, now=clock)]
    assert await allowed(limits, "send", 9) == 3
    clock.seconds += 1
    assert await allowed(limits, "send", 9) == 3


async def test_a_refused_call_counts_in_no_window(redis: aioredis.Redis, appid: str, clock: Clock) -> None:
    limits = [RateLimits(redis, appid, {"send": [Limit(5, 60), Limit(2, DAY)]}, now=clock)]
    assert await allowed(limits, "send", 20) == 2
    counters = {key: int(await redis.get(key) or 0) async for key in redis.scan_iter(f"linli:limit:*{appid}*")}
    assert sorted(counters.values()) == [2, 2]


async def test_without_redis_a_process_counts_for_itself(no_redis: aioredis.Redis, appid: str, clock: Clock) -> None:
    limits = RateLimits(no_redis, appid, {"send": [Limit(10, 60)]}, now=clock)
    assert await allowed([limits], "send", 30) == 10
    clock.seconds += 120
    assert await allowed([limits], "send", 30) == 10
