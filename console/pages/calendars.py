"""The working calendar: which days count for limits in working time, and the community's own days."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from console.frame import Form, Pages, Visit
from console.values import today
from domain import console_tables
from domain.calendar_views import year_view

pages = Pages()


class Wanted(Form):
    """Which year; this one without."""

    year: Annotated[int, Field(ge=2024, le=2100, title="年份")] | None = None


@pages.get("/rules/calendar")
async def show(visit: Visit) -> web.StreamResponse:
    """A year, month by month."""
    year = await year_view(visit.query(Wanted).year or today(visit.now).year)
    keeps = await console_tables.keeps(visit.post)
    return visit.render("calendar.html", title=f"{year.number} 年工作日历", year=year, keeps=keeps)
