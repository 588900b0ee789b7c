"""How a resident who is talked with in private is reached now: what the ladder of the account still has for them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from domain import relay_mode
from domain.reach import Way
from miniapp_api.kernel import Body, Call, Id, Routes

routes = Routes("reach")


class TalkPath(Body):
    """A private room."""

    room_id: Id


class Reach(Body):
    """By what the next words reach the resident outside of the mini-program."""

    way: Annotated[
        Way,
        Field(
            description="service: the words, in their chat; notice: that there is something to read; "
            "miniapp: they have the mini-program alone; none: no WeChat, call them"
        ),
    ]
    left: Annotated[int, Field(ge=0, description="customer-service messages WeChat still takes for them")]
    reason: Annotated[str, Field(description="why there are none")]


@routes.get("/rooms/{room_id}/reach", rule="room:reach")
async def show_reach(call: Call, path: TalkPath) -> Reach:
    """How the resident of a private talk is reached now. What is said soon after one another is one message."""
    found = await relay_mode.reach_in(call.person, path.room_id, call.now)
    return Reach(way=found.way, left=found.left, reason=found.reason)
