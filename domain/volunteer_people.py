"""志愿时长 and certificates in what a resident takes along, in being forgotten, and in becoming one with a follower."""

from __future__ import annotations

from typing import Any

from models.database import fetch

_TIME = """
SELECT v.what, v.on, v.minutes, v.at FROM volunteer_time v WHERE v.resident_id = $1 ORDER BY v.id
"""
_CERTIFICATES = """
SELECT number, name, community, starts_on, ends_on, minutes, times, made_at FROM certificate
WHERE resident_id = $1 ORDER BY id
"""


async def time_of(resident_id: int) -> list[dict[str, Any]]:
    """Every row of their account."""
    return await fetch(_TIME, resident_id)


async def certificates_of(resident_id: int) -> list[dict[str, Any]]:
    """Every certificate of theirs."""
    return await fetch(_CERTIFICATES, resident_id)


# Minutes stay as figures; why staff corrected them, and papers with a name on them, do not.
_UNWORDED = "UPDATE volunteer_time SET what = split_part(what, '：', 1) WHERE resident_id = $1 AND by <> 'system'"


async def forget_volunteer(resident_id: int) -> None:
    """Whoever was shown one of their certificates finds it no more. In the running transaction."""
    await fetch("DELETE FROM certificate WHERE resident_id = $1", resident_id)
    await fetch(_UNWORDED, resident_id)


async def merge_volunteer(gone: int, stays: int) -> None:
    """What one gave, the other did. In the running transaction."""
    await fetch("UPDATE volunteer_time SET resident_id = $2 WHERE resident_id = $1", gone, stays)
    await fetch("UPDATE certificate SET resident_id = $2 WHERE resident_id = $1", gone, stays)
