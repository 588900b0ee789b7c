"""A service is found by whatever residents call it: in other words, misspelt, in pinyin, by its initials."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.search import Directory, Item, wanted

HERE = Path(__file__).parent


def rows(name: str) -> list[list[str]]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [[field.strip() for field in line.split("|")] for line in lines if line.strip() and line[0] != "#"]


@pytest.fixture(scope="module")
def directory() -> Directory:
    return Directory(
        Item(key, name, tuple(aliases.split("；")), tuple(keywords.split()))
        for key, name, aliases, keywords in rows("service_items.txt")
    )


QUERIES = rows("service_queries.txt")


def hits(directory: Directory, kinds: set[str], first: int) -> float:
    asked = [(query, set(keys.split())) for kind, query, keys in QUERIES if kind in kinds]
    found = [keys & {one.item.key for one in directory.search(query).ranked[:first]} for query, keys in asked]
    return sum(map(bool, found)) / len(asked)


@pytest.mark.parametrize(
    ("kinds", "first", "third"),
    [
        ({"question", "name", "synonym"}, 0.95, 0.98),
        ({"typo"}, 0.90, 0.96),
        ({"pinyin", "initials", "mixed"}, 0.90, 0.97),
    ],
)
def test_the_right_service_comes_first_or_among_the_first_three(
    directory: Directory, kinds: set[str], first: float, third: float
):
    assert len(QUERIES) >= 150
    assert hits(directory, kinds, 1) >= first
    assert hits(directory, kinds, 3) >= third


@pytest.mark.parametrize(
    "query", ["今天天气怎么样", "路灯坏了", "哈哈哈哈", "火星移民签字", "qwertyuiop", "", "  ", "？！"]
)
def test_what_names_no_service_finds_none(directory: Directory, query: str):
    answer = directory.search(query)
    assert (answer.ranked, answer.clear, answer.meant) == ((), False, ())


@pytest.mark.parametrize(("query", "meant"), [("低宝", "最低生活保障申请"), ("juzhuzheng", "居住证办理")])
def test_what_was_guessed_is_asked_back(directory: Directory, query: str, meant: str):
    assert meant in directory.search(query).meant


@pytest.mark.parametrize("query", ["高龄津贴", "老年助餐", "给小孩办身份证要带什么"])
def test_what_was_said_clearly_is_not_asked_back(directory: Directory, query: str):
    answer = directory.search(query)
    assert answer.meant == ()
    assert answer.clear


def test_two_services_that_fit_alike_are_both_shown_and_none_is_the_answer(directory: Directory):
    answer = directory.search("公积金")
    assert {one.item.key for one in answer.ranked[:2]} == {"fund_withdraw", "fund_loan"}
    assert not answer.clear


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("怎么办居住证", "居住证"),
        ("暂住证", "居住证"),
        ("居住證怎麼辦", "居住证"),
        ("ju zhu zheng", "juzhuzheng"),
        ("怎么办", "怎么办"),  # nothing else was said
    ],
)
def test_fillers_go_and_synonyms_become_one(said: str, left: str):
    assert wanted(said) == left


def test_a_directory_without_items_finds_nothing():
    assert Directory([]).search("居住证").ranked == ()


@given(st.text(max_size=300))
def test_no_question_breaks_the_search(text: str):
    answer = Directory([Item("a", "居住证办理", ("暂住证",), ("流动",), "到派出所办")]).search(text)
    assert all(one.score > 0 and 0 < one.covered <= 1.001 for one in answer.ranked)


def test_a_question_of_a_hundred_thousand_characters_is_cut():
    assert Directory([Item("a", "居住证")]).search("居住证" * 40_000).ranked
