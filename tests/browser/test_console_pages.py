"""Every page of the console in a real browser: no barrier that axe-core finds, no complaint in the browser's console,
no element or script of a neighbour, nothing wider than a phone. With LINLI_SCREENSHOTS set, pictures go to that folder.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from console.frame import ROOT
from models.database import fetch
from tests.browser.desks import complaints, signed_in
from tests.console.every_page import ADMINISTRATORS, every, is_whole, make_everything, visit_of
from tests.console.words import MARK, poison
from tests.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDTHS = (1440, 390)
#: Who looks at the pages: each page is looked at by the first of them for whom it is there.
EYES = ("李主任", *ADMINISTRATORS)
#: What a page asks for by itself is counted, so that one can wait for the answers.
_COUNTED = """
let underWay = 0;
document.addEventListener("htmx:before:request", () => { underWay += 1; });
document.addEventListener("htmx:finally:request", () => { underWay -= 1; });
window.answered = async () => { while (underWay) await new Promise((soon) => setTimeout(soon, 10)); };
"""
_ASK_AGAIN = """async () => {
    await answered();
    document.body.dispatchEvent(new CustomEvent("news"));
    await answered();
}"""
_AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
#: What is wrong with a page, and whether it has scripts besides those of every page.
_LOOK = Path(__file__).with_name("look.js").read_text(encoding="utf-8")
_SCRIPTED = "document.scripts.length > 2"


async def _every_page(
    chromium: Browser, town: Town, script: str = "", *, worse: bool = False
) -> AsyncIterator[tuple[str, Page, list[str]]]:
    """Each page with all its parts, open on a phone, and what the browser complained of. `script` runs in all of them;
    `worse`: all words were written by a mischievous neighbour."""
    everything = await make_everything(town)
    if worse:
        assert await poison() > 60
    unseen = {everything.path(page): page for page in every("GET") if is_whole(page)}
    many = len(unseen)
    for name in EYES:
        visit = await visit_of(name)
        async with signed_in(chromium, town, name, viewport={"width": 390, "height": 844}) as context:
            await context.add_init_script(_COUNTED + script)
            page = await context.new_page()
            faults = complaints(page)
            for path in [path for path, one in unseen.items() if one.who(visit)]:
                if await _open(page, f"{town.url}{ROOT}{path}"):
                    del unseen[path]
                    yield path, page, faults
                faults.clear()
    await fetch("DELETE FROM outbox WHERE payload::text LIKE $1", f"%{MARK}%")
    assert len(unseen) < many / 10, sorted(unseen)


async def _open(page: Page, address: str) -> bool:
    """Go to a page and have all its parts asked for a second time; False where it is not there."""
    answer = await page.goto(address)
    if answer is None or answer.status >= 400:
        return False
    await page.evaluate(_ASK_AGAIN)
    return True


async def test_every_page_is_whole_for_everybody_and_holds_nothing_a_neighbour_made(chromium: Browser, town: Town):
    wrong: list[str] = []
    async for path, page, faults in _every_page(chromium, town, _AXE, worse=True):
        scripted = await page.evaluate(_SCRIPTED)
        wrong += [f"{path}: {fault}" for fault in [*faults, *await _seen(page)]]
        if scripted:
            wrong += [f"{path} without our policy: {said}" for said in await _said_without_policy(page, faults)]
    assert not wrong, "\n".join(wrong)


async def _seen(page: Page) -> list[str]:
    """What is wrong with the page in each width."""
    wrong: list[str] = []
    for width in reversed(WIDTHS):
        await page.set_viewport_size({"width": width, "height": 900})
        wrong += [f"{fault} ({width})" for fault in await page.evaluate(_LOOK, width != WIDTHS[-1])]
    await page.set_viewport_size({"width": WIDTHS[-1], "height": 900})
    return wrong


async def _said_without_policy(page: Page, faults: list[str]) -> list[str]:
    """The dialogs that come up where the browser does not know of our policy."""
    tools, before = await page.context.new_cdp_session(page), len(faults)
    await tools.send("Page.setBypassCSP", {"enabled": True})
    await _open(page, page.url)
    await tools.send("Page.setBypassCSP", {"enabled": False})
    await tools.detach()
    return [said for said in faults[before:] if "dialog" in said]


@pytest.mark.skipif("LINLI_SCREENSHOTS" not in os.environ, reason="LINLI_SCREENSHOTS names no folder for pictures")
async def test_pictures_of_every_page(chromium: Browser, town: Town):
    folder = Path(os.environ["LINLI_SCREENSHOTS"])
    async for path, page, _ in _every_page(chromium, town):
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 900})
            file = folder / f"{width}" / f"{path.strip('/').replace('/', '_') or 'desk'}.png"
            await page.screenshot(path=file, full_page=True)
            assert file.stat().st_size > 2_000
