"""How rooms and what is said in them look over the API, the same in answers and in WebSocket frames."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from domain.coordinates import to_gcj
from domain.people import Post
from domain.room_words import LONGEST, MOST_MENTIONS, Entry, Mark, Words
from domain.rooms import RoomLine
from miniapp_api.kernel import Body, Id
from models.enums import Level, MessageKind, MessageState, RoomKind

Text = Annotated[str, Field(max_length=LONGEST)]
Handle = Annotated[
    str, Field(pattern=r"^m[1-9]\d{0,17}$", description="somebody in one room, as their entries name them")
]
Mention = Annotated[str, Field(pattern=r"^(m[1-9]\d{0,17}|助手|网格员)$")]
Seq = Annotated[int, Field(ge=0, le=2**63 - 1)]


class Position(Body):
    """A point on WeChat's maps (GCJ-02)."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    place: Annotated[str, Field(max_length=100)] = ""


class NewPosition(Position):
    """A point as it was measured: WeChat's pickers give gcj02, a browser wgs84."""

    datum: Literal["gcj02", "wgs84"] = "gcj02"

    def on_our_map(self) -> dict[str, Any]:
        """The point in GCJ-02, with its name."""
        point = self.latitude, self.longitude
        latitude, longitude = to_gcj(*point) if self.datum == "wgs84" else point
        return {"latitude": latitude, "longitude": longitude, "place": self.place}


class NewMessage(Body):
    """What somebody says. `client_id` is the client's own name for it: sent twice, it is one entry."""

    client_id: Annotated[str, Field(min_length=1, max_length=64)]
    kind: Literal["text", "image", "voice", "location"] = "text"
    text: Text = ""
    reply_to: Annotated[Id | None, Field(description="the message it answers")] = None
    upload: Annotated[UUID | None, Field(description="an image or a voice message, sent before")] = None
    position: NewPosition | None = None
    mentions: Annotated[tuple[Mention, ...], Field(max_length=MOST_MENTIONS)] = ()


class NewAnnouncement(Body):
    """What everybody in the grid should read."""

    client_id: Annotated[str, Field(min_length=1, max_length=64)]
    text: Annotated[str, Field(min_length=1, max_length=LONGEST)]


class Badge(Body):
    """What somebody is shown as: their post, or what they agreed to."""

    kind: str
    label: str


class Author(Body):
    """Who said it, as the room knows them; never their name or telephone."""

    label: str
    badges: list[Badge]
    staff: bool
    me: bool
    handle: Annotated[str, Field(description="to mention them; empty for the system")]


class Hint(Body):
    """What the message seems to report; for staff alone."""

    category: str = ""
    subject: str = ""
    place: str = ""
    urgent: bool = False
    confidence: float = 0.0


class Message(Body):
    """An entry of a room. `seq` counts them without a gap; null = others do not see it (see `state` and `why`).

    A `recall` or `removal` says that the words of `target` are gone, a `return` that they are back: they stand in its
    own `text`, `position` and `file`.
    """

    id: int
    room: int
    seq: int | None
    kind: MessageKind
    state: MessageState
    author: Author
    text: str
    file: Annotated[str, Field(description="name of the image or voice message; see /files")]
    position: Position | None
    mentions: list[str]
    reply_to: int | None
    target: int | None
    at: datetime
    case: Annotated[str, Field(description="number of the case it became or is about")]
    why: Annotated[str, Field(description="why it is not shown, or what is flagged; for its sender and staff")]
    client_id: Annotated[str, Field(description="the sender's own name for it; for them alone")]
    intent: Annotated[str, Field(description="what it seems to want; for staff")]
    hint: Hint | None


class RoomInfo(Body):
    """A room somebody sits in, on duty there or as a resident. `unread` stops at 100."""

    id: int
    kind: RoomKind
    name: str
    staff: bool
    grid_id: int
    last_seq: int
    read_seq: int
    unread: int
    muted_until: datetime | None
    changed_at: datetime


class Officer(Body):
    """Somebody on duty in a room."""

    label: str
    unit: str
    level: Level
    badges: list[Badge]
    handle: str


def as_words(given: NewMessage) -> Words:
    """For the domain."""
    data: dict[str, Any] = given.position.on_our_map() if given.position else {}
    data |= {"upload": str(given.upload)} if given.upload else {}
    data |= {"mentions": list(given.mentions)} if given.mentions else {}
    return Words(MessageKind(given.kind), given.text, given.client_id, given.reply_to, data)


def as_message(entry: Entry, *, staff: bool, me: bool) -> Message:
    """An entry as somebody on duty (`staff`), its sender (`me`) or anybody else may read it."""
    read = entry.as_read(staff=staff, me=me)
    again: dict[str, Any] = read.data.get("message") or {}
    data: dict[str, Any] = again.get("data") or dict(read.data)
    return Message(
        id=read.id,
        room=read.room_id,
        seq=read.seq,
        kind=read.kind,
        state=read.state,
        author=Author(label=read.author, badges=as_badges(read.badges), staff=read.staff, me=me, handle=read.handle),
        text=again.get("text", read.text) or ("" if "latitude" in data else data.get("place", "")),
        file=f"m{again.get('id', read.id)}" if data.get("upload") else "",
        position=_position(data),
        mentions=list(data.get("mentions", ())),
        reply_to=read.reply_to,
        target=read.target,
        at=read.at,
        case=read.case_number,
        why=read.why,
        client_id=read.client_id,
        intent=read.intent,
        hint=_hint(read),
    )


def as_badges(marks: tuple[Mark, ...]) -> list[Badge]:
    """In the order they are shown."""
    return [Badge(kind=mark.kind, label=mark.label) for mark in marks]


def as_room(line: RoomLine) -> RoomInfo:
    """A room in somebody's list."""
    return RoomInfo(
        id=line.id,
        kind=line.kind,
        name=line.name,
        staff=line.staff,
        grid_id=line.grid_id,
        last_seq=line.last_seq,
        read_seq=line.read_seq,
        unread=line.unread,
        muted_until=line.muted_until,
        changed_at=line.changed_at,
    )


def as_officer(post: Post, badges: tuple[Mark, ...], handle: str) -> Officer:
    """Somebody on duty."""
    return Officer(label=post.label, unit=post.unit, level=post.level, badges=as_badges(badges), handle=handle)


def _position(data: dict[str, Any]) -> Position | None:
    if "latitude" not in data:
        return None
    return Position(latitude=data["latitude"], longitude=data["longitude"], place=data.get("place", ""))


def _hint(entry: Entry) -> Hint | None:
    if entry.hint is None:
        return None
    return Hint(**{name: entry.hint[name] for name in Hint.model_fields if name in entry.hint})
