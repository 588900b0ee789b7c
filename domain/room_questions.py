"""What nobody in a room has answered: gathered for the grid's worker after a while, so that nothing said there is lost.

Waiting is: a question, a likely report, and whatever a resident tells the staff in private, until somebody on duty
answers it, it becomes a case, or staff say that it is nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import structlog

from domain import room_entries
from domain.clock import template_number, template_time
from domain.journal import Notice
from domain.people import Person, Post, posts_upward, stand_in
from domain.relay import number_lines
from domain.review_notices import excerpt
from domain.room_cards import watcher
from domain.room_words import Entry
from domain.timing import quiet_until
from models.database import fetch, is_away, to_json, transaction
from models.enums import Level

log = structlog.get_logger(__name__)

#: How old something may be that is still gathered: a worker that was down for longer does not dig out last week.
LOOK_BACK = timedelta(days=2)
_SHOWN = 3  # lines of one message

WAITS = """
m.seq IS NOT NULL AND m.state = 'shown' AND m.sender LIKE 'resident:%' AND m.answered_at IS NULL AND m.case_id IS NULL
AND (m.kind = 'text' AND (m.intent IN ('consult', 'progress') OR m.hint IS NOT NULL AND NOT m.hint ? 'ignored'))
"""
WAITS_PRIVATELY = """
m.seq IS NOT NULL AND m.state = 'shown' AND m.sender LIKE 'resident:%' AND m.answered_at IS NULL AND m.case_id IS NULL
AND m.kind IN ('text', 'image', 'voice', 'location')
"""

# $1 before, $2 since. What one transaction gathers, another does not: rows are taken as they are marked.
_GATHER = (
    """
WITH waiting AS (
    SELECT m.id FROM room_message m JOIN room r ON r.id = m.room_id AND r.kind = 'grid'
    WHERE m.at <= $1 AND m.at > $2 AND m.collected_at IS NULL AND """  # noqa: S608 - constants of ours
    + WAITS
    + """
    UNION
    SELECT m.id FROM room r JOIN room_message m ON m.room_id = r.id
    WHERE r.kind = 'private' AND r.changed_at > $2 AND m.at <= $1 AND m.at > $2 AND m.collected_at IS NULL AND """
    + WAITS_PRIVATELY
    + """
), taken AS (
    SELECT id FROM room_message WHERE id IN (SELECT id FROM waiting) AND collected_at IS NULL
    ORDER BY id LIMIT 500 FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE room_message m SET collected_at = $3 FROM taken, room r, area g
WHERE m.id = taken.id AND r.id = m.room_id AND g.id = r.grid_id
RETURNING m.id, m.room_id, m.hint IS NOT NULL AS likely, r.kind, r.grid_id, g.name AS grid
"""
)


async def gather_questions(now: datetime, after: timedelta) -> int:
    """Tell the workers what has waited for longer than `after`, one message a room, not in the quiet hours; each is
    told once. Gives how many were gathered."""
    try:
        async with transaction():
            rows = await fetch(_GATHER, now - after, now - LOOK_BACK, now)
            rows.sort(key=lambda row: (row["room_id"], row["id"]))
            for _, of_room in groupby(rows, key=lambda row: int(row["room_id"])):
                await _tell(list(of_room), now)
        return len(rows)
    except Exception as error:
        if is_away(error):
            raise
        log.exception("unanswered questions not gathered")
        return 0


async def _tell(rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    first = rows[0]
    entries = [await room_entries.read(row["id"]) for row in rows]
    likely = [bool(row["likely"]) for row in rows[:_SHOWN]]
    where = f"{first['grid']}群里" if first["kind"] == "grid" else f"{first['grid']}居民私聊"

    def text(numbers: Sequence[int]) -> str:
        named = list(zip(numbers, entries, strict=False))[:_SHOWN]
        lines = [f"{number} {one.author}：{excerpt(one)}" for number, one in named]
        if len(entries) > _SHOWN:
            lines.append(f"还有 {len(entries) - _SHOWN} 条，回复“群里说了什么”看。")
        lines.append(f"要回就回复“答 {numbers[0]} 您的话”。")
        if any(likely):
            number = numbers[likely.index(True)]
            lines.append(f"要办的回复“立案 {number}”，不用办的回复“忽略 {number}”。")
        return "\n".join([f"{where}有 {len(entries)} 条还没人回：", *lines])

    await tell_worker(first["grid_id"], text, [one.id for one in entries], now)


Compose = Callable[[Sequence[int]], str]
_NOTICE = """
INSERT INTO outbox (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at, quiet)
VALUES ('notice', 'pending', $1, $2::jsonb, 0, 0, coalesce($4::timestamptz, $3), '', '', 0, '', $3, $4 IS NOT NULL)
"""


async def tell_worker(
    grid_id: int, text: Compose, messages: Sequence[int], now: datetime, *, waits: bool = True
) -> Post | None:
    """A message to who answers for a grid now: its worker or deputy, else the community's staff, else above; gives
    the first of them. `messages` are those it quotes, `text` is made of the numbers under which its reader answers
    them; who is forgotten is forgotten there too."""
    told = await on_duty(grid_id, now)
    for post in told:
        await tell_post(post, text, messages, now, waits=waits)
    return told[0] if told else None


async def tell_post(post: Post, text: Compose, messages: Sequence[int], now: datetime, *, waits: bool = True) -> None:
    """The same to one member of staff."""
    later = quiet_until(now) if waits else None
    fields = {
        "number": template_number(later or now),
        "subject": "群里有人在等",
        "status": "等回复",
        "time": template_time(later or now),
        "note": "打开小程序回复",
    }
    if post.openid:
        numbers = await number_lines(post.openid, messages, now)
        payload = Notice(post.openid, text(numbers), (), fields).payload() | {"messages": list(messages)}
        await fetch(_NOTICE, post.openid, to_json(payload), now, later)


async def on_duty(grid_id: int, now: datetime) -> list[Post]:
    """Who answers for a grid now: of the nearest level that has somebody there, everybody of that level."""
    found: dict[Level, list[Post]] = {}
    for post in await posts_upward(grid_id):
        there = await stand_in(post, now)
        if there:
            known = found.setdefault(post.level, [])
            known += [] if there in known else [there]
    return next(iter(found.values()), [])


_OPEN = (
    """
SELECT m.id FROM room_message m JOIN room r ON r.id = m.room_id
WHERE m.room_id = $1 AND m.at > $2 AND ($3::bigint IS NULL OR m.id > $3) AND (
    r.kind = 'grid' AND ("""
    + WAITS
    + ") OR r.kind = 'private' AND ("
    + WAITS_PRIVATELY
    + ")) ORDER BY m.id LIMIT $4"
)


async def unanswered(
    person: Person, room_id: int, now: datetime, *, beyond: int | None = None, limit: int = 20
) -> list[Entry]:
    """What waits in a room, the oldest of the last two days first. Raises NotFound, NotAllowed for residents."""
    await watcher(person, room_id)
    rows = await fetch(_OPEN, room_id, now - LOOK_BACK, beyond, limit)
    return [await room_entries.read(row["id"]) for row in rows]
