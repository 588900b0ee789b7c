"""Which of the fifteen domains and which category a message is about, by weighing the words it holds.

First the domain is chosen by the words of all its categories together (a long letter speaks for many), then the best
category within it. What stands at the beginning, where the title of a letter or the point of a message is, weighs more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log
from operator import itemgetter

from nlp.catalogue import DOMAINS, WEIGHTS, Catalogue, catalogue, is_general
from nlp.lexicon import Hit, outermost, reached
from nlp.urgency import CALM, Alarm
from nlp.values import Candidate, Category, Match

OPENING = 30
"""Characters at the beginning that weigh `OPENING_FACTOR` times as much in a text longer than that."""
OPENING_FACTOR = 1.8
SHORT = 60
"""Up to this many characters a text has no opening: all of it is the point."""
REPEAT = 0.5
"""How much the logarithm of the number of times a word is seen adds to its weight."""
PRIOR = {
    "劳动和社会保障": 1.1,
    "卫生计生": 1.1,
    "商贸旅游": 1.05,
    "党务政务": 0.9,
    "国土资源": 0.8,
    "农村农业": 0.9,
    "政法": 0.9,
    "经济管理": 0.8,
    "纪检监察": 0.8,
}
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
ALARM_WEIGHT = 16.0
"""What an emergency weighs for the category it speaks for."""
FELT_WEIGHT = 5.0
"""The same where no word of the tables told of the danger, but the sound of the message."""
ENOUGH = 1.5
"""Evidence below which a message is about nothing in particular."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome: the category or None, its domain or None, why, how sure, how much was found, what else it may be."""

    category: Category | None = None
    domain: str | None = None
    matched: tuple[Match, ...] = ()
    confidence: float = 0.0
    score: float = 0.0
    alternatives: tuple[Candidate, ...] = ()


NOTHING = Verdict()


HEAVIEST = 100.0
"""More than anything weighs."""
_NUMBERS = {name: -1 - at for at, name in enumerate(DOMAINS)}
Evidence = list[tuple[float, Hit]]
"""What speaks for something: what each entry weighs here and where it stands, in the order of places."""


Weights = tuple[tuple[int, float], ...]
"""What something weighs for categories, each known by its position, and for domains: -1 is the first of `DOMAINS`."""


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """The catalogue turned round: what each entry speaks for, by its number.

    `short` and `whole` hold categories and domains, in a message and in a letter, for as long as no category is ruled
    out; `own_short` and `own_whole` are the words of domains without a category. `needy` categories cannot do without
    certain words; `excludes` are the categories an entry rules out, `excluding` its entries.
    """

    own_short: Mapping[int, Weights]
    own_whole: Mapping[int, Weights]
    short: Mapping[int, Weights]
    whole: Mapping[int, Weights]
    needy: frozenset[int]
    excludes: Mapping[int, Sequence[int]]
    excluding: frozenset[int]
    domains: tuple[str, ...]
    positions: Mapping[str, int]
    general: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Weighed:
    """What all words of a text weigh: for each domain, for each category by its position, and the evidence of both,
    known by the same numbers as in `Index`."""

    domains: dict[str, float]
    scores: dict[int, float]
    evidence: Mapping[int, Evidence]


def classify(text: str, hits: Mapping[int, Hit], alarm: Alarm = CALM) -> Verdict:
    """What the folded `text`, in which `hits` were found and `alarm` was raised, is about: by the rules alone."""
    return decide(text, weigh(text, hits, alarm))


def weigh(text: str, hits: Mapping[int, Hit], alarm: Alarm = CALM) -> Weighed:
    """The weight of everything the rules found, before anything is decided."""
    book = catalogue()
    index = _index(book)
    opening = OPENING if len(text) > SHORT else 0
    found = _gather(book, index, hits, letter=bool(opening))
    if alarm.trigger:
        at = index.positions[alarm.category]
        told = any(hit is alarm.trigger for hit in hits.values())
        for target in (at, _NUMBERS[index.domains[at]]):
            found[target].append((ALARM_WEIGHT if told else FELT_WEIGHT, alarm.trigger))
            found[target].sort(key=_by_place)
    prior, usual = (LETTER_PRIOR, 0.65) if opening else (PRIOR, 1.0)
    weighed = Weighed({}, {}, found)
    for target, evidence in found.items():
        score = _score(evidence, opening)
        if target >= 0:
            weighed.scores[target] = score
        else:
            name = DOMAINS[-1 - target]
            weighed.domains[name] = score * prior.get(name, usual)
    return weighed


