"""A case at the desk without a mouse, in a real browser: from the to-do to its result, and what was typed is kept."""

from __future__ import annotations

from playwright.async_api import Browser, expect

from models.cases import Attachment, Case
from models.enums import Status
from simulator.samples import photo
from tests.browser.desks import desk_of, still
from tests.town import CHEN, Town


async def test_a_case_is_handled_with_the_keyboard_alone_and_a_refusal_keeps_what_was_typed(
    chromium: Browser, town: Town
):
    await town.say(CHEN, '3栋2单元楼道灯坏了<img src=x onerror="alert(1)">')
    await town.say(CHEN, "1")
    await town.deliver()
    async with desk_of(chromium, town, "王芳") as (page, faults):
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text("0001 楼道照明损坏")
        await still(page)

        await page.keyboard.press("s")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_contain_text("已接 0001")
        await still(page)
        await page.keyboard.press("n")
        await page.keyboard.press("ArrowDown")
        await expect(page.get_by_label("进展（居民看得到）")).to_have_value(
            "我已到3栋2单元楼道看过，正在处理，明天上午 10 点半前给您结果。"
        )
        await page.keyboard.press("Escape")
        await expect(page.get_by_label("进展（居民看得到）")).to_be_hidden()

        result = page.get_by_label("做了什么（居民看得到）")
        await page.keyboard.press("d")
        await page.keyboard.press("Tab")
        await page.keyboard.type("换了灯泡和开关，d 试过能亮")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-step=dispose] .fault")).to_contain_text("办结要有照片")
        await expect(result).to_have_value("换了灯泡和开关，d 试过能亮")
        picture = {"name": "after.png", "mimeType": "image/png", "buffer": photo("streetlight")}
        chooser = page.get_by_label("照片（可多选，最多 9 张）").first  # opens the system's own dialog
        await chooser.set_input_files(files=[picture])
        await page.get_by_role("button", name="提交结果").press("Enter")
        await expect(page.get_by_role("status")).to_contain_text("已记为办好")
        await expect(page.get_by_role("img", name="处理后照片 1")).to_be_visible()
        assert (await Case.get()).status is Status.VERIFIED
        assert await Attachment.filter(after=True).count() == 1
        assert faults == []
