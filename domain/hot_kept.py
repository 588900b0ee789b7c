"""Hot spots as they were last counted, area by area: counting a city's takes seconds, and nobody waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from domain.hotspots import HotSpot
from models.database import fetch, from_json, to_json

#: How often an area's are counted, and how old they may be to be shown; old ones are better than a count of a whole
#: city while somebody waits.
EACH, FRESH, FRESH_ABOVE = timedelta(minutes=10), timedelta(minutes=30), timedelta(days=1)

_KEPT = """
SELECT k.spots FROM hot_kept k JOIN area a ON a.id = k.area_id WHERE k.area_id = $1 AND k.counted_at <= $2
    AND k.counted_at > CASE WHEN a.level IN ('city', 'district') THEN $4::timestamptz ELSE $3::timestamptz END
"""


async def kept_spots(area_id: int, now: datetime) -> list[HotSpot] | None:
    """What was counted lately; None where nobody has."""
    rows = await fetch(_KEPT, area_id, now, now - FRESH, now - FRESH_ABOVE)
    if not rows:
        return None
    return [HotSpot(**spot | {"case_ids": tuple(spot["case_ids"])}) for spot in from_json(rows[0]["spots"])]


_ENTER = "INSERT INTO hot_kept (area_id) SELECT id FROM area WHERE level <> 'grid' ON CONFLICT (area_id) DO NOTHING"
# Whoever takes an area counts it; who dies over it leaves it for the next round.
_TAKE = """
UPDATE hot_kept SET taken_at = $1 WHERE area_id = (
    SELECT k.area_id FROM hot_kept k JOIN area a ON a.id = k.area_id WHERE k.taken_at <= $2
    ORDER BY array_position(ARRAY['city', 'district', 'street', 'community'], a.level::text), k.area_id
    LIMIT 1 FOR UPDATE OF k SKIP LOCKED
) RETURNING area_id
"""


async def enter_areas() -> None:
    """Each area has its line; a grid's own hot spots are counted whenever they are asked for."""
    await fetch(_ENTER)


async def take_area(now: datetime) -> int | None:
    """An area whose turn it is, the largest first."""
    rows = await fetch(_TAKE, now, now - EACH)
    return int(rows[0]["area_id"]) if rows else None


async def keep_spots(area_id: int, spots: Sequence[HotSpot], now: datetime) -> None:
    """Keep what was counted at this moment."""
    kept = to_json([asdict(spot) for spot in spots])
    await fetch("UPDATE hot_kept SET spots = $2, counted_at = $3 WHERE area_id = $1", area_id, kept, now)
