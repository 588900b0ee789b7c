"""Exclusions need two people and keep both figures; frozen months stay as published and show what changed since."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from domain import exclusions, frozen
from domain.figures_settings import Settings, add_version
from domain.indicators import By, Period, measure
from domain.people import find_person
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.audit import AuditEvent
from models.cases import Case
from models.enums import Status
from models.statistics import Exclusion
from tests.domain.made_cases import random_cases
from tests.domain.slow_recount import recount
from tests.domain.test_indicators import MIDNIGHT, OCTOBER, a_case, area, closed, first_dispatches, someone

MONTH = date(2026, 10, 1)
NOVEMBER = datetime.fromisoformat("2026-11-02T09:00:00+08:00")


async def late_case() -> Case:
    due = MIDNIGHT + timedelta(days=1)
    return await a_case(**closed(due_at=due, solved=False, satisfaction=1))


async def test_an_exclusion_counts_when_another_person_has_approved_it_and_both_figures_stay(orm: None):
    case = await late_case()
    await a_case(**closed(due_at=MIDNIGHT + timedelta(days=5), solved=True, satisfaction=3))
    wang, li = await someone("王芳"), await someone("李主任")
    asked = await exclusions.ask(wang, case.id, "居民家中无人，约到下月", MIDNIGHT, indicator="close_on_time")

    async def on_time() -> tuple[float | None, float | None, float | None]:
        (line,) = await measure(await area(), OCTOBER)
        after = line.after.figures
        return line.before.figures["close_on_time"].ratio, after["close_on_time"].ratio, after["satisfied_rate"].ratio

    assert await on_time() == (0.5, 0.5, 0.5)
    await exclusions.approve(li, asked, MIDNIGHT)
    assert await on_time() == (0.5, 1.0, 0.5), "only the indicator it was asked for"
    wholly = await exclusions.ask(wang, case.id, "同一居民重复投诉", MIDNIGHT)
    await exclusions.approve(li, wholly, MIDNIGHT)
    assert await on_time() == (0.5, 1.0, 1.0)
    (line,) = await measure(await area(), OCTOBER)
    assert (line.before.counts["closed"], line.after.counts["closed"]) == (2, 1)
    listed = await exclusions.list_exclusions(await area(), OCTOBER)
    assert [(one.asked_by, one.approved_by, one.indicator) for one in listed] == [
        ("王芳", "李主任", "按期结案率"),
        ("王芳", "李主任", "全部指标"),
    ]


async def test_nobody_approves_what_they_asked_for_themselves(orm: None):
    case = await late_case()
    li = await someone("李主任")
    asked = await exclusions.ask(li, case.id, "暴雨停工", MIDNIGHT)
    with pytest.raises(NotAllowed):
        await exclusions.approve(li, asked, MIDNIGHT)
    assert (await Exclusion.get(id=asked)).approved_at is None
    await exclusions.approve(await someone("周科长"), asked, MIDNIGHT)
    with pytest.raises(Conflict):
        await exclusions.approve(await someone("郑主任"), asked, MIDNIGHT)


async def test_grid_workers_residents_and_neighbouring_communities_approve_nothing(orm: None):
    case = await late_case()
    asked = await exclusions.ask(await someone("李主任"), case.id, "暴雨停工", MIDNIGHT)
    for person in (await someone("王芳"), await someone("何主任"), await find_person("o_resident", MIDNIGHT)):
        with pytest.raises(NotAllowed):
            await exclusions.approve(person, asked, MIDNIGHT)


async def test_an_exclusion_needs_a_reason_a_known_indicator_and_a_case_one_may_read(orm: None):
    case = await late_case()
    wang = await someone("王芳")
    with pytest.raises(BadRequest):
        await exclusions.ask(wang, case.id, "  ", MIDNIGHT)
    with pytest.raises(BadRequest):
        await exclusions.ask(wang, case.id, "理由", MIDNIGHT, indicator="luck")
    with pytest.raises(NotFound):
        await exclusions.ask(await someone("何主任"), case.id, "理由", MIDNIGHT)
    await exclusions.ask(wang, case.id, "理由", MIDNIGHT)
    with pytest.raises(Conflict):
        await exclusions.ask(wang, case.id, "理由", MIDNIGHT)


async def test_a_refused_exclusion_is_gone_but_for_its_trace(orm: None):
    case = await late_case()
    asked = await exclusions.ask(await someone("王芳"), case.id, "理由", MIDNIGHT)
    await exclusions.refuse(await someone("李主任"), asked, MIDNIGHT)
    assert not await Exclusion.exists(id=asked)
    tags = [row.tag for row in await AuditEvent.filter(object_id=case.id).order_by("id")]
    assert tags == ["case:ask_exclude", "case:refuse_exclude"]


async def test_figures_after_exclusions_are_those_of_the_other_cases(orm: None):
    made = await random_cases(41, 80)
    wang, li = await someone("郑主任"), await someone("周科长")
    out = [case for case in made[::7] if case.grid_id]
    for case in out:
        asked = await exclusions.ask(wang, case.id, "理由", MIDNIGHT)
        await Exclusion.filter(id=asked).update(approved_by_id=li.post.id if li.post else None, approved_at=MIDNIGHT)
    (line,) = await measure(await area(), OCTOBER)
    left = [case for case in made if case.id not in {one.id for one in out}]
    counted = recount(left, await first_dispatches(), OCTOBER.start, OCTOBER.end, Settings())
    assert {name: number for name, number in line.after.counts.items() if number} == dict(+counted)


async def test_a_frozen_month_stays_as_it_was_published_and_replay_shows_what_changed(orm: None):
    made = await random_cases(51, 60)
    zheng = await someone("郑主任")
    district = await area("429906")
    await add_version(zheng, MONTH, Settings(satisfied_from=3), "", MIDNIGHT)
    await frozen.freeze(MONTH, district, zheng, NOVEMBER)
    published = await frozen.find_frozen(MONTH, district)
    assert published is not None
    assert await frozen.replay(MONTH, district) == []

    await add_version(zheng, MONTH, Settings(satisfied_from=2), "宽一点", MIDNIGHT)
    assert await frozen.replay(MONTH, district) == [], "the version it was frozen with holds"

    case = next(one for one in made if one.status is Status.CLOSED and OCTOBER.start <= one.closed_at < OCTOBER.end)
    case.satisfaction = 3 if case.satisfaction != 3 else 1
    await case.save()
    changed = await frozen.replay(MONTH, district)
    assert {found.what for found in changed} >= {"剔除前 满意率 分子", "剔除后 满意率 分子"}
    assert {found.table for found in changed} == {By.TOTAL, By.AREA, By.UNIT, By.PERSON, By.CATEGORY}
    again = await frozen.find_frozen(MONTH, district)
    assert again == published


async def test_a_month_is_frozen_once_and_only_when_it_is_over(orm: None):
    zheng = await someone("郑主任")
    district = await area("429906")
    with pytest.raises(Conflict, match="not over"):
        await frozen.freeze(MONTH, district, zheng, OCTOBER.end - timedelta(seconds=1))
    await frozen.freeze(MONTH, district, zheng, OCTOBER.end)
    with pytest.raises(Conflict, match="is frozen"):
        await frozen.freeze(MONTH, district, zheng, NOVEMBER)
    await frozen.freeze(MONTH, await area("429906001"), await someone("周科长"), NOVEMBER)
    with pytest.raises(NotAllowed):
        await frozen.freeze(MONTH, district, await someone("李主任"), NOVEMBER)
    with pytest.raises(NotFound):
        await frozen.replay(date(2026, 9, 1), district)


async def test_frozen_lines_read_back_as_they_were(orm: None):
    await random_cases(52, 40)
    district = await area("429906")
    await frozen.freeze(MONTH, district, await someone("郑主任"), NOVEMBER)
    stored = await frozen.find_frozen(MONTH, district)
    assert stored is not None
    for by in frozen.TABLES:
        assert list(stored.tables[by]) == await measure(district, Period.of_month(MONTH), by)
