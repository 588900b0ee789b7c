"""Telling staff that something in a room waits for them: gathered, because each message counts against their quota.

What may be urgent is told at once, all else at most every ten minutes for a room, and not in the quiet hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from domain.people import Post, present
from domain.review_notices import excerpt, tell_openid
from domain.reviews import DECIDERS, doers
from domain.room_entries import read
from domain.room_words import Entry
from domain.rooms import members_on_duty
from models.database import fetch, transaction
from models.enums import ReviewKind

EVERY = timedelta(minutes=10)
_SHOWN = 3
_WORDS = {
    ReviewKind.WORDS: "看看能不能显示",
    ReviewKind.PLATFORM: "看看能不能显示",
    ReviewKind.COMPLAINT: "有人投诉",
    ReviewKind.APPEAL: "有人申诉",
}

_UNTOLD = """
SELECT v.id, v.room_id, v.kind, v.message_id, v.by, v.reason,
    coalesce((m.hint->>'urgent')::boolean, false) AS urgent, g.name AS grid,
    (SELECT max(told_at) FROM review o WHERE o.room_id = v.room_id) AS told_at
FROM review v JOIN room r ON r.id = v.room_id JOIN area g ON g.id = r.grid_id
LEFT JOIN room_message m ON m.id = v.message_id
WHERE v.outcome = 'open' AND v.told_at IS NULL AND v.opened_at <= $1
ORDER BY v.room_id, v.id LIMIT 500 FOR UPDATE OF v SKIP LOCKED
"""
_TOLD = "UPDATE review SET told_at = $2 WHERE id = ANY ($1::bigint[])"


@dataclass(frozen=True, slots=True)
class _Waiting:
    id: int
    room_id: int
    kind: ReviewKind
    by: str
    reason: str
    urgent: bool
    grid: str
    entry: Entry | None

    @property
    def line(self) -> str:
        if self.entry is None:
            return f"{_WORDS[self.kind]}：禁言"
        why = f"（{self.entry.why or self.reason}）" if self.entry.why or self.reason else ""
        return f"{_WORDS[self.kind]}：{excerpt(self.entry)}{why}"[:80]


async def tell_staff(now: datetime) -> int:
    """Tell who decides of what they have not heard of; gives how many people were told."""
    async with transaction():
        rows = await fetch(_UNTOLD, now)
        told = 0
        for _, group in groupby(rows, key=lambda row: row["room_id"]):
            waiting = list(group)
            at = waiting[0]["told_at"]
            if at and now - at < EVERY and not any(row["urgent"] for row in waiting):
                continue
            found = [
                _Waiting(
                    row["id"],
                    row["room_id"],
                    ReviewKind(row["kind"]),
                    row["by"],
                    row["reason"],
                    row["urgent"],
                    row["grid"],
                    await read(row["message_id"]) if row["message_id"] else None,
                )
                for row in waiting
            ]
            told += await _tell_room(found, now)
            await fetch(_TOLD, [one.id for one in found], now)
        return told


async def _tell_room(waiting: Sequence[_Waiting], now: datetime) -> int:
    posts = [post for post in await members_on_duty(waiting[0].room_id) if post.role in DECIDERS and post.openid]
    there = [post for post in posts if await present(post, now)] or posts
    for_each: dict[int, tuple[Post, list[_Waiting]]] = {}
    for one in waiting:
        if post := await _decider(there, one):
            for_each.setdefault(post.id, (post, []))[1].append(one)
    for post, lines in for_each.values():
        await _tell(post, lines, now)
    return len(for_each)


async def _decider(posts: Sequence[Post], waiting: _Waiting) -> Post | None:
    """The nearest who is not concerned."""
    concerned = {waiting.by, waiting.entry.by if waiting.entry else ""}
    if waiting.kind is ReviewKind.APPEAL:
        concerned.update(await doers(waiting.room_id, waiting.entry.id if waiting.entry else None, waiting.by))
    return next((post for post in posts if f"staff:{post.id}" not in concerned), None)


async def _tell(post: Post, waiting: Sequence[_Waiting], now: datetime) -> None:
    shown = [one.line for one in waiting[:_SHOWN]]
    if len(waiting) > _SHOWN:
        shown[-1] = f"还有 {len(waiting) - _SHOWN + 1} 条"
    text = "\n".join([f"{waiting[0].grid}群有 {len(waiting)} 条内容等您看：", *shown, "回复“群审核”处理。"])
    urgent = any(one.urgent for one in waiting)
    await tell_openid(post.openid or "", text, f"{waiting[0].grid}群待审核", now, waits=not urgent)
