"""Carries pushes to the callback: signs and seals them, waits five seconds, tries three times, judges the
answer."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random
from typing import Any, Final, Literal

import aiohttp
import orjson

from bot.crypto import Cryptor, signature
from errors import Unavailable
from simulator.answers import Answer, AnswerError, AnswerReader
from simulator.config import SimulatorConfig
from simulator.faults import Faults, MarkFail, Overtaking
from simulator.links import Segment, segments
from simulator.markup import write_xml

TRIES: Final = 3
ANSWER_WITHIN: Final = 5.0
"""Seconds an answer may take."""
MAX_ANSWER: Final = 256 * 1024
CONTROL: Final = "\x1d"

Outcome = Literal["reply", "silent", "fault"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one push."""

    outcome: Outcome
    text: str = ""
    """The reply as the user reads it, links as their labels."""
    kind: str = ""
    """Message type of the reply, "" without one."""
    xml: str = ""
    """The reply's XML after decryption, or the raw body of a bad answer."""
    attempts: int = 0
    seconds: float = 0.0
    """From the first byte out to the answer that counted."""
    msg_id: int | None = None
    reason: str = ""
    """Why the user sees the fault line, or nothing."""
    links: tuple[Segment, ...] = ()
    """Web links and taps inside the reply, in order."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    copies: tuple["Delivery", ...] = ()
    """All copies of a duplicated push, this one included."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The GET check of the callback address; `reason` says what was wrong."""

    ok: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Envelope:
    query: Mapping[str, str]
    body: bytes
    openid: str


