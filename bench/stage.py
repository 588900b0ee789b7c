"""What a benchmark of the callback stands on: a database of its own with a town in it, the processes, WeChat's API."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

import asyncpg
from aiohttp import web

from bench.pushes import AES_KEY, APPID, TOKEN
from errors import LinliError
from models.database import migrate, parse_url

_ROOT = Path(__file__).resolve().parent.parent
_START = 60.0  # seconds a process may take until it is ready
_STOP = 15.0

COMMUNITIES, GRIDS = 40, 25
"""Communities of the town, and grids in each: a thousand grids, about a large district."""


class BenchFailed(LinliError):
    """The run is worth nothing: something was answered wrongly, or lost."""

    code = "bench_failed"
    default_say = ""


# The town stands beside the demo community, in its street. Everybody has written to the account today, so that the
# 48 hours for service messages are open, as they are for staff who look at their tasks each morning.
_TOWN = f"""
WITH street AS (SELECT id, code FROM area WHERE level = 'street' ORDER BY code LIMIT 1),
communities AS (
    INSERT INTO area (parent_id, level, name, code, duty_phone, gas_phone)
    SELECT street.id, 'community', '第' || n || '社区', street.code || (100 + n), '027-5550' || (1000 + n), '027-5559'
    FROM street, generate_series(1, {COMMUNITIES}) AS n RETURNING id, code
), grids AS (
    INSERT INTO area (parent_id, level, name, code, duty_phone, gas_phone)
    SELECT id, 'grid', '第' || n || '网格', code || (100 + n), '', ''
    FROM communities, generate_series(1, {GRIDS}) AS n RETURNING id
), posts AS (SELECT id, 'grid_worker' AS role FROM grids UNION ALL SELECT id, 'community_staff' FROM communities),
people AS (
    INSERT INTO staff (name, role, area_id, phone, openid, active)
    SELECT '员' || id, role, id, '', 'oBenchStaff' || lpad(id::text, 17, '0'), true FROM posts RETURNING openid
)
INSERT INTO conversation (openid, state, data, last_message_at, updated_at)
SELECT openid, '', '{{}}', now(), now() FROM people
"""  # noqa: S608 - two numbers of ours

_RESIDENTS = """
WITH grids AS (SELECT id, row_number() OVER () - 1 AS place FROM area WHERE level = 'grid' AND name LIKE '第%' AND
    code > (SELECT code FROM area WHERE level = 'street' ORDER BY code LIMIT 1) || '101'),
people AS (
    INSERT INTO resident (openid, grid_id, created_at)
    SELECT 'oBenchResident' || lpad(n::text, 14, '0'), grids.id, now()
    FROM generate_series(1, $1::int) AS n JOIN grids ON grids.place = n % (SELECT count(*) FROM grids) RETURNING openid
)
INSERT INTO conversation (openid, state, data, last_message_at, updated_at)
SELECT openid, '', '{}', now(), now() FROM people
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the engines are, and a folder for what the processes leave."""

    database_url: str
    redis_url: str
    folder: Path


@asynccontextmanager
async def own_database(place: Place) -> AsyncIterator[Place]:
    """A new, migrated database on the same server; dropped afterwards."""
    name = f"linli_bench_{uuid4().hex[:8]}"
    target = parse_url(place.database_url)
    url = place.database_url.replace(f"/{target['database']}", f"/{name}", 1)
    try:
        await migrate(url)
        yield Place(url, place.redis_url, place.folder)
    finally:
        admin = await asyncpg.connect(**target | {"database": "postgres"})
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await admin.close()


async def settle(db: asyncpg.Connection, residents: int) -> list[str]:
    """Let the town's staff and residents move in; gives the residents' openids."""
    await db.execute(_TOWN)
    await db.execute(_RESIDENTS, residents)
    # Not the empty tables: the planner would take them for small for ever, and read them from end to end.
    await db.execute("VACUUM ANALYZE area, staff, duty, resident, conversation")
    rows = await db.fetch("SELECT openid FROM resident WHERE openid LIKE 'oBenchResident%' ORDER BY md5(openid)")
    return [row["openid"] for row in rows]


@asynccontextmanager
async def process(place: Place, name: str, *command: str, **environment: str) -> AsyncIterator[int]:
    """A Python process of this project, from its first line of output until the end of the context; gives its id."""
    log = place.folder / f"{name}.log"
    with log.open("wb") as errors:
        started = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *command,
            cwd=place.folder,  # no .env of the operator's is in here
            env=_clean_environment() | {"PYTHONPATH": str(_ROOT)} | environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    try:
        async with asyncio.timeout(_START):
            ready = await started.stdout.readline() if started.stdout else b""
        if not ready:
            raise BenchFailed(f"{name} did not start: {log.read_text(errors='replace')[-2000:]}")
        yield started.pid
    finally:
        if started.returncode is None:
            started.terminate()
            try:
                await asyncio.wait_for(started.wait(), _STOP)
            except TimeoutError:
                started.kill()
                await started.wait()


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("LINLI_")}


def settings(place: Place, port: int, api_port: int, pool: int) -> dict[str, str]:
    """What web and worker are told."""
    fields = '{"number":"character_string1","subject":"thing2","status":"phrase3","time":"time4","note":"thing5"}'
    return {
        "LINLI_HOME": str(place.folder),
        "LINLI_PORT": str(port),
        "LINLI_DATABASE_URL": place.database_url,
        "LINLI_DATABASE_POOL": str(pool),
        "LINLI_REDIS_URL": place.redis_url,
        "LINLI_LOG_LEVEL": "warning",
        "LINLI_WECHAT_APPID": APPID,
        "LINLI_WECHAT_SECRET": "benchsecret",
        "LINLI_WECHAT_TOKEN": TOKEN,
        "LINLI_WECHAT_AES_KEY": AES_KEY,
        "LINLI_WECHAT_MODE": "safe",
        "LINLI_WECHAT_API_BASE": f"http://127.0.0.1:{api_port}",
        "LINLI_WECHAT_TEMPLATE": f'{{"id":"bench_template","fields":{fields}}}',
    }


class WeChatStandIn:
    """WeChat's API as far as the worker needs it: gives a token, takes every message. Counts what it took."""

    token: ClassVar[bytes] = b'{"access_token":"bench_access_token","expires_in":7200}'
    taken: ClassVar[bytes] = b'{"errcode":0,"errmsg":"ok","msgid":1}'

    def __init__(self) -> None:
        self.messages = 0

    async def answer(self, request: web.Request) -> web.Response:
        """Any call."""
        if request.path == "/cgi-bin/stable_token":
            return web.Response(body=self.token, content_type="application/json")
        self.messages += 1
        return web.Response(body=self.taken, content_type="application/json")


@asynccontextmanager
async def wechat(instead: WeChatStandIn | None = None) -> AsyncIterator[tuple[int, WeChatStandIn]]:
    """WeChat's API on a free port."""
    stand_in = instead or WeChatStandIn()
    app = web.Application()
    app.router.add_post("/{path:.*}", stand_in.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield port, stand_in
    finally:
        await runner.cleanup()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def resident_megabytes(pid: int) -> float:
    """Memory a process holds in RAM; 0 where the system does not say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    facts: Mapping[str, str] = dict(line.split(":", 1) for line in lines if ":" in line)
    return round(int(facts["VmRSS"].split()[0]) / 1024, 1)
