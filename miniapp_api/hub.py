"""Rooms as the WebSockets of one web process see them: each new entry is read once and written to everybody as the same
bytes.

PostgreSQL is the only memory. A ring says that a room has something new; where none comes, the hub sees for itself once
a second. A socket that reads more slowly than the room talks is cut off: it comes back, and asks for what it missed.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Protocol

import structlog

from domain.people import Person
from domain.room_messages import entries_for_hub
from domain.room_words import Entry
from domain.rooms import Member
from domain.standing import heads, standing_of
from errors import Unavailable
from models.enums import RoomKind

log = structlog.get_logger(__name__)

MOST_BUFFERED = 256 * 1024
"""Bytes that may wait for one socket in this process before it is cut off."""

_PAGE = 500  # entries read at once
_CHUNK = 256  # sockets written to before others get their turn
_REACH = 5.0  # seconds for what is in the database already to be read
_CATCH_UP = 60.0  # seconds for what a client missed to go through to it


_NUMBERS = count()


class Close:
    """Why we close a socket: RFC 6455's numbers, and from 4000 on our own, which end like the HTTP status they mean."""

    GOING = 1001  # this process ends: connect again, to another
    UNREADABLE = 1003  # not text
    NOT_SIGNED_IN = 4401  # no token in time, or one that holds no more
    CHANGED = 4409  # who they are has changed (grid, post): connect again
    TOO_MANY = 4429  # more frames than anybody needs


class Writer(Protocol):
    """Makes the texts of frames."""

    def entry(self, entry: Entry, *, staff: bool, me: bool) -> bytes: ...
    def subscribed(self, ident: str, room_id: int, seq: int, here: int) -> bytes: ...
    def presence(self, room_id: int, count: int) -> bytes: ...
    def read(self, room_id: int, seq: int, *, me: bool) -> bytes: ...


def framed(text: bytes) -> bytes:
    """A text frame from a server (RFC 6455, 5.2): whole, not masked."""
    length = len(text)
    if length < 126:
        return struct.pack("!BB", 0x81, length) + text
    return (struct.pack("!BBH", 0x81, 126, length) if length < 65536 else struct.pack("!BBQ", 0x81, 127, length)) + text


class Socket:
    """Somebody connected. `close(code)` ends it in good order; `send(text)` waits while the client reads too slowly."""

    __slots__ = ("close", "ended", "heard", "number", "person", "rooms", "send", "standing", "token_id", "transport")

    def __init__(
        self,
        transport: asyncio.Transport,
        person: Person,
        token_id: int,
        close: Callable[[int], None],
        send: Callable[[bytes], Awaitable[None]],
    ) -> None:
        self.transport, self.person, self.token_id = transport, person, token_id
        self.close, self.send = close, send
        self.ended = False
        self.number = next(_NUMBERS)
        self.standing = standing_of(person)
        self.rooms: dict[int, Feed] = {}
        self.heard = asyncio.get_running_loop().time()

    def write(self, frame: bytes) -> None:
        """Send whole frames without waiting; whoever does not read is cut off."""
        transport = self.transport
        if self.ended or transport.is_closing():
            return
        if transport.get_write_buffer_size() > MOST_BUFFERED:
            log.info("slow socket cut off", who=self.person.actor)
            transport.abort()
        else:
            transport.write(frame)


@dataclass(frozen=True, slots=True, eq=False)
class Seat:
    """A socket in a room: as whom it sits there, under which names its own entries stand, and after which turn of the
    feed it joined."""

    who: str
    names: frozenset[str]
    staff: bool
    turn: int = 0


