"""Deciding what a message is about: the rules alone, or a learned model that has the rules' evidence before it.

Either way the answer carries a confidence that was checked against labelled texts (of ten answers given with .8, eight
are right), the words it rests on, and the three categories it may be.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import exp

from nlp.catalogue import DOMAINS, Catalogue, catalogue, category, is_general
from nlp.classify import ENOUGH, NOTHING, Verdict, Weighed, heaviest, settle
from nlp.features import Features
from nlp.hunch import NARROW, Hunch, weights
from nlp.lexicon import Hit
from nlp.model import Model
from nlp.values import Candidate, Category, Match

DOUBT = 2.0
"""Squared weight of "something else" beside the squared weights of the domains: measured on letters and on messages."""
UNHEARD = 0.4
"""How sure the model must be of a short message in which the rules find nothing: most of those are small talk."""
TRUST = 0.2
"""What the rules' own shares count beside the model's, where the rules are quite sure: letters do not tell everything
about short messages."""
TALK = 36
"""Characters up to which a message sounds like those the sounds were learnt from, not like the title of a letter."""
HEARD = 0.5
"""What the sound of a short message counts beside the words in it that are known."""
EVEN = 0.5
"""By how much one domain must sound louder than another to be e times as likely."""
LETTER = 80
"""Characters from which a message is about something, whether the rules see it or not."""
CHOICES = 3
CLEAR = 2
"""Words of the rules that say why by themselves."""
NEGLIGIBLE = 0.02
"""Share of a domain that nobody needs to choose from."""
GENERAL = 0.3
"""Weight with which a domain's general category stands for what has none of its own."""


def judge(text: str, hits: Mapping[int, Hit], weighed: Weighed, model: Model | None, hunch: Hunch) -> Verdict:
    """What the folded `text`, which sounds like `hunch`, is about. With `model` None, or an emergency in it, by the
    rules alone."""
    if model is None:
        return by_rules(text, weighed, hunch)
    features = model.look(text, hits, weighed)
    shares = dict(zip(model.about.classes, model.shares(model.margins(features)), strict=True))
    best = max(shares, key=shares.__getitem__)
    if best in DOMAINS:
        shares = _trusting(shares, rule_shares(weighed.domains))
        best = max(shares, key=shares.__getitem__)
    found = max(weighed.domains.values(), default=0.0)
    if found < ENOUGH and len(text) < LETTER and shares[best] < UNHEARD:
        return NOTHING
    if best in DOMAINS:
        chosen, matched = settle(text, weighed, best)
        sure, others = shares[best], _candidates(chosen, _spread(weighed, shares))
    else:
        chosen, matched = _settled(text, weighed, best)
        sure = min(1.0, sum(share for code, share in shares.items() if category(code).domain == chosen.domain))
        others = _candidates(chosen, shares)
    if len(matched) < CLEAR:
        matched += _pieces(text, features, model, best, chosen.code)
    return Verdict(chosen, chosen.domain, matched, round(sure, 3), found, others)


def by_rules(text: str, weighed: Weighed, hunch: Hunch) -> Verdict:
    """What the folded `text` is about by the rules alone, with a confidence that holds."""
    domain = heaviest(weighed)
    if not domain:
        return NOTHING
    shares = rule_shares(weighed.domains)
    if len(text) < TALK:
        shares = _hearing(shares, hunch)
        domain = max(shares, key=shares.__getitem__)
    chosen, matched = settle(text, weighed, domain)
    others = _candidates(chosen, _spread(weighed, shares))
    return Verdict(chosen, domain, matched, round(shares[domain], 3), weighed.domains.get(domain, 0.0), others)


def _hearing(shares: Mapping[str, float], hunch: Hunch) -> dict[str, float]:
    """The shares by words, moved half way towards what the whole message sounds like. Where both say the same, it is
    surer than either: squared, the shares are as often right as they say."""
    loudest = max(hunch.domains)
    sounds = [exp((amount - loudest) / EVEN) for amount in hunch.domains]
    heard = HEARD / sum(sounds)
    squares = [
        ((1 - HEARD) * shares.get(name, 0.0) + heard * sound) ** 2
        for name, sound in zip(weights(NARROW).domains, sounds, strict=True)
    ]
    total = sum(squares)
    return dict(zip(weights(NARROW).domains, [square / total for square in squares], strict=True))


def _trusting(shares: Mapping[str, float], ruled: Mapping[str, float]) -> dict[str, float]:
    """The model's shares, moved towards those of the rules as far as these are sure."""
    trust = TRUST * max(ruled.values(), default=0.0)
    return {name: (1 - trust) * share + trust * ruled.get(name, 0.0) for name, share in shares.items()}


def _pieces(text: str, features: Features, model: Model, best: str, code: str) -> tuple[Match, ...]:
    """Pieces of the text that spoke for the answer, where the words of the rules do not say enough."""
    found = model.reasons(features, model.about.classes.index(best))
    return tuple(Match(piece, weight, code) for piece, weight in found if piece in text)


def rule_shares(domains: Mapping[str, float]) -> dict[str, float]:
    """How likely each domain is by the rules alone."""
    squares = {name: weight * weight for name, weight in domains.items()}
    total = sum(squares.values()) + DOUBT
    return {name: square / total for name, square in squares.items()}


def _settled(text: str, weighed: Weighed, code: str) -> tuple[Category, tuple[Match, ...]]:
    """The category the model holds most likely, and the words of the rules that speak for it."""
    chosen = category(code)
    position = next(at for at, one in enumerate(catalogue().words) if one.category.code == code)
    evidence = weighed.evidence.get(position, [])
    matched = tuple(
        Match(text[start:end], weight, code)
        for weight, (start, end, _) in sorted(evidence, key=lambda one: -one[0])[:CHOICES]
    )
    return chosen, matched


def _spread(weighed: Weighed, shares: Mapping[str, float]) -> dict[str, float]:
    """How likely each category is: the share of its domain, divided by what the rules say within it."""
    book = catalogue()
    general = _general(book)
    squares: dict[str, dict[str, float]] = {
        domain: {general[domain]: (GENERAL * ENOUGH) ** 2} for domain, share in shares.items() if share > NEGLIGIBLE
    }
    for position, score in weighed.scores.items():
        one = book.words[position].category
        if inside := squares.get(one.domain):
            inside[one.code] = max(inside.get(one.code, 0.0), score * score)
    spread: dict[str, float] = {}
    for domain, inside in squares.items():
        share = shares[domain] / sum(inside.values())
        for code, square in inside.items():
            spread[code] = share * square
    return spread


@lru_cache(maxsize=4)
def _general(book: Catalogue) -> dict[str, str]:
    """The code of each domain's general category."""
    return {one.category.domain: one.category.code for one in book.words if is_general(one.category.code)}


def _candidates(chosen: Category, spread: Mapping[str, float]) -> tuple[Candidate, ...]:
    """The chosen category and the next best."""
    others = [code for code in sorted(spread, key=spread.__getitem__, reverse=True) if code != chosen.code]
    codes = [chosen.code, *others[: CHOICES - 1]]
    return tuple(Candidate(code, category(code).name, round(spread.get(code, 0.0), 3)) for code in codes)
