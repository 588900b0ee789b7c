"""The simulator as an aiohttp application: the page at its root, the account's API under `/wechat`."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Final

from aiohttp import web

from simulator.api import WeChatApi
from simulator.config import SimulatorConfig
from simulator.page import Page
from simulator.platform import Platform

PLATFORM: Final = web.AppKey("PLATFORM", Platform)
"""Where an application keeps its platform."""


def create_app(
    config: SimulatorConfig,
    *,
    platform: Platform | None = None,
    now: Callable[[], datetime] | None = None,
) -> web.Application:
    """A simulator to be served alone or mounted, e.g. `app.add_subapp("/simulator", create_app(config))`.

    A platform given from outside is used as it is and not closed; otherwise the application opens one of its
    own, at `app[PLATFORM]`, and closes it.
    """
    app = web.Application()
    if platform is None:
        platform = Platform(config, now=now) if now else Platform(config)
        app.cleanup_ctx.append(_run_platform)
    app[PLATFORM] = platform
    app.on_shutdown.append(_end_streams)
    api, page = WeChatApi(platform), Page(platform)
    app.router.add_route("*", "/wechat/{path:.+}", api.handle)
    page.add_routes(app.router)
    platform.robot.add_routes(app.router)
    return app


async def _run_platform(app: web.Application) -> AsyncIterator[None]:
    async with app[PLATFORM]:
        yield


async def _end_streams(app: web.Application) -> None:
    """Live pages and hanging calls would hold up the server's shutdown."""
    app[PLATFORM].closing.set()
    app[PLATFORM].feed.close()
