"""Do the engines answer, is the database migrated, is there a community, and does anything wait or lie aside?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg
from redis import asyncio as aioredis

from app.doctor.machine import closed_folders
from app.doctor.platforms import check_platforms
from app.doctor.report import Report, without_password
from app.engines import Engines, engines
from app.settings import Settings
from bot.inbox import utc_now
from bot.outbox import backlog
from domain.clock import SHANGHAI
from domain.community import list_staff
from domain.deadlines import unwatched
from domain.worktime import unknown_years
from errors import SettingsError
from models.database import database, fetch, parse_url
from models.migrations import __path__ as migrations_path

_PATIENCE = 5.0  # seconds an engine may take to answer
_OLDEST_POSTGRESQL, _OLDEST_REDIS = 15, 7


async def check_engines(settings: Settings, report: Report) -> None:
    """Start or reach both engines, and look inside the database."""
    if closed_folders(settings) and not (settings.home / "postgres" / "PG_VERSION").exists():
        report.note("the embedded PostgreSQL was not tried: it would change the rights of the folders named above")
        return
    try:
        with engines(settings.home, settings.database_url, settings.redis_url) as started:
            with report.guarded("Redis"):
                await _redis(started.redis_url, report)
            with report.guarded("PostgreSQL"):
                if await _postgresql(started, report):
                    async with database(started.database_url, 2):
                        await _community(report)
                        await _working_days(report)
                        await _queues(report)
                        await check_platforms(settings, report)
                        await _watch(report)
    except SettingsError as error:
        report.wrong(error.detail, "mend what the message names")


async def _redis(url: str, report: Report) -> None:
    try:
        async with aioredis.from_url(url, socket_connect_timeout=_PATIENCE, socket_timeout=_PATIENCE) as client:
            info = await client.info("server")
    except (aioredis.RedisError, OSError, ValueError) as error:
        report.wrong(
            f"{without_password(url)} does not answer ({type(error).__name__})",
            "start it, or mend LINLI_REDIS_URL (redis://host:6379/0); empty = an embedded Valkey",
        )
        return
    name = "Valkey" if "valkey_version" in info else "Redis"
    number = str(info.get("valkey_version") or info["redis_version"])
    if int(number.split(".", 1)[0]) < _OLDEST_REDIS:
        report.wrong(f"{name} {number}", f"Linli needs {_OLDEST_REDIS} or newer")
    else:
        report.ok(f"{name} {number} answers")


async def _postgresql(started: Engines, report: Report) -> bool:
    """Version and migrations; False when the database cannot be used yet."""
    try:
        async with _connected(started.database_url) as connection:
            number = int(await connection.fetchval("SHOW server_version_num")) // 10_000
            applied = await _applied(connection)
    except asyncpg.InvalidCatalogNameError:
        report.note(
            "PostgreSQL answers; the database does not exist yet", "`linli migrate` makes it (`linli run` does so too)"
        )
        return False
    except (asyncpg.PostgresError, OSError, TimeoutError, ValueError) as error:
        report.wrong(
            f"{without_password(started.database_url)} cannot be opened ({type(error).__name__}: {str(error)[:120]})",
            "start it, or mend LINLI_DATABASE_URL (postgresql://user:password@host:5432/linli; empty = embedded)",
        )
        return False
    if number < _OLDEST_POSTGRESQL:
        report.wrong(f"PostgreSQL {number}", f"Linli needs {_OLDEST_POSTGRESQL} or newer")
        return False
    report.ok(f"PostgreSQL {number} answers")
    return _migrated(applied, report)


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(**parse_url(url), timeout=_PATIENCE, command_timeout=_PATIENCE)
    try:
        yield connection
    finally:
        await connection.close()


async def _applied(connection: asyncpg.Connection) -> set[str]:
    if await connection.fetchval("SELECT to_regclass('tortoise_migrations')") is None:
        return set()
    return {row["name"] for row in await connection.fetch("SELECT name FROM tortoise_migrations")}


def _migrated(applied: set[str], report: Report) -> bool:
    written = {path.stem for folder in migrations_path for path in Path(folder).glob("[0-9]*.py")}
    if missing := sorted(written - applied):
        report.note(f"migrations not applied: {', '.join(missing)}", "`linli migrate` (`linli run` does so too)")
    elif newer := sorted(applied - written):
        report.wrong(f"the database is newer than this Linli: {', '.join(newer)}", "install the newer version again")
    else:
        report.ok(f"{len(written)} migrations applied")
        return True
    return False


async def _community(report: Report) -> None:
    """Is there anybody to give a case to?"""
    rows = await fetch(
        "SELECT (SELECT count(*) FROM area WHERE level = 'community') AS communities, "
        "count(*) AS grids, (SELECT count(*) FROM duty) AS duties, count(*) FILTER (WHERE NOT EXISTS ("
        "SELECT 1 FROM staff s WHERE s.area_id = g.id AND s.active AND s.role = 'grid_worker')) AS unstaffed "
        "FROM area g WHERE g.level = 'grid'"
    )
    found, staff = rows[0], await list_staff()
    if not found["grids"]:
        report.note(
            "no community is set up",
            "`linli demo` loads the demo community; your own: docs/how-to.md, “Set up a community”",
        )
        return
    report.ok(
        f"{found['communities']} communities, {found['grids']} grids, {len(staff)} staff, {found['duties']} duties"
    )
    if found["unstaffed"]:
        report.note(f"{found['unstaffed']} grids have no grid worker", "their cases go to the community's staff")
    bound = sum(person.bound for person in staff)
    if bound:
        report.ok(f"{bound} of {len(staff)} staff have bound their WeChat")
    else:
        report.note(
            "no member of staff has bound their WeChat: nobody is told of a new case", "`linli staff --code 工号`"
        )


async def _working_days(report: Report) -> None:
    """Does anybody know when people work?"""
    unknown = await unknown_years(utc_now().astimezone(SHANGHAI).date())
    for year in unknown:
        report.note(
            f"working days of {year} are not known: Monday to Friday but 1/1, 1–2/5, 1–3/10 are taken, without 调休",
            "once they are announced: a newer chinesecalendar (`make .venv/.installed`), or enter them with "
            "`linli import` (special_days)",
        )
    if not unknown:
        report.ok("working days of the next two months are known")


async def _queues(report: Report) -> None:
    """What waits, and what went wrong on the way."""
    waiting = await backlog(utc_now())
    age = timedelta(seconds=int(waiting["oldest_seconds"]))
    if age > timedelta(minutes=5):
        report.note(
            f"{waiting['jobs']} outgoing jobs are due, the oldest for {age}",
            "is a worker running (`linli worker` or `linli run`)?",
        )
    else:
        report.ok(f"{waiting['jobs']} outgoing jobs wait")
    counts = (
        await fetch(
            "SELECT (SELECT count(*) FROM outbox WHERE state = 'undelivered') AS undelivered, "
            "(SELECT count(*) FROM outbox WHERE state = 'parked') AS parked, "
            "(SELECT count(*) FROM inbox WHERE state IN ('failed', 'parked')) AS failed"
        )
    )[0]
    if counts["undelivered"] or counts["parked"]:
        report.note(
            f"{counts['undelivered']} notices reached nobody, {counts['parked']} jobs are parked",
            "staff read the reasons with “未送达” in WeChat; see docs/how-to.md",
        )
    if counts["failed"]:
        report.note(f"{counts['failed']} messages could not be handled", "the log says why; they are tried five times")


async def _watch(report: Report) -> None:
    """Are deadlines looked at?"""
    now = utc_now()
    cases, since = await unwatched(now)
    if since and now - since > timedelta(minutes=10):
        report.note(
            f"{cases} cases wait for the deadline watch, the longest for {str(now - since).split('.')[0]}",
            "is a worker running (`linli worker` or `linli run`)?",
        )
    else:
        report.ok("deadlines are looked at in time")
