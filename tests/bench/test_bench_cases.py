"""The bench of staff pages: its contract, and a made-up city that is like a real one."""

from __future__ import annotations

from collections import Counter
from datetime import date

import asyncpg
import pytest

from bench.city import NOW, build
from domain import desk
from domain.desk import Filters
from domain.figures_months import refresh
from domain.indicators import Period, measure
from domain.people import find_person
from models.cases import Case
from models.database import database, migrate, parse_url
from models.enums import Status
from tests.bench.conftest import Printed

PAGES = ("list", "search", "detail", "overdue", "dashboard")


@pytest.mark.slow
async def test_the_cases_bench_prints_one_json_object_with_the_promised_figures(printed: Printed):
    result = await printed("cases", "--cases", "2000", "--calls", "12")
    figures, peers, ratios = result["figures"], result["peers"], result["ratios"]
    assert {f"{page}_p95_ms" for page in PAGES} <= figures.keys()
    assert all(figures[f"{page}_p95_ms"] > 0 for page in PAGES)
    assert figures["growth"] == max(ratios[f"{page}_growth"] for page in PAGES)
    assert figures["cases"] == 2000
    assert peers.keys() == {"one_row_p95_ms", "live_month_p95_ms"}


async def test_the_city_is_mostly_closed_legal_in_time_and_found_by_its_words(empty_database: str):
    await migrate(empty_database)
    db = await asyncpg.connect(**parse_url(empty_database))
    try:
        city = await build(db, 3000)
    finally:
        await db.close()
    async with database(empty_database, 4):
        cases = await Case.all()
        assert len(cases) == city.cases == 3000
        counted = Counter(case.status for case in cases)
        assert counted[Status.CLOSED] > 2600
        assert 0 < sum(number for status, number in counted.items() if status.is_open) < 300
        for case in cases:
            order = [case.reported_at, case.accepted_at, case.dispatched_at, case.signed_at, case.disposed_at]
            times = [time for time in (*order, case.verified_at, case.closed_at) if time]
            assert case.status in (Status.REJECTED, Status.WITHDRAWN, Status.MERGED) or times == sorted(times)
            assert max(times) <= NOW
            assert (case.closed_at is None) == case.status.is_open
        boss = await find_person("oDesk4288", NOW)
        assert all([(await desk.search(boss, word, Filters(), NOW)).rows for word in city.words])
        while await refresh():
            pass
        assert boss.post
        shown = await desk.dashboard(boss, boss.post.area_id, date(2026, 10, 1), NOW)
        (line,) = await measure(boss.post.area_id, Period.of_month(date(2026, 10, 1)))
        assert shown.total.counts == line.before.counts
        assert shown.total.counts["closed"] > 50
