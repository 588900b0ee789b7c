"""How a resident feels is told to the one who goes there, and never to the resident."""

from __future__ import annotations

from tests.town import CHEN, WANG, Town

ANGRY = "3栋2单元楼道灯都报修三次了，太过分了，再不来我打12345"
HINT = "居民很生气，反映过不止一次，说要往上反映或曝光，先打个电话说一声。"


async def test_the_grid_worker_is_told_and_the_resident_is_not(town: Town):
    offered = await town.say(CHEN, ANGRY)
    receipt = await town.say(CHEN, "1")
    await town.deliver()

    assert HINT in town.last(WANG)
    assert HINT in await town.say(WANG, "查 0001")
    seen = [offered, receipt, await town.say(CHEN, "查 0001")]
    assert not any("生气" in text for text in seen)


async def test_a_calm_report_carries_no_hint(town: Town):
    await town.say(CHEN, "3栋2单元楼道灯坏了，麻烦来看看")
    await town.say(CHEN, "1")
    await town.deliver()
    assert "新任务 0001" in town.last(WANG)
    assert "居民" not in town.last(WANG)
