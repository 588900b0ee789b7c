"""The simulator's page as a person uses it: type, tap, send a photo, read; and pictures of it for the documents."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.async_api import Browser, FloatRect, Locator, Page, expect

#: With LINLI_SCREENSHOTS=docs/images the pictures of the documentation are taken on the way.
PICTURES = os.environ.get("LINLI_SCREENSHOTS", "")
_MARGIN = 14  # px around phones that are cut out


class Phone:
    """One phone on the page."""

    def __init__(self, page: Page, name: str) -> None:
        self.root: Locator = page.locator(".phone", has=page.locator(".who", has_text=name))

    async def type(self, text: str) -> None:
        """Type and press Enter."""
        box = self.root.get_by_placeholder("发消息")
        await box.fill(text)
        await box.press("Enter")

    async def tap(self, label: str) -> None:
        """Tap the newest tappable line with this label."""
        await self.root.locator(".chat").get_by_role("button", name=label, exact=True).last.click()

    async def menu(self, label: str) -> None:
        """Tap a button of the account's menu."""
        await self.root.get_by_role("button", name=label, exact=True).click()

    async def photo(self, sample: str = "streetlight") -> None:
        """Send a sample photo."""
        await self.root.locator("button.plus").click()
        await self.root.locator('[data-open="photo"]').click()
        await self.root.locator(f'[data-sample="{sample}"]').click()

    async def shows(self, text: str) -> None:
        """The newest bubbles say so; waits for pushes."""
        await expect(self.root.locator(".chat")).to_contain_text(text)


async def open_page(chromium: Browser, url: str, width: int, height: int) -> tuple[Page, list[str]]:
    """A page, and the list its console errors are gathered in."""
    page = await chromium.new_page(viewport={"width": width, "height": height}, timezone_id="Asia/Shanghai")
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    await page.goto(url)
    return page, faults


async def picture(page: Page, name: str, *phones: Phone) -> None:
    """Keep a screenshot when pictures are asked for: of these phones, side by side, or of everything."""
    if not PICTURES:
        return
    clip: FloatRect | None = None
    if phones:
        for phone in phones:
            await phone.root.evaluate("phone => { phone.style.order = -1 }")
        boxes = [box for phone in phones if (box := await phone.root.bounding_box())]
        left, top = min(box["x"] for box in boxes) - _MARGIN, min(box["y"] for box in boxes) - _MARGIN
        right = max(box["x"] + box["width"] for box in boxes) + _MARGIN
        bottom = max(box["y"] + box["height"] for box in boxes) + _MARGIN
        clip = {"x": left, "y": top, "width": right - left, "height": bottom - top}
    await page.screenshot(path=Path(PICTURES) / f"{name}.png", animations="disabled", clip=clip)
    for phone in phones:
        await phone.root.evaluate("phone => { phone.style.order = '' }")
