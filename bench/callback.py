"""`linli bench callback`: how many reports a second one web process takes, and how long a resident waits.

The headline is a full durable report in one message: an emergency with its place. The process verifies and decrypts
it, stores it, understands it, makes the case with timeline, audit rows and two notices in the outbox, commits with
fsync, and answers encrypted. Nothing is mocked but WeChat's own servers. Load generator, web process, worker and the
engines share the machine. Every answer is read afterwards, and the database is counted: a run in which one
acknowledged message has no case fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import islice
from time import perf_counter
from typing import Any

import asyncpg

from bench import stage
from bench.load import Outcome, as_fast_as_it_goes, at_rate, connected
from bench.pushes import Account, account
from bench.stage import BenchFailed, Place
from models.database import parse_url

CONNECTIONS = 32
"""HTTP connections of the closed loop; WeChat's own number is not known."""
POOL = 16
"""Database connections of the web process (the setting's default), and of the row-commit limit."""
MOST_A_SECOND = 2_500
"""Messages made beforehand for each second of a part; a part that runs out of them ends early."""
_DRAIN = 20.0  # seconds the queue may take to run empty after the load has ended
_NUMBER = "编号"

_COUNTS = """
SELECT (SELECT count(*) FROM inbox WHERE state = 'done' AND reply IS NOT NULL) AS messages,
       (SELECT count(*) FROM inbox WHERE state <> 'done') AS failed,
       (SELECT count(*) FROM cases) AS cases, (SELECT count(DISTINCT message_id) FROM cases) AS caused,
       (SELECT count(*) FROM audit_event WHERE tag = 'case:report') AS audited,
       (SELECT count(*) FROM outbox) AS jobs
"""


