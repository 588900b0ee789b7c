"""The aiohttp application: the callback, health, and (when asked for) the simulator."""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web

from app.services import Services, waker
from bot.callback import Callback
from miniapp_api import connectors, open311
from miniapp_api.health import add_routes
from models.database import fetch
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
    add_routes(app, {"database": lambda: fetch("SELECT 1"), "redis": running.redis.ping})
    reopen_within, public_url = timedelta(days=running.settings.reopen_days), running.settings.public_url
    open311.add_routes(app, open311.Open311(running.now, wake, reopen_within, public_url))
    connectors.add_routes(app, connectors.Connectors(running.now, wake, reopen_within))
    if platform is not None:
        app.add_subapp("/simulator", create_app(platform.config, platform=platform))
        app.router.add_get("/", _to_simulator)
    return app


async def _to_simulator(_request: web.Request) -> web.Response:
    raise web.HTTPFound("/simulator")
