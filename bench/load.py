"""A cheap load generator: keep-alive connections that send bytes made beforehand and keep the answers unread.

It shares two cores with what it measures, so it does as little as it can while the clock runs: no HTTP client, no
decryption, no checks. Those come afterwards.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from time import perf_counter
from typing import cast

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the HTTP status (0 when the connection broke) and the body."""

    status: int
    body: bytes


@dataclass(slots=True)
class Outcome:
    """One timed part: every answer in the order of arrival, and how long it took from first request to last answer."""

    answers: list[Answer] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)  # seconds, from the intended time of sending
    seconds: float = 0.0

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.answers) / self.seconds if self.seconds else 0.0

    def percentile_ms(self, share: float) -> float:
        """The latency that `share` of all messages did not exceed, in milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else 0.0


class Wire(asyncio.Protocol):
    """One keep-alive connection; one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._waiting: asyncio.Future[Answer] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._answer(Answer(0, str(exc or "closed").encode()))

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(b"\r\n\r\n")
        if head < 0:
            return
        length = _LENGTH.search(self._received, 0, head + 2)
        end = head + 4 + (int(length[1]) if length else 0)
        if len(self._received) >= end:
            status, body = int(self._received[9:12]), self._received[head + 4 : end]
            self._received = self._received[end:]
            self._answer(Answer(status, body))

    async def ask(self, request: bytes) -> Answer:
        """Send the bytes and wait for the answer."""
        if self._transport is None:
            return Answer(0, b"closed")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        """Hang up."""
        if self._transport:
            self._transport.close()

    def _answer(self, answer: Answer) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(answer)


@asynccontextmanager
async def connected(port: int, count: int) -> AsyncIterator[list[Wire]]:
    """`count` connections to a port of this machine."""
    loop = asyncio.get_running_loop()
    wires = [(await loop.create_connection(Wire, "127.0.0.1", port))[1] for _ in range(count)]
    try:
        yield wires
    finally:
        for wire in wires:
            wire.close()


async def as_fast_as_it_goes(wires: Sequence[Wire], talks: Iterator[Sequence[bytes]], seconds: float) -> Outcome:
    """Closed loop: each connection sends its next request as soon as it has the answer to the last.

    A talk is what one person says, in order; a talk that was begun is finished, also when time is up.
    """
    outcome = Outcome()
    begin = perf_counter()

    async def drive(wire: Wire) -> None:
        for talk in talks:
            for request in talk:
                outcome.answers.append(await wire.ask(request))
            if perf_counter() - begin >= seconds:
                return

    await asyncio.gather(*(drive(wire) for wire in wires))
    outcome.seconds = perf_counter() - begin
    return outcome


async def at_rate(wires: Sequence[Wire], requests: Iterator[bytes], rate: float, seconds: float) -> Outcome:
    """Open loop: requests arrive at random (Poisson) at `rate` a second, whether or not earlier ones are answered.

    Latency counts from the moment a request was meant to leave, so that a slow server cannot hide its queue.
    """
    outcome = Outcome()
    free: asyncio.LifoQueue[Wire] = asyncio.LifoQueue()
    for wire in wires:
        free.put_nowait(wire)

    async def send(request: bytes, due: float) -> None:
        wire = await free.get()
        outcome.answers.append(await wire.ask(request))
        outcome.latencies.append(perf_counter() - due)
        free.put_nowait(wire)

    random = Random(20261120)
    begin = due = perf_counter()
    async with asyncio.TaskGroup() as sending:
        for request in requests:
            due += random.expovariate(rate)
            if due - begin >= seconds:
                break
            await asyncio.sleep(max(0.0, due - perf_counter()))
            sending.create_task(send(request, due))
    outcome.seconds = perf_counter() - begin
    return outcome
