"""What goes over a WebSocket: the frames clients send, and the texts of ours. docs/rooms.md describes each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field

from domain.room_words import Entry
from errors import BadRequest, LinliError
from miniapp_api.answers import BadFields
from miniapp_api.kernel import Body, Id
from miniapp_api.reading import parse
from miniapp_api.room_shapes import Message, NewMessage, Seq, as_message

MOST_BYTES = 64 * 1024
"""A client's frame, at most."""

WELCOME = b'{"type":"welcome"}'


class Ask(Body):
    """Base of what clients send. `id` comes back with the answer."""

    id: Annotated[str, Field(max_length=64)] = ""


class SignIn(Ask):
    """The first frame, where the token did not come with the handshake."""

    type: Literal["sign_in"]
    token: Annotated[str, Field(max_length=200)]


class Subscribe(Ask):
    """Everything of a room from now on; with `after`, first what came after that number."""

    type: Literal["subscribe"]
    room: Id
    after: Seq | None = None


class Unsubscribe(Ask):
    """No more of a room."""

    type: Literal["unsubscribe"]
    room: Id


class Post(Ask):
    """Say something, exactly as over HTTP."""

    type: Literal["post"]
    room: Id
    message: NewMessage


class Read(Ask):
    """Everything up to this number has been read."""

    type: Literal["read"]
    room: Id
    seq: Seq


class Ping(Ask):
    """For clients that cannot send the protocol's own."""

    type: Literal["ping"]


ASKS: Mapping[str, type[Ask]] = MappingProxyType(
    {
        "sign_in": SignIn,
        "subscribe": Subscribe,
        "unsubscribe": Unsubscribe,
        "post": Post,
        "read": Read,
        "ping": Ping,
    }
)


def read_ask(text: str) -> Ask:
    """A client's frame. Raises BadRequest, and BadFields which names what is wrong."""
    raw = text.encode(errors="surrogatepass")
    try:
        given = orjson.loads(raw)
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict):
        raise BadRequest("no JSON object", say="每一帧必须是一个 JSON 对象。")
    kind = given.get("type")
    if not isinstance(kind, str) or kind not in ASKS:
        raise BadFields([{"field": "type", "say": f"只能是 {'、'.join(ASKS)}。"}])
    ask: Ask = parse(ASKS[kind], raw)
    return ask


def ident_of(text: str) -> str:
    """The `id` of a frame that could not be read, so that its refusal finds back; "" where there is none."""
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError:
        return ""
    ident = given.get("id") if isinstance(given, dict) else None
    return ident[:64] if isinstance(ident, str) else ""


class Writer:
    """The texts of what a hub sends by itself."""

    def entry(self, entry: Entry, *, staff: bool, me: bool) -> bytes:
        """An entry, as somebody on duty, its sender or anybody else may read it."""
        shape = as_message(entry, staff=staff, me=me)
        return b'{"type":"entry","entry":' + shape.model_dump_json().encode() + b"}"

    def subscribed(self, ident: str, room_id: int, seq: int, count: int) -> bytes:
        """The client has everything up to `seq`, and gets what comes."""
        return orjson.dumps({"type": "subscribed", "id": ident, "room": room_id, "seq": seq, "present": count})

    def presence(self, room_id: int, count: int) -> bytes:
        """How many people are in a room now."""
        return orjson.dumps({"type": "presence", "room": room_id, "present": count})

    def read(self, room_id: int, seq: int, *, me: bool) -> bytes:
        """How far somebody has read: oneself on another device, or the other side of a private talk."""
        return orjson.dumps({"type": "read", "room": room_id, "seq": seq, "me": me})


def posted(ident: str, message: Message) -> bytes:
    """What was said, as its sender reads it."""
    return orjson.dumps({"type": "posted", "id": ident, "entry": orjson.Fragment(message.model_dump_json())})


def done(kind: str, ident: str, **more: Any) -> bytes:
    """A short answer."""
    return orjson.dumps({"type": kind, "id": ident, **more})


def failed(ident: str, error: LinliError, request_id: str) -> bytes:
    """A refusal, with the same words as over HTTP."""
    said: dict[str, Any] = {"code": error.code, "say": error.say, "request_id": request_id}
    for name in ("fields", "retry_after"):
        if name in error.data:
            said[name] = error.data[name]
    return orjson.dumps({"type": "error", "id": ident, "error": said})
