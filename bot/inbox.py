"""Every message is stored once, in the transaction that carries its effect and its reply.

*Acknowledged means committed.* A second delivery of the same message waits for the first (the unique key
makes PostgreSQL wait) and gets the same reply. A handler that fails loses nothing: its work is rolled back,
the message is kept as failed, and the worker tries it again with growing pauses, five times in all, then
parks it for staff.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from bot.messages import Kind, Message, Reply, parse_message
from bot.replies import plain, render
from bot.router import Turn
from bot.wire import printable
from errors import LinliError
from models.database import fetch, from_json, is_away, once_more, to_json, transaction
from models.enums import OutboxKind

log = structlog.get_logger(__name__)

Dispatch = Callable[[Turn], Awaitable[Reply | None]]
Refused = Callable[[Turn, LinliError], Awaitable[None]]

MAX_TRIES = 5
#: Pause before the second, third … try.
PAUSES = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
#: Events after which WeChat lets us send three service messages within a minute (wechat.md §2.1).
_CLICKS = {"click", "scan", "subscribe", "scancode_push", "scancode_waitmsg"}
LATE_REPLY = "收到了。系统忙，稍等一会儿就回复您。急事请直接打社区值班电话。"
GIVEN_UP = "刚才那条消息系统没能处理好，管理员已经看到。\n请换个说法再发一次，急事请直接打社区值班电话。"

# One statement stores the message and takes the person's conversation row, locked until commit: one message
# of one person at a time. It gives no row when the message is known already.
_OPEN = """
WITH stored AS (
    INSERT INTO inbox (dedupe_key, openid, kind, body, state, tries, error, received_at)
    VALUES ($1, $2::text, $3, $4, 'done', 1, '', $5) ON CONFLICT (dedupe_key) DO NOTHING RETURNING id
)
INSERT INTO conversation AS c (openid, state, data, last_message_at, last_click_at, updated_at)
SELECT $2::text, '', '{}'::jsonb, $6, $7, $5 FROM stored
ON CONFLICT (openid) DO UPDATE SET
    last_message_at = CASE WHEN $8 THEN NULL ELSE greatest(c.last_message_at, $6) END,
    last_click_at = CASE WHEN $8 THEN NULL ELSE greatest(c.last_click_at, $7) END
