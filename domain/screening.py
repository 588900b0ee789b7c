"""Whether what is said in a room is shown at once. Our own words decide here; whether WeChat is asked too is set once
at start.

A talk with the staff of one's grid is never refused, as a report is not: it is shown and flagged. Staff answer for
what they write: only what our lists refuse is held back from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from domain.publishing import check_public
from models.enums import MessageKind, MessageState, RoomKind
from nlp.sensitive import Outcome

Asks = Callable[[MessageKind, str], bool]

_asks: Asks | None = None


@contextmanager
def use(asks: Asks) -> Iterator[None]:
    """Let `asks(kind, text)` say, for the life of the context, whether the platform must look at what residents say in
    public before others do. Without it nothing waits for a platform."""
    global _asks  # noqa: PLW0603 - a setting of the process, as its word lists are
    before, _asks = _asks, asks
    try:
        yield
    finally:
        _asks = before


@dataclass(frozen=True, slots=True)
class Screened:
    """The first state of an entry, and why it is not shown, or what is flagged in it; "" = nothing."""

    state: MessageState
    why: str = ""


def screen(room: RoomKind, kind: MessageKind, text: str, *, staff: bool) -> Screened:
    """What becomes of something said in a room."""
    verdict = check_public(text)
    if room is RoomKind.PRIVATE:
        return Screened(MessageState.SHOWN, verdict.reason)
    if verdict.outcome is Outcome.BLOCK:
        return Screened(MessageState.REFUSED, verdict.reason)
    if staff:
        return Screened(MessageState.SHOWN, verdict.reason)
    if verdict.outcome is Outcome.REVIEW:
        return Screened(MessageState.REVIEW, verdict.reason)
    if _asks and _asks(kind, text):
        return Screened(MessageState.CHECKING)
    return Screened(MessageState.SHOWN)
