"""额度: what WeChat still takes, in the chat of who writes to residents."""

from __future__ import annotations

from tests.reliability.test_mass_sends import mass
from tests.town import CHEN, LI, WANG, Town


async def test_staff_read_what_is_left_and_why(town: Town) -> None:
    await town.say(CHEN, "3栋2单元楼道灯坏了")
    await town.say(CHEN, "1")
    await town.deliver()
    lines = (await town.say(LI, "额度")).splitlines()
    assert [line.split("：")[0] for line in lines] == ["客服消息", "订阅通知", "模板消息", "群发", "群发给全部粉丝"]
    assert "每人说一次最多回 5 条" in lines[0]
    assert lines[1] == "订阅通知：还有 0，今天用了 0。居民每同意一次可以发一条。"
    assert lines[3].startswith("群发：还有 100，今天用了 0。每人每月最多收 4 次，已收满的有 0 人")
    assert lines[4].startswith("群发给全部粉丝：还有 1，本月用了 0。")

    for number in range(4):
        await mass(town, f"第{number}条", CHEN, WANG)
    await town.platform.subscribe_consent(CHEN, "sub_case_progress")
    await town.deliver()
    lines = (await town.say(LI, "额度")).splitlines()
    assert "订阅通知：还有 1，" in lines[1]
    assert "群发：还有 96，今天用了 4。每人每月最多收 4 次，已收满的有 2 人" in lines[3]


async def test_residents_are_not_told_the_accounts_quotas(town: Town) -> None:
    assert "客服消息" not in await town.say(CHEN, "额度")
