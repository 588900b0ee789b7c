"""网格群 over the API: the rooms somebody sits in, what is said there, announcements, who is on duty, private talk."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from domain import badges, consents, room_messages, rooms
from domain.people import Person
from domain.room_words import Entry, Words
from errors import BadRequest
from miniapp_api.kernel import Body, Call, Id, Page, Routes
from miniapp_api.pages import seal, unseal
from miniapp_api.room_shapes import (
    Handle,
    Message,
    NewAnnouncement,
    NewMessage,
    Officer,
    RoomInfo,
    Seq,
    as_message,
    as_officer,
    as_room,
    as_words,
)
from models.enums import MessageKind, Purpose, RoomKind

__all__ = ["Message", "NewMessage", "as_message", "routes", "speak"]

routes = Routes("rooms")


class RoomPath(Body):
    """Which room."""

    room_id: Id


class MessagePath(Body):
    """Which message."""

    message_id: Id


class Rooms(Body):
    """Rooms, grids before private talks, each with the newest talk first."""

    items: list[RoomInfo]
    next: str


class History(Page):
    """Where to read: `after` a number (what was missed), `before` one, or neither: the newest. A `cursor` goes on in
    the direction that was begun."""

    after: Seq | None = None
    before: Seq | None = None


class Messages(Body):
    """Entries in the order of their numbers."""

    items: list[Message]
    next: str


class Items(Body):
    """Entries, all of them."""

    items: list[Message]


class ReadTo(Body):
    """The number of the last entry that was read."""

    seq: Seq


class Reason(Body):
    """Why; its sender is told."""

    why: Annotated[str, Field(min_length=1, max_length=200)]


class Officers(Body):
    """Who is on duty in a room, the nearest level first."""

    items: list[Officer]


class PrivateTalk(Body):
    """Nothing for a resident; for staff the room and the handle of the resident they want to talk with."""

    room: Id | None = None
    handle: Handle | None = None


@routes.get("/rooms", rule="room:list")
async def list_rooms(call: Call, query: Page) -> Rooms:
    """Your rooms, with what is new in each."""
    place = unseal(call, "rooms", query.cursor)
    beyond = (place[0], datetime.fromisoformat(place[1]), place[2]) if place else None
    lines = await rooms.my_rooms(call.person, limit=query.limit, beyond=beyond)
    last = lines[-1] if len(lines) == query.limit else None
    following = seal(call, "rooms", [last.kind, last.changed_at.isoformat(), last.id]) if last else ""
    return Rooms(items=[as_room(line) for line in lines], next=following)


@routes.get("/rooms/{room_id}", rule="room:read")
async def show_room(call: Call, path: RoomPath) -> RoomInfo:
    """One of your rooms."""
    return as_room(await rooms.room_line(call.person, path.room_id))


@routes.post("/rooms/private", rule="room:open", errors=(404,))
async def open_private_room(call: Call, body: PrivateTalk) -> RoomInfo:
    """Your private talk with the staff of your grid, or, for them, with one of its residents."""
    resident_id = await _resident(call.person, body)
    room = await rooms.private_room(call.person, call.now, resident_id=resident_id)
    return as_room(await rooms.room_line(call.person, room.id))


async def _resident(person: Person, asked: PrivateTalk) -> int:
    """Who is meant; 0 = the caller themselves."""
    if asked.room is None and asked.handle is None and person.resident_id:
        return 0
    if asked.room is None or asked.handle is None:
        raise BadRequest("room and handle", say="请写明要和哪个群里的谁说话。")
    await rooms.access_room(person, asked.room)
    found = (await rooms.who_of(asked.room, [asked.handle])).get(asked.handle, "")
    if not found.startswith("resident:"):
        raise BadRequest("no resident", say="只能和居民开私聊。")
    return int(found.removeprefix("resident:"))


@routes.get("/rooms/{room_id}/messages", rule="room:read")
async def read_messages(call: Call, path: RoomPath, query: History) -> Messages:
    """What was said: the newest, what came after a number, or what came before one."""
    name = f"room {path.room_id}"
    after, before = unseal(call, name, query.cursor) or (query.after, query.before)
    if after is not None and before is not None:
        raise BadRequest("after and before", say="after 和 before 只能写一个。")
    found = await room_messages.entries(call.person, path.room_id, after=after, before=before, limit=query.limit)
    place = None
    if len(found) == query.limit:
        place = [found[-1].seq, None] if after is not None else [None, found[0].seq]
    member = await rooms.sit(call.person, path.room_id)
    items = [_read(call.person, entry, staff=member.staff) for entry in found]
    return Messages(items=items, next=seal(call, name, place) if place else "")


def _read(person: Person, entry: Entry, *, staff: bool) -> Message:
    return as_message(entry, staff=staff, me=rooms.is_me(person, entry.by))


async def speak(person: Person, room_id: int, given: NewMessage, now: datetime, source: str) -> Message:
    """Say something, over HTTP or a WebSocket. Raises ConsentNeeded for a resident who did not agree that neighbours
    read what they write, or to exact places being kept, and what `room_messages.post` does."""
    member = await rooms.sit(person, room_id, verb="speak")
    if member.room.kind is RoomKind.GRID and not member.staff:
        await consents.need_own(person, Purpose.ROOM)
    if given.position and not member.staff:
        await consents.need_own(person, Purpose.LOCATION)
    entry = await room_messages.post(person, room_id, as_words(given), now, source)
    return as_message(entry, staff=member.staff, me=True)


@routes.post("/rooms/{room_id}/messages", rule="room:speak", status=201, errors=(403,))
async def say(call: Call, path: RoomPath, body: NewMessage) -> Message:
    """Say something in a room. Its `state` tells whether others see it yet."""
    return await speak(call.person, path.room_id, body, call.now, call.source)


@routes.get("/rooms/{room_id}/waiting", rule="room:read")
async def read_waiting(call: Call, path: RoomPath) -> Items:
    """What you said that others do not see: it waits for a look, or was refused."""
    found = await room_messages.waiting(call.person, path.room_id)
    return Items(items=[as_message(entry, staff=False, me=True) for entry in found])


@routes.get("/rooms/{room_id}/announcements", rule="room:read")
async def read_announcements(call: Call, path: RoomPath, query: Page) -> Messages:
    """The room's announcements, the newest first."""
    name = f"announcements {path.room_id}"
    [before] = unseal(call, name, query.cursor) or [None]
    found = await room_messages.announcements(call.person, path.room_id, before=before, limit=query.limit)
    following = seal(call, name, [found[-1].seq]) if len(found) == query.limit else ""
    return Messages(items=[_read(call.person, entry, staff=False) for entry in found], next=following)


