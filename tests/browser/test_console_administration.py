"""Rules and tables in a real browser: what would happen is shown beside the form, which keeps what was typed."""

from __future__ import annotations

from playwright.async_api import Browser, expect

from models.cases import Case
from models.enums import AdminKind
from models.language import WordRule
from models.people import Staff
from tests.browser.desks import desk_of
from tests.console.administration import make_administrator
from tests.town import CHEN, Town

_TABLE = "工号,姓名,区域编码\nG088,黄忠,{grid}\n"


async def test_a_rule_and_a_table_are_tried_beside_the_form_before_they_are_written(
    chromium: Browser, town: Town
) -> None:
    await town.say(CHEN, "3栋2单元楼道灯坏了，说是等咕噜球，晚上看不见")
    await town.say(CHEN, "1")
    address = f"/rules/words/{(await Case.get()).category}"
    await make_administrator(town, "吴处长", AdminKind.SYSTEM)
    async with desk_of(chromium, town, "吴处长", address, width=390) as (page, faults):
        await page.get_by_label("作用").select_option("not")
        await page.get_by_role("textbox", name="词").fill("灯")
        await page.get_by_role("button", name="加上").click()
        await expect(page.get_by_role("alert")).to_contain_text("一个字太常见")
        await page.get_by_role("textbox", name="词").fill("咕噜球")
        await page.get_by_role("button", name="先试一试").click()
        await expect(page.locator(".outcome")).to_contain_text("类别变 1 件")
        assert page.url.endswith(address)
        assert not await WordRule.exists()
        await page.get_by_role("button", name="加上").click()
        await expect(page.get_by_role("status")).to_contain_text("已加上“咕噜球”")
        assert (await WordRule.get()).entry == "咕噜球"

        await page.goto(f"{town.url}/console/organisation/tables")
        for grid, said in (("x", "共 1 处错误"), ("429906001001003", "试了一遍，没有错误")):
            sent = {"name": "人员.csv", "mimeType": "text/csv", "buffer": _TABLE.format(grid=grid).encode()}
            await page.get_by_label("文件").set_input_files([sent])
            await page.get_by_role("button", name="先试一试").click()
            await expect(page.locator(".outcome")).to_contain_text(said)
        await page.get_by_role("button", name="正式导入").click()
        await expect(page.locator(".outcome")).to_contain_text("已导入")
        assert (await Staff.get(code="G088")).name == "黄忠"
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert faults == []
