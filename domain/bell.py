"""Telling those who look at a room that it has something new. How they are told is set once at start.

The bell only says where to look: the entries themselves are read from the database. A ring that is lost costs whoever
waits a second, never an entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from models.database import after_commit

Ring = Callable[[int], None]

_ring: Ring | None = None


@contextmanager
def use(ring: Ring) -> Iterator[None]:
    """Let `ring(room_id)` be called after each commit that changed a room, for the life of the context."""
    global _ring  # noqa: PLW0603 - a setting of the process, as its working hours are
    before, _ring = _ring, ring
    try:
        yield
    finally:
        _ring = before


def room_changed(room_id: int) -> None:
    """Ring once the running transaction has committed."""
    after_commit(lambda: _ring(room_id) if _ring else None)
