"""How the writer of a message feels: angry, tired of saying it again, about to go higher. A hint for staff alone.

It decides nothing: neither intent nor urgency nor who gets the case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from nlp.normalise import fold, tidy
from nlp.wordlists import word_table

FAINT = 2
"""How many faint words together tell a mood."""
READ = 1000
"""Characters of a message that are looked at."""


@dataclass(frozen=True, slots=True)
class Mood:
    """One mood: its name in the table, how staff are told of it, and the words that gave it away."""

    kind: str
    name: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Signs:
    kind: str
    name: str
    clear: re.Pattern[str]
    faint: re.Pattern[str]
    never: re.Pattern[str]


def find_moods(text: str) -> tuple[Mood, ...]:
    """The moods a message tells of, in the order of the table; nothing for most messages."""
    folded = fold(tidy(text[:READ]))
    return tuple(Mood(signs.kind, signs.name, words) for signs in _table() if (words := _words(folded, signs)))


def _words(folded: str, signs: _Signs) -> tuple[str, ...]:
    """The words that tell the mood, each once; none where they tell too little or something else."""
    if signs.never.search(folded):
        folded = signs.never.sub("", folded)
    clear = dict.fromkeys(signs.clear.findall(folded))
    if clear:
        return tuple(clear)
    faint = dict.fromkeys(signs.faint.findall(folded))
    return tuple(faint) if len(faint) >= FAINT else ()


@cache
def _table() -> tuple[_Signs, ...]:
    return tuple(
        _Signs(
            kind,
            row["name"],
            _any(row["clear"], row.get("numbers", "")),
            _any(row["faint"]),
            _any(row["never"]),
        )
        for kind, row in word_table("mood.toml").items()
    )


def _any(words: str, expressions: str = "") -> re.Pattern[str]:
    """One pattern of plain words, the longest first, and of regular expressions without groups that catch."""
    plain = sorted({fold(word) for word in words.split()}, key=len, reverse=True)
    return re.compile("|".join([*expressions.split(), *map(re.escape, plain)]))
