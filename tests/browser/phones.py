"""The simulator's page as a person uses it: type, tap, send a photo, read."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

_PATIENCE = 8000.0  # ms until something must be on the screen


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

    async def photo(self) -> None:
        """Send the first sample photo."""
        await self.root.locator("button.plus").click()
        await self.root.locator('[data-open="photo"]').click()
        await self.root.locator("[data-sample]").first.click()

    async def shows(self, text: str) -> None:
        """The newest bubbles say so; waits for pushes."""
        await expect(self.root.locator(".chat")).to_contain_text(text, timeout=_PATIENCE)
