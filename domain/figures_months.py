"""A month's counts, kept by place, so that the front page of a city is read and not counted.

A case that changes marks the months it has milestones in as stale, by appending a row (migration 0004): nobody waits
for anybody. Whoever reads adds up what is kept and counts what is stale; the scheduler's `refresh` counts the stale
ones and keeps them. So what is read always equals a recount; `refresh` only makes it fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from domain.figures_counts import COUNTS, Period, Question, Scope, Tally, count, named, plan_for_these_values
from domain.figures_settings import Settings, in_force
from models.database import fetch, from_json, to_json, transaction

# One refresher at a time: a slower one would write an older count over a newer.
_LOCK = 0x6D6F6E7468

_TAKE_STALE = """
WITH pairs AS (SELECT DISTINCT month, place_id FROM (SELECT month, place_id FROM figure_stale ORDER BY id LIMIT $1) s),
gone AS (DELETE FROM figure_stale f USING pairs p WHERE f.month = p.month AND f.place_id = p.place_id)
SELECT month, array_agg(place_id) AS places FROM pairs GROUP BY month ORDER BY month
"""
_KEEP = """
INSERT INTO figure_month (month, place_id, counts)
SELECT $1, place, counts FROM jsonb_to_recordset($2::jsonb) AS k(place int, counts bigint[])
ON CONFLICT (month, place_id) DO UPDATE SET counts = EXCLUDED.counts
"""

# What is kept of a month, added up by branch, and which of the places are stale and so left out of it. In one
# statement: a place is in the one or in the other. One sum for each of COUNTS.
_KEPT = """
WITH old AS (SELECT DISTINCT place_id FROM figure_stale WHERE month = $1 AND place_id = ANY ($2::int[]))
SELECT coalesce((SELECT array_agg(place_id) FROM old), '{}') AS stale, (
    SELECT jsonb_object_agg(branch, counts) FROM (
        SELECT s.branch, ARRAY[
            sum(k.counts[1]), sum(k.counts[2]), sum(k.counts[3]), sum(k.counts[4]), sum(k.counts[5]),
            sum(k.counts[6]), sum(k.counts[7]), sum(k.counts[8]), sum(k.counts[9]), sum(k.counts[10]),
            sum(k.counts[11]), sum(k.counts[12]), sum(k.counts[13]), sum(k.counts[14]), sum(k.counts[15]),
            sum(k.counts[16]), sum(k.counts[17]), sum(k.counts[18]), sum(k.counts[19]), sum(k.counts[20]),
            sum(k.counts[21]), sum(k.counts[22]), sum(k.counts[23]), sum(k.counts[24]), sum(k.counts[25]),
            sum(k.counts[26]), sum(k.counts[27]), sum(k.counts[28]), sum(k.counts[29]), sum(k.counts[30]),
            sum(k.counts[31]), sum(k.counts[32]), sum(k.counts[33])
        ] AS counts
        FROM unnest($2::int[], $3::int[]) AS s(place, branch)
        JOIN figure_month k ON k.month = $1 AND k.place_id = s.place
        WHERE s.place NOT IN (SELECT place_id FROM old) GROUP BY s.branch
    ) b
) AS kept
"""


async def refresh(limit: int = 5000) -> int:
    """Count what is stale and keep it; gives how many places of months. Must not run inside another transaction."""
    async with transaction():
        if not (await fetch("SELECT pg_try_advisory_xact_lock($1) AS mine", _LOCK))[0]["mine"]:
            return 0
        counted = 0
        for row in await fetch(_TAKE_STALE, limit):
            # A statement of its own: it sees everything that was committed when the stale marks were taken.
            settings = (await in_force(row["month"])).settings
            kept = await _count_places(row["month"], row["places"], settings)
            await fetch(_KEEP, row["month"], to_json(kept))
            counted += len(kept)
        return counted


async def _count_places(month: date, places: Sequence[int], settings: Settings) -> list[dict[str, object]]:
    question = Question(Period.of_month(month), Scope(places, places), "place")
    found = await count(question, settings)
    nothing = [0] * len(COUNTS)
    return [
        {"place": place, "counts": list(found[str(place)].counts.values()) if str(place) in found else nothing}
        for place in places
    ]


async def month_counts(month: date, scope: Scope, settings: Settings) -> dict[int, Tally]:
    """The counts of a month by branch, exclusions not taken off. `settings` are those in force in that month.

    Each place is right at one moment of the call; what a refresh moves meanwhile is neither lost nor counted twice.
    """
    first = month.replace(day=1)
    async with transaction():
        await plan_for_these_values()
        row = (await fetch(_KEPT, first, scope.places, scope.branches))[0]
    found = {int(branch): [counts] for branch, counts in (from_json(row["kept"]) or {}).items()}
    if row["stale"]:
        branch_of = dict(zip(scope.places, scope.branches, strict=True))
        live = Scope(row["stale"], [branch_of[place] for place in row["stale"]])
        for key, tally in (await count(Question(Period.of_month(first), live, "area"), settings)).items():
            found.setdefault(int(key), []).append(list(tally.counts.values()))
    return {branch: Tally(named([sum(column) for column in zip(*rows, strict=True)])) for branch, rows in found.items()}
