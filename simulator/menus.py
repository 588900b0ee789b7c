"""The account's menu: the limits of `/cgi-bin/menu/create`, and what a tap on a button pushes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from simulator.refusals import ApiRefusal

KEY_TYPES: Final = frozenset(
    {
        "click",
        "scancode_push",
        "scancode_waitmsg",
        "pic_sysphoto",
        "pic_photo_or_album",
        "pic_weixin",
        "location_select",
    }
)
OTHER_TYPES: Final = {
    "view": ("url",),
    "miniprogram": ("url", "appid", "pagepath"),
    "media_id": ("media_id",),
    "article_id": ("article_id",),
    "article_view_limited": ("article_id",),
}


@dataclass(frozen=True, slots=True)
class _Codes:
    """The errcodes of one menu level: top buttons and sub-buttons are refused with different ones."""

    count: int
    kind: int
    name: int
    key: int
    url: int
    name_bytes: int
    most: int


_TOP = _Codes(count=40016, kind=40017, name=40018, key=40019, url=40020, name_bytes=16, most=3)
_SUB = _Codes(count=40023, kind=40024, name=40025, key=40026, url=40027, name_bytes=60, most=5)


class Menu:
    """The menu as created, or none."""

    def __init__(self) -> None:
        self.buttons: list[dict[str, Any]] = []

    def create(self, body: Mapping[str, Any]) -> None:
        """Replace the menu. Raises ApiRefusal with the code of the first broken limit."""
        # A body wrapped in {"menu": …} has no `button` and is refused like a wrong count.
        self.buttons = _check_level(body.get("button"), _TOP)

    def delete(self) -> None:
        """No menu any more."""
        self.buttons = []

    def get(self) -> dict[str, Any]:
        """Raises ApiRefusal 46003 when there is none."""
        if not self.buttons:
            raise ApiRefusal(46003)
        return {"menu": {"button": self.buttons}}

    def button(self, path: list[int]) -> dict[str, Any] | None:
        """The button at a path of one or two indexes, or None."""
        level, found = self.buttons, None
        for index in path:
            if not 0 <= index < len(level):
                return None
            found = level[index]
            level = found.get("sub_button", [])
        return found


def _check_level(buttons: Any, codes: _Codes) -> list[dict[str, Any]]:
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= codes.most:
        raise ApiRefusal(codes.count)
    return [_check_button(button, codes) for button in buttons]


def _check_button(button: Any, codes: _Codes) -> dict[str, Any]:
    if not isinstance(button, Mapping):
        raise ApiRefusal(47001)
    name = button.get("name")
    if not isinstance(name, str) or not 0 < len(name.encode()) <= codes.name_bytes:
        raise ApiRefusal(codes.name)
    if button.get("sub_button"):
        if codes is _SUB:
            raise ApiRefusal(codes.count)
        return {"name": name, "sub_button": _check_level(button["sub_button"], _SUB)}
    return {"type": button.get("type"), "name": name, **_check_action(button, codes), "sub_button": []}


def _check_action(button: Mapping[str, Any], codes: _Codes) -> dict[str, str]:
    kind = button.get("type")
    if kind in KEY_TYPES:
        return {"key": _text(button, "key", 128, codes.key)}
    if kind not in OTHER_TYPES:
        raise ApiRefusal(codes.kind)
    refusals = {"url": codes.url, "media_id": 40007}
    return {name: _text(button, name, 1024, refusals.get(name, codes.key)) for name in OTHER_TYPES[str(kind)]}


def _text(button: Mapping[str, Any], name: str, most: int, errcode: int) -> str:
    value = button.get(name)
    if not isinstance(value, str) or not 0 < len(value.encode()) <= most:
        raise ApiRefusal(errcode)
    return value
