"""The tables: every category is complete, reachable by its own examples, and mistakes in a list fail loudly."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

import errors
import nlp
from nlp.catalogue import DOMAINS, catalogue
from nlp.classify import classify
from nlp.lexicon import Lexicon
from nlp.normalise import fold, tidy
from nlp.urgency import CALM, find_alarm

SPECIFIC = [one for one in nlp.categories() if not one.code.startswith("other.")]

CATEGORIES = {
    "空调外机嗡嗡响，睡不着": "noise.shop",
    "空调坏了，酒店不给修": "",
    "门口的共享单车堆成山": "parking.shared_bike",
    "下水道堵了往外冒": "drain.blocked",
    "物业费涨价没有公示": "property.fee",
    "高空抛物太危险": "safety.throwing",
    "老板欠我三个月工资": "work.wages",
    "流浪狗成群": "dog.stray",
    "楼顶私自搭建阳光房": "building.illegal",
    "垃圾桶满了没人倒": "rubbish.overflow",
    "组织关系怎么转": "party.member",
    "网吧让学生进去": "culture.market",
    "超市卖过期面包": "market.quality",
    "疫苗在哪里打": "health.public",
    "低保怎么申请": "welfare.allowance",
}


@pytest.mark.parametrize(("text", "code"), [(text, code) for text, code in CATEGORIES.items() if code])
def test_common_matters_find_their_category(text: str, code: str) -> None:
    assert nlp.understand(text).category == code


def test_a_word_alone_does_not_decide_between_noise_and_repair() -> None:
    assert nlp.understand("空调坏了，酒店不给修").category != "noise.shop"


@pytest.mark.parametrize("one", SPECIFIC, ids=lambda one: one.code)
def test_a_category_is_found_by_its_own_examples(one: nlp.Category) -> None:
    missed = [text for text in one.examples if one.code not in _by_rules(text, urgent=one.urgency == "urgent")]
    assert missed == []


def _by_rules(text: str, *, urgent: bool) -> list[str]:
    """What the word lists alone make of a message; what is urgent by its kind may need the alarm it raises."""
    folded = fold(tidy(text))
    hits = catalogue().lexicon.scan(folded)
    alarms = [CALM, find_alarm(folded, hits)] if urgent else [CALM]
    found = [classify(folded, hits, alarm).category for alarm in alarms]
    return [one.code for one in found if one]


@pytest.mark.parametrize("one", SPECIFIC, ids=lambda one: one.code)
def test_no_single_character_decides(one: nlp.Category) -> None:
    words = next(words for words in catalogue().words if words.category == one)
    entries = catalogue().lexicon.entries
    heavy = [entries[number] for number, weight in words.weights.items() if weight > 1 and ".." not in entries[number]]
    assert not [entry for entry in heavy if "<" not in entry and any(len(word) < 2 for word in entry.split("|"))]


def test_there_are_enough_categories_to_choose_from_in_two_steps() -> None:
    groups = Counter(one.group for one in nlp.categories())
    assert 24 <= len(groups) <= 40
    assert 200 <= len(nlp.categories()) <= 300
    assert all(count <= 15 for count in groups.values())


def test_every_domain_has_a_general_category() -> None:
    assert {one.domain for one in nlp.categories() if one.code.startswith("other.")} == set(DOMAINS)


@pytest.mark.parametrize("one", SPECIFIC, ids=lambda one: one.code)
def test_a_category_says_how_it_is_treated(one: nlp.Category) -> None:
    assert one.examples
    assert one.domain in DOMAINS
    assert timedelta(hours=1) <= one.time_limit <= timedelta(days=15)
    assert len(one.subject) <= 20
    assert one.urgency == "normal" or one.time_limit <= timedelta(hours=2)
    assert nlp.category(one.code) == one


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(errors.NotFound):
        nlp.category("moon.cheese")


def test_a_pattern_holds_only_in_order_and_nearby() -> None:
    lexicon = Lexicon({"坏": ["不亮", "灭了"]}, [])
    number = lexicon.add("路灯..<坏>")
    lexicon.build()
    assert number in lexicon.scan("这盏路灯又灭了")
    assert number not in lexicon.scan("灭了的是路灯")
    assert number not in lexicon.scan("路灯很高。昨天停电,屋里灭了")


def test_an_entry_in_either_order_holds_both_ways() -> None:
    lexicon = Lexicon({}, [])
    number = lexicon.add("垃圾&没人管")
    lexicon.build()
    assert number in lexicon.scan("垃圾都没人管")
    assert number in lexicon.scan("没人管的垃圾")


def test_a_far_entry_crosses_a_comma_but_no_full_stop() -> None:
    lexicon = Lexicon({}, [])
    number = lexicon.add("痴呆...没回来")
    lexicon.build()
    assert number in lexicon.scan("老人有痴呆,今天早上出门买菜到现在没回来")
    assert number not in lexicon.scan("老人有痴呆.今天早上出门买菜到现在没回来")


def test_a_masked_word_does_not_count_inside_its_mask() -> None:
    lexicon = Lexicon({}, ["火锅"])
    number = lexicon.add("火")
    lexicon.build()
    assert number not in lexicon.scan("吃火锅去")
    assert number in lexicon.scan("火锅店有火")


def test_a_set_nobody_wrote_is_refused() -> None:
    with pytest.raises(ValueError, match="no set of words"):
        Lexicon({}, []).add("路灯..<碎>")


def test_a_lexicon_must_be_built_before_it_scans() -> None:
    with pytest.raises(RuntimeError, match="not built"):
        Lexicon({}, []).scan("路灯")
