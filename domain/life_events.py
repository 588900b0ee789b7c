"""人生大事提醒: what is shipped for it. Each rule is a broadcast that looks every day whom it concerns, and a draft
until the community hands it in and a second person approves it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from typing import Any

from domain import broadcasts
from domain.fact_plans import plan_kinds
from domain.fact_tables import KINDS
from domain.organisation_plans import Known
from domain.people import Person
from domain.tables import Faults, Sheet, read_rows
from errors import SettingsError
from models.database import fetch, transaction

_FILES = "domain.life_data"
_HEADS = {"code": "编码", "name": "名称", "type": "类型", "choices": "选项", "sensitive": "敏感"}


def _data(name: str) -> Mapping[str, Any]:
    return tomllib.loads(files(_FILES).joinpath(name).read_text(encoding="utf-8"))


async def add_shipped_kinds() -> int:
    """The kinds of facts a community begins with, where there is none; in the running transaction. Gives how many."""
    if (await fetch("SELECT EXISTS (SELECT FROM fact_kind) AS there"))[0]["there"]:
        return 0
    rows = [[_cell(row.get(name)) for name in _HEADS] for row in _data("kinds.toml")["kind"]]
    faults = Faults()
    read = read_rows(KINDS, Sheet(KINDS.title, list(enumerate([list(_HEADS.values()), *rows], 1))), faults)
    plan = await plan_kinds(read, await Known.load(), faults)
    if faults:
        raise SettingsError(f"{_FILES}: {faults.shown[0]}")
    await plan.write()
    return len(plan.added)


def _cell(value: Any) -> Any:
    return "是" if value is True else value


async def add_shipped_events(person: Person, now: datetime) -> int:
    """The rules of life events as drafts of this officer, where there is none yet; gives how many."""
    async with transaction():
        if (await fetch("SELECT EXISTS (SELECT FROM broadcast WHERE event IS NOT NULL) AS there"))[0]["there"]:
            return 0
        rules = _data("events.toml")["event"]
        for rule in rules:
            await broadcasts.create(person, await _draft(person, rule), now, "shipped")
        return len(rules)


_CODE = "SELECT code FROM area WHERE id = $1"


async def _draft(person: Person, rule: Mapping[str, Any]) -> broadcasts.Draft:
    area = (await fetch(_CODE, person.post.area_id))[0]["code"] if person.post else ""
    return broadcasts.Draft(
        rule["title"],
        rule["text"],
        rule.get("audience", {"area": [area]}),
        topic=rule["topic"],
        item_code=rule["item"],
        event=rule["event"],
    )
