"""Versions of the formulas: what a city may decide for itself about its indicators, and since which month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime
from math import isfinite
from typing import Any

from domain.figures_table import BY_CODE
from domain.journal import audit
from domain.people import Person
from errors import BadRequest, NotAllowed
from models.database import fetch, from_json, to_json, transaction
from models.enums import Level, Urgency

_CHOICES = {
    "denominator": ("due", "due_without_deferred", "closed"),
    "on_time_by": ("disposed", "closed"),
    "wrong_dispatch": ("rework", "return", "either"),
    "satisfied_from": (2, 3),
}
_HOURS = ("accept_hours", "dispatch_hours", "sign_hours")


def _response_hours() -> dict[str, float]:
    return {Urgency.URGENT.value: 1, Urgency.PRESSING.value: 4, Urgency.NORMAL.value: 24, Urgency.COMPLEX.value: 24}


def _weights() -> dict[str, dict[str, float]]:
    return {
        # 响应率、解决率、满意率. No official source prints the weights: ours are even ones, to be replaced.
        "three_rates": {"response_rate": 1, "solved_rate": 1, "satisfied_rate": 1},
        # 值班长 of 数字城管, as in urban-management-platform.
        "shift_leader": {"accept_on_time": 25, "accept_accurate": 40, "close_on_time": 35},
        # 派遣员 of the same; its 派遣数分 (20 %) is not defined there and left out.
        "dispatcher": {"dispatch_on_time": 40, "dispatch_accurate": 40},
        # What units and persons are ranked by.
        "overall": {
            "close_on_time": 30,
            "dispose_on_time": 20,
            "sign_on_time": 10,
            "response_rate": 10,
            "solved_rate": 15,
            "satisfied_rate": 15,
        },
    }


@dataclass(frozen=True, slots=True)
class Settings:
    """What may differ between cities.

    `denominator` of 按期结案率: "due" 应结案数, "due_without_deferred" 应结案数 − 缓办数 (both rates), "closed" 结案数.
    `on_time_by`: a closed case was in time by its disposal, or by its closing. The resident's days to answer lie
    between the two, and are not the unit's.
    `wrong_dispatch`: what counts against 准确派遣率: rework, a return, either.
    `satisfied_from`: lowest satisfaction that counts as satisfied: 2 basically, 3 satisfied.
    `…_hours`: the limit where a case has none of its own; `response_hours` by urgency, from acceptance.
    `weights`: composite scores: name → indicator → weight.
    """

    denominator: str = "due"
    on_time_by: str = "disposed"
    wrong_dispatch: str = "rework"
    satisfied_from: int = 2
    accept_hours: float = 2
    dispatch_hours: float = 2
    sign_hours: float = 24
    response_hours: dict[str, float] = field(default_factory=_response_hours)
    weights: dict[str, dict[str, float]] = field(default_factory=_weights)

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise _wrong(name, f"只能是 {'、'.join(map(str, allowed))}")
        if set(self.response_hours) != {urgency.value for urgency in Urgency}:
            raise _wrong("response_hours", "四种紧急程度都要写")
        hours = {**{name: getattr(self, name) for name in _HOURS}, **self.response_hours}
        for name, value in hours.items():
            if not _is_number(value) or not 0 < value <= 24 * 365:
                raise _wrong(name, "要写大于 0 的小时数")
        for name, weights in self.weights.items():
            if not weights or not all(_is_number(value) and value > 0 for value in weights.values()):
                raise _wrong(f"weights.{name}", "每个权重都要大于 0")
            if unknown := set(weights) - set(BY_CODE):
                raise _wrong(f"weights.{name}", f"没有叫 {min(unknown)} 的指标")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _wrong(name: str, rule: str) -> BadRequest:
    return BadRequest(f"formula setting {name}: {rule}", say=f"考核口径里的“{name}”不对：{rule}。")


def read_settings(given: Mapping[str, Any]) -> Settings:
    """Settings from JSON: what is not given keeps its default. Raises BadRequest that names the field."""
    if unknown := set(given) - {one.name for one in fields(Settings)}:
        raise _wrong(min(unknown), "没有这一项")
    for name in ("response_hours", "weights"):
        if not isinstance(given.get(name, {}), Mapping):
            raise _wrong(name, "要写成一组名称和数")
    for name, weights in given.get("weights", {}).items():
        if not isinstance(weights, Mapping):
            raise _wrong(f"weights.{name}", "要写成一组指标和权重")
    return Settings(**given)


@dataclass(frozen=True, slots=True)
class InForce:
    """The settings that hold for a month, and the version they come from; None = those Linli ships."""

    settings: Settings
    formula_id: int | None = None
    note: str = ""


async def in_force(month: date) -> InForce:
    """What holds for the month in which `month` lies."""
    rows = await fetch(
        "SELECT id, settings, note FROM formula WHERE effective_from <= $1 "
        "ORDER BY effective_from DESC, id DESC LIMIT 1",
        month.replace(day=1),
    )
    return _read(rows[0]) if rows else InForce(Settings())


async def version(formula_id: int | None) -> InForce:
    """One version by its id; the shipped one for None."""
    rows = await fetch("SELECT id, settings, note FROM formula WHERE id = $1", formula_id)
    return _read(rows[0]) if rows else InForce(Settings())


def _read(row: dict[str, Any]) -> InForce:
    return InForce(read_settings(from_json(row["settings"])), row["id"], row["note"])


@dataclass(frozen=True, slots=True)
class Version:
    """One version as an operator reads it. `by` is who added it, "" where the trail does not say; `months` were frozen
    under it and keep it."""

    id: int
    effective_from: date
    settings: Settings
    note: str
    created_at: datetime
    by: str
    months: int


_HISTORY = """
SELECT f.id, f.effective_from, f.settings, f.note, f.created_at, coalesce(s.name, '') AS by,
    (SELECT count(DISTINCT m.month) FROM frozen_month m WHERE m.formula_id = f.id) AS months