def decide(text: str, weighed: Weighed) -> Verdict:
    """The domain that weighs most, and the best category in it; nothing where too little was found."""
    domain = heaviest(weighed)
    if not domain:
        return NOTHING
    domains = weighed.domains
    total = domains[domain]
    rival = max((score for name, score in domains.items() if name != domain), default=0.0)
    sure = round((1 - exp(-total / 4)) * total / (total + rival * 0.8), 3)
    chosen, matched = settle(text, weighed, domain)
    return Verdict(chosen, domain, matched, sure, total)


def heaviest(weighed: Weighed) -> str:
    """The domain that weighs most; "" where too little was found."""
    domains = weighed.domains
    domain = max(domains, key=domains.__getitem__, default="")
    return domain if domain and domains[domain] >= ENOUGH else ""


def settle(text: str, weighed: Weighed, domain: str) -> tuple[Category, tuple[Match, ...]]:
    """The best category within `domain`, which was decided on, and why."""
    book = catalogue()
    index = _index(book)
    scores = weighed.scores
    inside = [position for position in scores if index.domains[position] == domain]
    best = max(inside, key=scores.__getitem__, default=None)
    if best is None or scores[best] < ENOUGH:
        best = index.general[domain]
    chosen = book.words[best].category
    evidence = weighed.evidence.get(best) or weighed.evidence.get(_NUMBERS[domain], [])
    return chosen, _reasons(text, chosen.code, evidence)


def _gather(book: Catalogue, index: Index, hits: Mapping[int, Hit], *, letter: bool) -> defaultdict[int, Evidence]:
    """The evidence for each category that is not ruled out, and for each domain."""
    targets = index.whole if letter else index.short
    order = sorted([(hit, number) for number, hit in hits.items() if number in targets], key=_place)
    found: defaultdict[int, Evidence] = defaultdict(list)
    for hit, number in order:
        for target, weight in targets[number]:
            found[target].append((weight, hit))
    ruled_out = {at for at in index.needy if at in found and book.words[at].needs.isdisjoint(hits)}
    for number in index.excluding & hits.keys():
        ruled_out.update(position for position in index.excludes[number] if position in found)
    if ruled_out:
        _leave_out(ruled_out, index, order, found, letter=letter)
    return found


def _leave_out(
    ruled_out: set[int],
    index: Index,
    order: Sequence[tuple[Hit, int]],
    found: defaultdict[int, Evidence],
    *,
    letter: bool,
) -> None:
    """Take categories out of what was found, and gather their domains' evidence without them."""
    own, targets = (index.own_whole, index.whole) if letter else (index.own_short, index.short)
    for position in ruled_out:
        del found[position]
    left: dict[int, Evidence] = {_NUMBERS[index.domains[position]]: [] for position in ruled_out}
    for hit, number in order:
        speaks = targets[number]
        if not any(target in ruled_out for target, _ in speaks):
            for target, weight in speaks:
                if target in left:
                    left[target].append((weight, hit))
            continue
        kept = [use for use in speaks if use[0] >= 0 and use[0] not in ruled_out]
        for target, weight in _by_domain(own.get(number, ()), kept, index.domains):
            if target in left:
                left[target].append((weight, hit))
    for target, evidence in left.items():
        if evidence:
            found[target] = evidence
        else:
            found.pop(target, None)


def _reasons(text: str, code: str, evidence: Evidence) -> tuple[Match, ...]:
    """The heaviest words, each once, however many entries say it."""
    return tuple(Match(text[start:end], weight, code) for weight, (start, end, _) in outermost(evidence)[:5])


