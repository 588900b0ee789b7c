"""Residents who talk in their grid's room over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tests.api.caller import Caller

MoveIn = Callable[..., Awaitable[Caller]]


async def room_of(caller: Caller) -> int:
    """The first room of somebody's list."""
    return int((await caller.get("/rooms")).json["items"][0]["id"])


async def say(caller: Caller, room: int, text: str, **more: object) -> dict[str, object]:
    """Say something there."""
    reply = await caller.post(f"/rooms/{room}/messages", {"client_id": text[:60] or "wordless", "text": text} | more)
    assert reply.status == 201, reply.raw
    return dict(reply.json)
