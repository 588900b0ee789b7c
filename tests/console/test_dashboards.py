"""看板 at the console: every figure equals its cases, and who sees which."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import unescape
from io import BytesIO

import openpyxl
import pytest

from domain.figures_counts import Period
from domain.indicators import By, measure
from models.audit import AuditEvent
from models.cases import Case
from models.enums import AdminKind
from models.people import Area
from tests.console.administration import at_desk
from tests.console.conftest import Desk, sit_down
from tests.domain.made_cases import random_cases
from tests.domain.test_hotspots import people, said
from tests.domain.test_indicators import a_case
from tests.town import Town

OCTOBER = "since=2026-10-01&until=2026-10-31"
STREET, COMMUNITY, NEXT = "429906001", "429906001001", "429906001002"
LINK = re.compile(
    r'<a href="/console(/(?:dashboards/(?:cases|now|these)|cases)\?[^"]+)">([\d,.%]+)</a>(?: <small[^>]*>(\d+)/)?'
)
PARTS = ("days", "categories", "times", "heat", "grids", "units")


async def area(code: str) -> int:
    return (await Area.get(code=code)).id


async def _many(desk: Desk, path: str) -> int:
    """How many cases a figure leads to: on the list behind it, page by page, or on the desk's."""
    page = await desk.open(path)
    assert desk.status == 200, path
    if path.startswith("/cases"):
        return int(re.findall(r"<h1>事项 (\d+)</h1>", page)[0])
    listed = len(re.findall(r'<th scope="row"><a href="/console/cases/\d+"', page))
    following = re.findall(r'<a class="button second" href="/console([^"]+)">后面的', page)
    many = listed + (await _many(desk, unescape(following[0])) if following else 0)
    assert re.search(rf" · (共|这一页起还有) {many} 件", page), "the page says how many there are"
    return many


def _leads(page: str) -> dict[str, int]:
    """Address → the figure that leads there."""
    found = {}
    for path, shown, numerator in LINK.findall(page):
        found[unescape(path)] = int(numerator or shown.replace(",", ""))
    return found


async def test_every_figure_of_the_front_page_equals_the_cases_it_leads_to(town: Town, desk: Desk):
    await random_cases(21, 70)
    await sit_down(town, desk, "周科长")
    leads = _leads(await desk.open(f"/dashboards?{OCTOBER}"))
    assert len(leads) > 25
    assert {path.split("?")[0] for path in leads} == {"/dashboards/cases", "/cases"}
    for path, figure in leads.items():
        assert await _many(desk, path) == figure, path


async def test_every_figure_of_each_part_equals_the_cases_it_leads_to(town: Town, desk: Desk):
    await random_cases(22, 60)
    await sit_down(town, desk, "周科长")
    for part in PARTS:
        leads = _leads(await desk.open(f"/dashboards/{part}?{OCTOBER}"))
        assert leads, part
        for path, figure in list(leads.items())[:15]:
            assert await _many(desk, path) == figure, path


async def test_a_month_that_goes_on_says_what_its_rate_of_closing_counts(town: Town, desk: Desk):
    now = town.clock()
    for hours in (1, 2):
        await a_case(reported_at=now, accepted_at=now, due_at=now + timedelta(hours=hours))
    await sit_down(town, desk, "周科长")
    said = "除数里有 2 件还没办结：期末前到期的都算，没到期的也算"
    assert (await desk.open("/dashboards")).count(said) == 1, "beside 按期结案率 alone"
    town.clock.advance(timedelta(days=45))
    assert said not in await desk.open(f"/dashboards?month={now:%Y-%m}")


async def test_cases_at_risk_lead_to_a_list_of_their_own(town: Town, desk: Desk):
    cases = await random_cases(23, 3)
    soon = town.clock() + timedelta(hours=3)
    open_again = {"status": "disposing", "closed_at": None, "suspended_at": None, "due_at": soon}
    await Case.filter(id__in=[case.id for case in cases]).update(
        **open_again, grid_id=None, area_id=await area(COMMUNITY)
    )
    await sit_down(town, desk, "李主任")
    leads = _leads(await desk.open("/dashboards"))
    at_risk = {path: figure for path, figure in leads.items() if "kind=soon" in path}
    assert set(at_risk.values()) == {3}
    assert len(at_risk) == 2, "the tile, and the community's own line (本级)"
    for path in at_risk:
        assert await _many(desk, path) == 3


