"""The whole loop as people live it: said, understood, handed in, handled, confirmed, rated."""

from __future__ import annotations

from tests.town import CHEN, LI, WANG, ZHOU, Town


async def test_a_sentence_becomes_a_case_is_handled_in_chat_and_rated(town: Town):
    offered = await town.say(CHEN, "3栋2单元楼道灯坏了好几天了 晚上老人上下楼看不见")
    print(offered)
    print(await town.photo(CHEN))
    print(await town.say(CHEN, "1"))
    print(await town.deliver())
    print("王", town.last(WANG))
    print(await town.say(WANG, "1"))
    await town.deliver(); print("陈", town.last(CHEN))
    print(await town.say(WANG, "办好了"))
    print(await town.photo(WANG))
    print(await town.say(WANG, "换了灯泡和开关"))
    await town.deliver(); print("陈", town.heard(CHEN))
    print(await town.say(CHEN, "1"))
    print(await town.say(CHEN, "满意"))
    print(await town.say(CHEN, "师傅很好"))
    print(await town.say(CHEN, "我的事项"))
    assert 0
