"""What residents write, in our own words, and the kind of matter the word lists find: `kinds.txt` beside this file."""

from __future__ import annotations

from pathlib import Path

import pytest

import nlp
from nlp.catalogue import catalogue
from nlp.classify import classify
from nlp.normalise import fold, tidy
from nlp.urgency import find_alarm

_LINES = (Path(__file__).parent / "kinds.txt").read_text(encoding="utf-8").splitlines()
KINDS = [tuple(line.split("|", 1)) for line in _LINES if not line.startswith("#")]


@pytest.fixture(scope="module")
def found() -> list[tuple[str, str, str]]:
    """The category meant, the one found, and the message."""
    rows = []
    for code, text in KINDS:
        folded = fold(tidy(text))
        hits = catalogue().lexicon.scan(folded)
        decided = classify(folded, hits, find_alarm(folded, hits)).category
        rows.append((code, decided.code if decided else "", text))
    return rows


def test_the_domain_is_mostly_found(found: list[tuple[str, str, str]]) -> None:
    wrong = [text for code, said, text in found if not said or nlp.category(said).domain != nlp.category(code).domain]
    assert len(wrong) <= len(found) * 0.06, wrong


def test_the_kind_is_mostly_found(found: list[tuple[str, str, str]]) -> None:
    wrong = [text for code, said, text in found if said != code]
    assert len(wrong) <= len(found) * 0.13, wrong


def test_most_kinds_of_matter_are_among_them() -> None:
    known = {one.code for one in nlp.categories() if not one.code.startswith("other.")}
    said = {code for code, _ in KINDS}
    assert said <= known
    assert len(said) >= 150
