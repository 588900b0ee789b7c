"""Where Linli is not sure what kind of matter it is, the resident chooses among three; where it is, nobody is asked."""

from __future__ import annotations

import pytest

import nlp
from models.cases import Case
from tests.town import CHEN, Town

UNCLEAR = "又是乱收费又是油烟又是乱停车"
QUESTION = "您说的是哪一类事"


async def test_three_kinds_are_offered_and_the_one_tapped_is_handed_in(town: Town):
    asked = await town.say(CHEN, UNCLEAR)
    assert QUESTION in asked
    assert "都不是" in asked
    offered = [nlp.category(one.code) for one in nlp.understand(UNCLEAR).alternatives]
    assert len(offered) == 3
    shown = await town.say(CHEN, "2")
    assert f"看起来您要反映：{offered[1].subject}" in shown
    await town.say(CHEN, "1")
    case = await Case.get()
    assert (case.category, case.subject, case.domain) == (offered[1].code, offered[1].subject, offered[1].domain)


@pytest.mark.parametrize("word", ["都不是", "不是"])
async def test_none_of_them_is_an_answer_too(town: Town, word: str):
    await town.say(CHEN, UNCLEAR)
    assert "其他问题" in await town.say(CHEN, word)
    await town.say(CHEN, "1")
    case = await Case.get()
    assert (case.category, case.description) == ("other", UNCLEAR)


async def test_more_words_instead_of_a_choice_are_kept_and_it_is_not_asked_twice(town: Town):
    await town.say(CHEN, UNCLEAR)
    shown = await town.say(CHEN, "主要是烧烤店的油烟太呛人了")
    assert QUESTION not in shown
    await town.say(CHEN, "1")
    assert (await Case.get()).description == f"{UNCLEAR}\n主要是烧烤店的油烟太呛人了"


async def test_a_clear_matter_is_not_asked_about(town: Town):
    shown = await town.say(CHEN, "3栋2单元楼道灯坏了")
    assert QUESTION not in shown
    assert "交给网格员" in shown
