"""A figure leads to exactly the cases it counted."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

import pytest

from domain.figures_cases import Now, Standing, Sum, cases_behind, cases_now, cases_of, flow, standing_now
from domain.figures_counts import COUNTS, Period, Question, count, scope_below
from domain.figures_settings import Settings
from domain.figures_table import INDICATORS
from domain.indicators import denominator_of, measure
from errors import BadRequest
from tests.domain.made_cases import random_cases
from tests.domain.test_indicators import MIDNIGHT, OCTOBER, a_case, area

MANY = 1000


@pytest.mark.parametrize("by", ["", "area", "unit", "person", "category"])
async def test_every_count_of_every_line_equals_the_number_of_its_cases(orm: None, by: str):
    await random_cases(11)
    question = Question(OCTOBER, await scope_below(await area("429906001")), by)
    lines = await count(question, Settings())
    for name in COUNTS[:-1]:
        for key, tally in lines.items():
            listed = await cases_behind(question, Settings(), Sum((name,), key=key), limit=MANY)
            assert len({one.id for one in listed}) == len(listed) == tally.counts[name], (name, key)


@pytest.mark.parametrize("settings", [Settings(), Settings(denominator="due_without_deferred", satisfied_from=3)])
async def test_both_parts_of_every_indicator_equal_the_number_of_their_cases(orm: None, settings: Settings):
    await random_cases(12)
    city = await area()
    question = Question(OCTOBER, await scope_below(city))
    (line,) = await measure(city, OCTOBER, settings=settings)
    for indicator in INDICATORS:
        figure = line.before.figures[indicator.code]
        for terms, expected in (
            (indicator.numerator, figure.numerator),
            (denominator_of(indicator, settings), figure.denominator),
        ):
            of = [term for term in terms if not term.startswith("-")]
            but = [term[1:] for term in terms if term.startswith("-")]
            listed = await cases_behind(question, settings, Sum(of, but), limit=MANY)
            assert len(listed) == expected, indicator.code


async def test_a_list_goes_on_where_the_page_ended(orm: None):
    await random_cases(13)
    question = Question(OCTOBER, await scope_below(await area()))
    everything = await cases_behind(question, Settings(), Sum(("reported",)), limit=MANY)
    first = await cases_behind(question, Settings(), Sum(("reported",)), limit=7)
    then = await cases_behind(question, Settings(), Sum(("reported",)), before=first[-1].id, limit=MANY)
    assert [one.id for one in [*first, *then]] == [one.id for one in everything]
    assert {one.remaining for one in [*everything, *first]} == {len(everything)}
    assert {one.remaining for one in then} == {len(then)}
    assert [one.id for one in everything] == sorted((one.id for one in everything), reverse=True)


@pytest.mark.parametrize("name", ["handle_seconds", "everything", ""])
async def test_what_counts_no_cases_has_no_list(orm: None, name: str):
    with pytest.raises(BadRequest):
        await cases_behind(Question(OCTOBER, await scope_below(await area())), Settings(), Sum((name,)))


async def test_each_day_of_the_flow_equals_that_day_counted_alone_and_quiet_days_stand_there_too(orm: None):
    await random_cases(14)
    scope = await scope_below(await area())
    days = await flow(OCTOBER, scope)
    assert [day.day for day in days] == [date(2026, 10, 1) + timedelta(days=n) for n in range(31)]
    for day in days[:10]:
        alone = (await count(Question(Period.of_days(day.day, day.day), scope), Settings())).get("")
        counts = alone.counts if alone else Counter[str]()
        assert (day.reported, day.disposed, day.closed) == tuple(
            counts[name] for name in ("reported", "disposed", "closed")
        )


async def test_how_it_stands_now_equals_the_cases_it_leads_to_area_by_area(orm: None):
    await random_cases(15)
    now = datetime.fromisoformat("2026-10-20T09:00:00+08:00")
    await a_case(due_at=now + timedelta(hours=3))
    await a_case(due_at=now - timedelta(hours=3))
    scope = await scope_below(await area("429906001001"))
    standing = await standing_now(scope, now)
    total = sum(standing.values(), Standing(0))
    assert total.overdue
    assert total.soon
    for kind in Now:
        for branch, one in standing.items():
            listed = await cases_now(scope, kind, now, branch=branch, limit=MANY)
            assert len(listed) == getattr(one, kind.value), (kind, branch)
        assert len(await cases_now(scope, kind, now, limit=MANY)) == getattr(total, kind.value)


async def test_a_result_that_waits_and_a_clock_that_stands_are_neither_overdue_nor_at_risk(orm: None):
    now = MIDNIGHT + timedelta(days=3)
    grid = await area("429906001001001")
    await a_case(due_at=now - timedelta(hours=1), status="disposed")
    await a_case(due_at=now + timedelta(hours=1), status="verified")
    await a_case(due_at=now - timedelta(hours=1), status="suspended", suspended_at=now - timedelta(hours=2))
    await a_case(due_at=now + timedelta(hours=1), status="suspended", suspended_at=now - timedelta(hours=2))
    assert await standing_now(await scope_below(grid), now) == {grid: Standing(grid, open=4)}


async def test_cases_of_elsewhere_are_left_out_of_a_list_by_number(orm: None):
    case = await a_case()
    here, elsewhere = await scope_below(await area("429906001001")), await scope_below(await area("429906001002"))
    assert [one.id for one in await cases_of(here, [case.id])] == [case.id]
    assert await cases_of(elsewhere, [case.id]) == []
