"""Finding a service by what a resident calls it: 怎么办居住证, 暂住证, 居住正, juzhuzheng, jzz.

Pure: items in, ranked items out. An item is a few short texts (name, aliases, keywords, description). Compared are
pairs of neighbouring characters, of characters with one between them (a letter left out) and single ones, after
fillers are dropped and synonyms made one (`data/services.toml`); ranked by BM25F, a term counting by the field it
stands in, and by how much of the question is covered. The same pairs as they are pronounced find homophones; words in
Latin letters are looked up in the names' pinyin and its initials.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import log

from ahocorasick_rs import AhoCorasick, MatchKind

from nlp.normalise import fold, tidy
from nlp.pinyin import soften, sounds, spellings
from nlp.wordlists import groups, word_table

LONGEST = 100
"""Characters of a question that are read."""
NAME, ALIAS, KEYWORD, TEXT = 3.0, 2.6, 2.0, 0.6
"""What a term is worth by the field it stands in."""
PAIR, GAP, SINGLE, SOUND = 1.0, 0.4, 0.25, 0.5
"""What a term is worth by its sort: neighbours, neighbours but one, one character, neighbours as pronounced."""
COVERS = {PAIR: 1.0, GAP: 0.6, SINGLE: 0.35, SOUND: 0.7}
"""How far a term of each sort covers its characters of the question."""
SATURATION = 2.0
"""BM25's k1: from how much on more of the same adds little."""
WHOLE = 4.0
"""What it adds when the question is a name or alias to the letter, in part where one holds the other."""
SPELT = 6.0
"""What a word typed in Latin letters is worth when it is a whole name's pinyin."""
UNKNOWN = 0.5
"""What a character counts that stands in no item at all, when it is asked how much of a question is covered."""
LEAST = 0.3
"""Share of the question that must be covered for an item to be an answer at all."""
FAINT = 1.8
"""Score below which what was found by its letters is chance; what only sounds alike is asked back anyway."""
LITERAL = 0.75
"""Share of what is covered that must be covered by the very letters; below, the answers are "did you mean"."""
CLEAR = 1.25
"""How many times the second score the first must have to be the answer."""
ENOUGH = 0.62
"""Share of the question it must cover as well."""
CLOSE = 0.65
"""Share of letter pairs from which a misspelt word in Latin letters is taken for a name's pinyin."""

_SPACED = re.compile("(?<=[a-z]) +(?=[a-z])")  # ju zhu zheng
_RUN = re.compile(r"[\u4e00-\u9fff]+|[a-z]+|\d+")


@dataclass(frozen=True, slots=True)
class Item:
    """A service as it is looked for. `key` is the caller's."""

    key: str
    name: str
    aliases: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Ranked:
    """An item that may be meant, its score (only to be compared with others of one answer) and the share of the
    question it covers."""

    item: Item
    score: float
    covered: float


@dataclass(frozen=True, slots=True)
class Answer:
    """Items, the best first. `clear`: the first is far ahead. `meant`: names to offer as "您是不是要找"."""

    ranked: tuple[Ranked, ...] = ()
    clear: bool = False
    meant: tuple[str, ...] = ()


