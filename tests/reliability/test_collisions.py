"""Two who wait for each other in a circle: PostgreSQL breaks off one of them. Whoever asked for that one's work gets
its answer all the same, and it is done once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, TypeVar

import aiohttp
import asyncpg
import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.inbox import Inbox
from bot.messages import Reply
from bot.outbox import Done, Job, Outbox, sent
from bot.router import Turn
from domain.people import find_person
from errors import LinliError
from jobs.loops import start_scheduler
from models.bookings import Booking
from models.cases import Case
from models.database import fetch, once_more, parse_url, transaction
from models.enums import OutboxKind, Purpose
from models.people import Absence, Staff
from tests.api.caller import Caller, token_of_resident
from tests.api.newcomer import agree
from tests.console.conftest import Desk, sit_down
from tests.domain.counter import make_plan, make_slot
from tests.reliability.test_outbox_queue import enqueue, jobs
from tests.town import CHEN, Clock, Town
from tests.waiting import locked_out

pytestmark = pytest.mark.usefixtures("impatient")
T = TypeVar("T")


@pytest.fixture
async def impatient(admin: asyncpg.Connection, database_url: str) -> None:
    """PostgreSQL looks for circles at once, not after a second."""
    await admin.execute(f"ALTER DATABASE {parse_url(database_url)['database']} SET deadlock_timeout = '10ms'")


class Rival:
    """Somebody who holds what another takes second, and wants what that one takes first."""

    def __init__(self, gate: asyncpg.Connection, rival: asyncpg.Connection) -> None:
        self._gate, self._rival = gate, rival

    async def cross(self, first: str, then: str, work: Coroutine[Any, Any, T], *, again: bool = True) -> T:
        """Let `work` take the row that `first` locks, and be broken off as it waits for that of `then`; gives what
        became of it. `again`: it comes back for the first row, which the rival has by now."""
        gate, rival = self._gate.transaction(), self._rival.transaction()
        await gate.start()
        await self._gate.execute(first)
        await rival.start()
        await self._rival.execute(then)
        under_way = asyncio.create_task(work)
        await locked_out(self._gate, 1)
        wanted = asyncio.create_task(self._rival.execute(first))  # stands behind it in the queue
        await locked_out(self._gate, 2)
        await gate.rollback()
        await asyncio.wait_for(wanted, 60)
        if again:
            await locked_out(self._gate, 1)
        await rival.rollback()
        return await under_way


@pytest.fixture
async def rival(database_url: str) -> AsyncIterator[Rival]:
    """More patient than whom it meets."""
    patient = {"deadlock_timeout": "10min"}
    async with AsyncExitStack() as stack:
        both = [await asyncpg.connect(**parse_url(database_url), server_settings=patient) for _ in range(2)]
        for one in both:
            stack.push_async_callback(one.close)
        yield Rival(*both)


async def test_a_message_is_answered_and_its_case_made_once(town: Town, rival: Rival) -> None:
    await town.say(CHEN, "3栋楼道灯坏了")
    talk = f"SELECT FROM conversation WHERE openid = '{CHEN}' FOR UPDATE"
    me = f"SELECT FROM resident WHERE openid = '{CHEN}' FOR UPDATE"
    assert "已交给" in await rival.cross(talk, me, town.say(CHEN, "1"))
    assert await Case.all().count() == 1
    assert await fetch("SELECT state, tries FROM inbox WHERE state <> 'done' OR tries > 1") == []


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "k1"}])
async def test_a_request_is_answered_and_done_once(town: Town, rival: Rival, key: dict[str, str]) -> None:
    resident = (await find_person(CHEN, town.clock())).resident_id
    slot = await make_slot(await make_plan(), town.clock() + timedelta(days=1))
    me = f"SELECT FROM resident WHERE id = {resident} FOR UPDATE"
    seats = f"SELECT FROM slot WHERE id = {slot.id} FOR UPDATE"
    async with aiohttp.ClientSession() as session:
        caller = Caller(session, f"{town.url}/api/v1", await token_of_resident(town, CHEN))
        await agree(caller, Purpose.SERVICE)
        made = await rival.cross(me, seats, caller.post(f"/slots/{slot.id}/bookings", {}, headers=key))
    assert (made.status, made.json["state"]) == (201, "booked")
    assert await Booking.filter(slot_id=slot.id).count() == 1


async def test_a_form_is_answered_and_done_once(town: Town, rival: Rival) -> None:
    await Absence.all().delete()
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        desk = Desk(session, town.url)
        wang = await sit_down(town, desk, "王芳")
        await desk.open("/account/leave")
        me = f"SELECT FROM staff WHERE id = {wang.id} FOR UPDATE"
        deputy = f"SELECT FROM staff WHERE id = {(await Staff.get(name='刘洋')).id} FOR UPDATE"
        leave = desk.send("/account/leave", first="2026-11-20", last="2026-11-22", deputy="刘洋")
        assert "由网格员刘洋代" in await rival.cross(me, deputy, leave)
    assert await Absence.all().count() == 1


async def _nobody(_turn: Turn, _error: LinliError | None = None) -> Reply | None:
    return None


async def test_a_periodic_job_is_done_in_the_same_round(orm: None, rival: Rival, clock: Clock) -> None:
    row = "INSERT INTO idempotent_request (actor, key, digest, body, created_at) VALUES ($1, '', '', '', $2)"
    for actor in ("a", "b"):
        await fetch(row, actor, clock() - timedelta(days=2))
    one, other = (f"SELECT FROM idempotent_request WHERE actor = '{actor}' FOR UPDATE" for actor in ("a", "b"))
    scheduler: AsyncIOScheduler = start_scheduler(Inbox(_nobody, _nobody), now=clock, silence=timedelta(days=7))
    try:
        await rival.cross(one, other, scheduler.get_job("forget answers kept for repeated requests").func())
    finally:
        scheduler.shutdown(wait=False)
    assert await fetch("SELECT actor FROM idempotent_request") == []


async def test_what_was_sent_is_noted_and_goes_out_once(orm: None, rival: Rival, clock: Clock) -> None:
    calls = []

    async def send(batch: Sequence[Job], end: Any) -> None:
        for job in batch:
            calls.append(job.id)
            end(job, Done(sent("kf").state, "kf"))

    await enqueue(clock, "o_one", 2)
    worker = Outbox({OutboxKind.NOTICE: send}, now=clock)
    claimed = await worker.claim()
    first, second = (f"SELECT FROM outbox WHERE id = {job.id} FOR UPDATE" for job in claimed)
    await rival.cross(first, second, worker._do(list(claimed)))
    clock.advance(timedelta(hours=1))
    assert await worker.run_once() == 0
    assert (len(calls), {job["state"] for job in await jobs()}) == (2, {"sent"})


async def test_what_was_committed_in_part_is_not_begun_again(orm: None, rival: Rival, clock: Clock) -> None:
    await enqueue(clock, "o_one", 2)
    held = [f"SELECT FROM outbox WHERE id = {job['id']} FOR UPDATE" for job in await jobs()]

    async def in_two_parts() -> None:
        await enqueue(clock, "o_other")
        async with transaction():
            for one in held:
                await fetch(one)

    with pytest.raises(asyncpg.DeadlockDetectedError):
        await rival.cross(*held, once_more(in_two_parts), again=False)
    assert len(await jobs(recipient="o_other")) == 1
