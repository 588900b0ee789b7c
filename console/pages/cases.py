"""One case in full: what it is, what was done, what may be done now; its photos; who reported it, with a reason."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from console import case_words
from console.case_steps import steps_for
from console.frame import Form, Pages, Visit
from console.schematic import Backdrop, draw
from console.ways import way_back
from domain import shortlist
from domain.case_choices import choices
from domain.case_sheets import Sheet, count_events, read_sheet
from domain.desk_choices import kinds_to_choose
from domain.files import access_file
from domain.lookup import find_case
from domain.notices import serial
from domain.requests import NAMES, RequestKind
from domain.reveals import reveal
from errors import NotFound

pages = Pages()

CASE = "/cases/{case_id:[1-9][0-9]{0,17}}"

_SHOWN = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})


class Search(Form):
    """A number as people say it."""

    number: Annotated[str, Field(max_length=40, title="编号")] = ""


class Seen(Form):
    """How many lines the timeline had when the page was made."""

    seen: Annotated[int, Field(ge=0, le=10**6)] = 0


class Why(Form):
    """What somebody must know it for."""

    reason: Annotated[str, Field(max_length=200, title="原因")] = ""


def case_of(visit: Visit) -> int:
    """The case in the address."""
    return int(visit.request.match_info["case_id"])


@pages.get("/cases/find")
async def find(visit: Visit) -> web.StreamResponse:
    """Straight to the case with this number."""
    asked = visit.query(Search)
    try:
        case = await find_case(visit.staff, asked.number)
    except NotFound as error:
        raise NotFound(error.detail, say=f"没有找到编号“{asked.number}”的事。写后四位就行，比如 0037。") from None
    return visit.go(f"/cases/{case.id}")


@pages.get(CASE)
async def show(visit: Visit) -> web.StreamResponse:
    """Everything, with the forms of what may be done now."""
    sheet = await read_sheet(visit.staff, case_of(visit), visit.now)
    case, asked = sheet.case, sheet.reading.request
    offered = await choices(visit.staff, case, visit.now)
    return visit.render(
        "case.html",
        title=f"{serial(case.number)} {case.subject}",
        back=way_back(visit, case.id),
        sheet=sheet,
        case=case,
        words=case_words,
        steps=steps_for(sheet),
        decision=NAMES[RequestKind(asked)] if asked else "",
        offers={
            "grids": offered.grids,
            "likely": offered.likely,
            "colleagues": offered.colleagues,
            "notes": offered.notes,
            "results": offered.results,
        },
        kinds=kinds_to_choose() if "recategorise" in sheet.reading.may else (),
        drawing=_drawing(visit, sheet),
    )


def _drawing(visit: Visit, sheet: Sheet) -> object:
    backdrop = Backdrop(visit.office.map_tiles, visit.office.map_datum)
    case = sheet.case
    point = (case.longitude, case.latitude) if case.longitude is not None and case.latitude is not None else None
    return draw([(grid.name, grid.rings, grid.own) for grid in sheet.grids], point, backdrop)


@pages.get(f"{CASE}/pulse", quiet=True)
async def pulse(visit: Visit) -> web.StreamResponse:
    """Nothing while nothing happened; else a line that says so. Asked for by the page itself."""
    case_id, asked = case_of(visit), visit.query(Seen)
    if await count_events(visit.staff, case_id) == asked.seen:
        return visit.finish(web.Response(status=204))
    return visit.render("case_pulse.html", case_id=case_id)


@pages.post(f"{CASE}/reporter")
async def show_reporter(visit: Visit) -> web.StreamResponse:
    """Name and telephone of who reported it, for some minutes."""
    case_id, given = case_of(visit), await visit.form(Why)
    await reveal(visit.staff, case_id, given.reason, visit.now, visit.source)
    return visit.go(f"/cases/{case_id}", "联系方式显示 10 分钟，这次查看已记录。")


@pages.post(f"{CASE}/listed")
async def put_on_list(visit: Visit) -> web.StreamResponse:
    """On the list of today's round."""
    case_id = case_of(visit)
    await shortlist.put_on(visit.staff, case_id, visit.now)
    return visit.go(f"/cases/{case_id}", "已加到巡查清单。")


@pages.post(f"{CASE}/unlisted")
async def take_off_list(visit: Visit) -> web.StreamResponse:
    """Off it again."""
    case_id = case_of(visit)
    await shortlist.take_off(visit.staff, case_id)
    return visit.go(f"/cases/{case_id}", "已从巡查清单去掉。")


@pages.get("/files/{name:[amp][1-9][0-9]{0,17}|u[0-9a-f]{32}}", quiet=True)
async def file(visit: Visit) -> web.StreamResponse:
    """The bytes of a photo or recording, for who may see it now: asked anew each time."""
    name = visit.request.match_info["name"]
    stored = await access_file(visit.staff, name)
    location = visit.office.media / stored.path
    if not location.is_file():
        raise NotFound(f"file {name[:40]}", say="这个文件还没取到，请过一会儿再看。")
    way = "inline" if stored.content_type in _SHOWN or stored.content_type.startswith("audio/") else "attachment"
    headers = {
        "Content-Type": stored.content_type,
        "Content-Disposition": f'{way}; filename="{name}{location.suffix}"',
        "Cache-Control": "private, no-cache",
    }
    return web.FileResponse(location, headers=headers)