class Directory:
    """The items of a community, ready to be searched. Make a new one when they change: about 1 ms an item."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = tuple(items)
        self._holders: dict[str, dict[int, float]] = {}
        self._names: list[tuple[str, ...]] = []
        self._spellings: list[tuple[tuple[str, str], ...]] = []
        for at, item in enumerate(self._items):
            self._take_up(at, item)

    def __len__(self) -> int:
        return len(self._items)

    def _take_up(self, at: int, item: Item) -> None:
        fields = ((NAME, (item.name,)), (ALIAS, item.aliases), (KEYWORD, item.keywords), (TEXT, (item.text,)))
        for worth, texts in fields:
            for text in texts:
                for term in {term for term, *_ in _terms(wanted(text)[:LONGEST])}:
                    holders = self._holders.setdefault(term, {})
                    holders[at] = max(worth, holders.get(at, 0.0))
        names = (item.name, *item.aliases)
        self._names.append(tuple(dict.fromkeys(wanted(name) for name in names)))
        spoken = dict.fromkeys((*names, *(wanted(name) for name in names), *item.keywords))
        self._spellings.append(tuple((soften(one), first) for name in spoken if name for one, first in spellings(name)))

    def search(self, question: str, limit: int = 5) -> Answer:
        """The items a resident may mean; none for a question that names nothing there is."""
        asked = wanted(question)
        tally = _Tally(asked, self._holders.keys())
        self._count_terms(asked, tally)
        for start, end in tally.latin:
            self._count_spelling(asked, start, end, tally)
        ranked = sorted(self._ranked(asked, tally))
        best = tuple(Ranked(self._items[at], -score, share) for score, at, share in ranked[:limit])
        if not best:
            return Answer()
        ahead = len(best) == 1 or best[0].score >= CLEAR * best[1].score
        clear = ahead and best[0].covered >= ENOUGH
        guessed = tally.share(ranked[0][1], literal=True) < LITERAL * best[0].covered
        return Answer(best, clear, tuple(one.item.name for one in best[:3]) if guessed else ())

    def _ranked(self, asked: str, tally: _Tally) -> Iterator[tuple[float, int, float]]:
        """Minus the score, item and share covered, of those that cover enough or are called by a whole name."""
        for at, score in tally.scores.items():
            share, whole = tally.share(at), self._whole(asked, at)
            if share < LEAST and not any(len(name) > 1 and name in asked for name in self._names[at]):
                continue
            total = (score + whole) * (0.3 + 0.7 * share)
            if total >= FAINT or tally.share(at, literal=True) < LITERAL * share:
                yield -total, at, share

    def _count_terms(self, asked: str, tally: _Tally) -> None:
        for term, worth, places in _terms(asked):
            holders = self._holders.get(term)
            if not holders:
                continue
            rare = log(1 + len(self._items) / len(holders))
            for at, field in holders.items():
                tally.add(at, places, worth, rare * field / (field + SATURATION))

    def _count_spelling(self, asked: str, start: int, end: int, tally: _Tally) -> None:
        """Items whose pinyin or initials are, hold or resemble the Latin letters asked for."""
        word = asked[start:end]
        soft, places = soften(word), tuple(range(start, end))
        pairs = _letter_pairs(soft)
        for at, spelt in enumerate(self._spellings):
            alike = max((_spelt_alike(word, soft, pairs, *spelling) for spelling in spelt), default=0.0)
            if alike:
                tally.add(at, places, SOUND, SPELT * alike, covers=min(1.0, 0.5 + alike / 2))

    def _whole(self, asked: str, at: int) -> float:
        """What the question is worth as a name: all of `WHOLE` when it is one, less as one is part of the other."""
        best = 0.0
        for name in self._names[at]:
            if asked == name:
                return WHOLE
            if len(name) > 1 and len(asked) > 1 and (name in asked or asked in name):
                best = max(best, WHOLE * min(len(name), len(asked)) / max(len(name), len(asked)))
        return best


class _Tally:
    """Scores of items, and how far each character of the question is covered."""

    def __init__(self, asked: str, known: Container[str]) -> None:
        """`known`: characters some item has; others are likely to be no part of what is asked for."""
        self.scores: dict[int, float] = {}
        self.latin = [found.span() for found in re.finditer("[a-z]{2,}", asked)]
        self._weights = [1.0 if letter in known or letter.isascii() else UNKNOWN for letter in asked]
        self._all = sum(weight for weight, letter in zip(self._weights, asked, strict=True) if letter.isalnum()) or 1.0
        self._covered: dict[int, dict[int, tuple[float, bool]]] = {}

    def add(self, at: int, places: Sequence[int], sort: float, score: float, *, covers: float | None = None) -> None:
        """A term of a sort was found in item `at`; what stands there to the letter is not counted by sound as well."""
        known = self._covered.setdefault(at, {})
        share, literal = COVERS[sort] if covers is None else covers, sort not in (SOUND, GAP)
        if not literal and all(known.get(place, (0.0, False)) >= (COVERS[PAIR], True) for place in places):
            return
        self.scores[at] = self.scores.get(at, 0.0) + score * (1.0 if covers is not None else sort)
        for place in places:
            if known.get(place, (0.0, False))[0] < share:
                known[place] = share, literal

    def share(self, at: int, *, literal: bool = False) -> float:
        """The share of the question's letters that item `at` covers."""
        covered = self._covered.get(at, {}).items()
        seen = (self._weights[place] * share for place, (share, exact) in covered if exact or not literal)
        return sum(seen) / self._all


