"""What everybody may read: insults, threats and adverts are found however disguised, and ordinary talk passes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import SettingsError
from nlp.sensitive import Checker, Outcome, read_checker


def texts() -> list[tuple[str, str]]:
    lines = (Path(__file__).parent / "public_texts.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split("|", 1) for line in lines if line.strip() and line[0] != "#"]
    return [(outcome.strip(), text.strip()) for outcome, text in rows]


@pytest.fixture(scope="module")
def checker() -> Checker:
    return read_checker()


@pytest.mark.parametrize(("outcome", "text"), texts())
def test_a_text_is_shown_looked_at_or_refused(checker: Checker, outcome: str, text: str):
    assert checker.check(text).outcome.name.lower() == outcome


@pytest.mark.parametrize(
    ("text", "category", "words"),
    [
        ("你这个 傻*逼 东西", "abuse", "傻*逼"),
        ("ＣＮＭＤ", "abuse", "ＣＮＭＤ"),
        ("我弄死你", "threat", "弄死你"),
        ("澳门新葡京", "gambling", "新葡京"),
        ("打１３８００１３８０００", "phone", "１３８００１３８０００"),
        ("İ 13800138000", "phone", "13800138000"),
        ("身份证42010619800101123X", "identity", "42010619800101123X"),
    ],
)
def test_the_reason_names_the_words_as_they_stand(checker: Checker, text: str, category: str, words: str):
    found = checker.check(text).findings[0]
    assert (found.category, found.words) == (category, words)
    assert text[found.start : found.end] == words


def test_the_writer_is_told_why(checker: Checker):
    assert checker.check("傻逼，我电话13800138000").reason == "含有辱骂、手机号码"
    assert checker.check("路灯坏了").reason == ""


def test_the_end_of_one_sentence_and_the_beginning_of_the_next_make_no_word(checker: Checker):
    assert checker.check("这是约。炮声很大").outcome is Outcome.PASS


@pytest.mark.parametrize("text", ["usbsbxyz", "mtmdk", "classbb"])
def test_letters_within_a_latin_word_are_no_word(checker: Checker, text: str):
    assert checker.check(text).outcome is Outcome.PASS


OWN = """
harmless = "傻逼乐队"
[[category]]
code = "rumour"
name = "谣言"
block = "停水一个月"
[[category]]
code = "abuse"
name = "辱骂"
review = "狗杂种"
"""


def test_the_operators_words_go_before_the_shipped_ones():
    checker = read_checker(OWN, "own.toml")
    assert checker.check("听说要停水 一个月").findings[0].name == "谣言"
    assert checker.check("狗杂种").outcome is Outcome.REVIEW, "shipped as block"
    assert checker.check("傻逼乐队来演出").outcome is Outcome.PASS
    assert checker.check("傻逼").outcome is Outcome.BLOCK


@pytest.mark.parametrize("own", ["block = [", '[[category]]\nblock = "x"'])
def test_a_mistake_in_the_operators_file_is_named_with_the_file(own: str):
    with pytest.raises(SettingsError, match=r"own\.toml"):
        read_checker(own, "own.toml")


@given(st.text(max_size=400))
def test_no_text_breaks_the_check_and_reasons_lie_within_it(text: str):
    verdict = read_checker().check(text)
    assert all(0 <= one.start < one.end <= len(text) for one in verdict.findings)
    assert verdict.outcome == max((one.outcome for one in verdict.findings), default=Outcome.PASS)


@pytest.mark.parametrize("piece", ["傻 ", "1-", "操你", "a", "1 ", "加微信号abc"])
def test_a_hundred_thousand_characters_take_no_time_and_are_looked_at(checker: Checker, piece: str):
    began = time.process_time()
    verdict = checker.check(piece * (100_000 // len(piece)))
    assert verdict.outcome is not Outcome.PASS
    assert time.process_time() - began < 1.0
