"""Moods: a hint for staff, told by plain words, by counting, and not by words that only look so."""

from __future__ import annotations

import pytest

from nlp.mood import find_moods

TOLD = {
    "都第三次报修了，下次我直接打12345": {"repeated", "higher"},
    "反映过五次还是这样，你们到底管不管": {"angry", "repeated"},
    "这物业太过分了，收钱不干活": {"angry"},
    "再不解决我就找媒体曝光": {"higher"},
    "跟物业说了无数次，推来推去": {"repeated"},
    "我已经请律师了，法院见": {"higher"},
    "凭什么又涨价，居然还没人解释": {"angry"},
}

CALM = [
    "3栋2单元楼道灯坏了",
    "请问律师免费咨询是哪天",
    "12345电话是多少",
    "新媒体中心门口积水了",
    "操场的黑色地胶起皮了",
    "第一次来报修，麻烦了",
    "谢谢，弄得很好",
    "",
]


@pytest.mark.parametrize(("text", "kinds"), TOLD.items())
def test_a_mood_is_told_with_the_words_that_gave_it_away(text: str, kinds: set[str]) -> None:
    moods = find_moods(text)
    assert {mood.kind for mood in moods} == kinds
    assert all(word in text for mood in moods for word in mood.words)


@pytest.mark.parametrize("text", CALM)
def test_nobody_is_called_angry_without_reason(text: str) -> None:
    assert find_moods(text) == ()


@pytest.mark.parametrize("piece", ["第", "反映了", "打12345", "!!!", "一"])
def test_an_endless_message_costs_no_more_than_its_beginning(piece: str) -> None:
    assert find_moods(piece * 40_000) == find_moods((piece * 40_000)[:1000])
