"""What a resident sends, as a value: one `Message` for every kind of push, and the `Reply` a handler answers
with."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import orjson

from bot.wire import parse_body
from errors import BadMessage


class Kind(StrEnum):
    """MsgType of a push."""

    TEXT = "text"
    IMAGE = "image"
    VOICE = "voice"
    VIDEO = "video"
    SHORTVIDEO = "shortvideo"
    LOCATION = "location"
    LINK = "link"
    MINIPROGRAMPAGE = "miniprogrampage"
    EVENT = "event"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Message:
    """One push from WeChat: what a person sent, or something that happened (`kind` EVENT)."""

    account: str
    """ToUserName: the account's original id, gh_…"""
    openid: str
    at: datetime
    """When WeChat made the message: aware UTC, whole seconds."""
    kind: Kind
    msg_id: int | None
    event: str = ""
    """Lower-case event name; empty for an ordinary message."""
    key: str = ""
    """EventKey of an event; the qrscene_ prefix of a scan that led to following is gone."""
    scene: str | None = None
    """Scene of a scanned QR code, by a new or an old follower."""
    text: str = ""
    """Content of a text; what WeChat heard in a voice message (mostly nothing); title and address of a
    link."""
    tap: int | None = None
    """Id of the menu item the person tapped; such a message is a text like any other apart from this."""
    media_id: str = ""
    """Media a person sent can be fetched for three days."""
    thumb_media_id: str = ""
    pic_url: str = ""
    media_format: str = ""
    latitude: float | None = None
    """Degrees, GCJ-02 as WeChat's map gives them."""
    longitude: float | None = None
    label: str = ""
    """The place's name, as the person's map shows it."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """All other fields as they came. `List` of a subscription event and `item` of a picture event are lists
    always."""

    @property
    def dedupe_key(self) -> str:
        """The same for every delivery of one message, different for any two messages.

        Messages have an id. Events have none: person, second, event and key stand in for it, and where there
        is no key, what else the event carries (two template results can reach one person in one second).
        """
        if self.msg_id is not None and self.kind is not Kind.EVENT:
            return f"m:{self.msg_id}"
        key = self.key
        if len(key) > 64 or not key:
            rest = [key, self.text, self.media_id, self.latitude, self.longitude, dict(self.fields)]
            key = _digest(rest) if any(rest) else ""
        name = self.event or str(self.kind)
        if len(name) > 40:  # WeChat may invent longer names than it has today; the stored key ends at 200
            name = _digest([name])
        return f"e:{self.openid}:{int(self.at.timestamp())}:{name}:{key}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer the person can tap, or give by its number. `tap` comes back in `Message.tap`."""

    label: str
    tap: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers: a text, and the answers it asks for."""

    text: str
    choices: tuple[Choice, ...] = ()


def parse_message(body: bytes) -> Message:
    """A decrypted push as a Message. Types and events not known here come through as UNKNOWN, or as an EVENT
    with its name and fields: WeChat adds new ones, and an error would show every follower a fault line.

    Raises BadMessage for everything else.
    """
    return to_message(parse_body(body))


def to_message(parsed: dict[str, Any]) -> Message:
    """The same for a body that `bot.wire.parse_body` has read. Takes the dictionary over."""
    account, openid = _address(parsed, "ToUserName"), _address(parsed, "FromUserName")
    created = _whole(_take(parsed, "CreateTime"), 10)
    type_ = _take(parsed, "MsgType").lower()
    if created is None or not type_:
        raise BadMessage("CreateTime or MsgType is missing")
    kind = _KINDS.get(type_, Kind.UNKNOWN)
    if kind is Kind.UNKNOWN:
        parsed["MsgType"] = type_
    msg_id = _whole(_take(parsed, "MsgId"), 19) if "MsgId" in parsed else None
    content = _event(parsed) if kind is Kind.EVENT else _content(parsed, kind)
    return Message(account, openid, datetime.fromtimestamp(created, UTC), kind, msg_id, fields=parsed, **content)


_KINDS = {kind.value: kind for kind in Kind}
_ADDRESS = re.compile(r"[!-~]{1,64}")
_WHOLE = re.compile(r"[0-9]{1,19}")
_DECIMAL = re.compile(r"-?[0-9]{1,3}(?:\.[0-9]{1,20})?")
_SCENE_PREFIX = "qrscene_"
_INT64 = 2**63


def _take(parsed: dict[str, Any], name: str) -> str:
    """A field that may appear once at most, as text; "" when absent."""
    value = parsed.pop(name, "")
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if value is None:
        return ""
    raise BadMessage(f"{name} is not a single value")


def _address(parsed: dict[str, Any], name: str) -> str:
    value = _take(parsed, name)
    if not _ADDRESS.fullmatch(value):
        raise BadMessage(f"{name} is missing or no id")
    return value


def _whole(text: str, digits: int) -> int | None:
    """A number WeChat keeps in 64 bits; None for an empty field."""
    if not text:
        return None
    if not _WHOLE.fullmatch(text) or len(text) > digits or int(text) >= _INT64:
        raise BadMessage("not a whole number in range")
    return int(text)


def _degrees(parsed: dict[str, Any], name: str, limit: int) -> float | None:
    text = _take(parsed, name).strip()
    if not text:
        return None
    if not _DECIMAL.fullmatch(text) or abs(float(text)) > limit:
        raise BadMessage(f"{name} is no coordinate")
    return float(text)


def _content(parsed: dict[str, Any], kind: Kind) -> dict[str, Any]:
    """The named values of an ordinary message."""
    match kind:
        case Kind.TEXT:
            return {"text": _take(parsed, "Content"), "tap": _tap(parsed)}
        case Kind.IMAGE:
            return {"media_id": _take(parsed, "MediaId"), "pic_url": _take(parsed, "PicUrl")}
        case Kind.VOICE:
            return {
                "media_id": _take(parsed, "MediaId"),
                "media_format": _take(parsed, "Format"),
                "text": _take(parsed, "Recognition"),
            }
        case Kind.VIDEO | Kind.SHORTVIDEO:
            return {"media_id": _take(parsed, "MediaId"), "thumb_media_id": _take(parsed, "ThumbMediaId")}
        case Kind.LOCATION:
            return {
                "latitude": _degrees(parsed, "Location_X", 90),
                "longitude": _degrees(parsed, "Location_Y", 180),
                "label": _take(parsed, "Label"),
            }
        case Kind.LINK:
            return {"text": f"{_take(parsed, 'Title')}\n{_take(parsed, 'Url')}".strip()}
        case Kind.MINIPROGRAMPAGE:
            return {"text": _take(parsed, "Title"), "thumb_media_id": _take(parsed, "ThumbMediaId")}
        case _:
            return {}


def _tap(parsed: dict[str, Any]) -> int | None:
    """The tapped item's id. WeChat is known to lose ids that are not numbers; such a tap is still a good
    text."""
    tapped = _take(parsed, "bizmsgmenuid")
    return int(tapped) if _WHOLE.fullmatch(tapped) and int(tapped) < _INT64 else None


def _event(parsed: dict[str, Any]) -> dict[str, Any]:
    """The named values of an event, its name lower-cased as WeChat mixes all styles."""
    event = _take(parsed, "Event").lower()
    if not event:
        raise BadMessage("an event without a name")
    key = _take(parsed, "EventKey")
    values: dict[str, Any] = {"event": event}
    if event == "subscribe" and key.startswith(_SCENE_PREFIX):
        key = key.removeprefix(_SCENE_PREFIX)
        values["scene"] = key
    elif event == "scan":
        values["scene"] = key or None
    elif event == "location":
        values["latitude"] = _degrees(parsed, "Latitude", 90)
        values["longitude"] = _degrees(parsed, "Longitude", 180)
    elif event.startswith("subscribe_msg_"):
        _flatten_list(parsed)
    elif isinstance(pictures := parsed.get("SendPicsInfo"), dict):
        _listed(pictures.get("PicList"), "item")
    values["key"] = key
    return values


def _flatten_list(parsed: dict[str, Any]) -> None:
    """Bring the items of a subscription event to `List`, as a list. In XML they sit inside an element named
    after the event (or after the pop-up event, whichever WeChat felt like); in JSON the wrapper is missing,
    and a single item is an object instead of an array."""
    for wrapper in ("SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent", "SubscribeMsgSentEvent"):
        inner = parsed.pop(wrapper, None)
        if isinstance(inner, dict) and "List" in inner:
            parsed["List"] = inner["List"]
    _listed(parsed, "List")


def _listed(holder: Any, name: str) -> None:
    """Make the value a list of its dictionaries, whether none, one or several came."""
    if isinstance(holder, dict):
        value = holder.get(name, [])
        holder[name] = [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]


def _digest(values: list[Any]) -> str:
    packed = orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(packed).hexdigest()[:16]
