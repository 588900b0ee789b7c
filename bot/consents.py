"""The ledger of one-time subscription consents, and what WeChat reports later of notices it took."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.messages import Message
from bot.outbox import Done, Job, sent
from models.database import fetch, to_json
from models.enums import OutboxKind

_LATER = timedelta(seconds=10)
_MAX_ITEMS = 20  # of one event; WeChat shows at most three templates a pop-up


async def note_consents(message: Message) -> None:
    """Each accept is one notice more; a reject (also from the account's settings page) ends all that were left."""
    for item in _items(message):
        accepted = item.get("SubscribeStatusString") == "accept"
        await fetch(
            "INSERT INTO consent AS c (openid, template_id, remaining) VALUES ($1, $2, $3) "
            "ON CONFLICT (openid, template_id) "
            "DO UPDATE SET remaining = CASE WHEN $3 = 1 THEN c.remaining + 1 ELSE 0 END",
            message.openid,
            str(item.get("TemplateId", ""))[:64],
            1 if accepted else 0,
        )


async def remaining(openid: str, template_id: str) -> int:
    """How many notices of this template the person still agrees to."""
    rows = await fetch("SELECT remaining FROM consent WHERE openid = $1 AND template_id = $2", openid, template_id)
    return int(rows[0]["remaining"]) if rows else 0


async def spend(openid: str, template_id: str, *, all_left: bool = False) -> None:
    """One was used; or WeChat says there is none (43101), whatever our ledger believed."""
    await fetch(
        "UPDATE consent SET remaining = CASE WHEN $3 THEN 0 ELSE greatest(remaining - 1, 0) END "
        "WHERE openid = $1 AND template_id = $2",
        openid,
        template_id,
        all_left,
    )


async def note_template_result(message: Message, now: datetime) -> None:
    """TEMPLATESENDJOBFINISH: taken is not delivered; a failure is shown to staff."""
    status = str(message.fields.get("Status", ""))
    if status != "success":
        await _undeliver(str(message.fields.get("MsgID", "")), f"模板消息没有送到：{_reason(status)}", now)


async def note_sent_event(message: Message, now: datetime) -> None:
    """subscribe_msg_sent_event: the same for subscription notices."""
    for item in _items(message):
        if str(item.get("ErrorCode", "0")) != "0":
            await _undeliver(str(item.get("MsgID", "")), f"订阅通知没有送到：{item.get('ErrorStatus', '')}", now)


def _items(message: Message) -> list[dict[str, Any]]:
    items = message.fields.get("List", [])
    return list(items)[:_MAX_ITEMS] if isinstance(items, list) else []


def _reason(status: str) -> str:
    # Sources write it with and without the blank behind the colon.
    return "对方拒收" if "block" in status else "微信系统原因"


async def _undeliver(reference: str, reason: str, now: datetime) -> None:
    """WeChat can be faster than our own note that it took the message: then the report waits as a job of its own."""
    if reference and not await _mark(reference, reason, now):
        await fetch(
            "INSERT INTO outbox (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, "
            "error, created_at) VALUES ($1, 'pending', $2, $3::jsonb, 0, 0, $4, '', '', 0, '', $5)",
            str(OutboxKind.RESULT),
            f"result:{reference}"[:64],
            to_json({"reference": reference, "reason": reason}),
            now + _LATER,
            now,
        )


async def _mark(reference: str, reason: str, now: datetime) -> bool:
    rows = await fetch(
        "UPDATE outbox SET state = 'undelivered', error = $2, finished_at = $3 "
        "WHERE reference = $1 AND state = 'sent' RETURNING id",
        reference[:32],
        reason[:500],
        now,
    )
    return bool(rows)


class Results:
    """The outbox's handler of RESULT jobs. A reference that is still unknown is none of ours."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    async def __call__(self, jobs: Sequence[Job], end: Callable[[Job, Done], None]) -> None:
        """Note what waited until we knew the notice it is about."""
        for job in jobs:
            await _mark(str(job.payload["reference"]), str(job.payload["reason"]), self._now())
            end(job, sent("result"))
