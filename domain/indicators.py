"""Indicators (考核指标) of an area, its parts, its units, persons and categories over a period.

Every ratio comes with its numerator and denominator, and is None where the denominator is 0: nothing was to be done is
neither 0 nor 100 %. Silence counts as nothing: 解决率 and 满意率 are taken over those who answered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

import nlp
from domain.figures_counts import EMPTY, Period, Question, Spread, Tally, count, count_with_times, scope_below
from domain.figures_settings import Settings, in_force
from domain.figures_table import DENOMINATORS, INDICATORS, Indicator
from errors import NotFound
from models.database import fetch

__all__ = ["By", "Figure", "Line", "Period", "Settings", "Values", "measure", "values_of"]


class By(StrEnum):
    """What the lines of a table are."""

    TOTAL = ""
    AREA = "area"  # the areas one step down (or `depth` steps)
    UNIT = "unit"  # the department that has the lead
    PERSON = "person"  # the holder
    CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class Figure:
    """One indicator's value."""

    indicator: Indicator
    numerator: int
    denominator: int

    @property
    def ratio(self) -> float | None:
        """Between 0 and 1; None where there was nothing to divide by. (不满意率 may exceed 1: its parts differ.)"""
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, slots=True)
class Values:
    """Counts, indicators by code, durations, and composite scores of 100 by name (None: none of its parts is known)."""

    counts: Mapping[str, int]
    figures: Mapping[str, Figure]
    times: Mapping[str, Spread]
    scores: Mapping[str, float | None]

    @property
    def mean_handling(self) -> timedelta | None:
        """Average time from acceptance to disposal, suspension left out."""
        disposed = self.counts["disposed"]
        return timedelta(seconds=self.counts["handle_seconds"] / disposed) if disposed else None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: `before` and `after` exclusions (剔除); they are the same where nothing was excluded.

    `key` is the area's, department's or person's id, or the category's code, as text; "" for the total and for cases
    that have none (no unit, no holder).
    """

    key: str
    name: str
    before: Values
    after: Values


def values_of(tally: Tally, settings: Settings, less: Mapping[str, Mapping[str, int]] | None = None) -> Values:
    """The indicators and scores that follow from counts; `less` is what single indicators leave out of them."""
    figures = {
        one.code: _figure(one, _reduced(tally.counts, (less or {}).get(one.code)), settings) for one in INDICATORS
    }
    scores = {name: _score(weights, figures) for name, weights in settings.weights.items()}
    return Values(tally.counts, figures, tally.times, scores)


def _reduced(counts: Mapping[str, int], less: Mapping[str, int] | None) -> Mapping[str, int]:
    return {name: number - less[name] for name, number in counts.items()} if less else counts


def _figure(indicator: Indicator, counts: Mapping[str, int], settings: Settings) -> Figure:
    return Figure(indicator, _sum(indicator.numerator, counts), _sum(denominator_of(indicator, settings), counts))


def denominator_of(indicator: Indicator, settings: Settings) -> tuple[str, ...]:
    """What it is divided by: for the closing rates the settings decide (结案数 ÷ 结案数 would say nothing)."""
    if indicator.code == "close_on_time":
        return DENOMINATORS[settings.denominator]
    if indicator.code == "close_rate" and settings.denominator == "due_without_deferred":
        return DENOMINATORS["due_without_deferred"]
    return indicator.denominator


def _sum(terms: Sequence[str], counts: Mapping[str, int]) -> int:
    return sum([-counts[term[1:]] if term[0] == "-" else counts[term] for term in terms])


def _score(weights: Mapping[str, float], figures: Mapping[str, Figure]) -> float | None:
    """The weighted mean of the parts that have a value, of 100; where less is better, what is missing to 1 counts."""
    known = [
        (weight, max(0.0, 1 - ratio) if figures[code].indicator.low else ratio)
        for code, weight in weights.items()
        if (ratio := figures[code].ratio) is not None
    ]
    total = sum(weight for weight, _ in known)
    return round(100 * sum(weight * ratio for weight, ratio in known) / total, 2) if total else None


async def measure(
    area_id: int, period: Period, by: By = By.TOTAL, *, depth: int = 1, settings: Settings | None = None
) -> list[Line]:
    """The lines of a table over everything below an area, most cases to close first.

    Without `settings` those in force in the period's first month hold. The total (By.TOTAL) is always one line.
    """
    chosen = settings or (await in_force(period.first_day)).settings
    question = Question(period, await scope_below(area_id, depth), by)
    before = await count_with_times(question, chosen)
    if by is By.TOTAL:
        before.setdefault("", EMPTY)
    excluded = await _excluded(period)
    after = before
    if excluded.wholly:
        after = await count_with_times(replace(question, without=excluded.wholly), chosen)
    lines = await _lines(question, chosen, before, after, excluded)
    return sorted(lines, key=lambda line: (-line.before.figures["close_rate"].denominator, line.key))


async def lines_of(question: Question, settings: Settings, before: Mapping[str, Tally]) -> list[Line]:
    """The lines of a table whose counts are known, without durations: only what was excluded is counted."""
    excluded = await _excluded(question.period)
    after = before
    if excluded.wholly:
        taken = await count(replace(question, only=excluded.wholly), settings)
        after = {key: _taken_off(tally, taken.get(key, EMPTY)) for key, tally in before.items()}
    return await _lines(question, settings, before, after, excluded)


def _taken_off(tally: Tally, other: Tally) -> Tally:
    return Tally({name: number - other.counts[name] for name, number in tally.counts.items()})


async def _lines(
    question: Question,
    settings: Settings,
    before: Mapping[str, Tally],
    after: Mapping[str, Tally],
    excluded: _Excluded,
) -> list[Line]:
    less = await _left_out(question, settings, excluded)
    names = await _names(By(question.by), list(before))
    lines = []
    for key, tally in before.items():
        values, other = values_of(tally, settings), after.get(key, EMPTY)
        same = other is tally and key not in less
        reduced = values if same else values_of(other, settings, less.get(key))
        lines.append(Line(key, names.get(key, key), values, reduced))
    return lines


@dataclass(slots=True)
class _Excluded:
    """Approved exclusions: cases that do not count at all, and those that do not count for one indicator."""

    wholly: list[int] = field(default_factory=list)
    partly: dict[str, list[int]] = field(default_factory=dict)


# Of cases that may have a milestone in the period.
_EXCLUDED = """
SELECT x.case_id, x.indicator FROM exclusion x JOIN cases c ON c.id = x.case_id
WHERE x.approved_at IS NOT NULL AND c.reported_at < $2
    AND (c.closed_at IS NULL OR c.closed_at >= $1 OR c.due_at >= $1)
