"""Sends what has been approved: starts the runs that are due, writes down whom they concern and keeps the outbox
supplied, never with more than it works off in about a second."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from time import perf_counter

import structlog

from domain.broadcast_runs import RunFailed, advance, has_work
from jobs.ticks import Ticks

log = structlog.get_logger(__name__)

#: What it is called among regular work.
BROADCASTING = "advance broadcasts"
_BUSY, IDLE = 0.2, 1.0  # seconds between two looks


class Broadcasting:
    """One worker's part in it; any number of workers share the work. `wake` says that the outbox has something."""

    def __init__(self, now: Callable[[], datetime], wake: Callable[[], Awaitable[None]], ticks: Ticks) -> None:
        self._now = now
        self._wake = wake
        self._ticks = ticks

    async def run(self) -> None:
        """Work until cancelled. A step that was broken off is begun anew by whoever looks next."""
        while True:
            busy, began = False, perf_counter()
            try:
                busy = await self.step()
            except Exception as error:
                log.exception("broadcasting failed")
                await self._ticks.failed(BROADCASTING, error)
            else:
                await self._ticks.done(BROADCASTING, perf_counter() - began)
            await asyncio.sleep(_BUSY if busy else IDLE)

    async def step(self) -> bool:
        """Do what can be done now; gives whether a broadcast is being sent."""
        if not await has_work(self._now()):
            return False
        try:
            done = await advance(self._now())
        except RunFailed:
            await self._wake()  # the others have gone on
            raise
        if done:
            await self._wake()
        return True
