"""`GET /api/v1/ws`: a room as it happens. Who somebody is comes from their token alone, with the handshake or in the
first frame; docs/rooms.md describes every frame."""

from __future__ import annotations

import asyncio
from socket import SO_SNDBUF, SOL_SOCKET
from typing import cast

from aiohttp import WSMessage, WSMsgType, web

from domain import room_messages
from domain.journal import audit
from domain.people import Person
from domain.rooms import sit
from domain.second_try import once_more
from domain.standing import standings
from errors import BadRequest, LinliError, NotSignedIn
from miniapp_api import frames
from miniapp_api.answers import told
from miniapp_api.frames import MOST_BYTES, Ask, Ping, Post, Read, SignIn, Subscribe, Unsubscribe
from miniapp_api.hub import Close, Socket, framed
from miniapp_api.kernel import Call, Routes
from miniapp_api.rooms import speak

routes = Routes("socket")

_SIGN_IN_SECONDS = 5.0
_CLOSE_SECONDS = 3.0  # for the other side to say goodbye
_FRESH = 0.5  # seconds for which it holds who somebody is
_SEND_BUFFER = 64 * 1024  # bytes the system may hold for one client that does not read
_WINDOW, _MOST_FRAMES = 10.0, 200  # seconds, and frames of one socket within them


@routes.get("/ws", rule="socket:open", status=101, errors=(400, 401))
async def connect(call: Call, request: web.Request) -> web.WebSocketResponse:
    """A room as it happens, over a WebSocket.

    Sign in with the header, or with the first frame: `{"type": "sign_in", "token": "ll_…"}`.
    """
    if call.token is None and "Authorization" in request.headers:
        raise NotSignedIn("token")
    line = web.WebSocketResponse(
        autoping=False, compress=False, max_msg_size=MOST_BYTES, timeout=_CLOSE_SECONDS, writer_limit=0
    )
    await line.prepare(request)
    line.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_SNDBUF, _SEND_BUFFER)
    await _Talk(call, line, cast("asyncio.Transport", request.transport)).run()
    return line


class _Talk:
    """One connection, from the handshake to the end."""

    __slots__ = ("_call", "_clock", "_desk", "_first", "_frames", "_hub", "_line", "_sure", "_transport", "_window")

    def __init__(self, call: Call, line: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        self._call, self._desk, self._line, self._transport = call, call.desk, line, transport
        self._hub, self._clock = call.desk.hub, asyncio.get_running_loop().time
        self._window, self._frames, self._first = 0.0, 0, ""
        self._sure = self._clock()  # when it was last seen that they are who they were

    async def run(self) -> None:
        """Sign in, then answer frames until either side hangs up."""
        try:
            person, token_id = await self._sign_in()
        except Exception as error:  # noqa: BLE001 - the handshake is over: the answer is a frame
            await self._send(frames.failed(self._first, self._told(error), self._call.request_id))
            await self._line.close(code=Close.NOT_SIGNED_IN)
            return
        socket = Socket(self._transport, person, token_id, self._close, self._send)
        self._hub.enter(socket)
        try:
            socket.write(framed(frames.WELCOME))
            async for message in self._line:
                socket.heard = self._clock()
                await self._take(socket, message)
        finally:
            self._hub.leave(socket)

    async def _sign_in(self) -> tuple[Person, int]:
        """Who it is. Raises NotSignedIn, BadRequest, TooMany, Unavailable."""
        if self._call.token:
            return self._call.person, self._call.token.id
        try:
            async with asyncio.timeout(_SIGN_IN_SECONDS):
                message = await self._line.receive()
        except TimeoutError:
            raise NotSignedIn("no token in time") from None
        if message.type is WSMsgType.TEXT:
            self._first = frames.ident_of(message.data)
        ask = frames.read_ask(message.data) if message.type is WSMsgType.TEXT else None
        if not isinstance(ask, SignIn):
            raise NotSignedIn("no token first")
        person, token = await self._desk.find_token(ask.token, self._desk.now())
        await self._limit(person)
        return person, token.id

    def _told(self, error: Exception) -> LinliError:
        return told(error, "/api/v1/ws", self._call.request_id, self._desk.away)

    async def _limit(self, person: Person) -> None:
        await self._desk.limit("staff" if person.post else "user", person.actor)

    async def _send(self, text: bytes) -> None:
        await self._line.send_frame(text, WSMsgType.TEXT)

    def _close(self, code: int) -> None:
        self._hub.later(self._line.close(code=code))

    async def _take(self, socket: Socket, message: WSMessage) -> None:
        if message.type is WSMsgType.PING:
            await self._line.pong(message.data)
        elif message.type is WSMsgType.BINARY:
            self._hub.end(socket, Close.UNREADABLE)
        elif message.type is WSMsgType.TEXT:
            if self._is_flood():
                self._hub.end(socket, Close.TOO_MANY)
            else:
                await self._answer(socket, message.data)

    def _is_flood(self) -> bool:
        """Whether this frame is one too many; what costs something is counted over all processes besides."""
        clock = self._clock()
        if clock - self._window > _WINDOW:
            self._window, self._frames = clock, 0
        self._frames += 1
        return self._frames > _MOST_FRAMES

    async def _answer(self, socket: Socket, text: str) -> None:
        try:
            ask = frames.read_ask(text)
            answer = await once_more(lambda: self._act(socket, ask))
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer in our shape
            fault = self._told(error)
            await self._audit_refusal(socket.person, fault)
            answer = frames.failed(frames.ident_of(text), fault, self._call.request_id)
        if answer:
            socket.write(framed(answer))

    async def _act(self, socket: Socket, ask: Ask) -> bytes | None:
        """Do what was asked; gives the answer, where the hub has not sent it. Raises as the domain does."""
        if isinstance(ask, Ping):
            return frames.done("pong", ask.id)
        if isinstance(ask, Unsubscribe):
            self._hub.unsubscribe(socket, ask.room)
            return frames.done("unsubscribed", ask.id, room=ask.room)
        await self._check(socket)
        if isinstance(ask, Subscribe):
            member = await sit(socket.person, ask.room)
            if ask.after is not None and ask.after < member.room.last_seq:
                await self._limit(socket.person)
            await self._hub.subscribe(socket, member, ask.after, ask.id)
            return None
        if isinstance(ask, Post):
            return await self._post(socket, ask)
        if isinstance(ask, Read):
            seq = await room_messages.mark_read(socket.person, ask.room, ask.seq)
            return frames.done("read", ask.id, room=ask.room, seq=seq, me=True)
        raise BadRequest("signed in already", say="已经登录了，不用再登录。")

    async def _post(self, socket: Socket, ask: Post) -> bytes:
        await self._limit(socket.person)
        message = await speak(socket.person, ask.room, ask.message, self._desk.now(), self._call.source)
        await self._desk.wake()
        return frames.posted(ask.id, message)

    async def _check(self, socket: Socket) -> None:
        """Nobody acts with a login that has ended, or as who they no longer are. Raises NotSignedIn."""
        if self._clock() - self._sure < _FRESH:
            return
        found = await standings([socket.token_id], self._desk.now())
        if found.get(socket.token_id) != socket.standing:
            self._hub.end(socket, Close.CHANGED if found else Close.NOT_SIGNED_IN)
            raise NotSignedIn("no longer")
        self._sure = self._clock()

    async def _audit_refusal(self, person: Person, error: LinliError) -> None:
        """A refused attempt leaves a row, as over HTTP."""
        if tag := error.data.get("tag"):
            now, place = self._desk.now(), error.data.get("object_id")
            await audit(person.actor, str(tag)[:40], place, now, allowed=False, source=self._call.source)
