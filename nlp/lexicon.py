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
from collections import defaultdict
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from ahocorasick_rs import AhoCorasick

NEAR = 8
FAR = 30
"""How many characters may stand between two parts of an entry."""

Span = tuple[int, int]

_STOPS = re.compile(r"[.!?;\n；]")
_MOST_SPANS = 6


Hit = tuple[int, int, int]
"""An entry found in a text: where it first begins and ends, and how often it was seen. Plain, as many are made."""

_Found = tuple[int, int, int]
"""A word of the automaton, by its number, and where it stands."""
_Pattern = tuple[int, tuple[int, ...], str]
"""An entry of several parts: its number, the parts after the first, what joins them."""
_Use = tuple[tuple[int, ...], tuple[int, ...], int]
"""Of one word: the entries it is, the parts it begins an entry with, and a bit for each part it comes second in."""


class Lexicon:
    """Collects entries from all word lists; after `build` it scans texts. Entries are numbered in order of adding.

    `forms` are other writings of a word, of another length (`wy` for 物业): wherever an entry says the word, they count
    as well. Those of the same length are put right in the text itself, by `nlp.normalise`.
    """

    def __init__(
        self,
        sets: Mapping[str, Iterable[str]],
        masks: Iterable[str],
        forms: Mapping[str, Iterable[str]] = MappingProxyType({}),
    ) -> None:
        self._sets = {name: tuple(words) for name, words in sets.items()}
        self._masks = frozenset(masks)
        self._forms = {word: tuple(others) for word, others in forms.items()}
        self._numbers: dict[str, int] = {}
        self._plain: dict[str, list[int]] = {}
        self._parts: dict[tuple[str, ...], int] = {}
        self._patterns: dict[int, dict[int, list[_Pattern]]] = {}
        self._uses: list[_Use] = []
        self._words_of: list[frozenset[int]] = []
        self._seconds: dict[int, int] = {}
        self._second_parts: list[int] = []
        self._automaton: AhoCorasick | None = None

    @property
    def entries(self) -> tuple[str, ...]:
        """Every entry as it is written, by its number."""
        return tuple(self._numbers)

    def add(self, entry: str) -> int:
        """The number of `entry`, which is taken up if it is new. Raises ValueError for one nobody could match."""
        known = self._numbers.get(entry)
        if known is not None:
            return known
        joint = joint_of(entry)
        parts = [self._alternatives(part, entry) for part in (entry.split(joint) if joint else [entry])]
        number = self._numbers[entry] = len(self._numbers)
        if len(parts) == 1:
            for word in parts[0]:
                self._plain.setdefault(word, []).append(number)
            return number
        first, second, *rest = [self._parts.setdefault(words, len(self._parts)) for words in parts]
        pairs = self._patterns.setdefault(first, {})
        pairs.setdefault(second, []).append((number, (second, *rest), joint))
        return number

    def _alternatives(self, part: str, entry: str) -> tuple[str, ...]:
        words: dict[str, None] = {}
        for name in part.split("|"):
            if name.startswith("<"):
                if name[1:-1] not in self._sets:
                    raise ValueError(f"{entry}: no set of words is called {name}")
                words |= dict.fromkeys(self._sets[name[1:-1]])
            elif name:
                words[name] = None
        if not words:
            raise ValueError(f"{entry!r} has an empty part")
        for word, others in self._forms.items():
            for known in [known for known in words if word in known]:
                words |= dict.fromkeys(known.replace(word, other) for other in others)
        return tuple(words)

    def build(self) -> None:
        """Make the automaton; must be called once, after the last `add`."""
        firsts: dict[str, list[int]] = {}
        seconds: dict[str, int] = {}
        self._second_parts = sorted({second for pairs in self._patterns.values() for second in pairs})
        bits = {part: 1 << at for at, part in enumerate(self._second_parts)}
        for part, number in self._parts.items():
            for word in part:
                if number in self._patterns:
                    firsts.setdefault(word, []).append(number)
                if number in bits:
                    seconds[word] = seconds.get(word, 0) | bits[number]
        self._seconds = {first: sum(bits[second] for second in pairs) for first, pairs in self._patterns.items()}
        of_parts = {word for part in self._parts for word in part}
        masks = sorted(self._masks)
        words = [*masks, *sorted({*self._plain, *of_parts} - self._masks)]
        position = {word: at for at, word in enumerate(words)}
        self._words_of = [frozenset(position[word] for word in part) for part in self._parts]
        same: dict[int, int] = {}  # words of one set share a number, which is then in the processor's memory already
        self._uses = [
            (
                tuple(self._plain.get(word, ())),
                tuple(firsts.get(word, ())),
                same.setdefault(seconds.get(word, 0), seconds.get(word, 0)),
            )
            for word in words
        ]
        self._automaton = AhoCorasick(words)

    def scan(self, text: str) -> dict[int, Hit]:
        """Every entry that holds in the folded `text`, by number."""
        if self._automaton is None:
            raise RuntimeError("the lexicon is not built yet")
        found = self._automaton.find_matches_as_indexes(text, overlapping=True)
        masks = len(self._masks)
        masked = [(start, end) for word, start, end in found if word < masks]
        if masked:
            found = _unmasked(found, masked)
        hits: dict[int, Hit] = {}
        firsts: list[int] = []
        seconds = 0
        uses = self._uses
        for word, start, end in found:
            plain, begins, ends = uses[word]
            for number in plain:
                if number in hits:
                    first, last, seen = hits[number]
                    hits[number] = first, last, seen + 1
                else:
                    hits[number] = start, end, 1
            if begins:
                firsts += begins
            if ends:
                seconds |= ends
        joined = self._seconds
        pairs = [(first, common) for first in dict.fromkeys(firsts) if (common := seconds & joined[first])]
        if pairs:
            self._join(text, pairs, _Spans(found, self._words_of), hits)
        return hits

    def _join(self, text: str, pairs: list[tuple[int, int]], spans: _Spans, hits: dict[int, Hit]) -> None:
        """Add the entries of several parts; `pairs` are parts that begin one, each with a bit for every second part."""
        for first, seconds in pairs:
            patterns = self._patterns[first]
            starts = spans.of(first)
            left = seconds
            while left:
                second = (left & -left).bit_length() - 1
                left &= left - 1
                for number, rest, joint in patterns[self._second_parts[second]]:
                    others = [spans.of(part) for part in rest]
                    for span in starts:
                        whole = _chain(text, span, others, joint)
                        if whole:
                            hits[number] = *whole, 1
                            break


