"""Telling those who look at a room that it has something new. How they are told is set once at start.

The bell only says where to look: the entries themselves are read from the database. A ring that is lost costs whoever
waits a second, never an entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from models.database import after_commit


class Bell(Protocol):
    """How those who look are told."""

    def ring(self, room_id: int) -> None:
        """A room has something new."""
        ...

    def read(self, room_id: int, who: str, seq: int) -> None:
        """Somebody has read up to a number."""
        ...


_bell: Bell | None = None


@contextmanager
def use(bell: Bell) -> Iterator[None]:
    """Let this bell be rung after each commit that changed a room, for the life of the context."""
    global _bell  # noqa: PLW0603 - a setting of the process, as its working hours are
    before, _bell = _bell, bell
    try:
        yield
    finally:
        _bell = before


def room_changed(room_id: int) -> None:
    """Ring once the running transaction has committed."""
    after_commit(lambda: _bell.ring(room_id) if _bell else None)


def read_moved(room_id: int, who: str, seq: int) -> None:
    """Ring for a read position once the running transaction has committed."""
    after_commit(lambda: _bell.read(room_id, who, seq) if _bell else None)