"""


async def _excluded(period: Period) -> _Excluded:
    found = _Excluded()
    for row in await fetch(_EXCLUDED, period.start, period.end):
        if row["indicator"]:
            found.partly.setdefault(row["indicator"], []).append(row["case_id"])
        else:
            found.wholly.append(row["case_id"])
    return found


async def _left_out(
    question: Question, settings: Settings, excluded: _Excluded
) -> dict[str, dict[str, Mapping[str, int]]]:
    """By key and indicator, what only that one leaves out."""
    less = dict[str, dict[str, Mapping[str, int]]]()
    for code, cases in excluded.partly.items():
        left_out = replace(question, only=cases, without=excluded.wholly)
        for key, tally in (await count(left_out, settings)).items():
            less.setdefault(key, {})[code] = tally.counts
    return less


async def _names(by: By, keys: list[str]) -> dict[str, str]:
    """What the lines are called."""
    if by is By.TOTAL:
        return {"": "合计"}
    if by is By.CATEGORY:
        return {key: category_name(key) for key in keys}
    ids = [int(key) for key in keys if key]
    rows = await fetch(
        "SELECT id::text, name FROM area WHERE $2 = 'area' AND id = ANY ($1::int[]) "
        "UNION ALL SELECT id::text, name FROM department WHERE $2 = 'unit' AND id = ANY ($1) "
        "UNION ALL SELECT s.id::text, s.name || '（' || a.name || '）' FROM staff s JOIN area a ON a.id = s.area_id "
        "WHERE $2 = 'person' AND s.id = ANY ($1)",
        ids,
        by.value,
    )
    nobody = {By.AREA: "本级", By.UNIT: "未明确单位", By.PERSON: "未明确责任人"}[by]
    return {row["id"]: row["name"] for row in rows} | {"": nobody}


#: What has no line in the catalogue.
_UNNAMED = {"": "未分类", "other": "其他问题"}


def category_name(code: str) -> str:
    """A category as people call it; the code itself where the catalogue does not have it (any more)."""
    try:
        return nlp.category(code).name
    except NotFound:
        return _UNNAMED.get(code, code)