FROM formula f
LEFT JOIN audit_event e ON e.tag = 'formula:add' AND e.object_id = f.id AND e.allowed
LEFT JOIN staff s ON e.actor = 'staff:' || s.id
ORDER BY f.effective_from DESC, f.id DESC
"""


async def history() -> list[Version]:
    """Every version there was: by the month it holds from, the latest first; of one month the newest counts."""
    return [Version(**row | {"settings": read_settings(from_json(row["settings"]))}) for row in await fetch(_HISTORY)]


def differences(before: Settings, after: Settings) -> list[tuple[str, str, str]]:
    """(setting, value before, value after) for everything that differs; one line for each hour and each weight."""
    old, new = _flat(before), _flat(after)
    return [(name, old.get(name, "–"), new.get(name, "–")) for name in {**old, **new} if old.get(name) != new.get(name)]


def _flat(settings: Settings) -> dict[str, str]:
    lines: dict[str, str] = {}

    def walk(name: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for part, inner in value.items():
                walk(f"{name}.{part}", inner)
        else:
            lines[name] = f"{value:g}" if _is_number(value) else str(value)

    for name, value in asdict(settings).items():
        walk(name, value)
    return lines


# Counts taken under other settings are stale.
_STALE = """
INSERT INTO figure_stale (month, place_id) SELECT month, place_id FROM figure_month WHERE month >= $1
"""


def may_change(person: Person) -> bool:
    """District and city staff may."""
    return person.post is not None and person.post.dispatches and person.post.level.rank >= Level.DISTRICT.rank


def check_may_change(person: Person) -> None:
    """Raises NotAllowed for whom the city has not given its formulas: all but district and city staff."""
    if not may_change(person):
        say = "考核口径由区里的工作人员改。"
        raise NotAllowed(f"{person.actor} may not change formulas", say=say, tag="formula:add", object_id=None)


async def add_version(person: Person, month: date, settings: Settings, note: str, now: datetime) -> int:
    """A new version, in force from the first of `month`; gives its id. District and city staff only.

    Months that were frozen keep the version they were frozen with.
    """
    check_may_change(person)
    first = month.replace(day=1)
    async with transaction():
        rows = await fetch(
            "INSERT INTO formula (effective_from, settings, note, created_at) VALUES ($1, $2, $3, $4) RETURNING id",
            first,
            to_json(asdict(settings)),
            note[:200],
            now,
        )
        await fetch(_STALE, first)
        await audit(person.actor, "formula:add", rows[0]["id"], now)
        return int(rows[0]["id"])
