"""Cases whose deadlines are watched, and what people hear of them: what the tests of deadlines share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from domain import casework
from domain.clock import SHANGHAI
from domain.deadlines import watch
from domain.duties import find_duty
from domain.people import Person, find_person, join_grid
from domain.reports import Draft, report
from models.cases import Case, Duty
from models.messaging import Outbox as OutboxRow
from tests.town import WANG

CHEN = "o_chen"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def at(*parts: int) -> datetime:
    """A time on a clock in Wuhan, as the database keeps it."""
    return datetime(*parts, tzinfo=SHANGHAI).astimezone(UTC)


#: A Monday morning; until Friday every day is worked.
MONDAY = at(2026, 11, 16, 9, 0)


async def person(openid: str, now: datetime = MONDAY) -> Person:
    return await find_person(openid, now)


async def reported(limit: str = "10小时", *, now: datetime = MONDAY, urgent: bool = False, **duty: object) -> Case:
    """A lamp of the first grid, reported by Chen: with the grid's worker at once, unless `auto_accept` is off."""
    line = await find_duty("light.stairs", now.date())
    assert line
    await Duty.filter(id=line.id).update(handle_limit=limit, **duty)
    await join_grid(await person(CHEN, now), now, code="429906001001001")
    receipt = await report(await person(CHEN, now), Draft("灯坏了", "light.stairs", "楼道照明损坏", urgent=urgent), now)
    return receipt.case


async def signed(limit: str = "10小时", *, now: datetime = MONDAY, urgent: bool = False, **duty: object) -> Case:
    """The same, taken by the worker."""
    case = await reported(limit, now=now, urgent=urgent, **duty)
    return await casework.sign(await person(WANG), case.id, now)


async def told(openid: str, after: int = 0) -> list[str]:
    """What was left for somebody, oldest first."""
    return [row.payload["text"] for row in await OutboxRow.filter(recipient=openid, id__gt=after).order_by("id")]


async def mark() -> int:
    """The newest message so far."""
    newest = await OutboxRow.all().order_by("-id").first()
    return newest.id if newest else 0


async def tick(start: datetime, end: datetime, step: timedelta = HOUR / 2) -> list[datetime]:
    """Let watches look all the time; gives when one of them did something."""
    acted, now = [], start
    while now <= end:
        if await watch(now):
            acted.append(now)
        now += step
    return acted


async def now_of(case: Case) -> Case:
    return await Case.get(id=case.id)
