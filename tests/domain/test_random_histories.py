"""Whatever people try in whatever order: a case walks a legal path, has one holder, and its milestones are in order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from domain import casework, dispatching, rating, requests, supervision, together
from domain.audit import verify
from domain.people import Person, find_person
from domain.reports import Draft, report
from domain.requests import Wish
from errors import LinliError
from models.cases import Case, CaseEvent, CaseRequest
from models.enums import RequestKind, RequestState, Status
from models.people import Staff
from models.transitions import TRANSITIONS, Verb
from tests.town import CHEN, LI, WANG, ZHOU, Town

Step = Callable[[Person, int, datetime], Awaitable[object]]
WITHIN = timedelta(days=15)


def _wish(kind: RequestKind) -> Step:
    return lambda who, case, now: requests.ask(who, case, Wish(kind, "有理由", now + timedelta(days=20)), now)


def _grant(kind: RequestKind) -> Step:
    return lambda who, case, now: requests.grant(who, case, kind, now)


STEPS: dict[str, Step] = {
    "sign": casework.sign,
    "note": lambda who, case, now: casework.write_note(who, case, "在看", now),
    "dispose": lambda who, case, now: casework.dispose(who, case, "换了灯泡，已经亮了，请放心", now),
    "verify": casework.verify,
    "rework": lambda who, case, now: casework.rework(who, case, "没好", now),
    "escalate": lambda who, case, now: casework.escalate(who, case, "太难", now),
    "reject": lambda who, case, now: casework.reject(who, case, "不归我们", now),
    "reopen": lambda who, case, now: casework.reopen_as_superior(who, case, "再看看", now),
    "dispatch": lambda who, case, now: dispatching.dispatch_to_grid(who, case, "第二网格", now),
    "close": rating.confirm_solved,
    "not solved": lambda who, case, now: rating.say_not_solved(who, case, "没好", now, within=WITHIN),
    "urge": rating.urge,
    "withdraw": rating.withdraw,
    "wait": lambda who, case, now: requests.wait_for_resident(who, case, "哪一盏", now),
    "resume": requests.resume,
    "refuse": lambda who, case, now: requests.refuse(who, case, "不行", now),
    "transfer": lambda who, case, now: together.transfer(who, case, "刘洋", "在他那边", now),
    "take over": together.take_over,
    "assist": lambda who, case, now: together.assist(who, case, "刘洋", "搭把手", now),
    "assisted": lambda who, case, now: together.assisted(who, case, "好了", now),
    "supervise": lambda who, case, now: supervision.supervise(who, case, "快", now),
    "answer": lambda who, case, now: supervision.answer(who, case, "在办", now),
    **{f"ask {kind}": _wish(kind) for kind in RequestKind if kind is not RequestKind.TRANSFER},
    **{f"grant {kind}": _grant(kind) for kind in RequestKind if kind is not RequestKind.TRANSFER},
}
LIU = "o_liu"
PEOPLE = (CHEN, WANG, LI, ZHOU, LIU)
_TARGETS = {(row.verb, source): row.target or source for row in TRANSITIONS for source in row.sources}
_MILESTONES = ("reported_at", "accepted_at", "dispatched_at", "signed_at", "disposed_at", "verified_at", "closed_at")
_HELD = {Status.DISPATCHED, Status.DISPOSING, Status.SUSPENDED, Status.DISPOSED}


@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    moves=st.lists(
        st.tuples(st.sampled_from(sorted(STEPS)), st.sampled_from(PEOPLE), st.integers(1, 2_000)),
        min_size=20,
        max_size=40,
    )
)
async def test_any_order_of_attempts_leaves_a_case_that_can_be_explained(
    town: Town, moves: list[tuple[str, str, int]]
) -> None:
    await _everybody_has_a_phone(town)
    chen = await find_person(CHEN, town.clock())
    case_id = (await report(chen, Draft("楼道灯坏了", "light.stairs", "楼道照明损坏"), town.clock())).case.id
    for name, openid, minutes in moves:
        town.clock.advance(timedelta(minutes=minutes))
        person = await find_person(openid, town.clock())
        before = await Case.get(id=case_id).values()
        refused = await _try(STEPS[name](person, case_id, town.clock()))
        if refused:
            assert refused.say, f"{name}: a refusal tells what to do next"
            assert await Case.get(id=case_id).values() == before, f"{name} was refused and changed the case"
        await _is_sound(case_id)
    assert (await verify()).fault == ""


async def _try(step: Awaitable[object]) -> LinliError | None:
    try:
        await step
    except LinliError as error:
        return error
    return None


async def _everybody_has_a_phone(town: Town) -> None:
    if (await find_person(LIU, town.clock())).post is None:
        await Staff.filter(name="刘洋").update(openid=LIU)


async def _is_sound(case_id: int) -> None:
    case = await Case.get(id=case_id)
    events = [event for event in await CaseEvent.filter(case_id=case_id).order_by("id") if event.verb != "rate"]
    assert events[0].verb == Verb.REPORT
    status = events[0].status
    for event in events[1:]:
        assert _TARGETS.get((Verb(event.verb), status)) == event.status, f"{event.verb} from {status}"
        status = event.status
    assert status == case.status
    assert (case.status not in _HELD) or case.holder_id is not None
    moments = [(name, getattr(case, name)) for name in _MILESTONES if getattr(case, name)]
    assert [at for _, at in moments] == sorted(at for _, at in moments), moments
    assert (case.closed_at is None) == case.status.is_open
    assert (case.suspended_at is not None) == (case.status is Status.SUSPENDED)
    waiting = await CaseRequest.filter(case_id=case_id, state=RequestState.OPEN)
    assert len({one.kind for one in waiting}) == len(waiting)
    assert case.status.is_open or not waiting
