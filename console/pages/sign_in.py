"""Signing in: by number and password (and the second factor), by the code from one's WeChat, by a scan; the link that
sets a password; signing out."""

from __future__ import annotations

import hmac
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated

import segno
from aiohttp import web
from pydantic import Field

from console import choices, ways
from console.frame import ROOT, SESSION, Form, Pages, Visit, anyone, enrolling
from domain import console_login, scan_login, tokens
from domain.administrators import staff_for_setup
from domain.login_codes import redeem
from domain.people import post_of
from errors import BadRequest, NotFound, NotSignedIn

pages = Pages()

_HALF = "linli_half"  # password right, code still wanted
_HALF_LIFE = timedelta(minutes=5)
_SCAN = "linli_scan"
#: What stands in the names browsers give themselves, the telling before the common.
_BROWSERS = (
    ("MicroMessenger", "微信"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "安卓手机"),
    ("Windows", "Windows 电脑"),
    ("Mac OS", "苹果电脑"),
    ("Linux", "Linux 电脑"),
)

Number = Annotated[str, Field(min_length=1, max_length=20, title="工号")]
Password = Annotated[str, Field(min_length=1, max_length=200, title="密码")]
Code = Annotated[str, Field(min_length=6, max_length=12, title="验证码")]


class ByPassword(Form):
    """The first step."""

    number: Number
    password: Password


class SecondStep(Form):
    """The code of the authenticator app."""

    code: Code


class ByCode(Form):
    """The one-time code from the official account."""

    number: Number
    code: Code


class NewPassword(Form):
    """What the link's page asks for."""

    number: Annotated[str, Field(max_length=20, title="工号")] = ""
    name: Annotated[str, Field(max_length=32, title="姓名")] = ""
    password: Password
    again: Password


@pages.get("/login", who=anyone)
async def show(visit: Visit) -> web.StreamResponse:
    """The three ways in."""
    if "form" in visit.request.query:  # opened beside a form that waits: not the same page once more
        ways.forget_wanted(visit)
    if visit.person:
        return visit.go(ways.take_wanted(visit))
    return visit.render("login.html", title="登录")


@pages.post("/login", who=anyone)
async def by_password(visit: Visit) -> web.StreamResponse:
    """Number and password; then the code, or in."""
    given = await visit.form(ByPassword)
    await _count(visit, given.number)
    return await _known(visit, await console_login.enter(given.number, given.password, visit.now, visit.source))


async def _known(visit: Visit, staff_id: int) -> web.StreamResponse:
    """The first step is done: in, or on to the code where they have a second factor."""
    if not await console_login.has_code(staff_id):
        return await _begin(visit, staff_id)
    said = f"{staff_id}.{(visit.now + _HALF_LIFE).timestamp():.0f}"
    visit.set_cookie(_HALF, f"{said}.{visit.office.sign('half', said)}", int(_HALF_LIFE.total_seconds()))
    return visit.go("/login/code")


def _half(visit: Visit) -> int:
    """Whose password was right. Raises NotSignedIn when that was too long ago."""
    said, _, mark = visit.request.cookies.get(_HALF, "").rpartition(".")
    staff_id, _, until = said.partition(".")
    fits = bool(said) and hmac.compare_digest(mark, visit.office.sign("half", said))
    if not fits or datetime.fromtimestamp(int(until), visit.now.tzinfo) < visit.now:
        raise NotSignedIn("half a sign-in", say="隔得太久了，请从头登录。")
    return int(staff_id)


@pages.get("/login/code", who=anyone)
async def ask_code(visit: Visit) -> web.StreamResponse:
    """The second factor's page."""
    _half(visit)
    return visit.render("login_code.html", title="输入动态码")


@pages.post("/login/code", who=anyone)
async def second(visit: Visit) -> web.StreamResponse:
    """The code is right: in."""
    staff_id = _half(visit)
    given = await visit.form(SecondStep)
    await _count(visit, f"code:{staff_id}")
    await console_login.check_code(staff_id, given.code, visit.office.key, visit.now, visit.source)
    visit.set_cookie(_HALF, "", 0)
    return await _begin(visit, staff_id)


@pages.post("/login/wechat", who=anyone)
async def by_code(visit: Visit) -> web.StreamResponse:
    """The code somebody got for “登录” in their bound WeChat."""
    given = await visit.form(ByCode)
    await _count(visit, given.number)
    return await _known(visit, await redeem(given.number, given.code, visit.now, visit.source))


async def _count(visit: Visit, who: str) -> None:
    await visit.office.limit("login_address", visit.office.address_of(visit.request))
    await visit.office.limit("login", who)


