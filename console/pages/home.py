"""The first page: what waits for the person who signed in."""

from __future__ import annotations

from aiohttp import web

from console.frame import AdminKind, Pages, Visit, signed_in
from domain.casebook import task_page, to_check

pages = Pages()

_SHOWN = 50


@pages.get("/", who=signed_in)
async def show(visit: Visit) -> web.StreamResponse:
    """The to-do of staff; where an administrator begins."""
    if visit.admin in (AdminKind.SECURITY, AdminKind.AUDIT):
        return visit.render("administrator.html", title="管理")
    tasks = await task_page(visit.staff, after=None, limit=_SHOWN)
    checks = await to_check(visit.staff, _SHOWN)
    return visit.render("home.html", title=f"待办 {len(tasks)}", tasks=tasks, checks=checks)
