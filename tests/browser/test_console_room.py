"""A room at the desk in a real browser: what neighbours say appears by itself, Enter answers, what goes disappears."""

from __future__ import annotations

from playwright.async_api import Browser, Route, expect

from domain.room_messages import post, remove
from domain.rooms import room_line
from tests.browser.desks import desk_of
from tests.browser.phones import picture
from tests.domain.grid_room import Grid, make_grid
from tests.domain.neighbours import words
from tests.town import Town


async def _said(grid: Grid, text: str) -> int:
    return (await post(grid.chen, grid.room.id, words(text), grid.now)).id


async def test_a_room_goes_on_by_itself_and_enter_answers_without_leaving_the_page(chromium: Browser, town: Town):
    grid = await make_grid(town)
    for text in ("早上好", "3栋2单元楼道灯坏了好几天了，晚上看不见", "对，我家老人不敢下楼"):
        await _said(grid, text)
    async with desk_of(chromium, town, "王芳", f"/rooms/{grid.room.id}", width=390) as (page, faults):
        talk, box = page.locator(".talk"), page.locator("#say textarea")
        await expect(talk).to_contain_text("早上好")
        await page.set_viewport_size({"width": 1280, "height": 900})
        await picture(page, "console-room")
        await page.set_viewport_size({"width": 390, "height": 844})
        await box.fill("正在写的话")

        rude = await _said(grid, '大家小声点<img src=x onerror="alert(1)">')
        await expect(talk).to_contain_text("大家小声点")
        await expect(box).to_have_value("正在写的话")
        await box.press("Enter")
        await expect(talk.locator(".entry.mine")).to_contain_text("正在写的话")
        await expect(page.locator("#say textarea")).to_have_value("")
        await expect(page.locator("#say textarea")).to_be_focused()
        await expect(page.locator("#become")).to_have_text("已发出。")
        await page.locator("#say textarea").press("Enter")
        await expect(page.locator("#say .fault")).to_contain_text("消息是空的")

        await remove(grid.li, rude, "不合适", grid.now)
        await expect(talk.locator(f"#m{rude}")).to_contain_text("已移除")
        await expect(talk.locator(".entry")).to_have_count(5)

        async with page.expect_response(lambda answer: answer.url.endswith("/read")):
            await talk.click()
        line = await room_line(grid.wang, grid.room.id)
        assert line.read_seq == line.last_seq

        wider = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert (wider, faults) == (0, [])

        await page.route("**/new?after=*", lambda route: route.fulfill(status=502, body="<p>bad gateway</p>"))
        await _said(grid, "谁家的车挡路了")
        await expect(page.locator("#broken")).to_contain_text("正在自动重连")
        await page.unroute("**/new?after=*")
        await _said(grid, "现在能看到吗")
        await expect(talk).to_contain_text("现在能看到吗")
        await expect(page.locator("#broken")).to_be_empty()


async def test_what_is_said_while_the_page_opens_is_shown_once_its_line_stands(chromium: Browser, town: Town):
    grid = await make_grid(town)

    async def late(route: Route) -> None:
        await _said(grid, "水管爆了")
        await route.continue_()

    async with desk_of(chromium, town, "王芳", "/help") as (page, _):
        await page.route("**/events?*", late, times=1)
        await page.goto(f"{town.url}/console/rooms/{grid.room.id}")
        await expect(page.locator(".talk")).to_contain_text("水管爆了")


async def test_what_is_said_while_the_page_asks_for_something_else_is_shown_too(chromium: Browser, town: Town):
    grid = await make_grid(town)

    async def slow(route: Route) -> None:
        answer = await route.fetch()
        await page.evaluate(_LISTEN, grid.room.id)
        await _said(grid, "第二句")
        await page.evaluate("heard")
        await route.fulfill(response=answer)

    async with desk_of(chromium, town, "王芳", f"/rooms/{grid.room.id}") as (page, _):
        await page.route("**/new?*", slow, times=1)
        await _said(grid, "第一句")
        await expect(page.locator(".talk")).to_contain_text("第一句")
        await expect(page.locator(".talk")).to_contain_text("第二句")


#: A second line beside the page's own: `heard` comes true when there is news.
_LISTEN = """
room => new Promise(stands => {
  const line = new EventSource(`/console/events?of=room-${room}`);
  line.addEventListener("open", stands);
  window.heard = new Promise(news => line.addEventListener("news", () => { line.close(); news(); }));
})
"""
