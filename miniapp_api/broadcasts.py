"""群发 over the API: written, looked at, approved, stopped, counted; and what residents were told, for themselves."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from domain import broadcast_control, broadcast_reports, broadcasts, deliveries
from miniapp_api.broadcast_shapes import (
    Approval,
    BroadcastInfo,
    DraftBody,
    PreviewInfo,
    ReceivedInfo,
    Refusal,
    ReportInfo,
    Stop,
    ToldInfo,
    UnreadInfo,
    info_of,
    preview_of,
    received_of,
    report_of,
    told_of,
    unread_of,
)
from miniapp_api.kernel import Body, Call, Id, Page, Routes
from miniapp_api.pages import seal, unseal
from models.enums import BroadcastState

routes = Routes("broadcasts")


class BroadcastPath(Body):
    """Which broadcast."""

    broadcast_id: Id


class DeliveryPath(Body):
    """Which delivery."""

    delivery_id: Id


class BroadcastList(Page):
    """Those in one state; in all where none is named."""

    state: BroadcastState | None = None


class ReportQuery(Body):
    """Of which run; of all where none is named."""

    run: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0


class Broadcasts(Body):
    """The newest first."""

    items: list[BroadcastInfo]
    next: str


class DeliveryQuery(Page):
    """Those with one outcome; all where none is named."""

    outcome: Literal["", "waiting", "sending", "sent", "undelivered", "by_hand", "told", "skipped"] = ""


class DeliveryList(Body):
    """In the order in which they were written down."""

    items: list[ToldInfo]
    next: str


class UnreadList(Body):
    """Who has not read it."""

    items: list[UnreadInfo]
    next: str


class ReceivedList(Body):
    """The newest first."""

    items: list[ReceivedInfo]
    next: str


@routes.post("/broadcasts", rule="broadcast:make", status=201)
async def write(call: Call, body: DraftBody) -> BroadcastInfo:
    """Write a draft. Nothing is sent before somebody else has approved it."""
    return info_of(await broadcasts.create(call.person, body.as_draft(), call.now, call.source), body.item_code)


@routes.get("/broadcasts", rule="broadcast:list")
async def list_broadcasts(call: Call, query: BroadcastList) -> Broadcasts:
    """What was written for the caller's area and below."""
    name = f"broadcasts {query.state or ''}"
    place = unseal(call, name, query.cursor)
    found = await broadcasts.list_broadcasts(
        call.person, state=query.state or "", before=place[0] if place else 0, limit=query.limit
    )
    following = seal(call, name, [found[-1].id]) if len(found) == query.limit else ""
    return Broadcasts(items=[info_of(one, one.item.code if one.item else "") for one in found], next=following)


@routes.get("/broadcasts/{broadcast_id}", rule="broadcast:read")
async def show(call: Call, path: BroadcastPath) -> BroadcastInfo:
    """One broadcast."""
    found = await broadcasts.find(call.person, path.broadcast_id)
    return info_of(found, found.item.code if found.item else "")


@routes.put("/broadcasts/{broadcast_id}", rule="broadcast:change")
async def change(call: Call, path: BroadcastPath, body: DraftBody) -> BroadcastInfo:
    """Write it anew, by its author: a new version, which has to be approved again."""
    found = await broadcasts.change(call.person, path.broadcast_id, body.as_draft(), call.now, call.source)
    return info_of(found, body.item_code)


@routes.get("/broadcasts/{broadcast_id}/preview", rule="broadcast:read")
async def preview(call: Call, path: BroadcastPath) -> PreviewInfo:
    """Whom it would reach now, by which ways."""
    return preview_of(await broadcast_reports.preview(call.person, path.broadcast_id, call.now))


@routes.post("/broadcasts/{broadcast_id}/hand-in", rule="broadcast:change")
async def hand_in(call: Call, path: BroadcastPath) -> BroadcastInfo:
    """Ask somebody else of the same or a higher area to look at it."""
    return info_of(await broadcast_reports.submit(call.person, path.broadcast_id, call.now, call.source))


