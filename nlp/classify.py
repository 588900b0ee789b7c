"""Which of the fifteen domains and which category a message is about, by weighing the words it holds.

First the domain is chosen by the words of all its categories together (a long letter speaks for many), then the best
category within it. What stands at the beginning, where the title of a letter or the point of a message is, weighs more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log

from nlp.catalogue import Catalogue, catalogue, is_general
from nlp.lexicon import Hit, reached
from nlp.urgency import CALM, Alarm
from nlp.values import Candidate, Category, Match

OPENING = 30
"""Characters at the beginning that weigh `OPENING_FACTOR` times as much in a text longer than that."""
OPENING_FACTOR = 1.8
SHORT = 60
"""Up to this many characters a text has no opening: all of it is the point."""
REPEAT = 0.5
"""How much the logarithm of the number of times a word is seen adds to its weight."""
PRIOR = {"纪检监察": 0.8, "政法": 0.9, "经济管理": 0.8, "农村农业": 0.9, "国土资源": 0.8, "党务政务": 0.8}
"""Domains whose words turn up in messages about something else, and what a word of theirs is therefore worth."""
LETTER_PRIOR = {
    "城乡建设": 0.95,
    "劳动和社会保障": 1.3,
    "商贸旅游": 1.35,
    "卫生计生": 1.3,
    "环境保护": 1.1,
    "教育文体": 1.05,
    "交通运输": 1.0,
    "民政": 0.7,
}
"""The same for letters, which name houses, streets, offices and officials whatever they are about; 0.65 elsewhere."""
LETTER_WEIGHT = 6.0
"""What a word weighs in a letter that is listed for its domain's letters."""
GENERAL = 0.8
"""What words of a domain without a category are worth in a short message, where 小区 says where and not what."""
ALARM_WEIGHT = 8.0
"""What an emergency weighs for the category it speaks for."""
ENOUGH = 1.5
"""Evidence below which a message is about nothing in particular."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome: the category or None, its domain or None, how sure, why, and what else it might have been."""

    category: Category | None
    domain: str | None
    confidence: float
    score: float
    matched: tuple[Match, ...]
    alternatives: tuple[Candidate, ...]


NOTHING = Verdict(None, None, 0.0, 0.0, (), ())


Evidence = list[tuple[float, Hit]]
"""What speaks for something: what each entry weighs here and where it stands, the first and the longest ones first."""


Weights = tuple[tuple[str, float], ...]
"""Domains, and what something weighs for each."""


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """The catalogue turned round: what each entry speaks for, by its number.

    `short` and `whole` are domains with the most a word of theirs weighs, in a message and in a letter, and hold as
    long as no category is ruled out; `own_short` and `own_whole` are the same for words of domains without a category.
    """

    categories: Mapping[int, tuple[tuple[int, float], ...]]
    own_short: Mapping[int, Weights]
    own_whole: Mapping[int, Weights]
    short: Mapping[int, Weights]
    whole: Mapping[int, Weights]
    bound: frozenset[int]
    domains: tuple[str, ...]
    positions: Mapping[str, int]
    general: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Weighed:
    """What all words of a text weigh: for each domain, for each category by its position, and the evidence of both."""

    domains: Mapping[str, float]
    scores: Mapping[int, float]
    by_category: Mapping[int, Evidence]
    by_domain: Mapping[str, Evidence]


def classify(text: str, hits: Mapping[int, Hit], alarm: Alarm = CALM) -> Verdict:
    """What the folded `text`, in which `hits` were found and `alarm` was raised, is about: by the rules alone."""
    return decide(text, weigh(text, hits, alarm))


def weigh(text: str, hits: Mapping[int, Hit], alarm: Alarm = CALM) -> Weighed:
    """The weight of everything the rules found, before anything is decided."""
    book = catalogue()
    index = _index(book)
    opening = OPENING if len(text) > SHORT else 0
    by_category, by_domain = _gather(book, index, hits, letter=bool(opening))
    if alarm.trigger:
        at = index.positions[alarm.category]
        for evidence in (by_category.setdefault(at, []), by_domain.setdefault(index.domains[at], [])):
            evidence.append((ALARM_WEIGHT, alarm.trigger))
            evidence.sort(key=_by_place)
    prior, usual = (LETTER_PRIOR, 0.65) if opening else (PRIOR, 1.0)
    domains = {name: _score(found, opening) * prior.get(name, usual) for name, found in by_domain.items()}
    scores = {position: _score(found, opening) for position, found in by_category.items()}
    return Weighed(domains, scores, by_category, by_domain)


def decide(text: str, weighed: Weighed) -> Verdict:
    """The domain that weighs most, and the best category in it; nothing where too little was found."""
    domains = weighed.domains
    domain = max(domains, key=domains.__getitem__, default="")
    total = domains.get(domain, 0.0)
    if total < ENOUGH:
        return NOTHING
    rival = max((score for name, score in domains.items() if name != domain), default=0.0)
    sure = round((1 - exp(-total / 4)) * total / (total + rival * 0.8), 3)
    return settle(text, weighed, domain, sure)


def settle(text: str, weighed: Weighed, domain: str, sure: float) -> Verdict:
    """The best category within `domain`, which was decided on with confidence `sure`, and why."""
    book = catalogue()
    index = _index(book)
    scores = dict(weighed.scores)
    inside = [position for position in scores if index.domains[position] == domain]
    best = max(inside, key=scores.__getitem__, default=None)
    if best is None or scores[best] < ENOUGH:
        best = index.general[domain]
        scores[best] = scores.get(best, 0.0)
    chosen = book.words[best].category
    matched = _reasons(text, chosen.code, weighed.by_category.get(best) or weighed.by_domain.get(domain, []))
    return Verdict(chosen, domain, sure, weighed.domains.get(domain, 0.0), matched, _alternatives(book, best, scores))


