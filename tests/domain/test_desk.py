"""Staff pages: lists page by page, search in any order of words, nothing of others' areas, a month at a glance."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from domain import desk, exclusions
from domain.desk import Filters, Sort
from domain.desk_search import search_query, search_vector
from domain.figures_counts import COUNTS
from domain.figures_months import refresh
from domain.figures_settings import Settings, add_version
from domain.indicators import By, Period, measure
from domain.people import Person, find_person
from errors import BadRequest, NotAllowed, NotFound
from models.cases import Assist, Case, CaseEvent, Follower
from models.database import fetch
from models.enums import Status, Urgency
from models.people import Area, Department, Resident, Staff
from tests.domain.made_cases import random_cases
from tests.domain.test_indicators import MIDNIGHT, a_case, closed, someone

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
OCTOBER = date(2026, 10, 1)
WANG_GRID, OTHER_GRID = "429906001001001", "429906001002001"


async def grid(code: str = WANG_GRID) -> int:
    return (await Area.get(code=code)).id


async def every_page(person: Person, filters: Filters, sort: Sort = Sort.NEWEST) -> list[desk.Row]:
    rows: list[desk.Row] = []
    after = ""
    while True:
        page = await desk.list_cases(person, filters, NOW, sort=sort, after=after)
        rows += page.rows
        after = page.next
        if not after:
            return rows


@pytest.fixture
async def boss(orm: None) -> Person:
    """The district's command centre: sees everything."""
    return await someone("郑主任")


async def test_pages_show_every_case_once_newest_first(boss: Person):
    made = await random_cases(11, 130)
    rows = await every_page(boss, Filters())
    expected = sorted(made, key=lambda case: (case.reported_at, case.id), reverse=True)
    assert [row.id for row in rows] == [case.id for case in expected]
    first = await desk.list_cases(boss, Filters(), NOW)
    assert (len(first.rows), first.count, first.beyond) == (50, 100, True), "more than a hundred"
    assert (await desk.list_cases(boss, Filters(), NOW, after=first.next)).count is None


async def test_open_cases_come_by_due_time_and_those_without_one_last(boss: Person):
    made = await random_cases(12, 130)
    rows = await every_page(boss, Filters(), Sort.DUE)
    never = datetime.max.replace(tzinfo=UTC)
    waiting = [case for case in made if case.closed_at is None]
    expected = sorted(waiting, key=lambda case: (case.due_at or never, case.id))
    assert [row.id for row in rows] == [case.id for case in expected]


async def test_a_page_of_a_whole_city_is_the_same_as_that_of_a_few_places(
    boss: Person, monkeypatch: pytest.MonkeyPatch
):
    await random_cases(13, 130)
    district = (await Area.get(code="429906")).id
    for sort in Sort:
        narrow = await every_page(boss, Filters(area_id=district), sort)
        monkeypatch.setattr("domain.desk_pages._FEW_PLACES", 0)
        assert await every_page(boss, Filters(area_id=district), sort) == narrow
        monkeypatch.undo()
        assert narrow


async def test_each_filter_leaves_what_it_says(boss: Person):
    made = await random_cases(14, 120)
    chosen = made[0]
    holder = next(case.holder_id for case in made if case.holder_id)
    unit = next(case.department_id for case in made if case.department_id)
    middle = MIDNIGHT + timedelta(days=10)

    def late(case: Case) -> bool:
        waits = case.status in (Status.DISPOSED, Status.VERIFIED) or case.closed_at is not None
        return not waits and case.due_at is not None and case.due_at < min(case.suspended_at or NOW, NOW)

    expected = {
        Filters(open=True): lambda case: case.closed_at is None,
        Filters(open=False): lambda case: case.closed_at is not None,
        Filters(status=Status.DISPOSING): lambda case: case.status is Status.DISPOSING,
        Filters(category=chosen.category): lambda case: case.category == chosen.category,
        Filters(holder_id=holder): lambda case: case.holder_id == holder,
        Filters(department_id=unit): lambda case: case.department_id == unit,
        Filters(urgent=True): lambda case: case.urgency is Urgency.URGENT,
        Filters(start=middle): lambda case: case.reported_at >= middle,
        Filters(end=middle): lambda case: case.reported_at < middle,
        Filters(overdue=True): late,
        Filters(overdue=False): lambda case: not late(case),
    }
    for filters, keeps in expected.items():
        found = {row.id for row in await every_page(boss, filters)}
        assert found == {case.id for case in made if keeps(case)}, filters
        assert found, filters
    page = await desk.overdue(boss, NOW)
    assert [row.due_at for row in page.rows] == sorted(row.due_at for row in page.rows if row.due_at)
    assert all(row.overdue for row in page.rows)


