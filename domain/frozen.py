"""Frozen months (封存): the figures as they were published, with the settings they were computed with.

They are never computed anew, only compared: `replay` computes from today's data with the frozen settings and shows
every value that has become another, line by line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from domain.figures_counts import Spread
from domain.figures_settings import Settings, in_force, read_settings
from domain.figures_table import BY_CODE
from domain.indicators import By, Figure, Line, Period, Values, measure
from domain.journal import audit
from domain.people import Person, ancestors
from errors import Conflict, NotAllowed, NotFound
from models.database import fetch, from_json, to_json, transaction

#: The tables of a month: what each is called in the stored figures, and what its lines are.
TABLES = (By.TOTAL, By.AREA, By.UNIT, By.PERSON, By.CATEGORY)
Tables = Mapping[By, Sequence[Line]]


async def compute(area_id: int, period: Period, settings: Settings) -> Tables:
    """All tables of a period."""
    return {by: await measure(area_id, period, by, settings=settings) for by in TABLES}


async def freeze(month: date, area_id: int, person: Person, now: datetime) -> int:
    """Store a month that is over; gives its id. Dispatchers, for their own area and those below it.

    Raises Conflict when the month is not over, or frozen already.
    """
    first = month.replace(day=1)
    period = Period.of_month(first)
    post = person.post
    if post is None or not post.dispatches or post.area_id not in await ancestors(area_id):
        raise NotAllowed(f"{person.actor} may not freeze", tag="month:freeze", object_id=area_id)
    if now < period.end:
        raise Conflict(
            f"{first:%Y-%m} is not over", say=f"{first.year} 年 {first.month} 月还没有过完，月底之后再封存。"
        )
    async with transaction():
        force = await in_force(first)
        tables = await compute(area_id, period, force.settings)
        rows = await fetch(
            "INSERT INTO frozen_month (month, area_id, formula_id, figures, frozen_by_id, frozen_at) "
            "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (month, area_id) DO NOTHING RETURNING id",
            first,
            area_id,
            force.formula_id,
            to_json(_to_json(tables, force.settings)),
            post.id,
            now,
        )
        if not rows:
            raise Conflict(
                f"{first:%Y-%m} of area {area_id} is frozen",
                say=f"{first.year} 年 {first.month} 月已经封存，不能再改。要看数据后来有没有变化，请用“重算对比”。",
            )
        await audit(person.actor, "month:freeze", rows[0]["id"], now)
        return int(rows[0]["id"])


@dataclass(frozen=True, slots=True)
class Frozen:
    """A month as it was published."""

    month: date
    formula_id: int | None
    settings: Settings
    tables: Tables
    frozen_at: datetime


async def find_frozen(month: date, area_id: int) -> Frozen | None:
    """The frozen month, or None."""
    rows = await fetch(
        "SELECT month, formula_id, figures, frozen_at FROM frozen_month WHERE month = $1 AND area_id = $2",
        month.replace(day=1),
        area_id,
    )
    if not rows:
        return None
    stored = from_json(rows[0]["figures"])
    tables = {by: [_line(line) for line in stored["tables"][by.value or "total"]] for by in TABLES}
    return Frozen(
        rows[0]["month"], rows[0]["formula_id"], read_settings(stored["settings"]), tables, rows[0]["frozen_at"]
    )


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that is another now; None where the line did not exist."""

    table: By
    line: str
    what: str
    frozen: float | None
    now: float | None


async def replay(month: date, area_id: int) -> list[Difference]:
    """Compute the month from today's data with the frozen settings; empty when every value is as published."""
    frozen = await find_frozen(month, area_id)
    if frozen is None:
        raise NotFound(f"{month:%Y-%m} of area {area_id} is not frozen", say="这个月还没有封存，没有可对比的数。")
    tables = await compute(area_id, Period.of_month(frozen.month), frozen.settings)
    return [found for by in TABLES for found in _compare(by, frozen.tables[by], tables[by])]


def _compare(by: By, frozen: Sequence[Line], now: Sequence[Line]) -> Iterator[Difference]:
    old, new = ({line.key: line for line in lines} for lines in (frozen, now))
    for key in dict.fromkeys([*old, *new]):
        before = _flat(old[key]) if key in old else {}
        after = _flat(new[key]) if key in new else {}
        name = (old.get(key) or new[key]).name
        for what in dict.fromkeys([*before, *after]):
            if before.get(what) != after.get(what):
                yield Difference(by, name, what, before.get(what), after.get(what))


def _flat(line: Line) -> dict[str, float | None]:
    """Every value of a line by its name: 剔除后 结案率 分子 …"""
    found: dict[str, float | None] = {}
    for when, values in (("剔除前", line.before), ("剔除后", line.after)):
        for figure in values.figures.values():
            found[f"{when} {figure.indicator.name} 分子"] = figure.numerator
            found[f"{when} {figure.indicator.name} 分母"] = figure.denominator
        for name, score in values.scores.items():
            found[f"{when} 得分 {name}"] = score
    for name, spread in line.before.times.items():
        found[f"时长中位数 {name}"] = spread.median.total_seconds() if spread.median is not None else None
        found[f"时长九成位 {name}"] = spread.p90.total_seconds() if spread.p90 is not None else None
    return found


def _to_json(tables: Tables, settings: Settings) -> dict[str, Any]:
    return {
        "settings": asdict(settings),
        "tables": {
            by.value or "total": [
                {"key": line.key, "name": line.name, "before": _values(line.before), "after": _values(line.after)}
                for line in lines
            ]
            for by, lines in tables.items()
        },
    }


def _values(values: Values) -> dict[str, Any]:
    return {
        "counts": dict(values.counts),
        "figures": {code: [figure.numerator, figure.denominator] for code, figure in values.figures.items()},
        "times": {
            name: [time.total_seconds() if time is not None else None for time in (spread.median, spread.p90)]
            for name, spread in values.times.items()
        },
        "scores": dict(values.scores),
    }


def _line(stored: Mapping[str, Any]) -> Line:
    return Line(stored["key"], stored["name"], _read_values(stored["before"]), _read_values(stored["after"]))


def _read_values(stored: Mapping[str, Any]) -> Values:
    return Values(
        stored["counts"],
        {code: Figure(BY_CODE[code], *parts) for code, parts in stored["figures"].items() if code in BY_CODE},
        {
            name: Spread(*(timedelta(seconds=part) if part is not None else None for part in parts))
            for name, parts in stored["times"].items()
        },
        stored["scores"],
    )
