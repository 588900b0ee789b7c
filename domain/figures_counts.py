"""Counting cases: one pass of SQL over those that had a milestone within a period.

What each count means is said beside its line in `COUNTED`; docs/indicators.md says it in words. A case belongs to a
period by the milestone that is counted: accepted in it, disposed of in it, closed in it. What was *to be done* in it is
what was done in it, and what became due in it and was not done by its end. All of it follows from the case's row (and
the timeline, where a later dispatch has overwritten the first), never from the present moment: counting again later
gives the same, unless somebody changed the case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from domain.clock import SHANGHAI
from domain.figures_settings import Settings
from errors import NotFound
from models.database import fetch, to_json, transaction

#: The names of the counts, in the order in which `COUNTED` gives them.
COUNTS = (
    "reported",
    "accepted",
    "accepted_on_time",
    "voided",
    "to_dispatch",
    "dispatched_on_time",
    "dispatched",
    "wrongly_dispatched",
    "signed_on_time",
    "responded",
    "first_responses",
    "first_responses_on_time",
    "disposed",
    "undisposed",
    "disposed_on_time",
    "reworked",
    "verified",
    "unverified",
    "verified_on_time",
    "closed",
    "unclosed",
    "deferred",
    "closed_on_time",
    "closed_first_time",
    "answered",
    "solved",
    "rated",
    "satisfied",
    "dissatisfied",
    "took_part",
    "rejected",
    "urgent",
    "handle_seconds",
)


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` to before `end`, both at midnight in Shanghai."""

    start: datetime
    end: datetime

    @classmethod
    def of_days(cls, first: date, last: date) -> Period:
        """Whole days, the last one included."""
        return cls(_midnight(first), _midnight(last + timedelta(days=1)))

    @classmethod
    def of_month(cls, day: date) -> Period:
        """The month in which `day` lies."""
        first = day.replace(day=1)
        return cls(_midnight(first), _midnight((first + timedelta(days=31)).replace(day=1)))

    @classmethod
    def of_year(cls, day: date) -> Period:
        """The year in which `day` lies."""
        return cls(_midnight(date(day.year, 1, 1)), _midnight(date(day.year + 1, 1, 1)))

    @property
    def first_day(self) -> date:
        return self.start.astimezone(SHANGHAI).date()

    @property
    def last_day(self) -> date:
        return (self.end - timedelta(microseconds=1)).astimezone(SHANGHAI).date()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)


@dataclass(frozen=True, slots=True)
class Scope:
    """Places (grids, or areas of cases without a grid), each with the branch it counts for."""

    places: Sequence[int]
    branches: Sequence[int]

    @property
    def wide(self) -> bool:
        """Whether `CASES_OF_MANY` is read sooner than `CASES`."""
        return len(self.places) > _FEW_PLACES


_FEW_PLACES = 40
_SCOPE = """
WITH RECURSIVE tree AS (
    SELECT id, id AS branch, 0 AS depth FROM area WHERE id = $1
    UNION ALL
    SELECT a.id, CASE WHEN t.depth < $2 THEN a.id ELSE t.branch END, t.depth + 1
    FROM tree t JOIN area a ON a.parent_id = t.id
)
SELECT id, branch FROM tree
"""


async def scope_below(area_id: int, depth: int = 1) -> Scope:
    """Everything below an area; a branch is an area `depth` steps down (or, above that, the area itself)."""
    rows = await fetch(_SCOPE, area_id, depth)
    if not rows:
        raise NotFound(f"area {area_id}")
    return Scope([row["id"] for row in rows], [row["branch"] for row in rows])


@dataclass(frozen=True, slots=True)
class Question:
    """What to count: `by` is "", area, unit, person, category or place; `only` and `without` are case ids."""

    period: Period
    scope: Scope
    by: str = ""
    only: Sequence[int] | None = None
    without: Sequence[int] = field(default_factory=tuple)


#: What counts for the indicators at all: taken on, and neither ended by the reporter nor voided.
VALID = """
c.accepted_at IS NOT NULL AND c.status NOT IN ('rejected', 'withdrawn', 'merged') AND c.outcome IS DISTINCT FROM 'void'
"""

