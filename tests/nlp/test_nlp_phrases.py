"""What residents write, in our own words, and what Linli should make of it: `phrases.txt` beside this file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

import nlp


@dataclass(frozen=True, slots=True)
class Phrase:
    intent: str
    domain: str | None
    urgent: bool
    place: str | None
    text: str


def _phrases() -> list[Phrase]:
    lines = (Path(__file__).parent / "phrases.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split("|", 4) for line in lines if line and not line.startswith("#")]
    return [
        Phrase(intent, None if domain == "-" else domain, urgent == "!", None if place == "-" else place, text)
        for intent, domain, urgent, place, text in rows
    ]


PHRASES = _phrases()


@pytest.mark.parametrize("phrase", [one for one in PHRASES if one.urgent], ids=lambda one: one.text)
def test_somebody_in_danger_is_never_missed(phrase: Phrase) -> None:
    said = nlp.understand(phrase.text)
    assert said.urgent
    assert said.intent == "report"


def test_hardly_anybody_is_alarmed_without_danger() -> None:
    calm = [one for one in PHRASES if not one.urgent]
    alarmed = [one.text for one in calm if nlp.understand(one.text).urgent]
    assert len(alarmed) <= len(calm) * 0.015, alarmed


@pytest.mark.parametrize("intent", ["report", "consult", "progress", "rate", "chat"])
def test_what_people_want_is_mostly_understood(intent: str) -> None:
    rows = [one for one in PHRASES if one.intent == intent]
    wrong = [one.text for one in rows if nlp.understand(one.text).intent != intent]
    assert len(wrong) <= len(rows) * 0.05, wrong


def test_what_it_is_about_is_mostly_understood() -> None:
    rows = [one for one in PHRASES if one.domain]
    wrong = [one.text for one in rows if nlp.understand(one.text).domain != one.domain]
    assert len(wrong) <= len(rows) * 0.05, wrong


@pytest.mark.parametrize("phrase", [one for one in PHRASES if one.place], ids=lambda one: one.text)
def test_the_place_is_found(phrase: Phrase) -> None:
    places = nlp.understand(phrase.text).places
    assert any(phrase.place in place or place in phrase.place for place in places)
