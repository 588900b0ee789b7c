"""What people are told about reviews: staff that something waits, senders what became of what they wrote."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from domain.clock import template_number, template_time
from domain.journal import Notice, is_platform
from domain.room_words import Entry
from domain.timing import quiet_until
from models.database import fetch
from models.enums import MessageKind, OutboxKind, OutboxState
from models.messaging import Outbox

_LONGEST = 20
_SHORT = {MessageKind.IMAGE: "照片", MessageKind.VOICE: "语音", MessageKind.LOCATION: "位置"}

_OPENID = """
SELECT openid FROM resident
WHERE id = CASE WHEN $1 LIKE 'resident:%' THEN substr($1, 10)::bigint END AND deleted_at IS NULL
UNION ALL
SELECT openid FROM staff
WHERE id = CASE WHEN $1 LIKE 'staff:%' THEN substr($1, 7)::int END AND active AND openid IS NOT NULL
"""


def excerpt(entry: Entry) -> str:
    """The beginning of what somebody wrote, in quotes; what it is where it has no words."""
    text = " ".join(entry.text.split())
    if not text:
        return _SHORT.get(entry.kind, "消息")
    return f"“{text[: _LONGEST - 1]}…”" if len(text) > _LONGEST else f"“{text}”"


async def tell(actor: str, text: str, subject: str, now: datetime) -> None:
    """One message to somebody by their pseudonym; who has no WeChat, or is another platform, is not told. Joins the
    running transaction."""
    rows = await fetch(_OPENID, actor)
    if rows and not is_platform(rows[0]["openid"]):
        await tell_openid(rows[0]["openid"], text, subject, now)


async def tell_openid(openid: str, text: str, subject: str, now: datetime, *, waits: bool = False) -> None:
    """The same to an openid. `waits`: not in the quiet hours."""
    later = quiet_until(now) if waits else None
    await Outbox.create(
        kind=OutboxKind.NOTICE,
        state=OutboxState.PENDING,
        recipient=openid,
        payload=Notice(openid, text, (), _fields(subject, later or now)).payload(),
        due_at=later or now,
        quiet=later is not None,
        created_at=now,
    )


def _fields(subject: str, at: datetime) -> Mapping[str, str]:
    """For the template where the chat is closed."""
    return {
        "number": template_number(at),
        "subject": subject,
        "status": "有新消息",
        "time": template_time(at),
        "note": "打开公众号回复任意文字查看",
    }


async def tell_hidden(entry: Entry, why: str, now: datetime, *, last: bool = False) -> None:
    """To a sender whose message is not shown: why, and what they can do. `last`: they have objected already."""
    if last:
        text = f"您的申诉有结果了：{excerpt(entry)}不显示。原因：{why}\n可以改一改再发。"
    else:
        how = "可以改一改再发；觉得不对，回复“申诉”和理由，由另一位工作人员再看。"
        text = f"您在网格群里发的{excerpt(entry)}没有显示。原因：{why}\n{how}"
    await tell(entry.by, text, "群消息没有显示", now)


async def tell_shown(entry: Entry, now: datetime) -> None:
    """To a sender whose message waited or was hidden, and is shown now."""
    await tell(entry.by, f"您在网格群里发的{excerpt(entry)}，工作人员看过，已经显示。", "群消息已显示", now)
