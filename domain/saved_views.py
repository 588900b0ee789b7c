"""Views: a list with its filters, kept under a name. Each is one member of staff's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from domain.journal import audit
from domain.patrols import need_post
from domain.people import Person
from errors import BadRequest, Conflict, NotFound
from models.console import SavedView
from models.database import fetch, to_json, transaction

#: On one list; a row of names nobody can take in helps nobody.
MOST = 20
_NAME = 24
_SAVE = """
INSERT INTO saved_view (staff_id, page, name, query, position)
SELECT $1::int, $2::varchar, $3::varchar, $4::jsonb, coalesce(max(position) + 1, 0) FROM saved_view
WHERE staff_id = $1 AND page = $2
ON CONFLICT (staff_id, page, name) DO UPDATE SET query = excluded.query RETURNING id
"""
_LOCK = "SELECT FROM staff WHERE id = $1 FOR NO KEY UPDATE"


async def list_views(person: Person, page: str) -> Sequence[SavedView]:
    """Their views of a list, in the order in which they were made."""
    post = need_post(person, "view:list")
    return await SavedView.filter(staff_id=post.id, page=page).order_by("position", "id")


async def save_view(
    person: Person, page: str, name: str, query: Mapping[str, str], now: datetime, source: str = ""
) -> int:
    """Keep filters under a name; one of the same name is replaced. Gives its id. Raises BadRequest for no name,
    Conflict where there are enough."""
    post, name = need_post(person, "view:save"), name.strip()
    if not name or len(name) > _NAME:
        raise BadRequest("no name", say=f"请给视图起个名字，最多 {_NAME} 个字。")
    async with transaction():
        await fetch(_LOCK, post.id)
        others = SavedView.filter(staff_id=post.id, page=page).exclude(name=name)
        if await others.count() >= MOST:
            raise Conflict("enough views", say=f"最多留 {MOST} 个视图，请先删掉不用的。")
        made = await fetch(_SAVE, post.id, page, name, to_json(dict(query)))
        await audit(person.actor, "view:save", made[0]["id"], now, source=source)
    return int(made[0]["id"])


async def drop_view(person: Person, view_id: int, now: datetime, source: str = "") -> str:
    """Take one away; gives its name. NotFound for anybody else's."""
    post = need_post(person, "view:drop")
    async with transaction():
        view = await SavedView.get_or_none(id=view_id, staff_id=post.id)
        if view is None:
            raise NotFound(f"view {view_id}", say="没有这个视图，可能已经删掉了。", tag="view:drop", object_id=view_id)
        await view.delete()
        await audit(person.actor, "view:drop", view_id, now, source=source)
    return view.name
