"""Complaints, appeals, mutes and reviews in rooms over the API."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from domain import moderation, reviews
from miniapp_api.kernel import Body, Call, Id, Page, Routes
from miniapp_api.pages import seal, unseal
from miniapp_api.room_shapes import Handle, Message, as_message
from models.enums import ReviewKind, ReviewOutcome

routes = Routes("moderation")

_LONGEST_MINUTES = int(moderation.LONGEST_MUTE.total_seconds() // 60)


class MessagePath(Body):
    """Which message."""

    message_id: Id


class RoomPath(Body):
    """Which room."""

    room_id: Id


class MutePath(Body):
    """Who in which room."""

    room_id: Id
    handle: Handle


class ReviewPath(Body):
    """Which review."""

    review_id: Id


class Why(Body):
    """Why, in a sentence."""

    reason: Annotated[str, Field(min_length=1, max_length=200)]


class Opened(Body):
    """Somebody will look. `hidden`: the message is not shown meanwhile."""

    review_id: int
    hidden: bool


class NewMute(Body):
    """Who is to be silent, for how long and why; they are told."""

    handle: Handle
    minutes: Annotated[int, Field(ge=1, le=_LONGEST_MINUTES)]
    why: Annotated[str, Field(min_length=1, max_length=200)]


class Mute(Body):
    """Somebody who may not speak in a room until then."""

    handle: str
    name: str
    until: datetime
    why: str


class Mutes(Body):
    """All of a room, the first to end first."""

    items: list[Mute]


class Reviews(Page):
    """What waits for a decision, or what was decided."""

    state: Literal["open", "decided"] = "open"


class Review(Body):
    """Something staff look at. `message` is null for an appeal against being muted; `by` is how the room calls who
    asked (系统 for our own lists and WeChat's check)."""

    id: int
    kind: ReviewKind
    room: int
    room_name: str
    message: Message | None
    by: str
    reason: str
    opened_at: datetime
    outcome: ReviewOutcome
    decider: str
    decided_at: datetime | None
    answer: str


class ReviewList(Body):
    """Reviews, the newest first."""

    items: list[Review]
    next: str


class Decision(Body):
    """Show the message, or end the mute (`keep` true), or not: then `answer` says why, and whom it hit reads it."""

    keep: bool
    answer: Annotated[str, Field(max_length=200)] = ""


@routes.post("/messages/{message_id}/complain", rule="message:complain", status=201, errors=(409, 429))
async def complain(call: Call, path: MessagePath, body: Why) -> Opened:
    """Complain about a message. A neighbour's is hidden at once, until somebody on duty has looked."""
    opened = await moderation.complain(call.person, path.message_id, body.reason, call.now, call.source)
    return Opened(review_id=opened.review_id, hidden=opened.hidden)


@routes.post("/messages/{message_id}/appeal", rule="message:appeal", status=201, errors=(409,))
async def appeal(call: Call, path: MessagePath, body: Why) -> Opened:
    """Object to your message being hidden or refused. Somebody else than who did that decides."""
    opened = await moderation.appeal(call.person, path.message_id, body.reason, call.now, call.source)
    return Opened(review_id=opened.review_id, hidden=opened.hidden)


@routes.post("/rooms/{room_id}/appeal", rule="room:appeal", status=201, errors=(409,))
async def appeal_mute(call: Call, path: RoomPath, body: Why) -> Opened:
    """Object to being muted in a room."""
    opened = await moderation.appeal_mute(call.person, path.room_id, body.reason, call.now, call.source)
    return Opened(review_id=opened.review_id, hidden=opened.hidden)


@routes.get("/rooms/{room_id}/mutes", rule="room:mute")
async def list_mutes(call: Call, path: RoomPath) -> Mutes:
    """Who may not speak in a room now."""
    found = await moderation.list_mutes(call.person, path.room_id, call.now)
    return Mutes(items=[_mute(one) for one in found])


@routes.post("/rooms/{room_id}/mutes", rule="room:mute", status=201)
async def mute(call: Call, path: RoomPath, body: NewMute) -> Mute:
    """Let a resident be silent in a room for a while. In private they still reach you."""
    span = timedelta(minutes=body.minutes)
    return _mute(await moderation.mute(call.person, path.room_id, body.handle, span, body.why, call.now, call.source))


@routes.delete("/rooms/{room_id}/mutes/{handle}", rule="room:unmute")
async def unmute(call: Call, path: MutePath) -> None:
    """Let somebody speak again before the time."""
    await moderation.unmute(call.person, path.room_id, path.handle, call.now, call.source)


@routes.get("/reviews", rule="review:list")
async def list_reviews(call: Call, query: Reviews) -> ReviewList:
    """What waits for you in the rooms of your area, or what was decided there."""
    name = f"reviews {query.state}"
    [before] = unseal(call, name, query.cursor) or [None]
    found = await reviews.list_reviews(call.person, waiting=query.state == "open", before=before, limit=query.limit)
    following = seal(call, name, [found[-1].id]) if len(found) == query.limit else ""
    return ReviewList(items=[_review(line, staff=True) for line in found], next=following)


@routes.post("/reviews/{review_id}/decide", rule="review:decide", errors=(409,))
async def decide(call: Call, path: ReviewPath, body: Decision) -> Review:
    """Decide a review. Not about your own words, nor an appeal against what you did."""
    line = await reviews.decide(call.person, path.review_id, body.keep, body.answer, call.now, call.source)
    return _review(line, staff=True)


@routes.get("/me/reviews", rule="me:read")
async def own_reviews(call: Call, query: Page) -> ReviewList:
    """What you complained of or appealed against, and what was decided."""
    [before] = unseal(call, "my reviews", query.cursor) or [None]
    found = await reviews.own_reviews(call.person, before=before, limit=query.limit)
    following = seal(call, "my reviews", [found[-1].id]) if len(found) == query.limit else ""
    return ReviewList(items=[_review(line, staff=False) for line in found], next=following)


def _mute(one: moderation.Mute) -> Mute:
    return Mute(handle=one.handle, name=one.name, until=one.until, why=one.why)


def _review(line: reviews.ReviewLine, *, staff: bool) -> Review:
    return Review(
        id=line.id,
        kind=line.kind,
        room=line.room_id,
        room_name=line.room_name,
        message=as_message(line.entry, staff=staff, me=line.mine) if line.entry else None,
        by=line.by,
        reason=line.reason,
        opened_at=line.opened_at,
        outcome=line.outcome,
        decider=line.decider,
        decided_at=line.decided_at,
        answer=line.answer,
    )
