"""Rules everybody may read: the duty list and its versions, ready sentences."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from console.frame import Form, Pages, Visit
from console.values import MaybeDay, today
from domain import console_tables, duty_views
from domain.organisation_tables import TEMPLATES

pages = Pages()

_SHOWN = 80


class Wanted(Form):
    """Which version, and which lines of it."""

    day: MaybeDay = None
    words: Annotated[str, Field(max_length=32, title="事项或单位")] = ""
    start: Annotated[int, Field(ge=0, le=100_000, title="从第几行起")] = 0


@pages.get("/rules")
async def show(visit: Visit) -> web.StreamResponse:
    """One version, today's at first, with what it changed."""
    wanted, versions = visit.query(Wanted), await duty_views.list_versions()
    day = wanted.day or today(visit.now)
    found, words = await duty_views.lines_on(day), wanted.words
    lines = [line for line in found if not words or any(words in cell for cell in line.values())]
    begins = wanted.day in [one.effective_on for one in versions]
    end = wanted.start + _SHOWN
    return visit.render(
        "duties.html",
        title="职责清单",
        wanted=wanted,
        day=day,
        today=today(visit.now),
        lines=lines[wanted.start : end],
        more=end if len(lines) > end else 0,
        versions=versions,
        changes=await duty_views.changes_of(day, versions) if begins else [],
        keeps=await console_tables.keeps(visit.post),
    )


@pages.get("/rules/templates")
async def templates(visit: Visit) -> web.StreamResponse:
    """Ready sentences."""
    return visit.render(
        "reply_templates.html",
        title="答复模板",
        rows=await console_tables.rows_of(TEMPLATES, today(visit.now)),
        keeps=await console_tables.keeps(visit.post),
    )
