"""What web and worker processes share: database, Redis, WeChat client, the bot; opened and closed in one place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
from redis import asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

import nlp
from app.bell import RoomBell
from app.checks import asks_wechat, make_checks
from app.engines import Engines
from app.model_watch import watched_model
from app.rules import watched_rules
from app.settings import Settings
from bot.api import WeChatApi, connect
from bot.config import WeChatConfig
from bot.consents import Results
from bot.delivery import Ladder, service_quota
from bot.inbox import Inbox, utc_now
from bot.limits import DAY, PLATFORM_LIMITS
from bot.logins import Logins
from bot.outbox import Outbox
from bot.transport import Transport
from domain import bell, drawn, publishing, quotas, reach, screening, timing
from domain.background import end
from errors import SettingsError
from handlers import Bot, Policy
from jobs.broadcasts import BROADCASTING, IDLE, Broadcasting
from jobs.erasures import Erasures
from jobs.groups import Groups
from jobs.loops import OutboxLoop, Waker, plan_of, start_scheduler
from jobs.mass import MassSends
from jobs.media import MediaFetcher
from jobs.relay import Relay
from jobs.rooms import RoomWork
from jobs.ticks import Ticks
from jobs.unions import Unions
from jobs.webhooks import Webhooks
from models.database import database
from models.enums import OutboxKind


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a process needs, ready to use."""

    settings: Settings
    wechat: WeChatConfig
    redis: aioredis.Redis
    api: WeChatApi
    miniapp: WeChatApi | None  # the mini-program's; None without one
    logins: Logins
    inbox: Inbox
    session: aiohttp.ClientSession
    bell: RoomBell
    now: Callable[[], datetime]

    @property
    def media(self) -> Path:
        """Where fetched photos are kept."""
        return self.settings.home / "media"

    async def draw(self, name: str) -> bytes:
        """A picture that is drawn when it is sent."""
        return await drawn.draw(name, self.settings.reached_at)

    def outbox(self) -> Outbox:
        """A worker's view of the queue with its handlers."""
        return Outbox(
            {
                OutboxKind.NOTICE: Ladder(self.api, self.wechat, self.media, now=self.now, draw=self.draw),
                OutboxKind.MASS: MassSends(self.api, now=self.now),
                OutboxKind.RESULT: Results(self.now),
                OutboxKind.MEDIA: MediaFetcher(self.api, self.media, self.session, now=self.now),
                OutboxKind.ERASE: Erasures(self.media),
                OutboxKind.GROUP: Groups(self.session, now=self.now, plain_http=self.settings.connector_http),
                OutboxKind.RELAY: Relay(self.api, self.media, now=self.now),
                OutboxKind.UNION: Unions(self.api, now=self.now),
                OutboxKind.ROOM: RoomWork(now=self.now, sure=self.settings.room_sure),
                OutboxKind.CHECK: make_checks(self.settings, self.miniapp, self.now),
                OutboxKind.WEBHOOK: Webhooks(self.session, now=self.now, plain_http=self.settings.connector_http),
            },
            now=self.now,
        )


@asynccontextmanager
async def services(
    settings: Settings, engines: Engines, *, now: Callable[[], datetime] = utc_now
) -> AsyncIterator[Services]:
    """Open everything; close it in reverse order."""
    nlp.prepare()
    wechat = settings.wechat()
    # The client's default silently sends a command up to ten times; what is not idempotent must not be repeated.
    try:
        redis = aioredis.from_url(engines.redis_url, retry=Retry(NoBackoff(), 0), socket_connect_timeout=2)
    except ValueError as error:
        raise SettingsError(f"LINLI_REDIS_URL must look like redis://host:6379/0: {error}") from error
    with (
        timing.use(settings.timing()),
        publishing.use(settings.public_checker()),
        screening.use(asks_wechat(settings)),
        reach.use(service_quota),
        quotas.use(_account(wechat)),
    ):
        async with (
            watched_model(settings.model_path),
            database(engines.database_url, settings.database_pool),
            watched_rules(),
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as session,
        ):
            api, mini = connect(wechat, session, redis), settings.miniapp()
            miniapp = connect(mini, session, redis) if mini else None
            logins = Logins(wechat, mini, Transport(wechat.api_base, session), miniapp)
            reopen_within = timedelta(days=settings.reopen_days)
            bot = Bot(Policy(reopen_within, settings.pressing_joiners, settings.ask_below, miniapp=mini is not None))
            try:
                inbox, room_bell = Inbox(bot.answer, bot.refused), RoomBell(redis)
                with bell.use(room_bell):
                    yield Services(settings, wechat, redis, api, miniapp, logins, inbox, session, room_bell, now)
            finally:
                await redis.aclose()


def _account(wechat: WeChatConfig) -> quotas.Account:
    """What staff are told of the account's daily limits and templates."""

    def a_day(api: str) -> int:
        return next(limit.count for limit in PLATFORM_LIMITS[f"cgi-bin/message/{api}/send"] if limit.seconds == DAY)

    return quotas.Account(
        service=a_day("custom"),
        template=a_day("template"),
        mass=a_day("mass"),
        has_template=bool(wechat.templates),
        subscriptions=sorted({template.template_id for template in wechat.subscriptions.values()}),
    )


@asynccontextmanager
async def worker(running: Services) -> AsyncIterator[OutboxLoop]:
    """The worker's scheduler, and its outbox loop ready to `run`."""
    settings, ticks = running.settings, Ticks(running.redis, running.now)
    scheduler = start_scheduler(
        running.inbox,
        now=running.now,
        silence=timedelta(days=settings.silence_days),
        reopen_within=timedelta(days=settings.reopen_days),
        media=running.media,
        miniapp=running.miniapp is not None,
        unanswered=timedelta(minutes=settings.unanswered_minutes),
        follow_up=timedelta(days=settings.follow_up_days),
        ticks=ticks,
    )
    await ticks.plan(plan_of(scheduler) | {BROADCASTING: IDLE})
    broadcasting = asyncio.create_task(Broadcasting(running.now, waker(running), ticks).run())
    try:
        yield OutboxLoop(running.outbox(), running.redis, ticks)
    finally:
        await end(broadcasting)
        scheduler.shutdown(wait=False)


def waker(running: Services) -> Waker:
    """What the callback calls after each commit."""
    return Waker(running.redis)
