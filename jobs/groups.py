"""Entries of rooms for groups on other platforms: the outbox's handler of GROUP jobs.

A WeCom group robot takes texts of 2,048 bytes and markdown of 4,096, twenty messages a minute; who sends more is
refused (45009). So answers that wait go together, and what is over waits for the next minute. Other platforms get each
entry as signed JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import orjson

from bot.outbox import Done, Job, TryLater, parked, sent
from bot.replies import plain, split_text
from domain.connectors import url_fault
from domain.groups import A_MINUTE, Outgoing, compose, sent_since
from jobs.posts import SignedPosts, post_json

TEXT_BYTES, MARKDOWN_BYTES = 2048, 4096
A_MINUTES_MESSAGES = 20
_MENTIONS = 20  # people in one message
_TOO_OFTEN = 45009
_BUSY = (-1, 45033)
_SHORTEST, _LONGEST = timedelta(seconds=30), timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A job with what it sends."""

    job: Job
    entry: Outgoing


class Groups:
    """Sends what is due to each group, in its order."""

    def __init__(
        self, session: aiohttp.ClientSession, *, now: Callable[[], datetime], plain_http: bool = False
    ) -> None:
        self._session = session
        self._signed = SignedPosts(session, now=now)
        self._now = now
        self._plain_http = plain_http

    async def __call__(self, jobs: Sequence[Job], end: Callable[[Job, Done], None]) -> None:
        """All claimed jobs of one group. Raises TryLater when the rest must wait."""
        ready: list[_Ready] = []
        for job in jobs:
            entry = await compose(job.payload)
            if entry is None:
                end(job, parked("群已停用，或这条消息不再显示，没有发送"))
            elif fault := url_fault(entry.url, plain_http=self._plain_http):
                end(job, parked(fault))
            else:
                ready.append(_Ready(job, entry))
        if ready and ready[0].entry.platform == "wecom":
            await self._to_robot(ready, end)
        else:
            for one in ready:
                end(one.job, await self._sign(one))

    async def _to_robot(self, ready: Sequence[_Ready], end: Callable[[Job, Done], None]) -> None:
        """Messages of the robot, as few as there can be, no more in a minute than it may send."""
        now = self._now()
        left = A_MINUTES_MESSAGES - await sent_since(ready[0].entry.link, now - A_MINUTE)
        for part in _gathered(ready):
            messages = _messages([one.entry for one in part])
            if left < len(messages):
                raise TryLater(f"{part[0].entry.name} 一分钟最多 {A_MINUTES_MESSAGES} 条，下一分钟再发", A_MINUTE)
            left -= len(messages)
            refused = ""
            for message in messages:
                refused = refused or await self._post(part[0], message)
            for place, one in enumerate(part):
                used = len(messages) if place == 0 else 0
                end(one.job, parked(refused) if refused else sent("wecom", used))

    async def _post(self, first: _Ready, message: dict[str, Any]) -> str:
        """Post one message; why the robot does not take it, "" when it did. Raises TryLater for what passes."""
        name = first.entry.name
        try:
            status, said = await post_json(self._session, first.entry.url, message)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._later(first.job, f"{name} 连不上：{type(error).__name__}") from error
        if status in (408, 425, 429) or status >= 500:
            raise self._later(first.job, f"{name} 答复 {status}")
        code, why = _verdict(said) if status == 200 else (status, "")
        if code == _TOO_OFTEN:
            raise TryLater(f"{name} 发得太密（{code}）", A_MINUTE)
        if code in _BUSY:
            raise self._later(first.job, f"{name} 忙（{code}）")
        return f"{name} 不接受（{code}）：{why}"[:200] if code else ""

    async def _sign(self, one: _Ready) -> Done:
        entry = one.entry
        content = {
            "at": entry.at,
            "kind": "announcement" if entry.announcement else "reply",
            "author": entry.author,
            "text": entry.text,
            "mention": entry.mention or None,
            "reply_to": entry.reply_to or None,
            "case": entry.case_number or None,
        }
        try:
            status, said = await self._signed(entry.url, entry.secret, f"linli-{one.job.id}", content)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._later(one.job, f"{entry.name} 连不上：{type(error).__name__}") from error
        if status in (408, 425, 429) or status >= 500:
            raise self._later(one.job, f"{entry.name} 答复 {status}")
        if not 200 <= status < 300:
            return parked(f"{entry.name} 不接受（{status}）：{said[:120].decode(errors='replace')}")
        return sent("signed", 1)

    async def test(self, name: str, url: str, secret: str, platform: str) -> str:
        """Send a test message; what went wrong, "" for nothing."""
        if fault := url_fault(url, plain_http=self._plain_http):
            return fault
        try:
            if platform == "wecom":
                status, said = await post_json(self._session, url, _text("邻里测试消息：这个群已连上网格群。", []))
            else:
                status, said = await self._signed(url, secret, "linli-test", {"test": True})
        except (aiohttp.ClientError, TimeoutError) as error:
            return f"{name}: {type(error).__name__} {error}"
        code, why = _verdict(said) if platform == "wecom" and status == 200 else (0, "")
        if code:
            return f"{name}: the robot answered {code} {why}"
        return "" if 200 <= status < 300 else f"{name} answered {status}: {said[:200].decode(errors='replace')}"

    def _later(self, job: Job, reason: str) -> TryLater:
        """Twice as long after each try, at most a quarter of an hour; the outbox gives up after a day."""
        return TryLater(reason, min(max(_SHORTEST, self._now() - job.created_at), _LONGEST))


def _gathered(ready: Sequence[_Ready]) -> list[list[_Ready]]:
    """Answers that follow one another and fit into one text go together; an announcement stands alone."""
    parts: list[list[_Ready]] = []
    size = 0
    for one in ready:
        length = len(_shown(one.entry).encode()) + 2
        last = parts[-1] if parts else []
        together = bool(last) and not last[-1].entry.announcement and not one.entry.announcement
        if together and size + length <= TEXT_BYTES and len(last) < _MENTIONS:
            last.append(one)
            size += length
        else:
            parts.append([one])
            size = length
    return parts


def _shown(entry: Outgoing) -> str:
    return plain(entry.line)


def _messages(entries: Sequence[Outgoing]) -> list[dict[str, Any]]:
    """What the robot is sent for them."""
    if entries[0].announcement:
        head = f"**群公告**　{plain(entries[0].author)}\n"
        parts = split_text(plain(entries[0].text), MARKDOWN_BYTES - len(head.encode()))
        return [{"msgtype": "markdown", "markdown": {"content": f"{head}{part}"}} for part in parts]
    mentioned = list(dict.fromkeys(entry.mention for entry in entries if entry.mention))
    parts = split_text("\n\n".join(_shown(entry) for entry in entries), TEXT_BYTES)
    return [_text(part, mentioned if place == 0 else []) for place, part in enumerate(parts)]


def _text(content: str, mentioned: Sequence[str]) -> dict[str, Any]:
    return {"msgtype": "text", "text": {"content": content, "mentioned_list": list(mentioned)}}


def _verdict(said: bytes) -> tuple[int, str]:
    """(errcode, errmsg) of a robot's answer; what cannot be read is taken for a busy one."""
    try:
        answer = orjson.loads(said)
        return int(answer["errcode"]), str(answer.get("errmsg", ""))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return _BUSY[0], "no JSON"
