"""Every notice a test caused carries what its kind promises, so that a template that was checked can carry it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.fields import fit
from bot.notice_kinds import CASE, KINDS, Form, Value
from errors import BadRequest
from models.database import fetch, from_json

_NOTICES = """
SELECT DISTINCT coalesce(payload->>'kind', 'case') AS kind, payload->'fields' AS fields FROM outbox
WHERE kind = 'notice' AND payload ? 'fields' AND payload->'fields' <> '{}'
"""
_FORMS = {
    Form.CODE: re.compile(r"[!-~]*"),  # nobody who waits for a place has a code yet
    Form.PHRASE: re.compile("[\u4e00-\u9fff]+"),
    Form.TEXT: re.compile(r".*\S.*", re.DOTALL),
}


async def wrong_notices() -> list[str]:
    """What of the notices in the outbox is not as `bot.notice_kinds` says, a line each."""
    rows = await fetch(_NOTICES)
    return [f"{row['kind']}: {fault}" for row in rows for fault in _faults(row["kind"], from_json(row["fields"]))]


def _faults(kind: str, fields: Mapping[str, str]) -> list[str]:
    values = KINDS.get(kind)
    if values is None:
        return ["no such kind"]
    wrong = [f"{name} = {text!r}" for name, text in fields.items() if name not in values or not _is(values[name], text)]
    return wrong + [f"no {name}" for name in KINDS[CASE] if name not in fields]


def _is(value: Value, text: str) -> bool:
    if value.form is Form.MOMENT:
        try:
            fit("time1", text)
        except BadRequest:
            return False
        return len(text) <= value.longest
    return bool(_FORMS[value.form].fullmatch(text)) and (value.form is Form.TEXT or len(text) <= value.longest)
