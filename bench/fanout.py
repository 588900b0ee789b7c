"""The peers of the rooms bench: the same WebSocket talk with no database, no identity and no memory behind it.

`aiohttp` is the loop everybody writes first, `await socket.send_str(text)` for each member; `websockets` is that
library's own `broadcast`. Run as `python -m bench.fanout aiohttp|websockets PORT`.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import orjson
import uvloop
import websockets
from aiohttp import WSMsgType, web
from websockets.asyncio.server import ServerConnection, serve

#: What an entry of a room looks like, but for its number and text.
_ENTRY: dict[str, Any] = {
    "id": 1000001,
    "room": 1,
    "seq": 0,
    "kind": "text",
    "state": "shown",
    "author": {"label": "邻居0007", "badges": [], "staff": False, "me": False, "handle": "m1000001"},
    "text": "",
    "file": "",
    "position": None,
    "mentions": [],
    "reply_to": None,
    "target": None,
    "at": "2026-11-20T02:00:00.000000Z",
    "case": "",
    "why": "",
    "client_id": "",
    "intent": "",
    "hint": None,
}


class Counter:
    """Numbers the entries."""

    def __init__(self) -> None:
        self._last = 0

    def entry(self, post: dict[str, Any]) -> tuple[str, str]:
        """(what all members get, what the sender is answered)."""
        self._last += 1
        entry = _ENTRY | {"id": 1000000 + self._last, "seq": self._last, "text": post["message"]["text"]}
        everybody = orjson.dumps({"type": "entry", "entry": entry})
        answer = orjson.dumps({"type": "posted", "id": post["id"], "entry": entry})
        return everybody.decode(), answer.decode()

    def subscribed(self, ask: dict[str, Any]) -> str:
        """The answer to who wants to be in."""
        return orjson.dumps({"type": "subscribed", "room": ask["room"], "seq": self._last}).decode()


async def serve_aiohttp(port: int) -> None:
    """The bare loop."""
    counter, members = Counter(), set[web.WebSocketResponse]()

    async def room(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            asked = orjson.loads(message.data)
            if asked["type"] == "subscribe":
                members.add(socket)
                await socket.send_str(counter.subscribed(asked))
                continue
            everybody, answer = counter.entry(asked)
            await socket.send_str(answer)
            for member in members:
                await member.send_str(everybody)
        members.discard(socket)
        return socket

    app = web.Application()
    app.router.add_get("/", room)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    await _ready()


async def serve_websockets(port: int) -> None:
    """The library's broadcast."""
    counter, members = Counter(), set[ServerConnection]()

    async def room(socket: ServerConnection) -> None:
        async for message in socket:
            asked = orjson.loads(message)
            if asked["type"] == "subscribe":
                members.add(socket)
                await socket.send(counter.subscribed(asked))
                continue
            everybody, answer = counter.entry(asked)
            await socket.send(answer)
            websockets.broadcast(members, everybody)
        members.discard(socket)

    async with serve(room, "127.0.0.1", port, compression=None, ping_interval=None, backlog=1024):
        await _ready()


async def _ready() -> None:
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run({"aiohttp": serve_aiohttp, "websockets": serve_websockets}[sys.argv[1]](int(sys.argv[2])))
