"""The console as people meet it: the first administrator comes in by a link; a case goes from a resident's phone over
two desks in two browsers and back."""

from __future__ import annotations

from datetime import timedelta

import pyotp
from playwright.async_api import Browser, Page, expect

from app.serve import Served
from console.frame import ROOT
from domain.console_login import issue_setup
from models.cases import Duty
from models.enums import Verifier
from simulator.samples import photo
from tests.browser.conftest import RunningClock
from tests.browser.desks import complaints, desk_of
from tests.browser.phones import Phone, open_page, picture
from tests.console.conftest import PASSWORD
from tests.town import Town

_LAMP = "3栋2单元楼道灯坏了好几天了 晚上老人上下楼看不见"
_STEP = timedelta(seconds=30)  # as long as a code of the authenticator app is good


async def test_the_first_administrator_comes_in_by_a_link_and_from_then_on_with_password_and_code(
    chromium: Browser, town: Town, clock: RunningClock
):
    page = await chromium.new_page(viewport={"width": 390, "height": 844})
    faults = complaints(page)
    await page.goto(f"{town.url}{ROOT}/setup/{await issue_setup(None, 'operator', clock())}")
    for label, given in (("工号", "A001"), ("姓名", "赵管理"), ("新密码", PASSWORD), ("再输一次", PASSWORD)):
        await page.get_by_label(label).fill(given)
    await page.get_by_role("button", name="设好密码").click()
    await expect(page.get_by_role("status")).to_have_text("密码设好了，请登录。")

    await _give_password(page)
    await expect(page.get_by_role("status")).to_contain_text("先设置动态码")
    app = pyotp.TOTP(await page.locator("code").inner_text())
    await _give_code(page, "000000", "设好了")
    await expect(page.locator(".fault")).to_contain_text("动态码不对")
    await _give_code(page, app.at(clock()), "设好了")
    await expect(page.get_by_role("status")).to_contain_text("动态码设好了")
    await expect(page.get_by_role("row", name="Chrome，Linux 电脑（这一台）")).to_be_visible()
    await page.get_by_role("button", name="退出", exact=True).click()
    await expect(page.get_by_role("status")).to_have_text("已退出。")

    clock.advance(_STEP)
    await _give_password(page)
    await _give_code(page, "000000", "登录")
    await expect(page.locator(".fault")).to_contain_text("动态码不对")
    await _give_code(page, app.at(clock()), "登录")
    await page.get_by_role("button", name="知道了").click()
    await expect(page.get_by_role("link", name="系统设置")).to_be_visible()
    assert faults == []
    await page.context.close()


async def _give_password(page: Page) -> None:
    form = page.locator("form", has=page.get_by_label("密码"))
    await form.get_by_label("工号").fill("A001")
    await form.get_by_label("密码").fill(PASSWORD)
    await form.get_by_role("button", name="登录").click()


async def _give_code(page: Page, code: str, button: str) -> None:
    await page.get_by_label("动态码").fill(code)
    await page.get_by_role("button", name=button).click()


async def test_a_case_goes_from_a_phone_over_two_desks_and_back(
    chromium: Browser, running: Served, clock: RunningClock
):
    assert running.platform
    town = Town(running, running.platform, clock)
    await Duty.all().update(auto_accept=False, verifier=Verifier.COMMUNITY)
    phones, phones_faults = await open_page(chromium, f"{running.url}/simulator", 1724, 1000)
    chen = Phone(phones, "陈阿姨")
    async with (
        desk_of(chromium, town, "李主任") as (li, lis_faults),
        desk_of(chromium, town, "王芳", width=390) as (wang, wangs_faults),
    ):
        await chen.type(_LAMP)
        await chen.tap("交给网格员")
        await chen.shows("编号 1120-0001")
        await li.get_by_role("link", name="0001").click()
        await expect(li.get_by_role("heading", level=1)).to_have_text("0001 楼道照明损坏")
        await li.get_by_role("button", name="受理并派出").click()
        await expect(li.get_by_role("status")).to_contain_text("已受理，请接着派人")
        await expect(li.get_by_label("网格员或网格")).to_have_value("王芳")  # whose grid it lies in
        await picture(li, "console-case")
        await li.get_by_role("button", name="派出").click()
        await expect(li.get_by_role("status")).to_contain_text("0001 已交给网格员王芳")

        await wang.get_by_role("link", name="0001").click()
        await wang.get_by_role("button", name="接手").click()
        await expect(wang.get_by_role("status")).to_contain_text("已接 0001")
        await chen.shows("网格员王芳已接手")
        await picture(wang, "console-phone")
        await wang.get_by_label("做了什么（居民看得到）").fill("换了灯泡和开关，试过能亮")
        after = {"name": "after.png", "mimeType": "image/png", "buffer": photo("repaired")}
        await wang.get_by_label("照片（可多选，最多 9 张）").first.set_input_files(files=[after])
        await wang.get_by_role("button", name="提交结果").click()
        await expect(wang.get_by_role("status")).to_contain_text("已记为办好")

        await li.get_by_role("link", name="看最新的").click()  # nobody told them to reload
        await expect(li.get_by_role("img", name="处理后照片 1")).to_be_visible()
        await li.get_by_role("button", name="核查通过").click()
        await expect(li.get_by_role("status")).to_contain_text("核查通过")
        await chen.shows("解决了吗")
        await chen.tap("解决了")
        await chen.tap("满意")
        await chen.shows("谢谢您的评价")
        for page in (li, wang):
            await page.get_by_role("link", name="看最新的").click()
            await expect(page.locator(".marks .state")).to_have_text("已办结")
            await expect(page.locator(".facts").first).to_contain_text("满意")
            await expect(page.locator(".timeline")).to_contain_text("核查 东亭社区李主任")
        assert lis_faults + wangs_faults + phones_faults == []
    await phones.context.close()