def _gather(
    book: Catalogue, index: Index, hits: Mapping[int, Hit], *, letter: bool
) -> tuple[dict[int, Evidence], dict[str, Evidence]]:
    """The evidence for each category that is not ruled out, and for each domain."""
    order = sorted(hits.items(), key=_entry_by_place)
    by_category: dict[int, Evidence] = {}
    uses = index.categories
    for number, hit in order:
        for position, weight in uses.get(number, ()):
            if position in by_category:
                by_category[position].append((weight, hit))
            else:
                by_category[position] = [(weight, hit)]
    ruled_out = {position for position in by_category.keys() & index.bound if not _allowed(book, position, hits)}
    for position in ruled_out:
        del by_category[position]
    by_domain: dict[str, Evidence] = {}
    speaks = index.whole if letter else index.short
    for number, hit in order:
        for name, weight in _without(index, number, ruled_out, letter) if ruled_out else speaks.get(number, ()):
            if name in by_domain:
                by_domain[name].append((weight, hit))
            else:
                by_domain[name] = [(weight, hit)]
    return by_category, by_domain


def _without(index: Index, number: int, ruled_out: set[int], letter: bool) -> Iterable[tuple[str, float]]:
    """The domains an entry speaks for when some categories do not count."""
    uses = index.categories.get(number, ())
    if all(position not in ruled_out for position, _ in uses):
        return (index.whole if letter else index.short).get(number, ())
    own = (index.own_whole if letter else index.own_short).get(number, ())
    return _heaviest(own, [use for use in uses if use[0] not in ruled_out], index.domains)


def _heaviest(own: Iterable[tuple[str, float]], uses: Iterable[tuple[int, float]], domains: Sequence[str]) -> Weights:
    """Each domain with the most that an entry weighs for it."""
    weights: dict[str, float] = {}
    for name, weight in own:
        weights[name] = max(weight, weights.get(name, 0.0))
    for position, weight in uses:
        name = domains[position]
        weights[name] = max(weight, weights.get(name, 0.0))
    return tuple(weights.items())


def _allowed(book: Catalogue, position: int, hits: Mapping[int, Hit]) -> bool:
    words = book.words[position]
    if words.needs and words.needs.isdisjoint(hits):
        return False
    return not words.excludes or words.excludes.isdisjoint(hits)


def _reasons(text: str, code: str, evidence: Evidence) -> tuple[Match, ...]:
    found = sorted(evidence, key=_heaviest_first)[:5]
    return tuple(Match(text[hit.start : hit.end], weight, code) for weight, hit in found)


def _alternatives(book: Catalogue, best: int, scores: Mapping[int, float]) -> tuple[Candidate, ...]:
    """The best three, the chosen one first; shares leave room for "none of these"."""
    others = sorted((position for position in scores if position != best), key=scores.__getitem__, reverse=True)[:2]
    order = [best, *others]
    whole = sum(scores[position] for position in order) + 1.5
    return tuple(
        Candidate(book.words[one].category.code, book.words[one].category.name, round(scores[one] / whole, 3))
        for one in order
    )


def _score(evidence: Evidence, opening: int) -> float:
    """Weights added up; a word seen once, inside one of the same list at least as heavy, adds nothing."""
    total = 0.0
    far = 0
    reach: dict[float, int] = {}
    for weight, (start, end, count) in evidence:
        if count == 1 and end <= far and reached(reach, weight, end):
            continue
        if end > far:
            far = end
        if reach.get(weight, 0) < end:
            reach[weight] = end
        seen = weight * (1 + REPEAT * log(count)) if count > 1 else weight
        total += seen * OPENING_FACTOR if start < opening else seen
    return total


def _entry_by_place(one: tuple[int, Hit]) -> tuple[int, int]:
    _, (start, end, _) = one
    return start, -end


def _by_place(one: tuple[float, Hit]) -> tuple[int, int]:
    _, (start, end, _) = one
    return start, -end


def _heaviest_first(one: tuple[float, Hit]) -> tuple[float, int]:
    weight, (start, _, _) = one
    return -weight, start


@lru_cache(maxsize=4)
def _index(book: Catalogue) -> Index:
    uses: dict[int, list[tuple[int, float]]] = {}
    for position, words in enumerate(book.words):
        for number, weight in words.weights.items():
            uses.setdefault(number, []).append((position, weight))
    own_short: dict[int, list[tuple[str, float]]] = {}
    own_whole: dict[int, list[tuple[str, float]]] = {}
    for name, weights in book.domains.items():
        for number, weight in weights.items():
            own_short.setdefault(number, []).append((name, weight * GENERAL))
            own_whole.setdefault(number, []).append((name, weight))
    for name, entries in book.letters.items():
        for number in entries:
            own_whole.setdefault(number, []).append((name, LETTER_WEIGHT))
    domains = tuple(words.category.domain for words in book.words)
    short, whole = (
        {number: _heaviest(own.get(number, ()), uses.get(number, ()), domains) for number in uses.keys() | own.keys()}
        for own in (own_short, own_whole)
    )
    return Index(
        {number: tuple(found) for number, found in uses.items()},
        {number: tuple(found) for number, found in own_short.items()},
        {number: tuple(found) for number, found in own_whole.items()},
        short,
        whole,
        frozenset(at for at, words in enumerate(book.words) if words.needs or words.excludes),
        domains,
        {words.category.code: at for at, words in enumerate(book.words)},
        {words.category.domain: at for at, words in enumerate(book.words) if is_general(words.category.code)},
    )
