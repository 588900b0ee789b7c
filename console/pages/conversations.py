"""居民对话: what nobody has answered yet, in all rooms of one's grids; talks with one resident each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import uuid4

from aiohttp import web
from pydantic import Field

from console.frame import Pages, Visit
from console.pages.rooms import Beyond, Maybe, ways_to_show
from console.values import Ident
from domain.room_desk import RoomPage, Unanswered, desk_rooms, needs_no_answer, unanswered_everywhere
from models.enums import Role, RoomKind

pages = Pages()

_WAITING = 20
_TALKS = 50


class Place(Beyond):
    """Where the list of what waits goes on, and where that of talks does."""

    waiting: Annotated[Ident | None, Maybe, Field(title="编号")] = None


async def _found(visit: Visit) -> tuple[Sequence[Unanswered], RoomPage]:
    place = visit.query(Place)
    waiting = await unanswered_everywhere(visit.staff, visit.now, beyond=place.waiting, limit=_WAITING)
    if visit.post.role not in (Role.GRID_WORKER, Role.COMMUNITY_STAFF):
        return waiting, RoomPage([], None)
    return waiting, await desk_rooms(visit.staff, RoomKind.PRIVATE, visit.now, beyond=place.place, limit=_TALKS)


@pages.get("/conversations")
async def show(visit: Visit) -> web.StreamResponse:
    """What waits for an answer, the oldest first, and private talks, the newest first."""
    waiting, talks = await _found(visit)
    return visit.render(
        "conversations.html",
        title="居民对话",
        waiting=waiting,
        following=waiting[-1].entry.id if len(waiting) == _WAITING else None,
        talks=talks,
        name="",
        talks_here=visit.post.role in (Role.GRID_WORKER, Role.COMMUNITY_STAFF),
        new_id=lambda: uuid4().hex,
        **ways_to_show(visit),
    )


@pages.get("/conversations/news", quiet=True)
async def show_news(visit: Visit) -> web.StreamResponse:
    """How many have come to the list of what waits since the page was made."""
    since = visit.query(Place).waiting
    more = await unanswered_everywhere(visit.staff, visit.now, beyond=since, limit=_WAITING)
    return visit.render("conversation_news.html", count=len(more), since=since)


@pages.get("/conversations/talks", quiet=True)
async def list_talks(visit: Visit) -> web.StreamResponse:
    """Private talks as a part that refreshes itself."""
    _, talks = await _found(visit)
    return visit.render("room_list.html", found=talks, private=True, name="")


@pages.post("/conversations/{message_id:[1-9][0-9]{0,17}}/answered")
async def set_answered(visit: Visit) -> web.StreamResponse:
    """It needs no answer any more."""
    message_id = int(visit.request.match_info["message_id"])
    await needs_no_answer(visit.staff, message_id, visit.now, visit.source)
    return visit.go("/conversations", "好的，这条不再等回复。")
