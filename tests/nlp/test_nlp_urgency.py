"""Emergencies: each kind is recognised, and what only sounds like one is not."""

from __future__ import annotations

import pytest

import errors
import nlp
from nlp.catalogue import catalogue

KINDS = {
    "厨房里全是煤气味": "gas",
    "四楼阳台着火了": "fire",
    "有人在水库里溺水了": "drowning",
    "我们被困在电梯里了": "trapped",
    "孩子的头卡在栏杆里了": "locked",
    "奶奶走丢了，她有老年痴呆": "missing",
    "有人持刀在楼下": "violence",
    "她又被丈夫家暴了": "abuse",
    "有个男的要跳楼": "self_harm",
    "老大爷晕倒在花坛边": "fall",
    "外墙砖掉下来砸到人了": "falling_object",
    "电线断了垂在路中间": "wire",
    "路口的井盖被偷了": "manhole",
    "救护车进不来": "blocked_rescue",
    "有人从楼上拉飞线充电": "charging",
    "后面的挡土墙垮塌了": "collapse",
    "自来水主管道爆裂，水喷得老高": "burst_pipe",
}

HARMLESS = [
    "这事不着急，您先忙",
    "新开的火锅店排队好长",
    "煤气费怎么交",
    "跳楼价大甩卖，最后一天",
    "电梯里的广告换一下吧",
    "救护车通道的标线看不清了",
    "社区明天搞消防演练",
    "怎么预防煤气中毒",
    "昨天着火的那家现在怎么样了",
    "孩子已经找到了，谢谢大家",
    "天气热死了",
    "气死人了，又涨价",
    "堵死了，半小时没动",
    "打不着火，可能电瓶没电",
    "火车站怎么坐车",
    "今天秒杀价九块九",
    "手机掉水里还能修吗",
    "担心孩子溺水，建议池塘加护栏",
    "煤气公司电话是多少",
    "防溺水安全讲座周六开始",
    "我家狗走丢了",
    "着急上火，嘴里起泡",
    "怕老人摔倒，想装个扶手",
    "火龙果十块钱三斤",
    "楼上太吵，困死了",
    "希望不要再发生火灾",
    "消防通道被占了",
    "电视里放着火灾新闻",
]


@pytest.mark.parametrize(("text", "kind"), KINDS.items())
def test_each_emergency_is_called_by_its_kind(text: str, kind: str) -> None:
    said = nlp.understand(text)
    assert (said.urgent, said.emergency, said.intent) == (True, kind, "report")
    assert said.matched[0].category == f"emergency:{kind}"


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_sounds_dangerous_is_no_emergency(text: str) -> None:
    assert nlp.understand(text).emergency == ""


def test_every_kind_has_an_example_here() -> None:
    assert set(KINDS.values()) == {entry.emergency.kind for entry in catalogue().urgency.kinds}


@pytest.mark.parametrize("kind", sorted(set(KINDS.values())))
def test_advice_is_short_and_calm(kind: str) -> None:
    advice = nlp.emergency(kind).advice
    assert 1 <= len(advice.splitlines()) <= 4
    assert "！" not in advice
    assert advice.format(gas_phone="96777")


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(errors.NotFound):
        nlp.emergency("volcano")


def test_a_letter_about_an_old_fire_raises_no_alarm() -> None:
    story = "我家老房子几年前发生过一次火灾，当时消防队来扑灭了。"
    story += "后来申请修缮，一直没有批下来，希望有关部门给个答复。" * 6
    assert not nlp.understand(story).urgent


def test_a_long_cry_for_help_does() -> None:
    cry = "我们是五栋的住户，楼下饭店以前也反映过多次，环境一直很差，味道大得没法开窗。" * 4
    cry += "现在饭店正在着火，浓烟往上冒，快来人"
    assert nlp.understand(cry).emergency == "fire"
