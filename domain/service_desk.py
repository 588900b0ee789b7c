"""The directory at a desk: an item's texts read and written one by one, by those who answer for them.

What is written goes the same way as a row of an imported table: the same checks, the same versions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.administrators import kind_of
from domain.clock import SHANGHAI
from domain.journal import audit
from domain.organisation import import_tables
from domain.people import Person, ancestors
from domain.service_plans import item_cells
from domain.service_tables import EVERYWHERE, ITEMS
from domain.services import seen_areas
from domain.tables import EMPTY, Column, Sheet, Wrong
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.database import fetch, transaction
from models.enums import AdminKind
from models.people import Area
from models.services import ServiceItem

#: What people write themselves; code, review and reviewer come by themselves.
WRITTEN: Sequence[Column] = [one for one in ITEMS.columns if one.name not in ("code", "reviewed_on", "reviewer")]
_NOT_YOURS = "这一条由上级统一管理，您可以看和核对。有不对的请告诉他们，或让系统管理员改。"


@dataclass(frozen=True, slots=True)
class Sheaf:
    """An item as it is edited: `cells` by the column's name, blank where there is nothing."""

    item: ServiceItem
    cells: Mapping[str, str]
    may_edit: bool


async def read_item(person: Person, item_id: int) -> Sheaf:
    """An item of staff's area, a stopped one too. Raises NotFound, NotAllowed for residents."""
    item = await _seen(person, item_id, "service:read")
    texts = zip(ITEMS.columns, item_cells(item), strict=True)
    cells = {column.name: "" if cell is None else str(cell) for column, cell in texts}
    return Sheaf(item, cells, await _may_edit(person, item.area_id))


async def _seen(person: Person, item_id: int, tag: str) -> ServiceItem:
    item = await ServiceItem.filter(id=item_id).select_related("service_class", "area", "department").first()
    if item is None or person.post is None or item.area_id not in (None, *await seen_areas(person)):
        raise NotFound(f"service {item_id}", say="没有找到这项服务。", tag=tag, object_id=item_id)
    return item


async def _may_edit(person: Person, area_id: int | None) -> bool:
    """Whoever gives out work writes what their own area and those below show; what everybody sees, the topmost area and
    the system administrator."""
    post = person.post
    if post is None or not post.dispatches:
        return False
    if await kind_of(post.id) is AdminKind.SYSTEM:
        return True
    if area_id is None:
        return list(await ancestors(post.area_id)) == [post.area_id]
    return post.area_id in await ancestors(area_id)


async def may_write(person: Person) -> bool:
    """Whether this person may add items at all."""
    return person.post is not None and person.post.dispatches


async def save_item(
    person: Person, item_id: int, version: int, cells: Mapping[str, str], now: datetime, source: str = ""
) -> ServiceItem:
    """An item as it is to be; saving it is also a review. `version`: what the writer had before them.

    Raises NotFound, NotAllowed, Conflict where somebody changed it meanwhile, BadRequest for what cannot be read.
    """
    async with transaction():
        await fetch("SELECT id FROM service_item WHERE id = $1 FOR UPDATE", item_id)
        item = await _seen(person, item_id, "service:edit")
        await _refuse(person, item.area_id, item_id)
        if item.version != version:
            raise Conflict(f"item {item_id} is version {item.version}", say="刚刚有人改过这一条，请刷新后再改。")
        return await _write(person, item.code, cells, now, source)


async def add_item(person: Person, code: str, cells: Mapping[str, str], now: datetime, source: str = "") -> ServiceItem:
    """A new one. Raises NotAllowed, BadRequest, Conflict for a code that is taken."""
    async with transaction():
        if await ServiceItem.exists(code=code):
            raise Conflict("item code is taken", say="这个编码已经有了，请换一个。")
        return await _write(person, code, cells, now, source)


async def _write(person: Person, code: str, cells: Mapping[str, str], now: datetime, source: str) -> ServiceItem:
    await _check_area(person, cells.get("area", ""))
    try:
        code = ITEMS.column("code").read(code)
    except Wrong as error:
        raise BadRequest("item code", say=f"{error.wrong}。{error.mend}") from error
    name = person.post.name if person.post else ""
    review = {"reviewed_on": now.astimezone(SHANGHAI).date().isoformat(), "reviewer": name}
    given = {"code": code} | {one.name: _cell(one, cells[one.name]) for one in WRITTEN if one.name in cells} | review
    heads = [ITEMS.column(name).head for name in given]
    report = await import_tables(
        [Sheet(ITEMS.title, [(1, heads), (2, list(given.values()))])], now, by=(person.actor, source)
    )
    if report.faults:
        fault = report.faults[0]
        raise BadRequest(f"item {fault.column}", say=f"{fault.column}：{fault.wrong}。{fault.mend}")
    item = await ServiceItem.get(code=code)
    await audit(person.actor, "service:edit", item.id, now, source=source)
    return item


def _cell(column: Column, text: str) -> str:
    """As a table has it: there a blank leaves as it is, and 无 empties."""
    if text.strip():
        return text
    if column.needed or not column.clears:
        raise BadRequest(f"blank {column.name}", say=f"{column.head}不能空着，请填写，比如 {column.example}。")
    return EMPTY


async def _check_area(person: Person, code: str) -> None:
    area = None if code in ("", EVERYWHERE) else await Area.get_or_none(code=code)
    if area is None and code not in ("", EVERYWHERE):
        raise BadRequest("area", say="没有这个区域，请重新选。")
    await _refuse(person, area.id if area else None, None)


async def _refuse(person: Person, area_id: int | None, item_id: int | None) -> None:
    if not await _may_edit(person, area_id):
        raise NotAllowed(f"{person.actor} does not write it", say=_NOT_YOURS, tag="service:edit", object_id=item_id)


_STOPPED = """
SELECT id FROM service_item WHERE NOT active AND (area_id IS NULL OR area_id = ANY ($1)) ORDER BY id DESC LIMIT $2
"""


async def stopped_items(person: Person, limit: int = 100) -> list[ServiceItem]:
    """For staff: items of their area that residents do not see, the newest first."""
    if person.post is None:
        return []
    ids = [row["id"] for row in await fetch(_STOPPED, await seen_areas(person), limit)]
    return await ServiceItem.filter(id__in=ids).order_by("-id").select_related("service_class")
