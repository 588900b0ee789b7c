"""Who decides about an application: its community and those above it, and the department whose item it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.people import Post, ancestors, post_of, stand_in
from domain.room_questions import on_duty
from models.bookings import Application
from models.database import fetch
from models.enums import Level
from models.services import ServiceItem

_MOST_TOLD = 9


async def decides(post: Post, application: Application) -> bool:
    """Whether this post may take it."""
    if post.area_id not in await ancestors(application.area_id):
        return False
    return post.dispatches or (post.department_id is not None and post.department_id == await _unit_of(application))


def department_of(post: Post) -> int | None:
    """Whose items alone a post sees the applications of; None for who answers for all of an area."""
    return None if post.dispatches or post.level is Level.GRID else post.department_id


async def _unit_of(application: Application) -> int | None:
    return (await ServiceItem.get(id=application.item_id)).department_id


_OF_DEPARTMENT = """
SELECT s.id FROM service_item i JOIN staff s ON s.department_id = i.department_id AND s.active
WHERE i.id = $1 AND s.area_id = ANY ($2::int[]) ORDER BY s.id LIMIT $3
"""


async def deciders(application: Application, now: datetime) -> Sequence[Post]:
    """Whom to tell of it: who has it; else those of the department whose item it is that WeChat reaches; else who is on
    duty in the community."""
    if holder := await post_of(application.holder_id):
        return [holder]
    return await _of_department(application, now) or await on_duty(application.area_id, now)


async def _of_department(application: Application, now: datetime) -> Sequence[Post]:
    above = list(await ancestors(application.area_id))
    found: dict[int, Post] = {}
    for row in await fetch(_OF_DEPARTMENT, application.item_id, above, _MOST_TOLD):
        there = await stand_in(row["id"], now)
        if there and there.openid:
            found[there.id] = there
    return list(found.values())