def _spelt_alike(word: str, soft: str, pairs: frozenset[str], spelling: str, first_letters: str) -> float:
    if soft == spelling or word == first_letters:
        return 1.0
    if len(soft) >= 4 and soft in spelling:
        return 0.5 + 0.5 * len(soft) / len(spelling)
    if len(spelling) >= 5 and spelling in soft:
        return 0.5 + 0.5 * len(spelling) / len(soft)
    if word in first_letters and len(first_letters) <= 3 * len(word):
        return 0.4 + 0.5 * len(word) / len(first_letters)
    if len(word) < 5 or not spelling:
        return 0.0
    theirs = _letter_pairs(spelling)
    dice = 2 * len(pairs & theirs) / (len(pairs) + len(theirs)) if theirs else 0.0
    return 0.8 * dice if dice >= CLOSE else 0.0


def _letter_pairs(word: str) -> frozenset[str]:
    return frozenset(word[at : at + 2] for at in range(len(word) - 1))


_Term = tuple[str, float, tuple[int, ...]]


def _terms(text: str) -> Iterator[_Term]:
    """Terms with their sort and the places of their characters in `text`; those to the letter first."""
    by_sound: list[_Term] = []
    for found in _RUN.finditer(text):
        run, start = found[0], found.start()
        if run[0] < "\u4e00":
            yield run, PAIR, tuple(range(start, found.end()))
            continue
        for at, letter in enumerate(run):
            yield letter, PAIR if len(run) == 1 else SINGLE, (start + at,)
            if at + 1 < len(run):
                places = (start + at, start + at + 1)
                yield run[at : at + 2], PAIR, places
                by_sound += ((f"{one} {two}", SOUND, places) for one in sounds(letter) for two in sounds(run[at + 1]))
            if at + 2 < len(run):
                yield f"{letter}_{run[at + 2]}", GAP, (start + at, start + at + 2)
                yield f"{letter}{run[at + 2]}", GAP, (start + at, start + at + 2)
    yield from by_sound


def wanted(question: str) -> str:
    """What is asked for: folded, without fillers, one word for each group of synonyms; all of it if nothing is left."""
    folded = _SPACED.sub("", fold(tidy(question[: 2 * LONGEST]))[:LONGEST])
    fillers, same = _words()
    said = _replaced(folded, *fillers)
    return _replaced(said, *same) or folded


def _replaced(text: str, automaton: AhoCorasick, replacements: Sequence[str]) -> str:
    parts: list[str] = []
    last = 0
    for word, start, end in automaton.find_matches_as_indexes(text):
        parts += text[last:start], replacements[word]
        last = end
    return "".join([*parts, text[last:]]).strip()


_Replacing = tuple[AhoCorasick, tuple[str, ...]]


@cache
def _words() -> tuple[_Replacing, _Replacing]:
    """What takes fillers out, but not of a longer word that says something, and what puts one word for its group."""
    table = word_table("services.toml")
    same = {word: group[0] for group in groups(table["same"]) for word in reversed(group)}
    fillers = dict.fromkeys(table["fillers"].split(), "") | {word: word for word in same}
    return _replacing(fillers), _replacing(same)


def _replacing(words: Mapping[str, str]) -> _Replacing:
    known = sorted(words)
    return AhoCorasick(known, matchkind=MatchKind.LeftmostLongest), tuple(words[word] for word in known)
