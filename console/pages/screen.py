"""大屏: an area's figures on a wall, large, dark, fresh by themselves. Counts only; nobody's name, nobody's words.

Whoever is signed in may look at it as long as their session lasts. A screen that hangs for good has a link of its own,
made by the system administrator: opened once, it is kept as a cookie, so that no address on the wall gives it away.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from console import sections
from console.figures import Chart, Links, MaybeArea, percent
from console.frame import ROOT, AdminKind, Form, Pages, Visit, administrator, anyone, staff
from console.values import today
from domain import screens
from domain.clock import SHANGHAI
from domain.desk_choices import areas_to_choose
from domain.figures_cases import Day, flow
from domain.figures_counts import Period, scope_below
from domain.overview import Overview, overview, plain_view, view_area

pages = Pages()

_COOKIE = "linli_screen"
_YEARS = 400 * 24 * 3600  # seconds; browsers keep no cookie longer
_DAYS = 14
_RATES = ("close_on_time", "first_response_on_time", "solved_rate", "satisfied_rate")
_HOTTEST, _COMMONEST = 4, 7
keeper = administrator(AdminKind.SYSTEM)


class Query(Form):
    """Which area, for who is signed in."""

    area: MaybeArea = None


class NewScreen(Form):
    """A screen to make a link for."""

    name: Annotated[str, Field(min_length=1, max_length=24, title="名称")]
    area: Annotated[int, Field(ge=1, le=2**31 - 1, title="区域")]


async def _area(visit: Visit) -> int:
    """Whose figures are shown: by who is signed in, or by the screen's own link. Raises NotFound, NotSignedIn."""
    secret = visit.request.cookies.get(_COOKIE, "")
    if staff(visit):
        return (await view_area(visit.staff, visit.query(Query).area)).area.id
    return await screens.area_shown(secret, visit.now)


@pages.get("/screen", who=anyone, quiet=True)
async def show(visit: Visit) -> web.StreamResponse:
    """The screen."""
    links = await _links(visit)
    asked = visit.request.rel_url.raw_query_string
    again = {part: f"{ROOT}/screen/{part}{'?' if asked else ''}{asked}" for part in ("figures", "later")}
    return visit.render("screen.html", again=again, **await _figures(visit, links))


@pages.get("/screen/figures", who=anyone, quiet=True)
async def figures(visit: Visit) -> web.StreamResponse:
    """What is fresh on it each minute."""
    return visit.render("screen_figures.html", **await _figures(visit, await _links(visit)))


@pages.get("/screen/later", who=anyone, quiet=True)
async def later(visit: Visit) -> web.StreamResponse:
    """What has to be counted and changes slowly: what people report, and where it has become much."""
    links = await _links(visit)
    hot = await sections.named_hotspots(links.view.area.id, visit.now)
    kinds = await sections.categories(links, visit.now)
    return visit.render(
        "screen_later.html",
        kinds=kinds.chart.first(_COMMONEST) if kinds.chart and kinds.rows else None,
        # Without the place within the grid: that may be somebody's door.
        hot=[(grid, spot.subject, spot.count) for spot, grid, _ in hot[:_HOTTEST]],
    )


async def _links(visit: Visit) -> Links:
    return Links(await plain_view(await _area(visit)), Period.of_month(today(visit.now)))


async def _figures(visit: Visit, links: Links) -> dict[str, Any]:
    area_id, day = links.view.area.id, today(visit.now)
    shown = await overview(area_id, links.period)
    total, standing = await sections.standing_of(links, visit.now)
    days = await flow(Period.of_days(day - timedelta(days=_DAYS - 1), day), await scope_below(area_id))
    return {
        "area": links.view.area.name,
        "at": f"{visit.now.astimezone(SHANGHAI):%H:%M}",
        "standing": total,
        "day": days[-1],
        "rates": _rates(shown),
        "areas": sections.areas(links, standing, shown),
        "days": _days(days),
        "by_link": not staff(visit),
    }


def _rates(shown: Overview) -> list[tuple[str, str]]:
    figures_of = shown.total.figures
    return [(figures_of[code].indicator.name, percent(figures_of[code].ratio)) for code in _RATES]


def _days(days: list[Day]) -> Chart:
    series = [("上报", [day.reported for day in days]), ("办结", [day.closed for day in days])]
    return Chart("line", [f"{day.day:%m-%d}" for day in days], series, (), ("soon", "lead"), "件")


@pages.get("/screen/open/{secret}", who=anyone)
async def open_screen(visit: Visit) -> web.StreamResponse:
    """The link of a screen: kept as a cookie, and on to the screen."""
    secret = visit.request.match_info["secret"]
    view = await plain_view(await screens.area_shown(secret, visit.now))
    visit.set_cookie(_COOKIE, secret, _YEARS)
    return visit.render("screen_open.html", title=f"大屏 · {view.area.name}")


@pages.get("/screens", who=keeper)
async def show_all(visit: Visit) -> web.StreamResponse:
    """The links there are, and a form for another."""
    return visit.render(
        "screens.html",
        title="大屏",
        screens=await screens.list_screens(visit.staff),
        places=await areas_to_choose(visit.staff, visit.query(Query).area),
        area=visit.query(Query).area,
    )


@pages.post("/screens", who=keeper)
async def make(visit: Visit) -> web.StreamResponse:
    """A link for another screen, shown once."""
    given = await visit.form(NewScreen)
    secret = await screens.make_screen(visit.staff, given.area, given.name, visit.now, visit.source)
    base = visit.office.public_url or f"{visit.request.scheme}://{visit.request.host}"
    address = f"{base.rstrip('/')}{ROOT}/screen/open/{secret}"
    if visit.by_htmx:
        return visit.render("screen_made.html", made=address)
    return visit.render("screen_made_page.html", title="大屏链接", made=address)


@pages.post(r"/screens/{screen:\d{1,9}}/revoke", who=keeper)
async def revoke(visit: Visit) -> web.StreamResponse:
    """Take a link back."""
    screen_id = int(visit.request.match_info["screen"])
    name = await screens.revoke_screen(visit.staff, screen_id, visit.now, visit.source)
    return visit.go("/screens", f"“{name}”的链接停用了，那块屏一分钟内会变黑。")
