"""Indicators equal a slow recount over random histories; periods end at midnight in Shanghai; silence is nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import nlp
from domain.figures_counts import COUNTS
from domain.figures_settings import Settings, add_version, in_force, read_settings
from domain.figures_table import INDICATORS
from domain.indicators import By, Line, Period, measure
from domain.people import Person, find_person
from errors import BadRequest, NotAllowed, NotFound
from models.cases import Case, CaseEvent
from models.enums import Outcome, Source, Status, Urgency
from models.people import Area, Department, Staff
from tests.domain.made_cases import random_cases
from tests.domain.slow_recount import handling_spread, recount

OCTOBER = Period.of_month(date(2026, 10, 1))
MIDNIGHT = datetime(2026, 9, 30, 16, 0, tzinfo=UTC)  # 1 October 0:00 in Shanghai
OTHER = Settings(
    denominator="due_without_deferred",
    on_time_by="closed",
    wrong_dispatch="either",
    satisfied_from=3,
    accept_hours=1,
    dispatch_hours=1,
    sign_hours=2,
    response_hours={"urgent": 0.5, "pressing": 2, "normal": 3, "complex": 6},
)


async def area(code: str = "429900") -> int:
    return (await Area.get(code=code)).id


async def someone(name: str) -> Person:
    staff = await Staff.get(name=name)
    staff.openid = f"o_staff_{staff.id}"
    await staff.save()
    return await find_person(staff.openid, MIDNIGHT)


async def first_dispatches() -> dict[int, datetime]:
    found: dict[int, datetime] = {}
    for event in await CaseEvent.filter(verb="dispatch").order_by("-at"):
        found[event.case_id] = event.at
    return found


async def parents() -> dict[int, int | None]:
    return {one.id: one.parent_id for one in await Area.all()}


def equal(line: Line, counted: Mapping[str, int], where: str) -> None:
    expected = {name: counted.get(name, 0) for name in COUNTS}
    assert line.before.counts == expected, where


@pytest.mark.parametrize("settings", [Settings(), OTHER], ids=["shipped", "others"])
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_counts_equal_a_slow_recount_by_area_unit_person_and_category(orm: None, seed: int, settings: Settings):
    cases = await random_cases(seed)
    dispatched, up = await first_dispatches(), await parents()
    street, city = await area("429906001"), await area()

    def below(place: int | None, top: int) -> int | None:
        """The child of `top` above (or at) a place."""
        while place is not None and place != top and up[place] != top:
            place = up[place]
        return place

    keys: dict[By, Callable[[Case], object]] = {
        By.TOTAL: lambda case: "",
        By.AREA: lambda case: below(case.grid_id or case.area_id, street),
        By.UNIT: lambda case: case.department_id or "",
        By.PERSON: lambda case: case.holder_id or "",
        By.CATEGORY: lambda case: case.category,
    }
    for by, key_of in keys.items():
        top = street if by is By.AREA else city
        lines = await measure(top, OCTOBER, by, settings=settings)
        groups: dict[str, list[Case]] = {}
        for case in cases:
            if by is not By.AREA or below(case.grid_id or case.area_id, street) is not None:
                groups.setdefault(str(key_of(case)), []).append(case)
        seen = {line.key for line in lines}
        assert seen <= set(groups), by
        for line in lines:
            counted = recount(groups[line.key], dispatched, OCTOBER.start, OCTOBER.end, settings)
            equal(line, counted, f"{by or 'total'} {line.key}")
        for key in set(groups) - seen:
            assert not any(recount(groups[key], dispatched, OCTOBER.start, OCTOBER.end, settings).values())


async def test_the_parts_of_a_month_add_up_to_it_where_nothing_is_left_over(orm: None):
    await random_cases(4)
    city = await area()
    days = [
        (await measure(city, Period.of_days(day, day)))[0]
        for day in (date(2026, 10, 1) + timedelta(days=n) for n in range(31))
    ]
    (month,) = await measure(city, OCTOBER)
    for name in ("reported", "accepted", "dispatched", "disposed", "closed", "satisfied"):
        assert sum(day.before.counts[name] for day in days) == month.before.counts[name], name


async def test_median_and_p90_of_handling_leave_the_standing_clock_out(orm: None):
    cases = await random_cases(5)
    (line,) = await measure(await area(), OCTOBER)
    spread, slow = line.before.times["handle"], handling_spread(cases, OCTOBER.start, OCTOBER.end)
    assert slow is not None
    assert spread.median is not None
    assert spread.p90 is not None
    assert (spread.median.total_seconds(), spread.p90.total_seconds()) == pytest.approx(slow, abs=0.01)


async def a_case(**given: object) -> Case:
    grid = await Area.get(code="429906001001001")
    facts: dict[str, object] = {
        "number": f"20261001-{await Case.all().count() + 1:04}",
        "status": Status.ACCEPTED,
        "category": "light.stairs",
        "subject": "楼道灯",
        "urgency": Urgency.NORMAL,
        "source": Source.WECHAT,
        "description": "灯坏了",
        "grid_id": grid.id,
        "area_id": grid.id,
        "reported_at": MIDNIGHT,
        "accepted_at": MIDNIGHT,
    }
    return await Case.create(**facts | given)


def closed(**given: object) -> dict[str, object]:
    at = MIDNIGHT + timedelta(days=2)
    return {"status": Status.CLOSED, "outcome": Outcome.SOLVED, "disposed_at": at, "closed_at": at, **given}


async def figures(period: Period = OCTOBER, settings: Settings | None = None) -> dict[str, float | None]:
    (line,) = await measure(await area(), period, settings=settings)
    return {code: figure.ratio for code, figure in line.after.figures.items()}


async def test_an_empty_period_has_no_ratio_at_all(orm: None):
    (line,) = await measure(await area(), OCTOBER)
    assert {figure.ratio for figure in line.after.figures.values()} == {None}
    assert {figure.denominator for figure in line.after.figures.values()} == {0}
    assert set(line.after.scores.values()) == {None}
    assert line.after.times["handle"].median is None
    assert line.after.mean_handling is None


async def test_an_unknown_area_is_an_error_and_not_an_empty_table(orm: None):
    with pytest.raises(NotFound):
        await measure(999_999, OCTOBER)


@pytest.mark.parametrize(
    ("moment", "september", "october"),
    [
        (MIDNIGHT - timedelta(microseconds=1), 1, 0),
        (MIDNIGHT, 0, 1),
    ],
)
async def test_a_month_begins_at_midnight_in_shanghai(orm: None, moment: datetime, september: int, october: int):
    await a_case(**closed(reported_at=moment, accepted_at=moment, disposed_at=moment, closed_at=moment))
    (before,) = await measure(await area(), Period.of_month(date(2026, 9, 30)))
    (after,) = await measure(await area(), OCTOBER)
    for name in ("reported", "accepted", "disposed", "closed"):
        assert (before.after.counts[name], after.after.counts[name]) == (september, october), name


async def test_silence_is_neither_satisfaction_nor_its_opposite(orm: None):
    await a_case(**closed(outcome=Outcome.UNANSWERED))
    await a_case(**closed(outcome=Outcome.UNANSWERED))
    await a_case(**closed(solved=True, satisfaction=1))
    await a_case(**closed(solved=True, satisfaction=3))
    found = await figures()
    assert (found["solved_rate"], found["satisfied_rate"], found["take_part_rate"]) == (1, 0.5, 0.5)
    assert found["dissatisfied_rate"] == 0.25


async def test_what_was_due_and_not_closed_counts_once_as_missed_and_once_when_it_is_closed(orm: None):
    due = MIDNIGHT + timedelta(days=10)
    late = MIDNIGHT + timedelta(days=40)
    await a_case(**closed(due_at=due, disposed_at=late, closed_at=late))
    (october,) = await measure(await area(), OCTOBER)
    (november,) = await measure(await area(), Period.of_month(date(2026, 11, 1)))
    assert [
        (one.after.figures["close_rate"].numerator, one.after.figures["close_rate"].denominator)
        for one in (october, november)
    ] == [(0, 1), (1, 1)]
    assert november.after.figures["close_on_time"].ratio == 0


async def test_the_residents_days_to_answer_are_the_units_only_where_the_settings_say_so(orm: None):
    due = MIDNIGHT + timedelta(days=2)
    await a_case(**closed(due_at=due, disposed_at=due, closed_at=due + timedelta(days=3)))
    assert (await figures())["close_on_time"] == 1
    assert (await figures(settings=Settings(on_time_by="closed")))["close_on_time"] == 0


@pytest.mark.parametrize(
    ("denominator", "on_time", "rate"),
    [("due", 1 / 3, 1 / 3), ("due_without_deferred", 1 / 2, 1 / 2), ("closed", 1, 1 / 3)],
)
async def test_the_denominator_of_the_closing_rates_is_a_setting(
    orm: None, denominator: str, on_time: float, rate: float
):
    due = MIDNIGHT + timedelta(days=5)
    await a_case(**closed(due_at=due))
    await a_case(status=Status.DISPOSING, due_at=due)
    await a_case(status=Status.SUSPENDED, due_at=due, suspended_at=MIDNIGHT)
    found = await figures(settings=Settings(denominator=denominator))
    assert (found["close_on_time"], found["close_rate"]) == pytest.approx((on_time, rate))


async def test_a_void_case_counts_against_accuracy_and_for_nothing_else(orm: None):
    await a_case(**closed())
    await a_case(status=Status.REJECTED, outcome=Outcome.VOID, closed_at=MIDNIGHT, due_at=MIDNIGHT)
    (line,) = await measure(await area(), OCTOBER)
    assert line.after.figures["accept_accurate"].ratio == 0.5
    assert line.after.figures["close_rate"].denominator == 1


async def test_a_score_is_the_weighted_mean_of_what_is_known(orm: None):
    await a_case(**closed(solved=True, round=2))
    weights = {"mine": {"solved_rate": 3, "rework_rate": 1, "satisfied_rate": 96}}
    (line,) = await measure(await area(), OCTOBER, settings=Settings(weights=weights))
    assert line.after.scores == {"mine": 75.0}  # all solved, all reworked, nobody rated


@pytest.mark.parametrize(
    "wrong",
    [
        {"denominator": "all"},
        {"satisfied_from": 1},
        {"accept_hours": 0},
        {"response_hours": {"urgent": 1}},
        {"weights": {"mine": {"unknown_rate": 1}}},
        {"weights": {"mine": {"close_rate": -1}}},
        {"colour": "red"},
    ],
)
def test_wrong_settings_are_refused_with_their_name(wrong: dict[str, object]):
    with pytest.raises(BadRequest, match=next(iter(wrong))):
        read_settings(wrong)


async def test_the_newest_version_whose_month_has_come_is_in_force(orm: None):
    person = await someone("郑主任")
    first = await add_version(person, date(2026, 10, 15), Settings(satisfied_from=3), "严一点", MIDNIGHT)
    second = await add_version(person, date(2026, 12, 1), Settings(denominator="closed"), "", MIDNIGHT)
    months = [date(2026, 9, 30), date(2026, 10, 1), date(2026, 11, 30), date(2026, 12, 1)]
    assert [(await in_force(month)).formula_id for month in months] == [None, first, first, second]
    assert (await in_force(date(2026, 11, 1))).settings == Settings(satisfied_from=3)
    with pytest.raises(NotAllowed):
        await add_version(await someone("王芳"), date(2026, 12, 1), Settings(), "", MIDNIGHT)


async def test_lines_have_names_a_person_knows(orm: None):
    unit = await Department.create(code="CG", name="城管所", area_id=await area("429906001"))
    wang = await Staff.get(name="王芳")
    category = nlp.categories()[0].code
    await a_case(**closed(department_id=unit.id, holder_id=wang.id, category=category))
    await a_case(**closed(category=category))

    async def names(by: By) -> Sequence[str]:
        return [line.name for line in await measure(await area("429906001"), OCTOBER, by)]

    assert set(await names(By.UNIT)) == {"城管所", "未明确单位"}
    assert any(name.startswith("王芳（") for name in await names(By.PERSON))
    assert await names(By.CATEGORY) == [nlp.categories()[0].name]
    assert await names(By.AREA) == [(await Area.get(code="429906001001")).name]


def test_every_indicator_says_where_it_comes_from_and_uses_known_counts():
    for indicator in INDICATORS:
        assert set(indicator.counts) <= set(COUNTS), indicator.code
        assert indicator.source, indicator.code


def test_the_document_has_each_indicator_as_it_is_computed():
    document = (Path(__file__).resolve().parents[2] / "docs" / "indicators.md").read_text(encoding="utf-8")
    for one in INDICATORS:
        assert f"| `{one.code}` | {one.name} | {one.formula} |" in document
        for setting in fields(Settings):
            assert f"`{setting.name}`" in document
