"""One row of the organisation's tables as a form: a person, an area, a line of the duty list, a ready sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field, ValidationError

from console.frame import AdminKind, Form, Pages, Visit, administrator
from console.values import today
from domain import console_tables
from domain.organisation_views import area_code
from domain.tables import Column, Table, mark_of
from errors import BadRequest

pages = Pages()

_SYSTEM = administrator(AdminKind.SYSTEM)
#: Where one comes from, and goes back to, besides the organisation.
_BACK = {"duties": "/rules", "special_days": "/rules/calendar", "reply_templates": "/rules/templates"}
#: Characters beyond which a field is a box.
_LONG = 40
_LINES = ("text", "boundary")


class Asked(Form):
    """Which row: its key; none for a new one, of the area or department that is named."""

    key: Annotated[tuple[str, ...], Field(max_length=3, title="行")] = ()
    area: Annotated[int, Field(ge=1, le=2**31 - 1, title="区域")] | None = None
    department: Annotated[str, Field(max_length=20, title="部门")] = ""


@dataclass(frozen=True, slots=True)
class Input:
    """A column as it is typed."""

    column: Column
    value: str
    options: tuple[str, ...]
    fixed: bool  # the key of a row that is there

    @property
    def lines(self) -> bool:
        """Whether it is a box of several lines."""
        return self.column.name in _LINES or len(self.value) > _LONG

    @property
    def needed(self) -> bool:
        """Whether it must be filled in."""
        return self.column.key or self.column.needed


@pages.get("/organisation/rows/{table}", who=_SYSTEM)
async def show(visit: Visit) -> web.StreamResponse:
    """The form."""
    table, asked = console_tables.table_by_row(visit.request.match_info["table"]), visit.query(Asked)
    row = await _known(visit, table, asked.key) if asked.key else await _fresh(asked)
    inputs = [_input(table, column, row, fixed=bool(asked.key) and column.key) for column in table.columns]
    return visit.render(
        "row.html",
        title=f"{'改' if asked.key else '新'}{table.title}",
        table=table,
        inputs=inputs,
        seen=mark_of(row) if asked.key else "",
        asked=asked,
        back=_back(table, asked.area),
    )


async def _known(visit: Visit, table: Table, key: tuple[str, ...]) -> Mapping[str, str]:
    return await console_tables.row_of(table, key, today(visit.now))


async def _fresh(asked: Asked) -> dict[str, str]:
    if asked.department:
        return {"department": asked.department}
    code = await area_code(asked.area) if asked.area else ""
    return {"area": code, "parent": code}


def _input(table: Table, column: Column, row: Mapping[str, str], *, fixed: bool) -> Input:
    options = tuple(console_tables.options(table, column))
    return Input(column, row.get(column.name, ""), options, fixed)


def _back(table: Table, area: int | None) -> str:
    return _BACK.get(table.name) or (f"/organisation?{urlencode({'area': area})}" if area else "/organisation")


def _asked(key: object, area: object) -> Asked:
    try:
        return Asked.model_validate({"key": key, "area": area})
    except ValidationError:
        raise BadRequest("key of a row", say="这一页的内容变了，请刷新再填。") from None


@pages.post("/organisation/rows/{table}", who=_SYSTEM)
async def write(visit: Visit) -> web.StreamResponse:
    """Checked and written as a file with one row would be."""
    table = console_tables.table_by_row(visit.request.match_info["table"])
    sent = await visit.request.post()
    asked = _asked(sent.getall("key", []), sent.get("area_id") or None)
    names = {column.name for column in table.columns}
    given = {name: str(value).replace("\r\n", "\n").strip() for name, value in sent.items() if name in names}
    if unknown := set(sent) - names - {"key", "seen", "area_id", "mark"}:
        raise BadRequest(f"form field {min(unknown)}", say="这一页的内容变了，请刷新再填。")
    seen = str(sent.get("seen", ""))
    report = await console_tables.write_row(visit.post, table, asked.key, seen, given, visit.now, visit.source)
    said = "保存好了。" if report.changes else "和原来一样，没有改动。"
    return visit.go(_back(table, asked.area), " ".join([said, *report.notes]))
