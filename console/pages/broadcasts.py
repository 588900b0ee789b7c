"""群发与推送: the list by state, one broadcast with what became of it, and each step on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from console.audience_form import writers
from console.deeds import Deed, again, mount
from console.frame import Form, Pages, Visit
from domain import audiences, broadcast_control, broadcast_desk, broadcast_reports, broadcasts, deliveries, life_events
from domain.broadcast_calendar import say_calendar
from domain.broadcast_notices import CHANNEL_NAMES
from domain.broadcasts import STATE_NAMES, Broadcast
from domain.opt_outs import topic_name
from domain.people import post_of
from models.enums import BroadcastState, Channel, Role, RunState

pages = Pages()

_SHOWN = 30
_UNREAD = 50
#: Shown at once; further counting of a district's people would keep the reader waiting.
_MOST_COUNTED = 20_000
_WAYS = {
    "service": "客服消息",
    "subscription": "订阅通知",
    "template": "模板消息",
    "miniapp": "小程序通知",
    "mass": "群发",
    "room": "网格群公告",
}
_RUNS = {
    RunState.PLANNED: "就要开始",
    RunState.LISTING: "正在找人",
    RunState.SENDING: "正在发",
    RunState.DONE: "发完了",
    RunState.CANCELLED: "已取消",
}


class Listing(Form):
    """Which of them, and where to go on."""

    state: BroadcastState | None = None
    before: Annotated[int, Field(ge=0, le=2**63 - 1, title="页码")] = 0


class After(Form):
    """Where to go on."""

    after: Annotated[int, Field(ge=0, le=2**63 - 1, title="页码")] = 0


class Version(Form):
    """The version that was read."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1, title="版本")]


class Refusal(Version):
    """And why it may not go out."""

    why: Annotated[str, Field(max_length=200, title="原因")] = ""


class Why(Form):
    """Why it is stopped."""

    why: Annotated[str, Field(max_length=200, title="原因")] = ""


class Told(Form):
    """Who was told in person."""

    delivery: Annotated[int, Field(ge=1, le=2**63 - 1, title="名单")]


@pages.get("/broadcasts", who=writers)
async def index(visit: Visit) -> web.StreamResponse:
    """What was written for one's area, and what one has to tell people in person."""
    asked = visit.query(Listing)
    found = await broadcasts.list_broadcasts(
        visit.staff, state=asked.state or "", before=asked.before, limit=_SHOWN + 1
    )
    worker = visit.post.role is Role.GRID_WORKER
    return visit.render(
        "broadcasts.html",
        title="群发",
        broadcasts=found[:_SHOWN],
        following=found[_SHOWN - 1].id if len(found) > _SHOWN else 0,
        state=asked.state,
        states=STATE_NAMES,
        when=_when(visit.now),
        concerning=await broadcast_reports.concerning(visit.staff) if worker else [],
    )


def _when(now: datetime) -> Callable[[Broadcast], str]:
    return lambda one: say_calendar(one.calendar, now, urgent=one.urgent)


@pages.get("/broadcasts/events", who=writers)
async def events(visit: Visit) -> web.StreamResponse:
    """人生大事提醒: each rule with how it stands."""
    return visit.render(
        "broadcast_events.html",
        title="人生大事提醒",
        events=await broadcast_desk.life_events(visit.staff),
        states=STATE_NAMES,
        steps=lambda one: broadcast_desk.steps(visit.post, one),
    )


@pages.post("/broadcasts/events", who=writers)
async def add_events(visit: Visit) -> web.StreamResponse:
    """The rules that come with Linli, as drafts."""
    added = await life_events.add_shipped_events(visit.staff, visit.now)
    said = f"写好了 {added} 条草稿，核对后一条一条提交审批。" if added else "已经有提醒了，没有再添。"
    return visit.go("/broadcasts/events", said)


@pages.get(r"/broadcasts/{broadcast:\d+}", who=writers)
async def show(visit: Visit) -> web.StreamResponse:
    """One broadcast: what is told, to whom, when, how it stands, what may be done."""
    found = await broadcasts.find(visit.staff, _ident(visit))
    audience = await audiences.check_audience(found.audience, found.area_id, event=found.event, in_use=False)
    author, approver = await post_of(found.author_id), await post_of(found.approver_id)
    begun = found.state not in (BroadcastState.DRAFT, BroadcastState.WAITING, BroadcastState.REFUSED)
    return visit.render(
        "broadcast.html",
        title=found.title,
        one=found,
        state=STATE_NAMES[found.state],
        words=await broadcast_reports.whom(found, audience),
        channels=[CHANNEL_NAMES[Channel(name)] for name in found.channels],
        topic=topic_name(found.topic),
        when=say_calendar(found.calendar, visit.now, urgent=found.urgent),
        author=author.label if author else "—",
        approver=approver.label if approver else "",
        steps=broadcast_desk.steps(visit.post, found),
        begun=begun,
        **(await _progress(visit, found) if begun else {}),
    )