@routes.post("/rooms/{room_id}/announcements", rule="room:announce", status=201)
async def announce(call: Call, path: RoomPath, body: NewAnnouncement) -> Message:
    """Announce something to everybody of the grid."""
    given = Words(MessageKind.ANNOUNCEMENT, body.text, body.client_id)
    entry = await room_messages.post(call.person, path.room_id, given, call.now, call.source)
    return as_message(entry, staff=True, me=True)


@routes.put("/rooms/{room_id}/read", rule="room:read")
async def mark_read(call: Call, path: RoomPath, body: ReadTo) -> ReadTo:
    """Remember how far you have read. It never goes back; the answer is the number that holds."""
    return ReadTo(seq=await room_messages.mark_read(call.person, path.room_id, body.seq))


@routes.get("/rooms/{room_id}/staff", rule="room:read")
async def list_staff(call: Call, path: RoomPath) -> Officers:
    """Who is on duty here, with what they are shown as."""
    await rooms.access_room(call.person, path.room_id)
    posts = await rooms.members_on_duty(path.room_id)
    actors = [f"staff:{post.id}" for post in posts]
    seats, shown = await rooms.seats(path.room_id, actors), await badges.faces(actors)
    return Officers(
        items=[
            as_officer(post, shown[who].marks, rooms.handle(seats[who]))
            for post, who in zip(posts, actors, strict=True)
        ]
    )


@routes.get("/messages/{message_id}", rule="message:read")
async def show_message(call: Call, path: MessagePath) -> Message:
    """One message of a room you sit in."""
    entry = await room_messages.access_message(call.person, path.message_id)
    return _read(call.person, entry, staff=(await rooms.sit(call.person, entry.room_id)).staff)


@routes.post("/messages/{message_id}/recall", rule="message:recall")
async def recall(call: Call, path: MessagePath) -> Message:
    """Take back what you said, within two minutes."""
    entry = await room_messages.recall(call.person, path.message_id, call.now, call.source)
    return as_message(entry, staff=False, me=True)


@routes.post("/messages/{message_id}/remove", rule="message:remove")
async def remove(call: Call, path: MessagePath, body: Reason) -> Message:
    """Take a message out of the room; its sender is told why, and may appeal."""
    entry = await room_messages.remove(call.person, path.message_id, body.why, call.now, call.source)
    return _read(call.person, entry, staff=True)
