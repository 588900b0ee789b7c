"""服务商家: who comes to the house or serves nearby, as the directory shows them; what residents said of them."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field, create_model

from console.audit_words import say_actor
from console.frame import Form, Pages, Visit, staff
from console.values import MaybeIdent
from domain import provider_desk
from domain.counter_desk import areas_near
from domain.directory_rows import may_write
from domain.provider_desk import WRITTEN
from domain.service_tables import EVERYWHERE

pages = Pages()

_SHOWN = 50
_ALL = "/services/providers"
_ONE = f"{_ALL}/{{provider_id:[0-9]{{1,9}}}}"


def writes(visit: Visit) -> bool:
    """Who may add to the directory."""
    return staff(visit) and may_write(visit.staff)


class ListQuery(Form):
    """Words of the name or of what they do; a kind; `after`: where the page before ended."""

    q: Annotated[str, Field(max_length=40, title="要找的")] = ""
    kind: Annotated[str, Field(max_length=16, title="类别")] = ""
    after: MaybeIdent = None


@pages.get(_ALL, who=staff)
async def show_all(visit: Visit) -> web.StreamResponse:
    """Those of the area, stopped ones too."""
    query = visit.query(ListQuery)
    rows = await provider_desk.provider_rows(visit.staff, query.kind, query.q, after=query.after or 0, limit=_SHOWN)
    return visit.render(
        "providers.html",
        title="服务商家",
        rows=rows,
        kinds=await provider_desk.provider_kinds(visit.staff),
        query=query,
        following=rows[-1].id if len(rows) == _SHOWN else 0,
        may_write=writes(visit),
    )


#: The table's columns as fields of a form: what each takes is checked by the table.
_FIELDS: dict[str, Any] = {
    one.name: (Annotated[str, Field(max_length=300, title=one.head)], "否" if one.name == "active" else ...)
    for one in WRITTEN
}


class Marked(Form):
    """A provider's texts, and the mark of what the writer had before them."""

    seen: Annotated[str, Field(max_length=16, title="版本")]


class Coded(Form):
    """A new one's texts, with a code, which stays."""

    code: Annotated[str, Field(min_length=1, max_length=20, title="编码")]


ProviderForm = create_model("ProviderForm", __base__=Marked, **_FIELDS)
NewProviderForm = create_model("NewProviderForm", __base__=Coded, **_FIELDS)


async def _choices(visit: Visit) -> dict[str, Any]:
    """What the fields of a form offer."""
    return {
        "columns": WRITTEN,
        "long": (),
        "areas": await areas_near(visit.staff),
        "everywhere": EVERYWHERE,
        "kinds": await provider_desk.provider_kinds(visit.staff),
    }


@pages.get(f"{_ALL}/new", who=writes)
async def ask(visit: Visit) -> web.StreamResponse:
    """An empty form."""
    offered = await _choices(visit)
    cells = dict.fromkeys((one.name for one in WRITTEN), "") | {"active": "是"}
    cells["area"] = offered["areas"][0].code if offered["areas"] else EVERYWHERE
    return visit.render("directory_new.html", title="新的商家", at=_ALL, whole="服务商家", cells=cells, **offered)


@pages.post(f"{_ALL}/new", who=writes)
async def add(visit: Visit) -> web.StreamResponse:
    """Residents find them at once."""
    given = await visit.form(NewProviderForm)
    cells = given.model_dump(exclude={"code"})
    made = await provider_desk.add_provider(visit.staff, given.code, cells, visit.now, visit.source)
    return visit.go(f"{_ALL}/{made.id}", "写好了，居民现在就能找到。")


def _which(visit: Visit) -> int:
    return int(visit.request.match_info["provider_id"])


@pages.get(_ONE, who=staff)
async def show(visit: Visit) -> web.StreamResponse:
    """One of them, to be read or changed."""
    sheet = await provider_desk.read_provider(visit.staff, _which(visit))
    offered = await _choices(visit)
    return visit.render(
        "provider.html", title=sheet.provider.name, sheet=sheet, cells=sheet.cells, say_actor=say_actor, **offered
    )


@pages.post(_ONE, who=staff)
async def change(visit: Visit) -> web.StreamResponse:
    """As they are to be from now on."""
    given = await visit.form(ProviderForm)
    cells = given.model_dump(exclude={"seen"})
    found = await provider_desk.save_provider(visit.staff, _which(visit), given.seen, cells, visit.now, visit.source)
    said = "改好了，居民现在看到的就是这样。" if found.active else "改好了。停用期间居民看不到这一家。"
    return visit.go(f"{_ALL}/{found.id}", said)


@pages.post(f"{_ONE}/check", who=staff)
async def check(visit: Visit) -> web.StreamResponse:
    """Licence and prices were looked at."""
    found = await provider_desk.check_provider(visit.staff, _which(visit), visit.now, visit.source)
    return visit.go(f"{_ALL}/{found.id}", "记下了：今天看过证照和价格。")
