"""Everything at once: the one entrance through which a message is understood."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nlp import segment
from nlp.catalogue import catalogue
from nlp.classify import ALARM_WEIGHT, weigh
from nlp.hunch import listen
from nlp.intent import find_intent
from nlp.judgement import judge
from nlp.model import adopted
from nlp.normalise import fold, tidy
from nlp.places import find_places, is_answer
from nlp.urgency import Alarm, find_alarm
from nlp.values import Match, Understanding


def understand(text: str) -> Understanding:
    """What the writer of `text` wants, about what, where, and whether it is urgent. Never raises for any text."""
    plain = tidy(text)
    folded = fold(plain)
    hits = catalogue().lexicon.scan(folded)
    hunch = listen(folded)
    alarm = find_alarm(folded, hits, hunch)
    verdict = judge(folded, hits, weigh(folded, hits, alarm), None if alarm.kind else adopted(), hunch)
    wish = find_intent(folded, hits, verdict, hunch, alarmed=bool(alarm.kind))
    category = verdict.category
    sure = verdict.confidence if wish.intent in ("report", "consult") else wish.lead
    return Understanding(
        intent=wish.intent,
        category=category.code if category else "",
        category_name=category.name if category else "",
        subject=category.subject if category else "",
        domain=verdict.domain,
        urgent=bool(alarm.kind),
        emergency=alarm.kind,
        places=find_places(plain, folded, vague=wish.intent == "report" or is_answer(wish.intent, folded)),
        confidence=min(1.0, max(0.0, sure)),
        domain_confidence=verdict.confidence,
        matched=_as_written(_alarmed(folded, alarm) + wish.matched + verdict.matched, plain, folded),
        alternatives=verdict.alternatives,
    )


def _as_written(matched: tuple[Match, ...], plain: str, folded: str) -> tuple[Match, ...]:
    """The reasons in the person's own words, where slips or another script were put right before reading."""
    if all(one.word in plain for one in matched):
        return matched
    starts = [folded.find(one.word) for one in matched]
    return tuple(
        replace(one, word=plain[start : start + len(one.word)]) if start >= 0 else one
        for one, start in zip(matched, starts, strict=True)
    )


def _alarmed(text: str, alarm: Alarm) -> tuple[Match, ...]:
    if alarm.trigger is None:
        return ()
    start, end, _ = alarm.trigger
    return (Match(text[start:end], ALARM_WEIGHT, f"emergency:{alarm.kind}"),)


def to_json(said: Understanding) -> dict[str, Any]:
    """`said` with exactly the keys the `linli classify` contract promises."""
    return {
        "intent": said.intent,
        "category": said.category_name or None,
        "domain": said.domain,
        "urgent": said.urgent,
        "places": list(said.places),
        "confidence": said.confidence,
        "matched": [{"word": one.word, "weight": one.weight, "category": one.category} for one in said.matched],
    }


def prepare() -> None:
    """Read the tables, build the automaton and load jieba, so that the first message is as fast as the rest."""
    understand("您好，3栋2单元楼道灯坏了。請問")
    segment.words("您好")
