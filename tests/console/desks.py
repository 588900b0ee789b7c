"""A browser for each member of staff, signed in already."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from html import unescape

import aiohttp

from console.frame import SESSION
from domain.console_login import begin_session
from models.people import Staff
from tests.console.conftest import Desk
from tests.town import Town


class Desks:
    """A browser for each member of staff."""

    def __init__(self, town: Town, stack: AsyncExitStack) -> None:
        self.town, self.stack = town, stack

    async def of(self, name: str) -> Desk:
        """Signed in already."""
        jar, member = aiohttp.CookieJar(unsafe=True), await Staff.get(name=name)
        jar.update_cookies({SESSION: await begin_session(member.id, self.town.clock(), "a browser", "test")})
        session = await self.stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))
        return Desk(session, self.town.url)


def offered(page: str) -> list[str]:
    """The steps whose forms are on a page, in their order."""
    return re.findall(r'data-step="(\w+)"', page)


def sentence(page: str) -> str:
    """What the page says happened, or why it did not."""
    found = re.search(r'<p class="(?:said|lead)"[^>]*>([^<]*)<', page)
    return unescape(found[1]) if found else ""


def history(page: str) -> list[str]:
    """What each change of a page's history was, the newest first."""
    part = page.partition('id="history"')[2].partition("</section>")[0]
    return [unescape(said).strip() for said in re.findall(r"<br>([^<]*)", part)]
