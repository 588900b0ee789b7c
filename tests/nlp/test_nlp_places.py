"""Where it is: longest useful place first, in the resident's own writing."""

from __future__ import annotations

import pytest

import nlp

FIRST = {
    "阳光花园3栋2单元501室漏水": "阳光花园3栋2单元501室",
    "在金色家园东门口有人摆摊": "金色家园东门口",
    "长宁路和新民路路口的红绿灯坏了": "长宁路和新民路路口的红绿灯",
    "我住和平里小区8号楼，没水": "和平里小区8号楼",
    "中山大道128号门前堆满垃圾": "中山大道128号门前",
    "3-2-501楼上太吵": "3-2-501楼上",
    "12#楼电梯坏了": "12#楼电梯",
    "路灯编号HB-10023不亮": "路灯编号HB-10023",
    "23号路灯不亮": "23号路灯",
    "5栋和6栋之间的绿化带有死猫": "5栋和6栋之间的绿化带",
    "楼下的烧烤店太吵": "楼下的烧烤店",
    "路口对面那个网吧": "路口对面那个网吧",
    "实验小学门口天天堵车": "实验小学门口",
    "菜市场旁边的公厕太臭": "菜市场旁边的公厕",
    "王家湾村三组没有路灯": "王家湾村三组",
    "1栋到5栋都停水": "1栋到5栋",
    "有人在河边电鱼": "河边",
    "负一楼车库进水": "负一楼车库",
    "C区7栋的门坏了": "C区7栋",
}

NOWHERE = [
    "居住证怎么办",
    "早上好各位邻居",
    "养老金这个月怎么还没到账",
    "公司欠我三个月工资",
    "这条路太烂了",
    "修路修了半年",
    "11月20日晚上8点有人敲门",
    "公交602路等了很久",
    "走路太慢",
    "部门推来推去",
]


@pytest.mark.parametrize(("text", "place"), FIRST.items())
def test_the_best_place_comes_first(text: str, place: str) -> None:
    assert nlp.understand(text).places[0] == place


@pytest.mark.parametrize("text", NOWHERE)
def test_no_place_is_made_up(text: str) -> None:
    assert nlp.understand(text).places == ()


def test_what_is_a_place_only_to_who_stands_there_gives_way_and_is_none_alone() -> None:
    assert nlp.understand("楼下有人吵架").places == ()
    assert nlp.understand("六楼上不来水").places == ()
    assert nlp.understand("8号楼有人吵架").places == ("8号楼",)
