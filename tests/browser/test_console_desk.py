"""The work desk in a real browser: worked by keys alone, and fresh without taking the focus from anybody."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.async_api import Browser, Page, expect

from console.frame import SESSION
from domain.console_login import begin_session
from models.cases import Case, CaseEvent
from models.enums import Status
from models.people import Staff
from tests.browser.desks import desk_of
from tests.console.test_desk import held
from tests.town import CHEN, Town


async def freshen(page: Page) -> None:
    """What a quarter of a minute brings, now."""
    await page.evaluate("document.body.dispatchEvent(new CustomEvent('desk-changed'))")


async def test_the_desk_is_worked_by_keys_alone(chromium: Browser, town: Town):
    made = [await held(town, "王芳", hours, status=Status.DISPATCHED) for hours in (2, 3, 4)]
    async with desk_of(chromium, town, "王芳") as (page, faults):
        await page.locator("#tasks-every").check()
        await expect(page.locator("#chosen")).to_have_text("已选 3 件")
        await expect(page.locator("#step")).to_have_value("sign")
        async with page.expect_response("**/desk/todo"):
            await freshen(page)
        await page.evaluate("new Promise(requestAnimationFrame)")
        await expect(page.locator("#tasks-every")).to_be_focused()
        await page.locator(f"#tasks-pick-{made[2].id}").uncheck()
        await expect(page.locator("#tasks-every")).not_to_be_checked()
        await page.locator("#tasks-every").check()
        await page.locator("#tasks-every").uncheck()
        await page.locator("h1").click()
        keys = page.keyboard
        for key in "jxjx":
            await keys.press(key)
        await expect(page.locator("#chosen")).to_have_text("已选 2 件")
        await keys.press("b")
        await keys.press("j")  # where one chooses, a letter is a letter
        await expect(page.locator("#step")).to_be_focused()
        await keys.press("Tab")
        await keys.press("Enter")
        await expect(page.locator("#done")).to_contain_text("办成 2 件。")
        await expect(page.locator("#chosen")).to_have_text(re.compile("先勾选"))
        await expect(page.locator(f"#tasks-{made[0].id}")).to_contain_text("处理中")
        assert await Case.filter(status=Status.DISPOSING).count() == 2
        await page.locator(f"#tasks-pick-{made[0].id}").check()
        await expect(page.locator("#step")).to_have_value("transfer")
        await page.locator(f"#tasks-pick-{made[0].id}").uncheck()

        await keys.press("?")
        await expect(page.locator("#keys")).to_be_visible()
        await keys.press("Space")  # the first thing in it: use keys or not
        await keys.press("Escape")
        await page.locator(f"#tasks-open-{made[1].id}").focus()
        await keys.press("k")
        await expect(page.locator(f"#tasks-open-{made[1].id}")).to_be_focused()
        await keys.press("Enter")
        await expect(page).to_have_url(re.compile(f"/console/cases/{made[1].id}$"))
        assert faults == []


async def test_news_is_told_and_neither_focus_nor_choice_is_lost(chromium: Browser, town: Town):
    first = await held(town, "王芳", 5)
    async with desk_of(chromium, town, "王芳", width=390) as (page, faults):
        await page.locator(f"#tasks-pick-{first.id}").check()
        await page.locator(f"#tasks-open-{first.id}").focus()
        urgent = await held(town, "王芳", -1, subject="井盖破损")
        await Case.filter(id=first.id).update(supervised=1)
        await freshen(page)
        news = page.locator("#news")
        await expect(news).to_have_text(re.compile("新到：.* 井盖破损。有变化：.* 楼道灯。"))
        await expect(page).to_have_title(re.compile("^待办 2 "))
        await expect(page.locator("h1")).to_have_text("待办 2")
        await expect(page.locator("tr[data-case]").first).to_have_id(f"tasks-{urgent.id}")
        await expect(page.locator(f"#tasks-{urgent.id}")).to_contain_text("新")
        await expect(page.locator(f"#tasks-open-{first.id}")).to_be_focused()
        await expect(page.locator(f"#tasks-pick-{first.id}")).to_be_checked()
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0

        assert faults == []

        sentence = {
            "status": 200,
            "headers": {"X-Fault": "unavailable", "Content-Type": "text/html"},
            "body": "<span>系统正在恢复</span>",
        }
        for fails in (lambda route: route.abort(), lambda route: route.fulfill(**sentence)):
            await page.route("**/desk/todo", fails)
            await freshen(page)
            await expect(news).to_contain_text("暂时连不上")
            await expect(page.locator("tr[data-case]")).to_have_count(2)
            await page.unroute("**/desk/todo")
            await freshen(page)
            await expect(news).to_be_empty()
        town.clock.advance(timedelta(days=1))
        await freshen(page)
        await expect(page).to_have_url(re.compile("/console/login$"))


async def test_what_is_being_written_outlives_the_session(chromium: Browser, town: Town):
    case = await held(town, "王芳", 100)
    async with desk_of(chromium, town, "王芳", f"/cases/{case.id}") as (page, faults):
        words = page.locator("#memo-text")
        await page.keyboard.press("m")
        await words.fill("梯子在物业，明天上午去拿")
        send = page.locator("form", has=words).get_by_role("button")
        town.clock.advance(timedelta(minutes=31))
        await page.evaluate("document.body.dispatchEvent(new CustomEvent('news'))")
        await expect(page.locator("#over")).to_contain_text("写的都还在")
        await send.click()
        await expect(page.locator("form", has=words)).to_contain_text("在新的一页登录")
        secret = await begin_session((await Staff.get(name="王芳")).id, town.clock(), "test")
        await page.context.add_cookies([{"name": SESSION, "value": secret, "url": town.url}])
        await send.click()
        await expect(page.locator("form", has=words)).to_contain_text("现在登录的是网格员王芳")
        await expect(words).to_have_value("梯子在物业，明天上午去拿")
        await send.click()
        await expect(page.locator(".said")).to_contain_text("记下")
        assert await CaseEvent.filter(case_id=case.id, text__contains="梯子在物业").count() == 1
        assert faults == []


async def test_what_a_resident_reports_appears_by_itself_on_a_desk_that_is_open(chromium: Browser, town: Town):
    async with desk_of(chromium, town, "王芳") as (page, faults):
        await page.locator("#words").fill("还没写完")
        for words in ("3栋2单元楼道灯坏了好几天了，晚上看不见", "1"):
            await town.say(CHEN, words)
        await expect(page.locator("#tasks tr[data-case]")).to_have_count(1)  # within five seconds
        await expect(page.locator("#news")).to_contain_text("新到：")
        await expect(page).to_have_title(re.compile("^待办 1 "))
        await expect(page.locator("#words")).to_be_focused()
        await expect(page.locator("#words")).to_have_value("还没写完")
        assert faults == []
