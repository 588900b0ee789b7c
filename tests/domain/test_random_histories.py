"""Whatever people try in whatever order: a case walks a legal path, has one holder, its milestones are in order
and those of its timeline, and the indicators are what a slow recount of all cases says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from domain import casework, dispatching, rating, requests, supervision, together
from domain.audit import verify
from domain.clock import SHANGHAI
from domain.figures_counts import COUNTS
from domain.figures_settings import Settings
from domain.indicators import By, Period, measure
from domain.people import Person, find_person
from domain.reports import Draft, report
from domain.requests import Wish
from errors import LinliError
from models.cases import Case, CaseEvent, CaseRequest
from models.enums import RequestKind, RequestState, Status
from models.people import Area, Staff
from models.transitions import TRANSITIONS, Verb
from tests.domain.slow_recount import recount
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
    "rate": lambda who, case, now: rating.rate(who, case, 1 + now.minute % 3, now),
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
HOLDER = ""  # whoever has it
#: What would usually be tried next, so that histories get far; the rest of the attempts is anything by anybody.
USUAL: dict[Status, list[tuple[str, str]]] = {
    Status.ACCEPTED: [("dispatch", LI)],
    Status.DISPATCHED: [("sign", HOLDER), ("sign", HOLDER), ("dispose", HOLDER), ("ask return", HOLDER)],
    Status.DISPOSING: [("dispose", HOLDER), ("dispose", HOLDER), ("ask suspend", HOLDER), ("escalate", HOLDER)],
    Status.SUSPENDED: [("resume", HOLDER), ("resume", LI)],
    Status.DISPOSED: [("verify", WANG), ("rework", LI)],
    Status.VERIFIED: [("close", CHEN), ("close", CHEN), ("not solved", CHEN)],
    Status.CLOSED: [("rate", CHEN), ("rate", CHEN), ("not solved", CHEN), ("reopen", ZHOU)],
}
#: A request that is open is usually decided.
DECIDED = [("grant return", LI), ("grant suspend", LI), ("grant extend", ZHOU), ("refuse", ZHOU)]
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
        st.tuples(st.sampled_from(sorted(STEPS)), st.sampled_from(PEOPLE), st.integers(1, 2_000), st.integers(-8, 11)),
        min_size=20,
        max_size=40,
    )
)
async def test_any_order_of_attempts_leaves_a_case_that_can_be_explained(
    town: Town, moves: list[tuple[str, str, int, int]]
) -> None:
    await _everybody_has_a_phone(town)
    chen = await find_person(CHEN, town.clock())
    case_id = (await report(chen, Draft("楼道灯坏了", "light.stairs", "楼道照明损坏"), town.clock())).case.id
    for some, anybody, minutes, usual in moves:
        town.clock.advance(timedelta(minutes=minutes))
        name, openid = await _usual(case_id, usual) if usual >= 0 else (some, anybody)
        person = await find_person(openid, town.clock())
        before = await Case.get(id=case_id).values()
        refused = await _try(STEPS[name](person, case_id, town.clock()))
        if refused:
            assert refused.say, f"{name}: a refusal tells what to do next"
            assert await Case.get(id=case_id).values() == before, f"{name} was refused and changed the case"
        await _is_sound(case_id)
    assert (await verify()).fault == ""
    reported = (await Case.get(id=case_id)).reported_at
    await _sums_equal_a_slow_recount(reported, town.clock())


async def _try(step: Awaitable[object]) -> LinliError | None:
    try:
        await step
    except LinliError as error:
        return error
    return None


async def _everybody_has_a_phone(town: Town) -> None:
    if (await find_person(LIU, town.clock())).post is None:
        await Staff.filter(name="刘洋").update(openid=LIU)
        for staff in await Staff.filter(openid=None):
            await Staff.filter(id=staff.id).update(openid=f"o_staff_{staff.id}")


async def _usual(case_id: int, choice: int) -> tuple[str, str]:
    """(step, who tries it) that would usually come next."""
    case = await Case.get(id=case_id)
    steps = USUAL.get(case.status, [("note", HOLDER)])
    if choice % 2 and await CaseRequest.exists(case_id=case_id, state=RequestState.OPEN):
        steps = DECIDED
    name, openid = steps[choice % len(steps)]
    holder = await Staff.get_or_none(id=case.holder_id)
    return name, openid or (holder.openid if holder else None) or WANG


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
    _milestones_are_the_timelines(case, events)
    moments = [(name, getattr(case, name)) for name in _MILESTONES if getattr(case, name)]
    assert [at for _, at in moments] == sorted(at for _, at in moments), moments
    assert (case.closed_at is None) == case.status.is_open
    assert (case.suspended_at is not None) == (case.status is Status.SUSPENDED)
    waiting = await CaseRequest.filter(case_id=case_id, state=RequestState.OPEN)
    assert len({one.kind for one in waiting}) == len(waiting)
    assert case.status.is_open or not waiting


def _milestones_are_the_timelines(case: Case, events: Sequence[CaseEvent]) -> None:
    """What the indicators count by is when the lines of the timeline were written."""

    def times(*verbs: Verb) -> list[datetime]:
        return [event.at for event in events if event.verb in verbs]

    assert case.reported_at == events[0].at
    assert case.accepted_at == next(iter(times(Verb.ACCEPT)), None)
    assert case.disposed_at in (None, *times(Verb.DISPOSE)[-1:])
    assert case.verified_at in (None, *times(Verb.VERIFY)[-1:])
    ended = [event.at for event in events if not Status(event.status).is_open]
    assert case.closed_at == (None if case.status.is_open else _first_of_the_last_end(case, events, ended))


def _first_of_the_last_end(case: Case, events: Sequence[CaseEvent], ended: Sequence[datetime]) -> datetime:
    """When the case ended for the last time; what is said of it afterwards does not move that."""
    opened = max((event.at for event in events if Status(event.status).is_open), default=case.reported_at)
    return min(at for at in ended if at >= opened)


async def _sums_equal_a_slow_recount(start: datetime, now: datetime) -> None:
    """Every month since then and the one after: the total, and each area, unit, person and category."""
    cases = await Case.all()
    first_dispatch: dict[int, datetime] = {}
    for event in await CaseEvent.filter(verb=Verb.DISPATCH).order_by("-at"):
        first_dispatch[event.case_id] = event.at
    parent: dict[int | None, int | None] = {area.id: area.parent_id for area in await Area.all()}
    street = (await Area.get(code="429906001")).id

    def below_street(case: Case) -> object:
        place: int | None = case.grid_id or case.area_id
        while parent[place] not in (street, None) and place != street:
            place = parent[place]
        return place if street in (place, parent[place]) else None

    keys: dict[By, Callable[[Case], object]] = {
        By.TOTAL: lambda case: "",
        By.AREA: below_street,
        By.UNIT: lambda case: case.department_id or "",
        By.PERSON: lambda case: case.holder_id or "",
        By.CATEGORY: lambda case: case.category,
    }
    for period in _months(start, now):
        for by, key_of in keys.items():
            groups: dict[str, list[Case]] = {}
            for case in cases:
                groups.setdefault(str(key_of(case)), []).append(case)
            groups.pop("None", None)
            slow = {
                key: recount(group, first_dispatch, period.start, period.end, Settings())
                for key, group in groups.items()
            }
            counted = {line.key: line.before.counts for line in await measure(street, period, by)}
            for key in {**slow, **counted}:
                expected = {name: slow.get(key, Counter())[name] for name in COUNTS}
                assert counted.get(key, dict.fromkeys(COUNTS, 0)) == expected, (period, by, key)


def _months(start: datetime, now: datetime) -> list[Period]:
    month, found = start.astimezone(SHANGHAI).date().replace(day=1), list[Period]()
    while month <= (now + timedelta(days=31)).astimezone(SHANGHAI).date():
        found.append(Period.of_month(month))
        month = (month + timedelta(days=31)).replace(day=1)
    return found
