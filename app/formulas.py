"""What `linli formula` does: show, change and list the versions of the indicators' settings."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from app.commands_open import opened, said
from bot.inbox import utc_now
from domain.clock import SHANGHAI
from domain.figures_settings import (
    InForce,
    Settings,
    add_version,
    check_may_change,
    differences,
    history,
    in_force,
    read_settings,
)
from domain.journal import audit
from domain.people import Person, find_operator
from errors import BadRequest, NotAllowed, SettingsError

_OUT = Console(soft_wrap=True, highlight=False, markup=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """A version as the operator gives it: a JSON file, a staff number, a month, a reason."""

    file: Path
    by: str
    start: str
    note: str


async def show_formula(month: str) -> None:
    """JSON to standard output; which version it is to the other channel, so that `>` makes a file to edit."""
    first = _month(month) if month else utc_now().astimezone(SHANGHAI).date().replace(day=1)
    async with opened():
        force = await in_force(first)
    print(f"{first:%Y-%m}: {_named(force)}", file=sys.stderr)
    print(json.dumps(asdict(force.settings), ensure_ascii=False, indent=2))


async def show_history() -> None:
    """A table, the latest month first, then what each version changed against the one before it."""
    async with opened():
        versions = await history()
    table = Table("version", "from", "added", "by", "frozen months", "note")
    for one in versions:
        made = said(one.created_at)
        table.add_row(str(one.id), f"{one.effective_from:%Y-%m}", made, one.by or "–", str(one.months), one.note)
    _OUT.print(table if versions else "no version of your own: those Linli ships hold (`linli formula show`)")
    before = Settings()
    for one in reversed(versions):
        _OUT.print(f"version {one.id}, from {one.effective_from:%Y-%m}:")
        _print_changes(differences(before, one.settings))
        before = one.settings


async def set_formula(plan: Plan, *, dry_run: bool) -> None:
    """Say what changes, and (without `dry_run`) write it. Raises SettingsError that names what is wrong."""
    first, given = _month(plan.start), _read(plan.file)
    async with opened():
        person = await find_operator(plan.by)
        await _check(person)
        force = await in_force(first)
        changes = differences(force.settings, given)
        _OUT.print(f"{first:%Y-%m} on, instead of {_named(force)}:")
        _print_changes(changes)
        if dry_run:
            _OUT.print("Dry run: nothing was written.")
        elif not changes:
            _OUT.print("Nothing to write.")
        else:
            made = await add_version(person, first, given, plan.note, utc_now())
            label = person.post.label if person.post else plan.by
            _OUT.print(f"Version {made} added by {label}. Frozen months keep the version they have.")


async def _check(person: Person) -> None:
    """Refuse before anything is shown; the attempt is audited."""
    try:
        check_may_change(person)
    except NotAllowed as error:
        await audit(person.actor, "formula:add", None, utc_now(), allowed=False, source="cli")
        raise SettingsError("only a post of the district or the city may change the formulas (--by)") from error


def _named(force: InForce) -> str:
    if force.formula_id is None:
        return "the settings Linli ships"
    return f"version {force.formula_id}{f' ({force.note})' if force.note else ''}"


def _print_changes(changes: Sequence[tuple[str, str, str]]) -> None:
    for name, before, after in changes:
        _OUT.print(f"  {name}: {before} → {after}")
    if not changes:
        _OUT.print("  nothing changes")


def _month(text: str) -> date:
    """`2026-12`. Raises SettingsError."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise SettingsError(f"{text!r} must look like 2026-12") from None


def _read(file: Path) -> Settings:
    """The settings of a JSON file. Raises SettingsError that names the file and the setting."""
    try:
        given: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file}: {error}") from error
    if not isinstance(given, dict):
        raise SettingsError(f"{file} is not a JSON object")
    try:
        return read_settings(given)
    except BadRequest as error:
        raise SettingsError(f"{file}: {error.say}") from error
