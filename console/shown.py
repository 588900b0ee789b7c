"""How values are shown on pages: times, states, sizes. All of Jinja2's filters of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from domain.clock import SHANGHAI, say_deadline, say_moment
from domain.notices import STATUS_NAMES, serial
from domain.people import role_name
from models.enums import Status


def moment(at: datetime | None, now: datetime) -> str:
    """`今天 9:05`; a dash for never."""
    return say_moment(at, now) if at else "—"


def due(at: datetime | None, now: datetime) -> str:
    """`明天下午 6 点前`, `已超时 3 小时`; a dash where nothing is promised."""
    if at is None:
        return "—"
    return say_deadline(at, now) if at > now else f"已超时 {_length((now - at).total_seconds())}"


def _length(seconds: float) -> str:
    hours = int(seconds // 3600)
    return f"{hours // 24} 天" if hours >= 24 else f"{hours} 小时" if hours else f"{int(seconds // 60)} 分钟"


def clock(at: datetime) -> str:
    """`2026-11-21 09:05` in China, for lists that are compared line by line."""
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def status_name(status: Status) -> str:
    """A status as staff read it; `您` is the resident in what residents are told."""
    return "待居民确认" if status is Status.VERIFIED else STATUS_NAMES[status]


def local(at: datetime) -> str:
    """`2026-11-21T09:05` in China, as a field for a date and a time has it."""
    return f"{at.astimezone(SHANGHAI):%Y-%m-%dT%H:%M}"


def quoted(text: str) -> str:
    """Somebody's code as one part of an address."""
    return quote(text, safe="")


def wall(at: datetime) -> str:
    """`9:05` in China."""
    local = at.astimezone(SHANGHAI)
    return f"{local.hour}:{local.minute:02}"


def hours(start: datetime, end: datetime) -> str:
    """`9:00–9:30` in China."""
    return f"{wall(start)}–{wall(end)}"


FILTERS: Mapping[str, Callable[..., Any]] = {
    "moment": moment,
    "due": due,
    "clock": clock,
    "local": local,
    "wall": wall,
    "quoted": quoted,
    "hours": hours,
    "serial": serial,
    "status_name": status_name,
    "role_name": role_name,
}
