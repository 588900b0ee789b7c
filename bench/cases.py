"""`linli bench cases`: how fast staff pages are over a million cases, and how much slower than over ten thousand.

A made-up city (`bench.city`) is built twice in a database of its own, small and large. Each page is asked for through
the domain function a staff page calls, by people of all five levels in turn, with filters, words, cases and months that
rotate. Before the front pages are asked for, some cases are changed, so that part of the month's counts is stale, as it
is in a town that works. `growth` is the worst of the five ratios of the 95th percentiles.

Peers, in the same run: one row by its key through the same pool (what any page costs at least), and counting the
city's month from its rows (what the front page would cost without kept counts).
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import pairwise
from statistics import quantiles
from time import perf_counter
from typing import Any

import asyncpg

from bench.city import NOW, TOLD, City, build
from bench.stage import BenchFailed, Place, own_database
from domain import desk
from domain.desk import Filters, Sort
from domain.figures_months import refresh
from domain.indicators import Period, measure
from domain.people import Person, find_person
from models.database import database, fetch, parse_url
from models.enums import Status

SMALL = 10_000
_LIVE_MONTHS = 20
_CHANGED = 30
_PAGES = ("list", "search", "detail", "overdue", "dashboard")


@dataclass(frozen=True, slots=True)
class Stage:
    """The people who ask, and what they ask about."""

    city: City
    people: Sequence[Person]
    cases: Sequence[int]
    months: Sequence[date]
    chance: random.Random


async def run(place: Place, cases: int, calls: int) -> dict[str, Any]:
    """Build and measure the small city, then the large one, by as many timed calls of each page."""
    small = await _measure_city(place, min(SMALL, cases), calls)
    large = await _measure_city(place, cases, calls)
    growth = {page: round(large[page] / small[page], 2) for page in _PAGES}
    return {
        "figures": {
            **{f"{page}_p95_ms": round(large[page], 2) for page in _PAGES},
            "growth": max(growth.values()),
            **{f"{page}_p95_ms_at_{SMALL // 1000}k": round(small[page], 2) for page in _PAGES},
            "cases": cases,
            "built_s": round(large["built"], 1),
            "counted_s": round(large["counted"], 1),
        },
        "peers": {"one_row_p95_ms": round(large["one_row"], 2), "live_month_p95_ms": round(large["live_month"], 2)},
        "ratios": {
            **{f"{page}_growth": ratio for page, ratio in growth.items()},
            "list_to_one_row": round(large["list"] / large["one_row"], 2),
            "dashboard_to_live_month": round(large["dashboard"] / large["live_month"], 3),
        },
    }


async def _measure_city(place: Place, cases: int, calls: int) -> dict[str, float]:
    async with own_database(place) as own:
        db = await asyncpg.connect(**parse_url(own.database_url))
        started = perf_counter()
        try:
            city = await build(db, cases)
        finally:
            await db.close()
        built = perf_counter() - started
        async with database(own.database_url, 4):
            started = perf_counter()
            while await refresh():
                pass
            await fetch("VACUUM ANALYZE figure_month, figure_stale")
            counted = perf_counter() - started
            stage = await _set(city)
            return {"built": built, "counted": counted, **await _measure(stage, calls)}


async def _set(city: City) -> Stage:
    chance = random.Random(1)
    people: list[Person] = []
    for level, many in (("city", 1), ("district", 1), ("street", 3), ("community", 5), ("grid", 5)):
        rows = await fetch("SELECT code FROM area WHERE level = $1 ORDER BY code", level)
        people += [await find_person(f"oDesk{row['code']}", NOW) for row in chance.sample(rows, many)]
    told = await fetch("SELECT id FROM cases WHERE id % $1::int = 0 ORDER BY md5(id::text) LIMIT 2000", TOLD)
    months = [(date(2026, 11, 1) - timedelta(days=30 * back)).replace(day=1) for back in range(30)]
    return Stage(city, people, [row["id"] for row in told], months, chance)


async def _measure(stage: Stage, calls: int) -> dict[str, float]:
    boss = stage.people[0]
    timed = partial(_timed, calls=calls)
    found = {
        "list": await timed(lambda turn: _list(stage, turn)),
        "search": await timed(lambda turn: _search(stage, turn)),
        "detail": await timed(lambda turn: desk.view_case(boss, stage.cases[turn % len(stage.cases)])),
        "overdue": await timed(lambda turn: desk.overdue(_of(stage, turn), NOW)),
    }
    changed = stage.chance.sample(list(stage.cases), min(_CHANGED, len(stage.cases)))
    await fetch("UPDATE cases SET urged = urged + 1 WHERE id = ANY ($1::bigint[])", changed)
    await fetch("UPDATE cases SET urged = urged + 1 WHERE id IN (SELECT id FROM cases ORDER BY id DESC LIMIT 10)")
    found["dashboard"] = await timed(lambda turn: _dashboard(stage, turn))
    found["one_row"] = await timed(lambda turn: fetch("SELECT * FROM cases WHERE id = $1", turn + 1))
    found["live_month"] = await timed(
        lambda turn: measure(_area(boss), Period.of_month(stage.months[turn % 30])), calls=min(_LIVE_MONTHS, calls)
    )
    return found


async def _timed(call: Callable[[int], Awaitable[object]], *, calls: int) -> float:
    """The 95th percentile in milliseconds, after a sixth as many calls that are not counted."""
    for turn in range(calls // 6):
        await call(turn)
    moments = [perf_counter()]
    for turn in range(calls):
        await call(turn)
        moments.append(perf_counter())
    return 1000 * quantiles([after - before for before, after in pairwise(moments)], n=20, method="inclusive")[18]


def _of(stage: Stage, turn: int) -> Person:
    return stage.people[turn % len(stage.people)]


def _area(person: Person) -> int:
    if person.post is None:
        raise BenchFailed(f"{person.openid} has no post")
    return person.post.area_id


async def _list(stage: Stage, turn: int) -> None:
    """Plain pages half of the time, else one filter; every third goes on to the second page."""
    person = _of(stage, turn)
    month = Period.of_month(stage.months[turn % len(stage.months)])
    units = await fetch("SELECT min(id) AS id FROM department") if turn % 16 == 3 else []
    filters = {
        1: Filters(open=True),
        3: Filters(department_id=units[0]["id"] + turn % 40) if units else Filters(status=Status.DISPOSING),
        5: Filters(status=Status.CLOSED, start=month.start, end=month.end),
        7: Filters(urgent=True),
        9: Filters(category="A"),
        11: Filters(start=month.start, end=month.end),
        13: Filters(holder_id=person.post.id if person.post else None),
        15: Filters(open=True, urgent=True),
    }.get(turn % 16, Filters())
    sort = Sort.DUE if turn % 16 in (1, 2, 15) else Sort.NEWEST
    after = ""
    if turn % 3 == 0:
        after = (await desk.list_cases(person, filters, NOW, sort=sort)).next
    await desk.list_cases(person, filters, NOW, sort=sort, after=after)


async def _search(stage: Stage, turn: int) -> None:
    """A word, two words, or a number."""
    words = stage.city.words
    first, second = words[turn % len(words)], words[(turn * 5 + 2) % len(words)]
    text = {0: first, 1: f"{first} {second}", 2: f"{turn * 83 % stage.city.cases:04}"}[turn % 3]
    page = await desk.search(_of(stage, turn), text, Filters(), NOW)
    if turn == 0 and not page.rows:
        raise BenchFailed(f"nothing found for {text}")


async def _dashboard(stage: Stage, turn: int) -> None:
    person = _of(stage, turn)
    shown = await desk.dashboard(person, _area(person), stage.months[turn % len(stage.months)], NOW)
    if turn == 0 and not shown.total.counts["reported"]:
        raise BenchFailed("the city's month is empty")
