"""The area's cases: filters that stand in the address, views kept under a name, the list as a workbook."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import Field, ValidationError

from console.desk_lines import likeliest, line_of
from console.desk_query import Query
from console.frame import Form, Pages, Visit
from console.pages.desk import tools
from console.sheets import EXCEL, Cell, Sheet, workbook
from console.shown import status_name
from domain import desk_choices, saved_views
from domain.bulk import steps_of
from domain.case_exports import MOST, export, find_page
from domain.clock import SHANGHAI
from domain.desk import Page, Row
from errors import BadRequest
from models.enums import Status, Urgency

pages = Pages()

_LIST = "cases"
_STATES = (("open", "未结"), ("all", "全部"), ("closed", "已结束"))
_URGENCY = {Urgency.URGENT: "紧急", Urgency.PRESSING: "较急", Urgency.NORMAL: "一般", Urgency.COMPLEX: "疑难"}


class NewView(Form):
    """The filters of the page, to be kept under a name."""

    name: Annotated[str, Field(min_length=1, max_length=24, title="视图名称")]
    query: Annotated[str, Field(max_length=1000, title="筛选条件")] = ""


class OldView(Form):
    """A view to take away."""

    view: Annotated[int, Field(ge=1, le=2**63 - 1, title="视图")]


@pages.get("/cases")
async def show(visit: Visit) -> web.StreamResponse:
    """The list with its filters."""
    query = visit.query(Query)
    page = await find_page(visit.staff, query.wanted(), visit.now, query.after)
    return visit.render(
        "desk_cases.html",
        title=_title(page),
        states=_STATES,
        statuses=[(status.value, status_name(status)) for status in Status],
        areas=await desk_choices.areas_to_choose(visit.staff, query.area),
        people=await desk_choices.staff_to_choose(visit.staff, query.area),
        groups=desk_choices.kinds_to_choose(),
        views=await saved_views.list_views(visit.staff, _LIST),
        ready=_ready_views(visit),
        **await tools(visit),
        **_shown(visit, query, page),
    )


@pages.get("/desk/rows", quiet=True)
async def again(visit: Visit) -> web.StreamResponse:
    """The lines once more, for the page that keeps itself fresh."""
    query = visit.query(Query)
    page = await find_page(visit.staff, query.wanted(), visit.now, query.after)
    return visit.render("desk_rows.html", title=_title(page), **_shown(visit, query, page))


def _title(page: Page) -> str:
    if page.count is None:
        return "事项"
    return f"事项 {page.count}{'+' if page.beyond else ''}"


def _shown(visit: Visit, query: Query, page: Page) -> dict[str, Any]:
    following = query.next(page.next) if page.next else ""
    lines = [line_of(row, visit.now, visit.post) for row in page.rows]
    shown = {"lines": lines, "query": query, "following": following, "picks": bool(steps_of(visit.post))}
    return shown | {"first": likeliest(lines)}


def _ready_views(visit: Visit) -> list[tuple[str, str]]:
    """(name, address) of what everybody needs."""
    ready = [
        ("未结", Query()),
        ("超时", Query(late=True)),
        ("紧急", Query(urgent=True)),
        ("我经办的", Query(holder=visit.post.id)),
    ]
    if visit.post.dispatches:
        ready += [("待受理", Query(state=Status.REPORTED)), ("待核查", Query(state=Status.DISPOSED))]
    return [(name, query.address) for name, query in ready]


@pages.post("/desk/views")
async def keep(visit: Visit) -> web.StreamResponse:
    """Keep the filters of the page under a name."""
    given = await visit.form(NewView)
    try:
        query = Query.model_validate(dict(parse_qsl(given.query)))
    except ValidationError:
        raise BadRequest("no such query", say="筛选条件读不出来，请回到列表重新筛选，再存一次。") from None
    await saved_views.save_view(visit.staff, _LIST, given.name, query.kept, visit.now, visit.source)
    return visit.go(_path(query.address), f"视图“{given.name}”存好了，在列表上面。")


@pages.post("/desk/views/drop")
async def drop(visit: Visit) -> web.StreamResponse:
    """Take a view away."""
    given = await visit.form(OldView)
    name = await saved_views.drop_view(visit.staff, given.view, visit.now, visit.source)
    return visit.go("/cases", f"视图“{name}”删掉了。")


def _path(address: str) -> str:
    return f"/cases?{address}" if address else "/cases"


@pages.get("/desk/cases.xlsx")
async def take(visit: Visit) -> web.StreamResponse:
    """The list as a workbook."""
    query = visit.query(Query)
    rows, more = await export(visit.staff, query.wanted(), visit.now, visit.source)
    note = f"只有前 {MOST} 件。要看后面的，请把时间范围缩小再导出。" if more else ""
    heads = "编号 事项 状态 紧急程度 网格 地点 承办单位 经办人 上报时间 时限 是否超时 办结时间 第几次办 居民催办 督办"
    sheet = Sheet("事项", heads.split(), [_cells(row) for row in rows], _WIDTHS, note)
    answer = web.Response(body=await workbook(sheet), content_type=EXCEL)
    made = f"{visit.now.astimezone(SHANGHAI):%Y%m%d-%H%M}"
    answer.headers["Content-Disposition"] = f'attachment; filename="cases-{made}.xlsx"'
    return visit.finish(answer)


_WIDTHS = (16, 18, 10, 10, 18, 30, 16, 12, 17, 17, 10, 17, 10, 10, 8)


def _cells(row: Row) -> list[Cell]:
    return [
        row.number,
        row.subject,
        status_name(row.status),
        _URGENCY[Urgency(row.urgency)],
        row.area,
        row.place,
        row.department,
        row.holder,
        row.reported_at,
        row.due_at,
        "超时" if row.overdue else "",
        row.closed_at,
        row.round,
        row.urged,
        row.supervised,
    ]
