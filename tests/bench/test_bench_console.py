"""The bench of the console's pages: its contract, and that a wrong answer is no figure."""

from __future__ import annotations

import aiohttp
import pytest

from bench.console import Asked, Browser, Seat
from bench.stage import BenchFailed
from tests.bench.conftest import Printed
from tests.town import Town

PAGES = ("desk", "list", "case", "dashboard", "dashboard_of_the_city", "part", "part_of_the_city", "map", "screen")


@pytest.mark.slow
async def test_the_console_bench_prints_one_json_object_with_the_promised_figures(printed: Printed):
    result = await printed("console", "--cases", "1000", "--calls", "12")
    figures, peers = result["figures"], result["peers"]
    assert all(figures[f"{page}_first_byte_p95_ms"] > 0 for page in PAGES)
    assert all(0 < figures[f"{page}_kb"] < 300 for page in ("desk", "list", "case", "dashboard", "map"))
    assert figures["cases"] == 1000
    assert peers.keys() == {"account_first_byte_p95_ms", "healthz_first_byte_p95_ms"}
    assert result["ratios"].keys() == {f"{page}_to_account" for page in PAGES}


async def test_a_page_that_is_not_the_one_asked_for_fails_the_bench(town: Town):
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False) as http:
        browser = Browser(http, town.url)
        with pytest.raises(BenchFailed, match="answered 303"):
            await browser.ask("/console/dashboards", Seat("no such session", 1), "data-chart=")
        with pytest.raises(BenchFailed, match="without"):
            await browser.ask("/console/login", None, "data-chart=")
        took, size = await browser.ask("/console/login", None, "工号和密码")
    assert took > 0
    assert size > 10_000, "its styles and scripts are weighed too"
    assert {name.rsplit("/", 1)[1] for name in browser.files} >= {"console.css", "htmx.min.js"}


def test_the_slowest_twentieth_of_the_ways_decides():
    assert Asked([0.001] * 90 + [1.0] * 10).p95_ms == 1000
    assert Asked([0.001] * 97 + [1.0] * 3).p95_ms == 1
