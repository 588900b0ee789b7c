"""What people read of broadcasts: the notice itself, and what author and approver tell each other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.broadcast_calendar import say_calendar
from domain.clock import template_number, template_time
from domain.journal import Notice
from domain.notices import TAP_LABELS, Tap, excerpt, tap_id
from domain.people import Post
from domain.timing import quiet_until
from models.broadcasts import Broadcast
from models.database import fetch, to_json
from models.enums import BroadcastState, Channel, OutboxKind

CHANNEL_NAMES = {Channel.NOTICE: "微信通知", Channel.ROOM: "网格群公告", Channel.MASS: "群发"}

#: Nobody can refuse to be warned.
SAFETY = "safety"


def told(broadcast: Broadcast, delivery_id: int, about: str, now: datetime) -> dict[str, Any]:
    """The outbox payload of one person's notice; `about` names family it concerns, "" = themselves. It goes out once,
    whatever dies on the way."""
    taps = [Tap.KNOWN]
    taps += [Tap.GUIDE] if broadcast.item_id else []
    taps += [Tap.NO_MORE] if broadcast.topic != SAFETY else []
    fields = {
        "number": template_number(now),
        "subject": excerpt(broadcast.title, 20),
        "status": "社区通知",
        "time": template_time(now),
        "note": excerpt(broadcast.text, 20),
    }
    choices = [(TAP_LABELS[tap], tap_id(delivery_id, tap)) for tap in taps]
    notice = Notice("", full_text(broadcast, about), choices, fields, kind="policy")
    return notice.payload() | {"once": True, "delivery": delivery_id, "broadcast": broadcast.id}


def full_text(broadcast: Broadcast, about: str = "") -> str:
    """Title, words and address, as everybody reads them."""
    whose = f"这是给您家里{about}的通知，请转告。" if about else ""
    return "\n".join(part for part in (f"【{broadcast.title}】", whose, broadcast.text, broadcast.link) if part)


_NOTICE = """
INSERT INTO outbox (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at, quiet)
VALUES ($1, 'pending', $2, $3::jsonb, 0, 0, $4, '', '', 0, '', $4, false)
"""


async def _tell(
    post: Post, broadcast: Broadcast, text: str, status: str, taps: Mapping[str, int], now: datetime
) -> None:
    if post.openid:
        fields = {
            "number": template_number(now),
            "subject": excerpt(broadcast.title, 20),
            "status": status,
            "time": template_time(now),
            "note": excerpt(text, 20),
        }
        notice = Notice(post.openid, text, list(taps.items()), fields, kind="policy")
        await fetch(_NOTICE, OutboxKind.NOTICE, post.openid, to_json(notice.payload()), now)


def _staff_taps(broadcast: Broadcast, *taps: Tap) -> dict[str, int]:
    return {TAP_LABELS[tap]: tap_id(broadcast.id, tap) for tap in taps}


async def to_approver(broadcast: Broadcast, post: Post, author: str, now: datetime) -> None:
    """Somebody must look at it: who wrote it, to how many, when, and its beginning."""
    when = say_calendar(broadcast.calendar, now, urgent=broadcast.urgent)
    head = f"{author}请您批一条通知，发给 {broadcast.expected} 人，{when}。"
    text = f"{head}\n【{broadcast.title}】\n{excerpt(broadcast.text, 200)}"
    taps = _staff_taps(broadcast, Tap.LOOK, Tap.APPROVE, Tap.DECLINE)
    await _tell(post, broadcast, text, "待审批", taps, now)


# One a grid: its worker, or who does their work now.
_BY_HAND = """
SELECT coalesce(deputy.openid, s.openid) AS openid, count(DISTINCT d.id)::int AS people
FROM delivery d JOIN staff s ON s.area_id = d.grid_id AND s.role = 'grid_worker' AND s.active
LEFT JOIN absence a ON a.staff_id = s.id AND a.starts_at <= $2 AND a.ends_at > $2
LEFT JOIN staff deputy ON deputy.id = a.deputy_id AND deputy.active
WHERE d.run_id = $1 AND d.state = 'by_hand' AND coalesce(deputy.openid, s.openid) IS NOT NULL
GROUP BY 1
"""
_TO_WORKERS = """
INSERT INTO outbox (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at, quiet)
SELECT 'notice', 'pending', openid, payload, 0, 0, coalesce($3::timestamptz, $2), '', '', 0, '', $2, $3 IS NOT NULL
FROM jsonb_to_recordset($1::jsonb) AS n(openid text, payload jsonb)
"""


async def to_workers(broadcast: Broadcast, run_id: int, now: datetime) -> None:
    """Each grid's worker: how many no WeChat reaches, who are to be told at the door. In a transaction."""
    rows, later = await fetch(_BY_HAND, run_id, now), None if broadcast.urgent else quiet_until(now)
    notices = []
    for row in rows:
        how = f"请上门或打电话说一声。看名单回复“未读 {excerpt(broadcast.title, 10)}”。"
        text = f"【{broadcast.title}】您的网格有 {row['people']} 人没有微信，{how}"
        fields = {
            "number": template_number(later or now),
            "subject": excerpt(broadcast.title, 20),
            "status": "请告知",
            "time": template_time(later or now),
            "note": f"{row['people']} 人没有微信，请上门说",
        }
        payload = Notice(row["openid"], text, (), fields, kind="policy").payload()
        notices.append({"openid": row["openid"], "payload": payload})
    if notices:
        await fetch(_TO_WORKERS, to_json(notices), now, later)


_AUTHOR = "SELECT id, openid FROM staff WHERE id = $1 AND active AND openid IS NOT NULL"


async def to_author(broadcast: Broadcast, by: str, now: datetime) -> None:
    """What became of it."""
    rows = await fetch(_AUTHOR, broadcast.author_id)
    if not rows:
        return
    if broadcast.state is BroadcastState.APPROVED:
        when = say_calendar(broadcast.calendar, now, approved=True, urgent=broadcast.urgent)
        text = f"【{broadcast.title}】{by}批准了，{when}。"
    else:
        text = f"【{broadcast.title}】{by}没有批准：{broadcast.why}\n改好了可以再提交。"
    fields = {
        "number": template_number(now),
        "subject": excerpt(broadcast.title, 20),
        "status": "已批准" if broadcast.state is BroadcastState.APPROVED else "未批准",
        "time": template_time(now),
        "note": excerpt(text, 20),
    }
    taps = list(_staff_taps(broadcast, Tap.LOOK).items())
    notice = Notice(rows[0]["openid"], text, taps, fields, kind="policy")
    await fetch(_NOTICE, OutboxKind.NOTICE, rows[0]["openid"], to_json(notice.payload()), now)
