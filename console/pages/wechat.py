"""The official account: its menu, and the grids' QR codes as posters for the stairwell wall."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from console.frame import AdminKind, Form, Pages, Visit, administrator
from domain.console_tables import note_change
from domain.organisation_views import poster_grids
from errors import NotFound

pages = Pages()

_SYSTEM = administrator(AdminKind.SYSTEM)
_SHOWN, _PRINTED = 50, 30
_CLICKS = {
    "report": "开始说一件事",
    "services": "看服务导航",
    "my_cases": "看自己的事项办到哪了",
    "activities": "看活动、报名",
    "help": "看怎么用",
    "worker": "找网格员",
    "my_grid": "看自己的网格、换网格",
}


class Wanted(Form):
    """Which grids: those below an area's code, from one on."""

    below: Annotated[str, Field(max_length=15, pattern="^[0-9]*$", title="区域编码")] = ""
    after: Annotated[str, Field(max_length=20, title="从哪个网格起")] = ""


@pages.get("/wechat", who=_SYSTEM)
async def show(visit: Visit) -> web.StreamResponse:
    """The menu."""
    return visit.render("wechat.html", title="公众号菜单", buttons=visit.office.back.menu(), clicks=_CLICKS)


@pages.post("/wechat/menu", who=_SYSTEM)
async def put(visit: Visit) -> web.StreamResponse:
    """Into the account."""
    await note_change(visit.post, "wechat:menu", visit.now, visit.source)
    await visit.office.back.put_menu()
    return visit.go("/wechat", "已放到公众号，居民的手机一天内会换上。")


@pages.get("/wechat/grids", who=_SYSTEM)
async def grids(visit: Visit) -> web.StreamResponse:
    """Every grid, to print one poster or those of a community."""
    wanted = visit.query(Wanted)
    found = await poster_grids(below=wanted.below, after=wanted.after, limit=_SHOWN + 1)
    return visit.render(
        "wechat_grids.html",
        title="网格二维码",
        wanted=wanted,
        grids=found[:_SHOWN],
        more=found[_SHOWN - 1].code if len(found) > _SHOWN else "",
    )


@pages.get("/wechat/posters", who=_SYSTEM)
async def posters(visit: Visit) -> web.StreamResponse:
    """Posters to print, a page each."""
    wanted = visit.query(Wanted)
    found = await poster_grids(below=wanted.below, after=wanted.after, limit=_PRINTED + 1)
    if not found:
        raise NotFound("no grid", say="这里没有网格，请核对区域编码。")
    more = found[_PRINTED - 1].code if len(found) > _PRINTED else ""
    return visit.render("wechat_posters.html", title="打印海报", wanted=wanted, grids=found[:_PRINTED], more=more)


@pages.get("/wechat/codes/{code}.svg", who=_SYSTEM)
async def code(visit: Visit) -> web.StreamResponse:
    """One grid's code, drawn sharp at any size."""
    found = await poster_grids(code=visit.request.match_info["code"], limit=1)
    if not found:
        raise NotFound("grid code", say="没有这个网格。")
    picture = await visit.office.back.grid_code(found[0].code)
    return visit.finish(web.Response(body=picture, content_type="image/svg+xml"))