async def test_what_is_open_is_counted_beyond_what_a_page_looks_at(boss: Person, monkeypatch: pytest.MonkeyPatch):
    await random_cases(14, 40)
    department = await Department.get(code="CG-SGH")
    unit = await of_unit(department, "孙工")
    await held_led_and_helped(department, unit)
    street, li = (await Area.get(code="429906001")).id, await someone("李主任")
    for person, filters in (
        (boss, Filters(open=True)),
        (boss, Filters(open=True, area_id=street, urgent=True)),
        (li, Filters(overdue=True)),
        (unit, Filters(open=True)),
    ):
        many = len(await every_page(person, filters))
        monkeypatch.setattr("domain.desk_pages.COUNTED", 0)
        page = await desk.list_cases(person, filters, NOW)
        assert (page.count, page.beyond) == (many, False), filters
        monkeypatch.setattr("domain.desk_pages.COUNTED_OPEN", many - 1)
        page = await desk.list_cases(person, filters, NOW)
        assert (page.count, page.beyond) == (many - 1, True), filters
        monkeypatch.undo()


async def test_nobody_sees_what_lies_beside_their_area(orm: None):
    mine, other = await a_case(), await a_case(grid_id=await grid(OTHER_GRID), area_id=await grid(OTHER_GRID))
    wang, li, boss = await someone("王芳"), await someone("李主任"), await someone("郑主任")
    for person, seen in ((wang, [mine.id]), (li, [mine.id]), (boss, [other.id, mine.id])):
        assert [row.id for row in (await desk.list_cases(person, Filters(), NOW)).rows] == seen
        assert [row.id for row in (await desk.search(person, "灯", Filters(), NOW)).rows] == seen
    with pytest.raises(NotFound):
        await desk.list_cases(li, Filters(area_id=await grid(OTHER_GRID)), NOW)
    with pytest.raises(NotFound):
        await desk.view_case(li, other.id)
    with pytest.raises(NotFound):
        await desk.dashboard(li, (await Area.get(code="429906001")).id, OCTOBER, NOW)


async def test_residents_have_no_desk(orm: None):
    resident = await find_person("o_somebody", NOW)
    for refused in (
        desk.list_cases(resident, Filters(), NOW),
        desk.search(resident, "灯", Filters(), NOW),
        desk.dashboard(resident, await grid(), OCTOBER, NOW),
    ):
        with pytest.raises(NotAllowed):
            await refused


async def of_unit(unit: Department, name: str) -> Person:
    """One more who works there, with a phone."""
    area = unit.area_id
    await Staff.create(name=name, role="department_staff", area_id=area, department_id=unit.id, openid=f"o_{name}")
    return await find_person(f"o_{name}", NOW)


async def held_led_and_helped(unit: Department, person: Person, number: int = 1) -> list[Case]:
    """Cases a department has in each of the three ways, the newest last."""
    assert person.post
    made = []
    for serial in range(number):
        at = MIDNIGHT + timedelta(hours=serial)
        due = at + timedelta(days=serial % 7)
        made.append(await a_case(holder_id=person.post.id, reported_at=at, due_at=due))
        made.append(await a_case(department_id=unit.id, reported_at=at, due_at=due))
        made.append(await a_case(reported_at=at, due_at=due))
        await Assist.create(case_id=made[-1].id, staff_id=person.post.id, text="搭把手", asked_at=NOW)
    return made


