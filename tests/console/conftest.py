"""A desk at the console: a browser without JavaScript, whose forms carry what the page put into them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape

import aiohttp
import pytest

from domain.console_login import issue_setup, use_setup
from models.people import Staff
from tests.town import Town

PASSWORD = "梧桐 铁皮盒 星期四"


class Desk:
    """One browser."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session, self.url = session, url
        self.status, self.page, self.path = 0, "", ""

    async def open(self, path: str) -> str:
        """Go to a page; gives its text."""
        async with self.session.get(f"{self.url}/console{path}") as answer:
            self.page = (await answer.read()).decode(errors="replace")  # a workbook is no text
            self.status, self.path, self.headers = answer.status, answer.url.path, answer.headers
        return self.page

    async def send(self, path: str, **given: str | list[str]) -> str:
        """Send the form of the page that is open to `path`."""
        mark = re.search(r'name="mark" value="([^"]+)"', self.page)
        fields = [("mark", unescape(mark[1]) if mark else "")]
        for name, value in given.items():
            fields += [(name, one) for one in ([value] if isinstance(value, str) else value)]
        headers = {"Origin": self.url, "Sec-Fetch-Site": "same-origin"}
        async with self.session.post(f"{self.url}/console{path}", data=fields, headers=headers) as answer:
            self.status, self.page, self.path = answer.status, await answer.text(), answer.url.path
            self.headers = answer.headers
        return self.page

    async def enter(self, number: str, password: str = PASSWORD) -> str:
        """Sign in with a password."""
        await self.open("/login")
        return await self.send("/login", number=number, password=password)


@pytest.fixture
async def desk(town: Town) -> AsyncIterator[Desk]:
    """A browser nobody is signed in with."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Desk(session, town.url)


async def give_password(town: Town, name: str, password: str = PASSWORD) -> Staff:
    """Somebody's password is set, as by a link."""
    member = await Staff.get(name=name)
    secret = await issue_setup(member.id, "operator", town.clock())
    await use_setup(secret, member.id, password, town.clock())
    return member
