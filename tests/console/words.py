"""Words as a mischievous neighbour would write them, in every field that holds words."""

from __future__ import annotations

import re
from typing import Any

from tortoise import Tortoise
from tortoise.fields import CharField, JSONField, TextField
from tortoise.fields.data import CharEnumFieldInstance
from tortoise.models import Model

from models.database import fetch, from_json, to_json

MARK = "<x-ss"
#: From the longest to the shortest: what fits is put behind the words that are there.
PAYLOADS = ('"\'><x-ss><img src=x onerror="alert(1)">', "'\"><x-ss>", "<x-ss>")
_WORDS = re.compile("[一-鿿]")


async def poison() -> int:
    """Put a payload behind every Chinese word in the database; gives how many columns had some."""
    models = Tortoise.apps["linli"] if Tortoise.apps else {}
    done = 0
    for model in models.values():
        for name, field in model._meta.fields_map.items():
            if isinstance(field, JSONField):
                done += await _poison_json(model, name)
            elif isinstance(field, (CharField, TextField)) and not isinstance(field, CharEnumFieldInstance):
                done += await _poison_text(model, name, getattr(field, "max_length", None))
    return done


async def _poison_text(model: type[Model], column: str, room: int | None) -> bool:
    fitting = [one for one in PAYLOADS if room is None or len(one) + 4 <= room]
    if not fitting or column in model._meta.pk_attr:
        return False
    kept = 10_000 if room is None else room - len(fitting[0])
    table, column = model._meta.db_table, model._meta.fields_db_projection[column]
    rows = await fetch(
        f"UPDATE {table} SET {column} = left({column}, {kept}) || $1 WHERE {column} ~ '[一-鿿]' RETURNING 1",  # noqa: S608
        fitting[0],
    )
    return bool(rows)


async def _poison_json(model: type[Model], column: str) -> bool:
    table, key = model._meta.db_table, model._meta.fields_db_projection[model._meta.pk_attr]
    column = model._meta.fields_db_projection[column]
    rows = await fetch(f"SELECT {key} AS id, {column} AS value FROM {table} WHERE {column}::text <> '{{}}'")  # noqa: S608
    changed = 0
    for row in rows:
        value = from_json(row["value"])
        worse = _worse(value)
        if worse != value:
            sql = f"UPDATE {table} SET {column} = $2::text::jsonb WHERE {key} = $1"  # noqa: S608
            await fetch(sql, row["id"], to_json(worse))
            changed += 1
    return bool(changed)


def _worse(value: Any) -> Any:
    if isinstance(value, str):
        return value + PAYLOADS[0] if _WORDS.search(value) else value
    if isinstance(value, list):
        return [_worse(one) for one in value]
    if isinstance(value, dict):
        return {name: _worse(one) for name, one in value.items()}
    return value
