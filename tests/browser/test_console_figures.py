"""看板 and 大屏 in a real browser: charts are drawn and lead on, a wall stays fresh and says when it is not."""

from __future__ import annotations

import random
import re
from datetime import timedelta

import pytest
from playwright.async_api import Browser, expect

from domain.screens import make_screen
from models.cases import Case
from models.people import Area
from tests.browser.desks import complaints, desk_of
from tests.browser.phones import picture
from tests.domain.made_cases import random_cases
from tests.domain.neighbours import officer
from tests.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OCTOBER = "since=2026-10-01&until=2026-10-31"


async def test_a_figure_and_a_bar_lead_to_the_cases_they_count(chromium: Browser, town: Town):
    await random_cases(51, 40)
    async with desk_of(chromium, town, "周科长", f"/dashboards?{OCTOBER}", width=1440) as (page, faults):
        await expect(page.locator("text=正在统计")).to_have_count(0)
        await expect(page.locator(".chart canvas")).to_have_count(7)
        figure = page.locator('.tiles div:has(dt:text-is("办结"))').get_by_role("link").first
        closed = int(await figure.inner_text())
        await figure.click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("办结")
        await expect(page.locator("tbody tr")).to_have_count(closed)

        await page.go_back()
        await expect(page.locator("text=正在统计")).to_have_count(0)  # nothing pushes the chart away any more
        bars = page.locator("section", has_text="居民反映什么").locator(".chart")
        await expect(bars.locator("canvas")).to_have_count(1)
        many = await page.locator("section", has_text="居民反映什么").locator("tbody a").first.inner_text()
        box = await bars.bounding_box()
        assert box
        await bars.click(position={"x": box["width"] * 0.45, "y": box["height"] * 0.18})
        await expect(page).to_have_url(re.compile("/dashboards/cases.*by=category"))
        await expect(page.locator("tbody tr")).to_have_count(int(many))
        assert faults == []
        await page.goto(f"{town.url}/console/dashboards?{OCTOBER}")
        await expect(page.locator(".chart canvas")).to_have_count(7)
        await picture(page, "console-dashboard")
        await page.set_viewport_size({"width": 1920, "height": 1080})
        await page.goto(f"{town.url}/console/screen")
        await expect(page.locator(".chart canvas")).to_have_count(3)
        await picture(page, "console-wall")


async def test_a_mark_on_the_map_is_a_case_and_a_number_a_part_of_it(chromium: Browser, town: Town):
    chance = random.Random(54)
    for step, grid in enumerate(await Area.filter(parent__name="东亭社区").order_by("code")):
        west, south = 114.350 + 0.006 * step, 30.550
        border = [[west, south], [west + 0.006, south], [west + 0.006, south + 0.006], [west, south + 0.006]]
        await Area.filter(id=grid.id).update(boundary=[border])
        for case in [one for one in await random_cases(55 + step, 60) if not one.closed_at]:
            due = town.clock() + timedelta(hours=chance.choice([-30, -2, 5, 60, 200]))
            place = {"longitude": west + chance.uniform(0, 0.006), "latitude": south + chance.uniform(0, 0.006)}
            await Case.filter(id=case.id).update(area_id=grid.id, grid_id=grid.id, due_at=due, **place)
    async with desk_of(chromium, town, "李主任", "/map", 1440) as (page, faults):
        await expect(page.locator("a.mark.overdue").first).to_be_visible()
        await picture(page, "console-map")
        listed = await page.locator("[data-pin]").count()
        await page.locator("a.mark.many").first.click()
        await page.wait_for_url(re.compile(r"/map\?box="))
        assert 1 < await page.locator("[data-pin]").count() < listed
        await page.locator("a.mark:not(.many)").first.click()
        await expect(page).to_have_url(re.compile(r"/cases/\d+"))
        assert faults == []


async def test_a_wall_is_fresh_each_minute_and_says_when_nothing_comes_any_more(chromium: Browser, town: Town):
    cases = await random_cases(52, 5)
    await Case.filter(id__in=[case.id for case in cases]).update(
        status="disposing", closed_at=None, suspended_at=None, due_at=town.clock() + timedelta(days=9)
    )
    street = await Area.get(code="429906001")
    secret = await make_screen(await officer("J001"), street.id, "指挥大厅", town.clock())
    context = await chromium.new_context(viewport={"width": 1920, "height": 1080})
    page = await context.new_page()
    await page.clock.install()
    faults = complaints(page)
    await page.goto(f"{town.url}/console/screen/open/{secret}")
    await page.get_by_role("link", name="打开大屏").click()
    overdue = page.locator(".tiles div", has_text="超期").locator("dd")
    await expect(overdue).to_have_text("0")
    await expect(page.locator(".chart canvas")).to_have_count(3)  # its scripts have begun
    await page.locator(".hot").evaluate("(one) => { one.append('很多热点 '.repeat(99)); }")
    assert await page.evaluate("document.documentElement.scrollHeight - innerHeight") <= 1
    size = await overdue.evaluate("(one) => parseFloat(getComputedStyle(one).fontSize)")
    assert size >= 72, "a screen of 1.2 m shows it 4 cm high"

    await Case.filter(id=cases[0].id).update(due_at=town.clock() - timedelta(hours=1))
    await page.clock.fast_forward(61_000)
    await expect(overdue).to_have_text("1")
    await expect(page.locator(".chart canvas")).to_have_count(3)
    assert faults == []
    await context.set_offline(True)
    await page.clock.fast_forward(61_000)
    await expect(page.locator("#lost")).to_be_visible()
    await context.set_offline(False)
    await page.clock.fast_forward(61_000)
    await expect(page.locator("#lost")).to_be_hidden()
    await context.close()
