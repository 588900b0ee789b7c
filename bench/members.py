"""The members of a room as a load generator has them: thousands of WebSockets in one process, as cheap as can be.

It shares two cores with what it measures. A member knows just enough of the protocol to see whole frames: each entry
is the same bytes for all, so it is parsed once, and each member checks that its number follows the one before.
"""

from __future__ import annotations

import asyncio
import base64
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, cast

import orjson

from bench.stage import BenchFailed

_TEXT, _CLOSE, _PING, _PONG = 0x81, 0x88, 0x89, 0x8A
_ENTRY = b'{"type":"entry"'
_PARALLEL = 64  # handshakes at once: as many as the listening queue takes without a retry


def masked(opcode: int, payload: bytes) -> bytes:
    """A client's frame. The mask is all zeros: it hides nothing here, and costs nothing."""
    length = len(payload)
    head = struct.pack("!BB", opcode, 0x80 | length) if length < 126 else struct.pack("!BBH", opcode, 0xFE, length)
    return head + b"\0\0\0\0" + payload


@dataclass(slots=True)
class Crowd:
    """Everybody in the room, and what has arrived where."""

    members: list[Member] = field(default_factory=list)
    numbers: dict[bytes, int] = field(default_factory=dict)  # the frame of an entry → its number
    arrived: dict[int, int] = field(default_factory=dict)  # number → members who have it
    complete: dict[int, float] = field(default_factory=dict)  # number → when the last member had it
    waiting: dict[int, asyncio.Future[float]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def take(self, member: Member, frame: bytes) -> None:
        """One member has got one entry."""
        number = self.numbers.get(frame)
        if number is None:
            number = int(orjson.loads(frame)["entry"]["seq"])
            self.numbers[frame] = number
        if number != member.last + 1:
            self.faults.append(f"{number} came after {member.last}")
        member.last = number
        count = self.arrived[number] = self.arrived.get(number, 0) + 1
        if count == len(self.members):
            self.complete[number] = perf_counter()
            if (waiter := self.waiting.pop(number, None)) and not waiter.done():
                waiter.set_result(self.complete[number])

    async def everybody_has(self, number: int) -> float:
        """Wait until the last member has the entry; gives when that was."""
        if number in self.complete:
            return self.complete[number]
        self.waiting[number] = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(60):
            return await self.waiting[number]

    async def grow(self, port: int, path: str, tokens: Sequence[str], room: int) -> None:
        """Let more members in, until each is told that it is in."""
        gate = asyncio.Semaphore(_PARALLEL)

        async def join(token: str) -> None:
            async with gate:
                member = Member(self, path, token, room)
                await asyncio.get_running_loop().create_connection(lambda: member, "127.0.0.1", port)
                async with asyncio.timeout(60):
                    await member.joined
                self.members.append(member)

        await asyncio.gather(*(join(token) for token in tokens))

    def forget(self) -> None:
        """Let go of the entries of an ended part."""
        self.numbers.clear()
        self.arrived.clear()

    def close(self) -> None:
        """Everybody hangs up."""
        for member in self.members:
            member.close()


class Member(asyncio.Protocol):
    """One WebSocket: signs in with its header, asks for the room, counts what comes."""

    def __init__(self, crowd: Crowd, path: str, token: str, room: int) -> None:
        self._crowd, self._path, self._token, self._room = crowd, path, token, room
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._open = False
        self.last = 0
        self.joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        head = (
            f"GET {self._path} HTTP/1.1",
            "Host: 127.0.0.1",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            *([f"Authorization: Bearer {self._token}"] if self._token else ()),
        )
        self._transport.write("\r\n".join([*head, "", ""]).encode())

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._fail(f"the server hung up: {exc or 'no error'}")
        self._transport = None

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data, self._rest = self._rest + data, b""
        at, end = 0, len(data)
        if not self._open:
            at = data.find(b"\r\n\r\n") + 4
            if at < 4:
                self._rest = data
                return
            self._opened(data)
        while end - at >= 2:
            length, start = data[at + 1], at + 2
            if length == 126:
                if end - at < 4:
                    break
                length, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            if end < start + length:
                break
            self._frame(data[at], data[start : start + length])
            at = start + length
        self._rest = data[at:]

    def _opened(self, head: bytes) -> None:
        """The handshake has been answered."""
        if b" 101 " not in head[:16]:
            self._fail(f"no WebSocket: {head[:200]!r}")
        self._open = True
        self.say({"type": "subscribe", "room": self._room})

    def _frame(self, opcode: int, payload: bytes) -> None:
        if payload.startswith(_ENTRY):
            self._crowd.take(self, payload)
        elif opcode == _PING:
            self._write(masked(_PONG, payload))
        elif opcode == _TEXT:
            self._told(orjson.loads(payload))
        else:
            self._fail(f"frame {opcode:#x}: {payload!r}")

    def _told(self, said: dict[str, Any]) -> None:
        if said["type"] == "subscribed" and not self.joined.done():
            self.last = said["seq"]
            self.joined.set_result(None)
        elif said["type"] == "posted":
            self._answers.pop(int(said["id"])).set_result(said)
        elif said["type"] == "error":
            self._fail(str(said))

    def say(self, frame: dict[str, Any]) -> None:
        """Send one frame."""
        self._write(masked(_TEXT, orjson.dumps(frame)))

    def _write(self, data: bytes) -> None:
        if self._transport:
            self._transport.write(data)

    async def post(self, number: int, text: str) -> int:
        """Say something; gives its number in the room."""
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        message = {"client_id": f"bench-{number}", "text": text}
        self.say({"type": "post", "id": str(number), "room": self._room, "message": message})
        async with asyncio.timeout(60):
            return int((await answer)["entry"]["seq"])

    def _fail(self, what: str) -> None:
        self._crowd.faults.append(what)
        if not self.joined.done():
            self.joined.set_exception(BenchFailed(what))
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(BenchFailed(what))

    def close(self) -> None:
        """Hang up."""
        transport, self._transport = self._transport, None
        if transport:
            transport.abort()
