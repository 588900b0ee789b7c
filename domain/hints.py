"""未诉先办 on Monday morning: the hot spots of a community, told to its staff and to the worker of each grid, once.

They are told at the week's first working moment in which a worker process is up: after a holiday on the first day
people work again, at night never. A worked weekend (调休) waits for Monday.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import structlog

from domain.clock import SHANGHAI, template_number, template_time
from domain.hot_matters import all_hotspots
from domain.hotspots import HotSpot
from domain.journal import Notice, audit
from domain.people import Post, posts_upward, stand_in
from domain.timing import quiet_until
from domain.worktime import load_calendar
from models.database import fetch, is_away, transaction
from models.enums import Level, OutboxKind, OutboxState
from models.messaging import Outbox

log = structlog.get_logger(__name__)

_FRIDAY = 4
_SHOWN = 4  # lines of one message
_OPEN = """
SELECT id FROM area
WHERE level = 'community' AND NOT EXISTS (SELECT FROM hint_week h WHERE h.area_id = area.id AND h.week = $1)
ORDER BY id
"""
_CLAIM = """
INSERT INTO hint_week (week, area_id, found, told_at) VALUES ($1, $2, 0, $3)
ON CONFLICT (week, area_id) DO NOTHING RETURNING id
"""
_FOUND = "UPDATE hint_week SET found = $2 WHERE id = $1"


async def push_hints(now: datetime) -> int:
    """Tell of this week's hot spots wherever that was not done yet, one transaction a community; nothing outside of
    working time. Gives how many people were told."""
    today, told = now.astimezone(SHANGHAI).date(), 0
    if today.weekday() > _FRIDAY or not (await load_calendar()).worked(now, now + timedelta(minutes=1)):
        return 0
    monday = today - timedelta(days=today.weekday())
    for row in await fetch(_OPEN, monday):
        try:
            told += await _push(row["id"], monday, now)
        except Exception as error:
            if is_away(error):
                raise
            log.exception("hot spots not told", area=row["id"])  # tried again at the next look
    return told


async def _push(community_id: int, monday: date, now: datetime) -> int:
    async with transaction():
        claimed = await fetch(_CLAIM, monday, community_id, now)
        if not claimed:
            return 0  # another scheduler has it
        found = await all_hotspots(community_id, now)
        if not found:
            return 0
        hints = await _by_person(found, now)
        for post, spots in hints:
            await _tell(post, spots, now)
        await fetch(_FOUND, claimed[0]["id"], len(found))
        await audit("system", "hotspots:push", community_id, now, source="job:hints")
        return len(hints)


async def _by_person(found: Sequence[HotSpot], now: datetime) -> list[tuple[Post, list[HotSpot]]]:
    """Who is told of which: staff of the community of all, a grid's worker of theirs; deputies for who is away."""
    hints: dict[int, tuple[Post, list[HotSpot]]] = {}
    for spot in found:
        for post in await posts_upward(spot.grid_id):
            there = await stand_in(post, now) if post.level in (Level.GRID, Level.COMMUNITY) else None
            if there and there.openid:
                spots = hints.setdefault(there.id, (there, []))[1]
                spots += [] if spot in spots else [spot]
    return list(hints.values())


async def _tell(post: Post, spots: Sequence[HotSpot], now: datetime) -> None:
    shown = [spot.line for spot in spots[:_SHOWN]]
    if len(spots) > _SHOWN:
        shown[-1] = f"还有 {len(spots) - _SHOWN + 1} 处"
    text = "\n".join(["未诉先办：这些事最近比平时多，建议先去看看。", *shown, "回复“热点”看是哪几件。"])
    more = f"等 {len(spots)} 处" if len(spots) > 1 else ""
    fields = {
        "number": template_number(now),
        "subject": f"{spots[0].subject}{more}",
        "status": "比平时多",
        "time": template_time(now),
        "note": "回复“热点”查看",
    }
    waits = quiet_until(now)
    await Outbox.create(
        kind=OutboxKind.NOTICE,
        state=OutboxState.PENDING,
        recipient=post.openid,
        payload=Notice(post.openid or "", text, (), fields).payload(),
        due_at=waits or now,
        quiet=waits is not None,
        created_at=now,
    )
