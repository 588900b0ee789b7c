"""What a hub does by the clock: looks for entries nobody rang for, closes what no longer stands, counts who is here,
and pings."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol

import structlog

from domain.background import end
from domain.standing import ended_lately, standings
from miniapp_api.hub import Close, Hub, Socket

log = structlog.get_logger(__name__)

_LOOK = 1.0  # seconds between looks at all rooms
_WATCH = 0.4  # seconds between questions whether those connected may still be
_ROTATION = 500  # residents asked about each time; staff are asked about every time
_PRESENCE = 2.0  # seconds between two counts of a room, at least
_PRESENCE_EACH = 500  # and another second for each so many members: a count is written to all of them
_PINGS = 30  # seconds within which every socket is pinged once
_SILENT = 75.0  # seconds after which a socket that sends nothing, not even a pong, is taken for dead
_PING = b"\x89\x00"
_SETTLE = 250  # new sockets after which those that stay are taken out of the garbage collector's sight


class Presence(Protocol):
    """Counts who is in a room over all processes."""

    def counts(self, here: Mapping[int, frozenset[str]]) -> Awaitable[Mapping[int, int]]:
        """`here`: who is in these rooms in this process now. Gives how many are in each anywhere."""
        ...


class Rounds:
    """The clockwork of one hub."""

    def __init__(self, hub: Hub, presence: Presence, now: Callable[[], datetime]) -> None:
        self._hub, self._presence, self._now = hub, presence, now
        self._turn: list[Socket] = []
        self._counted: frozenset[int] = frozenset()  # rooms of which presence was told that somebody is here
        self._ticks = self._settled = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Go round until the context ends."""
        rounds = ((self._hub.look, _LOOK), (self.watch, _WATCH), (self.count, _PRESENCE / 2), (self.tidy, 1.0))
        tasks = [asyncio.create_task(_every(seconds, act)) for act, seconds in rounds]
        try:
            yield
        finally:
            await end(*tasks)

    async def watch(self) -> None:
        """Close the sockets of logins that ended, and of people who are not what they were when they connected."""
        if not self._hub.sockets:
            return
        now = self._now()
        ended = await ended_lately(now)
        asked = {socket for socket in self._hub.sockets if socket.token_id in ended or socket.person.post}
        if not self._turn:
            self._turn = list(self._hub.sockets)
        asked |= {socket for socket in self._turn[-_ROTATION:] if socket in self._hub.sockets}
        del self._turn[-_ROTATION:]
        found = await standings({socket.token_id for socket in asked}, now)
        for socket in asked:
            holds = found.get(socket.token_id)
            if holds != socket.standing:
                self._hub.end(socket, Close.CHANGED if holds else Close.NOT_SIGNED_IN)

    async def count(self) -> None:
        """Tell rooms how many are in them, where that has changed."""
        clock, feeds = asyncio.get_running_loop().time(), self._hub.feeds
        due = [feed for feed in feeds.values() if feed.count_from <= clock]
        for feed in due:
            feed.count_from = clock + max(_PRESENCE, len(feed.live) / _PRESENCE_EACH)
        here = {feed.room_id: frozenset(seat.who for seat in feed.live.values()) for feed in due}
        left: dict[int, frozenset[str]] = {room_id: frozenset() for room_id in self._counted - feeds.keys()}
        self._counted = frozenset((self._counted | here.keys()) & feeds.keys())
        counts = await self._presence.counts(here | left) if here or left else {}
        for feed in due:
            if feed.here != counts[feed.room_id]:
                feed.here = counts[feed.room_id]
                await feed.write(self._hub.writer.presence(feed.room_id, feed.here))

    async def tidy(self) -> None:
        """Ping a part of the sockets; let the collector look no more at what stays."""
        self._ping()
        self._settle()

    def _settle(self) -> None:
        """A full collection looks at everything a socket keeps: with ten thousand of them all stand still for a second.
        A closed one needs no collector, its objects go by themselves."""
        sockets = len(self._hub.sockets)
        if sockets >= self._settled + _SETTLE:
            gc.collect()
            gc.freeze()
            self._settled = sockets
        self._settled = min(self._settled, sockets)

    def _ping(self) -> None:
        """Ping a part of the sockets, a different one each second; cut off those that have long been silent."""
        clock = asyncio.get_running_loop().time()
        for socket in [one for one in self._hub.sockets if one.number % _PINGS == self._ticks % _PINGS]:
            if clock - socket.heard > _SILENT:
                socket.transport.abort()
            else:
                socket.write(_PING)
        self._ticks += 1


async def _every(seconds: float, act: Callable[[], Awaitable[None]]) -> None:
    """For ever; a round that fails (the database is away) is made again at its next time."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await act()
        except Exception as error:  # noqa: BLE001 - whatever it was, the next round sees
            log.warning("hub round failed", error=repr(error))
