"""A broadcast whose workers are killed with calls in flight, small: `linli bench broadcast` sends it to 100,000."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from app.engines import Engines
from bench.broadcast import PARALLEL, run
from bench.stage import Place

PEOPLE, KILLS = 1_000, 2


@pytest.mark.slow
async def test_nobody_has_it_twice_and_the_report_says_what_the_platform_saw(
    started_engines: Engines, database_url: str, tmp_path: Path
) -> None:
    place = Place(database_url, started_engines.redis_url, tmp_path)
    # Leases of the dead end at once; a wrong state of one person, or one copy too many, fails the run.
    figures = (await run(place, PEOPLE, KILLS, timedelta()))["figures"]
    assert (figures["kills"], figures["doubled"], figures["report_equals_simulator"]) == (KILLS, 0, True)
    assert figures["sent"] + figures["unsure"] == PEOPLE
    assert figures["unsure"] <= KILLS * PARALLEL
