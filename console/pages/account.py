"""One's own account: password, second factor, where one is signed in, larger type."""

from __future__ import annotations

from hmac import compare_digest
from typing import Annotated

import segno
from aiohttp import web
from pydantic import Field

from console.frame import SESSION, Form, Pages, Visit, enrolling, signed_in
from console.pages.sign_in import Code, Password
from domain import console_login, tokens
from domain.sealing import seal, unseal
from errors import BadRequest

pages = Pages()

_SECRET = "linli_totp"  # noqa: S105 - a cookie's name


class Change(Form):
    """Another password."""

    old: Password
    password: Password
    again: Password


class FirstCode(Form):
    """What the app shows."""

    code: Code


class Device(Form):
    """A session to end."""

    device: Annotated[int, Field(ge=1, le=2**63 - 1, title="设备")]


@pages.get("/account", who=signed_in)
async def show(visit: Visit) -> web.StreamResponse:
    """What there is."""
    return visit.render(
        "account.html",
        title="我的账号",
        has_code=await console_login.has_code(visit.post.id),
        devices=await tokens.list_devices(visit.staff, visit.token.id if visit.token else 0, visit.now),
    )


@pages.post("/account/password", who=signed_in)
async def change(visit: Visit) -> web.StreamResponse:
    """Every other session ends with it."""
    given = await visit.form(Change)
    if not compare_digest(given.password.encode(), given.again.encode()):
        raise BadRequest("two passwords", say="两次输入的新密码不一样，请再输一次。")
    await visit.office.limit("login", f"change:{visit.post.id}")
    await console_login.change_password(visit.post, given.old, given.password, visit.now, visit.source)
    await tokens.end_all(visit.staff, visit.now, visit.source, keep=visit.token.id if visit.token else 0)
    return visit.go("/account", "密码改好了，其他设备都已退出。")


@pages.get("/account/code", who=enrolling)
async def ask_code(visit: Visit) -> web.StreamResponse:
    """A new secret, to be scanned by an authenticator app."""
    secret = console_login.new_code_secret()
    visit.set_cookie(_SECRET, seal(visit.office.key, "new totp", f"{visit.post.id}.{secret}"), 600)
    address = console_login.code_address(secret, visit.post.name)
    picture = segno.make(address).svg_data_uri(scale=4, border=2)
    return visit.render("account_code.html", title="设置动态码", picture=picture, secret=secret)


@pages.post("/account/code", who=enrolling)
async def set_code(visit: Visit) -> web.StreamResponse:
    """The first code proves that the app has it."""
    given = await visit.form(FirstCode)
    sealed = visit.request.cookies.get(_SECRET, "")
    whose, _, secret = unseal(visit.office.key, "new totp", sealed).partition(".") if sealed else ("", "", "")
    if whose != str(visit.post.id):
        raise BadRequest("no secret", say="隔得太久了，请刷新页面重新扫码。")
    await console_login.set_code(visit.post, secret, given.code, visit.office.key, visit.now, visit.source)
    visit.set_cookie(_SECRET, "", 0)
    return visit.go("/account", "动态码设好了，下次登录要用它。")


@pages.post("/account/devices", who=signed_in)
async def end_one(visit: Visit) -> web.StreamResponse:
    """One session ends."""
    given = await visit.form(Device)
    await tokens.end_token(visit.staff, given.device, visit.now, visit.source)
    return visit.go("/account", "那台设备已退出。")


@pages.post("/account/everywhere", who=signed_in)
async def end_all(visit: Visit) -> web.StreamResponse:
    """All end, this one too."""
    await tokens.end_all(visit.staff, visit.now, visit.source)
    visit.set_cookie(SESSION, "", 0)
    return visit.go("/login", "所有设备都已退出。")
