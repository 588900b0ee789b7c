"""A grid's room by hand in a real browser: neighbours and their grid worker talk, and what is said becomes a case."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from app.serve import Served
from models.people import Resident
from models.rooms import RoomMessage, RoomSeat
from simulator.config import Person
from simulator.samples import photo
from tests.browser.phones import Phone, open_page
from tests.browser.rooms import SIZE, RoomPage, cable_to, enter, photographed, sign_in_with_code
from tests.domain.neighbours import first_room
from tests.waiting import eventually

pytestmark = pytest.mark.browser

GRID = "grid:429906001001001"
#: How many things to tap or fill in have no name.
UNLABELLED = """
[...document.querySelectorAll("button, input, textarea, select")]
    .filter(one => one.offsetParent && !one.textContent.trim() && !one.labels?.length && !one.ariaLabel).length
"""
LAMP = "3栋2单元楼道灯坏了好几天了，晚上老人上下楼看不见"


class Neighbours:
    """陈阿姨, 孙先生 and their grid worker 王芳, each with the room open in a window; their phones lie beside."""

    def __init__(self, phones: dict[str, Phone], chen: RoomPage, sun: RoomPage, wang: RoomPage) -> None:
        self.phones, self.chen, self.sun, self.wang = phones, chen, sun, wang

    async def speak_first(self, who: RoomPage, text: str) -> None:
        """The first words of somebody: consent and age are asked before."""
        await who.say(text)
        await who.agree("同意", "满了")
        await who.shows(text)
        await who.sent()


@pytest.fixture
async def neighbours(chromium: Browser, running: Served) -> AsyncIterator[Neighbours]:
    assert running.platform
    running.platform.add_phone(Person("o_sun", "孙先生", "居民"), following=False)
    await running.platform.follow("o_sun", GRID)
    page, faults = await open_page(chromium, f"{running.url}/simulator", 1724, 1000)
    phones = {name: Phone(page, name) for name in ("陈阿姨", "孙先生", "王芳", "李主任")}
    await phones["孙先生"].shows("第一网格")
    await phones["陈阿姨"].shows("网格员王芳为您服务")
    await phones["王芳"].shows("现在没有待办")
    rooms = [await enter(phones[name]) for name in ("陈阿姨", "孙先生", "王芳")]
    yield Neighbours(phones, *rooms)
    assert [fault for room in rooms for fault in room.faults] + faults == []
    assert [said for room in rooms for said in room.dialogs] == []
    await page.context.close()


async def test_two_members_and_their_worker_talk_and_a_message_becomes_a_case(
    neighbours: Neighbours, chromium: Browser
):
    chen, sun, wang = neighbours.chen, neighbours.sun, neighbours.wang
    await neighbours.speak_first(chen, LAMP)
    await sun.shows("楼道灯坏了")
    await sun.act(LAMP, "回复")
    await neighbours.speak_first(sun, "对啊，我们家也看不见")
    await expect(sun.entry("对啊").locator(".quote")).to_contain_text("楼道灯坏了")
    await expect(sun.entries.locator(".hint")).to_have_count(0)

    await expect(wang.entry(LAMP).locator(".hint")).to_contain_text("可能是一件事：楼道照明损坏")
    await wang.act(LAMP, "转为事件")
    await expect(wang.sheet.get_by_label("是什么事")).to_have_value("lighting.corridor")
    await expect(wang.sheet.get_by_label("在哪里")).to_have_value("3栋2单元楼道")
    await expect(wang.sheet.get_by_label("邻居也说")).to_be_checked()
    await wang.picture("room-to-case")
    await wang.sheet.get_by_label("在哪里").fill("3栋2单元4楼楼道")
    await wang.agree("转为事件")
    await chen.shows("已转为事件 0001")
    await expect(chen.entry(LAMP).locator(".note")).to_contain_text("已成为事件 0001")
    await expect(wang.entry(LAMP).locator(".hint")).to_have_count(0)
    await expect(wang.entry("对啊").locator(".note")).to_contain_text("已成为事件 0001")
    await expect(wang.entry("对啊").locator(".hint")).to_have_count(0)

    await neighbours.phones["王芳"].type("接 0001")
    await sun.shows("网格员王芳已接手 0001")
    await expect(sun.entry("王芳已接手").locator(".quote")).to_contain_text("楼道灯坏了")
    await wang.act(LAMP, "回复")
    await wang.say("今天下午就来换灯泡，大家先用手电")
    await chen.shows("今天下午就来换灯泡")
    await expect(chen.entry("今天下午").locator(".who")).to_contain_text("网格员王芳")
    await photographed(chromium, [chen, wang], "room")

    again = "3栋2单元楼道灯坏了，晚上看不见，没人修吗"
    await sun.say(again)
    await wang.act(again, "转为事件", "并入 0001")
    await wang.told("已并入 0001")
    await expect(sun.entry(again).locator(".note")).to_contain_text("已成为事件 0001")


async def test_photo_and_place_recall_and_read_position(neighbours: Neighbours, tmp_path: Path):
    chen, sun, wang = neighbours.chen, neighbours.sun, neighbours.wang
    await neighbours.speak_first(chen, "东门这里又堆了垃圾")
    (tmp_path / "garbage.png").write_bytes(photo("garbage"))
    await chen.page.locator("#photo").set_input_files(tmp_path / "garbage.png")
    shown = sun.entries.locator(".photo-frame img")
    await expect(shown).not_to_have_js_property("naturalWidth", 0)

    await chen.page.context.grant_permissions(["geolocation"])
    await chen.page.context.set_geolocation({"latitude": 30.5453, "longitude": 114.3606})
    await chen.tap("位置")
    await chen.sheet.get_by_label("这是什么地方").fill("东门垃圾点")
    await chen.agree("发我现在的位置", "同意")
    await sun.shows("位置：东门垃圾点")
    kept = await RoomMessage.filter(kind="location").order_by("-id").first()
    assert kept
    assert abs(kept.data["latitude"] - 30.5453) > 0.001, "kept as WeChat's maps have it, not as the browser measured it"

    await chen.say("打错了，不是东门")
    await sun.shows("打错了")
    await chen.act("打错了", "撤回")
    await sun.shows("撤回了一条消息")
    await expect(sun.entry("打错了")).to_have_count(0)
    await expect(chen.entries).to_contain_text("您撤回了一条消息")

    await wang.tap("公告")
    await wang.agree("发群公告")
    await wang.write("周六上午九点，社区活动室查血压", "发出")
    await expect(sun.page.locator("#pinned")).to_contain_text("查血压")
    newest = (await first_room()).last_seq
    reader = f"resident:{(await Resident.get(openid='o_sun')).id}"
    await eventually(lambda: RoomSeat.filter(read_seq=newest, who=reader).exists())
    await sun.page.goto("about:blank")
    await wang.say("不用空腹")
    await wang.sent()
    await wang.say("带上身份证")
    await wang.sent()
    await sun.page.go_back()
    await expect(sun.entries.locator(".unread + li")).to_contain_text("不用空腹")


async def test_a_complaint_hides_a_message_until_the_worker_decides(neighbours: Neighbours):
    chen, sun, wang = neighbours.chen, neighbours.sun, neighbours.wang
    await neighbours.speak_first(sun, "卖茶叶啦，便宜卖，要的私信我")
    await chen.act("卖茶叶", "更多", "投诉这条消息")
    await chen.write("天天发广告", "投诉")
    await chen.told("先不显示")
    await chen.shows("有一条消息被移除了")
    await expect(sun.entry("卖茶叶").locator(".note")).to_contain_text("已被移除")

    await wang.tap("要处理")
    await expect(wang.sheet).to_contain_text("天天发广告")
    await wang.picture("room-work")
    await wang.sheet.locator("[data-review]").get_by_role("button", name="显示", exact=True).click()
    await chen.shows("卖茶叶")
    await wang.act("卖茶叶", "更多", "暂停这人发言", "1 天")
    await wang.write("广告", "确定")
    await wang.told("暂停发言到")
    await sun.say("我再发一条")
    await sun.shows("您在这个群里暂时不能发言")

    await sun.page.get_by_role("button", name="不发了").click()
    await sun.tap("单独找网格员")
    await expect(sun.page.locator("#room-name")).to_have_text("和网格员私聊")
    await sun.say("我以后不发了，能让我说话吗")
    await sun.sent()
    await wang.tap("换群")
    await wang.sheet.get_by_role("button", name="1 条新消息").click()
    await wang.shows("我以后不发了")
    await expect(sun.entries).to_contain_text("对方已读")


async def test_html_is_text_wherever_it_is_shown(neighbours: Neighbours):
    chen, sun, wang = neighbours.chen, neighbours.sun, neighbours.wang
    bait = "<img src=x onerror=alert(1)><svg onload=alert(2)><script>alert(3)</script>"
    await neighbours.speak_first(chen, f"{bait}楼道灯坏了")
    await neighbours.speak_first(sun, "你好")
    await Resident.filter(openid="o_sun").update(nickname="<svg/onload=a()>")
    await sun.page.context.grant_permissions(["geolocation"])
    await sun.page.context.set_geolocation({"latitude": 30.5453, "longitude": 114.3606})
    await sun.tap("位置")
    await sun.sheet.get_by_label("这是什么地方").fill(f'"><iframe srcdoc="{bait}">')
    await sun.agree("发我现在的位置", "同意")
    await wang.tap("公告")
    await wang.agree("发群公告")
    await wang.write(f"公告{bait}", "发出")
    await chen.act("你好", "更多", "投诉这条消息")
    await chen.write(f"原因{bait}", "投诉")
    await chen.told("先不显示")
    for room in (chen, wang):
        await room.page.reload()
        await room.shows("<script>alert(3)</script>楼道灯坏了")
        await room.shows("<svg/onload=a()>")
        await room.shows("<iframe srcdoc=")
        await room.act("<iframe srcdoc=", "回复")
        await expect(room.page.locator("#replying")).to_contain_text("<svg/onload=a()>")
        await expect(room.page.locator("#pinned")).to_contain_text("公告<img src=x")
        await room.act("<iframe srcdoc=", "更多")
        await expect(room.sheet.get_by_role("heading")).to_have_text("<svg/onload=a()>")
        await room.agree("不用了")
        assert await room.page.locator("#room :is(script, iframe, svg, img:not(.photo))").count() == 0
    await wang.tap("要处理")
    await expect(wang.sheet).to_contain_text("原因<img src=x")
    await wang.agree("关闭")
    await wang.act("楼道灯坏了", "转为事件")
    await expect(wang.sheet.get_by_label("情况")).to_have_value(f"{bait}楼道灯坏了")
    assert await wang.sheet.locator("script, iframe, svg, img").count() == 0


async def test_a_broken_connection_says_so_and_comes_back_without_a_gap(
    chromium: Browser, neighbours: Neighbours, running: Served
):
    async with cable_to(running.services.settings.port) as (cable, address):
        context = await chromium.new_context(viewport=SIZE, timezone_id="Asia/Shanghai")
        li = await sign_in_with_code(context, address, neighbours.phones["李主任"], "S001")
        await li.tap("换群")
        await li.agree("东亭社区第一网格")
        await neighbours.speak_first(neighbours.chen, "第一条")
        await li.shows("第一条")
        cable.cut()
        await expect(li.page.locator("#broken")).to_be_visible()
        for number in range(2, 30):
            await neighbours.chen.say(f"第{number}条")
        await neighbours.chen.shows("第29条")
        await neighbours.chen.sent()
        await li.say("社区看到了")
        await li.shows("没有网络，连上就发")
        cable.mend()
        await expect(li.page.locator("#broken")).to_be_hidden()
        await neighbours.chen.shows("社区看到了")
        await li.shows("第29条")
        said = await li.said()
        assert said == await neighbours.chen.said()
        assert said[-30:] == [*(f"第{number}条" for number in ["一", *range(2, 30)]), "社区看到了"]
        await context.close()


async def test_everything_fits_a_small_phone_and_works_by_keyboard(neighbours: Neighbours):
    chen, wang = neighbours.chen, neighbours.wang
    await neighbours.speak_first(chen, f"3栋2单元楼道灯坏了{'W' * 300}")
    await wang.say("@助手 " + "https://example.org/" + "a" * 200)
    await wang.sent()
    for room in (chen, wang):
        await room.shows("WWWW")
        assert await room.width() <= 390
        for top in ("公告", "值班", "我"):
            await room.tap(top)
            await expect(room.sheet).to_be_visible()
            assert await room.width() <= 390
            await room.page.keyboard.press("Escape")
            await expect(room.sheet).to_be_hidden()
    await wang.entry("WWWW").get_by_role("button", name="转为事件").focus()
    await wang.page.keyboard.press("Enter")
    await expect(wang.sheet.get_by_label("情况")).to_be_visible()
    assert await wang.sheet.evaluate("sheet => sheet.scrollWidth") <= 390
    await wang.page.keyboard.press("Escape")
    await expect(wang.entry("WWWW").get_by_role("button", name="转为事件")).to_be_focused()
    assert await wang.page.evaluate(UNLABELLED) == 0


async def test_who_wants_large_letters_gets_them_now_and_the_next_time(neighbours: Neighbours):
    chen, size = neighbours.chen, "getComputedStyle(document.documentElement).fontSize"
    wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await chen.page.evaluate(size) == "18px"
    await chen.tap("我")
    await chen.agree("换成大字")
    await expect(chen.page.locator("html.elder")).to_have_count(1)
    await chen.page.reload()
    await expect(chen.page.locator("html.elder #text")).to_be_visible()
    assert (await chen.page.evaluate(size), await chen.page.evaluate(wider)) == ("24px", 0)
    await chen.tap("我")
    await chen.agree("换回普通字号")
    await expect(chen.page.locator("html.elder")).to_have_count(0)
