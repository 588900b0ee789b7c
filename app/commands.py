"""What the commands do that need engines."""

from __future__ import annotations

import os

import structlog
from rich.console import Console
from rich.table import Table

from app.demo import load_demo, settle_homes, settle_rooms
from app.demo_activities import settle_activities
from app.engines import engines
from app.logs import configure_logs
from app.serve import Parts, say_ready, serving
from app.services import services
from app.settings import Settings, load_settings, template_faults, wechat_faults
from bot.inbox import utc_now
from bot.menu import DEFAULT_MENU
from bot.qrcodes import create_grid_qrcode
from domain.administrators import nobody_yet
from domain.audit import anchor, newest_anchors, verify
from domain.binding import issue_code
from domain.community import has_community, list_staff
from domain.console_login import issue_setup
from domain.people import grid_codes, role_name
from errors import SettingsError
from models.database import database, migrate
from models.enums import Role

log = structlog.get_logger(__name__)

#: WeChat waits five seconds for the web process and forgets the answer; a push may come a moment later. Where both
#: share a processor, the web process goes first.
_WORKER_NICENESS = 5


def _settings(*, wechat: bool = False) -> Settings:
    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    if wechat and (faults := wechat_faults(settings) + template_faults(settings)):
        raise SettingsError("; ".join(f"{name} {fault}" for name, fault in faults))
    return settings


async def run_all() -> None:
    """Engines, migrations, demo community (only into an empty database with the simulator on), web and worker."""
    settings = _settings(wechat=True)
    with engines(settings.home, settings.database_url, settings.redis_url) as started:
        applied = await migrate(started.database_url)
        if applied:
            log.info("database migrated", migrations=applied)
        async with database(started.database_url, 2):
            if settings.simulator and not await has_community():
                loaded = await load_demo(simulator=True)
                await settle_rooms(utc_now())
                await settle_homes(utc_now())
                await settle_activities(utc_now())
                log.info("demo community loaded", areas=loaded.areas, staff=loaded.staff, duties=loaded.duties)
        async with serving(settings, started, Parts(web=True, worker=True)) as served:
            page = "/simulator" if settings.simulator else ""
            stopped = say_ready(f"Linli is ready: {served.url}{page}")
            await _print_first_link(settings)
            await stopped.wait()


async def _print_first_link(settings: Settings) -> None:
    """Until somebody is the console's administrator, each start says how one becomes it."""
    if await nobody_yet():
        link = await _console_link(settings, None)
        print(f"The console waits for its first administrator (works once, within a day): {link}", flush=True)


async def _console_link(settings: Settings, staff_id: int | None) -> str:
    secret = await issue_setup(staff_id, "operator", utc_now())
    return f"{settings.reached_at or settings.base_url}/console/setup/{secret}"


async def console_link(number: str) -> None:
    """A link with which one member of staff sets their password for the console; the first administrator's without a
    number."""
    settings = _settings()
    with engines(settings.home, settings.database_url, settings.redis_url) as started:
        async with database(started.database_url, 2):
            rows = await list_staff(number) if number else []
            if not number and not await nobody_yet():
                raise SettingsError("there is an administrator already: name a staff number with --code")
            print("链接一天内有效，用一次，请当面交给本人：")
            print(await _console_link(settings, rows[0].id if rows else None))


async def run_parts(*, web: bool, worker: bool) -> None:
    """One kind of process; the database must be migrated already (`linli migrate`)."""
    settings = _settings(wechat=True)
    if not web:
        os.nice(_WORKER_NICENESS)
    with engines(settings.home, settings.database_url, settings.redis_url) as started:
        async with serving(settings, started, Parts(web=web, worker=worker)) as served:
            stopped = say_ready(f"Linli is ready: {served.url}" if web else "Linli worker is ready")
            await stopped.wait()


async def migrate_only() -> None:
    """Bring the database to the present form."""
    settings = _settings()
    with engines(settings.home, settings.database_url, settings.redis_url) as started:
        applied = await migrate(started.database_url)
    Console().print(f"applied: {', '.join(applied)}" if applied else "nothing to migrate")


async def demo_only() -> None:
    """The demo community, into a migrated database."""
    settings = _settings()
    with engines(settings.home, settings.database_url, settings.redis_url) as started:
        await migrate(started.database_url)
        async with database(started.database_url, 2):
            loaded = await load_demo(simulator=settings.simulator)
            await settle_rooms(utc_now())
            await settle_homes(utc_now())
            await settle_activities(utc_now())
    Console().print(f"added: {loaded.areas} areas, {loaded.staff} staff, {loaded.duties} duties")


async def staff_codes(wanted: str) -> None:
    """The list, or a new one-time code for one or for all who are not bound yet."""
    settings = _settings()
    with engines(settings.home, settings.database_url, settings.redis_url) as started:
        async with database(started.database_url, 2):
            rows = await list_staff(wanted)
            if wanted:
                print("绑定码 7 天内有效，用一次。请当面交给本人，本人在公众号里发“绑定 八位数字”。")
                for row in rows:
                    print(row.unit, row.name, row.code, await issue_code(row.id, utc_now()))
                return
            table = Table("编号", "工号", "姓名", "岗位", "区域或部门", "微信")
            for row in rows:
                bound = "已绑定" if row.bound else "未绑定"
                table.add_row(str(row.id), row.code, row.name, role_name(Role(row.role)), row.unit, bound)
            Console().print(table)


async def furnish() -> None:
    """Menu and grid codes of the real account."""
    settings = _settings(wechat=True)
    with engines(settings.home, settings.database_url, settings.redis_url) as started:
        async with services(settings, started) as running:
            await running.api.create_menu(DEFAULT_MENU)
            table = Table("网格", "二维码")
            for code in await grid_codes():
                made = await create_grid_qrcode(running.api, code)
                table.add_row(code, running.api.qrcode_url(made.ticket))
            Console().print("menu created", table)


async def verify_audit() -> bool:
    """Say whether the audit trail is what was written."""
    settings = _settings()
    with engines(settings.home, settings.database_url, settings.redis_url) as started:
        async with database(started.database_url, 2):
            found = await verify()
    print(f"{found.rows} rows, {found.chains} chains, {found.anchors} anchors")
    print(f"NOT WELL: {found.fault}" if found.fault else "all is well")
    return not found.fault


async def anchor_audit() -> None:
    """Make what anchor is missing and print the newest ten."""
    settings = _settings()
    with engines(settings.home, settings.database_url, settings.redis_url) as started:
        async with database(started.database_url, 2):
            await anchor(utc_now())
            for made in await newest_anchors(10):
                print(f"{made.day} {made.rows} rows, last {made.last_id}: {made.digest}")
