"""Part of `linli bench broadcast`: how fast a rule over ages, facts and households finds its people among many."""

from __future__ import annotations

from datetime import date
from time import perf_counter

from bench.stage import BenchFailed
from domain.audiences import list_people
from models.database import fetch

_OFFICER = "J001"
_PAGE = 2_000
_KIND = """
INSERT INTO fact_kind (code, name, type, choices, sensitive, active)
VALUES ('bench_alone', '独居', 'yes', '[]', false, true)
ON CONFLICT (code) DO NOTHING
"""
# Households of four: one very old, one of middle age, two younger; every third household has somebody living alone.
_CROWD = """
WITH homes AS (
    INSERT INTO household (grid_id, building, unit, room, contact, phone, note)
    SELECT (SELECT id FROM area WHERE level = 'grid' ORDER BY id LIMIT 1), (n / 200) || '栋', '', n::text, '', '', ''
    FROM generate_series(1, $1::int) n RETURNING id
)
INSERT INTO household_member (household_id, name, relation, birthday, facts, source, changed_at)
SELECT homes.id, '某' || n, '', date '1930-01-01' + (homes.id * 7 + n * 9000)::int % 34000,
    jsonb_build_object('bench_alone', homes.id % 3 = 0), 'import', now()
FROM homes, generate_series(1, 4) n
"""
_RULE = {"all": [{"age": {"from": 80}}, {"fact": "bench_alone", "is": True}, {"household": {"age": {"to": 40}}}]}


async def look_through(people: int) -> float:
    """People looked at a second, page by page; they are gone afterwards."""
    area_id = (await fetch("SELECT area_id FROM staff WHERE code = $1", _OFFICER))[0]["area_id"]
    await fetch(_KIND)
    await fetch(_CROWD, people // 4)
    await fetch("ANALYZE household, household_member")
    began, after, found = perf_counter(), 0, 0
    while page := await list_people(_RULE, area_id, date(2026, 11, 20), after=after, limit=_PAGE):
        after, found = page[-1].order, found + len(page)
    took = perf_counter() - began
    await fetch("DELETE FROM household_member")
    await fetch("DELETE FROM household")
    if not found:
        raise BenchFailed("the rule finds nobody")
    return people / took
