"""A small subject of the API's own kind, for what the frame does with every route: a guest book."""

from __future__ import annotations

import asyncio
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from domain.journal import audit
from miniapp_api.kernel import Body, Call, Id, Page, Routes, Upload
from miniapp_api.pages import seal, unseal
from models.audit import AuditEvent

routes = Routes("trial")


class Mood(StrEnum):
    GLAD = "glad"
    SAD = "sad"


class Inner(Body):
    name: Annotated[str, Field(max_length=10)] = ""


class Note(Body):
    text: Annotated[str, Field(min_length=1, max_length=50)]
    mood: Mood = Mood.GLAD
    stars: Annotated[int, Field(ge=0, le=5)] = 0
    weight: float = 0
    when: datetime | None = None
    inner: Inner | None = None
    names: Annotated[tuple[str, ...], Field(max_length=3)] = ()


class Written(Body):
    count: int
    text: str


class NotePath(Body):
    note_id: Id


class Listed(Body):
    items: list[int]
    next: str


class Sent(Body):
    size: int
    name: str
    words: str


#: What a slow note waits for, and what tells that it has begun.
gate, begun = asyncio.Event(), asyncio.Event()


async def _write(call: Call, text: str) -> Written:
    await audit(call.person.actor, "trial:write", None, call.now, source=call.source)
    return Written(count=await AuditEvent.filter(tag="trial:write").count(), text=text)


@routes.post("/notes", rule="me:read", status=201)
async def write(call: Call, body: Note) -> Written:
    """Write something."""
    return await _write(call, body.text)


@routes.post("/slow", rule="me:read")
async def slow(call: Call, body: Note) -> Written:
    """Write something and wait before it is done."""
    written = await _write(call, body.text)
    begun.set()
    await gate.wait()
    return written


@routes.post("/apart", rule="me:read", network=True)
async def apart(call: Call, body: Note) -> Written:
    """Write something after somebody else was asked."""
    begun.set()
    await gate.wait()
    if body.mood is Mood.SAD:
        raise RuntimeError(body.text)
    return await _write(call, body.text)


@routes.post("/reports", rule="me:read", limits=("report",))
async def report(call: Call, body: Note) -> None:
    """Something that is limited by the hour."""
    await _write(call, body.text)


@routes.post("/login", rule="document:read", limits=("login_address",), keyed=False)
async def login(call: Call, body: Inner) -> Written:
    """Somebody signs in."""
    await call.limit("login", body.name)
    return Written(count=0, text="")


@routes.get("/numbers", rule="me:read")
async def numbers(call: Call, query: Page) -> Listed:
    """1 to 5."""
    after = (unseal(call, "numbers", query.cursor) or [0])[0]
    items = [number for number in range(1, 6) if number > after][: query.limit]
    more = bool(items) and items[-1] < 5
    return Listed(items=items, next=seal(call, "numbers", [items[-1]]) if more else "")


@routes.get("/notes/{note_id}", rule="me:read")
async def read(call: Call, path: NotePath) -> Written:
    """One note."""
    return Written(count=path.note_id, text=call.address)


@routes.post("/files", rule="me:read", most_bytes=1024 * 1024)
async def send(_call: Call, upload: Upload) -> Sent:
    """Send a file."""
    size = 0
    async for piece in upload.pieces:
        size += len(piece)
    return Sent(size=size, name=upload.name, words=upload.fields.get("words", ""))
