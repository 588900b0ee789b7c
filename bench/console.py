"""`linli bench console`: how soon staff pages begin to arrive over a million cases, and what they weigh.

One web process over the made-up city of `bench.city`; people of all five levels with sessions of their own ask for the
work desk, the list with filters, single cases, the map, dashboards of many months, their later parts and the screen,
one request after the other. The clock runs until the first byte of the answer. Before, some cases are changed, so that
part of the month's counts is stale, as it is in a town that works. Weight is what crosses the wire: the page and every
file it names, compressed where the server does so, without the chart library.

Peers, in the same run and process: the person's own account page (what any page costs: session, limits, template), and
`/healthz` (what any answer costs).
"""

from __future__ import annotations

import random
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from statistics import quantiles
from time import perf_counter
from typing import Any

import aiohttp
import asyncpg

from bench import stage
from bench.city import TOLD, build
from bench.stage import BenchFailed, Place, own_database
from domain.console_login import begin_session
from domain.figures_months import refresh
from domain.hot_matters import refresh_hotspots
from models.database import database, fetch, parse_url

_PART_CALLS = 28  # of the parts that are counted when they are asked for
_CHANGED = 30
_CHARTS = "echarts.min.js"
_LISTS = (
    *("", "state=all&sort=newest", "late=1", "urgent=1", "state=closed&sort=newest", "kind=A", "words=路灯"),
    *("state=disposing", "words=东湖花园 漏水&state=all", "state=all&since=2026-10-01&until=2026-10-31&sort=newest"),
)
_WEIGHED = ("desk", "list", "case", "dashboard", "map")
_PARTS = ("days", "categories", "times", "heat", "hotspots", "grids", "units")
#: Whom pages are asked for by: how many of each level.
_LEVELS = (("city", 1), ("district", 1), ("street", 3), ("community", 4), ("grid", 4))


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody who is signed in."""

    session: str
    area_id: int


@dataclass(slots=True)
class Asked:
    """What the requests of one page took (seconds to the first byte), and the heaviest of its answers."""

    ways: list[float] = field(default_factory=list)
    bytes: int = 0

    @property
    def p95_ms(self) -> float:
        """The 95th percentile in milliseconds."""
        return round(1000 * quantiles(self.ways, n=20, method="inclusive")[18], 2)


@dataclass(slots=True)
class Browser:
    """Asks for pages and weighs them; every file is fetched once."""

    http: aiohttp.ClientSession
    url: str
    files: dict[str, int] = field(default_factory=dict)

    async def ask(self, path: str, seat: Seat | None, proof: str) -> tuple[float, int]:
        """(seconds to the first byte, bytes with all files but the charts). Raises BenchFailed for a wrong answer."""
        cookies = {"Cookie": f"linli_console={seat.session}"} if seat else {}
        begin = perf_counter()
        async with self.http.get(f"{self.url}{path}", headers=cookies, allow_redirects=False) as answer:
            took = perf_counter() - begin
            body = await answer.read()
        page = body.decode(errors="replace")
        if answer.status != 200 or proof not in page:
            raise BenchFailed(f"{path} answered {answer.status} without {proof!r}: {page[:300]}")
        names = set(re.findall(r'(?:src|href)="(/console/static/[^"]+)"', page))
        return took, len(body) + sum([await self._weigh(name) for name in names if not name.endswith(_CHARTS)])

    async def _weigh(self, name: str) -> int:
        if name not in self.files:
            async with self.http.get(f"{self.url}{name}", headers={"Accept-Encoding": "gzip"}) as answer:
                self.files[name] = len(await answer.read())
        return self.files[name]


@asynccontextmanager
async def _browser(url: str) -> AsyncIterator[Browser]:
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(cookie_jar=jar, auto_decompress=False, requote_redirect_url=False) as http:
        yield Browser(http, url)


async def run(place: Place, cases: int, calls: int) -> dict[str, Any]:
    """Build the city, serve it, ask for its pages: `calls` timed requests of each, a sixth as many before them."""
    async with own_database(place) as own:
        db = await asyncpg.connect(**parse_url(own.database_url))
        try:
            await build(db, cases)
        finally:
            await db.close()
        async with database(own.database_url, 4):
            while await refresh():
                pass
            await fetch("VACUUM ANALYZE figure_month, figure_stale")
            await refresh_hotspots(datetime.now(UTC))  # as a worker does each ten minutes
            seats = await _sit_down()
            rows = await fetch("SELECT id FROM cases WHERE id % $1::int = 0 ORDER BY md5(id::text) LIMIT 2000", TOLD)
            told = [row["id"] for row in rows]
            await fetch("UPDATE cases SET urged = urged + 1 WHERE id = ANY ($1::bigint[])", told[:_CHANGED])
        port = stage.free_port()
        environment = stage.settings(own, port, 1, 16)
        async with (
            stage.process(own, "web", "app.cli", "web", **environment),
            _browser(f"http://127.0.0.1:{port}") as browser,
        ):
            return _result(await _measure(browser, seats, told, calls), cases)


async def _sit_down() -> list[Seat]:
    """People of every level, signed in by the clock the web process goes by."""
    chance, now, seats = random.Random(1), datetime.now(UTC), list[Seat]()
    for level, many in _LEVELS:
        rows = await fetch(
            "SELECT s.id, s.area_id FROM staff s JOIN area a ON a.id = s.area_id WHERE a.level = $1 ORDER BY a.code",
            level,
        )
        for row in chance.sample(rows, many):
            seats.append(Seat(await begin_session(row["id"], now, "bench"), row["area_id"]))
    return seats


async def _measure(browser: Browser, seats: Sequence[Seat], told: Sequence[int], calls: int) -> dict[str, Asked]:
    months = [(date(2026, 11, 1) - timedelta(days=30 * back)).strftime("%Y-%m") for back in range(30)]
    boss = seats[0]

    async def timed(many: int, path: Callable[[int], str], proof: str, *, by: Seat | None = None) -> Asked:
        asked = Asked()
        for turn in range(-(many // 6), many):
            took, size = await browser.ask(path(turn), by or seats[turn % len(seats)], proof)
            if turn >= 0:
                asked.ways.append(took)
                asked.bytes = max(asked.bytes, size)
        return asked

    def listed(turn: int) -> str:
        return f"/console/cases?{_LISTS[turn % len(_LISTS)]}"

    def part(turn: int) -> str:
        return f"/console/dashboards/{_PARTS[turn % len(_PARTS)]}?month={months[turn % 3]}"

    return {
        "desk": await timed(calls, lambda _: "/console/", "<h1>"),
        "list": await timed(calls, listed, "<h1>"),
        "case": await timed(calls, lambda turn: f"/console/cases/{told[turn % len(told)]}", "<h1>", by=boss),
        "dashboard": await timed(calls, lambda turn: f"/console/dashboards?month={months[turn % 30]}", "data-chart="),
        "dashboard_of_the_city": await timed(
            calls // 4, lambda turn: f"/console/dashboards?month={months[turn % 30]}", "data-chart=", by=boss
        ),
        "part": await timed(min(_PART_CALLS, calls), part, "<h1>"),
        "part_of_the_city": await timed(min(_PART_CALLS, calls), part, "<h1>", by=boss),
        "map": await timed(calls, lambda turn: f"/console/map{('', '?pace=overdue')[turn % 2]}", "<h1>"),
        "screen": await timed(calls // 4, lambda _: "/console/screen/figures", "今天上报"),
        "account": await timed(calls, lambda _: "/console/account", "<h1>"),
        "healthz": await timed(calls, lambda _: "/healthz", "ok"),
    }


def _result(asked: dict[str, Asked], cases: int) -> dict[str, Any]:
    peers = ("account", "healthz")
    pages = [name for name in asked if name not in peers]
    return {
        "figures": {
            **{f"{name}_first_byte_p95_ms": asked[name].p95_ms for name in pages},
            **{f"{name}_kb": round(asked[name].bytes / 1000, 1) for name in _WEIGHED},
            "cases": cases,
        },
        "peers": {f"{name}_first_byte_p95_ms": asked[name].p95_ms for name in peers},
        "ratios": {f"{name}_to_account": round(asked[name].p95_ms / asked["account"].p95_ms, 2) for name in pages},
    }
