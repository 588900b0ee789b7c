"""A newcomer's first ten minutes: the whole loop by hand on the phone page, in a real browser."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Route

from app.serve import Served
from tests.browser.phones import Phone, open_page, picture
from tests.town import CHEN

pytestmark = pytest.mark.browser


async def test_report_with_photo_to_rating_on_the_phone_page(chromium: Browser, running: Served):
    page, faults = await open_page(chromium, f"{running.url}/simulator", 1724, 1000)
    resident, worker, community = Phone(page, "陈阿姨"), Phone(page, "王芳"), Phone(page, "李主任")
    await resident.shows("您在东亭社区第一网格，网格员王芳为您服务")
    await worker.shows("现在没有待办")
    await picture(page, "simulator")

    await resident.type("3栋2单元楼道灯坏了好几天了 晚上老人上下楼看不见")
    await resident.shows("看起来您要反映：楼道照明损坏")
    await resident.photo()
    await resident.shows("共 1 张照片")
    await resident.tap("交给网格员")
    await resident.shows("已交给网格员王芳，编号")

    await worker.shows("新任务 0001 楼道照明损坏")
    await worker.tap("接")
    await worker.shows("已接 0001")
    await resident.shows("网格员王芳已接手")
    await worker.tap("办好了")
    await worker.shows("请发处理后的照片")
    await worker.photo("repaired")
    await worker.shows("再说一句结果就办结")
    await worker.type("换了灯泡和开关")
    await worker.shows("正在请居民确认")

    await resident.shows("解决了吗？")
    await picture(page, "loop", resident, worker)
    await resident.tap("解决了")
    await resident.shows("这次满意吗")
    await resident.tap("满意")
    await resident.shows("谢谢您的评价")
    await community.shows("现在没有待办")
    await picture(page, "rated", resident, worker)
    assert faults == []
    await page.close()


async def test_an_emergency_reaches_worker_and_community_while_the_advice_is_read(chromium: Browser, running: Served):
    page, faults = await open_page(chromium, f"{running.url}/simulator", 1724, 1000)
    resident, worker, community = Phone(page, "陈阿姨"), Phone(page, "王芳"), Phone(page, "李主任")
    await resident.shows("网格员王芳为您服务")
    await worker.shows("现在没有待办")
    await resident.type("我家闻到很浓的煤气味")
    await resident.shows("请马上关阀门")
    await worker.shows("紧急 新任务 0001")
    await community.shows("已通知网格员王芳")
    await picture(page, "emergency", resident, worker, community)
    assert faults == []
    await page.close()


async def test_the_page_works_on_a_phone_sized_screen(chromium: Browser, running: Served):
    page, faults = await open_page(chromium, f"{running.url}/simulator", 390, 844)
    resident = Phone(page, "陈阿姨")
    await resident.menu("我要说事")
    await resident.shows("请说说是什么事，在哪里")
    await picture(page, "phone-width")
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390, "nothing sticks out sideways"
    assert faults == []
    await page.close()


async def test_what_is_said_while_the_page_opens_is_on_the_phone(chromium: Browser, running: Served):
    assert running.platform
    platform, page = running.platform, await chromium.new_page()

    async def late(route: Route) -> None:
        await platform.send(CHEN, text="楼上好吵")
        await route.continue_()

    await page.route("**/api/events", late)
    await page.goto(f"{running.url}/simulator")
    await Phone(page, "陈阿姨").shows("楼上好吵")
    await page.close()
