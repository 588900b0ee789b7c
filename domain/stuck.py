"""What did not get through: jobs that were put aside or reached nobody, messages that could not be handled.

The system administrator sees them with their reasons, not with their words, and has them tried again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.administrators import kind_of
from domain.journal import audit
from domain.people import Post
from errors import Conflict, LinliError, NotAllowed, NotFound
from models.database import fetch, transaction
from models.enums import AdminKind, OutboxKind

KIND_NAMES = {
    OutboxKind.NOTICE: "通知",
    OutboxKind.MEDIA: "取照片",
    OutboxKind.WEBHOOK: "发给其他平台",
    OutboxKind.ROOM: "群里的答复",
    OutboxKind.CHECK: "内容检查",
    OutboxKind.RELAY: "转给不用小程序的人",
    OutboxKind.GROUP: "转到外部群",
}
#: What may be tried again by hand. The others end in books of their own: a mass send counts against the month.
_AGAIN = tuple(KIND_NAMES)


class Sure(StrEnum):
    """How somebody knows that what may have arrived has not. Kept in the audit trail: `outbox:retry_asked`."""

    ASKED = "asked"  # 问过本人，没有收到
    LOOKED = "looked"  # 在公众号后台看过，没有发出


SURE_NAMES = {Sure.ASKED: "问过本人，没有收到", Sure.LOOKED: "在公众号后台看过，没有发出"}


@dataclass(frozen=True, slots=True)
class StuckJob:
    """One outgoing job that was given up. `who` is masked; `tries` counts failed sends; `unsure`: it must reach nobody
    twice, and nobody knows whether its last call reached them."""

    id: int
    kind: OutboxKind
    parked: bool
    who: str
    number: str
    case_id: int | None
    error: str
    tries: int
    created_at: datetime
    finished_at: datetime | None
    unsure: bool


@dataclass(frozen=True, slots=True)
class StuckMessage:
    """One message from WeChat that could not be handled; `next_at` is when it is tried again by itself."""

    id: int
    kind: str
    who: str
    error: str
    tries: int
    received_at: datetime
    next_at: datetime | None


_UNSURE = "o.called_at IS NOT NULL AND coalesce((o.payload->>'once')::boolean, false)"
_JOBS = (
    """
SELECT o.id, o.kind, o.state = 'parked' AS parked, o.error, o.tries, o.created_at, o.finished_at, o.case_id,
    coalesce(c.number, '') AS number,
    coalesce(s.name, left(nullif(r.name, ''), 1) || '**', '') AS who,
"""
    + _UNSURE
    + """ AS unsure
FROM outbox o LEFT JOIN cases c ON c.id = o.case_id LEFT JOIN staff s ON s.openid = o.recipient
LEFT JOIN resident r ON r.openid = o.recipient
WHERE o.state IN ('undelivered', 'parked') AND o.kind = ANY ($1) AND ($2::bigint = 0 OR o.id < $2)
ORDER BY o.id DESC LIMIT $3
"""
)
_MESSAGES = """
SELECT i.id, i.kind, i.error, i.tries, i.received_at, i.due_at AS next_at,
    coalesce(s.name, left(nullif(r.name, ''), 1) || '**', '') AS who
FROM inbox i LEFT JOIN staff s ON s.openid = i.openid LEFT JOIN resident r ON r.openid = i.openid
WHERE i.state IN ('failed', 'parked') AND ($1::bigint = 0 OR i.id < $1) ORDER BY i.id DESC LIMIT $2
"""


async def stuck_jobs(by: Post, *, kind: OutboxKind | None = None, before: int = 0, limit: int = 50) -> list[StuckJob]:
    """The newest first. Raises NotAllowed."""
    await _check(by)
    rows = await fetch(_JOBS, [kind] if kind else list(_AGAIN), before, limit)
    return [StuckJob(**row | {"kind": OutboxKind(row["kind"])}) for row in rows]


async def stuck_messages(by: Post, *, before: int = 0, limit: int = 50) -> list[StuckMessage]:
    """The newest first. Raises NotAllowed."""
    await _check(by)
    return [StuckMessage(**row) for row in await fetch(_MESSAGES, before, limit)]


# A new life: its tries and its day begin again, or it would be given up at once.
_RETRY = """
UPDATE outbox SET state = 'pending', attempt = 0, tries = 0, error = '', due_at = $2, created_at = $2, called_at = NULL,
    finished_at = NULL, leased_until = NULL, quiet = false
WHERE id = $1 AND state IN ('undelivered', 'parked') AND kind = ANY ($3) RETURNING id
"""
_RETRY_MESSAGE = """
UPDATE inbox SET state = 'failed', tries = 0, due_at = $2 WHERE id = $1 AND state IN ('failed', 'parked') RETURNING id
"""


_IS_UNSURE = "SELECT FROM outbox o WHERE o.id = $1 AND o.state IN ('undelivered', 'parked') AND " + _UNSURE


async def retry_job(by: Post, job_id: int, now: datetime, source: str = "", *, sure: Sure | None = None) -> None:
    """Try it again at once; what may have arrived already only with `sure`. Raises NotAllowed, NotFound, Conflict."""
    async with transaction():
        await _check(by)
        unsure = bool(await fetch(_IS_UNSURE, job_id))
        if unsure and sure is None:
            say = "对方可能已经收到。确实没收到再重发：请选怎么知道没收到的。"
            raise Conflict(f"outbox {job_id} may have arrived", say=say)
        if not await fetch(_RETRY, job_id, now, list(_AGAIN)):
            raise _not_again("outbox", job_id, bool(await fetch("SELECT FROM outbox WHERE id = $1", job_id)))
        tag = f"outbox:retry_{sure}" if unsure else "outbox:retry"
        await audit(by.actor, tag, job_id, now, source=source)


async def retry_message(by: Post, message_id: int, now: datetime, source: str = "") -> None:
    """Handle it again at once. Raises NotAllowed, NotFound, Conflict."""
    async with transaction():
        await _check(by)
        if not await fetch(_RETRY_MESSAGE, message_id, now):
            raise _not_again("inbox", message_id, bool(await fetch("SELECT FROM inbox WHERE id = $1", message_id)))
        await audit(by.actor, "inbox:retry", message_id, now, source=source)


def _not_again(what: str, ident: int, there: bool) -> LinliError:
    """Why nothing was begun anew."""
    if there:
        return Conflict(f"{what} {ident} is under way", say="这一条已经在重发，或者已经办成。请刷新看看。")
    return NotFound(f"{what} {ident}", say="没有这一条，可能已经清理。")


async def _check(by: Post) -> None:
    if await kind_of(by.id) is not AdminKind.SYSTEM:
        raise NotAllowed("stuck", say="没送达的消息由系统管理员处理。", tag="outbox:read", object_id=None)