async def test_a_long_list_is_read_page_by_page(town: Town, desk: Desk):
    await random_cases(24, 130)
    await sit_down(town, desk, "周科长")
    leads = _leads(await desk.open(f"/dashboards?{OCTOBER}"))
    path, figure = max(
        ((path, figure) for path, figure in leads.items() if "of=reported" in path), key=lambda one: one[1]
    )
    assert figure > 50
    assert await _many(desk, path) == figure
    assert "东亭社区第一网格" in desk.page, "a grid with its community"


async def test_somebody_elses_area_does_not_exist_with_its_parts_its_cases_and_its_workbook(town: Town, desk: Desk):
    await sit_down(town, desk, "李主任")
    elsewhere = await area(NEXT)
    paths = ["", *(f"/{part}" for part in PARTS), "/hotspots", "/book.xlsx", "/cases", "/now", "/these"]
    for path in paths:
        of = "&of=closed" if path == "/cases" else ""
        await desk.open(f"/dashboards{path}?area={elsewhere}{of}")
        assert desk.status == 404, path
    assert "看板" in await desk.open(f"/dashboards?area={await area(COMMUNITY)}")


async def test_a_department_reads_the_figures_of_its_street_and_no_cases_behind_them(town: Town, desk: Desk):
    await random_cases(25, 30)
    await sit_down(town, desk, "马队长")
    page = await desk.open(f"/dashboards?{OCTOBER}")
    assert desk.status == 200
    assert not _leads(page)
    await desk.open(f"/dashboards/cases?of=closed&{OCTOBER}")
    assert desk.status == 403
    assert "您单位的事件在“事项”里" in desk.page
    refused = await AuditEvent.filter(tag="area:read", allowed=False)
    assert len(refused) == 1


@pytest.mark.parametrize("kind", [AdminKind.SECURITY, AdminKind.AUDIT])
async def test_administrators_of_security_and_audit_have_no_business_here(town: Town, desk: Desk, kind: AdminKind):
    await at_desk(town, desk, "周科长", kind)
    for path in ("/dashboards", "/dashboards/grids", "/dashboards/cases?of=closed", "/screens"):
        await desk.open(path)
        assert desk.status == 403, path


async def test_a_period_that_cannot_be_read_says_what_to_choose(town: Town, desk: Desk):
    await sit_down(town, desk, "王芳")
    for period, told in (
        ("since=2026-10-02&until=2026-10-01", "结束日期要在开始日期之后"),
        ("since=2026-01-02&until=2026-10-01", "最多 92 天"),
        ("since=2020-01-01&until=2026-10-31", "最多 36 个月"),
        ("month=2026-13", "月份填得不对"),
        ("month=0000-01", "月份填得不对"),
        ("area=99999999999", "区域填得不对"),
        ("since=0001-01-01&until=0001-01-31", "这个日期看不了"),
    ):
        assert told in await desk.open(f"/dashboards?{period}"), period
        assert desk.status == 400


async def test_a_figure_there_is_not_has_no_cases(town: Town, desk: Desk):
    await sit_down(town, desk, "王芳")
    for of in ("of=handle_seconds", "of=everything", "of=closed&but=nothing", "of="):
        assert "没有这个数" in await desk.open(f"/dashboards/cases?{of}"), of
        assert desk.status == 400


async def test_a_month_read_from_what_is_kept_equals_the_same_days_counted(town: Town, desk: Desk):
    await random_cases(26, 60)
    await sit_down(town, desk, "周科长")
    (line,) = await measure(await area(STREET), Period.of_month(datetime(2026, 10, 1)), By.TOTAL)  # noqa: DTZ001 - a day
    for path in ("/dashboards?month=2026-10", f"/dashboards?{OCTOBER}"):
        page = await desk.open(path)
        shown = dict(re.findall(r"<dt[^>]*>([^<]+)</dt><dd>(?:<a[^>]*>)?([^<]+)<", page))
        assert int(shown["上报"]) == line.before.counts["reported"]
        assert int(shown["办结"]) == line.before.counts["closed"]
        assert shown["满意率"] == f"{100 * (line.before.figures['satisfied_rate'].ratio or 0):.1f}%"


