"""Running processes: `web`, `worker`, or both with embedded engines (`run`). SIGTERM and Ctrl-C end in good order."""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog
from aiohttp import web

from app.demo import demo_phones, settle_phones
from app.engines import Engines
from app.services import Services, services, worker
from app.settings import Settings
from app.web import build_app
from bot.inbox import utc_now
from bot.menu import DEFAULT_MENU
from bot.qrcodes import create_grid_qrcode
from domain.background import end
from domain.people import grid_codes
from errors import LinliError, SettingsError
from simulator import Platform, SimulatorConfig

log = structlog.get_logger(__name__)

#: Connections the system may hold ready for us: everybody of a room comes back at once when another process has ended.
_BACKLOG = 1024

#: Seconds that requests (the callback's own budget is four), and after them the sends under way, may take once the
#: signal came: together less than the ten seconds after which init systems kill.
_DRAIN = 4.5

#: New objects after which the collector looks for garbage while we serve: Python's own number, often and briefly.
_LOOK_AFTER = 700


@dataclass(frozen=True, slots=True)
class Parts:
    """What this process does."""

    web: bool
    worker: bool


@dataclass(frozen=True, slots=True)
class Served:
    """A running process: its services, its address ("" without a web server), and the simulated platform, if any."""

    services: Services
    url: str
    platform: Platform | None


@asynccontextmanager
async def serving(
    settings: Settings, engines: Engines, parts: Parts, *, now: Callable[[], datetime] = utc_now
) -> AsyncIterator[Served]:
    """Serve until the context ends."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(services(settings, engines, now=now))
        if parts.worker:
            await stack.enter_async_context(_working(running))
        yield await stack.enter_async_context(_listening(running)) if parts.web else Served(running, "", None)


@asynccontextmanager
async def _working(running: Services) -> AsyncIterator[None]:
    async with worker(running) as loop:
        task = asyncio.create_task(loop.run())
        try:
            yield
        finally:
            loop.stop()
            await _finish(task)


async def _finish(task: asyncio.Task[None]) -> None:
    """Wait for the running round; break it off when WeChat does not answer. What it held is claimed again later."""
    done, _ = await asyncio.wait({task}, timeout=_DRAIN)
    if done:
        task.result()
        return
    await end(task)
    log.warning("stopped in the middle of sends; another worker takes them over when their lease ends")


@asynccontextmanager
async def _listening(running: Services) -> AsyncIterator[Served]:
    settings = running.settings
    lift_file_limit()
    async with AsyncExitStack() as stack:
        platform = Platform(simulator_config(running), now=running.now) if settings.simulator else None
        if platform:
            await stack.enter_async_context(platform)
        runner = web.AppRunner(build_app(running, platform=platform), access_log=None, shutdown_timeout=_DRAIN)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        try:
            await web.TCPSite(runner, settings.host, settings.port, reuse_address=True, backlog=_BACKLOG).start()
        except OSError as error:
            raise SettingsError(
                f"cannot listen on {settings.host}:{settings.port} ({error.strerror}): set LINLI_PORT to a free port"
            ) from error
        if platform:
            await furnish_account(running)
            await settle_phones(platform)
        yield Served(running, settings.base_url, platform)


def lift_file_limit() -> int:
    """Let this process open as many sockets as the system permits it; gives how many. The usual thousand is one
    room's."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def simulator_config(running: Services) -> SimulatorConfig:
    """The simulated platform for this process's own account."""
    wechat, settings, miniapp = running.wechat, running.settings, running.settings.miniapp()
    return SimulatorConfig(
        callback_url=f"{settings.base_url}/wechat/callback",
        appid=wechat.appid,
        secret=wechat.secret,
        token=wechat.token,
        aes_key=wechat.aes_key,
        mode=wechat.mode,
        state_file=settings.home / "simulator.json",
        demo=demo_phones(),
        miniapp_appid=miniapp.appid if miniapp else "",
        miniapp_secret=miniapp.secret if miniapp else "",
        miniapp_callback_url=f"{settings.base_url}/wechat/miniapp" if miniapp else "",
        miniapp_token=miniapp.token if miniapp else "",
        miniapp_aes_key=miniapp.aes_key if miniapp else "",
    )


async def furnish_account(running: Services) -> None:
    """Create the account's menu and a QR code for each grid, as an operator does once with a real account."""
    try:
        await running.api.create_menu(DEFAULT_MENU)
        for code in await grid_codes():
            await create_grid_qrcode(running.api, code)
    except LinliError as error:
        log.warning("menu or QR codes not created", detail=error.detail)


def say_ready(sentence: str) -> asyncio.Event:
    """Tell whoever started us that we are there; from then on SIGTERM and SIGINT end nothing by themselves, but set the
    event."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    _keep_what_is_loaded()
    print(sentence, flush=True)
    return stopped


def _keep_what_is_loaded() -> None:
    """What stands in memory by now (modules, word lists) stays: the collector need not look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_LOOK_AFTER)
