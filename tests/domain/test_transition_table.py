"""Every status × verb × person: exactly the table's cells succeed; everything else changes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from tortoise.transactions import in_transaction

from domain import casework, rating
from domain.people import Person, find_person
from errors import Conflict, LinliError, NotAllowed, NotFound
from models.audit import AuditEvent
from models.cases import Case, CaseEvent
from models.enums import Source, Status, Urgency
from models.messaging import Outbox
from models.people import Area, Resident, Staff
from models.transitions import TRANSITIONS, Verb, Who, find_transition

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
Action = Callable[[Person, int], Awaitable[object]]

ACTIONS: dict[Verb, Action] = {
    Verb.SIGN: lambda who, case: casework.sign(who, case, NOW),
    Verb.NOTE: lambda who, case: casework.write_note(who, case, "看过了", NOW),
    Verb.DISPOSE: lambda who, case: casework.dispose(who, case, "修好了", NOW),
    Verb.VERIFY: lambda who, case: casework.verify(who, case, NOW),
    Verb.REWORK: lambda who, case: casework.rework(who, case, "没修好", NOW),
    Verb.ESCALATE: lambda who, case: casework.escalate(who, case, "太难", NOW),
    Verb.RETURN: lambda who, case: casework.return_(who, case, "不是我的", NOW),
    Verb.REJECT: lambda who, case: casework.reject(who, case, "不归我们管", NOW),
    Verb.CLOSE: lambda who, case: rating.confirm_solved(who, case, NOW),
    Verb.URGE: lambda who, case: rating.urge(who, case, NOW),
    Verb.SUPPLEMENT: lambda who, case: rating.supplement(who, case, "还有一盏", NOW),
    Verb.WITHDRAW: lambda who, case: rating.withdraw(who, case, NOW),
}

#: What each person of the demo community is to a case of the first grid, held by its worker.
PEOPLE: dict[str, set[Who]] = {
    "reporter": {Who.REPORTER},
    "王芳": {Who.HOLDER},
    "李主任": {Who.DISPATCHER, Who.SUPERVISOR},
    "周科长": {Who.DISPATCHER, Who.SUPERVISOR},
    "郑主任": {Who.DISPATCHER, Who.SUPERVISOR},
    "刘洋": set(),
    "何主任": set(),
    "stranger": set(),
}


class RolledBack(Exception):
    """Ends the try's transaction without a trace."""


async def a_case(status: Status) -> Case:
    grid = await Area.get(code="429906001001001")
    reporter, _ = await Resident.get_or_create(openid="o_reporter", defaults={"created_at": NOW})
    worker = await Staff.get(name="王芳")
    return await Case.create(
        number=f"20261120-{await Case.all().count() + 1:04}",
        status=status,
        category="light.stairs",
        subject="楼道照明损坏",
        urgency=Urgency.NORMAL,
        source=Source.WECHAT,
        description="灯坏了",
        reporter_id=reporter.id,
        grid_id=grid.id,
        area_id=grid.id,
        holder_id=worker.id,
        reported_at=NOW,
        due_at=NOW + timedelta(days=1),
    )


async def someone(name: str) -> Person:
    if name in ("reporter", "stranger"):
        return await find_person(f"o_{name}", NOW)
    staff = await Staff.get(name=name)
    staff.openid = f"o_staff_{staff.id}"
    await staff.save()
    return await find_person(staff.openid, NOW)


@pytest.mark.parametrize("verb", list(ACTIONS))
async def test_exactly_the_cells_of_the_table_succeed(orm: None, verb: Verb):
    people = {name: await someone(name) for name in PEOPLE}
    allowed = frozenset().union(*(row.who for row in TRANSITIONS if row.verb is verb))
    for status in Status:
        case = await a_case(status)
        for name, relations in PEOPLE.items():
            error = await attempt(ACTIONS[verb], people[name], case.id)
            where = f"{name} {verb} from {status}"
            if not relations:
                assert isinstance(error, NotFound), where
            elif not relations & allowed:
                assert isinstance(error, NotAllowed), where
            elif find_transition(verb, status) is None:
                assert isinstance(error, Conflict), where
            else:
                assert error is None, f"{where}: {error}"


async def attempt(action: Action, person: Person, case_id: int) -> LinliError | None:
    """Try, look at what it did, and roll it back. A refusal must have written nothing."""
    before = await traces(case_id)
    refusal: LinliError | None = None
    try:
        async with in_transaction():
            try:
                await action(person, case_id)
            except LinliError as error:
                refusal = error
                assert await traces(case_id) == before, "a refused attempt changes nothing"
            else:
                assert await traces(case_id) != before, "an action leaves a trace"
            raise RolledBack
    except RolledBack:
        return refusal


async def traces(case_id: int) -> tuple[object, ...]:
    """Everything an action could leave behind."""
    case = await Case.get(id=case_id).values()
    counts = [await model.filter(case_id=case_id).count() for model in (CaseEvent, Outbox)]
    return (tuple(case.items()), *counts, await AuditEvent.all().count())


async def test_every_verb_of_the_table_is_tried_or_belongs_to_a_rule():
    by_people = {row.verb for row in TRANSITIONS if row.who - {Who.RULE}}
    elsewhere = {Verb.ACCEPT, Verb.DISPATCH, Verb.REOPEN}  # tested as journeys: they choose a grid or a window first
    assert by_people - elsewhere == set(ACTIONS)


async def test_no_status_is_a_dead_end_but_the_last_ones():
    for status in Status:
        ways = {row.target for row in TRANSITIONS if status in row.sources and row.target}
        assert bool(ways) == (status.is_open or status is Status.CLOSED), status
