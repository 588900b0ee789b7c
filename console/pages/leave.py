"""One's own leave: from when to when, who does the work meanwhile, and being back."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from aiohttp import web
from pydantic import Field

from console.frame import Form, Pages, Visit
from console.values import today
from domain.absences import end_leave, take_leave
from domain.leave_views import covered_by, own_leave

pages = Pages()


class Wanted(Form):
    """Leave from the first to the last day."""

    first: Annotated[date, Field(title="第一天")]
    last: Annotated[date, Field(title="最后一天")]
    deputy: Annotated[str, Field(max_length=32, title="代办人")] = ""


@pages.get("/account/leave")
async def show(visit: Visit) -> web.StreamResponse:
    """What is written down, and the form."""
    leave = await own_leave(visit.post, visit.now)
    covered = await covered_by(visit.post, visit.now)
    return visit.render("leave.html", title="我的请假", leave=leave, covered=covered, today=today(visit.now))


@pages.post("/account/leave")
async def take(visit: Visit) -> web.StreamResponse:
    """Deputy and superiors are told."""
    given = await visit.form(Wanted)
    taken = await take_leave(visit.staff, (given.first, given.last), given.deputy, visit.now, visit.source)
    who = f"由{taken.deputy.label}代" if taken.deputy else "新任务会派给别人"
    held = f"手上还有 {taken.in_hand} 件，请交代一下。" if taken.in_hand else ""
    return visit.go("/account/leave", f"记好了：{taken.days(visit.now)}，{who}。{held}")


@pages.post("/account/leave/end")
async def end(visit: Visit) -> web.StreamResponse:
    """Back at work."""
    await end_leave(visit.staff, visit.now, visit.source)
    return visit.go("/account/leave", "已销假，新任务会派给您。")