async def test_an_officer_sees_what_the_whole_department_has_or_assists_with_and_nothing_else(orm: None):
    unit, other = await Department.get(code="CG-SGH"), await Department.get(code="FG-SGH")
    sun, colleague, stranger = await of_unit(unit, "孙工"), await of_unit(unit, "钱工"), await of_unit(other, "房工")
    made = await held_led_and_helped(unit, sun, 2)
    beside = await a_case()
    expected = [case.id for case in sorted(made, key=lambda case: (case.reported_at, case.id), reverse=True)]
    for person in (sun, colleague):
        page = await desk.list_cases(person, Filters(), NOW)
        assert [row.id for row in page.rows] == expected, "each once"
        assert page.count == len(made)
        assert {row.id for row in (await desk.search(person, "灯坏", Filters(), NOW)).rows} == set(expected)
        assert [row.id for row in (await desk.search(person, made[0].number, Filters(), NOW)).rows] == [made[0].id]
        assert [(await desk.view_case(person, one.id)).case.id for one in made] == [one.id for one in made]
        with pytest.raises(NotFound):
            await desk.view_case(person, beside.id)
    assert (await desk.list_cases(stranger, Filters(), NOW)).rows == []
    assert (await desk.search(stranger, made[0].number, Filters(), NOW)).rows == []
    for one in made:
        with pytest.raises(NotFound):
            await desk.view_case(stranger, one.id)


async def test_a_departments_pages_show_every_case_once_in_either_order_and_by_every_filter(orm: None):
    unit = await Department.get(code="CG-SGH")
    sun, colleague = await of_unit(unit, "孙工"), await of_unit(unit, "钱工")
    made = await held_led_and_helped(unit, sun, 25)
    for case in made[::4]:
        case.status, case.closed_at = Status.CLOSED, NOW
        await case.save()
    await random_cases(15, 30)
    mine = {case.id for case in made}
    newest = [row.id for row in await every_page(colleague, Filters())]
    assert newest == [case.id for case in sorted(made, key=lambda case: (case.reported_at, case.id), reverse=True)]
    due = [row.id for row in await every_page(colleague, Filters(), Sort.DUE)]
    waiting = [case for case in made if case.closed_at is None]
    assert due == [case.id for case in sorted(waiting, key=lambda case: (case.due_at, case.id))]
    assert {row.id for row in await every_page(colleague, Filters(open=False))} == {one.id for one in made[::4]}
    assert sun.post
    held = {row.id for row in await every_page(colleague, Filters(holder_id=sun.post.id))}
    assert held == {one.id for one in made[::3]}
    assert {row.id for row in await every_page(colleague, Filters(area_id=await grid()))} == mine
    assert await every_page(colleague, Filters(area_id=await grid(OTHER_GRID))) == []
    found, after = list[int](), ""
    while True:
        page = await desk.search(colleague, "灯 坏", Filters(), NOW, after=after)
        found += [row.id for row in page.rows]
        after = page.next
        if not after:
            break
    assert found == newest


async def test_a_colleague_reads_no_telephone_number_and_who_has_it_does(orm: None):
    unit = await Department.get(code="CG-SGH")
    sun, colleague = await of_unit(unit, "孙工"), await of_unit(unit, "钱工")
    assert sun.post
    said = "摊贩占道，电话13900001111"
    case = await a_case(holder_id=sun.post.id, department_id=unit.id, description=said, place="东门 13900002222")
    memo = {"verb": "memo", "actor": "系统", "text": "联系人：张三 13900003333", "public": False}
    await CaseEvent.create(case_id=case.id, at=NOW, status=case.status, **memo)
    for person, reads in ((sun, True), (colleague, False), (await someone("李主任"), True)):
        view = await desk.view_case(person, case.id)
        shown = f"{view.case.description} {view.timeline[0].text}"
        assert ("13900001111" in shown, "13900003333" in shown) == (reads, reads), person.post
    assert (await desk.list_cases(colleague, Filters(), NOW)).rows[0].place == "东门 ***"
    assert (await Case.get(id=case.id)).description == said


