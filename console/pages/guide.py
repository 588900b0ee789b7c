"""怎么用: keys, where things are, what to do when something does not work; the tour on the first sign-in."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from console.choices import LARGE, TOUR, keep
from console.frame import Form, Pages, Visit, signed_in
from domain import tours

pages = Pages()


class Type(Form):
    """How large letters are."""

    large: Annotated[str, Field(pattern="^yes$", title="大字")] = ""


@pages.get("/help", who=signed_in)
async def show(visit: Visit) -> web.StreamResponse:
    """The page."""
    return visit.render("help.html", title="怎么用", large=LARGE in visit.request.cookies)


@pages.post("/help/toured", who=signed_in)
async def toured(visit: Visit) -> web.StreamResponse:
    """The tour is over."""
    await tours.end_tour(visit.post, visit.now)
    visit.set_cookie(TOUR, "", 0)
    return visit.go("/")


@pages.post("/help/type", who=signed_in)
async def choose_type(visit: Visit) -> web.StreamResponse:
    """Larger letters, or the ordinary ones."""
    given = await visit.form(Type)
    await tours.choose_type(visit.post, visit.now, visit.source, large=bool(given.large))
    keep(visit, LARGE, on=bool(given.large))
    return visit.go("/help", "字号换好了。" if given.large else "已换回普通字号。")