class Courier:
    """The way from one account's followers to its callback. Opened and closed with the platform."""

    def __init__(self, config: SimulatorConfig, faults: Faults, now: Callable[[], datetime], random: Random) -> None:
        self.answer_within = ANSWER_WITHIN
        self._config = config
        self._faults = faults
        self._now = now
        self._random = random
        self._mark_fail = MarkFail()
        self._overtaking = Overtaking()
        self._session: aiohttp.ClientSession | None = None
        sealed = config.mode != "plain"
        self._cryptor = Cryptor(config.appid, config.token, [config.aes_key]) if sealed else None
        self._reader = AnswerReader(config, self._cryptor)

    async def open(self) -> None:
        """Make the shared client session. The caller bounds concurrency, so the pool does not queue requests:
        time spent waiting for a connection would count against the five seconds."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
        )

    async def close(self) -> None:
        """Close the client session."""
        if self._session is not None:
            await self._session.close()

    async def verify(self) -> Verification:
        """The GET check of the server settings."""
        echo = str(self._random.randrange(10**17, 10**18))
        try:
            async with self._client().get(
                self._config.callback_url,
                params={**self._signed_query(), "echostr": echo},
                timeout=aiohttp.ClientTimeout(self.answer_within),
            ) as response:
                text = (await response.content.read(200)).decode(errors="replace")
                status = response.status
        except (TimeoutError, aiohttp.ClientError) as error:
            return Verification(False, f"连不上回调地址：{_reason(error)}")
        if status != 200 or text != echo:
            return Verification(False, f"回调没有原样返回 echostr（HTTP {status}）")
        return Verification(True)

    async def deliver(self, openid: str, fields: Mapping[str, Any]) -> Delivery:
        """Push to the callback under the present faults, and judge what came back. Never raises for what the
        callback does."""
        msg_id = fields.get("MsgId")
        if self._faults.mark_fail and self._mark_fail.stopped(self._now()):
            return Delivery("fault", msg_id=msg_id, reason="多次失败，推送已暂停 1 分钟（MarkFail）")
        envelope = self._seal(openid, fields)
        overtaken = None
        if self._faults.reorder:
            overtaken = await self._overtaking.enter(self._faults.reorder_wait)
        try:
            delivery = await self._deliver_copies(envelope)
        finally:
            if overtaken is not None:
                overtaken.set()
        if delivery.outcome == "fault":
            self._mark_fail.note_failure(self._now())
        return replace(delivery, msg_id=msg_id)

    async def _deliver_copies(self, envelope: _Envelope) -> Delivery:
        """The user sees one answer however many copies went out: the first copy's."""
        count = max(1, self._faults.duplicates)
        if count == 1:
            return await self._try_thrice(envelope, 0.0)
        spacing = self._faults.duplicate_spacing
        copies = await asyncio.gather(*(self._try_thrice(envelope, n * spacing) for n in range(count)))
        return replace(copies[0], copies=tuple(copies))

    async def _try_thrice(self, envelope: _Envelope, delay: float) -> Delivery:
        """One copy. Only a missing answer is asked for again (assumption: a bad answer is final); the retry
        is identical to the byte (assumption, the hardest case for a replay guard)."""
        if delay:
            await asyncio.sleep(delay)
        clock = asyncio.get_running_loop().time
        started, reason, tries = clock(), "", 0
        for tries in range(1, TRIES + 1):  # the count goes into the result
            try:
                status, body = await self._post(envelope)
            except (TimeoutError, aiohttp.ClientError) as error:
                reason = _reason(error)
                continue
            if self._faults.take_dropped_answer():
                reason = f"{self.answer_within:g} 秒内没有回应（模拟）"
                continue
            delivery = self._judge(status, body, envelope.openid)
            return replace(delivery, attempts=tries, seconds=clock() - started)
        return Delivery("fault", attempts=tries, seconds=clock() - started, reason=reason)

    async def _post(self, envelope: _Envelope) -> tuple[int, bytes]:
        async with self._client().post(
            self._config.callback_url,
            params=envelope.query,
            data=envelope.body,
            headers={"Content-Type": f"text/{self._config.push_format}"},
            timeout=aiohttp.ClientTimeout(self.answer_within),
            allow_redirects=False,
        ) as response:
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > MAX_ANSWER:
                    break
            return response.status, bytes(body)

    def _judge(self, status: int, body: bytes, openid: str) -> Delivery:
        try:
            answer = self._reader.read(status, body, openid)
        except AnswerError as error:
            return Delivery("fault", xml=body[:2000].decode(errors="replace"), reason=str(error))
        return _delivered(answer)

    def _seal(self, openid: str, fields: Mapping[str, Any]) -> _Envelope:
        """The request of a push in the account's mode."""
        if self._faults.control_characters and "Content" in fields:
            fields = {**fields, "Content": f"{CONTROL}{fields['Content']}\x10"}
        query = {**self._signed_query(), "openid": openid}
        if self._cryptor is None:
            return _Envelope(query, self._write(fields), openid)
        encrypted = self._cryptor.encrypt(self._write(fields))
        query["encrypt_type"] = "aes"
        query["msg_signature"] = signature(self._config.token, query["timestamp"], query["nonce"], encrypted)
        outer = {"ToUserName": self._config.account} if self._config.mode == "safe" else dict(fields)
        return _Envelope(query, self._write({**outer, "Encrypt": encrypted}), openid)

    def _write(self, fields: Mapping[str, Any]) -> bytes:
        return orjson.dumps(fields) if self._config.push_format == "json" else write_xml(fields).encode()

    def _signed_query(self) -> dict[str, str]:
        timestamp = str(int(self._now().timestamp()))
        nonce = str(self._random.randrange(10**8, 10**10))
        signed = signature(self._config.token, timestamp, nonce)
        return {"signature": signed, "timestamp": timestamp, "nonce": nonce}

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise Unavailable("the platform is not open: use it as an async context manager")
        return self._session


def _delivered(answer: Answer) -> Delivery:
    if not answer.kind:
        return Delivery("silent", xml=answer.xml, reason=answer.note)
    return Delivery(
        "reply",
        text=answer.shown,
        kind=answer.kind,
        xml=answer.xml,
        links=tuple(segment for segment in segments(answer.text) if segment.kind != "text"),
        fields=answer.fields or {},
    )


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "5 秒内没有回应"
    return f"连接失败：{type(error).__name__}"