# The arms of the OR are what the milestone index answers; that nothing happens to a case before it is reported lets
# the planner use the place's index as well.
_FROM = """
FROM cases c
JOIN unnest($3::int[], $4::int[]) AS s(place, branch) ON s.place =
"""
_MEANT = (
    """ coalesce(c.grid_id, c.area_id)
CROSS JOIN LATERAL (
    SELECT """
    + VALID
    + """ AS valid,
        c.accepted_at >= $1 AND c.accepted_at < $2 AS accepted,
        c.dispatched_at >= $1 AND c.dispatched_at < $2 AS dispatched,
        c.disposed_at >= $1 AND c.disposed_at < $2 AS disposed,
        c.closed_at >= $1 AND c.closed_at < $2 AS closed,
        c.due_at >= $1 AND c.due_at < $2 AS due,
        ($11::jsonb ->> c.urgency)::float8 * interval '1 hour' AS response_limit
    OFFSET 0
) f
WHERE c.reported_at < $2 AND (c.reported_at >= $1 OR c.accepted_at >= $1 AND c.accepted_at < $2
        OR c.dispatched_at >= $1 AND c.dispatched_at < $2 OR c.disposed_at >= $1 AND c.disposed_at < $2
        OR c.verified_at >= $1 AND c.verified_at < $2 OR c.closed_at >= $1 AND c.closed_at < $2
        OR c.due_at >= $1 AND c.due_at < $2 OR c.verify_due_at >= $1 AND c.verify_due_at < $2
        OR c.first_response_at >= $1 AND c.first_response_at < $2)
    AND ($6::bigint[] IS NULL OR c.id = ANY ($6)) AND c.id <> ALL ($7::bigint[])
"""
)

CASES = _FROM + _MEANT
# Of many places the cases of the period are found first, and then those that lie there: the planner takes the arms of
# the OR for independent, and would rather read every case the places ever had. The sum keeps it from their index.
CASES_OF_MANY = _FROM + " 0 + " + _MEANT

KEY = """
CASE $5 WHEN 'area' THEN s.branch::text WHEN 'unit' THEN c.department_id::text WHEN 'person' THEN c.holder_id::text
    WHEN 'category' THEN c.category WHEN 'place' THEN s.place::text END
"""

