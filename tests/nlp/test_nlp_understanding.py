"""The one entrance: what it promises for every text, and how its answer is written as JSON."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nlp
from nlp.normalise import LONGEST, fold, tidy
from nlp.places import MOST

KEYS = {"intent", "category", "domain", "urgent", "places", "confidence", "matched"}
LETTERS = "楼道灯不亮着火了煤气味3栋2单元路门口怎么办吗谢谢满意编号，。！？ABＡ１ \n"
CHINESE = st.text(alphabet=st.sampled_from(LETTERS), max_size=80)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), CHINESE))
def test_no_text_is_too_strange(text: str) -> None:
    said = nlp.understand(text)
    written = nlp.to_json(said)
    assert set(written) == KEYS
    assert json.loads(json.dumps(written, ensure_ascii=False)) == written
    assert 0 <= said.confidence <= 1
    assert all(place in tidy(text) for place in said.places)


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_folding_moves_no_character(text: str) -> None:
    assert len(fold(tidy(text))) == len(tidy(text))


PIECES = ["着火", "3栋", "路", "一" * 50, "((((", "不", "煤气..", "\u200b", "a-1-", "中山路和"]


@pytest.mark.parametrize("piece", PIECES)
def test_an_endless_message_is_cut_before_it_is_read(piece: str) -> None:
    endless = piece * (40_000 // len(piece))
    assert len(tidy(endless)) <= LONGEST
    said = nlp.understand(endless)
    assert said == nlp.understand(endless[:LONGEST])
    assert len(said.places) <= MOST
    assert len(said.matched) < 20


def test_an_empty_message_is_chat_about_nothing() -> None:
    said = nlp.understand("")
    assert (said.intent, said.category, said.domain, said.places) == ("chat", "", None, ())


def test_every_answer_says_why() -> None:
    said = nlp.understand("三号楼的楼道灯不亮了")
    assert said.category == "lighting.corridor"
    assert said.subject == "楼道照明损坏"
    assert any("楼道灯" in match.word and match.category == said.category for match in said.matched)


def test_the_best_category_leads_the_alternatives() -> None:
    said = nlp.understand("楼下烧烤店又吵又有油烟，车还停在人行道上")
    assert said.alternatives[0].code == said.category
    assert 1 < len(said.alternatives) <= 3
    assert sum(one.confidence for one in said.alternatives) <= 1


def test_what_is_understood_cannot_be_changed() -> None:
    said = nlp.understand("路灯坏了")
    with pytest.raises(FrozenInstanceError):
        said.intent = "chat"  # type: ignore[misc]


@pytest.mark.parametrize("text", ["路燈壞了沒人修", "路灯坏了没人修", "路\u200b灯坏\ufeff了没人修"])
def test_traditional_and_invisible_characters_change_nothing(text: str) -> None:
    assert nlp.understand(text).category == "lighting.street"


def test_full_width_letters_are_read_and_places_given_back_as_written() -> None:
    said = nlp.understand("Ａ座１２０３室漏水")
    assert said.places == ("Ａ座１２０３室",)


def test_chat_without_a_subject_is_written_with_nulls() -> None:
    assert nlp.to_json(nlp.understand("哈哈哈")) == {
        "intent": "chat",
        "category": None,
        "domain": None,
        "urgent": False,
        "places": [],
        "confidence": 1.0,
        "matched": [],
    }


def test_words_for_search_hold_no_punctuation() -> None:
    found = nlp.words("3栋楼道灯坏了，請來修！")
    assert "3" in found
    assert "，" not in found
    assert "修" in found
