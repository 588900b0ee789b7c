"""看板: how an area stands and how a period went, in charts and tables, each figure with the cases behind it.

The page itself shows what is kept counted; what has to be counted comes after it, part by part.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from aiohttp import web

from console import sections
from console.figures import (
    COUNT_NAMES,
    BehindQuery,
    Links,
    NowQuery,
    Query,
    TheseQuery,
    months_back,
    percent,
    say_period,
)
from console.frame import Pages, Visit
from console.sections import LATER, Section
from console.sheets import EXCEL, Sheet, workbook
from domain.figures_cases import PAGE, Listed, Now, Sum, cases_behind, cases_now, cases_of, unknown
from domain.figures_counts import Question, scope_below
from domain.figures_settings import in_force
from domain.indicators import Figure, Values, denominator_of
from domain.overview import Overview, check_leads, overview, view_area
from errors import BadRequest

pages = Pages()

_RATES = ("close_on_time", "first_response_on_time", "solved_rate", "satisfied_rate", "rework_rate")
_KINDS = {Now.OPEN: "未办结", Now.OVERDUE: "超期", Now.SOON: "24 小时内到期", Now.URGENT: "紧急未办结"}


async def _links(visit: Visit, query: Query) -> Links:
    return Links(await view_area(visit.staff, query.area), query.period(visit.now))


@pages.get("/dashboards")
async def show(visit: Visit) -> web.StreamResponse:
    """The page of an area and a period."""
    query = visit.query(Query)
    links = await _links(visit, query)
    shown = await overview(links.view.area.id, links.period)
    total, standing = await sections.standing_of(links, visit.now)
    return visit.render(
        "dashboards.html",
        title=f"看板 · {links.view.area.name}",
        query=query,
        links=links,
        said=say_period(links.period),
        months=months_back(visit.now),
        now=[(name, getattr(total, kind), links.now_below(kind, links.view.area.id)) for kind, name in _KINDS.items()],
        counts=[
            (COUNT_NAMES[name], shown.total.counts[name], shown.before.counts[name], links.cases(name))
            for name in ("reported", "accepted", "closed")
        ],
        rates=[_rate(links, shown, code, visit.now) for code in _RATES],
        sections=[sections.areas(links, standing, shown), sections.satisfaction(links, shown)],
        later=[(name, title) for name, (title, _) in LATER.items()],
    )


def _rate(links: Links, shown: Overview, code: str, now: datetime) -> dict[str, Any]:
    """One ratio of the front page with both its parts, and how it was before."""
    figure = shown.total.figures[code]
    return {
        "name": figure.indicator.name,
        "formula": figure.indicator.formula,
        "shown": percent(figure.ratio),
        "before": percent(shown.before.figures[code].ratio),
        "numerator": figure.numerator,
        "denominator": figure.denominator,
        "above": links.numerator(figure),
        "below": links.denominator(figure, shown.settings),
        "note": _note(shown, figure) if links.period.end > now else "",
    }


def _note(shown: Overview, figure: Figure) -> str:
    """Of a period that goes on: what a ratio is divided by though it is not done yet; "" where nothing is."""
    still = shown.total.counts["unclosed"]
    if not still or "unclosed" not in denominator_of(figure.indicator, shown.settings):
        return ""
    return f"除数里有 {still:,} 件还没办结：期末前到期的都算，没到期的也算，所以现在偏低。"


def _part(name: str) -> Callable[[Visit], Awaitable[web.StreamResponse]]:
    async def show_part(visit: Visit) -> web.StreamResponse:
        links = await _links(visit, visit.query(Query))
        _, make = LATER[name]
        section = await make(links, visit.now)
        if visit.by_htmx:
            return visit.render("dashboard_part.html", section=section)
        return visit.render(
            "dashboard_alone.html", title=section.title, section=section, links=links, said=say_period(links.period)
        )

    return show_part


for _name in LATER:
    pages.get(f"/dashboards/{_name}")(_part(_name))


@pages.get("/dashboards/cases")
async def behind(visit: Visit) -> web.StreamResponse:
    """The cases a figure counted."""
    query = visit.query(BehindQuery)
    view = await check_leads(visit.staff, query.area)
    if unknown((*query.of, *query.but)):
        raise BadRequest("no such count", say="没有这个数，请从看板点进来。")
    period = query.period(visit.now)
    settings = (await in_force(period.first_day)).settings
    question = Question(period, await scope_below(view.area.id, query.depth), query.by)
    wanted = Sum(query.of, query.but, query.key if query.by else None)
    listed = await cases_behind(question, settings, wanted, before=query.after, limit=PAGE + 1)
    what = "、".join(COUNT_NAMES[name] for name in query.of)
    if query.but:
        what += f"，不含{'、'.join(COUNT_NAMES[name] for name in query.but)}"
    links = Links(view, period)
    return _list(visit, listed, what, f"{view.area.name} · {say_period(period)}", links.area(view.area.id))


@pages.get("/dashboards/now")
async def standing(visit: Visit) -> web.StreamResponse:
    """The cases that stand in one way now."""
    query = visit.query(NowQuery)
    view = await check_leads(visit.staff, query.area)
    kind, scope = Now(query.kind), await scope_below(view.area.id)
    listed = await cases_now(scope, kind, visit.now, branch=query.branch, before=query.after, limit=PAGE + 1)
    links = Links(view, Query().period(visit.now))
    return _list(visit, listed, _KINDS[kind], view.area.name, links.area(view.area.id))


@pages.get("/dashboards/these")
async def these(visit: Visit) -> web.StreamResponse:
    """The cases of a hot spot."""
    query = visit.query(TheseQuery)
    view = await check_leads(visit.staff, query.area)
    listed = await cases_of(await scope_below(view.area.id), query.ids)
    links = Links(view, Query().period(visit.now))
    return _list(visit, listed, "热点", view.area.name, links.area(view.area.id), whole=True)


def _list(
    visit: Visit, listed: list[Listed], what: str, where: str, back: str, *, whole: bool = False
) -> web.StreamResponse:
    shown = listed if whole else listed[:PAGE]
    following = ""
    if len(listed) > len(shown):
        following = str(visit.request.rel_url.update_query(after=str(shown[-1].id)))
    return visit.render(
        "dashboard_cases.html",
        title=what,
        where=where,
        back=back,
        listed=shown,
        following=following,
        many=len(listed) if whole or not listed else listed[0].remaining,
        later="after" in visit.request.query,
    )


@pages.get("/dashboards/book.xlsx")
async def book(visit: Visit) -> web.StreamResponse:
    """Everything on the page as a workbook."""
    links = await _links(visit, visit.query(Query))
    shown = await overview(links.view.area.id, links.period)
    _, standing = await sections.standing_of(links, visit.now)
    made = [sections.areas(links, standing, shown), sections.satisfaction(links, shown)]
    made += [await make(links, visit.now) for _, make in LATER.values()]
    sheets = [_rates_sheet(shown.total), *(_sheet(section) for section in made)]
    answer = web.Response(body=await workbook(*sheets), content_type=EXCEL)
    name = f"figures-{links.period.first_day}-{links.period.last_day}.xlsx"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return visit.finish(answer)


def _rates_sheet(total: Values) -> Sheet:
    rows = [
        (one.indicator.name, one.ratio, one.numerator, one.denominator, one.indicator.formula, one.indicator.source)
        for one in total.figures.values()
    ]
    return Sheet("指标", ("指标", "值", "分子", "分母", "公式", "来源"), rows, (20, 12, 10, 10, 40, 60))


def _sheet(section: Section) -> Sheet:
    title = section.title.split("：")[0]
    rows = [[value.raw for value in row] for row in section.rows]
    return Sheet(title, section.heads, rows, [28, *[16] * (len(section.heads) - 1)], section.note)
