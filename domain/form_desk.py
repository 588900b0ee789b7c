"""Application forms at a desk: which items have one, what each asks, written by those who write the item.

A form goes the way of a row of its table: other questions or another limit are a new version, and who applied before
keeps theirs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.directory_history import Change, of_form
from domain.directory_rows import check_edits, may_edit, write_row
from domain.form_tables import FORMS, MOST_FIELDS, TYPE_NAMES, form_cells, write_limits
from domain.forms import Field, FieldType, asked_at, introduction, read_fields
from domain.journal import audit
from domain.organisation import take_turn
from domain.people import Person
from domain.service_desk import seen_item
from domain.services import seen_areas
from domain.tables import Column, Wrong, as_text, mark_of
from errors import BadRequest, Conflict
from models.bookings import ServiceForm
from models.database import fetch, transaction
from models.services import ServiceItem

__all__ = [
    "MOST_FIELDS",
    "FieldType",
    "FieldWords",
    "FormRow",
    "FormSheet",
    "FormWords",
    "form_rows",
    "formless_items",
    "preview",
    "read_form",
    "save_form",
]

_EDIT = "form:edit"
_WRITTEN: Sequence[Column] = [one for one in FORMS.columns if one.name != "code"]
_PARTS = re.compile(r"[|｜\n]")


@dataclass(frozen=True, slots=True)
class FormRow:
    """An item's newest form in the list of staff. `waiting`: open applications of the reader's area."""

    item_id: int
    title: str
    version: int
    questions: int
    time_limit: str
    active: bool
    item_active: bool
    waiting: int


_ROWS = """
WITH w AS (
    SELECT item_id, count(*) AS waiting FROM application
    WHERE area_id = ANY ($1) AND state IN ('submitted', 'supplement', 'accepted') GROUP BY item_id
)
SELECT i.id AS item_id, i.title, f.version, jsonb_array_length(f.fields) AS questions, f.time_limit, f.active,
    i.active AND c.active AS item_active,
    coalesce(w.waiting, 0) AS waiting
FROM service_item i JOIN service_class c ON c.id = i.service_class_id
JOIN LATERAL (SELECT * FROM service_form WHERE item_id = i.id ORDER BY version DESC LIMIT 1) f ON true
LEFT JOIN w ON w.item_id = i.id
WHERE (i.area_id IS NULL OR i.area_id = ANY ($1)) AND i.id > $2 ORDER BY i.id LIMIT $3
"""
_FORMLESS = """
SELECT i.id, i.title FROM service_item i JOIN service_class c ON c.id = i.service_class_id
WHERE (i.area_id IS NULL OR i.area_id = ANY ($1)) AND i.active AND c.active
    AND NOT EXISTS (SELECT 1 FROM service_form f WHERE f.item_id = i.id)
ORDER BY c.position, i.position, i.id LIMIT 500
"""


async def form_rows(person: Person, *, after: int = 0, limit: int = 50) -> list[FormRow]:
    """For staff: the items of their area that have a form, stopped ones too; `after`: the item the page before ended
    with."""
    if person.post is None:
        return []
    return [FormRow(**row) for row in await fetch(_ROWS, await seen_areas(person), after, limit)]


async def formless_items(person: Person) -> Sequence[tuple[int, str]]:
    """(id, title) of the items of their area that have none yet."""
    return [(row["id"], row["title"]) for row in await fetch(_FORMLESS, await seen_areas(person))]


@dataclass(frozen=True, slots=True)
class FieldWords:
    """A question as people write it: `limits` are the options, or the range (1-3)."""

    label: str
    kind: str
    required: bool = True
    limits: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class FormWords:
    """A form as people write it; `time_limit` as 10工作日, blank = none is promised."""

    questions: Sequence[FieldWords] = ()
    time_limit: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class FormSheet:
    """An item with its newest form. `version` 0 = it has none; `mark`: of the form as it was read."""

    item: ServiceItem
    version: int
    words: FormWords
    mark: str
    may_edit: bool
    changes: Sequence[Change]


async def read_form(person: Person, item_id: int) -> FormSheet:
    """Of an item of staff's area. Raises NotFound."""
    item = await seen_item(person, item_id, "form:read")
    form, mark = await _newest(item)
    asked = read_fields(form.fields_) if form else []
    words = FormWords(
        [_words(field) for field in asked], form.time_limit if form else "", form.active if form else True
    )
    edits, changes = await may_edit(person, item.area_id), await of_form(item.id)
    return FormSheet(item, form.version if form else 0, words, mark, edits, changes)


async def _newest(item: ServiceItem) -> tuple[ServiceForm | None, str]:
    form = await ServiceForm.filter(item_id=item.id).order_by("-version").first()
    return form, mark_of(as_text(FORMS.columns, form_cells(item.code, form))) if form else ""


def _words(field: Field) -> FieldWords:
    return FieldWords(field.label, TYPE_NAMES[field.type], field.required, write_limits(field), field.hint)


def _line(words: FieldWords) -> str:
    """As the table has it. Raises BadRequest for what would fall into two cells there."""
    parts = [words.label, words.kind, "必填" if words.required else "选填", words.limits, words.hint]
    if any(_PARTS.search(part) for part in parts):
        raise BadRequest("separator in a field", say=f"“{words.label[:20]}”里不要用竖线“｜”，请换成逗号。")
    return "｜".join(parts)


def preview(title: str, words: FormWords) -> Sequence[tuple[str, Sequence[str]]]:
    """What a resident is asked in the chat, one message after the other, each with what can be tapped under it.
    Raises BadRequest for what cannot be read."""
    asked = read_fields(_read("fields", _cell(words)))
    limit = _read("time_limit", words.time_limit) if words.time_limit else ""
    head = (introduction(title, asked, limit), ("我自己", "家里人（没有微信）"))
    return [head, *(asked_at(asked, place) for place in range(len(asked)))]


def _read(name: str, text: str) -> Any:
    column = FORMS.column(name)
    try:
        return column.read(text)
    except Wrong as error:
        raise BadRequest(f"{name} of a form", say=f"{column.head}：{error.wrong}。{error.mend}") from error


def _cell(words: FormWords) -> str:
    if not words.questions:
        raise BadRequest("no fields", say="还没有要填的内容，请至少写一项。")
    return "\n".join(map(_line, words.questions))


async def save_form(person: Person, item_id: int, mark: str, words: FormWords, now: datetime, source: str = "") -> int:
    """The item's form as it is to be, its first one too; gives its version. `mark`: of what the writer had before them.

    Raises NotFound, NotAllowed, Conflict where somebody changed it meanwhile, BadRequest for what cannot be read.
    """
    async with transaction():
        await take_turn()
        await fetch("SELECT id FROM service_item WHERE id = $1 FOR UPDATE", item_id)
        item = await seen_item(person, item_id, _EDIT)
        await check_edits(person, item.area_id, _EDIT, item_id)
        if (await _newest(item))[1] != mark:
            raise Conflict(f"form of {item_id} was changed", say="刚刚有人改过这张表，请刷新后再改。")
        row = {"code": item.code, "fields": _cell(words), "time_limit": words.time_limit}
        row["active"] = "是" if words.active else "否"
        await write_row(person, FORMS, _WRITTEN, row, now, source)
        await audit(person.actor, _EDIT, item.id, now, source=source)
        form, _ = await _newest(item)
        return form.version if form else 0
