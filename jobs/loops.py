"""The worker's loops: drain the outbox as soon as there is work, try failed messages again, tick the scheduler.

PostgreSQL holds the work; the Redis wake-up only saves waiting. Without Redis the loop looks once a second.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger
from redis import asyncio as aioredis
from redis.exceptions import RedisError

from bot.inbox import Inbox
from bot.outbox import Outbox
from domain import booking_rounds
from domain.activity_desk import note_held
from domain.application_watch import forget_forms, remind_applicants, watch_applications
from domain.assists import watch_assists
from domain.audit import anchor
from domain.background import end
from domain.checking import leave_to_staff
from domain.contacts import forget_contacts
from domain.deadlines import watch, watch_answers
from domain.desk_search import index_missing
from domain.figures_months import refresh
from domain.follow_ups import ask_due
from domain.hints import push_hints
from domain.hot_matters import refresh_hotspots
from domain.idempotency import forget_answers
from domain.linking import ask_unions
from domain.mass_calls import settle
from domain.positions import coarsen
from domain.rating import close_silent
from domain.relay import forget_lines
from domain.review_rounds import tell_staff
from domain.room_digests import make_digests
from domain.room_questions import gather_questions
from domain.second_try import once_more
from domain.slot_making import make_slots
from domain.survey_results import close_due
from domain.uploads import drop_unused
from domain.volunteers import credit
from domain.waiting import refill
from jobs.ticks import Ticks

log = structlog.get_logger(__name__)

WAKE_CHANNEL = "linli:wake"
#: What the outbox's rounds are called among regular work.
OUTBOX = "send what waits"
_POLL = 1.0  # seconds between looks when nobody wakes us
_PAUSE_AFTER_ERROR = 2.0
#: What a ring over Redis may end with. The last: our own end closed the client while the ring was on its way.
REDIS_GONE = (RedisError, OSError, AttributeError)


class Waker:
    """Tells the workers that a transaction with outgoing jobs has committed; at most once per 20 ms."""

    def __init__(self, redis: aioredis.Redis) -> None:
        self._redis = redis
        self._task: asyncio.Task[None] | None = None

    async def __call__(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._publish())

    async def _publish(self) -> None:
        await asyncio.sleep(0.02)  # gathers what commits together
        with contextlib.suppress(*REDIS_GONE):  # the loop looks by itself every second
            await self._redis.publish(WAKE_CHANNEL, b"1")


class OutboxLoop:
    """Runs one worker's outbox until cancelled. A round in progress is finished first."""

    def __init__(self, outbox: Outbox, redis: aioredis.Redis, ticks: Ticks) -> None:
        self._outbox = outbox
        self._redis = redis
        self._ticks = ticks
        self._woken = asyncio.Event()
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Work until `stop`."""
        listener = asyncio.create_task(self._listen())
        try:
            while not self._stop.is_set():
                self._woken.clear()
                if not await self._round():
                    await self._wait()
        finally:
            await end(listener)

    def stop(self) -> None:
        """Finish the running round, then return from `run`."""
        self._stop.set()
        self._woken.set()

    async def _round(self) -> int:
        began = perf_counter()
        try:
            sent = await self._outbox.run_once()
        except Exception as error:
            log.exception("outbox round failed")
            await self._ticks.failed(OUTBOX, error)
            await asyncio.sleep(_PAUSE_AFTER_ERROR)
            return 0
        await self._ticks.done(OUTBOX, perf_counter() - began)
        return sent

    async def _wait(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), _POLL)

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as channel:
                    await channel.subscribe(WAKE_CHANNEL)
                    async for _ in channel.listen():
                        self._woken.set()
            except (RedisError, OSError):
                await asyncio.sleep(_PAUSE_AFTER_ERROR)


def start_scheduler(
    inbox: Inbox,
    *,
    now: Callable[[], datetime],
    silence: timedelta,
    reopen_within: timedelta = timedelta(days=15),
    media: Path = Path("var/media"),
    miniapp: bool = False,
    unanswered: timedelta = timedelta(minutes=15),
    follow_up: timedelta = timedelta(days=28),
    ticks: Ticks | None = None,
) -> AsyncIOScheduler:
    """Periodic work, in every worker. A job only looks for what is due and takes it under its row's lock: a missed tick
    loses nothing, a second scheduler repeats nothing, and no leader has to be found when one is gone."""
    scheduler = AsyncIOScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 300}
    )

    def every(seconds: int, job: Callable[[], Awaitable[object]], name: str) -> None:
        scheduler.add_job(_guarded(job, name, ticks), IntervalTrigger(seconds=seconds), id=name)

    every(5, lambda: inbox.retry_failed(now()), "retry failed messages")
    every(60, lambda: watch(now(), limit=1000), "watch deadlines")
    every(60, lambda: watch_answers(now()), "watch answers to supervisions")
    every(60, lambda: watch_assists(now()), "watch assist tasks")
    every(60, lambda: refill(now()), "give waiting cases to who is free")
    every(30, refresh, "count stale months")
    every(10, index_missing, "cut words for search")
    every(300, lambda: close_silent(now() - silence, now()), "close silent cases")
    every(60, lambda: refresh_hotspots(now()), "count hot spots")
    every(300, lambda: push_hints(now()), "tell of hot spots")
    every(3600, lambda: forget_answers(now()), "forget answers kept for repeated requests")
    every(3600, lambda: forget_contacts(now() - reopen_within), "forget numbers of people told by telephone")
    every(3600, lambda: coarsen(now() - reopen_within), "forget exact places of what is over")
    if miniapp:
        every(60, lambda: ask_unions(now()), "ask who followers are in the mini-program")
    every(3600, lambda: drop_unused(media, now()), "forget files nobody used")
    every(3600, lambda: anchor(now()), "anchor the audit trail")
    _look_after_services(every, now, follow_up)
    _look_after_rooms(every, now, unanswered)
    scheduler.start()
    return scheduler


Every = Callable[[int, Callable[[], Awaitable[object]], str], None]
"""Every so many seconds this job, under this name."""


def _look_after_services(every: Every, now: Callable[[], datetime], follow_up: timedelta) -> None:
    """Applications, bookings, activities, mass sends, surveys."""
    every(300, lambda: watch_applications(now()), "watch ends of applications")
    every(300, lambda: remind_applicants(now()), "remind who must add something to an application")
    every(3600, lambda: forget_forms(now()), "forget forms left half filled in")
    every(300, lambda: credit(now()), "credit volunteer time")
    every(300, lambda: note_held(now()), "note activities that are over")
    every(60, lambda: make_slots(now()), "make slots of bookings ahead")
    every(60, lambda: booking_rounds.remind(now()), "remind of bookings")
    every(60, lambda: booking_rounds.end_waiting(now()), "end waiting lists of what has begun")
    every(300, lambda: booking_rounds.settle(now()), "settle who came to what was booked")
    every(3600, lambda: booking_rounds.forget_names(now()), "forget names in old bookings")
    every(60, lambda: settle(now()), "end mass sends whose job was put aside")
    every(60, lambda: close_due(now()), "end surveys and votes that are over")
    every(300, lambda: ask_due(now(), follow_up), "ask whether solved matters are still well")


def _look_after_rooms(every: Every, now: Callable[[], datetime], unanswered: timedelta) -> None:
    """What is said in rooms of grids and waits for somebody."""
    every(3600, lambda: forget_lines(now()), "forget numbers of lines told in chat")
    every(60, lambda: leave_to_staff(now()), "give staff what no check has answered")
    every(60, lambda: tell_staff(now()), "tell staff what waits in rooms")
    every(60, lambda: gather_questions(now(), unanswered), "tell workers what nobody in a room has answered")
    every(300, lambda: make_digests(now()), "make digests of rooms")


def _guarded(job: Callable[[], Awaitable[object]], name: str, ticks: Ticks | None) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        began = perf_counter()
        try:
            if done := await once_more(job):
                log.info(name, done=done)
        except Exception as error:
            log.exception("periodic job failed", job=name)
            if ticks:
                await ticks.failed(name, error)
        else:
            if ticks:
                await ticks.done(name, perf_counter() - began)

    return run


def plan_of(scheduler: AsyncIOScheduler) -> dict[str, float]:
    """What a worker does regularly: name → seconds."""
    return {job.id: job.trigger.interval.total_seconds() for job in scheduler.get_jobs()} | {OUTBOX: _POLL}
