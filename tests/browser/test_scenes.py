"""What staff and neighbours do beyond the first loop, by hand on the phone page in a real browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from playwright.async_api import Browser, Page

from app.serve import Served
from domain.deadlines import watch
from models.people import Staff
from simulator.config import Person
from tests.browser.conftest import RunningClock
from tests.browser.phones import Phone, open_page, picture

pytestmark = pytest.mark.browser

GRID = "grid:429906001001001"
LAMP = "3栋2单元楼道灯坏了好几天了 晚上老人上下楼看不见"
LIU, SUN = "o_liu", "o_sun"


class Street:
    """Everybody's phone on one page. 刘洋 (second grid) and 孙先生 (a neighbour) have one too."""

    def __init__(self, page: Page, served: Served) -> None:
        self.page, self.served = page, served
        self.chen, self.wang, self.li, self.zhou, self.liu, self.sun = (
            Phone(page, name) for name in ("陈阿姨", "王芳", "李主任", "周科长", "刘洋", "孙先生")
        )

    async def report(self) -> None:
        """陈阿姨's lamp is handed in and on 王芳's phone."""
        await self.chen.type(LAMP)
        await self.chen.shows("看起来您要反映")
        await self.chen.tap("交给网格员")
        await self.chen.shows("已交给网格员王芳，编号")
        await self.wang.shows("新任务 0001 楼道照明损坏")

    async def taken(self) -> None:
        """And she has taken it."""
        await self.report()
        await self.wang.type("接 0001")
        await self.wang.shows("已接 0001")
        await self.chen.shows("网格员王芳已接手")


@pytest.fixture
async def street(chromium: Browser, running: Served) -> AsyncIterator[Street]:
    assert running.platform
    await Staff.filter(name="刘洋").update(openid=LIU)
    running.platform.add_phone(Person(LIU, "刘洋", "网格员"))
    running.platform.add_phone(Person(SUN, "孙先生", "居民"), following=False)
    await running.platform.follow(SUN, GRID)
    page, faults = await open_page(chromium, f"{running.url}/simulator", 2580, 1000)
    made = Street(page, running)
    await made.chen.shows("网格员王芳为您服务")
    await made.sun.shows("第一网格")
    await made.liu.type("待办")
    await made.liu.shows("现在没有待办")
    await made.wang.shows("现在没有待办")
    yield made
    assert faults == []
    await page.close()


async def test_a_case_changes_hands_in_words_and_a_colleague_helps(street: Street):
    await street.taken()
    await street.wang.type("协办 0001 刘洋 借一下梯子")
    await street.wang.shows("已请网格员刘洋协办")
    await street.liu.shows("协办 0001 楼道照明损坏")
    await street.liu.type("协办好了 0001 梯子送到了")
    await street.wang.shows("网格员刘洋协办好了：梯子送到了")
    await street.wang.type("转 0001 刘洋 这几栋归他")
    await street.wang.shows("对方接之前还由您负责")
    await street.liu.shows("转办 0001")
    await street.liu.tap("接")
    await street.liu.shows("已接 0001")
    await street.wang.shows("您不用再管了")
    await street.chen.shows("现在由网格员刘洋处理")
    await picture(street.page, "transfer", street.wang, street.liu)


async def test_a_neighbour_with_the_same_trouble_joins_and_two_cases_become_one(street: Street):
    await street.report()
    await street.sun.type("3栋2单元楼道灯坏了，黑的")
    await street.sun.shows("附近已有人反映")
    await street.sun.tap("我也遇到（有进展告诉您）")
    await street.sun.shows("记下了，您也遇到")
    await street.wang.type("接 0001")
    await street.sun.shows("网格员王芳已接手")
    await picture(street.page, "joined", street.chen, street.sun)

    await street.sun.type("东门的垃圾好几天没人收了")
    await street.sun.shows("垃圾未清运")
    await street.sun.tap("交给网格员")
    await street.wang.shows("新任务 0002")
    await street.chen.type("东门垃圾桶满了，好几天没人收")
    await street.chen.shows("垃圾满溢")
    await street.chen.tap("不是同一件，照常上报")
    await street.chen.shows("编号 1120-0003")
    await street.wang.shows("新任务 0003")
    await street.wang.type("并 0003 0002")
    await street.wang.shows("0003 已并入 0002")
    await street.chen.shows("和 0002 是同一件事")
    await picture(street.page, "merged", street.chen, street.wang)


async def test_a_return_waits_for_the_community_and_a_supervised_case_for_an_answer(street: Street):
    await street.report()
    await street.wang.type("退回 0001 3栋归第二网格")
    await street.wang.shows("已向东亭社区李主任申请退回")
    await street.li.shows("申请退回（3栋归第二网格")
    await street.li.tap("同意")
    await street.li.shows("已同意退回")
    await street.li.type("派 0001 第二网格")
    await street.liu.shows("新任务 0001")
    await picture(street.page, "return", street.wang, street.li)

    await street.liu.type("接 0001")
    await street.liu.shows("已接 0001")
    await street.zhou.type("督办 0001 2小时 老人摔跤了，今天到现场")
    await street.zhou.shows("已督办，等网格员刘洋答复")
    await street.liu.shows("督办：老人摔跤了")
    await street.liu.type("办好了 0001 换了灯泡")
    await street.liu.shows("请先答复督办。回复“答复 0001")
    await street.liu.type("答复 0001 已到现场，正在换")
    await street.liu.shows("答复已送到")
    await street.zhou.shows("已到现场，正在换")
    await picture(street.page, "supervised", street.zhou, street.liu)


async def test_help_lists_the_words_and_a_dispatcher_reads_more(street: Street):
    for phone in (street.wang, street.li):
        await phone.type("工作帮助")
        await phone.shows("办一件事，先说做什么")
    await street.li.shows("督办 0037")
    await picture(street.page, "staff-help", street.wang, street.li)


async def test_what_is_overdue_is_told_and_climbs(street: Street, clock: RunningClock):
    await street.taken()
    await let_pass(clock, hours=23)
    await street.wang.shows("时限已用")
    await let_pass(clock, hours=2)
    await street.wang.shows("已经超过时限")
    await street.li.shows("网格员王芳已经超过时限")
    await let_pass(clock, hours=21)  # it climbs at night, and people hear of it in the morning
    await street.li.shows("上报（超过时限还没办好）")
    await street.chen.shows("超过时限还没办好")
    await picture(street.page, "overdue", street.wang, street.li)


async def let_pass(clock: RunningClock, hours: int) -> None:
    """Time passes; the watch looks every half hour."""
    for _ in range(2 * hours):
        clock.advance(timedelta(minutes=30))
        await watch(clock())
