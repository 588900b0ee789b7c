"""How a case reads in chat: one line in a list, a card with its timeline for the resident, a card for staff."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.clock import say_deadline, say_latest, say_moment
from domain.lookup import Line
from domain.notices import STATUS_NAMES, excerpt, mood_hint, serial
from models.cases import Case
from models.enums import Status, Urgency

_LINES = 4
_SAID = {
    "report": "上报：",
    "note": "说：",
    "dispose": "处理完：",
    "comment": "说：",
    "supplement": "补充：",
    "reopen": "说没解决：",
    "reject": "没有受理：",
    "return": "退回：",
}


def list_line(case: Case) -> str:
    """`0037 楼道照明损坏：处理中`."""
    return f"{serial(case.number)} {case.subject}：{STATUS_NAMES[case.status]}"


def task_line(case: Case, now: datetime) -> str:
    """`0037 楼道照明损坏｜3栋2单元｜明天下午 6 点前`, marked when urgent or overdue."""
    marks = {Urgency.URGENT: "紧急 ", Urgency.PRESSING: "较急 "}.get(case.urgency, "")
    late = bool(case.due_at and case.due_at < now)
    due = "已超时" if late else say_deadline(case.due_at, now) if case.due_at else "尽快"
    new = "（新）" if case.status is Status.DISPATCHED else ""
    return f"{marks}{serial(case.number)} {case.subject}{new}｜{case.place or '地点未说明'}｜{due}"


def _sentence(line: Line, now: datetime, *, mine: bool) -> str:
    actor = {"系统": "", "居民": "您" if mine else "居民"}.get(line.actor, line.actor)
    said = f"{_SAID.get(line.verb, '')}{excerpt(line.text, 40)}"
    return f"{say_moment(line.at, now)} {actor}{said}"


def resident_card(case: Case, lines: Sequence[Line], now: datetime) -> str:
    """The status, the last steps and the promised time."""
    shown = [_sentence(line, now, mine=True) for line in lines[-_LINES:] if line.text]
    due = f"{say_latest(case.due_at, now)}。" if case.due_at and case.closed_at is None else ""
    if case.due_at and case.closed_at is None and case.due_at < now:
        due = "已经超过答应的时间，对不起。可以回复 1 催一下。"
    return "\n".join([list_line(case), *shown, *([due] if due else [])])


def staff_card(case: Case, lines: Sequence[Line], now: datetime) -> str:
    """The task, what was written, and the last steps."""
    shown = [_sentence(line, now, mine=False) for line in lines[-_LINES:] if line.verb != "report" and line.text]
    said = f"“{excerpt(case.description, 200)}”{mood_hint(case)}"
    return "\n".join([f"{task_line(case, now)}（{STATUS_NAMES[case.status]}）", said, *shown])
