"""考核口径: the formulas of the indicators, the versions of what a city decides about them, a new version."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from aiohttp import web

from console.frame import Pages, Visit
from console.values import today
from domain.figures_settings import (
    Settings,
    Version,
    add_version,
    check_may_change,
    differences,
    history,
    in_force,
    may_change,
    read_settings,
)
from domain.figures_table import BY_CODE, INDICATORS
from errors import BadRequest

pages = Pages()

_CHOICES = {
    "denominator": {"due": "应结案数", "due_without_deferred": "应结案数减缓办数", "closed": "结案数"},
    "on_time_by": {"disposed": "处置的时间", "closed": "结案的时间"},
    "wrong_dispatch": {"rework": "返工", "return": "退回", "either": "返工或退回"},
    "satisfied_from": {"2": "基本满意", "3": "满意"},
}
_NAMES = {
    "denominator": "按期结案率的分母",
    "on_time_by": "按不按时看",
    "wrong_dispatch": "什么算派错",
    "satisfied_from": "到哪一档算满意",
    "accept_hours": "受理时限（小时）",
    "dispatch_hours": "派遣时限（小时）",
    "sign_hours": "签收时限（小时）",
    "response_hours": "响应时限（小时）",
    "urgent": "紧急",
    "pressing": "较急",
    "normal": "一般",
    "complex": "疑难",
    "weights": "权重",
    "three_rates": "三率",
    "shift_leader": "值班长",
    "dispatcher": "派遣员",
    "overall": "综合",
} | {code: indicator.name for code, indicator in BY_CODE.items()}
_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Input:
    """One thing that may be decided."""

    name: str  # as in `Settings`, dots between its levels
    label: str
    value: str
    options: Mapping[str, str]


@pages.get("/rules/formulas")
async def show(visit: Visit) -> web.StreamResponse:
    """What holds this month, every version, and the form for the next."""
    force, versions = await in_force(today(visit.now)), await history()
    return visit.render(
        "formulas.html",
        title="考核口径",
        force=force,
        versions=list(zip(versions, _changed(versions), strict=True)),
        inputs=_inputs(force.settings),
        indicators=INDICATORS,
        month=f"{today(visit.now):%Y-%m}",
        edits=may_change(visit.staff),
    )


def _changed(versions: list[Version]) -> list[list[tuple[str, str, str]]]:
    """What each changed against the one before it."""
    before = [one.settings for one in versions[1:]] + [Settings()]
    return [said(differences(old, one.settings)) for one, old in zip(versions, before, strict=False)]


def said(changes: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """The same in words."""
    return [(_label(name), _value(name, old), _value(name, new)) for name, old, new in changes]


def _label(name: str) -> str:
    return "，".join(_NAMES.get(part, part) for part in name.split("."))


def _value(name: str, value: str) -> str:
    return _CHOICES.get(name, {}).get(value, value)


def _inputs(settings: Settings) -> list[Input]:
    found = []
    for name, value in asdict(settings).items():
        if name == "weights":
            for score, weights in value.items():
                codes = BY_CODE if score == "overall" else weights
                found += [_number(f"weights.{score}.{code}", weights.get(code)) for code in codes]
        elif isinstance(value, dict):
            found += [_number(f"{name}.{part}", inner) for part, inner in value.items()]
        elif name in _CHOICES:
            found.append(Input(name, _label(name), str(value), _CHOICES[name]))
        else:
            found.append(_number(name, value))
    return found


def _number(name: str, value: float | None) -> Input:
    return Input(name, _label(name), "" if value is None else f"{value:g}", {})


@pages.post("/rules/formulas")
async def write(visit: Visit) -> web.StreamResponse:
    """What a version would change; or it is written."""
    check_may_change(visit.staff)
    sent = {name: str(value).strip() for name, value in (await visit.request.post()).items() if name != "mark"}
    step, month, note = (sent.pop(name, "") for name in ("step", "month", "note"))
    if not _MONTH.fullmatch(month):
        raise BadRequest(f"month {month!r}", say="请选从哪个月起，比如 2026-12。")
    first = date.fromisoformat(f"{month}-01")
    settings = read_settings(_nested(sent))
    changes = said(differences((await in_force(first)).settings, settings))
    if step != "write":
        part = "formulas_changes.html" if visit.by_htmx else "formulas_tried.html"
        return visit.render(part, title="会改什么", changes=changes, month=month)
    if not changes:
        raise BadRequest("nothing changes", say="和现在的一样，不用写新的一版。")
    await add_version(visit.staff, first, settings, note, visit.now)
    return visit.go("/rules/formulas", f"新的一版从 {month} 起生效。已经固化的月份不变。")


def _nested(sent: Mapping[str, str]) -> dict[str, Any]:
    """`weights.overall.close_rate` into its place. Weights left empty are none."""
    found: dict[str, Any] = {}
    for name, value in sent.items():
        if not value and name.startswith("weights."):
            continue
        *path, last = name.split(".")
        at = found
        for part in path:
            at = at.setdefault(part, {})
        at[last] = value if name in _CHOICES and name != "satisfied_from" else _figure(name, value)
    return found


def _figure(name: str, value: str) -> float:
    try:
        figure = float(value)
    except ValueError:
        raise BadRequest(f"{name}: {value!r}", say=f"“{_label(name)}”要写数字。") from None
    return int(figure) if figure.is_integer() else figure
