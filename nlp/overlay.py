"""What staff changed about the rules Linli ships: values, and which of them hold in this process or this piece of work.

The rules themselves live in the database; whoever reads them there calls `adopt`. A change that is only being tried is
seen by nobody but the code inside `trial`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

RuleKind = Literal["word", "needs", "not", "off"]
"""A word speaks for the category; one of its `needs` must be there; a `not` rules it out; `off` silences a word."""


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """One change: `entry` is written in the language of `nlp.lexicon`; `weight` counts for the kind `word` only.

    The general category of a domain (`other.…`) stands for the words of the domain itself.
    """

    category: str
    kind: RuleKind
    entry: str
    weight: float = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class RuleSet:
    """Rules that hold together. Known by identity, so that what was built from them is found again at once."""

    rules: tuple[Rule, ...] = ()


NONE = RuleSet()
"""The tables as they come along. Always this one: a set of its own would have everything built anew."""


def rule_set(rules: Iterable[Rule]) -> RuleSet:
    """These rules together: those of this process where they are the same, as what was built from them is there."""
    found = tuple(sorted(set(rules)))
    if not found:
        return NONE
    return _held.rules if found == _held.rules.rules else RuleSet(found)


class _Held:
    rules = NONE


_held = _Held()
_tried: ContextVar[RuleSet | None] = ContextVar("linli_rules_on_trial", default=None)


def adopt(rules: RuleSet) -> None:
    """From now on these rules hold in this process, in place of those adopted before."""
    _held.rules = rules


def active() -> RuleSet:
    """The rules on trial here, else those adopted."""
    tried = _tried.get()
    return _held.rules if tried is None else tried


@contextmanager
def trial(rules: RuleSet) -> Iterator[None]:
    """Inside, these rules hold in place of those adopted; other tasks and threads keep theirs."""
    token = _tried.set(rules)
    try:
        yield
    finally:
        _tried.reset(token)
