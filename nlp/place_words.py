"""The word lists of places (`nlp/data/places.toml`) as the index and the patterns nlp/places.py reads them by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick, MatchKind

from nlp.catalogue import place_words

# How well a piece says where: alone it is no place; a kind of place; a sight that all know; a name, number or code.
NONE, KIND, SIGHT, SURE = range(4)
# Pieces of this strength carry others and are never places (a side, 楼上).
SIDE, RELATIVE = -1, -2


class Word(NamedTuple):
    """What is known of a word of the lists."""

    text: str
    strength: int | None  # None: not a piece by itself
    ends_name: bool
    doubtful: bool
    bare: bool
    plain: bool
    inward: bool
    public: bool
    cue: bool


def either(words: Iterator[str]) -> str:
    """A pattern of any of the words; single characters as a class, which is faster."""
    longest = sorted(words, key=len, reverse=True)
    single = "".join(word for word in longest if len(word) == 1)
    return "|".join(
        [*map(re.escape, (word for word in longest if len(word) > 1)), *([f"[{single}]"] if single else [])]
    )


_ORDER = (
    ("looks", None),
    ("kinds", KIND),
    ("sides", SIDE),
    ("relative", RELATIVE),
    ("parts", NONE),
    ("sights", SIGHT),
    ("venues", KIND),
    ("roads", None),
    ("estates", None),
    ("cues", None),
)
"""The lists a word counts in, the first of them that has it, and what it is worth where it ends no name."""


@cache
def known_words() -> tuple[AhoCorasick, tuple[Word, ...]]:
    """One automaton of all words, and what is known of each."""
    lists = {name: frozenset(words) for name, words in place_words().items()}
    strengths: dict[str, int | None] = {}
    for name, strength in _ORDER:
        for word in place_words()[name]:
            strengths.setdefault(word, strength)
    words = tuple(
        Word(
            word,
            strength,
            word not in lists["looks"] and (word in lists["roads"] or word in lists["estates"]),
            word in lists["doubtful"],
            strength is None and word in lists["bare"],
            word in lists["plain"],
            word in lists["inward"],
            word in lists["public"],
            word in lists["cues"],
        )
        for word, strength in strengths.items()
    )
    return AhoCorasick(list(strengths), matchkind=MatchKind.LeftmostLongest), words


@cache
def no_names() -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(place_words()["bare"]), frozenset(place_words()["no_names"])


@cache
def place_ends() -> frozenset[str]:
    return frozenset(place_words()["endings"])


class Ends:
    """Words looked for at the end of a stretch of text."""

    def __init__(self, words: Iterable[str]) -> None:
        known = frozenset(words)
        self._words = [(size, known) for size in sorted({len(word) for word in known}, reverse=True)]

    def of(self, text: str, start: int, end: int) -> int:
        """The length of the longest that ends at `end` and begins no sooner than `start`; 0 if there is none."""
        for size, words in self._words:
            if end - size >= start and text[end - size : end] in words:
                return size
        return 0


@cache
def no_place() -> Ends:
    """The end of what is no place although it ends as places do."""
    words = place_words()
    return Ends(word for name in ("no_places", "relative", "parts") for word in words[name] if len(word) > 1)


@cache
def part() -> Ends:
    """A part of a building at the end: of 万达 if it is 万达楼顶."""
    return Ends(word for word in place_words()["parts"] if len(word) > 1)


@cache
def common() -> re.Pattern[str]:
    """What is no name before a part of a building."""
    return re.compile("小区|社区|单元|整栋|本楼|楼|家|户|全部|所有|公共|个|条|部|台|座|盏|根|块|辆")


@cache
def not_name() -> re.Pattern[str]:
    """What no name holds that only its place in the sentence shows."""
    return re.compile(f"{either(iter((*place_words()['verbs'], *place_words()['common'])))}")


@cache
def verb() -> re.Pattern[str]:
    return re.compile(either(iter(place_words()["verbs"])))


@cache
def head() -> re.Pattern[str]:
    openers, ends = place_words()["openers"], place_words()["endings"]
    return re.compile(
        rf"(?:{either(iter(openers))}){{0,3}}([\u4e00-\u9fff]{{1,6}}?[{''.join(ends)}](?:上|里|下|边|旁|头|边上|里面)?)"
        r"(?:那|的|(?<!所)有|被|全|都|到处|天天|又|一到|堆|没|停|臭|脏|太|很|老是|经常|一直|总|冒|漏|倒|塌|断|坏|着火|起火|失火)"
    )


@cache
def before_name() -> tuple[AhoCorasick, int]:
    """Finds the words before names and those that are part of one; the numbers of the latter are below the second."""
    part_of_name, before = (
        sorted(place_words()[name], key=len, reverse=True) for name in ("whole_names", "before_name")
    )
    return AhoCorasick([*part_of_name, *before], matchkind=MatchKind.LeftmostFirst), len(part_of_name)