class Feed:
    """One room in this process. Everybody in `live` has been sent everything up to `seq`, or is being sent it."""

    def __init__(self, room_id: int, kind: RoomKind, seq: int, writer: Writer) -> None:
        self.room_id, self.kind, self.seq = room_id, kind, seq
        self.live: dict[Socket, Seat] = {}
        self.joining = 0
        self.here = 0
        self.count_from = 0.0
        self._writer = writer
        self._turn = 0
        self._rung = False
        self._moved = asyncio.Event()
        self._passing: asyncio.Task[None] | None = None

    def ring(self) -> None:
        """There is something new."""
        self._rung = True
        if self._passing is None or self._passing.done():
            self._passing = asyncio.create_task(self._pass_on())

    async def _pass_on(self) -> None:
        try:
            while self._rung:
                self._rung = False
                while entries := await entries_for_hub(self.room_id, self.seq, _PAGE):
                    batch = _Batch(entries, self._writer)
                    # From here on whoever joins reads these entries by themselves.
                    self.seq = entries[-1].seq or self.seq
                    moved, self._moved = self._moved, asyncio.Event()
                    moved.set()
                    await self.each(batch.give)
        except Exception as error:  # noqa: BLE001 - the next look tries again
            log.warning("room not read", room=self.room_id, error=repr(error))

    async def write(self, text: bytes) -> None:
        """Send everybody the same."""
        frame = framed(text)
        await self.each(lambda socket, _seat: socket.write(frame))

    async def each(self, act: Callable[[Socket, Seat], None]) -> None:
        """Do something for everybody who is here now and still is when their turn comes."""
        self._turn += 1
        turn = self._turn
        # No pair is made for each: thousands of new objects a message would keep the garbage collector busy.
        for place, socket in enumerate(list(self.live), 1):
            seat = self.live.get(socket)
            if seat is not None and seat.turn < turn:
                try:
                    act(socket, seat)
                except Exception as error:  # noqa: BLE001 - one broken connection must not cost the others an entry
                    log.warning("socket broken", error=repr(error))
                    socket.transport.abort()
            if not place % _CHUNK:
                await asyncio.sleep(0)

    def join(self, socket: Socket, seat: Seat) -> None:
        """From the next turn on it gets what everybody gets."""
        self.live[socket] = replace(seat, turn=self._turn)

    async def reach(self, seq: int) -> None:
        """Pass everything on up to a number that is there. Raises Unavailable when it cannot be read."""
        try:
            async with asyncio.timeout(_REACH):
                while self.seq < seq:
                    moved = self._moved
                    self.ring()
                    await moved.wait()
        except TimeoutError:
            raise Unavailable(f"room {self.room_id} not read", retry_after=1) from None

    async def catch_up(self, socket: Socket, seat: Seat, after: int) -> None:
        """Send what came after a number, at the pace the client reads, until it has what everybody has."""
        while after < self.seq:
            page = await entries_for_hub(self.room_id, after, _PAGE)
            for entry in page:
                # What is newer comes to everybody at once.
                if after < (entry.seq or 0) <= self.seq:
                    await socket.send(self._writer.entry(entry, staff=seat.staff, me=entry.by in seat.names))
                    after = entry.seq or after
            if not page:
                return


class _Batch:
    """Entries as bytes: one piece for all residents, one for all staff, and one for each of their senders."""

    def __init__(self, entries: Sequence[Entry], writer: Writer) -> None:
        self._entries, self._writer = entries, writer
        self._senders = {entry.by for entry in entries}
        self._for_members = self._joined(staff=False)
        self._for_staff = self._joined(staff=True)

    def give(self, socket: Socket, seat: Seat) -> None:
        """Write what this seat may read."""
        if not seat.names.isdisjoint(self._senders):
            socket.write(self._joined(staff=seat.staff, names=seat.names))
        else:
            socket.write(self._for_staff if seat.staff else self._for_members)

    def _joined(self, *, staff: bool, names: Collection[str] = ()) -> bytes:
        return b"".join(framed(self._writer.entry(entry, staff=staff, me=entry.by in names)) for entry in self._entries)