async def test_a_colleague_may_not_ask_that_a_case_is_left_out(orm: None):
    unit = await Department.get(code="CG-SGH")
    sun, colleague = await of_unit(unit, "孙工"), await of_unit(unit, "钱工")
    assert sun.post
    case = await a_case(holder_id=sun.post.id, department_id=unit.id)
    with pytest.raises(NotAllowed):
        await exclusions.ask(colleague, case.id, "不想算", NOW)
    assert await exclusions.ask(sun, case.id, "演练", NOW)


async def found(person: Person, text: str) -> set[int]:
    return {row.id for row in (await desk.search(person, text, Filters(), NOW)).rows}


async def test_search_finds_words_in_any_order_and_not_some_of_them(boss: Person):
    leak = await a_case(description="3栋2单元楼道漏水，水流到电表箱", place="东亭小区3栋", subject="漏水")
    dark = await a_case(description="楼道的灯坏了好几天", subject="楼道照明损坏")
    assert await found(boss, "漏水 楼道") == await found(boss, "楼道漏水") == {leak.id}
    assert await found(boss, "楼道") == {leak.id, dark.id}
    assert await found(boss, "楼道 煤气") == set()
    assert await found(boss, "電表箱") == {leak.id}


async def test_search_finds_a_number_said_in_part(boss: Person):
    one = await a_case(number="20261001-0037")
    other = await a_case(number="20261002-0037")
    assert await found(boss, "0037") == {one.id, other.id}
    assert await found(boss, "1002-0037") == {other.id}
    assert await found(boss, "查 20261001-0037") == {one.id}


async def test_search_goes_on_page_by_page_and_back_through_the_years(boss: Person, monkeypatch: pytest.MonkeyPatch):
    made = [
        await a_case(
            reported_at=NOW - timedelta(days=7 * number), subject="灯坏了" if number % 3 else "漏水", description="楼道"
        )
        for number in range(90)
    ]
    expected = [case.id for number, case in enumerate(made) if number % 3]
    for few in (64, 0):
        monkeypatch.setattr("domain.desk_pages._FEW_PLACES", few)
        found, after = list[int](), ""
        while True:
            page = await desk.search(boss, "灯 楼道", Filters(), NOW, after=after)
            found += [row.id for row in page.rows]
            after = page.next
            if not after:
                break
        assert found == expected
        late = await desk.search(boss, "灯", Filters(end=NOW - timedelta(days=600)), NOW)
        assert [row.id for row in late.rows] == [case_id for case_id in expected if case_id > made[85].id]


async def test_search_knows_what_was_written_a_moment_ago(boss: Person):
    case = await a_case()
    assert await found(boss, "灯") == {case.id}
    case.description, case.place = "下水道堵了", "菜场"
    await case.save()
    assert await found(boss, "灯坏") == set()
    assert await found(boss, "菜场 下水道") == {case.id}


async def test_search_asks_for_words_when_there_are_none(boss: Person):
    with pytest.raises(BadRequest):
        await desk.search(boss, "！！！的", Filters(), NOW)


def test_words_with_quotes_and_backslashes_are_only_words():
    assert search_vector("it's") == "'it' 's'"
    assert "''" not in search_query("a\\b'c")


async def test_a_cursor_from_nowhere_is_refused(boss: Person):
    with pytest.raises(BadRequest):
        await desk.list_cases(boss, Filters(), NOW, after="drop table")


async def test_one_case_in_full(boss: Person):
    case = await a_case()
    resident = await Resident.create(openid="o_follower")
    await Follower.create(case_id=case.id, resident_id=resident.id, since=NOW)
    view = await desk.view_case(boss, case.id)
    assert (view.case.id, view.followers, view.holder, list(view.timeline)) == (case.id, 1, "", [])
    assert view.place.endswith((await Area.get(code=WANG_GRID)).name)


