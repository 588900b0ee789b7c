"""Areas and periods as the figures' pages take them; the drawing of the grids."""

from __future__ import annotations

from datetime import date

import pytest

from console.heat import draw, heat_of
from domain.figures_cases import Sum, cases_behind
from domain.figures_counts import Period, Question, Scope, count, scope_below
from domain.figures_months import refresh
from domain.figures_settings import Settings
from domain.indicators import By, measure
from domain.overview import (
    Shape,
    check_period,
    counts_below,
    formulas,
    grids_below,
    overview,
    period_before,
    ranking,
    view_area,
    whole_months,
)
from errors import BadRequest, NotFound
from models.people import Area
from models.statistics import Exclusion
from tests.domain.made_cases import random_cases
from tests.domain.test_indicators import OCTOBER, area, someone


@pytest.mark.parametrize(
    ("first", "last", "before"),
    [
        (date(2026, 3, 1), date(2026, 3, 31), (date(2026, 2, 1), date(2026, 2, 28))),
        (date(2026, 1, 1), date(2026, 3, 31), (date(2025, 10, 1), date(2025, 12, 31))),
        (date(2026, 11, 9), date(2026, 11, 15), (date(2026, 11, 2), date(2026, 11, 8))),
        (date(2026, 11, 9), date(2026, 11, 9), (date(2026, 11, 8), date(2026, 11, 8))),
    ],
)
def test_before_a_period_lie_as_many_months_or_days(first: date, last: date, before: tuple[date, date]):
    found = period_before(Period.of_days(first, last))
    assert (found.first_day, found.last_day) == before


def test_months_are_whole_from_a_first_to_a_last_day():
    assert whole_months(date(2026, 1, 1), date(2026, 2, 28)) == [date(2026, 1, 1), date(2026, 2, 1)]
    assert whole_months(date(2026, 1, 1), date(2026, 2, 27)) == []
    assert whole_months(date(2026, 1, 2), date(2026, 2, 28)) == []


def test_what_would_be_counted_for_too_long_is_refused_and_whole_months_may_be_many():
    assert check_period(date(2024, 1, 1), date(2026, 12, 31)).first_day == date(2024, 1, 1)
    assert check_period(date(2026, 1, 2), date(2026, 4, 3)).last_day == date(2026, 4, 3)
    for first, last in ((date(2026, 1, 2), date(2026, 4, 4)), (date(2023, 12, 1), date(2026, 12, 31))):
        with pytest.raises(BadRequest):
            check_period(first, last)


async def test_months_added_up_equal_their_days_counted_whether_kept_or_stale(orm: None):
    await random_cases(41)
    street = await area("429906001")
    live = await measure(street, OCTOBER, By.AREA)
    expected = {int(line.key): line.before.counts for line in live}
    stale = await counts_below(street, OCTOBER)
    await refresh()
    kept = await counts_below(street, OCTOBER)
    for found in (stale, kept):
        assert {branch: tally.counts for branch, tally in found.items() if any(tally.counts.values())} == expected
    shown = await overview(street, OCTOBER)
    (total,) = await measure(street, OCTOBER)
    assert shown.total.counts == total.before.counts


async def test_somebody_sees_their_own_area_and_what_is_below_it_alone(orm: None):
    li, community = await someone("李主任"), await area("429906001001")
    own = await view_area(li)
    assert ([place.id for place in own.way], own.leads) == ([community], True)
    below = await view_area(li, await area("429906001001001"))
    assert [place.id for place in below.way] == [community, await area("429906001001001")]
    for code in ("429906001", "429906001002", "429906001002001"):
        with pytest.raises(NotFound):
            await view_area(li, await area(code))
    assert not (await view_area(await someone("马队长"))).leads


async def test_a_ranking_begins_with_the_best_and_equal_scores_share_a_place(orm: None):
    await random_cases(42)
    street = (await view_area(await someone("周科长"))).area
    ranked = await ranking(street, OCTOBER, By.AREA)
    scores = [one.line.before.scores["overall"] for one in ranked]
    known = [score for score in scores if score is not None]
    assert known == sorted(known, reverse=True)
    assert [one.place for one in ranked if one.place] == [known.index(score) + 1 for score in known]


