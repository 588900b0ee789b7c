"""A desk at the console: a browser without JavaScript, whose forms carry what the page put into them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape

import aiohttp
import pytest
from tortoise.expressions import Q

from console.frame import SESSION
from domain.console_login import begin_session
from domain.passwords import hash_password
from models.console import Credential
from models.people import Staff
from tests.town import Town

PASSWORD = "梧桐 铁皮盒 星期四"


class Desk:
    """One browser."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session, self.url = session, url
        self.status, self.page, self.path = 0, "", ""

    async def open(self, path: str, **headers: str) -> str:
        """Go to a page; gives its text."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.get(f"{self.url}/console{path}", headers=given) as answer:
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


async def sit_down(town: Town, desk: Desk, who: Staff | str) -> Staff:
    """Somebody of the town (of this name or number) is signed in at this desk, with no page open. Not by the form, as
    with `Desk.enter`: a password takes a fifth of a second to compare."""
    member = who if isinstance(who, Staff) else await Staff.get(Q(name=who) | Q(code=who))
    desk.session.cookie_jar.clear()
    desk.session.cookie_jar.update_cookies({SESSION: await begin_session(member.id, town.clock(), "test")})
    return member


async def give_password(town: Town, name: str) -> Staff:
    """Somebody's password is the one of these tests."""
    member = await Staff.get(name=name)
    kept = {"password_hash": await _hash(), "password_at": town.clock()}
    await Credential.update_or_create(kept | {"failures": 0, "locked_until": None}, staff_id=member.id)
    return member


_made: list[str] = []


async def _hash() -> str:
    """The hash of the password, made once."""
    if not _made:
        _made.append(await hash_password(PASSWORD))
    return _made[0]
