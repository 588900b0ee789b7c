"""Texts as a WeChat client shows them: `<a>` links become tappable, every other mark-up stays text."""

import html
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

_ANCHOR = re.compile(r"<a\s+([^<>]*)>(.*?)</a>", re.DOTALL | re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_BARE_URL = re.compile(r"https?://[^\s<>\"'，。；、）】]+")
_MENU = "weixin://bizmsgmenu?"


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of shown text. `kind`: plain text, web link, tap on a message menu, mini-program link."""

    kind: Literal["text", "link", "tap", "mini"]
    text: str
    href: str = ""
    content: str = ""
    """What a tap sends as the user's message."""
    menu_id: int = 0


def segments(text: str) -> tuple[Segment, ...]:
    """Split a text at its links. Links of other schemes are shown as their label: a client would not open
    them."""
    found: list[Segment] = []
    position = 0
    for anchor in _ANCHOR.finditer(text):
        found.extend(_bare(text[position : anchor.start()]))
        found.append(_link(anchor[1], anchor[2]))
        position = anchor.end()
    found.extend(_bare(text[position:]))
    return tuple(found)


def shown(text: str) -> str:
    """The text as the user reads it, links as their labels."""
    return "".join(segment.text for segment in segments(text))


def tap_id(value: object) -> int:
    """The id a tapped menu item comes back with: letters come back as 0 (field reports), integers as they
    are."""
    try:
        return int(str(value))
    except ValueError:
        return 0


def _bare(text: str) -> list[Segment]:
    found: list[Segment] = []
    position = 0
    for url in _BARE_URL.finditer(text):
        if url.start() > position:
            found.append(Segment("text", text[position : url.start()]))
        found.append(Segment("link", url[0], href=url[0]))
        position = url.end()
    if position < len(text):
        found.append(Segment("text", text[position:]))
    return found


def _link(attributes: str, label: str) -> Segment:
    values = {m[1].lower(): html.unescape(m[2] or m[3] or "") for m in _ATTRIBUTE.finditer(attributes)}
    href = values.get("href", "").strip()
    if href.startswith(_MENU):
        query = dict(part.partition("=")[::2] for part in href[len(_MENU) :].split("&"))
        content = unquote(query.get("msgmenucontent", "")) or label
        return Segment("tap", label, href=href, content=content, menu_id=tap_id(query.get("msgmenuid", "")))
    if values.get("data-miniprogram-appid"):
        return Segment("mini", label, href=values.get("data-miniprogram-path", ""))
    if href.startswith(("http://", "https://")):
        return Segment("link", label, href=href)
    return Segment("text", label)
