"""Every status × verb × person: exactly the table's cells succeed; everything else changes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from domain import casework, rating, requests, supervision, together
from domain.access import access_case, relation
from domain.people import Person, find_person
from domain.reports import Draft
from domain.requests import Wish
from errors import Conflict, LinliError, NotAllowed, NotFound
from models.cases import Assist, Case, CaseRequest, Supervision
from models.database import fetch, transaction
from models.enums import Level, RequestKind, Source, Status, Urgency
from models.people import Area, Department, Resident, Staff
from models.transitions import TRANSITIONS, Verb, Who, find_transition

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=9)
Action = Callable[[Person, int], Awaitable[object]]

ACTIONS: dict[Verb, Action] = {
    Verb.SIGN: lambda who, case: casework.sign(who, case, NOW),
    Verb.NOTE: lambda who, case: casework.write_note(who, case, "看过了", NOW),
    Verb.DISPOSE: lambda who, case: casework.dispose(who, case, "换了灯泡，已经亮了，请放心", NOW),
    Verb.VERIFY: lambda who, case: casework.verify(who, case, NOW),
    Verb.REWORK: lambda who, case: casework.rework(who, case, "没修好", NOW),
    Verb.ESCALATE: lambda who, case: casework.escalate(who, case, "太难", NOW),
    Verb.REJECT: lambda who, case: casework.reject(who, case, "不归我们管", NOW),
    Verb.RECATEGORISE: lambda who, case: casework.recategorise(
        who, case, ("light.street", "路灯不亮", "城乡建设"), NOW
    ),
    Verb.CLOSE: lambda who, case: rating.confirm_solved(who, case, NOW),
    Verb.URGE: lambda who, case: rating.urge(who, case, NOW),
    Verb.SUPPLEMENT: lambda who, case: rating.supplement(who, case, "还有一盏", NOW),
    Verb.WITHDRAW: lambda who, case: rating.withdraw(who, case, NOW),
    Verb.ASK_RETURN: lambda who, case: requests.ask(who, case, Wish(RequestKind.RETURN, "不是我的"), NOW),
    Verb.ASK_EXTEND: lambda who, case: requests.ask(who, case, Wish(RequestKind.EXTEND, "等配件", LATER), NOW),
    Verb.ASK_SUSPEND: lambda who, case: requests.ask(who, case, Wish(RequestKind.SUSPEND, "等开春", LATER), NOW),
    Verb.ASK_VOID: lambda who, case: requests.ask(who, case, Wish(RequestKind.VOID, "报重了"), NOW),
    Verb.RETURN: lambda who, case: requests.grant(who, case, RequestKind.RETURN, NOW),
    Verb.EXTEND: lambda who, case: requests.grant(who, case, RequestKind.EXTEND, NOW),
    Verb.SUSPEND: lambda who, case: requests.grant(who, case, RequestKind.SUSPEND, NOW),
    Verb.VOID: lambda who, case: requests.grant(who, case, RequestKind.VOID, NOW),
    Verb.REFUSE: lambda who, case: requests.refuse(who, case, "没有道理", NOW),
    Verb.WAIT: lambda who, case: requests.wait_for_resident(who, case, "是哪一盏灯", NOW),
    Verb.RESUME: lambda who, case: requests.resume(who, case, NOW),
    Verb.TRANSFER: lambda who, case: together.transfer(who, case, "刘洋", "在他那边", NOW),
    Verb.TAKE_OVER: lambda who, case: together.take_over(who, case, NOW),
    Verb.ASSIST: lambda who, case: together.assist(who, case, "刘洋", "搭把手", NOW),
    Verb.ASSISTED: lambda who, case: together.assisted(who, case, "搭好了", NOW),
    Verb.SPLIT: lambda who, case: together.split(who, case, Draft("另一盏也不亮", "light.street", "路灯不亮"), NOW),
    Verb.SUPERVISE: lambda who, case: supervision.supervise(who, case, "今天内到现场", NOW),
    Verb.ANSWER: lambda who, case: supervision.answer(who, case, "已到现场", NOW),
    Verb.MEMO: lambda who, case: supervision.memo(who, case, "钥匙在门卫", NOW),
}
#: Tested as journeys: they choose a grid, a window or a second case first.
ELSEWHERE = {Verb.ACCEPT, Verb.DISPATCH, Verb.REOPEN, Verb.MERGE, Verb.ABSORB, Verb.JOIN, Verb.LEAVE}

#: What each person of the demo community is to a case of the first grid, held by its worker; 城管 has the lead.
PEOPLE: dict[str, set[Who]] = {
    "reporter": {Who.REPORTER},
    "王芳": {Who.HOLDER},
    "李主任": {Who.DISPATCHER, Who.SUPERVISOR},
    "周科长": {Who.DISPATCHER, Who.SUPERVISOR},
    "郑主任": {Who.DISPATCHER, Who.SUPERVISOR},
    "钱队员": {Who.COLLEAGUE},
    "刘洋": set(),
    "何主任": set(),
    "冯所长": set(),
    "stranger": set(),
}
_ASKED = {
    Verb.RETURN: RequestKind.RETURN,
    Verb.EXTEND: RequestKind.EXTEND,
    Verb.SUSPEND: RequestKind.SUSPEND,
    Verb.VOID: RequestKind.VOID,
    Verb.REFUSE: RequestKind.RETURN,
}


async def prepare(verb: Verb, case: Case) -> dict[str, set[Who]]:
    """What must stand beside the case for the verb; gives what everybody is to it then."""
    people = {name: set(relations) for name, relations in PEOPLE.items()}
    wang, liu = await Staff.get(name="王芳"), await Staff.get(name="刘洋")
    if verb in _ASKED:
        await CaseRequest.create(
            case_id=case.id, kind=_ASKED[verb], asked_by_id=wang.id, asked_at=NOW, reason="有理由", until=LATER,
            decider_level=Level.STREET,
        )  # fmt: skip
        for name in ("周科长", "郑主任"):  # the community is too low for this one
            people[name].add(Who.DECIDER)
    elif verb is Verb.TAKE_OVER:
        await CaseRequest.create(
            case_id=case.id, kind=RequestKind.TRANSFER, asked_by_id=wang.id, asked_at=NOW, reason="在那边",
            to_staff_id=liu.id, decider_level=Level.GRID,
        )  # fmt: skip
        people["刘洋"] = {Who.OFFERED}
    elif verb is Verb.ASSISTED:
        await Assist.create(case_id=case.id, staff_id=liu.id, text="搭把手", asked_at=NOW)
        people["刘洋"] = {Who.ASSISTANT}
    elif verb is Verb.ANSWER:
        await Supervision.create(case_id=case.id, asked_at=NOW, text="快", due_at=LATER)
    elif verb in (Verb.VERIFY, Verb.REWORK):
        await Case.filter(id=case.id).update(holder_id=liu.id)
        people |= {"王芳": {Who.CHECKER}, "刘洋": {Who.HOLDER}}
    return people


class RolledBack(Exception):
    """Ends the try's transaction without a trace."""


