"""The room page as a person uses it: say something, tap, read; and a cable that can be cut."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from playwright.async_api import Browser, BrowserContext, Locator, Page, ViewportSize, expect

from tests.browser.phones import PICTURES, Phone, picture
from tests.conftest import free_port

SIZE: ViewportSize = {"width": 390, "height": 844}


class RoomPage:
    """One window with `/room` in it. `faults`: what the browser complained of; `dialogs`: what scripts popped up."""

    def __init__(self, page: Page) -> None:
        self.page, self.faults, self.dialogs = page, list[str](), list[str]()
        self.entries, self.sheet = page.locator("#entries"), page.locator("#sheet")
        # A refusal that the person reads (agree first, too late) is written to the console by the browser.
        page.on("console", lambda said: self.faults.append(said.text) if _is_fault(said.type, said.text) else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("dialog", lambda dialog: self.dialogs.append(dialog.message) or asyncio.ensure_future(dialog.dismiss()))

    async def say(self, text: str) -> None:
        """Type and press Enter."""
        await self.page.locator("#text").fill(text)
        await self.page.locator("#text").press("Enter")

    async def sent(self) -> None:
        """Nothing of one's own waits any more."""
        await expect(self.entries.locator(".waiting")).to_have_count(0)

    async def agree(self, *labels: str) -> None:
        """Tap these in the sheets that come up one after the other."""
        for label in labels:
            await self.sheet.get_by_role("button", name=label, exact=True).click()

    async def tap(self, label: str) -> None:
        """A button at the top or the foot of the page."""
        await self.page.locator("#room").get_by_role("button", name=label).first.click()

    def entry(self, text: str) -> Locator:
        """The entry that says so."""
        return self.entries.locator("li.entry", has=self.page.locator(".bubble > p", has_text=text))

    async def act(self, text: str, *labels: str) -> None:
        """Tap a word below an entry, then words of the sheets."""
        await self.entry(text).get_by_role("button", name=labels[0], exact=True).click()
        await self.agree(*labels[1:])

    async def write(self, text: str, send: str) -> None:
        """Answer the question of a sheet."""
        await self.sheet.get_by_role("textbox").fill(text)
        await self.sheet.get_by_role("button", name=send, exact=True).click()

    async def shows(self, text: str) -> None:
        """Somewhere among the entries."""
        await expect(self.entries).to_contain_text(text)

    async def said(self) -> list[str]:
        """The words of every entry, in their order."""
        return await self.entries.locator(".bubble > p").all_text_contents()

    async def told(self, text: str) -> None:
        """The line that says what happened."""
        await expect(self.page.locator("#told")).to_contain_text(text)

    async def width(self) -> int:
        """Pixels the page is wide, with everything that sticks out."""
        return int(await self.page.evaluate("Math.max(document.documentElement.scrollWidth, talk.scrollWidth)"))

    async def picture(self, name: str) -> None:
        """Keep a screenshot when pictures are asked for."""
        await picture(self.page, name)


def _is_fault(kind: str, text: str) -> bool:
    return kind == "error" and "status of 403" not in text


async def enter(phone: Phone) -> RoomPage:
    """A phone's 进群: a window of its own, signed in as its owner."""
    async with phone.root.page.context.expect_page() as opened:
        await phone.root.locator(".owner a.enter").click()
    page = await opened.value
    room = RoomPage(page)
    await page.set_viewport_size(SIZE)
    await expect(page.locator("#room")).to_be_visible()
    await expect(page.locator("#present")).to_contain_text("人在线")
    return room


async def sign_in_with_code(context: BrowserContext, address: str, phone: Phone, number: str) -> RoomPage:
    """The page on a computer: staff ask the account for a code and type it here."""
    await phone.type("登录")
    await phone.shows("5 分钟内有效")
    code = re.findall(r"(?<!\d)\d{6}(?!\d)", await phone.root.locator(".chat").inner_text())[-1]
    page = await context.new_page()
    room = RoomPage(page)
    await page.goto(f"{address}/room")
    await page.get_by_text("工作人员在电脑上登录").click()
    await page.get_by_label("工号").fill(number)
    await page.get_by_label("六位数字").fill(code)
    await page.get_by_role("button", name="登录", exact=True).click()
    await expect(page.locator("#present")).to_contain_text("人在线")
    return room


async def photographed(browser: Browser, rooms: list[RoomPage], name: str) -> None:
    """Windows side by side in one picture, taller than they were: what was said before is in it."""
    if not PICTURES:
        return
    shots, tall = [], 1060
    for room in rooms:
        await expect(room.page.locator("#told")).to_be_hidden()
        await room.page.set_viewport_size({"width": SIZE["width"], "height": tall})
        shots.append(await room.page.screenshot(animations="disabled"))
    width = len(shots) * (SIZE["width"] + 20) + 20
    sheet = await browser.new_page(viewport={"width": width, "height": tall + 40})
    await sheet.set_content(
        "<style>body{margin:20px;background:#cfd5d0;display:flex;gap:20px}img{border-radius:14px}</style>"
        + "".join(f'<img src="data:image/png;base64,{base64.b64encode(shot).decode()}">' for shot in shots)
    )
    await picture(sheet, name)
    await sheet.close()


class Cable:
    """What carries every byte between a browser and the server; `cut` breaks it as a lost network does."""

    def __init__(self, port: int) -> None:
        self._port, self._plugged = port, True
        self._ends: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Nothing goes through any more, and nothing new is connected."""
        self._plugged = False
        for end in list(self._ends):
            end.transport.abort()

    def mend(self) -> None:
        """Things go through again."""
        self._plugged = True

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the browser."""
        if not self._plugged:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._ends |= {writer, far_writer}
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            self._ends -= {writer, far_writer}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while piece := await reader.read(64 * 1024):
            writer.write(piece)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def cable_to(port: int) -> AsyncIterator[tuple[Cable, str]]:
    """A cable to this port, and the address at its other end."""
    cable, near = Cable(port), free_port()
    server = await asyncio.start_server(cable.connect, "127.0.0.1", near)
    try:
        yield cable, f"http://127.0.0.1:{near}"
    finally:
        cable.cut()
        server.close()
        await server.wait_closed()
