"""Signing in by a scan: the desk shows a code, the phone opens it in WeChat and agrees, the desk goes on."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp

from models.audit import AuditEvent
from models.people import Staff
from tests.console.conftest import Desk
from tests.town import CHEN, WANG, Town


@asynccontextmanager
async def phone_scans(desk: Desk, openid: str) -> AsyncIterator[Desk]:
    """This phone's browser in WeChat, on the page the code leads to, once WeChat has said whose phone it is."""
    ticket = {cookie.key: cookie.value for cookie in desk.session.cookie_jar}["linli_scan"]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        phone = Desk(session, desk.url)
        async with session.get(f"{desk.url}/console/scan/{ticket}", allow_redirects=False) as answer:
            consent = answer.headers["Location"].partition("#")[0]
        async with session.get(f"{consent}&phone={openid}") as answer:
            phone.status, phone.page, phone.path = answer.status, await answer.text(), answer.url.path
        yield phone


async def agree(phone: Desk) -> str:
    """The tap on “是我，登录”."""
    code = re.findall(r'name="code" value="([^"]+)"', phone.page)
    return await phone.send(phone.path.removeprefix("/console"), code=html.unescape(code[0]))


async def test_a_scan_with_ones_own_wechat_signs_the_desk_in_and_nothing_before_the_tap(town: Town, desk: Desk):
    await desk.open("/cases?words=灯")
    await desk.open("/scan")
    assert "用绑定了工号的微信扫一扫" in desk.page
    await desk.open("/scan/wait")
    assert desk.status == 204
    async with phone_scans(desk, WANG) as phone:
        assert "是您本人吗" in phone.page
        await desk.open("/scan/wait")
        assert desk.status == 204
        assert "网格员王芳，电脑上已经登录" in await agree(phone)
    await desk.open("/scan/wait")
    assert desk.path == "/console/cases", "where they were going"
    assert 'name="words" id="words" maxlength="100" value="灯"' in desk.page
    assert "网格员王芳" in desk.page
    wang = await Staff.get(openid=WANG)
    assert await AuditEvent.filter(tag="console:scan", object_id=wang.id, allowed=True).count() == 1


async def test_a_scan_of_who_is_no_staff_or_too_late_signs_nobody_in(town: Town, desk: Desk):
    await desk.open("/scan")
    async with phone_scans(desk, CHEN) as phone:
        assert "还没有绑定工号" in await agree(phone)
    await desk.open("/scan/wait")
    assert desk.status == 204
    async with phone_scans(desk, WANG) as phone:
        town.clock.advance(timedelta(minutes=4))
        assert "过期了" in await agree(phone)
    await desk.open("/")
    assert desk.path == "/console/login"
