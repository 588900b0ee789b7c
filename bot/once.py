"""Notices that reach nobody twice (payload `once`), whatever dies between the call to WeChat and its note.

WeChat dedupes template messages by `client_msg_id`, for ten minutes; customer-service messages and subscription notices
not at all. So before each call of such a job its row says over which rung the call is about to be made, and since when.
A claim that finds this after a lost worker, or after a call without an answer, repeats a template while WeChat still
dedupes it and ends everything else as undelivered: who was told once or not at all is better than who was told twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.outbox import Done, Job, write_jobs
from models.database import fetch
from models.enums import OutboxState

UNSURE = Done(OutboxState.UNDELIVERED, error="不确定是否送达，没有重发")
"""How a job ends whose call nobody knows the outcome of."""

DEDUPED_FOR = timedelta(minutes=9)
"""How long a template may be sent again under its `client_msg_id`: WeChat's ten minutes, less what a call may take."""

# A rung tried again keeps the time of its first call. Nothing is noted for who has lost the lease.
_CALLED = "SELECT n.* FROM jsonb_to_recordset($1::jsonb) AS n(id bigint, attempt int, rung text) "
_BEGIN = """
UPDATE outbox SET channel = n.rung,
    called_at = CASE WHEN outbox.channel = n.rung THEN coalesce(called_at, $2) ELSE $2 END
FROM n WHERE outbox.id = n.id AND outbox.attempt = n.attempt AND outbox.state = 'leased' RETURNING outbox.id
"""
_BEGIN_FREE = "WITH n AS (" + _CALLED + "JOIN outbox o ON o.id = n.id FOR NO KEY UPDATE OF o SKIP LOCKED)" + _BEGIN
_BEGIN_ONE = "WITH n AS (" + _CALLED + ")" + _BEGIN
_UNDO = "UPDATE outbox SET called_at = NULL, channel = '' WHERE id = ANY ($1::bigint[]) AND state = 'leased'"


@dataclass(slots=True)
class _Note:
    job: Job
    rung: str
    ours: bool | None = None  # None = not written yet


class Calls:
    """Notes calls before they are made; what comes together is noted in one commit."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._waiting: list[_Note] = []
        self._writing = asyncio.Lock()

    async def begin(self, jobs: Sequence[Job], rung: str) -> bool:
        """Note that these jobs are about to go out over a rung. False = another worker has taken them meanwhile: they
        must not be sent here."""
        return all(await asyncio.gather(*(self._begin(_Note(job, rung)) for job in jobs if is_once(job))))

    async def _begin(self, note: _Note) -> bool:
        self._waiting.append(note)
        async with self._writing:
            if note.ours is None:
                await self._write()
        return bool(note.ours)

    async def _write(self) -> None:
        together, self._waiting = self._waiting, []
        rows = [{"id": one.job.id, "attempt": one.job.attempt, "rung": one.rung} for one in together]
        try:
            now = self._now()
            noted = await write_jobs(
                rows, lambda many: fetch(_BEGIN_FREE, many, now), lambda one: fetch(_BEGIN_ONE, one, now)
            )
        except BaseException:
            self._waiting = together + self._waiting  # each of them tries for itself, and fails or not
            raise
        for one in together:
            one.ours = one.job.id in noted

    async def undo(self, jobs: Sequence[Job]) -> None:
        """WeChat has certainly sent none of these: they may be tried again over any rung."""
        if called := [job.id for job in jobs if is_once(job)]:
            await fetch(_UNDO, called)

    def may_repeat(self, job: Job) -> bool:
        """Whether a job whose call nobody knows the outcome of can be sent again without reaching somebody twice."""
        return job.channel == "template" and job.called_at is not None and self._now() - job.called_at < DEDUPED_FOR


def is_once(job: Job) -> bool:
    """Whether the job must not reach anybody twice."""
    return bool(job.payload.get("once"))