async def equals_recount(person: Person, area_id: int, month: date) -> None:
    """The front page's figures are those of a count from the beginning."""
    shown = await desk.dashboard(person, area_id, month, NOW)
    (total,) = await measure(area_id, Period.of_month(month))
    assert shown.total.counts == total.before.counts
    assert shown.total.figures == total.before.figures
    lines = {line.key: line.before.counts for line in await measure(area_id, Period.of_month(month), By.AREA)}
    kept = {str(part.area_id): part.values.counts for part in shown.parts if any(part.values.counts.values())}
    assert kept == {key: counts for key, counts in lines.items() if any(counts.values())}


@pytest.mark.parametrize("seed", [21, 22])
async def test_the_front_page_equals_a_recount_whatever_is_kept_and_whatever_is_stale(boss: Person, seed: int):
    made = await random_cases(seed, 60)
    areas = [area.id for area in await Area.all()]
    district = (await Area.get(code="429906")).id
    await equals_recount(boss, district, OCTOBER)
    assert await refresh() > 0
    assert await refresh() == 0
    for area_id in areas:
        if area_id != (await Area.get(code="429900")).id:
            await equals_recount(boss, area_id, OCTOBER)
    for case in made[:20]:
        case.status, case.closed_at, case.due_at = Status.DISPOSING, None, MIDNIGHT + timedelta(days=40)
        case.grid_id = await grid(OTHER_GRID)
        await case.save()
    await made[20].delete()
    await random_cases(seed + 100, 20)
    for month in (date(2026, 9, 1), OCTOBER, date(2026, 11, 1)):
        await equals_recount(boss, district, month)
    assert await refresh(limit=3) > 0
    await equals_recount(boss, district, OCTOBER)
    while await refresh():
        pass
    await equals_recount(boss, district, OCTOBER)


async def test_kept_counts_follow_a_new_version_of_the_formulas(boss: Person):
    await a_case(**closed(solved=True, satisfaction=2))
    await refresh()
    district = (await Area.get(code="429906")).id
    assert (await desk.dashboard(boss, district, OCTOBER, NOW)).total.figures["satisfied_rate"].ratio == 1
    await add_version(boss, OCTOBER, Settings(satisfied_from=3), "", NOW)
    assert (await desk.dashboard(boss, district, OCTOBER, NOW)).total.figures["satisfied_rate"].ratio == 0
    await refresh()
    assert (await desk.dashboard(boss, district, OCTOBER, NOW)).total.figures["satisfied_rate"].ratio == 0


async def test_the_front_page_says_how_it_stands_now(boss: Person):
    await a_case(due_at=NOW - timedelta(hours=1))
    await a_case(due_at=NOW + timedelta(hours=1))
    await a_case(status=Status.SUSPENDED, due_at=NOW - timedelta(hours=1), suspended_at=NOW - timedelta(hours=2))
    await a_case(**closed())
    shown = await desk.dashboard(boss, (await Area.get(code="429906")).id, OCTOBER, NOW)
    assert (shown.open, shown.overdue) == (3, 1)
    assert shown.before.counts == dict.fromkeys(COUNTS, 0)


async def test_two_who_refresh_at_once_and_one_who_writes_leave_the_right_counts(boss: Person):
    made = await random_cases(31, 40)

    async def write(case: Case) -> None:
        case.round += 1
        await case.save()

    await asyncio.gather(refresh(), *(write(case) for case in made[:10]), refresh())
    await equals_recount(boss, (await Area.get(code="429906")).id, OCTOBER)
    while await refresh():
        pass
    assert (await fetch("SELECT count(*) AS n FROM figure_stale"))[0]["n"] == 0
    await equals_recount(boss, (await Area.get(code="429906")).id, OCTOBER)
