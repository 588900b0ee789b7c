"""The language the word lists are written in, and one pass over a text that finds all of them.

An entry of a word list is

* a plain word: `路灯不亮`;
* two or three parts in this order, each at most `NEAR` characters after the one before: `路灯..不亮`;
* the same, at most `FAR` characters apart, but in one sentence: `老年痴呆...没回来`;
* two parts in either order: `垃圾&没人管`;
* a part may offer alternatives `路灯|街灯`, or name a set from `sets.toml`: `路灯..<坏>`.

All words of all lists stand in one Aho-Corasick automaton, so a message is read once however many lists there are.
Words swallowed by a longer harmless one (the fire in 火锅) are listed in `masks.toml` and do not count there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick

NEAR = 8
FAR = 30
"""How many characters may stand between two parts of an entry."""

Span = tuple[int, int]

_STOPS = re.compile(r"[.!?;\n；]")
_MOST_SPANS = 6


class Hit(NamedTuple):
    """An entry found in a text: the first place it stands and how often it was seen. A tuple, as many are made."""

    start: int
    end: int
    seen: int = 1


class Lexicon:
    """Collects entries from all word lists; after `build` it scans texts. Entries are numbered in order of adding."""

    def __init__(self, sets: Mapping[str, Iterable[str]], masks: Iterable[str]) -> None:
        self._sets = {name: tuple(words) for name, words in sets.items()}
        self._masks = frozenset(masks)
        self._numbers: dict[str, int] = {}
        self._entries: list[str] = []
        self._plain: dict[str, list[int]] = {}
        self._parts: dict[str, list[int]] = {}
        self._part_numbers: dict[tuple[str, ...], int] = {}
        self._patterns: dict[int, dict[int, list[tuple[int, tuple[int, ...], str]]]] = {}
        self._uses: list[tuple[tuple[int, ...], tuple[int, ...], bool]] = []
        self._automaton: AhoCorasick | None = None

    def add(self, entry: str) -> int:
        """The number of `entry`, which is taken up if it is new. Raises ValueError for one nobody could match."""
        known = self._numbers.get(entry)
        if known is not None:
            return known
        number = self._numbers[entry] = len(self._entries)
        self._entries.append(entry)
        joint = next((mark for mark in ("...", "..") if mark in entry), "&")
        parts = [self._alternatives(part, entry) for part in entry.split(joint)]
        if len(parts) == 1:
            for word in parts[0]:
                self._plain.setdefault(word, []).append(number)
            return number
        first, second, *rest = [self._part(words) for words in parts]
        pairs = self._patterns.setdefault(first, {})
        pairs.setdefault(second, []).append((number, (second, *rest), joint))
        return number

    def _alternatives(self, part: str, entry: str) -> tuple[str, ...]:
        words: list[str] = []
        for name in part.split("|"):
            if name.startswith("<"):
                if name[1:-1] not in self._sets:
                    raise ValueError(f"{entry}: no set of words is called {name}")
                words += self._sets[name[1:-1]]
            elif name:
                words.append(name)
        if not words:
            raise ValueError(f"{entry!r} has an empty part")
        return tuple(words)

    def _part(self, words: tuple[str, ...]) -> int:
        number = self._part_numbers.setdefault(words, len(self._part_numbers))
        if number == len(self._part_numbers) - 1:
            for word in words:
                uses = self._parts.setdefault(word, [])
                if number not in uses:
                    uses.append(number)
        return number

    def build(self) -> None:
        """Make the automaton; must be called once, after the last `add`."""
        words = sorted({*self._plain, *self._parts, *self._masks})
        self._uses = [
            (tuple(self._plain.get(word, ())), tuple(self._parts.get(word, ())), word in self._masks) for word in words
        ]
        self._automaton = AhoCorasick(words)

    def scan(self, text: str) -> dict[int, Hit]:
        """Every entry that holds in the folded `text`, by number."""
        if self._automaton is None:
            raise RuntimeError("the lexicon is not built yet")
        hits: dict[int, Hit] = {}
        parts: dict[int, list[Span]] = {}
        found = self._automaton.find_matches_as_indexes(text, overlapping=True)
        uses = self._uses
        masked = _cover([(start, end) for word, start, end in found if uses[word][2]])
        for word, start, end in found:
            if start in masked:
                low, high = masked[start]
                if end <= high and end - start < high - low:
                    continue
            plain, of_parts, _ = uses[word]
            for number in plain:
                known = hits.get(number)
                hits[number] = Hit(known[0], known[1], known[2] + 1) if known else Hit(start, end)
            for part in of_parts:
                spans = parts.get(part)
                if spans is None:
                    parts[part] = [(start, end)]
                elif len(spans) < _MOST_SPANS:
                    spans.append((start, end))
        if len(parts) > 1:
            self._join(text, parts, hits)
        return hits

    def _join(self, text: str, parts: dict[int, list[Span]], hits: dict[int, Hit]) -> None:
        for first, starts in parts.items():
            pairs = self._patterns.get(first)
            if not pairs:
                continue
            for second in pairs.keys() & parts.keys():
                for number, rest, joint in pairs[second]:
                    for span in starts:
                        whole = _chain(text, span, [parts.get(part, []) for part in rest], joint)
                        if whole:
                            hits[number] = Hit(*whole)
                            break


def _cover(masks: list[Span]) -> dict[int, Span]:
    """For each masked position the longest mask over it, so that one look tells, however many masks there are."""
    cover: dict[int, Span] = {}
    for low, high in masks:
        for position in range(low, high):
            known = cover.get(position)
            if known is None or known[1] - known[0] < high - low:
                cover[position] = (low, high)
    return cover


def _chain(text: str, first: Span, rest: list[list[Span]], joint: str) -> Span | None:
    """The stretch from `first` over one span of each of `rest`, if all stand near enough and in one sentence."""
    low, high = first
    near = FAR if joint == "..." else NEAR
    for spans in rest:
        for start, end in spans:
            if start >= high and start - high <= near and not _STOPS.search(text, high, start):
                high = end
                break
            if joint == "&" and end <= low and low - end <= near and not _STOPS.search(text, end, low):
                low = start
                break
        else:
            return None
    return low, high


def outermost(found: list[tuple[float, Hit]]) -> list[tuple[float, Hit]]:
    """Weighed hits, heaviest first, without those that stand once and inside one at least as heavy."""
    if len(found) == 1:
        return found
    kept: list[tuple[float, Hit]] = []
    for one in sorted(found, key=_heaviest_first):
        start, end, count = one[1]
        if count == 1:
            for _, (low, high, _) in kept:
                if low <= start and end <= high:
                    break
            else:
                kept.append(one)
        else:
            kept.append(one)
    return kept


def _heaviest_first(one: tuple[float, Hit]) -> tuple[float, int]:
    weight, (start, end, _) = one
    return -weight, start - end
