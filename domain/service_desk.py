"""The directory at a desk: an item's texts read and written one by one, by those who answer for them.

What is written goes the same way as a row of an imported table: the same checks, the same versions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.clock import SHANGHAI
from domain.directory_history import NEW, Change, of_item
from domain.directory_rows import check_area, check_edits, may_edit, may_write, read_code, write_row
from domain.journal import audit
from domain.organisation import take_turn
from domain.people import Person
from domain.service_plans import item_cells
from domain.service_tables import ITEMS
from domain.services import seen_areas
from domain.tables import Column, as_text
from errors import Conflict, NotFound
from models.database import fetch, transaction
from models.services import ServiceItem

__all__ = ["WRITTEN", "Sheaf", "add_item", "may_write", "read_item", "save_item", "seen_item", "stopped_items"]

#: What people write themselves; code, review and reviewer come by themselves.
WRITTEN: Sequence[Column] = [one for one in ITEMS.columns if one.name not in ("code", "reviewed_on", "reviewer")]
_EDIT = "service:edit"


@dataclass(frozen=True, slots=True)
class Sheaf:
    """An item as it is edited: `cells` by the column's name, blank where there is nothing; `changes`: the newest
    first."""

    item: ServiceItem
    cells: Mapping[str, str]
    may_edit: bool
    changes: Sequence[Change]


async def read_item(person: Person, item_id: int) -> Sheaf:
    """An item of staff's area, a stopped one too. Raises NotFound, NotAllowed for residents."""
    item = await seen_item(person, item_id, "service:read")
    cells = as_text(ITEMS.columns, item_cells(item))
    return Sheaf(item, cells, await may_edit(person, item.area_id), await of_item(item))


async def seen_item(person: Person, item_id: int, tag: str) -> ServiceItem:
    """An item of staff's area, a stopped one too, with class, area and department. Raises NotFound."""
    item = await ServiceItem.filter(id=item_id).select_related("service_class", "area", "department").first()
    if item is None or person.post is None or item.area_id not in (None, *await seen_areas(person)):
        raise NotFound(f"service {item_id}", say="没有找到这项服务。", tag=tag, object_id=item_id)
    return item


async def save_item(
    person: Person, item_id: int, version: int, cells: Mapping[str, str], now: datetime, source: str = ""
) -> ServiceItem:
    """An item as it is to be; saving it is also a review. `version`: what the writer had before them.

    Raises NotFound, NotAllowed, Conflict where somebody changed it meanwhile, BadRequest for what cannot be read.
    """
    async with transaction():
        await take_turn()
        await fetch("SELECT id FROM service_item WHERE id = $1 FOR UPDATE", item_id)
        item = await seen_item(person, item_id, _EDIT)
        await check_edits(person, item.area_id, _EDIT, item_id)
        if item.version != version:
            raise Conflict(f"item {item_id} is version {item.version}", say="刚刚有人改过这一条，请刷新后再改。")
        return await _write(person, item.code, cells, now, source)


async def add_item(person: Person, code: str, cells: Mapping[str, str], now: datetime, source: str = "") -> ServiceItem:
    """A new one. Raises NotAllowed, BadRequest, Conflict for a code that is taken."""
    async with transaction():
        await take_turn()
        code = read_code(ITEMS, code)
        if await ServiceItem.exists(code=code):
            raise Conflict("item code is taken", say="这个编码已经有了，请换一个。")
        return await _write(person, code, cells, now, source, NEW)


async def _write(
    person: Person, code: str, cells: Mapping[str, str], now: datetime, source: str, how: str = ""
) -> ServiceItem:
    await check_area(person, cells.get("area", ""), _EDIT)
    review = {
        "reviewed_on": now.astimezone(SHANGHAI).date().isoformat(),
        "reviewer": person.post.name if person.post else "",
    }
    await write_row(person, ITEMS, WRITTEN, {"code": code} | dict(cells) | review, now, source)
    item = await ServiceItem.get(code=code)
    await audit(person.actor, _EDIT, item.id, now, source=source, after=how)
    return item


_STOPPED = """
SELECT id FROM service_item WHERE NOT active AND (area_id IS NULL OR area_id = ANY ($1)) ORDER BY id DESC LIMIT $2
"""


async def stopped_items(person: Person, limit: int = 100) -> list[ServiceItem]:
    """For staff: items of their area that residents do not see, the newest first."""
    if person.post is None:
        return []
    ids = [row["id"] for row in await fetch(_STOPPED, await seen_areas(person), limit)]
    return await ServiceItem.filter(id__in=ids).order_by("-id").select_related("service_class")
