"""The settings this process runs with: read only, each with its source and what is wrong."""

from __future__ import annotations

from aiohttp import web

from console.frame import AdminKind, Pages, Visit, administrator

pages = Pages()

SOURCES = {"environment": "环境变量", ".env": ".env 文件", "default": "默认"}


@pages.get("/settings", who=administrator(AdminKind.SYSTEM))
async def show(visit: Visit) -> web.StreamResponse:
    """All of them."""
    settings = visit.office.back.settings()
    wrong = [one for one in settings if one.wrong]
    return visit.render("settings.html", title="系统设置", settings=settings, wrong=wrong, sources=SOURCES)
