"""审计: the trail looked through, its chain read again, a file of it. For the audit administrator alone."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from console.audit_words import read_tag, say_actor, say_state, say_tag
from console.frame import AdminKind, Form, Pages, Visit, administrator
from console.sheets import EXCEL, Sheet, workbook
from domain import audit_search
from domain.audit import newest_anchors
from domain.audit_search import Row, Search
from domain.clock import SHANGHAI
from errors import BadRequest

pages = Pages()

_AUDIT = administrator(AdminKind.AUDIT)
_SHOWN = 50
_DAYS = 7
_HEADS = ("编号", "时间", "谁", "姓名", "动作", "标识", "对象", "事项编号", "之前", "之后", "结果", "途径")


class Wanted(Form):
    """What is looked for, as it stands in the address."""

    start: Annotated[date | Literal[""], Field(title="从哪天")] = ""
    end: Annotated[date | Literal[""], Field(title="到哪天")] = ""
    actor: Annotated[str, Field(max_length=40, title="谁")] = ""
    tag: Annotated[str, Field(max_length=40, title="动作")] = ""
    about: Annotated[str, Field(max_length=24, title="对象")] = ""
    allowed: Annotated[Literal["", "yes", "no"], Field(title="结果")] = ""
    before: Annotated[int, Field(ge=0, le=2**62)] = 0


def _search(wanted: Wanted, now: datetime) -> tuple[Search, date, date]:
    """The search, its first and its last day."""
    last = wanted.end or now.astimezone(SHANGHAI).date()
    first = wanted.start or last - timedelta(days=_DAYS - 1)
    if first > last:
        raise BadRequest("period", say="结束日期要在开始日期之后。")
    start = datetime.combine(first, time(), SHANGHAI)
    end = datetime.combine(last, time(), SHANGHAI) + timedelta(days=1)
    allowed = {"yes": True, "no": False}.get(wanted.allowed)
    return Search(start, end, wanted.actor, read_tag(wanted.tag), wanted.about, allowed), first, last


@pages.get("/audit", who=_AUDIT)
async def show(visit: Visit) -> web.StreamResponse:
    """The newest rows that fit."""
    wanted = visit.query(Wanted)
    search, first, last = _search(wanted, visit.now)
    rows = await audit_search.search(visit.post, search, visit.now, before=wanted.before, limit=_SHOWN + 1)
    asked = {name: str(value) for name, value in wanted.model_dump(exclude={"before"}).items() if value}
    return visit.render(
        "audit.html",
        title="审计记录",
        wanted=wanted,
        first=first,
        last=last,
        rows=rows[:_SHOWN],
        say_tag=say_tag,
        say_actor=say_actor,
        say_state=say_state,
        query=urlencode(asked),
        older=urlencode(asked | {"before": rows[_SHOWN - 1].id}) if len(rows) > _SHOWN else "",
        anchors=await newest_anchors(3),
    )


@pages.get("/audit/rows.xlsx", who=_AUDIT)
async def export(visit: Visit) -> web.StreamResponse:
    """What fits, as a workbook."""
    search, first, last = _search(visit.query(Wanted), visit.now)
    rows = await audit_search.export(visit.post, search, visit.now, visit.source)
    body = await workbook(Sheet("审计记录", _HEADS, [_cells(row) for row in rows]))
    headers = {"Content-Disposition": f'attachment; filename="audit-{first}-{last}.xlsx"'}
    return visit.finish(web.Response(body=body, content_type=EXCEL, headers=headers))


def _cells(row: Row) -> tuple[str | int | datetime, ...]:
    about = "" if row.object_id is None else str(row.object_id)
    did = "允许" if row.allowed else "拒绝"
    return (
        row.id,
        row.at,
        row.actor,
        row.name or say_actor(row.actor),
        say_tag(row.tag),
        row.tag,
        about,
        row.number,
        say_state(row.tag, row.before),
        say_state(row.tag, row.after),
        did,
        row.source,
    )


@pages.post("/audit/verify", who=_AUDIT)
async def verify(visit: Visit) -> web.StreamResponse:
    """Every row is read again."""
    found = await audit_search.check_chain(visit.post, visit.now, visit.source)
    return visit.render("audit_verdict.html", title="核对审计记录", verdict=found)
