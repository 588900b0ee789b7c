"""Who keeps a page of ours open hears that something is new: one look for all of them, at most once a second.

Nothing but “something is new” goes out; the page then asks for its parts as it always does. There is one `Live` a web
process: it is rung when anything was committed, in whatever process, and else looks by itself every few seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from datetime import datetime

import structlog

from domain.changes import Change, Trail, Viewer, rooms_changed, viewer_of
from domain.people import Person
from domain.standing import standing_of, standings
from errors import NotSignedIn

log = structlog.get_logger(__name__)

#: Open streams of one session: a browser has six connections to one host where there is no HTTP/2.
MOST_STREAMS = 4
_PAUSE = 1.0  # seconds between two looks, at least: what happens meanwhile is told together
_LOOK = 5.0  # and at most, where nobody rings
_SIGN_OF_LIFE = 20.0  # seconds of silence after which a proxy is shown that the line still stands
_NEWS = b"event: news\ndata: look\n\n"
_OVER = b"event: over\ndata: look\n\n"
_STILL_HERE = b": still here\n\n"


class Stream:
    """One open page. `topics`: what it shows, e.g. cases, case-17, room-3."""

    def __init__(
        self, person: Person, viewer: Viewer, token_id: int, topics: Collection[str], gone: Callable[[], bool]
    ) -> None:
        self.token_id, self.gone = token_id, gone
        self.standing = standing_of(person)
        self._viewer, self._topics = viewer, frozenset(topics)
        self._moved = asyncio.Event()
        self._last: bytes | None = None

    def wants(self, changes: Iterable[Change]) -> bool:
        """Whether one of these is likely on the page."""
        return any(
            not self._topics.isdisjoint((f"{one.what}s", f"{one.what}-{one.id}")) and one.concerns(self._viewer)
            for one in changes
        )

    def tell(self) -> None:
        """There is something new for it."""
        self._moved.set()

    def end(self, last: bytes = b"") -> None:
        """No more after this."""
        self._last = last
        self._moved.set()

    async def hear(self) -> tuple[bytes, bool]:
        """What to write next, and whether more may come."""
        try:
            async with asyncio.timeout(_SIGN_OF_LIFE):
                await self._moved.wait()
        except TimeoutError:
            return _STILL_HERE, True
        self._moved.clear()
        return (_NEWS, True) if self._last is None else (self._last, False)


class Live:
    """The open streams of one web process."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._streams: set[Stream] = set()
        self._rooms: set[int] = set()
        self._rung = asyncio.Event()
        self._looking = asyncio.Lock()
        self._trail: Trail | None = None  # none while nobody listens
        self._closed = False

    def ring(self) -> None:
        """Something was committed somewhere."""
        self._rung.set()

    def ring_room(self, room_id: int) -> None:
        """A room has something new."""
        if self._streams:
            self._rooms.add(room_id)
            self._rung.set()

    async def enter(
        self, person: Person, token_id: int, topics: Collection[str], gone: Callable[[], bool]
    ) -> Stream | None:
        """A stream for a page that was just opened, told of everything from now on; None where the session has enough
        of them, or this process ends. Raises NotSignedIn."""
        if person.post is None:
            raise NotSignedIn("no post")
        self._forget_gone()
        mine = sum(one.token_id == token_id for one in self._streams)
        if mine >= MOST_STREAMS:
            return None
        stream = Stream(person, await viewer_of(person.post), token_id, topics, gone)
        async with self._looking:
            if self._trail is None:
                trail = Trail()
                await trail.look()
                self._trail = trail
            if self._closed:  # perhaps meanwhile: nobody would end it any more
                return None
            self._streams.add(stream)
        return stream

    def leave(self, stream: Stream) -> None:
        """The page was closed."""
        self._streams.discard(stream)

    async def close(self) -> None:
        """This process ends: pages come back to another."""
        self._closed = True
        for stream in self._streams:
            stream.end()

    async def run(self) -> None:
        """Look and tell, for ever; a look that fails (the database is away) is made again at its next time."""
        while True:
            try:
                async with asyncio.timeout(_LOOK):
                    await self._rung.wait()
            except TimeoutError:
                pass
            self._rung.clear()
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - whatever it was, the next look sees
                log.warning("no look for news", error=repr(error))
            await asyncio.sleep(_PAUSE)

    async def look(self) -> None:
        """Tell every page that shows something new; end those whose session has ended."""
        self._forget_gone()
        async with self._looking:
            if not self._streams or self._trail is None:
                self._trail = None
                self._rooms.clear()
                return
            await self._end_what_holds_no_more()
            rooms = frozenset(self._rooms)
            changes = [*await rooms_changed(rooms), *await self._trail.look()]
            self._rooms -= rooms
        for stream in self._streams:
            if stream.wants(changes):
                stream.tell()

    async def _end_what_holds_no_more(self) -> None:
        """Signed out, idle for too long, or no longer who they were: the page asks anew, and is told."""
        held = await standings({stream.token_id for stream in self._streams}, self._now())
        for stream in self._streams:
            if held.get(stream.token_id) != stream.standing:
                stream.end(_OVER)

    def _forget_gone(self) -> None:
        for stream in [one for one in self._streams if one.gone()]:
            stream.end()
            self._streams.discard(stream)
