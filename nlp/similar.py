"""Which messages are about the same matter, in whatever words: a search over recent ones that grows and forgets.

A message becomes a `Sketch`: the letter pairs of its Chinese, its numbers with what they count (3栋), the names of
its places and its kind, if that is known; courtesies are left out and everyday synonyms made one (`same_words.toml`).
Two sketches are as alike as the cosine of their terms, the rare ones weighing more (tf-idf over what the index holds),
raised where they name the same place and lowered where they name two.

An `Index` looks only at messages that share one of the heaviest terms, so that a search costs much the same however
many it holds; it holds `capacity` messages at most and forgets the oldest.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from heapq import nlargest
from math import log, sqrt
from sys import intern
from typing import Generic, NamedTuple, TypeVar

from ahocorasick_rs import AhoCorasick, MatchKind

from nlp.catalogue import categories
from nlp.normalise import fold, tidy
from nlp.places import find_places
from nlp.wordlists import groups, word_table

Key = TypeVar("Key", bound=Hashable)

READ = 240
"""Characters of a message that are compared: what a letter is about stands at its beginning."""
TITLE_WEIGHT = 3
"""How often each term of a title counts."""
MOST_TERMS = 80
"""Terms kept of a message, those said most often first: this bounds memory."""
HEAVIEST = 16
"""Terms of the message searched with by which candidates are found."""
LOOKED_AT = 40
"""Candidates that are compared in full."""
COMMON = 0.04
"""Share of messages from which a term is too common to find candidates by, unless it is in `RARE` or fewer."""
RARE = 40
KIND_WEIGHT = 2.0
"""What a known kind of matter counts, and half of it its group: beside three to thirty letter pairs."""
SAME_PLACE, OTHER_PLACE = 1.1, 0.8
"""What the cosine is multiplied by where both name places and the best pair of names is the same, or has nothing in
common; in between for what is in between."""
OTHER_SPOT = 0.4
"""What it is multiplied by where they name different buildings, entrances, gates or phases of an estate."""
FADING = timedelta(days=365)
"""After this much time two messages are `FADED` times as alike as on one day."""
FADED = 0.8

SAME_KIND = 0.25
"""From where on two reports of one kind are one matter, as far as words tell."""
FEWEST = 3
"""Terms they must have in common, one less at the same place: that both say "broken" tells nothing."""
FEWEST_MATTER = 2
"""And beside the names of places, where the kinds differ; where they do not, one."""
OTHER_KIND, OTHER_KIND_MATTER, SAME_NAME = 0.3, 0.2, 0.5
"""The same for two of different kinds, of which one is mistaken: altogether, without the names of places, and how alike
the names of their places must be."""

_RUN = re.compile(r"[\u4e00-\u9fff]+|[a-z]*\d+[a-z\d]*[\u4e00-\u9fff]?|[a-z]+")
_BESIDE = re.compile("(?:旁|边上|附近|对面|门口|周边|后面|前面|的|里面).*")
_NAME_TAIL = re.compile("(?:小区|社区|街道|附近|旁边?|门口|对面|路口|交叉口|交汇处|路段|一带|的|里面?|内|处)+$")
_REGION = re.compile(r"^(?:(?:[A-Za-z]\d{0,2}|[\u4e00-\u9fff]{2})?[市县区省])+(?=.{2})")
_ONLY_REGION = re.compile(r"[A-Za-z]\d{0,2}[市县区]?|[一-龥]{1,2}[市县省]")
_NUMERAL = re.compile("[一二三四五六七八九十]{1,3}(?=栋|幢|座|号楼|单元|期|门洞)")
_DIGITS = {mark: place for place, mark in enumerate("一二三四五六七八九", 1)}
_HOUSE = re.compile(r"(?<=\d)\s?(?:幢|号楼|#楼?|座)")
_SPOT = re.compile(r"(?:(?<!\d)\d{1,3}(?:栋|单元|期)|[东南西北]门)")


class Sketch(NamedTuple):
    """What is compared of a message."""

    terms: Mapping[str, float]
    """Term → 1 + the logarithm of how often it was said."""
    places: tuple[frozenset[str], ...] = ()
    """Letter pairs of each name of a place."""
    spots: frozenset[str] = frozenset()
    """Buildings, entrances, gates and phases: 3栋, 2单元, 东门, 1期."""


def sketch(text: str, *, title: str = "", place: str = "", kind: str = "") -> Sketch:
    """What of a message is compared; `title`, `place` and `kind` (a category's code) where they are known."""
    head, body = _plain(title), _plain(text)
    counted: Counter[str] = Counter()
    for part, weight in ((head, TITLE_WEIGHT), (body, 1)):
        for term in _terms(_same_words(part)):
            counted[term] += weight
    found: Sequence[str] = ()
    for part in (_plain(place), head, body):
        if part and (found := find_places(part, part)):
            break
    names = [pairs for name in found[:4] if (pairs := _name_pairs(name))]
    kept = {intern(term): 1 + log(times) for term, times in counted.most_common(MOST_TERMS)}
    if kind:
        kept[f"#{kind}"], kept[f"#{kind.partition('.')[0]}"] = KIND_WEIGHT, KIND_WEIGHT / 2
    spots = _SPOT.findall(f"{_plain(place)}。{head or body}")
    return Sketch(kept, tuple(dict.fromkeys(names)), frozenset(spots))


def _plain(text: str) -> str:
    """Folded, and 三幢 or 3号楼 written 3栋."""
    folded = fold(tidy(text[: READ * 2]))[:READ]
    return _HOUSE.sub("栋", _NUMERAL.sub(_in_digits, folded))


def _in_digits(numeral: re.Match[str]) -> str:
    tens, ten, ones = numeral[0].rpartition("十")
    return str((_DIGITS.get(tens, 1) * 10 if ten else 0) + _DIGITS.get(ones[-1:], 0))


def _terms(text: str) -> Iterator[str]:
    for found in _RUN.finditer(text):
        run = found[0]
        if run[0] >= "\u4e00":
            yield from (run[at : at + 2] for at in range(len(run) - 1))
        elif len(run) > 1:
            yield run


def name_of_place(place: str) -> str:
    """The name alone: A7县诺亚山林小区门口 → 诺亚山林; "" for what is no name (A市, 小区门口)."""
    whole = "".join(place.split())
    name = _NAME_TAIL.sub("", _BESIDE.sub("", _REGION.sub("", whole)))
    return "" if len(name) < 2 or name.isdecimal() or _ONLY_REGION.fullmatch(name) else name


def _name_pairs(place: str) -> frozenset[str]:
    name = name_of_place(place) or "".join(place.split())
    return frozenset(intern(name[at : at + 2]) for at in range(len(name) - 1))


def _same_words(text: str) -> str:
    """The folded text without courtesies, and with one word for each group of synonyms."""
    automaton, replacements = _synonyms()
    parts: list[str] = []
    last = 0
    for word, start, end in automaton.find_matches_as_indexes(text):
        parts += text[last:start], replacements[word]
        last = end
    return "".join([*parts, text[last:]]) if parts else text


@cache
def _synonyms() -> tuple[AhoCorasick, tuple[str, ...]]:
    table = word_table("same_words.toml")
    known = {word: group[0] for group in groups(table["same"]) for word in reversed(group)}
    known |= dict.fromkeys(table["courtesies"].split(), " ")
    known |= {word: word for word in table["keep"].split()}
    words = sorted(known)
    return AhoCorasick(words, matchkind=MatchKind.LeftmostLongest), tuple(known[word] for word in words)


def place_likeness(one: Sketch, other: Sketch) -> float | None:
    """0 to 1: the share of the best pair of names; None where one of them names no place."""
    if not one.places or not other.places:
        return None
    return max(_share(here, there) for here in one.places for there in other.places)


def _share(here: frozenset[str], there: frozenset[str]) -> float:
    """Overlap over the smaller of two names: 诺亚山林 is 鹏基诺亚山林."""
    return len(here & there) / min(len(here), len(there))


@dataclass(frozen=True, slots=True)
class Found(Generic[Key]):
    """A message of the index that may be about the same matter, and how alike it is: 0 to about 1."""

    key: Key
    likeness: float


class Index(Generic[Key]):
    """The recent messages, by key. Not safe for several threads at once."""

    def __init__(self, capacity: int = 10_000, background: Index[int] | None = None) -> None:
        """`background`: what is commonly said, by which few messages are weighed as well as by one another."""
        self._capacity = capacity
        self._background = background
        self._held: OrderedDict[Key, tuple[Sketch, datetime | None]] = OrderedDict()
        self._holders: dict[str, array[int]] = {}
        self._numbers: dict[Key, int] = {}
        self._keys: dict[int, Key] = {}
        self._next = 0
        self._weights: dict[str, float] = {}  # of terms held; forgotten whenever something comes or goes
        self._lengths: dict[Key, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, key: Key) -> bool:
        return key in self._held

    def add(self, key: Key, one: Sketch, at: datetime | None = None) -> None:
        """Take up a message, or what it says now; the first ones taken up are forgotten when there are too many."""
        self.remove(key)
        self._held[key] = one, at
        self._weights.clear()
        self._next += 1
        self._numbers[key], self._keys[self._next] = self._next, key
        for term in one.terms:
            self._holders.setdefault(term, array("L")).append(self._next)
        while len(self._held) > self._capacity:
            self.remove(next(iter(self._held)))

    def remove(self, key: Key) -> None:
        """Forget a message; nothing happens if it is not there."""
        if key not in self._held:
            return
        one, _ = self._held.pop(key)
        self._weights.clear()
        number = self._numbers.pop(key)
        del self._keys[number]
        self._lengths.pop(key, None)
        for term in one.terms:
            holders = self._holders[term]
            holders.remove(number)
            if not holders:
                del self._holders[term]

    def weight(self, term: str) -> float:
        """How much a term says: the logarithm of how rare it is here and in the background."""
        known = self._weights.get(term)
        if known is not None:
            return known
        held, holders = len(self._held), self.count(term)
        if self._background is not None:
            held += len(self._background)
            holders += self._background.count(term)
        worth = log((held + 2) / (holders + 0.5))
        if term in self._holders:
            self._weights[term] = worth
        return worth

    def count(self, term: str) -> int:
        """How many messages hold a term."""
        return len(self._holders.get(term, ()))

    def search(
        self, one: Sketch, at: datetime | None = None, *, limit: int = 10, least: float = 0.2, but: Key | None = None
    ) -> list[Found[Key]]:
        """What is at least `least` alike, the likeliest first; `but` is left out, as the message itself."""
        weighed = self.weigh(one)
        found = []
        for key in self._candidates(weighed):
            if key == but:
                continue
            other, then = self._held[key]
            likeness = self._common(weighed, other) / self._length(key, other)
            likeness *= place_factor(one, other) * time_factor(at, then)
            if likeness >= least:
                found.append(Found(key, likeness))
        return sorted(found, key=lambda each: -each.likeness)[:limit]

    def likeness(self, one: Sketch, other: Sketch) -> float:
        """How alike two messages are by their words and places, seen from what is held here."""
        length = self._measure(other)
        return self._common(self.weigh(one), other) / length * place_factor(one, other) if length else 0.0

    def weigh(self, one: Sketch) -> dict[str, float]:
        """Terms with their weights, as a vector of length 1."""
        weighed = {term: times * self.weight(term) for term, times in one.terms.items()}
        length = sqrt(sum(worth * worth for worth in weighed.values()))
        return {term: worth / length for term, worth in weighed.items()} if length else {}

    def _candidates(self, weighed: Mapping[str, float]) -> list[Key]:
        common = max(RARE, int(COMMON * len(self._held)))
        terms = [term for term in weighed if 0 < self.count(term) <= common]
        seen: dict[int, float] = {}
        for term in sorted(terms, key=lambda term: -weighed[term])[:HEAVIEST]:
            worth = weighed[term] * self.weight(term)
            for number in self._holders[term]:
                seen[number] = seen.get(number, 0.0) + worth
        return [self._keys[number] for number in nlargest(LOOKED_AT, seen, key=lambda number: seen[number])]

    def _common(self, weighed: Mapping[str, float], other: Sketch) -> float:
        terms = other.terms
        return sum(worth * terms[term] * self.weight(term) for term, worth in weighed.items() if term in terms)

    def _length(self, key: Key, one: Sketch) -> float:
        """The length of a held message's vector; measured again when the index has grown or shrunk by a tenth."""
        size = len(self._held)
        known = self._lengths.get(key)
        if known is None or abs(known[0] - size) * 10 > size:
            known = self._lengths[key] = size, self._measure(one)
        return known[1]

    def _measure(self, one: Sketch) -> float:
        return sqrt(sum((times * self.weight(term)) ** 2 for term, times in one.terms.items()))


def place_factor(one: Sketch, other: Sketch) -> float:
    """What equal or different places do to the likeness of the words."""
    if one.spots and other.spots and _elsewhere(one.spots, other.spots):
        return OTHER_SPOT
    alike = place_likeness(one, other)
    return 1.0 if alike is None else OTHER_PLACE + (SAME_PLACE - OTHER_PLACE) * alike


def _elsewhere(here: frozenset[str], there: frozenset[str]) -> bool:
    """Whether both name a spot of one sort (building, entrance, gate, phase), and none the same."""
    for sort in "栋元门期":
        mine, theirs = ({spot for spot in spots if spot[-1] == sort} for spots in (here, there))
        if mine and theirs and not mine & theirs:
            return True
    return False


def time_factor(one: datetime | None, other: datetime | None) -> float:
    """1 on one day, falling evenly to `FADED` after `FADING` and longer."""
    if one is None or other is None:
        return 1.0
    return 1.0 - (1.0 - FADED) * min(1.0, abs(one - other) / FADING)


def same_matter(one: Sketch, other: Sketch, *, same_kind: bool) -> float:
    """How alike two reports are of which something else speaks for one matter (kind, neighbourhood); 0 for too little.

    Sketches without `kind`. What many reports say weighs little, seen from the catalogue's examples: there are too few
    open cases in a neighbourhood to tell.
    """
    common = len(one.terms.keys() & other.terms.keys())
    if common < FEWEST - 1:
        return 0.0
    same_place = bool(one.spots & other.spots) or (place_likeness(one, other) or 0.0) >= SAME_NAME
    names = frozenset[str]().union(*one.places, *other.places)
    here, there = (_without(each, names) for each in (one, other))
    beside = len(here.terms.keys() & there.terms.keys())
    if common < FEWEST - same_place or beside < (1 if same_kind else FEWEST_MATTER):
        return 0.0
    book = everyday()
    likeness = max(book.likeness(one, other), book.likeness(other, one))
    if same_kind:
        return likeness if likeness >= SAME_KIND else 0.0
    if likeness < OTHER_KIND or not same_place:
        return 0.0
    return likeness if max(book.likeness(here, there), book.likeness(there, here)) >= OTHER_KIND_MATTER else 0.0


def _without(one: Sketch, names: frozenset[str]) -> Sketch:
    kept = {term: times for term, times in one.terms.items() if term not in names and not term[0].isdigit()}
    return one._replace(terms=kept)


@cache
def everyday() -> Index[int]:
    """The examples of all categories: what reports commonly say. About 60 ms at the first call."""
    examples = [(example, kind.code) for kind in categories() for example in kind.examples]
    index: Index[int] = Index(len(examples) + 1)
    for at, (example, code) in enumerate(examples):
        index.add(at, sketch(example, kind=code))
    return index
