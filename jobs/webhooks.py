"""Signed updates to other platforms: the outbox's handler of WEBHOOK jobs.

A platform that is away must not hold up residents' notices: few calls to one platform run at a time, and after a
failure it is left alone for half a minute.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import aiohttp
import orjson
import structlog

from bot.outbox import Done, Job, TryLater, parked, sent
from domain.connectors import Sending, compose, link_case, url_fault
from jobs.posts import MOST_BYTES, TIMEOUT, SignedPosts

log = structlog.get_logger(__name__)

_AT_ONCE = 4  # calls to one platform
_REST = timedelta(seconds=30)  # how long a platform is left alone after a failure
_LONGEST = timedelta(minutes=15)  # between two tries of one job


class Webhooks:
    """Sends what is due to each platform, a case's steps in their order."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        now: Callable[[], datetime],
        plain_http: bool = False,
        timeout: aiohttp.ClientTimeout = TIMEOUT,
    ) -> None:
        self._call = SignedPosts(session, now=now, timeout=timeout)
        self._now = now
        self._plain_http = plain_http
        self._gates: defaultdict[int, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_ONCE))
        self._resting: dict[int, datetime] = {}

    async def __call__(self, jobs: Sequence[Job], end: Callable[[Job, Done], None]) -> None:
        """Send each; the first that fails keeps those behind it waiting."""
        for job in jobs:
            end(job, await self._send(job))

    async def _send(self, job: Job) -> Done:
        sending = await compose(job.payload, job.case_id or 0)
        if sending is None:
            return parked("平台已停用，没有发送")
        if fault := url_fault(sending.url, plain_http=self._plain_http):
            return parked(fault)
        async with self._gates[sending.connector]:
            now = self._now()
            if (until := self._resting.get(sending.connector)) and now < until:
                raise TryLater(f"{sending.name} 刚才没有答复，稍后再试", until - now)
            try:
                return await self._post(job, sending)
            except TryLater:
                self._resting[sending.connector] = self._now() + _REST
                raise

    async def ping(self, name: str, url: str, secret: str) -> str:
        """Post a signed test message without a case; what went wrong, "" for nothing."""
        if fault := url_fault(url, plain_http=self._plain_http):
            return fault
        try:
            status, said = await self._call(url, secret, "linli-test", {"test": True})
        except (aiohttp.ClientError, TimeoutError) as error:
            return f"{name}: {type(error).__name__} {error}"
        return "" if 200 <= status < 300 else f"{name} answered {status}: {said[:200].decode(errors='replace')}"

    async def _post(self, job: Job, sending: Sending) -> Done:
        key = f"linli-{job.payload.get('again', job.id)}"
        try:
            status, said = await self._call(sending.url, sending.secret, key, sending.body)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._later(job, f"{sending.name} 连不上：{type(error).__name__}") from error
        if status in (408, 425, 429) or status >= 500:
            raise self._later(job, f"{sending.name} 答复 {status}")
        if not 200 <= status < 300:
            return parked(f"{sending.name} 不接受（{status}）：{said[:120].decode(errors='replace')}")
        await self._remember(job, sending, said)
        return sent("webhook")

    def _later(self, job: Job, reason: str) -> TryLater:
        """Twice as long after each try, at most a quarter of an hour; the outbox gives up after a day."""
        return TryLater(reason, min(max(_REST, self._now() - job.created_at), _LONGEST))

    async def _remember(self, job: Job, sending: Sending, said: bytes) -> None:
        """Their number of the case, where the answer has one."""
        try:
            answer = orjson.loads(said) if said and len(said) <= MOST_BYTES else {}
        except orjson.JSONDecodeError:
            return
        external = answer.get("external_id") if isinstance(answer, dict) else None
        if external and isinstance(external, str | int) and job.case_id:
            await link_case(sending.connector, job.case_id, str(external))
