"""大屏: links that show an area's figures on a wall for as long as nobody takes them back, and nothing else.

A link is made by a member of staff for their own area or one below it, and known by its hash alone. It reads counts; no
case, no name, no text of anybody.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from domain.journal import audit
from domain.overview import view_area
from domain.people import Person
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.console import ScreenLink
from models.database import fetch, transaction

#: As many links as one installation keeps open at once.
MOST = 100
_TAG = "screen:make"


@dataclass(frozen=True, slots=True)
class Screen:
    """One link, as lists show it."""

    id: int
    name: str
    area_id: int
    area: str
    made_by: str
    made_at: datetime
    seen_at: datetime | None
    revoked_at: datetime | None


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


async def make_screen(person: Person, area_id: int, name: str, now: datetime, source: str = "") -> str:
    """A new link; gives its secret, which nobody can read again. Raises NotFound, BadRequest, Conflict."""
    if not name.strip():
        raise BadRequest("screen without a name", say="请写这块屏挂在哪里，比如“指挥大厅”。")
    await view_area(person, area_id)
    secret = secrets.token_urlsafe(24)
    async with transaction():
        if await ScreenLink.filter(revoked_at=None).count() >= MOST:
            raise Conflict("too many screens", say=f"大屏链接最多 {MOST} 个。请先停用不再用的。", tag=_TAG)
        made = await ScreenLink.create(
            digest=_digest(secret), name=name.strip()[:24], area_id=area_id, made_by=person.actor, made_at=now
        )
        await audit(person.actor, _TAG, made.id, now, source=source)
    return secret


_LIST = """
WITH RECURSIVE mine AS (
    SELECT id, name FROM area WHERE id = $1
    UNION ALL SELECT a.id, a.name FROM area a JOIN mine ON a.parent_id = mine.id
)
SELECT l.id, l.name, l.area_id, mine.name AS area, coalesce(s.name, l.made_by) AS made_by, l.made_at, l.seen_at,
    l.revoked_at
FROM screen_link l JOIN mine ON mine.id = l.area_id LEFT JOIN staff s ON l.made_by = 'staff:' || s.id
ORDER BY l.revoked_at IS NOT NULL, l.made_at DESC, l.id DESC LIMIT 200
"""


async def list_screens(person: Person) -> Sequence[Screen]:
    """Those of one's own area and below it, the open ones first."""
    if person.post is None:
        raise NotAllowed(f"{person.actor} has no desk", tag=_TAG, object_id=None)
    return [Screen(**row) for row in await fetch(_LIST, person.post.area_id)]


async def revoke_screen(person: Person, screen_id: int, now: datetime, source: str = "") -> str:
    """End a link; the screen goes dark at its next question. Gives its name. Raises NotFound."""
    async with transaction():
        found = await ScreenLink.filter(id=screen_id).select_for_update().get_or_none()
        if found is None:
            raise NotFound(f"screen {screen_id}", tag="screen:revoke", object_id=screen_id)
        await view_area(person, found.area_id)
        if found.revoked_at is None:
            found.revoked_at = now
            await found.save(update_fields=["revoked_at"])
            await audit(person.actor, "screen:revoke", screen_id, now, source=source)
    return found.name


_SEEN = """
UPDATE screen_link SET seen_at = $2::timestamptz WHERE digest = $1 AND revoked_at IS NULL
    AND (seen_at IS NULL OR seen_at < $2::timestamptz - interval '1 minute')
"""


async def area_shown(secret: str, now: datetime) -> int:
    """Which area a link shows. Raises NotFound for one that was taken back or never was."""
    digest = _digest(secret)
    found = await ScreenLink.get_or_none(digest=digest, revoked_at=None)
    if found is None:
        raise NotFound("screen", say="这个大屏链接停用了。请找系统管理员要新的链接。")
    await fetch(_SEEN, digest, now)
    return found.area_id
