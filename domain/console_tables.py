"""The organisation's tables as the system administrator keeps them in the console: whole files, or row by row.

A row typed into a form goes the way of a file with one row: the same checks, the same sentences, the same audit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime

from domain import organisation_tables as tables
from domain import table_values
from domain.administrators import kind_of
from domain.clock import SHANGHAI
from domain.journal import audit
from domain.organisation import Export, ImportReport, export_tables, import_row, import_tables, take_turn
from domain.organisation_tables import ABSENCES, AREAS, DEPARTMENTS, DUTIES, SPECIAL_DAYS, STAFF, TEMPLATES
from domain.people import Post
from domain.tables import EMPTY, Column, Sheet, Table, as_text, mark_of
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.database import transaction
from models.enums import AdminKind

#: Those whose rows are changed one at a time. Households and what hangs on them have pages of their own.
BY_ROW: Mapping[str, Table] = {
    table.name: table for table in (AREAS, DEPARTMENTS, STAFF, ABSENCES, DUTIES, SPECIAL_DAYS, TEMPLATES)
}
_CHOICES: Mapping[tuple[str, str], Sequence[str]] = {
    ("areas", "level"): tuple(tables.LEVEL_NAMES.values()),
    ("duties", "level"): tuple(tables.LEVEL_NAMES.values()),
    ("duties", "verifier"): tuple(tables.VERIFIER_NAMES.values()),
    ("staff", "role"): tuple(tables.POST_NAMES.values()),
    ("special_days", "works"): ("上班", "放假"),
    ("reply_templates", "verb"): tuple(tables.VERB_NAMES.values()),
}


async def keeps(by: Post) -> bool:
    """Whether this person keeps the organisation."""
    return await kind_of(by.id) is AdminKind.SYSTEM


async def check_keeps(by: Post, tag: str) -> None:
    """Raises NotAllowed for all but the system administrator."""
    if not await keeps(by):
        raise NotAllowed("organisation", say="组织和规则由系统管理员维护。", tag=tag, object_id=None)


async def take_in(
    by: Post, sheets: Sequence[Sheet], now: datetime, *, effective_on: date | None, dry_run: bool, source: str
) -> ImportReport:
    """Import what a file held, or only say what would become of it. Raises NotAllowed."""
    await check_keeps(by, "tables:import")
    given = (by.actor, source)
    return await import_tables(sheets, now, effective_on=effective_on, dry_run=dry_run, by=given)


async def hand_out(by: Post, wanted: Sequence[str], day: date, now: datetime, source: str) -> list[Export]:
    """Tables as they are, for a file; all where none is named. Raises NotAllowed, BadRequest."""
    async with transaction():
        await check_keeps(by, "tables:export")
        chosen = tables.named_tables(wanted)
        for table in chosen:
            await audit(by.actor, f"{table.name}:export", None, now, source=source)
        return await export_tables(chosen, day)


def options(table: Table, column: Column) -> Sequence[str]:
    """What may stand in a column, where there is only so much."""
    if column.read is table_values.flag and (table.name, column.name) not in _CHOICES:
        return ("是", "否")
    if column.read is tables.category:
        return tables.all_categories()
    return _CHOICES.get((table.name, column.name), ())


def table_by_row(name: str) -> Table:
    """One of those whose rows are changed one at a time. Raises NotFound."""
    if name not in BY_ROW:
        raise NotFound(f"table {name[:20]!r}", say="没有这张表。")
    return BY_ROW[name]


async def rows_of(table: Table, day: date) -> list[Mapping[str, str]]:
    """All rows by their columns' names, as a file would have them; `day` chooses the version of the duty list."""
    export = (await export_tables([table], day))[0]
    return [as_text(table.columns, row) for row in export.rows]


async def row_of(table: Table, key: Sequence[str], day: date) -> Mapping[str, str]:
    """The row with this key. Raises NotFound."""
    keys = [column.name for column in table.columns if column.key]
    for row in await rows_of(table, day):
        if [row[name] for name in keys] == list(key):
            return row
    raise NotFound(f"row {key!r} of {table.name}", say="没有这一行，可能刚被人改了。请回到上一页再看。")


async def write_row(
    by: Post, table: Table, key: Sequence[str], seen: str, given: Mapping[str, str], now: datetime, source: str
) -> ImportReport:
    """Write what differs from the row with this key, which somebody read when its mark was `seen`; no key = a new row.

    Raises NotAllowed; BadRequest with the first fault; Conflict for a new row that is there, and for one that was
    changed meanwhile.
    """
    await check_keeps(by, "tables:import")
    async with transaction():
        await take_turn()
        before = await _unchanged(table, key, seen, now) if key else await _new(table, given, now)
        given = {**given, **{column.name: before[column.name] for column in table.columns if before and column.key}}
        differs = [one for one in table.columns if one.key or given.get(one.name, "") != before.get(one.name, "")]
        row = {column.name: given.get(column.name, "") or _emptied(column, before) for column in differs}
        return await import_row(table, row, now, by=(by.actor, source))


async def _unchanged(table: Table, key: Sequence[str], seen: str, now: datetime) -> Mapping[str, str]:
    row = await row_of(table, key, now.astimezone(SHANGHAI).date())
    if mark_of(row) != seen:
        raise Conflict(f"row of {table.name} has changed", say="这一行刚被别人改过。请刷新，看了新的再改。")
    return row


async def _new(table: Table, given: Mapping[str, str], now: datetime) -> Mapping[str, str]:
    key = [given.get(column.name, "") for column in table.columns if column.key]
    with suppress(NotFound):
        await row_of(table, key, now.astimezone(SHANGHAI).date())
        raise Conflict(f"row of {table.name} is there", say="这一行已经有了。要改请在表里找到它，点“修改”。")
    return {}


def _emptied(column: Column, before: Mapping[str, str]) -> str:
    if not before.get(column.name):
        return ""
    if column.key or column.needed or not column.clears:
        raise BadRequest(f"{column.name} is empty", say=f"“{column.head}”不能空着。")
    return EMPTY


async def note_change(by: Post, tag: str, now: datetime, source: str) -> None:
    """The system administrator changes something outside the database: it stands in the audit trail. Raises
    NotAllowed."""
    async with transaction():
        await check_keeps(by, tag)
        await audit(by.actor, tag, None, now, source=source)
