"""The organisation: areas, departments, people, leave; whole tables in and out as files."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from aiohttp.web import FileField
from pydantic import Field

from console.frame import AdminKind, Form, Pages, Visit, administrator
from console.sheets import EXCEL
from console.values import MaybeDay, today
from domain import console_tables
from domain.organisation_tables import LEVEL_NAMES, TABLES
from domain.organisation_views import area_view
from errors import BadRequest

pages = Pages()

_SYSTEM = administrator(AdminKind.SYSTEM)


class Place(Form):
    """Which area; the highest without."""

    area: Annotated[int, Field(ge=1, le=2**31 - 1, title="区域")] | None = None


class Wanted(Form):
    """Which tables; all without."""

    table: Annotated[tuple[str, ...], Field(max_length=len(TABLES), title="表")] = ()


class Brought(Form):
    """What is to become of the file."""

    step: Annotated[str, Field(pattern="^(try|write)$", title="做什么")] = "try"
    effective_on: MaybeDay = None


@pages.get("/organisation", who=_SYSTEM)
async def show(visit: Visit) -> web.StreamResponse:
    """One area with what is right below it."""
    view = await area_view(visit.query(Place).area, visit.now)
    return visit.render("organisation.html", title="组织", view=view, levels=LEVEL_NAMES)


@pages.get("/organisation/tables", who=_SYSTEM)
async def tables(visit: Visit) -> web.StreamResponse:
    """Files in and out."""
    return visit.render("organisation_tables.html", title="导入导出", tables=TABLES)


@pages.post("/organisation/tables", who=_SYSTEM, files=True)
async def take_in(visit: Visit) -> web.StreamResponse:
    """What would become of a file, or what became of it."""
    given = await visit.form(Brought)
    sent = (await visit.request.post()).get("file")
    if not isinstance(sent, FileField) or not sent.filename:
        raise BadRequest("no file", say="请先选一个 .xlsx 或 .csv 文件。")
    sheets = await visit.office.back.read_tables(sent.filename, sent.file.read())
    dry = given.step == "try"
    report = await console_tables.take_in(
        visit.post, sheets, visit.now, effective_on=given.effective_on, dry_run=dry, source=visit.source
    )
    part = "organisation_report.html" if visit.by_htmx else "organisation_reported.html"
    return visit.render(part, title="导入结果", report=report, dry=dry)


@pages.get("/organisation/tables.xlsx", who=_SYSTEM)
async def hand_out(visit: Visit) -> web.StreamResponse:
    """Tables as a workbook."""
    day = today(visit.now)
    exports = await console_tables.hand_out(visit.post, visit.query(Wanted).table, day, visit.now, visit.source)
    name = exports[0].table.name if len(exports) == 1 else "tables"
    return _file(visit, await visit.office.back.write_tables(exports), f"linli-{name}-{day:%Y%m%d}.xlsx")


@pages.get("/organisation/blank.xlsx", who=_SYSTEM)
async def blank(visit: Visit) -> web.StreamResponse:
    """A workbook to fill in."""
    return _file(visit, await visit.office.back.blank_tables(), "linli-blank.xlsx")


def _file(visit: Visit, body: bytes, name: str) -> web.Response:
    answer = web.Response(body=body, content_type=EXCEL)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return visit.finish(answer)