class _Spans:
    """Where the parts of entries stand in one text: looked up for the few that are asked for."""

    def __init__(self, found: list[_Found], words_of: list[frozenset[int]]) -> None:
        self._by_word: defaultdict[int, list[_Found]] = defaultdict(list)
        for one in found:
            self._by_word[one[0]].append(one)
        self._words_of = words_of
        self._known: dict[int, list[Span]] = {}

    def of(self, part: int) -> list[Span]:
        """The first places where a word of `part` stands, in order."""
        spans = self._known.get(part)
        if spans is None:
            words, by_word = self._words_of[part], self._by_word
            if len(words) > len(by_word):
                words = words.intersection(by_word)
            spans = [(start, end) for word in words if word in by_word for _, start, end in by_word[word][:_MOST_SPANS]]
            if len(spans) > 1:
                spans.sort()
                del spans[_MOST_SPANS:]
            self._known[part] = spans
        return spans


def joint_of(entry: str) -> str:
    """What joins the parts of an entry; "" for a plain word."""
    return next((mark for mark in ("...", "..", "&") if mark in entry), "")


def _unmasked(found: list[_Found], masks: list[Span]) -> list[_Found]:
    """What was found without the words that stand inside a longer mask."""
    cover = _cover(masks)
    kept = []
    for one in found:
        _, start, end = one
        if start in cover:
            low, high = cover[start]
            if end <= high and end - start < high - low:
                continue
        kept.append(one)
    return kept


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
    reach: dict[float, int] = {}
    for one in sorted(found, key=_first_and_longest):
        weight, (_, end, count) = one
        if count > 1 or not reached(reach, weight, end):
            kept.append(one)
        if reach.get(weight, 0) < end:
            reach[weight] = end
    kept.sort(key=_heaviest_first)
    return kept


def reached(reach: dict[float, int], weight: float, end: int) -> bool:
    """Whether something at least as heavy as `weight` reaches as far as `end`; `reach` is how far, by weight."""
    for other, high in reach.items():  # noqa: SIM110 - any() takes three times as long
        if high >= end and other >= weight:
            return True
    return False


def _first_and_longest(one: tuple[float, Hit]) -> tuple[int, int, float]:
    weight, (start, end, _) = one
    return start, -end, -weight


def _heaviest_first(one: tuple[float, Hit]) -> tuple[float, int]:
    weight, (start, end, _) = one
    return -weight, start - end
