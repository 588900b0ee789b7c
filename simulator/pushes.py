"""Pushes by message type: the XML fields the account gets, and the bubble the person sees of it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from simulator.phones import Bubble
from simulator.quotas import Trigger

Given = Mapping[str, Any]

EVENT_TRIGGERS: Final = {
    "CLICK": Trigger.CLICK,
    "scancode_push": Trigger.CLICK,
    "scancode_waitmsg": Trigger.CLICK,
    "subscribe": Trigger.FOLLOW,
    "SCAN": Trigger.SCAN,
}
"""Events that open a window for customer-service messages."""

MENU_EVENTS: Final = frozenset(
    {
        "CLICK",
        "VIEW",
        "view_miniprogram",
        "scancode_push",
        "scancode_waitmsg",
        "pic_sysphoto",
        "pic_photo_or_album",
        "pic_weixin",
        "location_select",
    }
)
"""Events of the account's menu, which only followers have."""

ANSWERED_EVENTS: Final = frozenset(
    {
        *EVENT_TRIGGERS,
        "pic_sysphoto",
        "pic_photo_or_album",
        "pic_weixin",
        "location_select",
        "subscribe_msg_popup_event",
    }
)
"""Events whose answer the person sees; a failed push of another event goes unnoticed (assumption)."""


def message_fields(kind: str, given: Given) -> dict[str, Any]:
    """The fields of a message beyond the common ones. `extra` adds raw elements to any type, and is all there
    is to a type this platform does not know."""
    build = _FIELDS.get(kind)
    fields = build(given) if build else {}
    return fields | dict(given.get("extra", {}))


def event_fields(given: Given) -> dict[str, Any]:
    """The fields of an event: `event`, `key`, raw elements in `extra`."""
    key = {"EventKey": str(given["key"])} if "key" in given else {}
    return {"Event": str(given["event"]), **key, **given.get("extra", {})}


def trigger_of(kind: str, given: Given) -> Trigger | None:
    """Which window a push opens."""
    if kind == "event":
        return EVENT_TRIGGERS.get(str(given["event"]))
    # A tapped message menu arrives as text but opens the menu's window only.
    return Trigger.CLICK if given.get("tap") is not None else Trigger.MESSAGE


def bubble_of(kind: str, given: Given, at: datetime) -> Bubble | None:
    """What the person's own chat shows. None for events: they leave no bubble."""
    if kind == "event":
        return None
    text = str(given.get("text", given.get("label", given.get("title", ""))))
    rows: tuple[tuple[str, str], ...] = ()
    if kind == "location":
        rows = (("位置", f"{float(given['latitude']):.5f}, {float(given['longitude']):.5f}"),)
    return Bubble(
        at,
        "in",
        "user",
        kind,
        text=text,
        media_id=str(given.get("media_id", "")),
        title=str(given.get("title", "")),
        url=str(given.get("url", "")),
        rows=rows,
        seconds=int(given.get("seconds", 0)),
    )


def _text(given: Given) -> dict[str, Any]:
    tap = {} if given.get("tap") is None else {"bizmsgmenuid": int(given["tap"])}
    return {"Content": str(given.get("text", "")), **tap}


def _image(given: Given) -> dict[str, Any]:
    return {"PicUrl": given["pic_url"], "MediaId": given["media_id"]}


def _voice(given: Given) -> dict[str, Any]:
    # Recognition has come back empty since mid-2023.
    recognition = str(given.get("recognition", ""))
    return {
        "MediaId": given["media_id"],
        "Format": str(given.get("format", "amr")),
        "Recognition": recognition,
    }


def _video(given: Given) -> dict[str, Any]:
    return {"MediaId": given["media_id"], "ThumbMediaId": given["thumb_media_id"]}


def _location(given: Given) -> dict[str, Any]:
    return {
        "Location_X": float(given["latitude"]),
        "Location_Y": float(given["longitude"]),
        "Scale": int(given.get("scale", 16)),
        "Label": str(given.get("label", "")),
    }


def _link(given: Given) -> dict[str, Any]:
    return {
        "Title": str(given.get("title", "")),
        "Description": str(given.get("description", "")),
        "Url": str(given.get("url", "")),
    }


def _miniprogrampage(given: Given) -> dict[str, Any]:
    return {
        "Title": str(given.get("title", "")),
        "AppId": str(given.get("appid", "")),
        "PagePath": str(given.get("page_path", "")),
        "ThumbUrl": given["pic_url"],
        "ThumbMediaId": given["media_id"],
    }


_FIELDS: Final[dict[str, Callable[[Given], dict[str, Any]]]] = {
    "text": _text,
    "image": _image,
    "voice": _voice,
    "video": _video,
    "shortvideo": _video,
    "location": _location,
    "link": _link,
    "miniprogrampage": _miniprogrampage,
}
