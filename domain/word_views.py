"""Categories with the words that speak for them, as people look them up before they change a rule."""

from __future__ import annotations

from dataclasses import dataclass

import nlp
from domain.word_rules import Kept, rule_history
from errors import NotFound
from nlp.catalogue import shipped_entries

URGENCY_NAMES = {"urgent": "紧急", "pressing": "较急", "normal": "一般", "complex": "疑难"}


@dataclass(frozen=True, slots=True)
class CategoryLine:
    """One category: its group, how urgent it usually is, how many words are shipped, how many rules were added."""

    code: str
    name: str
    group: str
    urgency: str
    words: int
    rules: int


async def list_categories() -> list[CategoryLine]:
    """All of them, in the order of the tables."""
    held = [one.rule.category for one in await rule_history(ended=False)]
    return [
        CategoryLine(
            one.code,
            one.name,
            one.group,
            URGENCY_NAMES[one.urgency],
            len(shipped_entries(one.code)),
            held.count(one.code),
        )
        for one in nlp.categories()
    ]


async def rules_of(code: str) -> tuple[CategoryLine, list[str], list[Kept]]:
    """A category, the words shipped for it, and every rule that was ever added to it. Raises NotFound."""
    found = [one for one in await list_categories() if one.code == code]
    if not found:
        raise NotFound(f"category {code[:40]!r}", say="没有这个类别。")
    kept = [one for one in await rule_history() if one.rule.category == code]
    return found[0], sorted(shipped_entries(code)), kept


def name_of(code: str) -> str:
    """A category's name; 没有类别 for none."""
    return nlp.category(code).name if code else "没有类别"
