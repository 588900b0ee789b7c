"""Which of the fifteen domains and which category a message is about, by weighing the words it holds.

First the domain is chosen by the words of all its categories together (a long letter speaks for many), then the best
category within it. What stands at the beginning, where the title of a letter or the point of a message is, weighs more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import exp, log

from nlp.catalogue import Catalogue, CategoryWords, catalogue
from nlp.lexicon import Hit, outermost
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
"""Domains whose words turn up in letters about something else, and what a word of theirs is therefore worth."""
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


Evidence = dict[int, tuple[float, Hit]]
"""By entry number: what the entry weighs here and where it stands."""


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
    opening = OPENING if len(text) > SHORT else 0
    by_category, by_domain = _gather(book, hits, 1.0 if opening else GENERAL)
    if alarm.trigger:
        at, seen = _positions()[alarm.category], (ALARM_WEIGHT, alarm.trigger)
        by_category.setdefault(at, {})[-1] = seen
        by_domain.setdefault(book.words[at].category.domain, {})[-1] = seen
    domains = {name: _score(found, opening) * PRIOR.get(name, 1.0) for name, found in by_domain.items()}
    scores = {position: _score(found, opening) for position, found in by_category.items()}
    return Weighed(domains, scores, by_category, by_domain)


def decide(text: str, weighed: Weighed) -> Verdict:
    """The domain that weighs most, and the best category in it; nothing where too little was found."""
    domain = max(weighed.domains, key=lambda name: weighed.domains[name], default="")
    total = weighed.domains.get(domain, 0.0)
    if total < ENOUGH:
        return NOTHING
    rival = max((score for name, score in weighed.domains.items() if name != domain), default=0.0)
    sure = round((1 - exp(-total / 4)) * total / (total + rival * 0.8), 3)
    return settle(text, weighed, domain, sure)


def settle(text: str, weighed: Weighed, domain: str, sure: float) -> Verdict:
    """The best category within `domain`, which was decided on with confidence `sure`, and why."""
    book, scores = catalogue(), dict(weighed.scores)
    inside = [position for position in scores if book.words[position].category.domain == domain]
    best = max(inside, key=lambda position: scores[position], default=None)
    if best is None or scores[best] < ENOUGH:
        best = _general()[domain]
        scores[best] = scores.get(best, 0.0)
    chosen = book.words[best].category
    matched = _reasons(text, chosen.code, weighed.by_category.get(best) or weighed.by_domain.get(domain, {}))
    return Verdict(chosen, domain, sure, weighed.domains.get(domain, 0.0), matched, _alternatives(book, best, scores))


def _gather(
    book: Catalogue, hits: Mapping[int, Hit], general: float
) -> tuple[dict[int, Evidence], dict[str, Evidence]]:
    """The evidence for each category that is not ruled out, and for each domain."""
    uses, spoken = _index()
    by_category: dict[int, Evidence] = {}
    by_domain: dict[str, Evidence] = {}
    for number, hit in hits.items():
        for position, weight in uses.get(number, ()):
            by_category.setdefault(position, {})[number] = (weight, hit)
        for name, weight in spoken.get(number, ()):
            by_domain.setdefault(name, {})[number] = (weight * general, hit)
    by_category = {position: found for position, found in by_category.items() if _allowed(book.words[position], hits)}
    for position, found in by_category.items():
        known = by_domain.setdefault(book.words[position].category.domain, {})
        for number, one in found.items():
            if number not in known or known[number][0] < one[0]:
                known[number] = one
    return by_category, by_domain


def _reasons(text: str, code: str, evidence: Evidence) -> tuple[Match, ...]:
    found = sorted(evidence.values(), key=lambda one: (-one[0], one[1].start))[:5]
    return tuple(Match(text[hit.start : hit.end], weight, code) for weight, hit in found)


def _alternatives(book: Catalogue, best: int, scores: Mapping[int, float]) -> tuple[Candidate, ...]:
    """The best three, the chosen one first; shares leave room for "none of these"."""
    others = sorted((position for position in scores if position != best), key=lambda one: -scores[one])[:2]
    order = [best, *others]
    whole = sum(scores[position] for position in order) + 1.5
    return tuple(
        Candidate(book.words[one].category.code, book.words[one].category.name, round(scores[one] / whole, 3))
        for one in order
    )


def _allowed(words: CategoryWords, hits: Mapping[int, Hit]) -> bool:
    if words.needs and words.needs.isdisjoint(hits):
        return False
    return not words.excludes or words.excludes.isdisjoint(hits)


def _score(evidence: Evidence, opening: int) -> float:
    """Weights added up; a word inside a longer counted one of the same list adds nothing."""
    if len(evidence) == 1:
        ((weight, (start, _, count)),) = evidence.values()
        seen = weight * (1 + REPEAT * log(count)) if count > 1 else weight
        return seen * OPENING_FACTOR if start < opening else seen
    total = 0.0
    for weight, (start, _, count) in outermost(list(evidence.values())):
        seen = weight * (1 + REPEAT * log(count)) if count > 1 else weight
        total += seen * OPENING_FACTOR if start < opening else seen
    return total


@cache
def _positions() -> dict[str, int]:
    return {one.category.code: at for at, one in enumerate(catalogue().words)}


@cache
def _general() -> dict[str, int]:
    """The position of each domain's general category."""
    words = catalogue().words
    return {one.category.domain: at for at, one in enumerate(words) if one.category.code.startswith("other.")}


@cache
def _index() -> tuple[dict[int, list[tuple[int, float]]], dict[int, list[tuple[str, float]]]]:
    """The catalogue turned round: from an entry to the categories, and to the domains, it speaks for."""
    book = catalogue()
    uses: dict[int, list[tuple[int, float]]] = {}
    spoken: dict[int, list[tuple[str, float]]] = {}
    for position, words in enumerate(book.words):
        for number, weight in words.weights.items():
            uses.setdefault(number, []).append((position, weight))
    for name, weights in book.domains.items():
        for number, weight in weights.items():
            spoken.setdefault(number, []).append((name, weight))
    return uses, spoken
