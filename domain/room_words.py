"""What is said in rooms: the words as they come in, and an entry as it goes out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from errors import BadRequest
from models.enums import MessageKind, MessageState

LONGEST = 2_000
"""Characters of one message."""

MOST_MENTIONS = 20

HELPER, WORKER = "助手", "网格员"
"""Whom a message may mention besides members by their handles."""

#: What people send; the other kinds are made by the system.
SPOKEN = (MessageKind.TEXT, MessageKind.IMAGE, MessageKind.VOICE, MessageKind.LOCATION, MessageKind.ANNOUNCEMENT)

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody says. `client_id` is the sender's own name for it: sent twice, it is one entry.

    `data`: `upload` (id of an image or voice message), `latitude`, `longitude`, `place` of a location, `mentions`
    (handles, 助手, 网格员).
    """

    kind: MessageKind
    text: str
    client_id: str
    reply_to: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mark:
    """What somebody is shown as beside their name: `kind` for machines, `label` in Chinese."""

    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a room. `by` (who really sent it) never leaves the server; `hint` and `intent` are for staff, `why`
    (it is not shown, or what our lists flag) for its sender and staff."""

    id: int
    room_id: int
    seq: int | None
    kind: MessageKind
    state: MessageState
    by: str
    author: str
    badges: tuple[Mark, ...]
    staff: bool
    handle: str
    text: str
    data: Mapping[str, Any]
    reply_to: int | None
    target: int | None
    at: datetime
    case_number: str = ""
    intent: str = ""
    hint: Mapping[str, Any] | None = None
    why: str = ""
    client_id: str = ""

    def as_read(self, *, staff: bool = False, me: bool = False) -> Entry:
        """As somebody in the room may read it: on duty there (`staff`), its sender (`me`), or anybody else."""
        shown = self.state is MessageState.SHOWN or staff or me
        return replace(
            self,
            text=self.text if shown else "",
            data=self.data if shown else {},
            hint=self.hint if staff else None,
            intent=self.intent if staff else "",
            why=self.why if staff or me else "",
            client_id=self.client_id if me else "",
        )


def tidy_words(words: Words) -> Words:
    """The words as they are stored. Raises BadRequest for what no room takes."""
    if words.kind not in SPOKEN:
        raise BadRequest(f"nobody sends {words.kind}", say="群里不能发这种消息。")
    if not 1 <= len(words.client_id) <= 64 or clean(words.client_id) != words.client_id:
        raise BadRequest("client_id", say="client_id 要有 1 到 64 个看得见的字符。")
    text = clean(words.text)
    if len(text) > LONGEST:
        raise BadRequest("too long", say=f"一条消息最多 {LONGEST} 个字，请分几条发。")
    if not text and words.kind in (MessageKind.TEXT, MessageKind.ANNOUNCEMENT):
        raise BadRequest("empty", say="消息是空的，请写几个字再发。")
    return replace(words, text=text, data=_tidy_data(words.kind, words.data))


def clean(text: str) -> str:
    """Text without characters that nobody sees and that turn around what follows, and without blank ends."""
    return _CONTROL.sub("", text).strip()


def _tidy_data(kind: MessageKind, data: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    if kind in (MessageKind.IMAGE, MessageKind.VOICE):
        kept["upload"] = _upload(data.get("upload"))
    if kind is MessageKind.LOCATION:
        kept |= _position(data)
    if mentions := data.get("mentions"):
        kept["mentions"] = _mentions(mentions)
    return kept


def _upload(given: Any) -> str:
    try:
        return str(UUID(str(given)))
    except ValueError:
        raise BadRequest("upload", say="请先上传照片或语音，再发到群里。") from None


def _position(data: Mapping[str, Any]) -> dict[str, Any]:
    latitude, longitude = data.get("latitude"), data.get("longitude")
    if not isinstance(latitude, int | float) or not isinstance(longitude, int | float):
        raise BadRequest("position", say="位置要有经度和纬度。")
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise BadRequest("position", say="经度或纬度不对。")
    return {
        "latitude": float(latitude),
        "longitude": float(longitude),
        "place": clean(str(data.get("place", "")))[:100],
    }


def _mentions(given: Any) -> list[str]:
    if not isinstance(given, Sequence) or isinstance(given, str) or not all(isinstance(one, str) for one in given):
        raise BadRequest("mentions", say="提到的人要写成一个列表。")
    names = list(dict.fromkeys(given))
    if len(names) > MOST_MENTIONS:
        raise BadRequest("mentions", say=f"一条消息最多提到 {MOST_MENTIONS} 个人。")
    return names
