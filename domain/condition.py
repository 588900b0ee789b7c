"""How the installation is: what waits and for how long, what went wrong, when the regular work was last done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.administrators import kind_of
from domain.people import Post
from errors import NotAllowed
from models.database import fetch
from models.enums import AdminKind

_LATE = timedelta(minutes=5)
_WATCH_LATE = timedelta(minutes=10)
_DAY = timedelta(hours=26)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing looked at: what it is, how it is, and what to do where it is not well ("" = well)."""

    name: str
    state: str
    advice: str = ""


_COUNTS = """
SELECT (SELECT split_part(current_setting('server_version'), ' ', 1)) AS version,
    (SELECT count(*) FROM outbox WHERE finished_at IS NULL AND due_at <= $1) AS due,
    (SELECT min(due_at) FROM outbox WHERE finished_at IS NULL AND due_at <= $1) AS due_since,
    (SELECT max(finished_at) FROM outbox WHERE id > (SELECT max(id) FROM outbox) - 1000) AS sent_at,
    (SELECT count(*) FROM outbox WHERE state IN ('undelivered', 'parked')) AS stuck,
    (SELECT count(*) FROM inbox WHERE state IN ('failed', 'parked')) AS failed,
    (SELECT max(received_at) FROM inbox WHERE id > (SELECT max(id) FROM inbox) - 1000) AS heard_at,
    (SELECT count(*) FROM cases WHERE watch_at <= $1) AS unwatched,
    (SELECT min(watch_at) FROM cases WHERE watch_at <= $1) AS unwatched_since,
    (SELECT max(made_at) FROM audit_anchor) AS anchored_at,
    (SELECT min(at) FROM audit_event WHERE id = (SELECT min(id) FROM audit_event)) AS first_at
"""


async def condition(by: Post, now: datetime) -> list[Line]:
    """Everything looked at. Raises NotAllowed."""
    if await kind_of(by.id) is not AdminKind.SYSTEM:
        raise NotAllowed("health", say="运行情况由系统管理员查看。", tag="health:read", object_id=None)
    row = (await fetch(_COUNTS, now))[0]
    worker = "看看后台进程是不是在运行：linli worker 或 linli run。"
    return [
        Line("数据库", f"PostgreSQL {row['version']}，应答正常"),
        Line(
            "等着发出的消息",
            f"{row['due']} 条" + _since(row["due_since"], now),
            worker if _late(row["due_since"], now, _LATE) else "",
        ),
        Line("最近一次发出", _ago(row["sent_at"], now)),
        Line("没送达、已停发", f"{row['stuck']} 条", "到“未送达”看原因，处理后重发。" if row["stuck"] else ""),
        Line("没处理成的来信", f"{row['failed']} 条", "到“未送达”看原因，处理后重试。" if row["failed"] else ""),
        Line("最近一次收到微信消息", _ago(row["heard_at"], now)),
        Line(
            "时限巡查",
            f"{row['unwatched']} 件等着看" + _since(row["unwatched_since"], now),
            worker if _late(row["unwatched_since"], now, _WATCH_LATE) else "",
        ),
        Line(
            "审计锚点",
            _ago(row["anchored_at"], now),
            worker if _late(row["anchored_at"] or row["first_at"], now, 2 * _DAY) else "",
        ),
    ]


def _late(since: datetime | None, now: datetime, most: timedelta) -> bool:
    return since is not None and now - since > most


def _ago(at: datetime | None, now: datetime) -> str:
    return f"{_length(now - at)}前" if at else "还没有过"


def _since(since: datetime | None, now: datetime) -> str:
    return f"，最久的等了 {_length(now - since)}" if since and now > since else ""


def _length(span: timedelta) -> str:
    seconds = max(0, int(span.total_seconds()))
    for unit, name in ((86_400, "天"), (3_600, "小时"), (60, "分钟")):
        if seconds >= unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} 秒"
