"""服务指南: the directory residents look things up in; what must be looked at again, what they asked in vain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field, create_model

from console.audit_words import say_actor
from console.frame import Form, Pages, Visit, staff
from console.values import today
from domain import service_corrections, service_help, services
from domain.counter_desk import areas_near
from domain.service_desk import WRITTEN, add_item, may_write, read_item, save_item, stopped_items
from domain.service_tables import EVERYWHERE
from errors import BadRequest

pages = Pages()

_SHOWN = 50
_ONE = "/services/{item_id:[0-9]{1,9}}"
#: Cells of several lines.
_LONG = ("materials", "steps", "questions")


class ListQuery(Form):
    """What somebody typed; or a class; `beyond`: where the page before ended."""

    q: Annotated[str, Field(max_length=200, title="要找的")] = ""
    kind: Annotated[str, Field(max_length=20, title="类别")] = ""
    beyond: Annotated[str, Field(pattern=r"^(\d{1,9},\d{1,9},\d{1,9})?$", title="页码")] = ""

    @property
    def place(self) -> tuple[int, int, int]:
        """As the domain takes it."""
        first, second, third = map(int, (self.beyond or "0,0,0").split(","))
        return first, second, third


@pages.get("/services", who=staff)
async def show_all(visit: Visit) -> web.StreamResponse:
    """Found by words, or a class's, or all."""
    query = visit.query(ListQuery)
    if query.q:
        hits = (await services.search(visit.staff, query.q, _SHOWN)).hits
        items = [hit.item for hit in hits if hit.item]
    else:
        items = await services.list_items(visit.staff, query.kind, beyond=query.place, limit=_SHOWN)
    more = not query.q and len(items) == _SHOWN
    return visit.render(
        "services.html",
        title="服务指南",
        items=items,
        classes=await services.classes(),
        query=query,
        following=",".join(map(str, services.place_of(items[-1]))) if more else "",
        may_write=may_write(visit.staff),
    )


@pages.get("/services/overdue", who=staff)
async def show_overdue(visit: Visit) -> web.StreamResponse:
    """What nobody has looked at for half a year."""
    items = await services.overdue_reviews(visit.staff, today(visit.now), 100)
    writes = may_write(visit.staff)
    return visit.render("services_overdue.html", title="要核对的指南", items=items, may_write=writes)


@pages.get("/services/stopped", who=staff)
async def show_stopped(visit: Visit) -> web.StreamResponse:
    """What residents do not see."""
    items = await stopped_items(visit.staff)
    return visit.render("services_stopped.html", title="停用的指南", items=items)


@pages.get("/services/missing", who=staff)
async def show_missing(visit: Visit) -> web.StreamResponse:
    """What residents asked and nobody had written down."""
    return visit.render(
        "services_missing.html",
        title="没有答案的问题",
        questions=await service_help.missing_items(visit.staff, 100),
        items=await services.list_items(visit.staff, limit=500),
        may_write=may_write(visit.staff),
    )


class Answer(Form):
    """The item that answers a question now."""

    missing_id: Annotated[int, Field(ge=1, le=2**63 - 1, title="问题")]
    code: Annotated[str, Field(min_length=1, max_length=20, title="指南")]


@pages.post("/services/missing", who=staff)
async def answer_missing(visit: Visit) -> web.StreamResponse:
    """Off the list until somebody asks in vain again."""
    given = await visit.form(Answer)
    item = await service_help.answer_missing(visit.staff, given.missing_id, given.code, visit.now, visit.source)
    return visit.go("/services/missing", f"记下了，现在由“{item.title}”回答。")


class Versioned(Form):
    """An item's texts, and the version the writer had before them."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1, title="版本")]


class Coded(Form):
    """A new item's texts, with its code, which stays."""

    code: Annotated[str, Field(min_length=1, max_length=20, title="编码")]


#: The table's columns as fields of a form: what each takes is checked by the table.
_FIELDS: dict[str, Any] = {
    one.name: (Annotated[str, Field(max_length=4000, title=one.head)], "否" if one.name == "active" else ...)
    for one in WRITTEN
}
ItemForm = create_model("ItemForm", __base__=Versioned, **_FIELDS)
NewItemForm = create_model("NewItemForm", __base__=Coded, **_FIELDS)


def _cells(given: Form) -> Mapping[str, str]:
    return given.model_dump(exclude={"version", "code"})


@pages.get("/services/new", who=staff)
async def ask_item(visit: Visit) -> web.StreamResponse:
    """An empty form."""
    areas = await areas_near(visit.staff)
    cells = dict.fromkeys((one.name for one in WRITTEN), "") | {"position": "100", "active": "是"}
    return visit.render(
        "directory_new.html",
        title="新的指南",
        at="/services",
        whole="服务指南",
        columns=WRITTEN,
        cells=cells | {"area": areas[0].code if areas else EVERYWHERE},
        long=_LONG,
        classes=await services.classes(),
        areas=areas,
        everywhere=EVERYWHERE,
    )


@pages.post("/services/new", who=staff)
async def add(visit: Visit) -> web.StreamResponse:
    """Residents find it at once."""
    given = await visit.form(NewItemForm)
    item = await add_item(visit.staff, given.code, _cells(given), visit.now, visit.source)
    return visit.go(f"/services/{item.id}", "写好了，居民现在就能查到。")


def _which(visit: Visit) -> int:
    return int(visit.request.match_info["item_id"])


@pages.get(_ONE, who=staff)
async def show(visit: Visit) -> web.StreamResponse:
    """One item, to be read or changed."""
    sheaf = await read_item(visit.staff, _which(visit))
    return visit.render(
        "service.html",
        title=sheaf.item.title,
        item=sheaf.item,
        cells=sheaf.cells,
        may_edit=sheaf.may_edit,
        changes=sheaf.changes,
        say_actor=say_actor,
        editors=[] if sheaf.may_edit else await service_corrections.editors(visit.staff, sheaf.item.id),
        may_review=may_write(visit.staff) and sheaf.item.active,
        columns=WRITTEN,
        long=_LONG,
        classes=await services.classes(),
        areas=await areas_near(visit.staff),
        everywhere=EVERYWHERE,
    )


@pages.post(_ONE, who=staff)
async def change(visit: Visit) -> web.StreamResponse:
    """Another version; saving it is a review."""
    given = await visit.form(ItemForm)
    item = await save_item(visit.staff, _which(visit), given.version, _cells(given), visit.now, visit.source)
    return visit.go(f"/services/{item.id}", f"改好了，居民看到的是第 {item.version} 版。核对日期也记成了今天。")


class Suggestion(Form):
    """What is wrong in it."""

    words: Annotated[str, Field(min_length=1, max_length=200, title="哪里不对")]


@pages.post(f"{_ONE}/suggest", who=staff)
async def suggest(visit: Visit) -> web.StreamResponse:
    """Who may change it is told."""
    given = await visit.form(Suggestion)
    told = await service_corrections.suggest(visit.staff, _which(visit), given.words, visit.now, visit.source)
    return visit.go(f"/services/{_which(visit)}", f"已告诉{'、'.join(post.label for post in told)}。")


@pages.post(f"{_ONE}/review", who=staff)
async def review(visit: Visit) -> web.StreamResponse:
    """It is still right."""
    sheaf = await read_item(visit.staff, _which(visit))
    if not sheaf.item.active:
        raise BadRequest("review of a stopped item", say="停用的指南不用核对。要用就先改成启用。")
    await service_help.review(visit.staff, sheaf.item.code, visit.now, visit.source)
    return visit.go("/services/overdue", f"“{sheaf.item.title}”核对过了，半年后再提醒。")
