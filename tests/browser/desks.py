"""The console in a real browser: somebody is signed in, and what the browser complains of is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page

from console.frame import ROOT, SESSION
from domain.console_login import begin_session
from models.people import Staff
from tests.town import Town

#: Counts what a page of the console asks for by itself, and the lines it listens on.
_WATCHED = """
(() => {
  const lines = [], asking = new Set();
  window.EventSource = class extends EventSource {
    constructor(address) { super(address); lines.push(this); }
  };
  document.addEventListener("htmx:before:request", (event) => { asking.add(event.detail.ctx); });
  document.addEventListener("htmx:finally:request", (event) => { asking.delete(event.detail.ctx); });
  const moves = () => document.readyState !== "complete" || asking.size > 0
    || lines.some((line) => line.readyState === EventSource.CONNECTING);
  window.still = async () => {
    for (let calm = 0; calm < 2; calm = moves() ? 0 : calm + 1) await new Promise((soon) => setTimeout(soon, 20));
  };
})();
"""


async def still(page: Page) -> None:
    """The page that is open has all its scripts, its line stands, and what it asked for has come."""
    await page.evaluate("still()")


def complaints(page: Page) -> list[str]:
    """What the browser complains of from now on."""
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "dialog",
        lambda dialog: faults.append(f"dialog {dialog.message}") or asyncio.ensure_future(dialog.dismiss()),
    )
    return faults


@asynccontextmanager
async def signed_in(chromium: Browser, town: Town, name: str, **given: Any) -> AsyncIterator[BrowserContext]:
    """A browser this person is signed in with."""
    context = await chromium.new_context(**given)
    await context.add_init_script(_WATCHED)
    member = await Staff.get(name__startswith=name)
    secret = await begin_session(member.id, town.clock(), "test")
    await context.add_cookies([{"name": SESSION, "value": secret, "url": town.url}])
    try:
        yield context
    finally:
        await context.close()


@asynccontextmanager
async def desk_of(
    chromium: Browser, town: Town, name: str, path: str = "/", width: int = 1280
) -> AsyncIterator[tuple[Page, list[str]]]:
    """Somebody's page of the console, open and still, and what the browser complains of."""
    size = {"width": width, "height": 844 if width < 600 else 900}
    async with signed_in(chromium, town, name, viewport=size, timezone_id="Asia/Shanghai") as context:
        page = await context.new_page()
        faults = complaints(page)
        await page.goto(f"{town.url}{ROOT}{path}")
        await still(page)
        yield page, faults
