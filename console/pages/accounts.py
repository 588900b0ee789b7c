"""Accounts: who can sign in and how, links that set a password, the three kinds of administrators (三员)."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from console.deeds import Deed, again, mount
from console.frame import ROOT, AdminKind, Form, Pages, Visit, administrator
from console.pages.sign_in import Number
from domain import administrators, console_accounts
from errors import NotFound

pages = Pages()

_SHOWN = 50
_KEEPERS = administrator(AdminKind.SECURITY, AdminKind.SYSTEM)
_SECURITY = administrator(AdminKind.SECURITY)


class Wanted(Form):
    """Who is looked for, and from where on."""

    words: Annotated[str, Field(max_length=32, title="工号或姓名")] = ""
    after: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0


class Appointment(Form):
    """Somebody becomes an administrator."""

    number: Number
    kind: Annotated[AdminKind, Field(title="管理员")]


@pages.get("/accounts", who=_KEEPERS)
async def show(visit: Visit) -> web.StreamResponse:
    """Everybody on duty, a page at a time, with the administrators above."""
    wanted = visit.query(Wanted)
    found = await console_accounts.list_accounts(
        visit.post, visit.now, words=wanted.words, after=wanted.after, limit=_SHOWN + 1
    )
    return visit.render(
        "accounts.html",
        title="账号",
        wanted=wanted,
        accounts=found[:_SHOWN],
        more=found[_SHOWN - 1].staff_id if len(found) > _SHOWN else 0,
        administrators=await administrators.list_administrators(),
        kinds=administrators.KIND_NAMES,
        keeps=visit.admin is AdminKind.SECURITY,
    )


@pages.get("/accounts/{id}", who=_KEEPERS)
async def one(visit: Visit) -> web.StreamResponse:
    """One account, with what may be done."""
    return await _page(visit, _id(visit))


def _id(visit: Visit) -> int:
    said = visit.request.match_info["id"]
    if not (said.isascii() and said.isdecimal() and len(said) < 10):
        raise NotFound(f"account {said[:20]!r}", say="没有这位在岗人员。")
    return int(said)


async def _page(visit: Visit, staff_id: int, link: str = "") -> web.Response:
    account = await console_accounts.account_of(visit.post, staff_id, visit.now)
    return visit.render(
        "account_of.html",
        title=f"{account.name}的账号",
        account=account,
        link=link,
        gives=await console_accounts.may_give_link(visit.post, account.kind),
        keeps=visit.admin is AdminKind.SECURITY,
        kinds=administrators.KIND_NAMES,
    )


@pages.post("/accounts/{id}/link", who=_KEEPERS)
async def give_link(visit: Visit) -> web.StreamResponse:
    """The link, on this page alone."""
    staff_id = _id(visit)
    secret = await console_accounts.give_link(visit.post, staff_id, visit.now, visit.source)
    office = visit.office
    reached = office.public_url or f"{visit.request.scheme}://{visit.request.host}"
    return await _page(visit, staff_id, f"{reached}{ROOT}/setup/{secret}")


@pages.post("/accounts/appoint", who=_KEEPERS)
async def appoint(visit: Visit) -> web.StreamResponse:
    """One more administrator."""
    given = await visit.form(Appointment)
    staff_id = await console_accounts.find_number(given.number)
    await administrators.appoint(visit.post, staff_id, given.kind, visit.now, visit.source)
    name = administrators.KIND_NAMES[given.kind]
    return visit.go(f"/accounts/{staff_id}", f"已指定为{name}。没有密码的话，请发一个设置链接。")


@pages.post("/accounts/{id}/dismiss", who=_SECURITY)
async def dismiss(visit: Visit) -> web.StreamResponse:
    """An administrator no more."""
    await administrators.dismiss(visit.post, _id(visit), visit.now, visit.source)
    return visit.go("/accounts", "已撤销。")


mount(
    pages,
    "/accounts/{id}",
    (
        Deed("unlock", console_accounts.unlock, "已解锁，现在就可以再登录。"),
        Deed("end", console_accounts.end_sessions, lambda ended: f"已退出 {ended} 处登录。"),
        Deed("code", console_accounts.forget_code, "动态码已清除，所有登录都已退出。本人下次登录后重新设置。"),
    ),
    which=_id,
    back=again("/accounts", _id),
    who=_SECURITY,
    by=lambda visit: visit.post,
)
