"""Signing in and out: mini-program, page inside WeChat, staff with a one-time code; where somebody is signed in."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from pydantic import Field

from domain import accounts, login_codes, tokens
from errors import BadRequest
from miniapp_api.kernel import Body, Call, Id, Routes
from models.enums import LoginKind

routes = Routes("login")

Code = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[\x21-\x7e]+$", description="as WeChat gave it")]
Device = Annotated[str, Field(max_length=64, description="what the list of devices calls it: iPhone 王阿姨")]


class WeChatCode(Body):
    """A code of `wx.login`, or of the consent page."""

    code: Code
    device: Device = ""


class StaffCode(Body):
    """The staff number (工号) and the six digits the official account answered to “登录”."""

    number: Annotated[str, Field(min_length=1, max_length=20)]
    code: Annotated[str, Field(pattern=r"^[0-9]{6}$")]
    device: Device = ""


class Signed(Body):
    """A token, told once: send it as `Authorization: Bearer …`. `actor` is the caller's own pseudonym."""

    token: str
    actor: str


class WayIn(Body):
    """`page`: where to come back to, a path of ours. `state` comes back unchanged: make it up and compare it."""

    page: Annotated[str, Field(max_length=200, pattern=r"^/[A-Za-z0-9_\-./?=&]*$")]
    state: Annotated[str, Field(min_length=8, max_length=128, pattern=r"^[A-Za-z0-9]+$")]


class Address(Body):
    """Where the browser goes."""

    url: str


class SignedInDevice(Body):
    """Somewhere the caller is signed in. `current`: the one that asks."""

    id: Id
    kind: LoginKind
    name: str
    created_at: datetime
    seen_at: datetime
    current: bool


class Devices(Body):
    """All of them, last used first."""

    items: list[SignedInDevice]


class DevicePath(Body):
    """One of them."""

    device_id: Id


class Ended(Body):
    """How many devices were signed out."""

    ended: int


@routes.post("/login/miniapp", rule="login:enter", limits=("login_address",), keyed=False, network=True)
async def miniapp(call: Call, body: WeChatCode) -> Signed:
    """Sign in with a code of `wx.login`."""
    visitor = await call.desk.logins.miniapp_session(body.code)
    login = accounts.MiniappLogin(visitor.openid, visitor.unionid)
    return _signed(await accounts.login_miniapp(login, body.device, call.now, call.source))


@routes.get("/login/web/address", rule="login:enter")
async def web_address(call: Call, query: WayIn) -> Address:
    """Where a page inside WeChat sends the browser to sign in; it comes back to `page` with `code` and `state`."""
    # "//host" would be another site's address.
    if not call.desk.public_url or query.page.startswith("//"):
        raise BadRequest(
            "page" if call.desk.public_url else "LINLI_PUBLIC_URL is not set", say="网页登录还没有开通，请打开小程序。"
        )
    return Address(url=call.desk.logins.authorize_url(call.desk.public_url.rstrip("/") + query.page, query.state))


@routes.post("/login/web", rule="login:enter", limits=("login_address",), keyed=False, network=True)
async def web(call: Call, body: WeChatCode) -> Signed:
    """Sign in with the code of the consent page."""
    visitor = await call.desk.logins.web_visitor(body.code)
    signed = await accounts.login_web(visitor.openid, visitor.unionid, body.device, call.now, call.source)
    return _signed(signed)


@routes.post("/login/staff", rule="login:enter", limits=("login_address",), keyed=False, errors=(401,))
async def staff(call: Call, body: StaffCode) -> Signed:
    """Sign in as a member of staff with the one-time code from the official account."""
    await call.limit("login", body.number)
    staff_id = await login_codes.redeem(body.number, body.code, call.now, call.source)
    return _signed(await accounts.login_staff(staff_id, body.device, call.now, call.source))


def _signed(signed: accounts.SignedIn) -> Signed:
    return Signed(token=signed.token, actor=signed.person.actor)


@routes.get("/devices", rule="login:leave")
async def devices(call: Call) -> Devices:
    """Where you are signed in."""
    found = await tokens.list_devices(call.person, _token_id(call), call.now)
    return Devices(items=[SignedInDevice(**asdict(device)) for device in found])


@routes.delete("/devices/{device_id}", rule="login:end")
async def sign_out(call: Call, path: DevicePath) -> None:
    """Sign one device out."""
    await tokens.end_token(call.person, path.device_id, call.now, call.source)


@routes.post("/logout", rule="login:leave", keyed=False)
async def leave(call: Call) -> None:
    """Sign this device out."""
    await tokens.end_token(call.person, _token_id(call), call.now, call.source)


@routes.post("/logout/others", rule="login:leave")
async def leave_others(call: Call) -> Ended:
    """Sign every other device out."""
    return Ended(ended=await tokens.end_all(call.person, call.now, call.source, keep=_token_id(call)))


@routes.post("/logout/everywhere", rule="login:leave", keyed=False)
async def leave_everywhere(call: Call) -> Ended:
    """Sign every device out, this one too."""
    return Ended(ended=await tokens.end_all(call.person, call.now, call.source))


def _token_id(call: Call) -> int:
    return call.token.id if call.token else 0