@routes.post("/broadcasts/{broadcast_id}/approval", rule="broadcast:decide")
async def approve(call: Call, path: BroadcastPath, body: Approval) -> BroadcastInfo:
    """Let the version that was read go out."""
    return info_of(await broadcasts.approve(call.person, path.broadcast_id, body.version, call.now, call.source))


@routes.post("/broadcasts/{broadcast_id}/refusal", rule="broadcast:decide")
async def refuse(call: Call, path: BroadcastPath, body: Refusal) -> BroadcastInfo:
    """Do not let it go out; its author reads why."""
    return info_of(
        await broadcasts.refuse(call.person, path.broadcast_id, body.version, body.why, call.now, call.source)
    )


@routes.post("/broadcasts/{broadcast_id}/pause", rule="broadcast:control")
async def pause(call: Call, path: BroadcastPath, body: Stop) -> BroadcastInfo:
    """Send no more for the moment."""
    return info_of(await broadcast_control.pause(call.person, path.broadcast_id, body.why, call.now, call.source))


@routes.post("/broadcasts/{broadcast_id}/resumption", rule="broadcast:resume")
async def resume(call: Call, path: BroadcastPath) -> BroadcastInfo:
    """Go on where it was stopped."""
    return info_of(await broadcast_control.resume(call.person, path.broadcast_id, call.now, call.source))


@routes.post("/broadcasts/{broadcast_id}/cancellation", rule="broadcast:control")
async def cancel(call: Call, path: BroadcastPath, body: Stop) -> BroadcastInfo:
    """Give it up; who has it keeps it."""
    return info_of(await broadcast_control.cancel(call.person, path.broadcast_id, body.why, call.now, call.source))


@routes.get("/broadcasts/{broadcast_id}/report", rule="broadcast:read")
async def report(call: Call, path: BroadcastPath, query: ReportQuery) -> ReportInfo:
    """What became of it: how many have it by which way, who not and why, how many have read it."""
    return report_of(await broadcast_reports.report(call.person, path.broadcast_id, call.now, query.run))


@routes.get("/broadcasts/{broadcast_id}/deliveries", rule="broadcast:read")
async def list_deliveries(call: Call, path: BroadcastPath, query: DeliveryQuery) -> DeliveryList:
    """How it stands with each person."""
    name = f"deliveries {path.broadcast_id} {query.outcome}"
    place = unseal(call, name, query.cursor)
    found = await broadcast_reports.each(
        call.person, path.broadcast_id, outcome=query.outcome, after=place[0] if place else 0, limit=query.limit
    )
    following = seal(call, name, [found[-1].id]) if len(found) == query.limit else ""
    return DeliveryList(items=[told_of(one) for one in found], next=following)


@routes.get("/broadcasts/{broadcast_id}/unread", rule="broadcast:unread")
async def unread(call: Call, path: BroadcastPath, query: Page) -> UnreadList:
    """Who of the caller's area has not read it, or has no WeChat."""
    name = f"unread {path.broadcast_id}"
    place = unseal(call, name, query.cursor)
    found = await broadcast_reports.unread(
        call.person, path.broadcast_id, call.now, after=place[0] if place else 0, limit=query.limit
    )
    following = seal(call, name, [found[-1].id]) if len(found) == query.limit else ""
    return UnreadList(items=[unread_of(one) for one in found], next=following)


@routes.post("/deliveries/{delivery_id}/told", rule="delivery:tell")
async def told(call: Call, path: DeliveryPath) -> None:
    """Note that the caller told them in person."""
    await deliveries.tell(call.person, path.delivery_id, call.now, call.source)


@routes.get("/deliveries", rule="delivery:list")
async def list_received(call: Call, query: Page) -> ReceivedList:
    """What the caller was told."""
    place = unseal(call, "deliveries", query.cursor)
    found = await deliveries.received(call.person, before=place[0] if place else 0, limit=query.limit)
    following = seal(call, "deliveries", [found[-1].id]) if len(found) == query.limit else ""
    return ReceivedList(items=[received_of(one) for one in found], next=following)


@routes.post("/deliveries/{delivery_id}/read", rule="delivery:read")
async def read(call: Call, path: DeliveryPath) -> ReceivedInfo:
    """Open one: from now on it counts as read."""
    return received_of(await deliveries.read(call.person, path.delivery_id, call.now))
