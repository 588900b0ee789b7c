"""未送达: outgoing jobs that were given up and messages that could not be handled, with the reason and another try."""

from __future__ import annotations

from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from console.frame import AdminKind, Form, Pages, Visit, administrator
from domain import stuck
from models.enums import OutboxKind

pages = Pages()

_SYSTEM = administrator(AdminKind.SYSTEM)
_SHOWN = 50


class Wanted(Form):
    """Which of them, from where on."""

    kind: Annotated[OutboxKind | Literal[""], Field(title="种类")] = ""
    before: Annotated[int, Field(ge=0, le=2**62, title="从哪一条起")] = 0


@pages.get("/stuck", who=_SYSTEM)
async def jobs(visit: Visit) -> web.StreamResponse:
    """What did not go out."""
    wanted = visit.query(Wanted)
    found = await stuck.stuck_jobs(visit.post, kind=wanted.kind or None, before=wanted.before, limit=_SHOWN + 1)
    return visit.render(
        "stuck.html",
        title="未送达",
        jobs=found[:_SHOWN],
        more=found[_SHOWN - 1].id if len(found) > _SHOWN else 0,
        kinds=stuck.KIND_NAMES,
        sure=stuck.SURE_NAMES,
        wanted=wanted,
    )


@pages.get("/stuck/messages", who=_SYSTEM)
async def messages(visit: Visit) -> web.StreamResponse:
    """What could not be handled."""
    wanted = visit.query(Wanted)
    found = await stuck.stuck_messages(visit.post, before=wanted.before, limit=_SHOWN + 1)
    return visit.render(
        "stuck_messages.html",
        title="没处理成的来信",
        messages=found[:_SHOWN],
        more=found[_SHOWN - 1].id if len(found) > _SHOWN else 0,
    )


class Again(Form):
    """Of what may have arrived already: how one knows that it has not."""

    sure: Annotated[stuck.Sure | Literal[""], Field(title="怎么知道没收到")] = ""


@pages.post("/stuck/{job:[0-9]{1,18}}/retry", who=_SYSTEM)
async def retry_job(visit: Visit) -> web.StreamResponse:
    """Sent again at once."""
    job, given = int(visit.request.match_info["job"]), await visit.form(Again)
    await stuck.retry_job(visit.post, job, visit.now, visit.source, sure=given.sure or None)
    return visit.go("/stuck", "正在重发。还送不到的话，会带着新的原因回到这里。")


@pages.post("/stuck/messages/{message:[0-9]{1,18}}/retry", who=_SYSTEM)
async def retry_message(visit: Visit) -> web.StreamResponse:
    """Handled again at once."""
    await stuck.retry_message(visit.post, int(visit.request.match_info["message"]), visit.now, visit.source)
    return visit.go("/stuck/messages", "马上再处理一次，答复会直接发给本人。")
