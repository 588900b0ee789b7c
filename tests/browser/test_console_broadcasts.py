"""A notice at the desk in real browsers: one officer composes and looks at it, another lets it out, phones show it."""

from __future__ import annotations

from playwright.async_api import Browser, expect

from domain import broadcast_runs
from models.broadcasts import Broadcast
from models.enums import BroadcastState
from tests.browser.desks import desk_of
from tests.town import CHEN, Town

_ATTACK = "<img src=x onerror=alert(1)>"


async def test_one_composes_and_looks_at_it_another_lets_it_out_and_the_phone_shows_it(
    chromium: Browser, town: Town
) -> None:
    await town.say(CHEN, "您好")
    async with (
        desk_of(chromium, town, "李主任") as (page, faults),
        desk_of(chromium, town, "周科长", "/broadcasts?state=waiting", width=390) as (other, others_faults),
    ):
        await page.get_by_role("link", name="群发").click()
        await page.get_by_role("link", name="写一条通知").click()
        await page.get_by_label("标题").fill("明天停水")
        await page.get_by_label("正文").fill(f"请先接好水。{_ATTACK}")
        await page.get_by_label("网格群公告").check()
        await page.get_by_label("独居").first.check()
        await page.get_by_role("button", name="看看效果").click()
        await expect(page.get_by_role("group", name="手机上看到的样子")).to_contain_text(_ATTACK)
        await expect(page.locator("#preview")).to_contain_text("独居")
        assert page.url.endswith("/console/broadcasts/new")  # seen beside the form, which stays as it is

        await page.get_by_role("button", name="存成草稿").click()
        await expect(page.locator("form > .beside .stay > .fault")).to_contain_text("不能发到网格群")
        await expect(page.get_by_label("标题")).to_have_value("明天停水")
        await page.get_by_label("独居").first.uncheck()
        await page.get_by_role("button", name="存成草稿").click()
        await expect(page.get_by_role("status")).to_contain_text("还没有发给任何人")
        await expect(page.get_by_text("怎么送到")).to_be_visible()  # counted by itself
        await page.get_by_role("button", name="提交审批").click()
        await expect(page.get_by_role("status")).to_contain_text("交上去了")

        await other.reload()
        await other.get_by_role("link", name="明天停水").click()
        await expect(other.get_by_role("button", name="批准")).to_be_visible()
        assert await other.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await other.get_by_role("button", name="批准").click()
        await expect(other.get_by_role("status")).to_contain_text("批准了")
        while await broadcast_runs.advance(town.clock()) + await town.deliver():
            pass
        assert "请先接好水" in town.last(CHEN)
        assert (await Broadcast.get()).state is BroadcastState.DONE
        await page.reload()
        await expect(page.locator(".tiles")).to_contain_text("已送达")
        assert faults + others_faults == []


async def test_one_more_question_is_added_below_those_already_written(chromium: Browser, town: Town) -> None:
    async with desk_of(chromium, town, "李主任", "/surveys/new") as (page, faults):
        await page.get_by_label("问什么").first.fill("夜间停车够吗？")
        await page.get_by_role("button", name="再加一题").click()
        await expect(page.get_by_role("group", name="第 4 题")).to_be_visible()
        await expect(page.get_by_label("问什么").first).to_have_value("夜间停车够吗？")
        assert page.url.endswith("/console/surveys/new")
        assert faults == []