def _device(agent: str) -> str:
    """`Chrome，Windows 电脑`: what its owner would call it; "" for what nobody knows."""
    known = (next((name for sign, name in signs if sign in agent), "") for signs in (_BROWSERS, _SYSTEMS))
    return "，".join(filter(None, known))


async def _begin(visit: Visit, staff_id: int) -> web.StreamResponse:
    device = _device(visit.request.headers.get("User-Agent", ""))
    secret = await console_login.begin_session(staff_id, visit.now, device, visit.source)
    visit.set_cookie(SESSION, secret)
    await choices.bring(visit, staff_id)
    return visit.go(ways.take_wanted(visit))


@pages.get("/scan", who=anyone)
async def scan(visit: Visit) -> web.StreamResponse:
    """A code to scan; the page asks by itself whether somebody has."""
    if not visit.office.public_url:
        raise BadRequest("LINLI_PUBLIC_URL is not set", say="扫码登录还没有开通，请用工号和密码登录。")
    await visit.office.limit("login_address", visit.office.address_of(visit.request))
    secret = await scan_login.open_ticket(visit.now)
    visit.set_cookie(_SCAN, secret, int(scan_login.TICKET_LIFE.total_seconds()))
    address = f"{visit.office.public_url}{ROOT}/scan/{secret}"
    return visit.render("scan.html", title="扫码登录", picture=segno.make(address).svg_data_uri(scale=5, border=2))


@pages.get("/scan/wait", who=anyone, quiet=True)
async def wait(visit: Visit) -> web.StreamResponse:
    """In, once the phone has agreed."""
    staff_id = await scan_login.take(visit.request.cookies.get(_SCAN, ""), visit.now)
    if staff_id is None:
        return visit.finish(web.Response(status=204))
    visit.set_cookie(_SCAN, "", 0)
    return await _known(visit, staff_id)


@pages.get("/scan/{ticket}", who=anyone)
async def scanned(visit: Visit) -> web.StreamResponse:
    """On the phone: off to WeChat, which tells us who it is; back with its code, the question."""
    ticket = visit.request.match_info["ticket"]
    if not await scan_login.is_open(ticket, visit.now):
        raise NotFound("scan ticket", say="这个码过期了，请在电脑上刷新，再扫一次。")
    code = visit.request.query.get("code", "")
    if not code:
        page = f"{visit.office.public_url}{ROOT}/scan/{ticket}"
        return web.Response(status=303, headers={"Location": visit.office.logins.authorize_url(page, "scan")})
    return visit.render("scan_agree.html", title="确认登录", ticket=ticket, code=code)


class Agreed(Form):
    """The tap on the phone."""

    code: Annotated[str, Field(min_length=1, max_length=200, title="授权码")]


@pages.post("/scan/{ticket}", who=anyone)
async def agree(visit: Visit) -> web.StreamResponse:
    """The phone says yes."""
    given = await visit.form(Agreed)
    visitor = await visit.office.logins.web_visitor(given.code)
    post = await scan_login.agree(visit.request.match_info["ticket"], visitor.openid, visit.now, visit.source)
    return visit.render("scan_done.html", title="已确认", post=post)


@pages.get("/setup/{secret}", who=anyone)
async def setup(visit: Visit) -> web.StreamResponse:
    """The page of a link that sets a password."""
    found = await console_login.find_setup(visit.request.match_info["secret"], visit.now)
    post = await post_of(found.staff_id) if found.staff_id else None
    return visit.render("setup.html", title="设置密码", post=post)


@pages.post("/setup/{secret}", who=anyone)
async def set_up(visit: Visit) -> web.StreamResponse:
    """The password is set; off to sign in with it."""
    given, secret = await visit.form(NewPassword), visit.request.match_info["secret"]
    await visit.office.limit("login_address", visit.office.address_of(visit.request))
    if not hmac.compare_digest(given.password.encode(), given.again.encode()):
        raise BadRequest("two passwords", say="两次输入的密码不一样，请再输一次。")
    found = await console_login.find_setup(secret, visit.now)
    staff_id = found.staff_id or await staff_for_setup(given.number, given.name)
    await console_login.use_setup(secret, staff_id, given.password, visit.now, visit.source)
    return visit.go("/login", "密码设好了，请登录。")


@pages.post("/logout", who=enrolling)
async def leave(visit: Visit) -> web.StreamResponse:
    """This session ends."""
    with suppress(NotFound):  # it was over already
        await tokens.end_token(visit.staff, visit.token.id if visit.token else 0, visit.now, visit.source)
    visit.set_cookie(SESSION, "", 0)
    return visit.go("/login", "已退出。")
