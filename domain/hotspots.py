"""未诉先办: where a kind of matter has lately come up far more often than it used to at the same place.

Method: for each kind and place the count of the last `DAYS` days is compared with the count of the `WEEKS` weeks before
by the exact conditional test of two Poisson rates (Przyborowski and Wilenski 1940): if both periods had one rate, then
of n reports in all the recent ones are binomial with p = recent days / all days, and the tail from the observed count
on is the probability of so many by chance. It is multiplied by the number of pairs looked at (Bonferroni), and at
least `LEAST` reports are asked for, so that two in a quiet corner are no alarm.

Counted are people: one resident once a kind, grid and week, joiners (我也遇到) among them. Assumption: they come
independently and, but for the change looked for, at a constant rate. Neighbours who talk to each other do not quite:
a hint says "look there", not how sure it is. Weekday and season are not modelled: periods are whole weeks, and a first
cold night will show as what it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from math import comb
from typing import Any

from domain.figures_counts import plan_for_these_values, scope_below
from domain.geo import cell
from models.database import fetch, transaction

DAYS = 7
WEEKS = 8
LEAST = 4
CHANCE = 0.01  # probability that any of the hints is mere chance
SIDE = 200.0  # metres


@dataclass(frozen=True, slots=True)
class HotSpot:
    """One hint: `count` in the last days where `usual` were to be expected."""

    category: str
    subject: str
    grid_id: int
    place: str  # 第二网格; with the place most named when it is a cell of 200 m
    count: int
    usual: float
    chance: float
    case_ids: tuple[int, ...]
    near: bool  # found within one cell, not only in the grid as a whole

    @property
    def line(self) -> str:
        """第一网格 垃圾满溢：近 7 天 9 人反映，平时一周 1 人左右."""
        usual = "不到 1 人" if self.usual < 1 else f"{self.usual:.0f} 人左右"
        return f"{self.place} {self.subject}：近 {DAYS} 天 {self.count} 人反映，平时一周 {usual}"


_MINE = """
WITH RECURSIVE mine AS (
    SELECT id, name, level FROM area WHERE id = $1
    UNION ALL SELECT a.id, a.name, a.level FROM area a JOIN mine ON a.parent_id = mine.id
), voices AS (
"""
_SPOKE = "SELECT c.id, coalesce(c.reporter_id, -c.id) AS who, c.reported_at AS at FROM "
_LATELY = " c.reported_at > $2 AND c.reported_at <= $3 "
_MET_IT_TOO = """
    UNION ALL SELECT case_id, resident_id, since FROM follower
    WHERE since > $2 AND since <= $3 AND from_case_id IS NULL
)
"""
# Who spoke up of which case below area $1 between $2 and $3, as its reporter or as one who met it too. Of few places
# each is asked for its own; of many all that came lately are looked through.
VOICES = _MINE + _SPOKE + "cases c WHERE" + _LATELY + _MET_IT_TOO
VOICES_OF_FEW = (
    _MINE
    + _SPOKE
    + "mine JOIN cases c ON coalesce(c.grid_id, c.area_id) = mine.id WHERE mine.level = 'grid' AND"
    + _LATELY
    + _MET_IT_TOO
)
_FEW_PLACES = 150

# One row for each resident, kind, grid and week, of pairs that had enough people lately; `pairs`: how many there are at
# all. Without a reporter each case counts. What nobody could name a kind for makes no place hot.
_PEOPLE = """, people AS (
    SELECT DISTINCT ON (c.category, c.grid_id, week, voices.who)
        c.id, c.category, c.subject, c.grid_id, mine.name AS grid, c.place, c.longitude, c.latitude,
        ceil(extract(epoch FROM $3 - voices.at) / (86400 * $4::int)) <= 1 AS recent,
        ceil(extract(epoch FROM $3 - voices.at) / (86400 * $4::int)) AS week
    FROM voices JOIN cases c ON c.id = voices.id JOIN mine ON mine.id = c.grid_id AND mine.level = 'grid'
    WHERE c.category <> 'other' AND c.outcome IS DISTINCT FROM 'void'
    ORDER BY c.category, c.grid_id, week, voices.who, c.id
), counted AS (
    SELECT *, count(*) FILTER (WHERE recent) OVER pair AS lately, dense_rank() OVER (ORDER BY category, grid_id) AS rank
    FROM people WINDOW pair AS (PARTITION BY category, grid_id)
)
SELECT *, (SELECT max(rank) FROM counted) AS pairs FROM counted WHERE lately >= $5
"""
_REPORTS = VOICES + _PEOPLE
_REPORTS_OF_FEW = VOICES_OF_FEW + _PEOPLE


async def has_few_places(area_id: int) -> bool:
    """Whether `VOICES_OF_FEW` is the way."""
    return len((await scope_below(area_id)).places) <= _FEW_PLACES


async def find_hotspots(area_id: int, now: datetime) -> list[HotSpot]:
    """Hot spots in an area, the least likely to be chance first. A cell goes before the grid it makes hot."""
    since = now - timedelta(days=DAYS) - timedelta(weeks=WEEKS)
    values = area_id, since, now, DAYS, LEAST
    few = await has_few_places(area_id)
    async with transaction():
        await plan_for_these_values()
        rows = await (fetch(_REPORTS_OF_FEW, *values) if few else fetch(_REPORTS, *values))
    share = DAYS / (DAYS + 7 * WEEKS)
    cells = _grouped((row, (row["category"], row["grid_id"], *_cell(row))) for row in rows if _positioned(row))
    grids = _grouped((row, (row["category"], row["grid_id"])) for row in rows)
    pairs = len(cells) + (rows[0]["pairs"] if rows else 0)
    found = _hot(cells, share, pairs)
    taken = {(spot.category, spot.grid_id) for spot in found}
    found += [spot for spot in _hot(grids, share, pairs) if (spot.category, spot.grid_id) not in taken]
    return sorted(found, key=lambda spot: (spot.chance, -spot.count, spot.case_ids))


def _positioned(row: dict[str, Any]) -> bool:
    return row["longitude"] is not None and row["latitude"] is not None


def _cell(row: dict[str, Any]) -> tuple[int, int]:
    return cell(row["longitude"], row["latitude"], SIDE)


def _grouped(rows: Iterable[tuple[dict[str, Any], tuple[Any, ...]]]) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row, key in rows:
        groups.setdefault(key, []).append(row)
    return groups


def _hot(groups: dict[tuple[Any, ...], list[dict[str, Any]]], share: float, pairs: int) -> list[HotSpot]:
    found = []
    for key, rows in groups.items():
        recent = [row for row in rows if row["recent"]]
        if len(recent) < LEAST:
            continue
        chance = chance_of(len(recent), len(rows), share)
        if chance * pairs < CHANCE:
            usual = (len(rows) - len(recent)) * share / (1 - share)
            found.append(_spot(recent, usual, chance, near=len(key) > 2))
    return found


def _spot(recent: list[dict[str, Any]], usual: float, chance: float, *, near: bool) -> HotSpot:
    last = max(recent, key=lambda row: row["id"])
    named = [row["place"] for row in recent if row["place"]]
    at = f"（{max(set(named), key=lambda place: (named.count(place), place))}一带）" if near and named else ""
    return HotSpot(
        last["category"],
        last["subject"],
        last["grid_id"],
        f"{last['grid']}{at}",
        len(recent),
        usual,
        chance,
        tuple(sorted({row["id"] for row in recent})),
        near,
    )


@cache
def chance_of(recent: int, total: int, share: float) -> float:
    """The probability of `recent` or more of `total` reports falling in the recent `share` of the time by chance."""
    return min(1.0, sum(comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(recent, total + 1)))
