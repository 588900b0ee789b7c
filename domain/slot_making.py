"""Slots made ahead from the plans' opening hours. A plan that changes never takes a seat from who has one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import structlog

from domain import timing
from domain.booking_hours import Time, closed_why, times_of
from domain.booking_rules import day_start
from domain.booking_seats import lock_slot
from domain.bookings import move_up
from domain.clock import SHANGHAI
from domain.worktime import WorkCalendar
from models.database import fetch, from_json, is_away, to_json, transaction

log = structlog.get_logger(__name__)

#: How the reason begins for which a slot is closed that the plan does not have any more.
_NOT_IN_PLAN = "开放时间调整"

_DUE = """
SELECT id FROM booking_plan WHERE active AND week <> '[]'::jsonb
    AND (made_until IS NULL OR made_until < $1::date + opens_days) ORDER BY id LIMIT 500
"""


async def make_slots(now: datetime) -> int:
    """Make the slots of every plan as far ahead as it opens; gives how many are new. A plan is looked through once a
    day, and after each change of it; doing it again, or twice at once, changes nothing."""
    today, made = day_start(now).date(), 0
    for row in await fetch(_DUE, today):
        try:
            made += await _make(row["id"], today, now)
        except Exception as error:
            if is_away(error):
                raise
            log.exception("slots of a plan not made", plan=row["id"])
    return made


_PLAN = """
SELECT week, opens_days, made_until IS NULL AS is_new FROM booking_plan WHERE id = $1 AND active FOR NO KEY UPDATE
"""
_THERE = "SELECT id, starts_at, ends_at, capacity, closed FROM slot WHERE plan_id = $1 AND starts_at > $2 ORDER BY id"
_ADD = """
INSERT INTO slot (plan_id, starts_at, ends_at, capacity, taken, waiting, closed)
SELECT $1, starts_at, ends_at, capacity, 0, 0, ''
FROM jsonb_to_recordset($2::jsonb) AS t(starts_at timestamptz, ends_at timestamptz, capacity int)
ON CONFLICT (plan_id, starts_at) DO NOTHING RETURNING id
"""
_MADE = "UPDATE booking_plan SET made_until = $2 WHERE id = $1"


async def _make(plan_id: int, today: date, now: datetime) -> int:
    async with transaction():
        plans = await fetch(_PLAN, plan_id)
        if not plans:
            return 0
        week, last = from_json(plans[0]["week"]), today + timedelta(days=plans[0]["opens_days"])
        wanted = await _wanted(week, today, last, now)
        for row in await fetch(_THERE, plan_id, now):
            if time := wanted.pop(row["starts_at"], None):
                await _as_planned(row, time, now, is_new=plans[0]["is_new"])
            elif not row["closed"]:
                await _close(row, week, now)
        rows = [
            {"starts_at": one.starts_at.isoformat(), "ends_at": one.ends_at.isoformat(), "capacity": one.capacity}
            for one in wanted.values()
        ]
        made = await fetch(_ADD, plan_id, to_json(rows))
        await fetch(_MADE, plan_id, last)
    return len(made)


_SPECIAL = "SELECT day, works FROM special_day WHERE day BETWEEN $1 AND $2"


async def _wanted(week: Sequence[Mapping[str, Any]], first: date, last: date, now: datetime) -> dict[datetime, Time]:
    """The calendar is read anew: a copy that lacks what was just imported would hold for a whole day."""
    special = {row["day"]: row["works"] for row in await fetch(_SPECIAL, first, last)}
    calendar = WorkCalendar(timing.current().hours, special)
    days = [first + timedelta(days=step) for step in range((last - first).days + 1)]
    found = [one for day in days for one in times_of(week, day, works=calendar.works(day))]
    return {one.starts_at: one for one in found if one.starts_at > now}


_SET = "UPDATE slot SET ends_at = $2, capacity = $3, closed = $4 WHERE id = $1"


async def _as_planned(row: Mapping[str, Any], time: Time, now: datetime, *, is_new: bool) -> None:
    """What staff closed stays closed; what the plan had given up is open again. More seats go to who waits. Seats that
    staff added or took away stay until the plan itself is another (`is_new`)."""
    given_up = row["closed"].startswith(_NOT_IN_PLAN)
    time = time if is_new else replace(time, capacity=row["capacity"])
    if not given_up and (row["ends_at"], row["capacity"]) == (time.ends_at, time.capacity):
        return
    if slot := await lock_slot(row["id"], now):
        slot.capacity = max(time.capacity, slot.taken)
        slot.closed = "" if slot.closed.startswith(_NOT_IN_PLAN) else slot.closed
        await fetch(_SET, slot.id, time.ends_at, slot.capacity, slot.closed)
        await move_up(slot, now)


async def _close(row: Mapping[str, Any], week: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Nobody new gets a seat; who has one keeps it until staff close the time."""
    why = closed_why(week, row["starts_at"].astimezone(SHANGHAI).date())
    if slot := await lock_slot(row["id"], now):
        reason = slot.closed or f"{_NOT_IN_PLAN}{f'：{why}' if why else ''}"
        await fetch(_SET, slot.id, slot.ends_at, slot.capacity, reason)
