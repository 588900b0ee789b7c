"""The sentences we made up, what is learnt from them, and how a message is listened to."""

from __future__ import annotations

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nlp
from nlp.catalogue import catalogue
from nlp.hunch import INTENTS, LONGEST, NARROW, listen, pack, pieces, telling, unpack, weights, write
from nlp.normalise import fold
from nlp.sayings import Saying, learn, sayings, source

HALF = 1 << 31
SMALL = [
    Saying("楼道灯坏了", "report"),
    Saying("路灯不亮了", "report"),
    Saying("路灯坏了没人修", "report"),
    Saying("居住证怎么办", "consult"),
    Saying("社保怎么办", "consult"),
    Saying("怎么办居住证啊", "consult"),
    Saying("厨房着火了", "report", "fire"),
    Saying("楼道着火了快来", "report", "fire"),
]


@given(st.lists(st.integers(-HALF, HALF - 1), min_size=1, max_size=30))
def test_what_is_packed_comes_back(digits: list[int]) -> None:
    assert list(unpack(pack(enumerate(digits)), len(digits))) == digits


@given(st.lists(st.lists(st.integers(-1000, 1000), min_size=5, max_size=5), min_size=1, max_size=9))
def test_adding_packed_numbers_adds_every_digit(rows: list[list[int]]) -> None:
    assert list(unpack(sum(pack(enumerate(row)) for row in rows), 5)) == [
        sum(column) for column in zip(*rows, strict=True)
    ]


def test_the_shipped_weights_were_learnt_from_the_shipped_sentences() -> None:
    assert weights().source == source(), "sentences were changed: run `python -m nlp.sayings`"


def test_the_shipped_weights_are_written_as_they_are_read() -> None:
    shipped = files("nlp.data").joinpath("sayings_weights.tsv").read_text(encoding="utf-8")
    assert write(weights()) == shipped


def test_no_text_is_too_loud_for_the_narrow_digits() -> None:
    sounds = zip(*(unpack(packed, weights().sounds) for packed in weights().pieces.values()), strict=True)
    most = 2 * LONGEST + 3
    assert all(sum(sorted(map(abs, sound))[-most:]) < 1 << NARROW - 1 for sound in sounds)


def test_every_kind_of_danger_has_sentences_and_an_advice() -> None:
    assert set(weights().dangers) == {entry.emergency.kind for entry in catalogue().urgency.kinds}


def test_every_intent_and_every_danger_has_many_sentences() -> None:
    rows = sayings()
    assert {row.intent for row in rows} == set(INTENTS)
    assert all(sum(row.intent == intent for row in rows) >= 500 for intent in INTENTS)
    assert all(sum(row.danger == danger for row in rows) >= 50 for danger in weights().dangers)


def test_no_pattern_is_left_open() -> None:
    assert not [row.text for row in sayings() if set(row.text) & set("{}<>|") or not row.text.strip()]


def test_learning_is_the_same_every_time_and_tells_what_it_was_taught_apart() -> None:
    learnt = learn(SMALL)
    assert learnt == learn(SMALL)
    for row in SMALL:
        sums = unpack(sum(learnt.pieces.get(piece, 0) for piece in pieces(fold(row.text))), learnt.sounds)
        heard = INTENTS[max(range(len(INTENTS)), key=sums.__getitem__)]
        calm, fire = sums[len(INTENTS) :]
        assert (heard, fire > calm) == (row.intent, bool(row.danger))


def test_numbers_and_marks_do_not_change_the_sound() -> None:
    assert pieces("3栋2单元,灯坏了") == pieces("13栋12单元!灯坏了。")


def test_a_long_text_is_listened_to_at_both_ends() -> None:
    assert pieces("着火了" + "啊" * 10_000) == pieces("着火了" + "啊" * 5_000)
    assert "灭" in pieces("啊" * 10_000 + "灭")
    assert len("".join(pieces("".join(map(chr, range(0x4E00, 0x9000)))))) < 4 * LONGEST


def test_a_danger_nobody_listed_still_says_why() -> None:
    said = nlp.understand("爷爷坐着坐着歪过去了，眼睛睁着叫不应，嘴角流口水")
    assert said.urgent
    assert said.matched[0].word in "爷爷坐着坐着歪过去了，眼睛睁着叫不应，嘴角流口水"
    assert said.matched[0].category == f"emergency:{said.emergency}"


@pytest.mark.parametrize("text", ["", " ", "？", "1", "😀😀", "\u200b"])
def test_next_to_nothing_is_no_danger(text: str) -> None:
    assert not nlp.understand(text).urgent


def test_the_telling_words_stand_in_the_message() -> None:
    text = "物业的电话怎么一直没有人接"
    assert all(word in text and weight > 0 for intent in INTENTS for word, weight in telling(text, intent))
    assert listen(text).danger in weights().dangers