async def test_a_ranking_has_the_figures_of_the_table_before_and_after_exclusions(orm: None):
    cases, li = await random_cases(43, 80), await someone("李主任")
    assert li.post
    for case, indicator in zip(cases[::9], ("", "close_on_time") * 9, strict=False):
        made = {"reason": "停工", "asked_by_id": li.post.id, "asked_at": OCTOBER.end}
        approved = {"approved_by_id": li.post.id, "approved_at": OCTOBER.end}
        await Exclusion.create(case_id=case.id, indicator=indicator, **made, **approved)
    street = (await view_area(await someone("周科长"))).area
    for by in (By.AREA, By.UNIT):
        table = {line.key: line for line in await measure(street.id, OCTOBER, by, depth=2)}
        assert any(line.before.scores != line.after.scores for line in table.values())
        for line in [one.line for one in await ranking(street, OCTOBER, by)]:
            same = table.pop(line.key)
            assert (line.name, line.before.counts, line.after.counts) == (
                same.name,
                same.before.counts,
                same.after.counts,
            )
            assert (line.before.figures, line.after.figures) == (same.before.figures, same.after.figures)
            assert line.after.scores == same.after.scores
        assert not table


async def test_the_counts_of_many_places_are_those_of_the_few_that_have_cases(orm: None):
    await random_cases(44)
    few = await scope_below(await area("429906001"))
    elsewhere = range(10**6, 10**6 + 60)  # places where nothing is
    many = Scope([*few.places, *elsewhere], [*few.branches, *elsewhere])
    for by in ("area", "category"):
        counted = await count(Question(OCTOBER, few, by), Settings())
        assert counted == await count(Question(OCTOBER, many, by), Settings())
    behind = [await cases_behind(Question(OCTOBER, one), Settings(), Sum(("closed",))) for one in (few, many)]
    assert behind[0] == behind[1] != []


def test_the_parts_of_the_score_are_shares_of_a_hundred():
    parts = formulas(Settings(weights={"overall": {"close_rate": 1, "rework_rate": 3}}))
    assert [(part.name, part.share, part.low) for part in parts] == [("结案率", 25, False), ("返工率", 75, True)]
    assert formulas(Settings(weights={})) == []


async def test_grids_are_drawn_by_their_borders_once_all_have_one_and_as_squares_until_then(orm: None):
    grids = await Area.filter(level="grid", parent__code="429906001001").order_by("code")
    for number, grid in enumerate(grids[:-1]):
        grid.boundary = [[[114 + number, 30], [115 + number, 30], [115 + number, 31]]]
        await grid.save()
    community = await area("429906001001")
    squares = draw(await grids_below(community), {grids[0].id: 4})
    assert (squares.drawn, len(squares.spots)) == (False, len(grids))
    grids[-1].boundary = [[[114, 29], [115, 29], [115, 30]]]
    await grids[-1].save()
    drawn = draw(await grids_below(community), {grids[0].id: 4, grids[1].id: 1})
    assert drawn.drawn
    assert [spot.heat for spot in drawn.spots][:2] == [5, 2]
    assert all(0 <= spot.x <= drawn.width and 0 <= spot.y <= drawn.height for spot in drawn.spots)


def test_north_is_above_and_a_place_in_itself_is_no_reason_to_fail():
    south = Shape(1, "南", [[[114.0, 30.0], [114.1, 30.0], [114.1, 30.1]]])
    north = Shape(2, "北", [[[114.0, 30.2], [114.1, 30.2], [114.1, 30.3]]])
    below, above = draw([south, north], {}).spots
    assert above.y < below.y
    point = Shape(3, "点", [[[114.0, 30.0]] * 3])
    assert draw([point], {}).drawn
    assert draw([], {}).spots == []


@pytest.mark.parametrize(("count", "most", "heat"), [(0, 9, 0), (1, 100, 1), (20, 100, 1), (21, 100, 2), (100, 100, 5)])
def test_heat_rises_in_five_equal_steps(count: int, most: int, heat: int):
    assert heat_of(count, most) == heat