async def _progress(visit: Visit, found: Broadcast) -> dict[str, Any]:
    report = await broadcast_reports.report(visit.staff, found.id, visit.now)
    known = [(said, report.count(outcome)) for outcome, said in broadcast_reports.OUTCOMES.items()]
    return {
        "report": report,
        "outcomes": broadcast_reports.OUTCOMES,
        "known": [(said, count) for said, count in known if count],
        "ways": _WAYS,
        "run_states": _RUNS,
    }


@pages.get(r"/broadcasts/{broadcast:\d+}/progress", who=writers, quiet=True)
async def progress(visit: Visit) -> web.StreamResponse:
    """The counts again, while it is being sent."""
    found = await broadcasts.find(visit.staff, _ident(visit))
    return visit.render("broadcast_progress.html", one=found, **await _progress(visit, found))


@pages.get(r"/broadcasts/{broadcast:\d+}/reach", who=writers)
async def reach(visit: Visit) -> web.StreamResponse:
    """Whom it would reach now and by which ways: counted when somebody asks."""
    found = await broadcast_reports.preview(visit.staff, _ident(visit), visit.now, _MOST_COUNTED)
    if visit.by_htmx:
        return visit.render("broadcast_reach.html", reach=found)
    return visit.render("broadcast_reach_page.html", title="会发给谁", reach=found, ident=_ident(visit))


@pages.get(r"/broadcasts/{broadcast:\d+}/unread", who=writers)
async def unread(visit: Visit) -> web.StreamResponse:
    """Who of one's area has not read it, or has no WeChat."""
    after = visit.query(After).after
    found = await broadcast_reports.unread(visit.staff, _ident(visit), visit.now, after=after, limit=_UNREAD + 1)
    return visit.render(
        "broadcast_unread.html",
        title="还没看到的人",
        ident=_ident(visit),
        people=found[:_UNREAD],
        following=found[_UNREAD - 1].id if len(found) > _UNREAD else 0,
        outcomes=broadcast_reports.OUTCOMES,
    )


@pages.post(r"/broadcasts/{broadcast:\d+}/told", who=writers)
async def told(visit: Visit) -> web.StreamResponse:
    """Somebody was told at the door or by telephone."""
    given = await visit.form(Told)
    await deliveries.tell(visit.staff, given.delivery, visit.now, visit.source)
    return visit.go(f"/broadcasts/{_ident(visit)}/unread", "记下了：已经当面告知。")


@pages.post(r"/broadcasts/{broadcast:\d+}/approve", who=writers)
async def approve(visit: Visit) -> web.StreamResponse:
    """Let the version that was read go out."""
    given = await visit.form(Version)
    found = await broadcasts.approve(visit.staff, _ident(visit), given.version, visit.now, visit.source)
    when = say_calendar(found.calendar, visit.now, approved=True, urgent=found.urgent)
    return visit.go(f"/broadcasts/{found.id}", f"批准了，{when}。")


def _ident(visit: Visit) -> int:
    return int(visit.request.match_info["broadcast"][:18])


def _handed_in(found: Broadcast) -> str:
    return f"交上去了，要发给 {found.expected} 人。同事批准后自动发出。"


mount(
    pages,
    r"/broadcasts/{broadcast:\d+}",
    (
        Deed("hand-in", broadcast_reports.submit, _handed_in),
        Deed("refuse", broadcasts.refuse, "退回了，作者会看到原因。", Refusal, "version why"),
        Deed("pause", broadcast_control.pause, "暂停了，还没发出的先不发。", Why, "why"),
        Deed("resume", broadcast_control.resume, "接着发。暂停期间错过的时间不补发。"),
        Deed("cancel", broadcast_control.cancel, "取消了。已经收到的人那里还在。", Why, "why"),
    ),
    which=_ident,
    back=again("/broadcasts", _ident),
    who=writers,
)
