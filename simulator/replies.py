"""What the account sent, as bubbles: passive replies and customer-service messages look alike on a phone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from simulator.courier import Delivery
from simulator.links import segments
from simulator.phones import Bubble, MenuItem, Source


def text_bubble(at: datetime, source: Source, text: str) -> Bubble:
    """A text with its inline taps as menu lines too, so that whoever drives the phone finds them in one
    place."""
    taps = tuple(MenuItem(s.text, s.menu_id, s.content) for s in segments(text) if s.kind == "tap")
    return Bubble(at, "out", source, "text", text=text, menu=taps)


def article_bubble(at: datetime, source: Source, article: Mapping[str, Any]) -> Bubble:
    """An article card: `title`, `description`, `url`, in any capitalisation."""
    values = {str(key).lower(): str(value) for key, value in article.items()}
    return Bubble(
        at,
        "out",
        source,
        "news",
        text=values.get("description", ""),
        title=values.get("title", ""),
        url=values.get("url", ""),
    )


def bubble_of_reply(delivery: Delivery, at: datetime) -> Bubble:
    """The bubble of a valid passive reply."""
    fields = delivery.fields
    if delivery.kind == "text":
        return text_bubble(at, "reply", str(fields["Content"]))
    if delivery.kind == "news":
        return article_bubble(at, "reply", fields["Articles"]["item"])
    part = fields[delivery.kind.capitalize()]
    return Bubble(
        at,
        "out",
        "reply",
        delivery.kind,
        text=str(part.get("Description", "")),
        title=str(part.get("Title", "")),
        media_id=str(part.get("MediaId", "")),
        url=str(part.get("MusicUrl", "")),
    )
