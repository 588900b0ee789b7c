"""Staff name a kind of matter in any way; what is unclear is asked back."""

from __future__ import annotations

import pytest

from domain.kinds import find_kinds
from tests.town import CHEN, WANG, Town


@pytest.mark.parametrize(("words", "kind"), [("施公噪声", "工地噪声"), ("小区亭车", "小区停车")])
def test_a_misspelt_kind_is_found(words: str, kind: str):
    assert kind in [each.name for each in find_kinds(words).likely]


def test_what_names_no_kind_is_not_taken_for_one():
    assert not find_kinds("不知道哪一类").sure
    assert find_kinds("xyzxyz").likely == ()


async def test_a_kind_in_pinyin_is_asked_back_with_what_it_may_be(town: Town):
    await town.say(CHEN, "3栋2单元楼道灯坏了")
    await town.say(CHEN, "1")
    assert "是不是工地噪声、邻里噪声" in await town.say(WANG, "改类别 0001 zaosheng")
    assert "请换个词" in await town.say(WANG, "改类别 0001 xyzxyz")
