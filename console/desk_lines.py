"""A case as one line of a list: what it says of its time, what is special about it, and whether it has changed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from console.shown import due, status_name
from domain.bulk import fitting
from domain.desk import Row
from domain.notices import serial
from domain.people import Post
from models.enums import Status, Urgency

#: From so long before its time on a case is said to be due soon.
SOON = timedelta(hours=24)

Pace = Literal["late", "soon", "stopped", "calm"]


@dataclass(frozen=True, slots=True)
class Line:
    """What a list shows of a case. `pace` colours the line, and `due` says the same in words."""

    id: int
    number: str
    serial: str
    subject: str
    place: str
    area: str
    holder: str
    status: str
    due: str
    pace: Pace
    marks: tuple[str, ...]
    reported_at: datetime
    asked: str
    fits: str  # the step for many that is most likely wanted; "" = none
    state: str  # another whenever the line says something new

    @property
    def name(self) -> str:
        """How it is announced: 0037 楼道照明损坏."""
        return f"{self.serial} {self.subject}"


def line_of(row: Row, now: datetime, post: Post, asked: str = "") -> Line:
    """The line of a case, as somebody of this post has it."""
    said, pace = _time(row, now)
    holder = row.holder or "还没派人"
    holder = f"{row.department} {holder}" if row.department else holder
    status, marks = status_name(row.status), _marks(row)
    told = "|".join((row.subject, row.place, row.area, holder, status, str(row.due_at), pace, asked, *marks))
    return Line(
        id=row.id,
        number=row.number,
        serial=serial(row.number),
        subject=row.subject,
        place=row.place or "地点未说明",
        area=row.area,
        holder=holder,
        status=status,
        due=said,
        pace=pace,
        marks=marks,
        reported_at=row.reported_at,
        asked=asked,
        fits=fitting(post, row.status, row.holder_id) or "",
        state=hashlib.sha256(told.encode()).hexdigest()[:12],
    )


def likeliest(lines: Iterable[Line]) -> str:
    """The step that fits most of these; "" where none does."""
    fits = Counter(line.fits for line in lines if line.fits)
    return fits.most_common(1)[0][0] if fits else ""


def _time(row: Row, now: datetime) -> tuple[str, Pace]:
    if row.closed_at:
        return "已结束", "calm"
    if row.status in (Status.DISPOSED, Status.VERIFIED):
        return "不计时", "calm"
    if row.overdue:
        return due(row.due_at, now) if row.due_at and row.due_at < now else "已超时", "late"
    if row.status is Status.SUSPENDED:
        return "暂停计时", "stopped"
    if row.due_at and row.due_at - now <= SOON:
        return f"{due(row.due_at, now)} · 快到期", "soon"
    return due(row.due_at, now), "calm"


def _marks(row: Row) -> tuple[str, ...]:
    found = (
        (row.urgency == Urgency.URGENT, "紧急"),
        (row.urgency == Urgency.PRESSING, "较急"),
        (row.round > 1, f"第 {row.round} 次办"),
        (row.urged > 0, f"居民催 {row.urged} 次"),
        (row.supervised > 0, "督办"),
    )
    return tuple(text for holds, text in found if holds)
