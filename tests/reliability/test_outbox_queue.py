"""The worker's queue: leases, late finishers, order, backoff, poison. The handlers here are the tests' own."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from bot.outbox import BACKOFF, CLAIM_LOCK, GIVE_UP, LEASE, MAX_CLAIMS, MAX_TRIES, Done, Job, Outbox, TryLater, sent
from models.database import fetch, is_away, transaction
from models.enums import OutboxKind, OutboxState
from tests.town import Clock

pytestmark = pytest.mark.usefixtures("orm")
End = Callable[[Job, Done], None]

_ENQUEUE = """
INSERT INTO outbox
    (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error, created_at)
VALUES ('notice', 'pending', $1, jsonb_build_object('text', $2::text), 0, 0, $3, '', '', 0, '', $3)
"""


async def enqueue(clock: Clock, recipient: str, count: int = 1) -> None:
    """Put notices into the queue, as the domain does."""
    for number in range(count):
        await fetch(_ENQUEUE, recipient, f"{recipient}-{number}", clock())


async def jobs(**wanted: str) -> list[dict[str, Any]]:
    """All jobs in order, or those of one recipient."""
    rows = await fetch("SELECT * FROM outbox ORDER BY id")
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


class Worker:
    """A worker whose sends are written down; `fails` may raise for a job."""

    def __init__(self, clock: Clock, name: str = "a", fails: Callable[[Job], None] = lambda job: None) -> None:
        self.sent: list[str] = []
        self._name, self._fails = name, fails
        self.may_go = asyncio.Event()
        self.may_go.set()
        self.began = asyncio.Event()
        self.outbox = Outbox({OutboxKind.NOTICE: self._handle}, now=clock)

    async def _handle(self, batch: Sequence[Job], end: End) -> None:
        self.began.set()
        for job in batch:
            await self.may_go.wait()
            self._fails(job)
            self.sent.append(str(job.payload["text"]))
            end(job, Done(OutboxState.SENT, self._name))

    async def run(self) -> int:
        return await self.outbox.run_once()


def _raise(error: Exception) -> Callable[[Job], None]:
    def fails(_job: Job) -> None:
        raise error

    return fails


async def test_what_a_killed_worker_held_is_claimed_again_after_its_lease(clock: Clock) -> None:
    await enqueue(clock, "o_a", 3)
    dead, alive = Worker(clock), Worker(clock, "b")
    assert len(await dead.outbox.claim()) == 3
    assert await alive.run() == 0
    clock.advance(LEASE - timedelta(seconds=1))
    assert await alive.run() == 0
    clock.advance(timedelta(seconds=2))
    assert await alive.run() == 3
    assert alive.sent == ["o_a-0", "o_a-1", "o_a-2"]
    assert [(job["state"], job["channel"]) for job in await jobs()] == [("sent", "b")] * 3


@pytest.mark.parametrize("ends", ["finishes", "gives back"])
async def test_a_worker_that_wakes_up_late_changes_nothing(clock: Clock, ends: str) -> None:
    await enqueue(clock, "o_a")
    failing = _raise(TryLater("late", timedelta(hours=5))) if ends == "gives back" else (lambda job: None)
    late, quick = Worker(clock, "late", failing), Worker(clock, "quick")
    late.may_go.clear()
    asleep = asyncio.create_task(late.run())
    await late.began.wait()
    clock.advance(LEASE + timedelta(seconds=1))
    assert await quick.run() == 1
    before = await jobs()
    late.may_go.set()
    await asleep
    assert await jobs() == before
    assert before[0]["channel"] == "quick"


async def test_a_late_worker_cannot_end_what_another_still_does(clock: Clock) -> None:
    await enqueue(clock, "o_a")
    late, second, third = (Worker(clock, name) for name in ("late", "second", "third"))
    for worker in (late, second):
        worker.may_go.clear()
    asleep = [asyncio.create_task(late.run())]
    await late.began.wait()
    clock.advance(LEASE + timedelta(seconds=1))
    asleep.append(asyncio.create_task(second.run()))
    await second.began.wait()
    late.may_go.set()
    await asleep[0]
    assert [(job["state"], job["attempt"]) for job in await jobs()] == [("leased", 2)]
    assert await third.run() == 0
    second.may_go.set()
    await asleep[1]
    assert (await jobs())[0]["channel"] == "second"


async def test_two_workers_share_the_work_without_repeating_or_reordering(clock: Clock) -> None:
    seed = random.Random(7)
    await asyncio.gather(*(enqueue(clock, f"o_{number}", 12) for number in range(15)))
    trouble = {f"o_{seed.randrange(15)}-{seed.randrange(12)}": seed.choice((1, 2)) for _ in range(30)}
    order: list[tuple[str, int]] = []

    def fails(job: Job) -> None:
        name = str(job.payload["text"])
        if trouble.get(name, 0) > 0:
            trouble[name] -= 1
            raise TryLater("busy") if len(name) % 2 else RuntimeError("broken")
        order.append((job.recipient, job.id))

    workers = [Outbox({OutboxKind.NOTICE: Worker(clock, fails=fails)._handle}, now=clock, batch=7) for _ in range(2)]
    while any(job["finished_at"] is None for job in await jobs()):
        await asyncio.gather(*(worker.run_once() for worker in workers for _ in range(2)))
        clock.advance(timedelta(seconds=1))
    assert len(order) == len(set(order)) == 15 * 12
    by_recipient = defaultdict(list)
    for recipient, number in order:
        by_recipient[recipient].append(number)
    assert all(numbers == sorted(numbers) for numbers in by_recipient.values())


async def test_pauses_grow_and_poison_is_parked_with_its_reason(clock: Clock) -> None:
    await enqueue(clock, "o_bad", 2)
    await enqueue(clock, "o_good")

    def fails(job: Job) -> None:
        if job.payload["text"] == "o_bad-0":
            raise ValueError("no such \x00 thing \ud800")

    worker = Worker(clock, fails=fails)
    pauses = []
    for tries in range(1, MAX_TRIES):
        await worker.run()
        poison, behind = await jobs(recipient="o_bad")
        assert (poison["state"], poison["tries"], behind["tries"]) == ("pending", tries, 0)
        pauses.append(poison["due_at"] - clock())
        assert await worker.run() == 0  # neither it nor what waits behind it
        clock.advance(pauses[-1])
    assert worker.sent == ["o_good-0"]
    assert all(pause * 0.79 < seen < pause * 1.21 for pause, seen in zip(BACKOFF, pauses, strict=True))
    await worker.run()
    await worker.run()
    poison, behind = await jobs(recipient="o_bad")
    assert (poison["state"], behind["state"]) == ("parked", "sent")
    assert poison["error"] == f"试了 {MAX_TRIES} 次没有发出：ValueError: no such  thing "


async def test_jobs_behind_a_failing_one_get_all_their_own_tries(clock: Clock) -> None:
    await enqueue(clock, "o_a", 4)
    tried: dict[str, int] = defaultdict(int)

    def fails(job: Job) -> None:
        tried[str(job.payload["text"])] += 1
        raise RuntimeError("away")

    worker = Worker(clock, fails=fails)
    while any(job["finished_at"] is None for job in await jobs()):
        await worker.run()
        clock.advance(timedelta(minutes=30))
    assert dict(tried) == {f"o_a-{number}": MAX_TRIES for number in range(4)}
    assert {job["error"] for job in await jobs()} == {f"试了 {MAX_TRIES} 次没有发出：RuntimeError: away"}


async def test_what_wechat_puts_off_waits_a_day_and_no_longer(clock: Clock) -> None:
    await enqueue(clock, "o_a")
    worker = Worker(clock, fails=_raise(TryLater("今天的调用次数已用完", timedelta(hours=1))))
    rounds = 0
    while (await jobs())[0]["finished_at"] is None:
        rounds += await worker.run()
        clock.advance(timedelta(hours=1))
    assert rounds == GIVE_UP // timedelta(hours=1) + 2
    assert (await jobs())[0]["error"] == "等了一天没有发出：今天的调用次数已用完"


async def test_a_job_that_kills_its_worker_is_parked_in_the_end(clock: Clock) -> None:
    await enqueue(clock, "o_a")
    worker = Worker(clock)
    for _ in range(MAX_CLAIMS):
        assert len(await worker.outbox.claim()) == 1
        clock.advance(LEASE + timedelta(seconds=1))
    assert await worker.run() == 1
    assert (worker.sent, (await jobs())[0]["state"]) == ([], "parked")
    assert "反复中断" in (await jobs())[0]["error"]


async def test_an_unwritable_end_of_one_recipient_leaves_the_others_sent(clock: Clock) -> None:
    await enqueue(clock, "o_a")
    await enqueue(clock, "o_b", 2)

    async def handle(batch: Sequence[Job], end: End) -> None:
        for job in batch:
            end(job, sent("x" * 99 if job.recipient == "o_a" else "test"))  # longer than the column

    outbox = Outbox({OutboxKind.NOTICE: handle}, now=clock)
    with pytest.raises(Exception, match="value too long"):
        await outbox.run_once()
    assert [job["state"] for job in await jobs()] == ["leased", "sent", "sent"]


async def test_a_worker_frozen_in_the_middle_of_a_claim_holds_up_the_others_for_seconds_only(clock: Clock) -> None:
    await enqueue(clock, "o_a")
    claimed, thaws = asyncio.Event(), asyncio.Event()

    async def freeze() -> None:
        async with transaction():  # as a claim does, and then nothing more
            await fetch("SELECT pg_advisory_xact_lock($1)", CLAIM_LOCK)
            await fetch("UPDATE outbox SET state = 'leased'")
            claimed.set()
            await thaws.wait()

    frozen = asyncio.create_task(freeze())
    await claimed.wait()
    worker = Worker(clock)
    async with asyncio.timeout(30):
        assert await worker.run() == 1
    thaws.set()
    with pytest.raises(Exception) as broken:  # noqa: PT011 - any error that means “gone” will do
        await frozen
    assert is_away(broken.value)
    assert worker.sent == ["o_a-0"]
    assert [job["state"] for job in await jobs()] == ["sent"]
