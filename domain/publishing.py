"""What everybody may read: every text that becomes public comes through here. The word lists are set once at start.

Never asked of what a resident tells the desk: whoever reports a gambling den or a threat must be able to say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nlp.sensitive import Checker, Outcome, Verdict, read_checker

_checker: Checker | None = None


@contextmanager
def use(checker: Checker) -> Iterator[None]:
    """Let `checker`, with the operator's words, hold for the life of the context; a process does this once."""
    global _checker  # noqa: PLW0603 - a setting of the process, as its working hours are
    before, _checker = _checker, checker
    try:
        yield
    finally:
        _checker = before


def check_public(text: str) -> Verdict:
    """Whether `text` may be shown at once, only after staff have looked, or not at all; and why."""
    global _checker  # noqa: PLW0603 - the shipped lists, until others are set
    if _checker is None:
        _checker = read_checker()
    return _checker.check(text)


def is_public(text: str) -> bool:
    """Whether `text` may be shown without anybody looking."""
    return check_public(text).outcome is Outcome.PASS