COUNTED = """
, ARRAY[
    -- reported in the period, whatever became of it
    count(*) FILTER (WHERE c.reported_at >= $1),
    -- accepted (立案) in it; in time; voided since
    count(*) FILTER (WHERE f.accepted),
    count(*) FILTER (WHERE f.accepted AND c.accepted_at <= coalesce(c.accept_due_at, c.reported_at + $8::interval)),
    count(*) FILTER (WHERE f.accepted AND c.outcome = 'void'),
    -- accepted in it and so to be dispatched; first dispatched in time
    count(*) FILTER (WHERE f.accepted AND f.valid),
    count(*) FILTER (WHERE f.accepted AND f.valid AND (c.dispatched_at <= c.accepted_at + $9::interval
        OR c.dispatched_at IS NOT NULL AND EXISTS (SELECT 1 FROM case_event e WHERE e.case_id = c.id
            AND e.verb = 'dispatch' AND e.at <= c.accepted_at + $9::interval))),
    -- dispatched in it; wrongly; signed in time; answered in time
    count(*) FILTER (WHERE f.dispatched AND f.valid),
    count(*) FILTER (WHERE f.dispatched AND f.valid AND ($13 IN ('rework', 'either') AND c.round > 1
        OR $13 IN ('return', 'either') AND c.returned > 0)),
    count(*) FILTER (WHERE f.dispatched AND f.valid
        AND c.signed_at <= coalesce(c.sign_due_at, c.dispatched_at + $10::interval)),
    count(*) FILTER (WHERE f.dispatched AND f.valid AND c.first_response_at <= c.accepted_at + f.response_limit),
    -- first word to anybody in it; in time
    count(*) FILTER (WHERE f.valid AND c.first_response_at >= $1 AND c.first_response_at < $2),
    count(*) FILTER (WHERE f.valid AND c.first_response_at >= $1 AND c.first_response_at < $2
        AND c.first_response_at <= c.accepted_at + f.response_limit),
    -- disposed of in it; due in it but not by its end; in time; in a second round or later
    count(*) FILTER (WHERE f.disposed AND f.valid),
    count(*) FILTER (WHERE f.due AND f.valid AND (c.disposed_at IS NULL OR c.disposed_at >= $2)),
    count(*) FILTER (WHERE f.disposed AND f.valid AND (c.due_at IS NULL OR c.disposed_at <= c.due_at)),
    count(*) FILTER (WHERE f.disposed AND f.valid AND c.round > 1),
    -- verified in it; to be verified in it but not by its end; in time
    count(*) FILTER (WHERE f.valid AND c.verified_at >= $1 AND c.verified_at < $2),
    count(*) FILTER (WHERE f.valid AND c.verify_due_at >= $1 AND c.verify_due_at < $2
        AND (c.verified_at IS NULL OR c.verified_at >= $2)),
    count(*) FILTER (WHERE f.valid AND c.verified_at >= $1 AND c.verified_at < $2
        AND (c.verify_due_at IS NULL OR c.verified_at <= c.verify_due_at)),
    -- closed in it; due in it but not closed by its end (待结案), and of these put off (缓办); in time; in one round
    count(*) FILTER (WHERE f.closed AND f.valid AND c.status = 'closed'),
    count(*) FILTER (WHERE f.due AND f.valid AND (c.closed_at IS NULL OR c.closed_at >= $2)),
    count(*) FILTER (WHERE f.due AND f.valid AND (c.closed_at IS NULL OR c.closed_at >= $2)
        AND c.status = 'suspended'),
    count(*) FILTER (WHERE f.closed AND f.valid AND c.status = 'closed' AND (c.due_at IS NULL OR c.due_at >=
        CASE $12 WHEN 'disposed' THEN coalesce(c.disposed_at, c.closed_at) ELSE c.closed_at END)),
    count(*) FILTER (WHERE f.closed AND f.valid AND c.status = 'closed' AND c.round = 1),
    -- of those closed: said solved or not; solved; gave satisfaction; satisfied; not; said anything at all
    count(*) FILTER (WHERE f.closed AND f.valid AND c.status = 'closed' AND c.solved IS NOT NULL),
    count(*) FILTER (WHERE f.closed AND f.valid AND c.status = 'closed' AND c.solved),
    count(*) FILTER (WHERE f.closed AND f.valid AND c.status = 'closed' AND c.satisfaction IS NOT NULL),
    count(*) FILTER (WHERE f.closed AND f.valid AND c.status = 'closed' AND c.satisfaction >= $14),
    count(*) FILTER (WHERE f.closed AND f.valid AND c.status = 'closed' AND c.satisfaction = 1),
    count(*) FILTER (WHERE f.closed AND f.valid AND c.status = 'closed'
        AND (c.solved IS NOT NULL OR c.satisfaction IS NOT NULL)),
    -- not taken on, in it; urgent ones reported in it
    count(*) FILTER (WHERE f.closed AND c.status = 'rejected' AND c.outcome IS DISTINCT FROM 'void'),
    count(*) FILTER (WHERE c.reported_at >= $1 AND c.urgency = 'urgent'),
    -- whole seconds from acceptance to disposal without the time the clock stood (microseconds)
    coalesce(sum(floor(extract(epoch FROM c.disposed_at - c.accepted_at) - c.paused / 1000000.0))
        FILTER (WHERE f.disposed AND f.valid), 0)::bigint
] AS counts
"""

_KEYED = "SELECT " + KEY + " AS key" + COUNTED
_BY_KEY = " GROUP BY 1"
_COUNT = _KEYED + CASES + _BY_KEY
_COUNT_OF_MANY = _KEYED + CASES_OF_MANY + _BY_KEY

#: The durations whose median and 90th percentile are given.
TIMES = ("accept", "dispatch", "sign", "first_response", "handle", "total")

