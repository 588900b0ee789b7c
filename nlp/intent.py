"""What somebody wants with a message: report, consult, progress, rate or chat.

Whole messages everybody writes the same way (收到, 早上好) are recognised as such. Otherwise it is above all the
sound of the sentence that tells (`nlp.hunch`). Each intent also gathers the weight of its cues, and what the message is
about adds to it: a broken thing is a report even when put as a question, a certificate is a consultation without one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import exp

from nlp.catalogue import catalogue, whole_messages
from nlp.classify import Verdict
from nlp.hunch import Hunch, telling
from nlp.lexicon import Hit, outermost
from nlp.values import Intent, Match

LETTER = 80
"""Characters from which a message is a letter: nobody writes that much to chat, to thank or to ask how far it is."""
STRONG = 4.0
"""Weight from which cues decide by themselves."""
FAULTY = 2.0
"""Weight of fault words from which something is plainly wrong."""
CUE = 0.15
"""What one point of cues is worth beside the sound, of which 1.0 is a clear lead."""
MOST = 6.0
"""Cues count up to this many points."""
BARE = 8
"""Characters up to which a message is only a keyword, sent to get the page about it."""
_ORDER: tuple[Intent, ...] = ("report", "progress", "rate", "consult", "chat")
_QUESTION = re.compile(r"[?？]|[吗呢么吧]\s*$")
_DECORATION = re.compile(r"\[[^\[\]]{1,6}\]|[\W_]+")


@dataclass(frozen=True, slots=True)
class Wish:
    """The intent, its lead over the next one (0..1), and the cues that spoke for it."""

    intent: Intent
    lead: float
    matched: tuple[Match, ...]


def find_intent(text: str, hits: Mapping[int, Hit], verdict: Verdict, hunch: Hunch, *, alarmed: bool) -> Wish:
    """The intent of the folded `text`, from what it is about, what it sounds like and whether there is danger."""
    if alarmed:
        return Wish("report", 1.0, ())
    whole = _whole(text)
    if whole:
        return Wish(whole, 1.0, ())
    sums = hunch.intents
    best, second = _two_best(sums)
    if sums[best] - sums[second] >= CUE * MOST:
        evidence = _evidence(hits, only=best)
    else:
        evidence = _evidence(hits)
        cues = _cued(text, evidence, verdict)
        sums = {name: sums[name] + CUE * min(cues[name], MOST) for name in _ORDER}
        best, second = _two_best(sums)
    return Wish(best, 1 - exp(sums[second] - sums[best]), _reasons(text, best, evidence.get(best, [])))


def _two_best(sums: Mapping[str, float]) -> Sequence[Intent]:
    return sorted(_ORDER, key=sums.__getitem__, reverse=True)[:2]


def _cued(text: str, evidence: Mapping[str, list[tuple[float, Hit]]], verdict: Verdict) -> dict[str, float]:
    """The points each intent has by cues and by what the message is about."""
    scores = dict.fromkeys((*_ORDER, "fault", "question", "how"), 0.0)
    for name, found in evidence.items():
        scores[name] = sum(weight for weight, _ in found)
    _weigh(text, scores, verdict)
    return scores


def _reasons(text: str, best: Intent, cued: list[tuple[float, Hit]]) -> tuple[Match, ...]:
    """The heaviest cues; where there are none, the words that sound most like it."""
    if cued:
        return tuple(Match(text[start:end], weight, f"intent:{best}") for weight, (start, end, _) in cued[:3])
    return tuple(Match(word, weight, f"intent:{best}") for word, weight in telling(text, best))


def _weigh(text: str, scores: dict[str, float], verdict: Verdict) -> None:
    """Add to the cues what the message is about, whether it names a fault, and how it asks."""
    fault, how = min(scores["fault"], 4.0), scores["how"]
    asking = min(scores["question"] + how + (1.0 if _QUESTION.search(text) else 0.0), 4.0)
    about = min(verdict.score / 2, 3.0)
    if how >= STRONG:
        fault, about = fault / 3, about / 3
    if verdict.category is not None and verdict.category.service:
        fault /= 2
    if verdict.domain is None and not fault and scores["report"] < FAULTY:
        scores["report"] = 0.0
    scores["chat"] += 0.4
    scores["report"] += fault
    scores["consult"] += asking if fault < FAULTY else asking / 3
    if verdict.category is not None and verdict.category.service:
        curious = asking or scores["consult"] or len(text) <= BARE
        scores["consult"] += about if curious else about / 3
    elif verdict.domain:
        stated = fault >= FAULTY or (scores["report"] > 0 and not asking)
        scores["report"] += about if stated else about / 2
    _defer(text, scores, fault)


def _defer(text: str, scores: dict[str, float], fault: float) -> None:
    """Who asks how far a case is, or judges it, tells the fault again; a letter does neither, and is no chat."""
    if len(text) > LETTER:
        scores["report"] += 2.0
        for name in ("progress", "rate", "chat"):
            scores[name] /= 3
    elif max(scores["progress"], scores["rate"]) >= STRONG:
        scores["report"] *= 0.4
        scores["consult"] *= 0.4
    elif scores["chat"] > STRONG and fault < FAULTY:
        scores["report"] *= 0.5
        scores["consult"] *= 0.6


def _evidence(hits: Mapping[int, Hit], only: str = "") -> dict[str, list[tuple[float, Hit]]]:
    """Cues found, of one list or of all, heaviest first, each counted once where a longer one of its list covers it."""
    cues = _cues()
    found: dict[str, list[tuple[float, Hit]]] = {}
    for number, hit in hits.items():
        if number in cues:
            for name, weight in cues[number]:
                if not only or name == only:
                    found.setdefault(name, []).append((weight, hit))
    return {name: outermost(cued) for name, cued in found.items()}


@cache
def _cues() -> dict[int, list[tuple[str, float]]]:
    """From an entry to the lists of cues it stands in."""
    cues: dict[int, list[tuple[str, float]]] = {}
    for name, weights in catalogue().cues.items():
        for number, weight in weights.items():
            cues.setdefault(number, []).append((name, weight))
    return cues


def _whole(text: str) -> Intent | None:
    """The intent of a message that is nothing but a stock phrase, emoji and punctuation."""
    if len(text) > 40:
        return None
    bare = _DECORATION.sub("", text)
    if not bare:
        return "chat"
    for name, pattern in _stock().items():
        if pattern.fullmatch(bare):
            return name
    return None


@cache
def _stock() -> dict[Intent, re.Pattern[str]]:
    return {
        name: re.compile("(?:(?:" + "|".join(phrases) + ")[了的呢啊呀吧哈嘛哦]*)+")
        for name, phrases in whole_messages().items()
    }
