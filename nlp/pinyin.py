"""How Chinese is pronounced, for finding what was misspelt or typed in Latin letters."""

from __future__ import annotations

import os
from functools import cache, lru_cache
from typing import Any

MOST_READINGS = 2
"""Readings of a character that are considered; the library gives the commonest first."""
MOST_LETTERS = 6
"""Characters of a name for which a second reading is considered."""

_SOFTENED = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n"), ("v", "u"))


@lru_cache(maxsize=8192)
def readings(character: str) -> tuple[str, ...]:
    """Syllables without tones, the commonest first; () for what is no Chinese character."""
    if not "\u4e00" <= character <= "\u9fff":
        return ()
    found = _library().pinyin(character, style=_library().Style.NORMAL, heteronym=True)[0]
    return tuple(dict.fromkeys(found))[:MOST_READINGS]


def spellings(text: str) -> list[tuple[str, str]]:
    """How `text` is written in Latin letters, and its initials: juzhuzheng, jzz. One more of each for
    every character of the first `MOST_LETTERS` that is read in two ways; what is no Chinese stays as it is."""
    ways = [readings(letter) or (letter if letter.isalnum() else "",) for letter in text]
    usual = [way[0] for way in ways]
    found = [usual]
    found += [[*usual[:at], way[1], *usual[at + 1 :]] for at, way in enumerate(ways[:MOST_LETTERS]) if len(way) > 1]
    return [("".join(one), "".join(syllable[:1] for syllable in one)) for one in found]


def soften(spelling: str) -> str:
    """A spelling without the differences many speakers do not make: zh and z, -ng and -n."""
    for hard, soft in _SOFTENED:
        spelling = spelling.replace(hard, soft)
    return spelling


@lru_cache(maxsize=8192)
def sounds(character: str) -> tuple[str, ...]:
    """Readings softened, n- and l- taken for one as well: what homophones have in common."""
    soft = (soften(reading) for reading in readings(character))
    return tuple(dict.fromkeys("l" + one[1:] if one[0] == "n" else one for one in soft))


@cache
def _library() -> Any:
    """pypinyin without its phrases, 12 MB and 80 ms instead of 56 MB and 900 ms: single characters are enough."""
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")
    os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "1")
    import pypinyin  # noqa: PLC0415 - the first search pays, not the start

    return pypinyin
