"""运行情况: what waits, what went wrong, when the regular work was last done."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from console.frame import AdminKind, Pages, Visit, administrator
from console.regular_work import lines_of
from domain.condition import Line, condition

pages = Pages()

_SYSTEM = administrator(AdminKind.SYSTEM)


@pages.get("/health", who=_SYSTEM)
async def show(visit: Visit) -> web.StreamResponse:
    """The page, which asks for its lines again by itself."""
    return visit.render("health.html", title="运行情况", **await _shown(visit))


@pages.get("/health/lines", who=_SYSTEM, quiet=True)
async def lines(visit: Visit) -> web.StreamResponse:
    """The lines alone."""
    return visit.render("health_lines.html", **await _shown(visit))


async def _shown(visit: Visit) -> dict[str, Any]:
    work = lines_of(await visit.office.back.regular_work(), visit.now)
    return {"lines": await _lines(visit), "work": work}


async def _lines(visit: Visit) -> list[Line]:
    answers = await visit.office.back.cache_answers()
    advice = "" if answers else "Redis 没有应答：登录和限速会受影响，请在服务器上检查。"
    return [*await condition(visit.post, visit.now), Line("缓存 Redis", "应答正常" if answers else "没有应答", advice)]
