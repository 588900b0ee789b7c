"""未诉先办, across kinds: one matter that people of a grid put under several kinds, so that no kind alone stands out.

A concrete plant next door is noise to one, dust to another and a planning question to a third. Reports of a grid are
grouped by what they say (`nlp.clusters`); each group is then tested like a kind at a place is (`domain.hotspots`): the
people of the last `DAYS` days against those of the `WEEKS` weeks before, multiplied by the number of groups looked at.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Any

from domain.figures_counts import plan_for_these_values
from domain.hot_kept import enter_areas, keep_spots, kept_spots, take_area
from domain.hotspots import (
    CHANCE,
    DAYS,
    LEAST,
    VOICES,
    VOICES_OF_FEW,
    WEEKS,
    HotSpot,
    chance_of,
    find_hotspots,
    has_few_places,
)
from domain.people import Person
from models.database import fetch, transaction
from nlp.clusters import group_alike
from nlp.similar import sketch

MOST = 300  # newest reports of a grid that are compared
KINDS = 2  # fewer are a matter of `find_hotspots`

# Reports and joiners of grids where enough people lately spoke of more than one kind; the newest of each grid first.
_BY_GRID = """, said AS (
    SELECT c.id, voices.who, voices.at, c.category, c.subject, c.grid_id, mine.name AS grid, c.place, c.description,
        ceil(extract(epoch FROM $3 - voices.at) / (86400 * $4::int))::int AS week
    FROM voices JOIN cases c ON c.id = voices.id JOIN mine ON mine.id = c.grid_id AND mine.level = 'grid'
    WHERE c.outcome IS DISTINCT FROM 'void'
), busy AS (
    SELECT grid_id FROM said WHERE week <= 1 GROUP BY grid_id
    HAVING count(DISTINCT who) >= $5 AND count(DISTINCT category) >= $6
)
SELECT * FROM (
    SELECT *, row_number() OVER (PARTITION BY grid_id ORDER BY at DESC, id DESC) AS newest
    FROM said WHERE grid_id IN (SELECT grid_id FROM busy)
) ranked WHERE newest <= $7 ORDER BY grid_id, at, id, who
"""
_SAID = VOICES + _BY_GRID
_SAID_OF_FEW = VOICES_OF_FEW + _BY_GRID


async def find_hot_matters(area_id: int, now: datetime, but: Collection[tuple[str, int]] = ()) -> list[HotSpot]:
    """Matters of several kinds that come up far more often than they did; `but`: kinds and grids known to be hot."""
    since = now - timedelta(days=DAYS) - timedelta(weeks=WEEKS)
    values = area_id, since, now, DAYS, LEAST, KINDS, MOST
    few = await has_few_places(area_id)
    async with transaction():
        await plan_for_these_values()
        rows = await (fetch(_SAID_OF_FEW, *values) if few else fetch(_SAID, *values))
    return await asyncio.to_thread(_hot, rows, frozenset(but)) if rows else []


async def all_hotspots(area_id: int, now: datetime) -> list[HotSpot]:
    """Hot spots by kind, then those across kinds: as they were counted lately, or now where nobody has."""
    kept = await kept_spots(area_id, now)
    return kept if kept is not None else await _count(area_id, now)


async def refresh_hotspots(now: datetime) -> int:
    """Count and keep those of areas whose turn it is, the largest first; gives how many areas. Must not run inside a
    transaction: a city takes seconds."""
    await enter_areas()
    counted = 0
    while (area_id := await take_area(now)) is not None:
        await keep_spots(area_id, await _count(area_id, now), now)
        counted += 1
    return counted


async def _count(area_id: int, now: datetime) -> list[HotSpot]:
    found = await find_hotspots(area_id, now)
    return found + await find_hot_matters(area_id, now, {(spot.category, spot.grid_id) for spot in found})


async def hotspots_of(person: Person, now: datetime, limit: int = 5) -> list[HotSpot]:
    """What a member of staff is shown: hot spots of their own area; nothing for residents."""
    return (await all_hotspots(person.post.area_id, now))[:limit] if person.post else []


def _hot(rows: Sequence[dict[str, Any]], but: frozenset[tuple[str, int]]) -> list[HotSpot]:
    groups: list[list[dict[str, Any]]] = []
    for _, of_grid in groupby(rows, key=lambda row: row["grid_id"]):
        said = list(of_grid)
        words = tuple((row["description"], row["place"], row["category"], row["at"]) for row in said)
        groups += ([said[at] for at in group] for group in _alike(words))
    recent = [group for group in groups if any(row["week"] <= 1 for row in group)]
    found = [spot for group in recent if (spot := _tested(group, len(recent), but))]
    return sorted(found, key=lambda spot: (spot.chance, -spot.count, spot.case_ids))


@lru_cache(maxsize=1024)
def _alike(said: tuple[tuple[str, str, str, datetime], ...]) -> list[list[int]]:
    """Which (text, place, kind, time) of a grid are one matter. A grid is asked for with each area it lies in, and
    again in ten minutes, when hardly any has something new."""
    sketches = [sketch(text, place=place, kind=kind) for text, place, kind, _ in said]
    return group_alike(sketches, [at for *_, at in said])


def _tested(group: Sequence[dict[str, Any]], groups: int, but: frozenset[tuple[str, int]]) -> HotSpot | None:
    """The hint a group is worth, if it is."""
    share = DAYS / (DAYS + 7 * WEEKS)
    recent = [row for row in group if row["week"] <= 1]
    people = len({row["who"] for row in recent})
    kinds = Counter(row["category"] for row in recent)
    if people < LEAST or len(kinds) < KINDS or any((kind, group[0]["grid_id"]) in but for kind in kinds):
        return None
    total = len({(row["who"], row["week"]) for row in group})
    chance = chance_of(people, total, share)
    if chance * groups >= CHANCE:
        return None
    kind = max(kinds, key=lambda kind: (kinds[kind], kind))
    last = max((row for row in recent if row["category"] == kind), key=lambda row: int(row["id"]))
    named = Counter(row["place"] for row in recent if row["place"])
    at = f"（{max(named, key=lambda place: (named[place], place))}一带）" if named else ""
    usual = (total - people) * share / (1 - share)
    cases = tuple(sorted({int(row["id"]) for row in recent}))
    return HotSpot(
        kind, f"{last['subject']}等", last["grid_id"], f"{last['grid']}{at}", people, usual, chance, cases, True
    )
