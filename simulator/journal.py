"""What the platform noticed and no phone shows: failed pushes, refused calls, with the platform's reasons."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from simulator.feed import Feed

KEPT: Final = 300


@dataclass(frozen=True, slots=True)
class Note:
    """One line of the journal."""

    at: datetime
    what: str
    detail: str
    openid: str = ""
    good: bool = False

    def as_json(self) -> dict[str, Any]:
        """For the page."""
        return {
            "at": self.at.isoformat(),
            "what": self.what,
            "detail": self.detail,
            "openid": self.openid,
            "good": self.good,
        }


class Journal:
    """The last lines, newest last, told to the pages as they come."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._notes: deque[Note] = deque(maxlen=KEPT)

    def __iter__(self) -> Iterator[Note]:
        return iter(self._notes)

    def add(self, note: Note) -> None:
        """Write a line."""
        self._notes.append(note)
        if self._feed.watched:
            self._feed.publish("journal", note=note.as_json())
