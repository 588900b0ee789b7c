"""What the directory shows, written one by one at a desk: by whom, and the way a row of an imported table goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from domain.administrators import kind_of
from domain.organisation import import_row
from domain.people import Person, ancestors
from domain.service_tables import EVERYWHERE
from domain.tables import EMPTY, Cell, Column, Table, Wrong
from errors import BadRequest, NotAllowed
from models.enums import AdminKind
from models.people import Area

_NOT_YOURS = "这一条由上级统一管理，您可以看和核对。有不对的请告诉他们，或让系统管理员改。"


def may_write(person: Person) -> bool:
    """Whether this person may add to the directory at all."""
    return person.post is not None and person.post.dispatches


async def may_edit(person: Person, area_id: int | None) -> bool:
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


async def check_edits(person: Person, area_id: int | None, tag: str, object_id: int | None) -> None:
    """Raises NotAllowed for all but those."""
    if not await may_edit(person, area_id):
        raise NotAllowed(f"{person.actor} does not write it", say=_NOT_YOURS, tag=tag, object_id=object_id)


async def check_area(person: Person, code: str, tag: str) -> None:
    """Where it is to be shown: 全部, or an area they write for. Raises BadRequest, NotAllowed."""
    area = None if code in ("", EVERYWHERE) else await Area.get_or_none(code=code)
    if area is None and code not in ("", EVERYWHERE):
        raise BadRequest("area", say="没有这个区域，请重新选。")
    await check_edits(person, area.id if area else None, tag, None)


async def write_row(
    person: Person, table: Table, columns: Sequence[Column], cells: Mapping[str, str], now: datetime, source: str
) -> None:
    """Write a row whole, in the running transaction: a blank in one of the `columns` empties it; others are taken as
    they are. Raises BadRequest for what cannot be read."""
    forms = {column.name: column for column in columns}
    row: dict[str, Cell] = {name: _cell(forms[name], text) if name in forms else text for name, text in cells.items()}
    await import_row(table, row, now, by=(person.actor, source))


def _cell(column: Column, text: str) -> str:
    """As a table has it: there a blank leaves as it is, and 无 empties."""
    if text.strip():
        return text
    if column.needed or not column.clears:
        raise BadRequest(f"blank {column.name}", say=f"{column.head}不能空着，请填写，比如 {column.example}。")
    return EMPTY


def read_code(table: Table, text: str) -> str:
    """What a new row is to be known by. Raises BadRequest."""
    try:
        code: str = table.column("code").read(text)
    except Wrong as error:
        raise BadRequest(f"code of {table.name}", say=f"{error.wrong}。{error.mend}") from error
    return code
