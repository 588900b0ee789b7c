"""The worker's queue: claim under a lease, do, note the result; retry with backoff, park poison with its reason.

Claims are made one at a time (an advisory lock), so that the jobs of one recipient leave in their order however many
workers there are: a job is claimed only while no earlier job of the same recipient waits or is in somebody's hands
(but one that waits for the end of the quiet hours: the morning's reminder must not hold back the night's emergency).
A lease that runs out (a killed worker) is claimed again; finishing needs the claim's own `attempt` number, so that a
worker that wakes up late changes nothing.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import structlog

from bot.wire import printable
from errors import LinliError
from models.database import fetch, from_json, to_json, transaction
from models.enums import OutboxKind, OutboxState

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
MAX_TRIES = 5
#: Pause before each further try; the last step is 15 minutes, so five tries span about 20 minutes.
BACKOFF = (timedelta(seconds=2), timedelta(seconds=15), timedelta(minutes=2), timedelta(minutes=15))
#: How long a job that WeChat puts off (daily limit, wrong credentials) is kept before staff must look after it.
GIVE_UP = timedelta(hours=24)
#: Claims that never came back after which a job is parked though it never failed in words: it kills its worker.
MAX_CLAIMS = 12
#: The advisory lock under which claims are made.
CLAIM_LOCK = 0x6C696E6C6901

_CLAIM = """
WITH due AS (
    SELECT o.id FROM outbox o
    WHERE o.finished_at IS NULL AND o.due_at <= $1 AND (o.state = 'pending' OR o.leased_until < $1)
    AND NOT EXISTS (
        SELECT 1 FROM outbox e WHERE e.recipient = o.recipient AND e.id < o.id AND e.finished_at IS NULL AND NOT e.quiet
        AND (e.due_at > $1 OR e.state = 'leased' AND e.leased_until >= $1)
    )
    ORDER BY o.id LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE outbox SET state = 'leased', attempt = attempt + 1, leased_until = $3 FROM due WHERE outbox.id = due.id
RETURNING outbox.id, kind, recipient, case_id, payload, attempt, tries, created_at, called_at, channel
"""

# Many at once: only those nobody else holds, so that it waits for nobody while it holds some. The others one by one.
_FREE = "JOIN outbox o ON o.id = d.id FOR NO KEY UPDATE OF o SKIP LOCKED)"
_ENDS = (
    "SELECT d.* FROM jsonb_to_recordset($1::jsonb) "
    "AS d(id bigint, attempt int, state text, channel text, reference text, used int, error text) "
)
_FINISH = """
UPDATE outbox SET state = d.state, channel = d.channel, reference = d.reference, used = d.used, error = d.error,
    finished_at = $2, leased_until = NULL
FROM d WHERE outbox.id = d.id AND outbox.attempt = d.attempt AND outbox.state = 'leased' RETURNING outbox.id
"""
_FINISH_FREE = "WITH d AS (" + _ENDS + _FREE + _FINISH
_FINISH_ONE = "WITH d AS (" + _ENDS + ")" + _FINISH

# A claim that is given back is taken back: beyond the first, `attempt` counts the workers that vanished with the job.
# The number is free again only because its holder has just let go of it.
_PUT_OFF = (
    "SELECT d.* FROM jsonb_to_recordset($1::jsonb) AS d(id bigint, attempt int, tries int, error text, due float8) "
)
_RELEASE = """
UPDATE outbox SET state = 'pending', attempt = outbox.attempt - 1, tries = d.tries, error = d.error,
    due_at = to_timestamp(d.due), leased_until = NULL
FROM d WHERE outbox.id = d.id AND outbox.attempt = d.attempt AND outbox.state = 'leased' RETURNING outbox.id
"""
_RELEASE_FREE = "WITH d AS (" + _PUT_OFF + _FREE + _RELEASE
_RELEASE_ONE = "WITH d AS (" + _PUT_OFF + ")" + _RELEASE

Noted = Awaitable[list[dict[str, Any]]]


async def write_jobs(
    rows: Sequence[Mapping[str, Any]], free: Callable[[str], Noted], one: Callable[[str], Noted]
) -> set[int]:
    """Note something of many jobs: `free` of those nobody else holds, in one statement, then `one` of each of the
    others. Who has no other row waits in no circle. Both take the rows as JSON and give the ids they have written."""
    written = {row["id"] for row in await free(to_json(list(rows)))}
    for row in rows:
        if row["id"] not in written:
            written |= {each["id"] for each in await one(to_json([row]))}
    return written


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed job."""

    id: int
    kind: OutboxKind
    recipient: str
    case_id: int | None
    payload: Mapping[str, Any]
    attempt: int
    tries: int
    created_at: datetime
    called_at: datetime | None = None  # of a job that goes out once: a call over `channel` may have been made; bot.once
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """A job's end: sent, undelivered or parked, by which rung, at what cost in service messages, and why not."""

    state: OutboxState
    channel: str = ""
    used: int = 0
    error: str = ""
    reference: str = ""


def sent(channel: str, used: int = 0, reference: str = "") -> Done:
    """Carried out, with so many of the messages that somebody counts; `reference`: what WeChat calls it."""
    return Done(OutboxState.SENT, channel, used, reference=reference)


def undelivered(reason: str) -> Done:
    """Not carried out and not to be tried again, with the reason for staff; nobody has to mend anything."""
    return Done(OutboxState.UNDELIVERED, error=reason)


def parked(reason: str) -> Done:
    """Put aside for staff, with the reason."""
    return Done(OutboxState.PARKED, error=reason)


class TryLater(Exception):
    """Raised by a job's handler: not now. `reason` is for staff."""

    def __init__(self, reason: str, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after


#: Does all claimed jobs of one recipient, in order; gives as many ends as it finished. Raises TryLater for the rest.
Handler = Callable[[Sequence[Job], Callable[[Job, Done], None]], Awaitable[None]]


class Outbox:
    """One worker's view of the queue. `handlers` say what each kind of job does."""

    def __init__(
        self,
        handlers: Mapping[OutboxKind, Handler],
        *,
        now: Callable[[], datetime],
        batch: int = 200,
        parallel: int = 32,
    ) -> None:
        self._handlers = handlers
        self._now = now
        self._batch = batch
        self._gate = asyncio.Semaphore(parallel)
        self._ended: list[dict[str, Any]] = []
        self._writing = asyncio.Lock()

    async def run_once(self) -> int:
        """Claim what is due and do it; gives how many jobs were claimed."""
        jobs = await self.claim()
        by_recipient = sorted(jobs, key=lambda job: (job.recipient, job.id))
        groups = [list(group) for _, group in groupby(by_recipient, key=lambda job: (job.recipient, job.kind))]
        # One result that cannot be written must not break off the other sends: nobody could say what became of them.
        results = await asyncio.gather(*(self._do(group) for group in groups), return_exceptions=True)
        if failed := next((result for result in results if isinstance(result, BaseException)), None):
            raise failed
        return len(jobs)

    async def claim(self) -> list[Job]:
        """Take a lease on due jobs."""
        now = self._now()
        async with transaction():
            await fetch("SELECT pg_advisory_xact_lock($1)", CLAIM_LOCK)
            rows = await fetch(_CLAIM, now, self._batch, now + LEASE)
        return [Job(**row | {"kind": OutboxKind(row["kind"]), "payload": from_json(row["payload"])}) for row in rows]

    async def _do(self, group: list[Job]) -> None:
        ended: dict[int, Done] = {}
        reason, after = "", None
        async with self._gate:
            try:
                fresh = [job for job in group if job.attempt <= MAX_CLAIMS]
                for job in group:
                    if job.attempt > MAX_CLAIMS:
                        ended[job.id] = parked("反复中断，已停发，请联系管理员")
                await self._handlers[group[0].kind](fresh, lambda job, done: ended.__setitem__(job.id, done))
            except TryLater as later:
                reason, after = later.reason, later.after
            except LinliError as error:
                reason = error.detail
            except Exception as error:
                log.exception("outbox job failed", job=group[0].id, kind=group[0].kind)
                reason = f"{type(error).__name__}: {error}"
        await self._note(group, ended, printable(reason)[:300], after)

    async def _note(self, group: list[Job], ended: Mapping[int, Done], reason: str, after: timedelta | None) -> None:
        now = self._now()
        finished, released = [], []
        rest = [job for job in group if job.id not in ended]
        for place, job in enumerate(rest):
            # Those behind the first were not tried, and a try that WeChat put off says nothing about the job.
            tries = job.tries + (place == 0 and after is None)
            if tries >= MAX_TRIES:
                finished.append(_end(job, parked(f"试了 {tries} 次没有发出：{reason}")))
                continue
            if after is not None and now - job.created_at > GIVE_UP:
                finished.append(_end(job, parked(f"等了一天没有发出：{reason}")))
                continue
            pause = after or BACKOFF[min(tries, len(BACKOFF)) - 1] * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
            due = now + pause if place == 0 or tries else now
            released.append(
                {"id": job.id, "attempt": job.attempt, "tries": tries, "error": reason, "due": due.timestamp()}
            )
        finished += [_end(job, ended[job.id]) for job in group if job.id in ended]
        await self._write(finished, released, now)

    async def _write(self, finished: list[dict[str, Any]], released: list[dict[str, Any]], now: datetime) -> None:
        if finished:
            await self._finish(finished, now)
        if released:
            await write_jobs(released, lambda rows: fetch(_RELEASE_FREE, rows), lambda row: fetch(_RELEASE_ONE, row))

    async def _finish(self, ended: list[dict[str, Any]], now: datetime) -> None:
        """Note ends. What ends while others are being noted is noted with the next: one commit for many sends."""
        self._ended += ended
        async with self._writing:
            together, self._ended = self._ended, []
            if not together:
                return  # somebody before us took ours along
            try:
                await write_jobs(
                    together, lambda rows: fetch(_FINISH_FREE, rows, now), lambda row: fetch(_FINISH_ONE, row, now)
                )
            except Exception:
                if together == ended:
                    raise
                await _finish_each(together, now)


async def _finish_each(ended: list[dict[str, Any]], now: datetime) -> None:
    """One by one, so that an end PostgreSQL does not take spoils no other; raises the first refusal after the last."""
    refused: list[Exception] = []
    for end in ended:
        try:
            await fetch(_FINISH_ONE, to_json([end]), now)
        except Exception as error:  # noqa: BLE001 - raised below
            refused.append(error)
    if refused:
        raise refused[0]


def _end(job: Job, done: Done) -> dict[str, Any]:
    if done.state is not OutboxState.SENT:
        log.warning("notice not delivered", job=job.id, state=done.state, reason=done.error)
    return {
        "id": job.id,
        "attempt": job.attempt,
        "state": done.state,
        "channel": done.channel,
        "reference": done.reference,
        "used": done.used,
        "error": printable(done.error)[:500],
    }


async def backlog(now: datetime) -> dict[str, float]:
    """Unfinished jobs, and the age in seconds of the oldest that is due: what operations watch."""
    rows = await fetch(
        "SELECT count(*) AS jobs, coalesce(extract(epoch FROM $1 - min(due_at)), 0)::float8 AS age FROM outbox "
        "WHERE finished_at IS NULL AND due_at <= $1",
        now,
    )
    return {"jobs": rows[0]["jobs"], "oldest_seconds": max(0.0, rows[0]["age"])}
