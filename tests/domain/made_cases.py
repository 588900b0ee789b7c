"""Cases with random histories, put straight into the table: more different ones than playing them would give."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from domain.clock import SHANGHAI
from models.cases import Case, CaseEvent
from models.enums import Outcome, Source, Status, Urgency
from models.people import Area, Department, Staff

MONTH_START = datetime(2026, 10, 1, tzinfo=SHANGHAI)
_CATEGORIES = ("lighting.corridor", "noise.site", "parking.zombie")


async def departments() -> list[Department]:
    """Two units of the demo street."""
    street = await Area.get(code="429906001")
    return [
        (await Department.get_or_create(code=code, defaults={"name": name, "area_id": street.id}))[0]
        for code, name in (("CG-1", "城管所"), ("SW-1", "水务站"))
    ]


async def random_cases(seed: int, number: int = 120) -> list[Case]:
    """`number` cases around October 2026, many of their times near its two midnights."""
    chance = random.Random(seed)
    grids = [area.id for area in await Area.filter(level="grid").order_by("id")]
    community = await Area.filter(level="community").order_by("id").first()
    assert community
    staff = [one.id for one in await Staff.filter(role="grid_worker").order_by("id")]
    units = [one.id for one in await departments()]
    made = []
    for serial in range(number):
        case = _case(chance, f"20261001-{seed % 1000:03}{serial:04}")
        case.grid_id = chance.choice([*grids, None])
        case.area_id = case.grid_id or community.id
        case.holder_id = chance.choice([*staff, None])
        case.department_id = chance.choice([*units, None, None])
        await case.save()
        if case.dispatched_at and case.accepted_at and chance.random() < 0.3:
            await CaseEvent.create(
                case_id=case.id,
                at=case.accepted_at + timedelta(hours=chance.choice([0, 1, 2, 3])),
                verb="dispatch",
                status=Status.DISPATCHED,
                actor="系统",
            )
        made.append(case)
    return made


def _case(chance: random.Random, number: str) -> Case:  # noqa: C901 - one step after the other
    """A history that runs forward in time and stops somewhere."""

    def step(hours: float) -> timedelta:
        exact = chance.choice([True, False])
        return timedelta(hours=round(chance.expovariate(1 / hours)) if exact else chance.expovariate(1 / hours))

    reported = MONTH_START + timedelta(hours=chance.choice([0, chance.uniform(-500, 1300)]))
    case = Case(
        number=number,
        status=Status.REPORTED,
        category=chance.choice(_CATEGORIES),
        subject="楼道灯",
        urgency=chance.choice(list(Urgency)),
        source=Source.WECHAT,
        description="灯坏了",
        reported_at=reported.astimezone(UTC),
    )
    if chance.random() < 0.3:
        case.accept_due_at = reported + timedelta(hours=chance.choice([1, 2]))
    reach = chance.randint(0, 7)
    if reach == 0:
        if chance.random() < 0.5:
            case.status, case.closed_at = Status.REJECTED, reported + step(3)
        return case
    case.status, case.accepted_at = Status.ACCEPTED, reported + step(1.5)
    limit = timedelta(hours=chance.choice([24, 72, 168]))
    case.due_at = chance.choice([None, *[case.accepted_at + limit] * 5, MONTH_START + timedelta(days=31)])
    if reach >= 2:
        case.status, case.dispatched_at = Status.DISPATCHED, case.accepted_at + step(1.5)
        case.returned = chance.choice([0, 0, 0, 1])
        case.sign_due_at = chance.choice([None, case.dispatched_at + timedelta(hours=3)])
    if reach >= 3 and case.dispatched_at:
        case.status, case.signed_at = Status.DISPOSING, case.dispatched_at + step(4)
        case.first_response_at = chance.choice([None, case.signed_at])
        case.round = chance.choice([1, 1, 1, 2, 3])
        case.paused = timedelta(hours=chance.choice([0, 0, 5, 40]))
    if reach == 4:
        case.status, case.suspended_at = Status.SUSPENDED, case.signed_at
    if reach >= 5 and case.signed_at:
        case.status, case.disposed_at = Status.DISPOSED, case.signed_at + case.paused + step(60)
        case.verify_due_at = chance.choice([None, case.disposed_at + timedelta(hours=24)])
    if reach >= 6 and case.disposed_at:
        case.status, case.verified_at = Status.VERIFIED, case.disposed_at + step(20)
    if reach >= 7 and case.verified_at:
        case.status, case.closed_at = Status.CLOSED, case.verified_at + step(50)
        case.outcome = chance.choice([Outcome.SOLVED, Outcome.CANNOT, Outcome.UNANSWERED])
        case.solved = chance.choice([True, False, None])
        case.satisfaction = chance.choice([3, 2, 1, None, None])
    elif chance.random() < 0.15:
        case.status, case.outcome = chance.choice(
            [(Status.REJECTED, Outcome.VOID), (Status.WITHDRAWN, Outcome.WITHDRAWN), (Status.MERGED, None)]
        )
        case.closed_at = case.accepted_at + step(5)
    return case