async def test_each_chart_has_its_numbers_in_a_table_beside_it(town: Town, desk: Desk):
    await random_cases(27, 40)
    await sit_down(town, desk, "周科长")
    for part in ("days", "categories", "times", "grids", "units"):
        page = await desk.open(f"/dashboards/{part}?{OCTOBER}")
        assert page.count("data-chart=") == 1
        assert page.count('<th scope="row">') > 1
    heat = await desk.open(f"/dashboards/heat?{OCTOBER}")
    assert "<svg" in heat
    assert '<th scope="row">' in heat


async def test_the_ranking_shows_its_formula_and_names_grids_with_their_community(town: Town, desk: Desk):
    await random_cases(28, 60)
    await sit_down(town, desk, "周科长")
    page = await desk.open(f"/dashboards/grids?{OCTOBER}")
    assert "按期结案率×30%（按期结案数 ÷ 应结案数）" in page
    community = (await Area.get(code=COMMUNITY)).name
    assert f"{community}第一网格" in page
    assert f"{community}（未分网格）" in page


async def test_the_workbook_has_the_figures_of_the_page(town: Town, desk: Desk):
    await random_cases(29, 60)
    await sit_down(town, desk, "周科长")
    page = await desk.open(f"/dashboards/categories?{OCTOBER}")
    on_page = {
        unescape(name): int(many) for name, many in re.findall(r'<th scope="row">([^<]+)</th><td><a[^>]+>(\d+)<', page)
    }
    async with desk.session.get(f"{desk.url}/console/dashboards/book.xlsx?{OCTOBER}") as answer:
        assert answer.status == 200
        book = openpyxl.load_workbook(BytesIO(await answer.read()))
    rows = list(book["居民反映什么"].iter_rows(min_row=2, values_only=True))
    assert {str(row[0]): row[1] for row in rows if isinstance(row[1], int)} == on_page
    assert book.sheetnames[0] == "指标"
    assert len(book.sheetnames) == 10


async def test_what_somebody_called_a_grid_is_text_in_page_and_chart(town: Town, desk: Desk):
    await random_cases(30, 30)
    evil = "</script><script>alert(1)</script>"
    await Area.filter(code=f"{COMMUNITY}001").update(name=evil)
    await sit_down(town, desk, "李主任")
    for path in (f"/dashboards?{OCTOBER}", f"/dashboards/grids?{OCTOBER}", f"/dashboards/heat?{OCTOBER}", "/screen"):
        page = await desk.open(path)
        assert desk.status == 200
        assert evil not in page
        assert "alert(1)" in page


async def test_a_hot_spot_leads_to_its_cases_and_only_the_page_of_staff_says_where_within_the_grid(
    town: Town, desk: Desk
):
    for resident in await people(8):
        await said(resident, 2, place="3栋2单元501", longitude=114.36, latitude=30.55)
    await sit_down(town, desk, "周科长")
    page = await desk.open("/dashboards/hotspots")
    community = (await Area.get(code=COMMUNITY)).name
    assert f"{community}第一网格（3栋2单元501一带） 垃圾满溢" in page
    leads = _leads(page)
    assert list(leads.values()) == [8]
    assert await _many(desk, next(iter(leads))) == 8
    wall = await desk.open("/screen/later")
    assert f"<b>{community}第一网格</b> 垃圾满溢 <span>8 人</span>" in wall
    assert "3栋" not in wall


async def test_a_long_table_is_cut_on_the_page_and_whole_in_the_workbook(town: Town, desk: Desk):
    await sit_down(town, desk, "李主任")
    period = "since=2026-08-01&until=2026-10-30"  # no whole months: 91 days
    page = await desk.open(f"/dashboards/days?{period}")
    assert page.count('<th scope="row">') == 60
    assert "共 91 行" in page
    async with desk.session.get(f"{desk.url}/console/dashboards/book.xlsx?{period}") as answer:
        book = openpyxl.load_workbook(BytesIO(await answer.read()))
    dates = [row[0] for row in book["每天的流量"].iter_rows(min_row=2, values_only=True) if row[0]]
    assert (dates[0], dates[-1], len(dates)) == ("2026-08-01", "2026-10-30", 91)
