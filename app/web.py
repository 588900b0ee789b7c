"""The aiohttp application: the callback, health, and (when asked for) the simulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from functools import partial

from aiohttp import web

from app.back_office import Back
from app.checks import make_push
from app.presence import RedisPresence
from app.services import Services, waker
from bot.callback import Callback
from bot.limits import Limit, RateLimits
from console.app import create_console
from console.frame import Office
from console.live import Live
from domain import tokens
from domain.background import end
from errors import TooMany, Unavailable
from miniapp_api import certificate_page, open311, room_page
from miniapp_api.addresses import client_of
from miniapp_api.api import create_api
from miniapp_api.frames import Writer
from miniapp_api.health import add_routes
from miniapp_api.hub import Hub
from miniapp_api.hub_rounds import Rounds
from miniapp_api.kernel import Desk
from miniapp_api.limits import RateLimits as ApiLimits
from models.database import fetch, is_passing
from simulator import Platform, create_app

#: A little above the largest upload the simulator takes; the callback itself reads 64 KiB at most.
_MAX_REQUEST = 16 * 1024 * 1024


def build_app(running: Services, *, platform: Platform | None = None) -> web.Application:
    """All routes of one web process, in one visible place."""
    app = web.Application(client_max_size=_MAX_REQUEST)
    wake = waker(running)
    callback = Callback(running.wechat, running.inbox, now=running.now, wake=wake)
    app.router.add_get("/wechat/callback", callback.verify)
    app.router.add_post("/wechat/callback", callback.receive)
    if push := make_push(running.settings, wake, running.now):
        app.router.add_get("/wechat/miniapp", push.verify)
        app.router.add_post("/wechat/miniapp", push.receive)
    add_routes(app, {"database": lambda: fetch("SELECT 1"), "redis": running.redis.ping})
    reopen_within, public_url = timedelta(days=running.settings.reopen_days), running.settings.public_url
    throttle, proxies = _open311_throttle(running), running.settings.proxies()
    open311.add_routes(app, open311.Open311(running.now, wake, reopen_within, throttle, public_url, proxies))
    hub, live = Hub(Writer()), Live(running.now)
    app.cleanup_ctx.append(lambda _app: _open_lines_run(running, hub, live))
    app.on_shutdown.append(lambda _app: hub.close_all())
    app.on_shutdown.append(lambda _app: live.close())
    given = desk(running, hub)
    app.add_subapp("/api/v1", create_api(given))
    certificate_page.add_routes(app, given)
    room_page.add_routes(app, running.settings.reached_at)
    app.add_subapp("/console", create_console(office(running, live)))
    if platform is not None:
        app.add_subapp("/simulator", create_app(platform.config, platform=platform))
        app.router.add_get("/", _to_simulator)
    return app


def desk(running: Services, hub: Hub | None = None) -> Desk:
    """What the endpoints of the API work with."""
    settings = running.settings
    return Desk(
        now=running.now,
        wake=waker(running),
        find_token=tokens.find_token,
        limit=ApiLimits(running.redis, running.now).take,
        away=is_passing,
        key=settings.signing_key(),
        media=running.media,
        proxies=settings.proxies(),
        reopen_within=timedelta(days=settings.reopen_days),
        logins=running.logins,
        hub=hub or Hub(Writer()),
        public_url=settings.reached_at,
        ask_below=settings.ask_below,
        pressing_joiners=settings.pressing_joiners,
    )


def office(running: Services, live: Live) -> Office:
    """What the pages of the console work with."""
    settings = running.settings
    proxies = settings.proxies()
    return Office(
        now=running.now,
        wake=waker(running),
        find_session=partial(tokens.find_token, console=True),
        limit=ApiLimits(running.redis, running.now).take,
        away=is_passing,
        key=settings.signing_key(),
        logins=running.logins,
        address_of=lambda request: client_of(request, proxies),
        media=running.media,
        back=Back(settings, running.api, running.session, running.redis, running.now),
        live=live,
        public_url=settings.reached_at,
        pressing_joiners=settings.pressing_joiners,
        map_tiles=settings.map_tiles,
        map_datum=settings.map_datum,
        reopen_within=timedelta(days=settings.reopen_days),
    )


async def _open_lines_run(running: Services, hub: Hub, live: Live) -> AsyncIterator[None]:
    """While the process serves, sockets and open pages hear the bell, and go their rounds."""

    def ring(room_id: int) -> None:
        hub.ring(room_id)
        live.ring_room(room_id)

    hearing = asyncio.create_task(running.bell.listen(ring, hub.read_moved, live.ring))
    looking = asyncio.create_task(live.run())
    try:
        async with Rounds(hub, RedisPresence(running.redis, running.now), running.now).running():
            yield
    finally:
        await end(looking)
        await end(hearing)


def _open311_throttle(running: Services) -> Callable[[str, str], Awaitable[None]]:
    """Counts the open interface's requests of an address or a key over all web processes."""
    settings = running.settings
    most = {"address": settings.open311_per_minute, "key": settings.open311_key_per_minute}
    limits = RateLimits(
        running.redis,
        "open311",
        {kind: (Limit(count, 60),) for kind, count in most.items()},
        now=lambda: running.now().timestamp(),
    )

    async def throttle(kind: str, who: str) -> None:
        try:
            await limits.take(kind, who)
        except Unavailable as error:
            say = f"more than {most[kind]} requests a minute: try again later" + _HINT[kind]
            raise TooMany(error.detail, say=say, retry_after=error.data["retry_after"]) from error

    return throttle


_HINT = {"address": ", or ask for an api_key", "key": ""}


async def _to_simulator(_request: web.Request) -> web.Response:
    raise web.HTTPFound("/simulator")
