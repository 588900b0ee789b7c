"""Open cases where they lie: each case once, to whom their lists show it, one by one or counted."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from domain.case_map import MOST, Box, Pace, Wanted, read_ground
from domain.desk import Filters, Sort, list_cases
from errors import NotFound
from models.cases import Case
from models.enums import Status, Urgency
from models.people import Department, Staff
from tests.domain.made_cases import random_cases
from tests.domain.test_indicators import area, someone

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)  # ten in the morning
STREET, GRID = "429906001", "429906001001001"
HERE = {"longitude": 114.351, "latitude": 30.552}


def pace_of(case: Case) -> Pace:
    """By the words of the domain, one case at a time."""
    waits = case.status in (Status.DISPOSED, Status.VERIFIED)
    stopped = min(NOW, case.suspended_at) if case.suspended_at else NOW
    if not waits and case.due_at and case.due_at < stopped:
        return Pace.OVERDUE
    if case.urgency is Urgency.URGENT:
        return Pace.URGENT
    tonight = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
    today = not waits and not case.suspended_at and case.due_at and case.due_at < tonight
    return Pace.TODAY if today else Pace.CALM


async def open_cases(number: int) -> list[Case]:
    """Cases of which many are open, some due today."""
    made = await random_cases(71, number)
    for place, case in enumerate(made):
        if not case.closed_at and case.due_at and place % 3 == 0:
            case.due_at = NOW + timedelta(hours=place % 20)
            await case.save()
    return [case for case in made if not case.closed_at]


@pytest.mark.parametrize("name", ["王芳", "李主任", "周科长", "马队长"])
async def test_somebody_finds_on_the_map_what_is_open_on_their_list_in_the_pace_it_is_in(orm: None, name: str):
    await open_cases(55)
    unit = await Department.get(id=(await Staff.get(name="马队长")).department_id)
    await Case.filter(department__code="CG-1").update(department_id=unit.id)
    person = await someone(name)
    assert person.post
    filters = Filters(open=True, area_id=person.post.area_id)
    rows = (await list_cases(person, filters, NOW, sort=Sort.DUE)).rows
    ground = await read_ground(person, Wanted(), NOW)
    assert {pin.id for pin in ground.pins} == {row.id for row in rows} != set()
    cases = {case.id: case for case in await Case.filter(id__in=[row.id for row in rows])}
    assert {pin.id: pin.pace for pin in ground.pins} == {at: pace_of(case) for at, case in cases.items()}
    assert +Counter(ground.paces) == Counter(pin.pace for pin in ground.pins)
    overdue = await read_ground(person, Wanted(pace=Pace.OVERDUE), NOW)
    assert {pin.id for pin in overdue.pins} == {row.id for row in rows if row.overdue}
    assert overdue.paces == ground.paces, "the others' numbers stay beside"


async def test_a_part_of_the_map_has_the_cases_that_lie_there(orm: None):
    here, there, *_ = await open_cases(30)
    await Case.filter(id=here.id).update(**HERE)
    await Case.filter(id=there.id).update(longitude=114.4, latitude=30.552)
    zheng = await someone("郑主任")
    part = await read_ground(zheng, Wanted(box=Box(114.350, 30.550, 114.352, 30.554)), NOW)
    assert [pin.id for pin in part.pins] == [here.id]
    whole = await read_ground(zheng, Wanted(category=here.category), NOW)
    assert here.id in {pin.id for pin in whole.pins}
    assert {(await Case.get(id=pin.id)).category for pin in whole.pins} == {here.category}


async def test_too_many_are_counted_area_by_area_down_to_where_they_are_few(orm: None):
    (case, *_) = await open_cases(12)
    grid = await area(GRID)
    known = {name: getattr(case, name) for name in ("category", "subject", "urgency", "source", "description")}
    when = {"status": Status.REPORTED, "reported_at": NOW, "grid_id": grid, "area_id": grid}
    await Case.bulk_create([Case(number=f"20261120-{n:04}", **known, **when) for n in range(MOST + 1)])
    street = await read_ground(await someone("周科长"), Wanted(), NOW)
    assert not street.pins
    assert sum(heap.total for heap in street.heaps) == sum(street.paces.values()) > MOST
    (full,) = (heap for heap in street.heaps if heap.area_id == grid)
    assert full.total >= MOST + 1
    worker = await read_ground(await someone("王芳"), Wanted(area_id=grid), NOW)
    assert (len(worker.pins), worker.more, worker.heaps) == (MOST, True, ()), "a grid has nothing below it"


async def test_somebody_elses_area_has_no_map(orm: None):
    with pytest.raises(NotFound):
        await read_ground(await someone("李主任"), Wanted(area_id=await area("429906001002")), NOW)
