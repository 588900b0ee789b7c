"""The word pass: what an entry means, what it costs on hostile texts, and rules laid over the tables."""

from __future__ import annotations

import sys
import threading
import tracemalloc
from collections.abc import Callable
from itertools import cycle, islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nlp
from nlp.catalogue import catalogue, shipped_entries
from nlp.classify import weigh
from nlp.lexicon import FAR, NEAR, Hit, Lexicon, outermost
from nlp.normalise import fold, tidy
from nlp.overlay import NONE, Rule, active, adopt, rule_set, trial

WORDS = [entry for entry in catalogue().lexicon.entries if "." not in entry and "<" not in entry and "&" not in entry]
HOSTILE = {
    "one word": lambda: ["路灯"],
    "nested words": lambda: ["电梯困人电梯困在电梯里"],
    "first parts alone": lambda: ["路灯", "电梯", "垃圾", "楼上"],
    "every word": lambda: WORDS,
    "parts that never meet": lambda: ["路灯。", "不亮。", "垃圾。", "没人管。"],
    "masks": lambda: ["火锅店火锅火车站消防水带"],
    "no words": lambda: ["甲乙丙丁"],
    "figures": lambda: ["1", "*", "138"],
}


def _work(text: str) -> int:
    """Lines of our own code that run to understand a text: work that no busy machine changes."""
    lines = 0

    def count(frame: object, event: str, argument: object) -> Callable[..., object]:
        nonlocal lines
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        folded = fold(tidy(text))
        weigh(folded, catalogue().lexicon.scan(folded))
    finally:
        sys.settrace(before)
    return lines


@pytest.mark.parametrize("name", HOSTILE)
def test_ten_times_the_text_is_at_most_about_ten_times_the_work(name: str) -> None:
    _work("路灯不亮")  # what is read only once
    pieces = HOSTILE[name]()
    short, long = ("".join(islice(cycle(pieces), _pieces(pieces, size))) for size in (3_000, 30_000))
    assert _work(long[:30_000]) <= 13 * _work(short[:3_000])


def _pieces(pieces: list[str], size: int) -> int:
    return size // max(1, sum(map(len, pieces)) // len(pieces)) + 1


def test_an_endless_text_takes_little_memory() -> None:
    text = fold("电梯困人，楼道灯不亮，垃圾没人管。" * 6_000)
    tracemalloc.start()
    weigh(text, catalogue().lexicon.scan(text))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 60_000_000


def _naive(found: list[tuple[float, Hit]]) -> set[tuple[float, Hit]]:
    """Every hit that no other one, at least as heavy, covers; the first of equal ones."""
    kept = set()
    for place, (weight, (start, end, seen)) in enumerate(found):
        covered = any(
            low <= start
            and end <= high
            and heavy >= weight
            and ((low, high) != (start, end) or heavy > weight or position < place)
            for position, (heavy, (low, high, _)) in enumerate(found)
            if position != place
        )
        if seen > 1 or not covered:
            kept.add((weight, (start, end, seen)))
    return kept


HITS = st.builds(
    lambda start, size, seen: (start, start + size, seen),
    st.integers(0, 6),
    st.integers(1, 5),
    st.integers(1, 2),
)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from([1.0, 2.0, 4.0]), HITS), min_size=1, max_size=8))
def test_of_nested_words_the_outermost_heavy_ones_are_kept(found: list[tuple[float, Hit]]) -> None:
    assert set(outermost(found)) == _naive(found)


@given(st.integers(0, NEAR + 3))
def test_parts_may_stand_as_far_apart_as_said(gap: int) -> None:
    lexicon = Lexicon({}, [])
    near, far = lexicon.add("路灯..不亮"), lexicon.add("路灯...不亮")
    lexicon.build()
    hits = lexicon.scan("路灯" + "啊" * gap + "不亮")
    assert (near in hits) == (gap <= NEAR)
    assert far in hits
    assert far not in lexicon.scan("路灯" + "啊" * (FAR + 1) + "不亮")


def test_another_form_of_a_word_counts_wherever_an_entry_says_the_word() -> None:
    lexicon = Lexicon({"坏": ["坏了"]}, [], {"路灯": ["街灯杆子"]})
    whole, pattern = lexicon.add("路灯不亮"), lexicon.add("路灯..<坏>")
    lexicon.build()
    assert whole in lexicon.scan("街灯杆子不亮")
    assert pattern in lexicon.scan("街灯杆子又坏了")


OURS = Rule("parking.charging", "word", "呱呱桩", 6.0)
TEXT = "七栋的呱呱桩又在冒泡"


def test_a_rule_on_trial_is_seen_only_where_it_is_tried() -> None:
    elsewhere: list[str] = []
    with trial(rule_set([OURS])):
        assert nlp.understand(TEXT).category == "parking.charging"
        other = threading.Thread(target=lambda: elsewhere.append(nlp.understand(TEXT).category))
        other.start()
        other.join()
    assert elsewhere == [""]
    assert nlp.understand(TEXT).category == ""


def test_adopted_rules_hold_until_others_are_adopted() -> None:
    adopt(rule_set([OURS]))
    try:
        assert nlp.understand(TEXT).category == "parking.charging"
        assert rule_set([OURS]) is active(), "what was built is used again"
    finally:
        adopt(NONE)
    assert nlp.understand(TEXT).category == ""


def test_rules_leave_the_numbers_of_shipped_entries_as_they_are() -> None:
    shipped = catalogue().lexicon.entries
    with trial(rule_set([OURS, Rule("noise.site", "off", "打桩")])):
        assert catalogue().lexicon.entries[: len(shipped)] == shipped


def test_a_rule_for_a_category_there_is_no_more_is_left_out() -> None:
    with trial(rule_set([Rule("moon.cheese", "word", "奶酪月亮", 6.0)])):
        assert nlp.understand("奶酪月亮").category == ""


def test_shipped_entries_can_be_listed() -> None:
    assert "路灯" in shipped_entries("lighting.street")
    assert "红绿灯" in shipped_entries("lighting.street"), "words that rule it out as well"
    assert "派出所" in shipped_entries("other.law")