class Hub:
    """Every open WebSocket of this process, and the rooms they look at."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.sockets: set[Socket] = set()
        self.feeds: dict[int, Feed] = {}
        self._of: dict[str, set[Socket]] = {}  # name → their sockets
        self._closing: set[asyncio.Task[object]] = set()

    def ring(self, room_id: int) -> None:
        """A room has something new."""
        if feed := self.feeds.get(room_id):
            feed.ring()

    async def look(self) -> None:
        """See for ourselves which rooms have something new: a ring may have been lost."""
        for room_id, newest in (await heads(self.feeds) if self.feeds else {}).items():
            if (feed := self.feeds.get(room_id)) and newest > feed.seq:
                feed.ring()

    async def subscribe(self, socket: Socket, member: Member, after: int | None, ident: str = "") -> None:
        """Everything of a room from now on, and first what came after a number. Said again, it begins again there."""
        room = member.room
        self.unsubscribe(socket, room.id)
        feed = self.feeds.get(room.id)
        if feed is None:
            feed = self.feeds[room.id] = Feed(room.id, room.kind, room.last_seq, self.writer)
            feed.ring()
        seat = Seat(member.who, names_of(socket.person), member.staff)
        feed.joining += 1
        try:
            if after is not None:
                # They may have seen more elsewhere than this process has passed on so far.
                await feed.reach(min(after, room.last_seq))
                await self._catch_up(feed, socket, seat, after)
            # No `await` between the end of catching up and here: nothing falls between what was read and what comes.
            if not socket.ended:
                feed.join(socket, seat)
                socket.rooms[room.id] = feed
                socket.write(framed(self.writer.subscribed(ident, room.id, feed.seq, max(feed.here, 1))))
        finally:
            feed.joining -= 1
            self._let_go(feed)

    @staticmethod
    async def _catch_up(feed: Feed, socket: Socket, seat: Seat, after: int) -> None:
        try:
            async with asyncio.timeout(_CATCH_UP):
                await feed.catch_up(socket, seat, after)
        except TimeoutError:
            socket.transport.abort()

    def unsubscribe(self, socket: Socket, room_id: int) -> None:
        """No more of a room."""
        if feed := socket.rooms.pop(room_id, None):
            feed.live.pop(socket, None)
            self._let_go(feed)

    async def close_all(self) -> None:
        """Tell everybody to connect to another process."""
        for socket in list(self.sockets):
            self.end(socket, Close.GOING)

    def end(self, socket: Socket, code: int) -> None:
        """Close a connection: from now on it hears nothing more, however long the goodbye takes."""
        self.leave(socket)
        socket.ended = True
        socket.close(code)

    def later(self, work: Coroutine[object, object, object]) -> None:
        """Do it beside everything else; it is kept until it is done."""
        task = asyncio.create_task(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def enter(self, socket: Socket) -> None:
        """Somebody has connected."""
        self.sockets.add(socket)
        for name in names_of(socket.person):
            self._of.setdefault(name, set()).add(socket)

    def leave(self, socket: Socket) -> None:
        """The connection has ended."""
        for room_id in list(socket.rooms):
            self.unsubscribe(socket, room_id)
        self.sockets.discard(socket)
        for name in names_of(socket.person):
            others = self._of.get(name, set())
            others.discard(socket)
            if not others:
                self._of.pop(name, None)

    def _let_go(self, feed: Feed) -> None:
        if not feed.live and not feed.joining and self.feeds.get(feed.room_id) is feed:
            del self.feeds[feed.room_id]

    def read_moved(self, room_id: int, who: str, seq: int) -> None:
        """Somebody has read on: their other devices learn of it, and in a private room the other side."""
        feed = self.feeds.get(room_id)
        if feed is None:
            return
        everybody = feed.live if feed.kind is RoomKind.PRIVATE else self._of.get(who, ())
        mine, theirs = (framed(self.writer.read(room_id, seq, me=me)) for me in (True, False))
        for socket in list(everybody):
            if seat := feed.live.get(socket):
                socket.write(mine if seat.who == who else theirs)


def names_of(person: Person) -> frozenset[str]:
    """Under which names somebody's entries stand: those of their post, and those they write as a resident."""
    at_home = {f"resident:{person.resident_id}"} if person.resident_id else set()
    return frozenset({person.actor} | at_home)
