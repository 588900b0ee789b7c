"""Changes staff make to the word lists by which messages are understood: tried on recent cases, then added or ended.

They hold for the whole deployment, so district and city staff make them, as with the formulas. A running process takes
them up with `adopt_rules`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import get_args

import nlp
from domain.journal import audit
from domain.people import Person
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.database import fetch, transaction
from models.enums import Level
from models.language import WordRule
from nlp.catalogue import check_entry, is_general, shipped_entries
from nlp.normalise import fold, tidy
from nlp.overlay import Rule, RuleKind, RuleSet, adopt, rule_set, trial

LIGHTEST, HEAVIEST = 0.5, 10.0
"""What a word may weigh; the shipped lists use 1, 2, 4 and 6."""
LONGEST = 120
RECENT = 500
"""Cases a change is tried on, the newest first."""
_CALLED = {"category": "类别", "kind": "作用", "entry": "词", "weight": "分量"}
EXAMPLES = 8
"""Changed cases that are shown."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A rule as it was added, and ended if it was."""

    id: int
    rule: Rule
    note: str
    added_at: datetime
    added_by: str
    ended_at: datetime | None
    ended_by: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What is made of a case's text."""

    category: str
    domain: str
    urgency: str


@dataclass(frozen=True, slots=True)
class Shift:
    """A case whose text is understood differently."""

    number: str
    text: str
    before: Seen
    after: Seen


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change does to the recent cases: how many were read, how many change, and the first of these."""

    read: int
    categories: int
    domains: int
    urgencies: int
    examples: tuple[Shift, ...]


def may_edit(person: Person) -> bool:
    """District and city staff may."""
    return person.post is not None and person.post.dispatches and person.post.level.rank >= Level.DISTRICT.rank


def check_may_edit(person: Person) -> None:
    """Raises NotAllowed for all but district and city staff."""
    if not may_edit(person):
        say = "关键词由区里的工作人员改。"
        raise NotAllowed(f"{person.actor} may not change the word lists", say=say, tag="rule:add", object_id=None)


def make_rule(category: str, kind: str, entry: str, weight: float = 2.0) -> Rule:
    """A rule of what somebody typed, folded as messages are. Raises BadRequest that says what is wrong with it."""
    code = _code(category)
    entry = fold(tidy(entry))
    if kind not in get_args(RuleKind):
        raise _wrong("kind", f"只能是 {'、'.join(get_args(RuleKind))}")
    if not entry or len(entry) > LONGEST or any(map(str.isspace, entry)):
        raise _wrong("entry", f"要写 1 到 {LONGEST} 个字，中间不能有空格")
    if not isfinite(weight) or not LIGHTEST <= weight <= HEAVIEST:
        raise _wrong("weight", f"要在 {LIGHTEST:g} 和 {HEAVIEST:g} 之间")
    if kind in ("needs", "not") and is_general(code):
        raise _wrong("kind", "“其他”类只能加词或停用词")
    if kind == "off":
        if entry not in shipped_entries(code):
            raise _wrong("entry", f"系统自带的“{nlp.category(code).name}”里没有“{entry}”这个词")
    else:
        _check_entry(entry)
    return Rule(code, kind, entry, weight if kind == "word" else 0.0)  # type: ignore[arg-type]


def _code(category: str) -> str:
    """The code of a category given by code or name."""
    found = [one.code for one in nlp.categories() if category in (one.code, one.name)]
    if not found:
        raise _wrong("category", f"没有叫“{category}”的类别")
    return found[0]


def _check_entry(entry: str) -> None:
    try:
        check_entry(entry)
    except ValueError as error:
        raise _wrong("entry", str(error)) from error
    if len(entry) == 1:
        raise _wrong("entry", "一个字太常见，请写两个字以上的词")


def _wrong(name: str, rule: str) -> BadRequest:
    return BadRequest(f"rule {name}: {rule}", say=f"规则的“{_CALLED[name]}”不对：{rule}。")


async def rules_in_force() -> list[WordRule]:
    """The rules that hold, oldest first."""
    return await WordRule.filter(ended_at=None).order_by("id")


async def adopt_rules() -> int:
    """Make the rules in the database those of this process; gives how many they are."""
    held = rule_set(map(_value, await rules_in_force()))
    await asyncio.to_thread(_build, held)
    adopt(held)
    return len(held.rules)


def _build(rules: RuleSet) -> None:
    """Have everything ready that is made of the rules, so that no message waits for it."""
    with trial(rules):
        nlp.understand("三号楼的灯坏了")


async def rules_version() -> int:
    """A number that grows with every rule added or ended."""
    rows = await fetch("SELECT count(*) + count(ended_at) AS version FROM word_rule")
    return int(rows[0]["version"])


def _value(row: WordRule) -> Rule:
    return Rule(row.category, row.kind, row.entry, row.weight)  # type: ignore[arg-type]


async def preview_adding(rule: Rule, last: int = RECENT) -> Effect:
    """What adding `rule` would do to the newest cases."""
    held = [_value(row) for row in await rules_in_force()]
    return await _preview(held, [*(one for one in held if _key(one) != _key(rule)), rule], last)


async def preview_ending(rule_id: int, last: int = RECENT) -> Effect:
    """What ending a rule would do to the newest cases. Raises NotFound."""
    held = await rules_in_force()
    if all(row.id != rule_id for row in held):
        raise NotFound(f"no rule {rule_id} is in force")
    return await _preview([*map(_value, held)], [_value(row) for row in held if row.id != rule_id], last)


async def _preview(before: Sequence[Rule], after: Sequence[Rule], last: int) -> Effect:
    cases = await fetch(
        "SELECT number, description FROM cases WHERE description <> '' ORDER BY id DESC LIMIT $1", max(1, last)
    )
    texts = [str(case["description"]) for case in cases]
    with trial(rule_set(before)):
        old = await asyncio.to_thread(_all_seen, texts)
    with trial(rule_set(after)):
        new = await asyncio.to_thread(_all_seen, texts)
    shifts = [
        Shift(str(case["number"]), text, one, other)
        for case, text, one, other in zip(cases, texts, old, new, strict=True)
        if one != other
    ]
    return Effect(
        len(cases),
        sum(one.before.category != one.after.category for one in shifts),
        sum(one.before.domain != one.after.domain for one in shifts),
        sum(one.before.urgency != one.after.urgency for one in shifts),
        tuple(shifts[:EXAMPLES]),
    )


def _all_seen(texts: Sequence[str]) -> list[Seen]:
    """In a thread: a second of work, while others are waited on."""
    return [_seen(text) for text in texts]


def _seen(text: str) -> Seen:
    said = nlp.understand(text)
    usual = nlp.category(said.category).urgency if said.category else "normal"
    return Seen(said.category, said.domain or "", "urgent" if said.urgent else usual)


async def add_rule(person: Person, rule: Rule, note: str, now: datetime) -> int:
    """Add a rule, which holds from now on; gives its id. The same word with another weight takes the old one's place.

    District and city staff only. Raises Conflict where the very rule holds already.
    """
    check_may_edit(person)
    assert person.post is not None  # noqa: S101 - check_may_edit saw to it
    async with transaction():
        await fetch("LOCK TABLE word_rule IN SHARE ROW EXCLUSIVE MODE")
        for held in await WordRule.filter(category=rule.category, kind=rule.kind, entry=rule.entry, ended_at=None):
            if held.weight == rule.weight:
                raise Conflict(f"rule {held.id} says this already", say="已经有这条规则了。")
            await _end(person, held, now)
        made = await WordRule.create(
            category=rule.category,
            kind=rule.kind,
            entry=rule.entry,
            weight=rule.weight,
            note=note[:200],
            added_at=now,
            added_by_id=person.post.id,
        )
        await audit(person.actor, "rule:add", made.id, now)
    return made.id


async def end_rule(person: Person, rule_id: int, now: datetime) -> None:
    """From now on the rule holds no more. District and city staff only. Raises NotFound."""
    check_may_edit(person)
    async with transaction():
        held = await WordRule.filter(id=rule_id, ended_at=None).select_for_update().get_or_none()
        if held is None:
            raise NotFound(f"no rule {rule_id} is in force", say="没有这条规则，或者已经停用。")
        await _end(person, held, now)


async def _end(person: Person, rule: WordRule, now: datetime) -> None:
    rule.ended_at, rule.ended_by_id = now, person.post.id if person.post else None
    await rule.save(update_fields=["ended_at", "ended_by_id"])
    await audit(person.actor, "rule:end", rule.id, now)


async def rule_history(*, ended: bool = True) -> list[Kept]:
    """Every rule there was, the newest first; without `ended` those in force."""
    rows = WordRule.all() if ended else WordRule.filter(ended_at=None)
    return [
        Kept(
            row.id,
            _value(row),
            row.note,
            row.added_at,
            row.added_by.name,
            row.ended_at,
            row.ended_by.name if row.ended_by else "",
        )
        for row in await rows.order_by("-id").select_related("added_by", "ended_by")
    ]


def _key(rule: Rule) -> tuple[str, str, str]:
    return rule.category, rule.kind, rule.entry