async def a_case(status: Status) -> Case:
    grid = await Area.get(code="429906001001001")
    reporter, _ = await Resident.get_or_create(openid="o_reporter", defaults={"created_at": NOW})
    worker = await Staff.get(name="王芳")
    return await Case.create(
        number=f"20261120-{9000 + await Case.all().count()}",
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
        department_id=(await Department.get(code="CG-SGH")).id,
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
        known = await prepare(verb, case)
        before = await traces(case.id)
        for name, relations in known.items():
            error = await attempt(ACTIONS[verb], people[name], case.id, before)
            where = f"{name} {verb} from {status}"
            if not relations:
                assert isinstance(error, NotFound), where
            elif not relations & allowed:
                assert isinstance(error, NotAllowed), where
            elif find_transition(verb, status) is None:
                assert isinstance(error, Conflict), where
            else:
                assert error is None, f"{where}: {error}"


async def attempt(action: Action, person: Person, case_id: int, before: dict[str, object]) -> LinliError | None:
    """Try, look at what it did, and roll it back. A refusal must have written nothing."""
    refusal: LinliError | None = None
    try:
        async with transaction():
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


async def traces(case_id: int) -> dict[str, object]:
    """Everything an action could leave behind."""
    (found,) = await fetch(
        "SELECT to_jsonb(c)::text AS whole, (SELECT count(*) FROM audit_event) AS audited, "
        "(SELECT count(*) FROM case_event WHERE case_id = c.id) AS steps, "
        "(SELECT count(*) FROM outbox WHERE case_id = c.id) AS notices FROM cases c WHERE c.id = $1",
        case_id,
    )
    return found


async def test_a_departments_colleague_reads_what_it_holds_or_helped_with_and_does_nothing(orm: None):
    case = await a_case(Status.DISPOSING)
    ma, qian, feng = [await someone(name) for name in ("马队长", "钱队员", "冯所长")]
    assert ma.post
    for known in ({"department_id": None, "holder_id": ma.post.id}, {"holder_id": None}):
        await Case.filter(id=case.id).update(**known)
        if known["holder_id"] is None:
            await Assist.create(case_id=case.id, staff_id=ma.post.id, text="搭把手", asked_at=NOW, done_at=NOW)
        assert (await access_case(qian, case.id)).id == case.id
        assert await relation(qian, await Case.get(id=case.id)) == {Who.COLLEAGUE}
        with pytest.raises(NotAllowed):
            await casework.write_note(qian, case.id, "看过了", NOW)
        with pytest.raises(NotFound):
            await access_case(feng, case.id)


def test_no_row_of_the_table_is_for_a_colleague():
    assert not [row.verb for row in TRANSITIONS if Who.COLLEAGUE in row.who]


async def test_every_verb_of_the_table_is_tried_or_belongs_to_a_rule():
    by_people = {row.verb for row in TRANSITIONS if row.who - {Who.RULE}}
    assert by_people - ELSEWHERE == set(ACTIONS)


async def test_no_status_is_a_dead_end_but_the_last_ones():
    for status in Status:
        ways = {row.target for row in TRANSITIONS if status in row.sources and row.target}
        assert bool(ways) == (status.is_open or status is Status.CLOSED), status
