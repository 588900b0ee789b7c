"""WebSockets as tests hold them: everything somebody has heard, and the next frame of a kind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import aiohttp
import orjson

from domain import consents
from domain.people import Person, find_person
from models.enums import Purpose
from tests.town import Town

Frame = dict[str, Any]


class HungUp(AssertionError):
    """The server closed the connection while the test was waiting for a frame."""


class Line:
    """One open WebSocket. Entries are kept in the order they came."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._heard: list[Frame] = []
        self.entries: list[Frame] = []

    @property
    def numbers(self) -> list[int]:
        """The numbers of the entries heard."""
        return [entry["seq"] for entry in self.entries]

    async def say(self, kind: str, **more: Any) -> str:
        """Send a frame; gives the id under which it is answered."""
        ident = uuid4().hex
        await self.raw(orjson.dumps({"type": kind, "id": ident, **more}).decode())
        return ident

    async def ask(self, kind: str, **more: Any) -> Frame:
        """Send a frame and wait for its answer."""
        ident = await self.say(kind, **more)
        return await self.hear(lambda frame: frame.get("id") == ident)

    async def post(self, room: int, text: str, **more: Any) -> Frame:
        """Say something in a room; gives the entry it became."""
        message = {"client_id": uuid4().hex, "text": text, **more}
        return (await self.ask("post", room=room, message=message))["entry"]

    async def raw(self, text: str | bytes) -> None:
        """Send anything."""
        await (self._socket.send_bytes(text) if isinstance(text, bytes) else self._socket.send_str(text))

    async def hear(self, wanted: str | Callable[[Frame], bool], within: float = 60.0) -> Frame:
        """The next frame of a type, or for which a function says so."""
        fits = wanted if callable(wanted) else lambda frame: frame["type"] == wanted
        async with asyncio.timeout(within):
            while True:
                for place, frame in enumerate(self._heard):
                    if fits(frame):
                        return self._heard.pop(place)
                await self._listen()

    async def hear_up_to(self, last: int, within: float = 60.0) -> list[int]:
        """Wait for the entry with this number; gives the numbers of all heard so far."""
        async with asyncio.timeout(within):
            while not self.entries or self.entries[-1]["seq"] < last:
                await self._listen()
        return self.numbers

    async def ended(self, within: float = 60.0) -> int:
        """Wait until the server hangs up; gives the code it closed with."""
        async with asyncio.timeout(within):
            try:
                while True:
                    await self._listen()
            except HungUp:
                return self._socket.close_code or 1006

    async def hang_up(self) -> None:
        """Close it from this side."""
        await self._socket.close()

    async def _listen(self) -> None:
        message = await self._socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise HungUp(f"closed with {self._socket.close_code}")
        frame = orjson.loads(message.data)
        if frame["type"] == "entry":
            self.entries.append(frame["entry"])
        self._heard.append(frame)


async def agree_to_rooms(town: Town, openid: str) -> Person:
    """This person is over fourteen and agrees that neighbours read what they write."""
    person = await find_person(openid, town.clock())
    await consents.say_age(person, over_fourteen=True, now=town.clock())
    version = consents.texts()[Purpose.ROOM].version
    await consents.give(person, Purpose.ROOM, version, town.clock())
    return person