RETURNING c.state, c.data, (SELECT id FROM stored) AS inbox_id
"""

_REOPEN = """
WITH stored AS (
    SELECT id FROM inbox WHERE id = $1 AND state = 'failed' AND due_at <= $2 FOR UPDATE SKIP LOCKED
)
SELECT c.state, c.data, stored.id AS inbox_id FROM stored, conversation c WHERE c.openid = $3 FOR UPDATE OF c
"""

_CLOSE = """
WITH talked AS (UPDATE conversation SET state = $3, data = $4::jsonb, updated_at = $5 WHERE openid = $2)
UPDATE inbox SET reply = $6, state = 'done', error = '' WHERE id = $1
"""


@dataclass(frozen=True, slots=True)
class Inbox:
    """`dispatch` runs the handlers; `refused` leaves the audit row of an attempt that was not allowed."""

    dispatch: Dispatch
    refused: Refused

    async def take(self, message: Message, body: bytes, now: datetime) -> str | None:
        """Handle one message and give the text of the passive reply; None means `success`."""
        try:
            return await once_more(lambda: self._take(message, body, now))
        except LinliError as error:
            return await self._answer_refusal(message, body, now, error)
        except Exception as error:
            # A statement that PostgreSQL refused is a failed handler like any other. Only with the database away the
            # error goes up: nothing is kept, so the message must come again.
            if is_away(error):
                raise
            reply = await self._keep_failed(message, body, now, error)
            log.exception("handler failed", kind=message.kind, msg_id=message.msg_id)
            return reply

    async def _take(self, message: Message, body: bytes, now: datetime) -> str | None:
        async with transaction():
            rows = await fetch(_OPEN, *_opening(message, body, now))
            if not rows:
                return await _stored_reply(message)
            return await self._work(_turn(message, rows[0], now))

    async def _work(self, turn: Turn) -> str | None:
        reply = await self.dispatch(turn)
        text = _render(reply)
        await _close(turn, text)
        return text

    async def _answer_refusal(self, message: Message, body: bytes, now: datetime, error: LinliError) -> str | None:
        """The domain said no: nothing of the attempt stays but its audit row and the sentence for the
        person."""
        async with transaction():
            rows = await fetch(_OPEN, *_opening(message, body, now))
            if not rows:
                return await _stored_reply(message)
            turn = _turn(message, rows[0], now)
            await self.refused(turn, error)
            text = _render(Reply(error.in_chat))
            await _close(turn, text)
            return text

    async def _keep_failed(self, message: Message, body: bytes, now: datetime, error: Exception) -> str | None:
        reply = LATE_REPLY if _awaits_answer(message) else None
        async with transaction():
            rows = await fetch(_OPEN, *_opening(message, body, now))
            if not rows:
                return await _stored_reply(message)
            await fetch(
                "UPDATE inbox SET state = 'failed', error = $4, due_at = $2, reply = $3 WHERE id = $1",
                rows[0]["inbox_id"],
                now + PAUSES[0],
                reply,
                _reason(error),
            )
            return reply

    async def retry_failed(self, now: datetime, limit: int = 20) -> int:
        """Try failed messages again; the reply goes out as a push. Gives how many are through."""
        rows = await fetch(
            "SELECT id, openid, body, tries FROM inbox WHERE state = 'failed' AND due_at <= $1 ORDER BY id LIMIT $2",
            now,
            limit,
        )
        done = 0
        for row in rows:
            message = parse_message(row["body"])
            try:
                done += await self._retry(row["id"], message, now)
            except LinliError as error:
                await self._retry_refused(row["id"], message, now, error)
            except Exception as error:
                log.exception("handler failed again", inbox_id=row["id"], tries=row["tries"] + 1)
                await _postpone(message, row["id"], row["tries"] + 1, now, error)
        return done

    async def _retry(self, inbox_id: int, message: Message, now: datetime) -> int:
        return await once_more(lambda: self._reopened(inbox_id, message, now))

    async def _reopened(self, inbox_id: int, message: Message, now: datetime) -> int:
        async with transaction():
            rows = await fetch(_REOPEN, inbox_id, now, message.openid)
            if not rows:
                return 0
            if text := await self._work(_turn(message, rows[0], now)):
                await _push(message.openid, text, now)
        return 1

    async def _retry_refused(self, inbox_id: int, message: Message, now: datetime, error: LinliError) -> None:
        async with transaction():
            rows = await fetch(_REOPEN, inbox_id, now, message.openid)
            if rows:
                turn = _turn(message, rows[0], now)
                await self.refused(turn, error)
                await _close(turn, error.in_chat)
                await _push(message.openid, error.in_chat, now)


def _opening(message: Message, body: bytes, now: datetime) -> tuple[Any, ...]:
    typed = message.kind is not Kind.EVENT and message.tap is None  # a tap counts as a click (wechat.md §2.1)
    clicked = message.tap is not None or message.event in _CLICKS
    at = min(message.at, now)  # WeChat's windows begin when the person wrote, not when a retry reached us
    return (
        message.dedupe_key,
        message.openid,
        str(message.kind),
        body,
        now,
        at if typed else None,
        at if clicked else None,
        message.event == "unsubscribe",  # closes every window (wechat.md §2.1)
    )


def _turn(message: Message, row: dict[str, Any], now: datetime) -> Turn:
    return Turn(message, row["inbox_id"], now, row["state"], from_json(row["data"]))


def _render(reply: Reply | None) -> str | None:
    # What people wrote stands in our texts: no markup of theirs may become a link.
    return render(Reply(plain(reply.text), reply.choices)) if reply else None


async def _stored_reply(message: Message) -> str | None:
    rows = await fetch("SELECT reply FROM inbox WHERE dedupe_key = $1", message.dedupe_key)
    reply: str | None = rows[0]["reply"] if rows else None
    return reply


async def _close(turn: Turn, text: str | None) -> None:
    await fetch(_CLOSE, turn.inbox_id, turn.message.openid, turn.state, to_json(turn.data), turn.now, text)


async def _postpone(message: Message, inbox_id: int, tries: int, now: datetime, error: Exception) -> None:
    """Try again later, or park it after the last try: staff see the reason, the person is told."""
    parked = tries >= MAX_TRIES
    async with transaction():
        rows = await fetch(
            "UPDATE inbox SET tries = $2, state = $3, due_at = $4, error = $5 WHERE id = $1 AND state = 'failed' "
            "RETURNING id",
            inbox_id,
            tries,
            "parked" if parked else "failed",
            None if parked else now + PAUSES[min(tries, len(PAUSES)) - 1],
            _reason(error),
        )
        if rows and parked and _awaits_answer(message):
            await _push(message.openid, GIVEN_UP, now)


def _reason(error: Exception) -> str:
    return printable(f"{type(error).__name__}: {error}")[:500]


def _awaits_answer(message: Message) -> bool:
    """Whether a person did something and looks at the chat; other events come by themselves."""
    return message.kind is not Kind.EVENT or message.event in _CLICKS


async def _push(openid: str, text: str, now: datetime) -> None:
    await fetch(
        "INSERT INTO outbox "
        "(kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error, created_at) "
        "VALUES ($1, 'pending', $2, $3::jsonb, 0, 0, $4, '', '', 0, '', $4)",
        str(OutboxKind.NOTICE),
        openid,
        to_json({"text": text, "rendered": True}),
        now,
    )


def utc_now() -> datetime:
    """The clock of the running process."""
    return datetime.now(UTC)
