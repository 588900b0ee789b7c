"""Kinds of matters by whatever staff call them: 挺车, lajitong, 楼道灯."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import nlp
from nlp.search import Directory, Item


@dataclass(frozen=True, slots=True)
class Kinds:
    """What may be meant, the likeliest first; `sure`: it is the first."""

    likely: tuple[nlp.Category, ...]
    sure: bool


def find_kinds(words: str, limit: int = 3) -> Kinds:
    """The kinds of matters that `words` may name."""
    found = _directory().search(words, limit)
    return Kinds(tuple(nlp.category(one.item.key) for one in found.ranked), found.clear and not found.meant)


@cache
def _directory() -> Directory:
    known = [kind for kind in nlp.categories() if not kind.code.startswith("other")]
    return Directory(Item(kind.code, kind.name, (kind.subject,), (kind.group,)) for kind in known)
