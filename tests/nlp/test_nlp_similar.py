"""The same matter is recognised in other words; another place or another matter is not taken for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nlp
from nlp.similar import FADED, Index, Sketch, name_of_place, place_likeness, same_matter, sketch, time_factor

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def blocks() -> list[list[str]]:
    text = (Path(__file__).parent / "matters.txt").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    return [block.split("\n") for block in lines.strip().split("\n\n")]


MATTERS = [(at, line) for at, block in enumerate(blocks()) for line in block]


def kind(text: str) -> str:
    code = nlp.understand(text).category
    return "" if code.startswith("other") else code


def test_a_search_finds_most_of_what_is_the_same_and_little_else():
    index: Index[int] = Index()
    sketches = [sketch(line, kind=kind(line)) for _, line in MATTERS]
    for at, one in enumerate(sketches):
        index.add(at, one)
    found = {
        frozenset((at, hit.key)) for at, one in enumerate(sketches) for hit in index.search(one, least=0.3, but=at)
    }
    same = {
        frozenset((here, there))
        for here, there in combinations(range(len(MATTERS)), 2)
        if MATTERS[here][0] == MATTERS[there][0]
    }
    assert len(found & same) / len(found) >= 0.75, "precision"
    assert len(found & same) / len(same) >= 0.70, "recall"


def test_reports_of_one_kind_are_told_apart_by_their_words():
    right = wrong = missed = 0
    for (here, one), (there, other) in combinations(MATTERS, 2):
        if kind(one) != kind(other):
            continue
        said = same_matter(sketch(one), sketch(other), same_kind=True) > 0
        right += said and here == there
        wrong += said and here != there
        missed += not said and here == there
    assert right / (right + wrong) >= 0.85, "precision"
    assert right / (right + missed) >= 0.80, "recall"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("幸福路工地凌晨还在打桩，全家睡不着", "幸福路那边工地夜里施工，吵得没法休息"),
        ("人民路大树倒了压着电线", "人民路有棵大树倒伏，压到电线上"),
    ],
)
def test_one_matter_put_under_two_kinds_is_found_by_its_words(one: str, other: str):
    assert same_matter(sketch(one), sketch(other), same_kind=False) > 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("锦绣花园停水一整天了", "锦绣花园停车费又涨了"),
        ("滨江公园健身器材坏了", "滨江公园的厕所太脏"),
        ("坏了", "坏了"),  # says nothing
        ("", ""),
        ("3栋楼道灯坏了", "5栋楼道灯坏了"),
    ],
)
def test_two_matters_at_one_place_and_one_matter_at_two_are_two(one: str, other: str):
    assert same_matter(sketch(one), sketch(other), same_kind=False) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3栋楼道灯坏了", "三幢走廊灯不亮"),
        ("东门垃圾桶满了没人清", "请问东门的垃圾箱爆满什么时候清理"),
        ("楼上狗不拴绳吓到孩子", "楼上的小狗没牵绳，把孩子吓到了"),
    ],
)
def test_synonyms_numerals_and_courtesies_make_no_difference(one: str, other: str):
    index: Index[str] = Index()
    for text in ("停水了", "电梯坏了", "车位被占", other):
        index.add(text, sketch(text))
    assert index.search(sketch(one), least=0.3)[0].key == other


def test_the_third_building_is_not_the_fifth_and_the_east_gate_not_the_west_one():
    index: Index[int] = Index()
    lamps = [sketch(f"{place}路灯坏了好几天") for place in ("3栋", "5栋", "东门", "西门")]
    for at, one in enumerate(lamps):
        index.add(at, one)
    for one, other in ((0, 1), (2, 3)):
        assert index.likeness(lamps[one], lamps[other]) < index.likeness(lamps[one], lamps[one]) / 2


def test_a_place_is_compared_without_its_district_and_the_beside():
    assert name_of_place("A7县阳光花园小区门口") == "阳光花园"
    assert place_likeness(sketch("阳光花园太吵"), sketch("某某市阳光花园小区对面太吵")) == 1.0
    assert place_likeness(sketch("太吵"), sketch("阳光花园太吵")) is None


def test_what_is_long_ago_is_less_alike():
    assert time_factor(NOW, NOW) == 1.0
    assert time_factor(NOW, None) == 1.0
    assert time_factor(NOW, NOW - timedelta(days=4000)) == pytest.approx(FADED)
    assert FADED < time_factor(NOW - timedelta(days=100), NOW) < 1.0


TEXTS = st.lists(st.sampled_from([line for _, line in MATTERS]), min_size=1, max_size=30)


@given(TEXTS, st.data())
def test_an_index_after_adding_and_removing_is_one_made_of_what_is_left(texts: list[str], data: st.DataObject):
    gone = data.draw(st.sets(st.integers(0, len(texts) - 1)))
    grown: Index[int] = Index()
    for at, text in enumerate(texts):
        grown.add(at, sketch(text), NOW)
    for at in gone:
        grown.remove(at)
        grown.remove(at)
    fresh: Index[int] = Index()
    for at, text in enumerate(texts):
        if at not in gone:
            fresh.add(at, sketch(text), NOW)
    asked = sketch(texts[0])
    assert len(grown) == len(fresh)
    assert [hit.key for hit in grown.search(asked, limit=3, least=0.9)] == [
        hit.key for hit in fresh.search(asked, limit=3, least=0.9)
    ]


def test_a_full_index_forgets_the_first():
    index: Index[int] = Index(capacity=3)
    for at in range(5):
        index.add(at, sketch(f"{at}号楼电梯坏了"))
    assert [at in index for at in range(5)] == [False, False, True, True, True]
    index.add(2, sketch("说的是别的事情了"))
    index.add(5, sketch("又一件事"))
    assert 2 in index, "what was said anew is new"
    assert 3 not in index


@given(st.text(max_size=500), st.text(max_size=60))
def test_no_text_breaks_a_sketch_and_everything_is_like_itself(text: str, title: str):
    one = sketch(text, title=title)
    index: Index[str] = Index()
    index.add("it", one)
    assert index.likeness(one, Sketch({})) == 0.0
    if one.terms:
        assert index.likeness(one, one) > 0.3
