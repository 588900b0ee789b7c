"""Services, bookings and notices by hand on the phone page: the resident, the counter, the worker, the community."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.async_api import Browser

from app.serve import Served
from domain.booking_rounds import GRACE, remind, settle
from domain.slot_making import make_slots
from tests.browser.conftest import RunningClock
from tests.browser.phones import Phone, open_page, picture

pytestmark = pytest.mark.browser


async def test_a_lawyer_is_booked_visited_and_rated_and_a_notice_is_approved_and_read(
    chromium: Browser, running: Served, clock: RunningClock
):
    page, faults = await open_page(chromium, f"{running.url}/simulator", 2580, 1000)
    chen, wang, li = (Phone(page, name) for name in ("陈阿姨", "王芳", "李主任"))
    await chen.shows("网格员王芳为您服务")
    await make_slots(clock())

    await chen.type("预约律师")
    await chen.shows("想约哪一天")
    await chen.type("1")
    await chen.shows("想约几点")
    await chen.type("2")
    await chen.shows("东亭社区公共法律服务室")
    await chen.type("1")
    await chen.shows("约好了：社区律师咨询，11 月 25 日（周三）15:00。")
    code = re.findall(r"签到码 (\d{6})", await chen.root.locator(".chat").inner_text())[-1]
    clock.advance(timedelta(days=5, hours=3))  # Wednesday, one in the afternoon
    await chen.type("您好")
    await chen.shows("有什么问题直接说")
    await remind(clock())
    await chen.shows("提醒：您约的社区律师咨询，今天（周三）15:00。")
    await li.type(f"签到 {code}")
    await li.shows("签到好了：")
    clock.advance(timedelta(hours=3) + GRACE)
    await settle(clock())
    await chen.shows("办得满意吗")
    await chen.tap("5 分")
    await chen.shows("谢谢您的评价")
    await picture(page, "booking", chen, li)

    await li.type("您好")
    await li.shows("有什么问题直接说")
    await wang.type("发通知 明天停水，上午9点到下午3点，请先接好水")
    await wang.shows("发给谁")
    await wang.type("1")
    await wang.shows("【明天停水】")
    await wang.type("1")
    await li.shows("请您批一条通知")
    await li.tap("同意")
    await li.shows("1 同意　2 不同意")
    await li.type("1")
    await li.shows("已批准“明天停水”")
    await chen.shows("【明天停水】")
    await chen.tap("知道了")
    await chen.shows("好的")
    await picture(page, "notice", wang, li, chen)
    assert faults == []
    await page.close()
