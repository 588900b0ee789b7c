"""Every page of the console in a real browser: no barrier that axe-core finds, no complaint in the browser's console,
no script of a neighbour that runs, nothing wider than a phone. With LINLI_SCREENSHOTS set, pictures go to that folder.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from domain.console_login import begin_session
from models.database import fetch
from models.people import Staff
from tests.console.every_page import ADMINISTRATORS, Everything, every, is_whole, make_everything, visit_of
from tests.console.words import MARK, poison
from tests.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDTHS = (1440, 390)
#: Who looks at the pages: each page is looked at by the first of them who may.
EYES = ("李主任", *ADMINISTRATORS)
_AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
_RUN = """async () => (await axe.run(document, {resultTypes: ["violations"],
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})).violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`)"""
_WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@asynccontextmanager
async def signed_in(chromium: Browser, town: Town, name: str, **given: Any) -> AsyncIterator[BrowserContext]:
    """A browser this person is signed in with."""
    context = await chromium.new_context(**given)
    member = await Staff.get(name__startswith=name)
    secret = await begin_session(member.id, town.clock(), "test")
    await context.add_cookies([{"name": "linli_console", "value": secret, "url": town.url}])
    try:
        yield context
    finally:
        await context.close()


async def seen_by(everything: Everything) -> dict[str, list[str]]:
    """Who looks at which addresses."""
    shared: dict[str, list[str]] = {name: [] for name in EYES}
    visits = {name: await visit_of(name) for name in EYES}
    for page in filter(is_whole, every("GET")):
        for name in EYES:
            if page.who(visits[name]):
                shared[name].append(everything.path(page))
                break
    return shared


def complaints(page: Page) -> list[str]:
    """What the browser complains of from now on."""
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: faults.append(f"dialog {dialog.message}"))
    return faults


async def _barriers(page: Page) -> Sequence[str]:
    await page.evaluate(_AXE)
    found: list[str] = await page.evaluate(_RUN)
    return found


async def test_no_page_has_a_barrier_a_complaint_or_is_wider_than_a_phone(chromium: Browser, town: Town):
    everything, wrong, opened = await make_everything(town), list[str](), 0
    for name, paths in (await seen_by(everything)).items():
        async with signed_in(chromium, town, name, viewport={"width": 390, "height": 844}) as context:
            page = await context.new_page()
            faults = complaints(page)
            for path in paths:
                answer = await page.goto(f"{town.url}/console{path}")
                if answer is None or answer.status >= 400:
                    faults.clear()  # it is said on the page, and the browser notes the status
                    continue
                opened += 1
                wrong += [f"{path}: {fault}" for fault in [*faults, *await _barriers(page)]]
                if wider := await page.evaluate(_WIDER):
                    wrong.append(f"{path}: {wider} pixels wider than a phone")
                faults.clear()
    assert wrong == []
    assert opened > 60


async def test_no_script_of_a_neighbours_runs_even_without_the_policy(chromium: Browser, town: Town):
    everything, wrong = await make_everything(town), list[str]()
    assert await poison() > 60
    for name, paths in (await seen_by(everything)).items():
        async with signed_in(chromium, town, name, bypass_csp=True) as context:
            page = await context.new_page()
            faults = complaints(page)
            for path in paths:
                await page.goto(f"{town.url}/console{path}", wait_until="domcontentloaded")
                if await page.locator("x-ss").count() or any("dialog" in fault for fault in faults):
                    wrong.append(path)
    await fetch("DELETE FROM outbox WHERE payload::text LIKE $1", f"%{MARK}%")
    assert wrong == []


@pytest.mark.skipif("LINLI_SCREENSHOTS" not in os.environ, reason="LINLI_SCREENSHOTS names no folder for pictures")
async def test_pictures_of_every_page(chromium: Browser, town: Town):
    folder = Path(os.environ["LINLI_SCREENSHOTS"])
    everything = await make_everything(town)
    for name, paths in (await seen_by(everything)).items():
        for width in WIDTHS:
            async with signed_in(chromium, town, name, viewport={"width": width, "height": 900}) as context:
                page = await context.new_page()
                for path in paths:
                    await page.goto(f"{town.url}/console{path}", wait_until="networkidle")
                    file = folder / f"{width}" / f"{path.strip('/').replace('/', '_') or 'desk'}.png"
                    await page.screenshot(path=file, full_page=True)
                    assert file.stat().st_size > 2_000