@dataclass(slots=True)
class Queue:
    """The outbox as it was seen while the load ran: (seconds since the begin, unfinished jobs)."""

    seen: list[tuple[float, int]] = field(default_factory=list)
    drained: float = -1.0  # seconds from the end of the load until the queue was empty; -1 = it never was

    @property
    def growth(self) -> float:
        """Jobs a second by which the queue grew (least squares over the later half: the first fills the pipe)."""
        later = self.seen[len(self.seen) // 2 :]
        middle = sum(at for at, _ in later) / max(1, len(later))
        mean = sum(jobs for _, jobs in later) / max(1, len(later))
        spread = sum((at - middle) ** 2 for at, _ in later)
        return sum((at - middle) * (jobs - mean) for at, jobs in later) / spread if spread else 0.0


@dataclass(slots=True)
class Run:
    """One run of the bench: its account, its database, the residents not used yet, what was acknowledged so far."""

    place: Place
    account: Account
    db: asyncpg.Connection
    residents: Iterator[str]
    seconds: float
    alarms: int = 0
    dialogues: int = 0

    async def throughput(self) -> Outcome:
        """Emergencies, as fast as they are answered."""
        return await self._alarms(self.seconds)

    async def warm_up(self) -> None:
        """Pools opened, statements prepared, caches filled; counted but not timed."""
        await self._alarms(min(1.0, self.seconds))

    async def _alarms(self, seconds: float) -> Outcome:
        talks = list(self.account.alarms(islice(self.residents, int(MOST_A_SECOND * seconds))))
        async with connected(self.account.port, CONNECTIONS) as wires:
            outcome = await as_fast_as_it_goes(wires, iter(talks), seconds)
        self.alarms += self._check(outcome, 1)
        return outcome

    async def dialogue(self) -> Outcome:
        """Ordinary matters: the sentence, then 1."""
        people = islice(self.residents, int(MOST_A_SECOND * self.seconds) // 2)
        talks = list(self.account.dialogues(people))
        async with connected(self.account.port, CONNECTIONS) as wires:
            outcome = await as_fast_as_it_goes(wires, iter(talks), self.seconds)
        self.dialogues += self._check(outcome, 2)
        return outcome

    async def latency(self, rate: float) -> tuple[Outcome, Queue]:
        """Emergencies at `rate` a second, with a worker beside that sends what they leave in the outbox."""
        people = islice(self.residents, int(rate * self.seconds * 1.3) + 50)
        requests = [talk[0] for talk in self.account.alarms(people)]
        queue = Queue()
        async with connected(self.account.port, CONNECTIONS * 4) as wires:
            watch = asyncio.create_task(self._watch(queue))
            outcome = await at_rate(wires, iter(requests), rate, self.seconds)
            watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        self.alarms += self._check(outcome, 1)
        end = perf_counter()
        while perf_counter() - end < _DRAIN and queue.drained < 0:
            if await self._backlog() == 0:
                queue.drained = perf_counter() - end
            await asyncio.sleep(0.1)
        return outcome, queue

    async def _watch(self, queue: Queue) -> None:
        begin = perf_counter()
        while True:
            queue.seen.append((perf_counter() - begin, await self._backlog()))
            await asyncio.sleep(0.2)

    async def _backlog(self) -> int:
        return int(await self.db.fetchval("SELECT count(*) FROM outbox WHERE finished_at IS NULL"))

    async def empty_queue(self) -> None:
        """Forget what the closed loops left for the worker: the next part shows what a queue does that began empty."""
        await self.db.execute("UPDATE outbox SET state = 'sent', finished_at = now() WHERE finished_at IS NULL")

    def _check(self, outcome: Outcome, messages_a_case: int) -> int:
        """Read every answer; gives how many cases were promised. Raises BenchFailed for an answer that is none."""
        bad = [answer for answer in outcome.answers if answer.status != 200]
        if bad:
            raise BenchFailed(f"{len(bad)} of {len(outcome.answers)} not answered with 200, first {bad[0]}")
        texts = [self.account.read(answer.body) for answer in outcome.answers]
        promised = sum(_NUMBER in text for text in texts)
        if promised * messages_a_case != len(texts):
            other = next((text for text in texts if _NUMBER not in text and "要交给" not in text), texts[0])
            raise BenchFailed(f"{promised} case numbers in {len(texts)} answers; one without: {other!r}")
        return promised

    async def count(self) -> dict[str, int]:
        """Compare the database with what was acknowledged. Raises BenchFailed when they differ."""
        found = dict((await self.db.fetch(_COUNTS))[0])
        promised = self.alarms + self.dialogues
        wanted = {
            "messages": self.alarms + 2 * self.dialogues,
            "failed": 0,
            "cases": promised,
            "caused": promised,
            "audited": promised,
            "jobs": 2 * self.alarms + self.dialogues,
        }
        if found != wanted:
            raise BenchFailed(f"acknowledged {wanted}, found in the database {found}")
        return found


async def run(place: Place, seconds: float) -> dict[str, Any]:
    """The whole benchmark over a migrated database with the demo community: figures, peers and ratios."""
    async with AsyncExitStack() as stack:
        db = await asyncpg.connect(**parse_url(place.database_url))
        stack.push_async_callback(db.close)
        api_port, _ = await stack.enter_async_context(stage.wechat())
        port = stage.free_port()
        residents = await stage.settle(db, int(MOST_A_SECOND * (seconds * 2.5 + 1)))
        told = stage.settings(place, port, api_port, POOL)
        web = await stack.enter_async_context(stage.process(place, "web", "app.cli", "web", **told))
        bench = Run(place, account(port), db, iter(residents), seconds)
        await bench.warm_up()
        reports = await bench.throughput()
        talks = await bench.dialogue()
        await bench.empty_queue()
        async with stage.process(place, "worker", "app.cli", "worker", **told):
            rate = reports.per_second / 2
            waited, queue = await bench.latency(rate)
        counted = await bench.count()
        memory = stage.resident_megabytes(web)
    figures = {
        "messages_per_s": round(reports.per_second, 1),
        "dialogue_messages_per_s": round(talks.per_second, 1),
        "half_rate_per_s": round(rate, 1),
        "p50_ms": round(waited.percentile_ms(0.5), 2),
        "p99_ms": round(waited.percentile_ms(0.99), 2),
        "queue_growth_per_s": round(queue.growth, 2),
        "queue_at_end": queue.seen[-1][1],
        "queue_drained_s": round(queue.drained, 2),
        "rss_mb": memory,
        "messages_counted": counted["messages"],
        "cases_counted": counted["cases"],
    }
    peers = {
        "crypto_echo_per_s": round(await _crypto_echo(place, seconds), 1),
        "row_commits_per_s": round(await _row_commits(place, seconds), 1),
    }
    return {"figures": figures, "peers": peers, "ratios": _ratios(reports.per_second, peers)}


def _ratios(rate: float, peers: dict[str, float]) -> dict[str, float]:
    return {f"of_{name.removesuffix('_per_s')}": round(rate / peer, 3) for name, peer in peers.items() if peer}


async def _crypto_echo(place: Place, seconds: float) -> float:
    """The same messages against a server that only opens and seals them."""
    port = stage.free_port()
    echo = account(port)
    talks = list(echo.alarms(f"oBenchEcho{place:018}" for place in range(2_000)))
    async with stage.process(place, "echo", "bench.echo", str(port)), connected(port, CONNECTIONS) as wires:
        await as_fast_as_it_goes(wires, iter(talks), 1.0)
        outcome = await as_fast_as_it_goes(wires, _again(talks), seconds)
    for answer in outcome.answers:
        if answer.status != 200:
            raise BenchFailed(f"the echo answered {answer}")
    echo.read(outcome.answers[-1].body)
    return outcome.per_second


def _again(talks: Sequence[tuple[bytes]]) -> Iterator[tuple[bytes]]:
    while True:
        yield from talks


async def _row_commits(place: Place, seconds: float) -> float:
    """Single rows, each committed by itself over as many connections as the web process has: the engine's limit."""
    done = 0
    async with asyncpg.create_pool(**parse_url(place.database_url), min_size=POOL, max_size=POOL) as pool:
        await pool.execute("CREATE TABLE bench_row (id bigserial PRIMARY KEY, body text NOT NULL)")
        begin = perf_counter()

        async def insert() -> None:
            nonlocal done
            async with pool.acquire() as connection:
                while perf_counter() - begin < seconds:
                    await connection.execute("INSERT INTO bench_row (body) VALUES ($1)", "闻到很浓的煤气味")
                    done += 1

        await asyncio.gather(*(insert() for _ in range(POOL)))
        return done / (perf_counter() - begin)
