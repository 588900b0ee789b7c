"""A life event reaches exactly those it concerns, once: turning eighty, a child for school, a paper that runs out."""

from __future__ import annotations

from datetime import timedelta

from app.demo import settle_homes
from domain import broadcasts
from domain.broadcast_runs import advance
from models.broadcasts import Broadcast, Delivery
from models.enums import DeliveryState
from tests.domain.neighbours import officer
from tests.town import CHEN, WANG, Town


async def run(town: Town) -> None:
    """Whatever is due goes out."""
    while await advance(town.clock()):
        await town.deliver()
    await town.deliver()


async def told_of(title: str) -> list[tuple[str, str]]:
    """Of whom, and how it stands with each."""
    rows = await Delivery.filter(broadcast__title=title).select_related("member").order_by("member__name")
    return [(row.member.name, str(row.state)) for row in rows]


async def test_the_demos_reminders_reach_exactly_whom_they_concern_and_nobody_twice(town: Town):
    await settle_homes(town.clock())
    await town.say(CHEN, "我住3栋2单元501")
    await town.say(CHEN, "陈秀英")
    await town.deliver()
    await town.tap(WANG, "是这户的")
    author, approver = await officer("S001"), await officer("J001")
    for rule in await Broadcast.filter(event__isnull=False).order_by("id"):
        await broadcasts.hand_in(author, rule.id, 1, town.clock())
        await broadcasts.approve(approver, rule.id, 1, town.clock())
    for _ in range(3):
        town.clock.advance(timedelta(days=1))
        await run(town)
    by_hand, queued = str(DeliveryState.BY_HAND), str(DeliveryState.QUEUED)
    assert await told_of("满 80 岁可领高龄津贴") == [("刘桂兰", queued)]
    assert await told_of("满 60 岁可办老年证") == [("郑海波", by_hand)]
    assert await told_of("满 65 岁每年免费体检") == [("张国强", by_hand)]
    assert await told_of("驾驶证快到期了") == [("郑海波", by_hand), ("陈秀英", queued)]
    assert await told_of("居住证快到期了") == [("赵敏敏", by_hand)]
    assert await told_of("低保每年复核") == [("周德福", by_hand)]
    assert await told_of("孩子该报名上小学了") == []
    heard = [text for text in town.heard(CHEN) if "高龄津贴" in text]
    assert len(heard) == 1
    assert "这是给您家里刘桂兰的通知，请转告" in heard[0]
    assert len([text for text in town.heard(CHEN) if "驾驶证快到期了" in text]) == 1
    assert "因为您：" in await town.say(CHEN, "为什么收到")
    assert "证件到期提醒不再发给您" in await town.say(CHEN, "退订 证件到期提醒")
