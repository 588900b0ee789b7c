"""群聊日报: a room's day in figures for the community's staff, made the next morning, pushed and kept.

It holds numbers and what kinds of matter there were, nobody's words: what is open is read from the room itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import structlog

from domain.clock import SHANGHAI, template_time
from domain.hot_matters import all_hotspots
from domain.journal import Notice, audit
from domain.people import Person, posts_upward, stand_in
from domain.room_cards import watcher
from domain.timing import quiet_until
from models.database import fetch, from_json, is_away, to_json, transaction
from models.enums import Level, OutboxKind, OutboxState
from models.messaging import Outbox
from models.rooms import RoomDigest

log = structlog.get_logger(__name__)

_FROM = time(8)
"""When the day before is told, quiet hours permitting."""
_SHOWN = 5  # rooms of one message
_SUBJECTS = 3

# Rooms of grids where something was said on that day ($1 to $2) and the day has no digest yet, by community.
_OPEN = """
SELECT DISTINCT g.parent_id AS community_id FROM room r JOIN area g ON g.id = r.grid_id
WHERE r.kind = 'grid' AND r.changed_at >= $1
    AND EXISTS (SELECT FROM room_message m WHERE m.room_id = r.id AND m.at >= $1 AND m.at < $2 AND m.seq IS NOT NULL)
    AND NOT EXISTS (SELECT FROM room_digest d WHERE d.room_id = r.id AND d.day = $3)
ORDER BY 1
"""

# What people said; the system's own entries are no talk. Answered: by somebody on duty, or by becoming a case.
_COUNT = """
SELECT r.id, g.id AS grid_id, g.name AS grid, count(*) FILTER (WHERE m.sender <> 'system') AS messages,
    count(DISTINCT m.sender) FILTER (WHERE m.sender LIKE 'resident:%') AS speakers,
    count(*) FILTER (WHERE m.hint IS NOT NULL AND NOT m.hint ? 'ignored') AS reports,
    count(DISTINCT m.case_id) FILTER (WHERE m.kind NOT IN ('case', 'system')) AS cases,
    count(*) FILTER (WHERE m.asks) AS questions,
    count(*) FILTER (WHERE m.asks AND m.answered_at IS NULL AND m.case_id IS NULL) AS unanswered,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM m.answered_at - m.at))
        FILTER (WHERE m.answered_at IS NOT NULL AND m.sender LIKE 'resident:%') AS answered_after,
    count(*) FILTER (WHERE m.state = 'removed') AS removed,
    (SELECT jsonb_agg(jsonb_build_array(subject, times) ORDER BY times DESC, subject) FROM (
        SELECT hint->>'subject' AS subject, count(*) AS times FROM room_message
        WHERE room_id = r.id AND at >= $1 AND at < $2 AND hint->>'subject' <> '' AND NOT hint ? 'ignored'
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 3
    ) s) AS subjects
FROM room r JOIN area g ON g.id = r.grid_id JOIN (
    SELECT *, sender LIKE 'resident:%' AND (intent = 'consult' OR hint IS NOT NULL AND NOT hint ? 'ignored') AS asks
    FROM room_message WHERE at >= $1 AND at < $2 AND seq IS NOT NULL AND kind NOT IN ('recall', 'removal', 'return')
) m ON m.room_id = r.id
WHERE g.parent_id = $3 AND r.kind = 'grid' GROUP BY r.id, g.id, g.name ORDER BY g.id
"""
_KEEP = """
INSERT INTO room_digest (room_id, day, figures, text, made_at) VALUES ($1, $2, $3::jsonb, $4, $5)
ON CONFLICT (room_id, day) DO NOTHING RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Digest:
    """A room's day. `figures`: messages, speakers, reports, cases, questions, unanswered, answered_after (median
    seconds; None = nothing was), removed, subjects ([name, times])."""

    id: int
    day: date
    text: str
    figures: dict[str, Any]


