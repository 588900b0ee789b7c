"""Absences of a file against one another and against those that are known.

Nobody is away twice at a time, and who stands in for somebody is there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.clock import SHANGHAI
from domain.organisation_plans import Known
from domain.tables import Faults, Row
from models.people import Absence


def say_day(moment: datetime, *, end: bool) -> str:
    """A day where it begins or ends with the day, else day and time."""
    local = moment.astimezone(SHANGHAI)
    if (local.hour, local.minute) == (0, 0):
        return (local - timedelta(days=1) if end else local).date().isoformat()
    return f"{local:%Y-%m-%d %H:%M}"


def check_cover(
    touched: Sequence[tuple[Row, Absence]], leaves: Sequence[Absence], known: Known, faults: Faults
) -> None:
    """A fault for each row that a file adds or changes and that cannot be. `leaves`: all absences as they are going to
    be; what was there before and stays as it was is not found fault with."""
    cover = _Cover(faults, {person.id: person.name for person in known.staff.values()})
    for leave in leaves:
        cover.by_staff[leave.staff_id].append(leave)
        if leave.deputy_id:
            cover.by_deputy[leave.deputy_id].append(leave)
    cover.rows = {id(leave): row for row, leave in touched}
    for row, leave in touched:
        cover.check_twice(row, leave)
        cover.check_deputy(row, leave)
        cover.check_covered(row, leave)


@dataclass(slots=True)
class _Cover:
    faults: Faults
    names: dict[int, str]
    by_staff: dict[int, list[Absence]] = field(default_factory=lambda: defaultdict(list))
    by_deputy: dict[int, list[Absence]] = field(default_factory=lambda: defaultdict(list))
    rows: dict[int, Row] = field(default_factory=dict)

    def check_twice(self, row: Row, leave: Absence) -> None:
        """Of two rows that overlap the later one is wrong."""
        others = [each for each in self._at_once(self.by_staff[leave.staff_id], leave) if self._earlier(each, row)]
        if others:
            wrong = f"{self.names[leave.staff_id]}这几天已经请假了（{self._said(others[0])}）"
            self.faults.cell(row, "starts_at", wrong, "一个人的请假不能重叠，请改日期，或者合成一行。")

    def check_deputy(self, row: Row, leave: Absence) -> None:
        """Who stands in is there, and nobody is stood in for by themselves in the end."""
        if leave.deputy_id is None:
            return
        away = self._at_once(self.by_staff[leave.deputy_id], leave)
        name = self.names[leave.deputy_id]
        if away and self._comes_back(leave):
            wrong = f"代来代去，{self.names[leave.staff_id]}的事最后没有人办（{name}也请假，{self._said(away[0])}）"
            self.faults.cell(row, "deputy", wrong, "请换一个那几天在岗、没有请假的人。")
        elif away:
            wrong = f"{name}那几天也请假了（{self._said(away[0])}）"
            self.faults.cell(row, "deputy", wrong, "请换一个那几天在岗的人，或者改日期。")

    def check_covered(self, row: Row, leave: Absence) -> None:
        """Who goes away stands in for nobody; where that stands in the file, its own row is found fault with."""
        known = [each for each in self.by_deputy[leave.staff_id] if id(each) not in self.rows]
        if covered := self._at_once(known, leave):
            name, other = self.names[leave.staff_id], self.names[covered[0].staff_id]
            wrong = f"那几天由{name}代{other}办（{self._said(covered[0])}）"
            mend = f"请在这张表里加一行，给{other}换一个代办人，或者改日期。"
            self.faults.cell(row, "starts_at", wrong, mend)

    def _at_once(self, others: Sequence[Absence], leave: Absence) -> list[Absence]:
        return [
            each
            for each in others
            if each is not leave and each.starts_at < leave.ends_at and each.ends_at > leave.starts_at
        ]

    def _earlier(self, other: Absence, row: Row) -> bool:
        there = self.rows.get(id(other))
        return there is None or there.number < row.number

    def _comes_back(self, leave: Absence) -> bool:
        """Whether the deputies of the deputies lead back to who is away."""
        seen, at = {leave.staff_id}, leave.deputy_id
        while at is not None and at not in seen:
            seen.add(at)
            at = next((each.deputy_id for each in self._at_once(self.by_staff[at], leave) if each.deputy_id), None)
        return at == leave.staff_id

    def _said(self, other: Absence) -> str:
        """12-01 到 12-03, and where that is written."""
        row = self.rows.get(id(other))
        days = f"{say_day(other.starts_at, end=False)} 到 {say_day(other.ends_at, end=True)}"
        return f"第 {row.number} 行，{days}" if row else f"已经登记，{days}"
