"""The menu at the foot of the account's chat, as data. Every button does something today."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from errors import SettingsError

TOP_BUTTONS = 3
SUB_BUTTONS = 5
TOP_NAME_BYTES = 16
SUB_NAME_BYTES = 60
KEY_BYTES = 128
URL_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Button:
    """One button: it sends `key` as a CLICK event, opens `url`, or holds sub-buttons. Exactly one of
    these."""

    name: str
    key: str = ""
    url: str = ""
    sub: tuple["Button", ...] = ()


DEFAULT_MENU: tuple[Button, ...] = (
    Button("我要说事", key="report"),
    Button("服务导航", key="services"),
    Button(
        "更多",
        sub=(
            Button("我的事项", key="my_cases"),
            Button("活动报名", key="activities"),
            Button("使用帮助", key="help"),
            Button("联系网格员", key="worker"),
            Button("我的网格", key="my_grid"),
        ),
    ),
)


def menu_body(buttons: Sequence[Button]) -> dict[str, Any]:
    """The menu as WeChat's API takes it, checked first: a wrong menu costs one of few calls a day.

    Raises SettingsError naming the button and the limit.
    """
    _check_count("the menu", buttons, TOP_BUTTONS)
    return {"button": [_button(button, TOP_NAME_BYTES) for button in buttons]}


def _button(button: Button, name_bytes: int) -> dict[str, Any]:
    _check_bytes(button, "name", button.name, name_bytes)
    if sum(map(bool, (button.key, button.url, button.sub))) != 1:
        raise SettingsError(f"menu button {button.name!r} needs a key, a url or sub-buttons, and only one of them")
    if button.sub:
        if name_bytes == SUB_NAME_BYTES:
            raise SettingsError(f"menu button {button.name!r}: a sub-button cannot hold sub-buttons")
        _check_count(f"menu button {button.name!r}", button.sub, SUB_BUTTONS)
        return {"name": button.name, "sub_button": [_button(sub, SUB_NAME_BYTES) for sub in button.sub]}
    if button.url:
        _check_bytes(button, "url", button.url, URL_BYTES)
        if not button.url.startswith(("http://", "https://")):
            raise SettingsError(f"menu button {button.name!r}: the url begins with https://")
        return {"type": "view", "name": button.name, "url": button.url}
    _check_bytes(button, "key", button.key, KEY_BYTES)
    return {"type": "click", "name": button.name, "key": button.key}


def _check_count(holder: str, buttons: Sequence[Button], limit: int) -> None:
    if not 1 <= len(buttons) <= limit:
        raise SettingsError(f"{holder} has {len(buttons)} buttons; WeChat takes 1 to {limit}")


def _check_bytes(button: Button, what: str, value: str, limit: int) -> None:
    if not 1 <= len(value.encode()) <= limit:
        raise SettingsError(f"menu button {button.name!r}: {what} has {len(value.encode())} bytes, not 1 to {limit}")