async def make_digests(now: datetime) -> int:
    """Make and tell yesterday's digests wherever that was not done yet, one transaction a community. Gives how many
    rooms have one now."""
    local = now.astimezone(SHANGHAI)
    if local.time() < _FROM or quiet_until(now):
        return 0
    day = local.date() - timedelta(days=1)
    start = datetime.combine(day, time(), SHANGHAI)
    made = 0
    for row in await fetch(_OPEN, start, start + timedelta(days=1), day):
        try:
            made += await _make(row["community_id"], start, now)
        except Exception as error:
            if is_away(error):
                raise
            log.exception("room digests not made", community=row["community_id"])  # tried again at the next look
    return made


async def _make(community_id: int, start: datetime, now: datetime) -> int:
    day = start.date()
    hot = [spot.line for spot in await all_hotspots(community_id, now)]
    async with transaction():
        kept = []
        for row in await fetch(_COUNT, start, start + timedelta(days=1), community_id):
            figures = _figures(row)
            text = _line(row["grid"], figures)
            if await fetch(_KEEP, row["id"], day, to_json(figures), text, now):
                kept.append(text)
        if kept:
            await _tell(community_id, day, [*kept], hot, now)
            await audit("system", "room_digest:make", community_id, now, source="job:digests")
        return len(kept)


def _figures(row: dict[str, Any]) -> dict[str, Any]:
    names = ("messages", "speakers", "reports", "cases", "questions", "unanswered", "removed")
    after = row["answered_after"]
    subjects = from_json(row["subjects"]) or []
    figures: dict[str, Any] = {name: row[name] for name in names}
    return figures | {"answered_after": None if after is None else round(after), "subjects": subjects[:_SUBJECTS]}


def _line(grid: str, figures: dict[str, Any]) -> str:
    """第一网格：32 条消息，9 人说话，像要办的 4 件（已转 3 件），1 条没人回；说得多的：垃圾满溢 2."""
    parts = [f"{figures['messages']} 条消息", f"{figures['speakers']} 人说话"]
    if figures["reports"]:
        parts.append(f"像要办的 {figures['reports']} 件（已转 {figures['cases']} 件）")
    parts.append(f"{figures['unanswered']} 条没人回" if figures["unanswered"] else "都有人回")
    often = "、".join(f"{name} {times}" for name, times in figures["subjects"])
    return f"{grid}：" + "，".join(parts) + (f"；说得多的：{often}" if often else "")


async def _tell(community_id: int, day: date, lines: Sequence[str], hot: Sequence[str], now: datetime) -> None:
    shown = list(lines[:_SHOWN])
    if len(lines) > _SHOWN:
        shown.append(f"还有 {len(lines) - _SHOWN} 个群，在小程序里看")
    text = "\n".join([f"群聊日报 {day.month} 月 {day.day} 日", *shown, *(f"比平时多：{one}" for one in hot[:1])])
    fields = {
        "number": f"{day:%m%d}",
        "subject": "群聊日报",
        "status": "已生成",
        "time": template_time(now),
        "note": "打开公众号回复任意文字查看",
    }
    for post in await posts_upward(community_id):
        there = await stand_in(post, now) if post.level is Level.COMMUNITY else None
        if there and there.openid:
            await Outbox.create(
                kind=OutboxKind.NOTICE,
                state=OutboxState.PENDING,
                recipient=there.openid,
                payload=Notice(there.openid, text, (), fields).payload(),
                due_at=now,
                created_at=now,
            )


async def digests(person: Person, room_id: int, *, before: date | None = None, limit: int = 20) -> list[Digest]:
    """A room's days, the newest first. Raises NotFound, NotAllowed for residents."""
    await watcher(person, room_id)
    rows = RoomDigest.filter(room_id=room_id, **({"day__lt": before} if before else {}))
    return [Digest(row.id, row.day, row.text, row.figures) for row in await rows.order_by("-day").limit(limit)]
