"""A callback server on a real socket, a clock that stands still, and a platform between them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from bot.crypto import Cryptor, check_signature
from bot.messages import Message, parse_message
from simulator import Platform

TOKEN = "callback-token"
AES_KEY = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"
APPID = "wx0123456789abcdef"
SECRET = "0123456789abcdef0123456789abcdef"
ACCOUNT = "gh_linli_simulator"
CHEN = "o_sim_resident_chen"


class Clock:
    """The platform's time, moved by the test."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **amount: float) -> None:
        self.time += timedelta(**amount)


Answer = Callable[["Received"], Awaitable[web.Response | bytes | str]]


@dataclass(frozen=True)
class Received:
    """One request that reached the callback, with its message decrypted."""

    query: dict[str, str]
    body: bytes
    message: Message


@dataclass
class Callback:
    """A small account server: opens what comes, keeps it, answers what the test says."""

    mode: str
    received: list[Received] = field(default_factory=list)
    answer: Answer | None = None
    cryptor: Cryptor = field(default_factory=lambda: Cryptor(APPID, TOKEN, [AES_KEY]))

    async def get(self, request: web.Request) -> web.Response:
        query = request.query
        check_signature(query["signature"], TOKEN, query["timestamp"], query["nonce"])
        return web.Response(text=query["echostr"])

    async def post(self, request: web.Request) -> web.StreamResponse:
        query, body = dict(request.query), await request.read()
        check_signature(query["signature"], TOKEN, query["timestamp"], query["nonce"])
        received = Received(query, body, parse_message(self._open(query, body)))
        self.received.append(received)
        answer = await self.answer(received) if self.answer else "success"
        if isinstance(answer, web.StreamResponse):
            return answer
        return web.Response(body=answer.encode() if isinstance(answer, str) else answer)

    def reply(self, received: Received, content: str) -> bytes:
        """A text reply in the account's mode."""
        xml = reply_xml(received.message.openid, content)
        if self.mode == "plain":
            return xml
        query = received.query
        return self.cryptor.seal(xml, timestamp=query["timestamp"], nonce=query["nonce"])

    def always(self, content: str) -> None:
        """Answer every push with this text."""

        async def answer(received: Received) -> bytes:
            return self.reply(received, content)

        self.answer = answer

    def _open(self, query: dict[str, str], body: bytes) -> bytes:
        if query.get("encrypt_type") != "aes":
            return body
        encrypted = body.split(b"<Encrypt><![CDATA[")[1].split(b"]]>")[0].decode()
        check_signature(query["msg_signature"], TOKEN, query["timestamp"], query["nonce"], encrypted)
        return self.cryptor.decrypt(encrypted).body


def reply_xml(openid: str, content: str, kind: str = "text") -> bytes:
    return (
        f"<xml><ToUserName><![CDATA[{openid}]]></ToUserName><FromUserName><![CDATA[{ACCOUNT}]]></FromUserName>"
        f"<CreateTime>1</CreateTime><MsgType><![CDATA[{kind}]]></MsgType>"
        f"<Content><![CDATA[{content}]]></Content></xml>"
    ).encode()


@dataclass
class Api:
    """The account's side: calls the platform's API over HTTP, with a token of its own."""

    session: aiohttp.ClientSession
    base: str
    token: str = ""

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        async with self.session.get(self.base + path, params=self._query(path, query)) as response:
            assert response.status == 200
            return dict(await response.json(content_type=None))

    async def post(self, path: str, body: Any, **query: str) -> dict[str, Any]:
        url = self.base + path
        async with self.session.post(url, data=orjson.dumps(body), params=self._query(path, query)) as response:
            assert response.status == 200
            return dict(await response.json(content_type=None))

    async def raw(self, method: str, path: str, **options: Any) -> tuple[int, str, bytes]:
        options.setdefault("params", self._query(path, {}))
        async with self.session.request(method, self.base + path, **options) as response:
            return response.status, response.content_type, await response.read()

    async def renew(self) -> None:
        """A fresh token, after the clock went on."""
        query = {"grant_type": "client_credential", "appid": APPID, "secret": SECRET}
        self.token = (await self.get("/cgi-bin/token", **query))["access_token"]

    async def send_text(self, openid: str, content: str = "您好") -> int:
        body = {"touser": openid, "msgtype": "text", "text": {"content": content}}
        return int((await self.post("/cgi-bin/message/custom/send", body))["errcode"])

    def _query(self, path: str, query: dict[str, str]) -> dict[str, str]:
        token = {"access_token": self.token} if self.token and not path.startswith("/sns/") else {}
        return token | query


@dataclass
class Stage:
    """Everything a test needs, wired together."""

    platform: Platform
    callback: Callback
    clock: Clock
    api: Api
    page: str