def _score(evidence: Evidence, opening: int) -> float:
    """Weights added up; a word seen once, inside one of the same list at least as heavy, adds nothing.

    `evidence` is in the order of places: of words that begin together the shortest comes first.
    """
    if len(evidence) == 1:
        weight, (start, _, count) = evidence[0]
        return _worth(weight, start, count, opening)
    total = last = 0.0
    last_start, last_weight = -1, 0.0
    far = 0
    reach: dict[float, int] = {}
    for weight, (start, end, count) in evidence:
        if count == 1 and end <= far and reached(reach, weight, end):
            continue
        if start == last_start and last_weight <= weight:
            total -= last
        if end > far:
            far = end
        if reach.get(weight, 0) < end:
            reach[weight] = end
        last = _worth(weight, start, count, opening)
        last_start, last_weight = start, weight if count == 1 else HEAVIEST
        total += last
    return total


def _worth(weight: float, start: int, count: int, opening: int) -> float:
    """What a word weighs that is seen `count` times, first at `start`."""
    if count > 1:
        weight *= 1 + REPEAT * log(count)
    return weight * OPENING_FACTOR if start < opening else weight


_place = itemgetter(0)
_by_place = itemgetter(1)


@lru_cache(maxsize=4)
def _index(book: Catalogue) -> Index:
    uses: dict[int, list[tuple[int, float]]] = {}
    for position, words in enumerate(book.words):
        for number, weight in words.weights.items():
            uses.setdefault(number, []).append((position, weight))
    excludes: dict[int, list[int]] = {}
    for position, words in enumerate(book.words):
        for number in words.excludes:
            excludes.setdefault(number, []).append(position)
    own_short, own_whole = _own(book)
    domains = tuple(words.category.domain for words in book.words)
    same: dict[Weights, Weights] = {}  # words of one list share their targets, which are then near at hand already
    short, whole = (
        {
            number: same.setdefault(targets, targets)
            for number in uses.keys() | own.keys()
            for targets in [_targets(own.get(number, ()), uses.get(number, ()), domains)]
        }
        for own in (own_short, own_whole)
    )
    for number, entry in enumerate(book.lexicon.entries):
        if len(entry) == 1:  # a letter holds so many characters that single ones say nothing
            whole.pop(number, None)
    return Index(
        own_short,
        own_whole,
        short,
        whole,
        frozenset(at for at, words in enumerate(book.words) if words.needs),
        excludes,
        frozenset(excludes),
        domains,
        {words.category.code: at for at, words in enumerate(book.words)},
        {words.category.domain: at for at, words in enumerate(book.words) if is_general(words.category.code)},
    )


def _own(book: Catalogue) -> tuple[dict[int, Weights], dict[int, Weights]]:
    """What words of domains weigh, in a message and in a letter."""
    short: dict[int, Weights] = {}
    whole: dict[int, Weights] = {}
    for name, weights in book.domains.items():
        for number, weight in weights.items():
            short[number] = (*short.get(number, ()), (_NUMBERS[name], weight * GENERAL))
            whole[number] = (*whole.get(number, ()), (_NUMBERS[name], weight))
    for name, entries in book.letters.items():
        for number in entries:
            whole[number] = (*whole.get(number, ()), (_NUMBERS[name], LETTER_WEIGHT))
    return short, whole


def _targets(own: Iterable[tuple[int, float]], uses: Sequence[tuple[int, float]], domains: Sequence[str]) -> Weights:
    """The categories an entry speaks for, and their domains with the most it weighs for any of them.

    What is weak (a single character, a circumstance) tells domains apart, but not the categories of one domain.
    """
    telling = (use for use in uses if use[1] > WEIGHTS["weak"])
    return (*telling, *_by_domain(own, uses, domains))


def _by_domain(own: Iterable[tuple[int, float]], uses: Iterable[tuple[int, float]], domains: Sequence[str]) -> Weights:
    most: dict[int, float] = {}
    for name, weight in [*own, *((_NUMBERS[domains[position]], weight) for position, weight in uses)]:
        most[name] = max(weight, most.get(name, 0.0))
    return tuple(most.items())