_TIMES = """
, percentile_cont($15::float8[]) WITHIN GROUP (ORDER BY extract(epoch FROM c.accepted_at - c.reported_at)::float8)
    FILTER (WHERE f.accepted AND f.valid) AS accept,
percentile_cont($15) WITHIN GROUP (ORDER BY extract(epoch FROM c.dispatched_at - c.accepted_at)::float8)
    FILTER (WHERE f.dispatched AND f.valid) AS dispatch,
percentile_cont($15) WITHIN GROUP (ORDER BY extract(epoch FROM c.signed_at - c.dispatched_at)::float8)
    FILTER (WHERE f.dispatched AND f.valid AND c.signed_at >= c.dispatched_at) AS sign,
percentile_cont($15) WITHIN GROUP (ORDER BY extract(epoch FROM c.first_response_at - c.accepted_at)::float8)
    FILTER (WHERE f.valid AND c.first_response_at >= $1 AND c.first_response_at < $2) AS first_response,
-- without the time the clock stood (microseconds)
percentile_cont($15) WITHIN GROUP (ORDER BY extract(epoch FROM c.disposed_at - c.accepted_at)::float8
    - c.paused / 1000000.0) FILTER (WHERE f.disposed AND f.valid) AS handle,
percentile_cont($15) WITHIN GROUP (ORDER BY extract(epoch FROM c.closed_at - c.reported_at)::float8)
    FILTER (WHERE f.closed AND f.valid AND c.status = 'closed') AS total
"""

_COUNT_WITH_TIMES = _KEYED + _TIMES + CASES + _BY_KEY
_COUNT_OF_MANY_WITH_TIMES = _KEYED + _TIMES + CASES_OF_MANY + _BY_KEY
_SHARES = [0.5, 0.9]


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and 90th percentile of a duration; both None where nothing was measured."""

    median: timedelta | None
    p90: timedelta | None


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts by name, and the durations by name (empty where they were not asked for)."""

    counts: dict[str, int]
    times: dict[str, Spread] = field(default_factory=dict)


EMPTY = Tally(dict.fromkeys(COUNTS, 0), dict.fromkeys(TIMES, Spread(None, None)))


async def count(question: Question, settings: Settings) -> dict[str, Tally]:
    """The counts of each key that has a case; key "" when `by` is ""."""
    rows = await _ask(question, settings, times=False)
    return {row["key"] or "": Tally(named(row["counts"])) for row in rows}


async def count_with_times(question: Question, settings: Settings) -> dict[str, Tally]:
    """The same with median and 90th percentile of the durations; dearer, because of the sorting."""
    rows = await _ask(question, settings, times=True)
    return {row["key"] or "": Tally(named(row["counts"]), {name: _spread(row[name]) for name in TIMES}) for row in rows}


def named(counts: Sequence[int]) -> dict[str, int]:
    """The counts in the order of COUNTS, by name."""
    return dict(zip(COUNTS, counts, strict=True))


def _spread(seconds: Sequence[float] | None) -> Spread:
    median, p90 = seconds or (None, None)
    return Spread(
        timedelta(seconds=median) if median is not None else None, timedelta(seconds=p90) if p90 is not None else None
    )


def values_for(question: Question, settings: Settings) -> tuple[Any, ...]:
    """The values of `CASES`, `KEY` and `COUNTED`, $1 to $14."""
    return (
        question.period.start,
        question.period.end,
        question.scope.places,
        question.scope.branches,
        question.by,
        question.only,
        question.without,
        timedelta(hours=settings.accept_hours),
        timedelta(hours=settings.dispatch_hours),
        timedelta(hours=settings.sign_hours),
        to_json(settings.response_hours),
        settings.on_time_by,
        settings.wrong_dispatch,
        settings.satisfied_from,
    )


async def _ask(question: Question, settings: Settings, *, times: bool) -> list[dict[str, Any]]:
    values = values_for(question, settings)
    wide = question.scope.wide
    async with transaction():
        await plan_for_these_values()
        if times:
            values = *values, _SHARES
            return await (fetch(_COUNT_OF_MANY_WITH_TIMES, *values) if wide else fetch(_COUNT_WITH_TIMES, *values))
        return await (fetch(_COUNT_OF_MANY, *values) if wide else fetch(_COUNT, *values))


async def plan_for_these_values() -> None:
    """Until the transaction ends the planner looks at the values: a grid and a city want different ways."""
    await fetch("SELECT set_config('plan_cache_mode', 'force_custom_plan', true)")
