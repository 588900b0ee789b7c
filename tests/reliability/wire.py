"""A WeChat of the tests' own: requests to a callback, well made or deliberately not, sent as often as a test wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count

import aiohttp

from bot.config import WeChatConfig
from bot.crypto import Cryptor, signature
from bot.wire import cdata, encrypted_part, parse_body

ACCOUNT = "gh_linli_simulator"
_IDS = count(9_100_000_000_000_000_000)


@dataclass(frozen=True, slots=True)
class Post:
    """One request to the callback. `method` and `body` may be anything a test makes of them."""

    query: Mapping[str, str]
    body: bytes
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "text/xml"})


@dataclass(frozen=True, slots=True)
class Got:
    """What the callback answered; `text` is the reply as opened, "" for `success` and for refusals."""

    status: int
    body: bytes
    text: str = ""


def message(openid: str, kind: str, at: datetime, inner: str = "", *, msg_id: int | None = 0) -> bytes:
    """The XML of a push; `msg_id` 0 = a new one, None = none, as events have it."""
    number = next(_IDS) if msg_id == 0 else msg_id
    id_ = "" if number is None else f"<MsgId>{number}</MsgId>"
    return (
        f"<xml><ToUserName>{cdata(ACCOUNT)}</ToUserName><FromUserName>{cdata(openid)}</FromUserName>"
        f"<CreateTime>{int(at.timestamp())}</CreateTime><MsgType>{cdata(kind)}</MsgType>{inner}{id_}</xml>"
    ).encode()


def text(openid: str, content: str, at: datetime, *, msg_id: int | None = 0) -> bytes:
    """A text message."""
    return message(openid, "text", at, f"<Content>{cdata(content)}</Content>", msg_id=msg_id)


def event(openid: str, name: str, at: datetime, inner: str = "") -> bytes:
    """An event; `inner` is the rest of its XML."""
    return message(openid, "event", at, f"<Event>{cdata(name)}</Event>{inner}", msg_id=None)


class WeChat:
    """Seals, signs and posts for one account."""

    def __init__(self, config: WeChatConfig, session: aiohttp.ClientSession, *urls: str) -> None:
        self.config = config
        self._session = session
        self._urls: Sequence[str] = [f"{url}/wechat/callback" for url in urls]

    def cryptor(self) -> Cryptor:
        """With the current key."""
        return Cryptor(self.config.appid, self.config.token, [self.config.aes_key])

    def seal(self, xml: bytes, at: datetime, nonce: str = "1320562132") -> Post:
        """The request WeChat makes of this XML in the account's mode."""
        timestamp = str(int(at.timestamp()))
        query = {"timestamp": timestamp, "nonce": nonce, "signature": signature(self.config.token, timestamp, nonce)}
        if self.config.mode == "plain":
            return Post(query, xml)
        encrypted = self.cryptor().encrypt(xml)
        signed = signature(self.config.token, timestamp, nonce, encrypted)
        query |= {"encrypt_type": "aes", "msg_signature": signed, "openid": "o"}
        if self.config.mode == "compatible":
            body = xml.removesuffix(b"</xml>") + f"<Encrypt>{cdata(encrypted)}</Encrypt></xml>".encode()
        else:
            body = f"<xml><ToUserName>{cdata(ACCOUNT)}</ToUserName><Encrypt>{cdata(encrypted)}</Encrypt></xml>".encode()
        return Post(query, body)

    async def post(self, request: Post, process: int = 0) -> Got:
        """Send it to one of the processes. WeChat waits for five seconds; a busy machine may need longer."""
        async with self._session.request(
            request.method,
            self._urls[process],
            params=request.query,
            data=request.body,
            headers=request.headers,
            timeout=aiohttp.ClientTimeout(30),
        ) as response:
            body = await response.read()
            return Got(response.status, body, self._open(response.status, body))

    async def push(self, xml: bytes, at: datetime, process: int = 0) -> Got:
        """Seal and send."""
        return await self.post(self.seal(xml, at), process)

    def _open(self, status: int, body: bytes) -> str:
        if status != 200 or not body.startswith(b"<xml>"):
            return ""
        envelope = parse_body(body)
        encrypted = encrypted_part(envelope)
        if encrypted:
            envelope = parse_body(self.cryptor().decrypt(encrypted).body)
        return str(envelope["Content"])

    def with_(self, **changes: str) -> WeChat:
        """The same account with other credentials: what an impostor has."""
        other = WeChat(replace(self.config, **changes), self._session)
        other._urls = self._urls
        return other
