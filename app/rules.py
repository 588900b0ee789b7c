"""What `linli rules` does, and how running processes follow the rules in the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from rich.console import Console
from tortoise.exceptions import BaseORMException

import nlp
from app.commands_open import opened, said
from app.model_watch import ModelWatch
from bot.inbox import utc_now
from domain.background import end
from domain.people import Person, find_operator
from domain.word_rules import (
    Effect,
    Kept,
    Seen,
    add_rule,
    adopt_rules,
    check_may_edit,
    end_rule,
    make_rule,
    preview_adding,
    preview_ending,
    rule_history,
    rules_version,
)
from errors import BadRequest, NotAllowed, SettingsError
from nlp.catalogue import shipped_entries
from nlp.overlay import NONE, Rule, adopt

log = structlog.get_logger(__name__)

LOOK_AGAIN = 5.0
"""Seconds until a running process holds what was changed."""
_OUT = Console(soft_wrap=True, highlight=False, markup=False)
_EXCERPT = 40


@dataclass(frozen=True, slots=True)
class Change:
    """A rule as it was typed."""

    category: str
    kind: str
    entry: str
    weight: float

    def rule(self) -> Rule:
        """The rule it stands for. Raises SettingsError that says what is wrong."""
        try:
            return make_rule(self.category, self.kind, self.entry, self.weight)
        except BadRequest as error:
            raise SettingsError(error.say) from error


async def show_rules(category: str) -> None:
    """The rules in force, and for one category the words Linli ships."""
    async with opened():
        held = [one for one in await rule_history(ended=False) if category in ("", *_names(one.rule.category))]
    _print_rules(held)
    if category:
        code = make_rule(category, "word", "随便什么").category
        _OUT.print(f"{_name(code)} ({code}), as shipped:")
        _OUT.print(" ".join(sorted(shipped_entries(code))))


async def show_history() -> None:
    """Every rule, the newest first."""
    async with opened():
        _print_rules(await rule_history())


async def preview_rule(change: Change, last: int) -> None:
    """Print the effect a rule would have."""
    rule = change.rule()
    async with opened() as settings:
        ModelWatch(settings.model_path).look()
        _print_effect(await preview_adding(rule, last))
    _OUT.print("Nothing was written.")


async def put_rule(change: Change, by: str, note: str, last: int) -> None:
    """Print the effect, then add the rule."""
    rule = change.rule()
    async with opened() as settings:
        ModelWatch(settings.model_path).look()
        person = await _editor(by)
        _print_effect(await preview_adding(rule, last))
        made = await add_rule(person, rule, note, utc_now())
    _OUT.print(f"Rule {made} added. Running processes hold it within {LOOK_AGAIN:g} seconds.")


async def remove_rule(rule_id: int, by: str, last: int, *, dry_run: bool) -> None:
    """Print the effect, then (without `dry_run`) end the rule."""
    async with opened() as settings:
        ModelWatch(settings.model_path).look()
        person = await _editor(by)
        _print_effect(await preview_ending(rule_id, last))
        if not dry_run:
            await end_rule(person, rule_id, utc_now())
    _OUT.print("Dry run: nothing was written." if dry_run else f"Rule {rule_id} ended.")


async def _editor(by: str) -> Person:
    person = await find_operator(by)
    try:
        check_may_edit(person)
    except NotAllowed as error:
        raise SettingsError("only a post of the district or the city may change the word lists (--by)") from error
    return person


def _print_rules(rules: list[Kept]) -> None:
    """One rule in two lines: what it says, and who decided it."""
    for one in rules:
        weight = f" {one.rule.weight:g}" if one.rule.kind == "word" else ""
        _OUT.print(f"{one.id}  {_name(one.rule.category)}  {one.rule.kind}{weight}  {one.rule.entry}")
        added = f"added {said(one.added_at)} by {one.added_by}"
        ended = f"; ended {said(one.ended_at)} by {one.ended_by}" if one.ended_at else ""
        _OUT.print(f"      {added}{ended}{f': {one.note}' if one.note else ''}")
    if not rules:
        _OUT.print("no rules of your own: the lists Linli ships hold")


def _print_effect(effect: Effect) -> None:
    _OUT.print(
        f"Of the newest {effect.read} cases {effect.categories} change their category, "
        f"{effect.domains} their domain, {effect.urgencies} their urgency."
    )
    for shift in effect.examples:
        text = shift.text if len(shift.text) <= _EXCERPT else f"{shift.text[:_EXCERPT]}…"
        _OUT.print(f"  {shift.number} {' '.join(text.split())}")
        _OUT.print(f"      {_told(shift.before)} → {_told(shift.after)}")


def _told(seen: Seen) -> str:
    urgent = "，紧急" if seen.urgency == "urgent" else ""
    return f"{_name(seen.category) if seen.category else '看不出类别'}（{seen.domain or '–'}{urgent}）"


def _names(code: str) -> tuple[str, str]:
    return code, _name(code)


def _name(code: str) -> str:
    return next((one.name for one in nlp.categories() if one.code == code), code)


@asynccontextmanager
async def watched_rules() -> AsyncIterator[None]:
    """Hold the rules of the open database for as long as the context lasts, each change within `LOOK_AGAIN` seconds."""
    version = await rules_version()
    await adopt_rules()
    task = asyncio.create_task(_keep_looking(version))
    try:
        yield
    finally:
        await end(task)
        adopt(NONE)


async def _keep_looking(version: int) -> None:
    held = version
    while True:
        await asyncio.sleep(LOOK_AGAIN)
        try:
            found = await rules_version()
            if found != held:
                count = await adopt_rules()
                held = found
                log.info("word rules in use", rules=count)
        except (BaseORMException, OSError) as error:
            log.warning("word rules not looked at", error=str(error))
