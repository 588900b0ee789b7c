"""The account's access token: one for all processes, kept in Redis, renewed by one of them at a time.

Tokens come from stable_token and never by force: several processes may then ask without killing each other's
token. Without Redis every process keeps its own copy of the same token.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
from redis import asyncio as aioredis
from redis.exceptions import RedisError

from bot.config import WeChatConfig
from bot.transport import Call, Transport, unreachable
from errors import WeChatError, WeChatUnreachable

API = "cgi-bin/stable_token"
PAUSE = 5.0
"""Seconds between two tries while WeChat gives no token: a failing token endpoint must not be hammered."""
LOCK_SECONDS = 12.0
"""A little longer than the slowest call, so that a holder that died is soon forgotten."""
REDIS_SECONDS = 1.0
_POLL_SECONDS = 0.1
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
_REDIS_GONE = (RedisError, OSError, TimeoutError)


class TokenUnavailable(WeChatUnreachable):
    """There is no token now. The call that needed it was not made; `data["retry_after"]` says when to come
    back."""

    def __init__(self, detail: str, retry_after: float = PAUSE) -> None:
        super().__init__(API, detail)
        self.data.update(sent=False, retry_after=retry_after)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token with the seconds (of our clock) from which it should be renewed and at which it
    dies."""

    value: str
    renew_at: float
    dies_at: float


Fetch = Callable[[], Awaitable[tuple[str, float]]]
"""Asks WeChat; answers the token and its remaining seconds."""


def stable_token(config: WeChatConfig, transport: Transport) -> Fetch:
    """The call that a TokenStore makes to WeChat."""
    body = {"grant_type": "client_credential", "appid": config.appid, "secret": config.secret}

    async def fetch() -> tuple[str, float]:
        answer = await transport.json(Call("POST", API, body=body))
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(seconds, int | float) or seconds <= 0:
            raise unreachable(API, "no token in the answer", sent=True)
        return token, float(seconds)

    return fetch


class TokenStore:
    """Gives the current token and renews it: ahead of time, and when WeChat has refused it."""

    def __init__(
        self, redis: aioredis.Redis, appid: str, fetch: Fetch, *, now: Callable[[], float] = time.time
    ) -> None:
        self._redis = redis
        self._key = f"linli:token:{appid}"
        self._fetch = fetch
        self._now = now
        self._lock = asyncio.Lock()
        self._token: Token | None = None
        self._closed_until = 0.0

    async def get(self) -> str:
        """The token to call with. Raises TokenUnavailable."""
        if self._token is not None and self._now() < self._token.renew_at:
            return self._token.value
        async with self._lock:
            token = await self._usable("")
            if token is None:
                token = await self._renewed_or_old()
            return token.value

    async def refused(self, token: str) -> str:
        """The token to try again with after WeChat refused this one. Asks WeChat only if nobody has renewed
        it in the meantime. Raises TokenUnavailable."""
        async with self._lock:
            usable = await self._usable(token) or await self._renew(token)
            return usable.value

    async def _usable(self, bad: str) -> Token | None:
        """The token this process or another one holds, if it is fresh and not the bad one."""
        held = [token for token in (self._token, await self._stored()) if token and token.value != bad]
        self._token = max(held, key=lambda token: token.dies_at, default=None)
        return self._token if self._token and self._now() < self._token.renew_at else None

    async def _renewed_or_old(self) -> Token:
        """A renewed token; while WeChat gives none, the old one as long as it lives."""
        try:
            return await self._renew("")
        except TokenUnavailable:
            if self._token is not None and self._now() < self._token.dies_at:
                return self._token
            raise

    async def _renew(self, bad: str) -> Token:
        """Ask WeChat, or wait for the process that is asking. Called with the process's own lock held."""
        if self._now() >= self._closed_until:
            await self._learn_pause()
        if self._now() < self._closed_until:
            raise TokenUnavailable("waiting after a failed try", self._closed_until - self._now())
        async with self._only_one() as ours:
            usable = await self._usable(bad) if ours else await self._from_other(bad)
            return usable or await self._ask(bad)

    async def _ask(self, bad: str) -> Token:
        if await self._learn_pause():
            raise TokenUnavailable("another process has just failed")
        try:
            value, seconds = await self._fetch()
        except (WeChatError, WeChatUnreachable) as error:
            await self._close()
            raise TokenUnavailable(str(error).removeprefix(f"{API}: ")) from error
        if value == bad:
            # WeChat refuses its own token. Asking on would be a loop.
            await self._close()
            raise TokenUnavailable("WeChat gave the refused token again")
        asked = self._now()
        # In its last five minutes stable_token gives the next token, and both are good.
        early = min(240.0, seconds / 5)
        self._token = Token(value, asked + seconds - early, asked + seconds)
        await self._store(self._token, seconds)
        return self._token

    async def _from_other(self, bad: str) -> Token:
        """The token another process is fetching."""
        for _ in range(round(LOCK_SECONDS / _POLL_SECONDS)):
            await asyncio.sleep(_POLL_SECONDS)
            if (usable := await self._usable(bad)) is not None:
                return usable
            if await self._learn_pause():
                break
        raise TokenUnavailable("another process got no token")

    async def _stored(self) -> Token | None:
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                raw = await self._redis.get(self._key)
            if raw is None:
                return None
            value, renew_at, dies_at = orjson.loads(raw)
            return Token(str(value), float(renew_at), float(dies_at))
        except (*_REDIS_GONE, ValueError, TypeError):
            return None

    async def _store(self, token: Token, seconds: float) -> None:
        packed = orjson.dumps([token.value, token.renew_at, token.dies_at])
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                await self._redis.set(self._key, packed, px=max(1, int(seconds * 1000)))
        except _REDIS_GONE:
            return

    async def _close(self) -> None:
        """Note a failed try: nobody asks again for PAUSE seconds."""
        self._closed_until = self._now() + PAUSE
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                await self._redis.set(f"{self._key}:closed", 1, px=int(PAUSE * 1000))
        except _REDIS_GONE:
            return

    async def _learn_pause(self) -> bool:
        """Take over the pause another process began by a failed try; whether there is one."""
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                left = int(await self._redis.pttl(f"{self._key}:closed"))
        except _REDIS_GONE:
            return False
        if left > 0:
            self._closed_until = self._now() + left / 1000
        return left > 0

    @asynccontextmanager
    async def _only_one(self) -> AsyncIterator[bool]:
        """Whether this process may ask now: False while another one does. Without Redis, always."""
        owner, key = secrets.token_hex(8), f"{self._key}:lock"
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                ours = bool(await self._redis.set(key, owner, nx=True, px=int(LOCK_SECONDS * 1000)))
        except _REDIS_GONE:
            yield True
            return
        try:
            yield ours
        finally:
            if ours:
                await self._release(key, owner)

    async def _release(self, key: str, owner: str) -> None:
        """Give the lock back, if it is still ours: it may have run out and be another process's now."""
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                await self._redis.eval(_RELEASE, 1, key, owner)
        except _REDIS_GONE:
            return
