"""What the figures' pages are made of: an area, a period, and the tables over them. Who sees an area is decided here.

Whole months are added up from what is kept of them (`domain.figures_months`), so that a city's front page is read and
not counted. Other periods are counted, and so may not be long. 剔除 are not taken off, so that every figure equals its
cases; `domain.frozen` has what is published.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from typing import Any

from domain.figures_cases import Standing
from domain.figures_counts import COUNTS, EMPTY, Period, Question, Tally, count, scope_below
from domain.figures_months import month_counts
from domain.figures_settings import Settings, in_force
from domain.figures_table import INDICATORS
from domain.indicators import By, Line, Values, lines_of, values_of
from domain.people import Person, ancestors
from errors import BadRequest, NotAllowed, NotFound
from models.database import fetch, from_json
from models.enums import Level, Role

#: The longest period of days that is counted, and of whole months that are added up.
MOST_DAYS, MOST_MONTHS = 92, 36


@dataclass(frozen=True, slots=True)
class Place:
    """An area as selectors name it."""

    id: int
    name: str
    level: Level


@dataclass(frozen=True, slots=True)
class View:
    """An area somebody looks at: the way down to it from their own, itself last; what lies one step below it."""

    way: Sequence[Place]
    below: Sequence[Place]
    leads: bool  # whether figures lead to their cases: a department reads the figures of all, and the cases of its own

    @property
    def area(self) -> Place:
        return self.way[-1]


_WAY = """
WITH RECURSIVE up AS (
    SELECT id, parent_id, name, level, 0 AS steps FROM area WHERE id = $1
    UNION ALL SELECT a.id, a.parent_id, a.name, a.level, up.steps + 1 FROM up JOIN area a ON a.id = up.parent_id
    WHERE up.id <> $2
) SELECT id, name, level FROM up ORDER BY steps DESC
"""
_BELOW = "SELECT id, name, level FROM area WHERE parent_id = $1 ORDER BY code"


async def view_area(person: Person, area_id: int | None = None) -> View:
    """An area with what is around it; their own where none is named. NotFound for one that is not below theirs."""
    post = person.post
    if post is None:
        raise NotAllowed(f"{person.actor} has no desk", tag="area:read", object_id=area_id)
    wanted = post.area_id if area_id is None else area_id
    if post.area_id not in await ancestors(wanted):
        raise NotFound(f"area {wanted}", tag="area:read", object_id=wanted)
    way = [_place(row) for row in await fetch(_WAY, wanted, post.area_id)]
    below = [_place(row) for row in await fetch(_BELOW, wanted)]
    leads = post.department_id is None and (post.dispatches or post.role is Role.GRID_WORKER)
    return View(way, below, leads)


def _place(row: dict[str, Any]) -> Place:
    return Place(row["id"], row["name"], Level(row["level"]))


async def plain_view(area_id: int) -> View:
    """An area as a screen shows it: nothing of it leads anywhere. The caller has decided who may see it."""
    way = [_place(row) for row in await fetch(_WAY, area_id, area_id)]
    if not way:
        raise NotFound(f"area {area_id}")
    return View(way, [_place(row) for row in await fetch(_BELOW, area_id)], leads=False)


async def check_leads(person: Person, area_id: int | None) -> View:
    """The same for who may read the cases behind the figures. Raises NotAllowed for others."""
    view = await view_area(person, area_id)
    if not view.leads:
        raise NotAllowed(
            f"{person.actor} reads cases of their own unit",
            say="看板上的事件由社区和街道看。您单位的事件在“事项”里。",
            tag="area:read",
            object_id=area_id,
        )
    return view


def check_period(first: date, last: date) -> Period:
    """Whole days from one to the other. Raises BadRequest for none, and for too many."""
    if last < first:
        raise BadRequest(f"{first} to {last}", say="结束日期要在开始日期之后，请改好再看。")
    months = whole_months(first, last)
    if (len(months) if months else (last - first).days + 1) > (MOST_MONTHS if months else MOST_DAYS):
        say = f"这样看最多 {MOST_DAYS} 天。要看更长，请从 1 号选到月底：整月最多 {MOST_MONTHS} 个月。"
        raise BadRequest(f"{first} to {last}", say=say)
    return Period.of_days(first, last)


def whole_months(first: date, last: date) -> list[date]:
    """The months between two days that are a month's first and a month's last; none where they are not."""
    if first.day != 1 or (last + timedelta(days=1)).day != 1:
        return []
    months = [first]
    while (after := (months[-1] + timedelta(days=31)).replace(day=1)) <= last:
        months.append(after)
        if len(months) > MOST_MONTHS:
            break
    return months


def period_before(period: Period) -> Period:
    """As many whole months, or days, just before."""
    first, last = period.first_day, period.last_day
    before = first - timedelta(days=1)
    months = len(whole_months(first, last))
    if not months:
        return Period.of_days(first - (last - first) - timedelta(days=1), before)
    begin = first
    for _ in range(months):
        begin = (begin - timedelta(days=1)).replace(day=1)
    return Period.of_days(begin, before)


async def counts_below(area_id: int, period: Period, depth: int = 1) -> dict[int, Tally]:
    """The counts by branch: added up from kept months, or counted."""
    scope = await scope_below(area_id, depth)
    months = whole_months(period.first_day, period.last_day)
    if not months:
        settings = (await in_force(period.first_day)).settings
        return {int(key): tally for key, tally in (await count(Question(period, scope, "area"), settings)).items()}
    found: dict[int, list[Tally]] = {}
    for month in months:
        for branch, tally in (await month_counts(month, scope, (await in_force(month)).settings)).items():
            found.setdefault(branch, []).append(tally)
    return {branch: _sum(tallies) for branch, tallies in found.items()}


def _sum(tallies: Sequence[Tally]) -> Tally:
    if not tallies:
        return EMPTY
    if len(tallies) == 1:
        return tallies[0]
    return Tally({name: sum(one.counts[name] for one in tallies) for name in COUNTS})


@dataclass(frozen=True, slots=True)
class Overview:
    """A period of an area: the whole, the period before, each part."""

    settings: Settings
    total: Values
    before: Values
    parts: dict[int, Values]


async def overview(area_id: int, period: Period) -> Overview:
    """The figures of the front page."""
    settings = (await in_force(period.first_day)).settings
    found = await counts_below(area_id, period)
    earlier = period_before(period)
    earlier_settings = (await in_force(earlier.first_day)).settings
    before = _sum(list((await counts_below(area_id, earlier)).values()))
    parts = {branch: values_of(tally, settings) for branch, tally in found.items()}
    return Overview(
        settings, values_of(_sum(list(found.values())), settings), values_of(before, earlier_settings), parts
    )


def sum_of(standing: Sequence[Standing]) -> Standing:
    """All of it together."""
    return reduce(Standing.__add__, standing, Standing(0))


@dataclass(frozen=True, slots=True)
class Ranked:
    """One line of a ranking; `place` 1 = the best; None = nothing of it can be said."""

    place: int | None
    line: Line


async def ranking(area: Place, period: Period, by: By) -> list[Ranked]:
    """Grids or units by their composite score, the best first; equal scores share a place."""
    depth = max(area.level.rank - Level.GRID.rank, 1)
    settings = (await in_force(period.first_day)).settings
    question = Question(period, await scope_below(area.id, depth), by)
    if by is By.AREA:
        found = await counts_below(area.id, period, depth)
        tallies = {str(place): tally for place, tally in found.items() if any(tally.counts.values())}
    else:
        tallies = await count(question, settings)
    lines = await lines_of(question, settings, tallies)
    scored = sorted(lines, key=lambda line: (-(_score(line) or 0), _score(line) is None, line.key))
    scores = [_score(line) for line in scored]
    return [
        Ranked(scores.index(score) + 1 if score is not None else None, line)
        for score, line in zip(scores, scored, strict=True)
    ]


def _score(line: Line) -> float | None:
    return line.before.scores.get("overall")


@dataclass(frozen=True, slots=True)
class Formula:
    """One part of the composite score, as it is read: its weight of 100, its formula, where it comes from."""

    name: str
    formula: str
    source: str
    share: float
    low: bool


def formulas(settings: Settings) -> list[Formula]:
    """What the score is made of."""
    weights = settings.weights.get("overall", {})
    total = sum(weights.values())
    return [
        Formula(one.name, one.formula, one.source, 100 * weights[one.code] / total, one.low)
        for one in INDICATORS
        if one.code in weights
    ]


@dataclass(frozen=True, slots=True)
class Shape:
    """A grid: its rings of [longitude, latitude], outer first; none where nobody has drawn it yet."""

    id: int
    name: str
    rings: Sequence[Sequence[Sequence[float]]]


_SHAPES = """
WITH RECURSIVE tree AS (
    SELECT id FROM area WHERE id = $1 UNION ALL SELECT a.id FROM tree t JOIN area a ON a.parent_id = t.id
) SELECT a.id, CASE WHEN up.level = 'community' THEN up.name ELSE '' END || a.name AS name, a.boundary
FROM tree JOIN area a USING (id) LEFT JOIN area up ON up.id = a.parent_id WHERE a.level = 'grid' ORDER BY a.code
"""


_NAMES = """
WITH RECURSIVE tree AS (
    SELECT id FROM area WHERE id = $1 UNION ALL SELECT a.id FROM tree t JOIN area a ON a.parent_id = t.id
) SELECT a.id, CASE WHEN up.level = 'community' THEN up.name ELSE '' END || a.name AS name
FROM tree JOIN area a USING (id) LEFT JOIN area up ON up.id = a.parent_id WHERE a.level = 'grid'
"""


async def grid_names(area_id: int) -> dict[int, str]:
    """What the grids of an area are called, with their community."""
    return {row["id"]: row["name"] for row in await fetch(_NAMES, area_id)}


async def grids_below(area_id: int) -> list[Shape]:
    """The grids of an area, as they lie."""
    rows = await fetch(_SHAPES, area_id)
    return [Shape(row["id"], row["name"], from_json(row["boundary"]) or ()) for row in rows]
