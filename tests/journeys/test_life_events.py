"""Policy finds people: a notice, or a life event, reaches exactly those it concerns, and each of them once."""

from __future__ import annotations

from datetime import timedelta

from app.demo import settle_homes
from bot.qrcodes import grid_scene
from domain import broadcasts, consents
from domain.broadcast_runs import advance
from domain.people import find_person
from models.broadcasts import Broadcast, Delivery
from models.enums import DeliveryState, FactType, Purpose
from models.people_facts import FactKind
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


async def test_a_policy_notice_reaches_exactly_the_three_people_it_concerns(town: Town):
    await settle_homes(town.clock())
    code = grid_scene("429906001001001")
    dogs, others = ["o_dog_1", "o_dog_2", "o_dog_3"], ["o_cat_1", "o_nobody"]
    for place, openid in enumerate([*dogs, *others], 1):
        await town.platform.follow(openid, code)
        await town.say(openid, f"我住20栋1单元{place}01")
        await town.say(openid, f"居民{place}")
        await town.say(WANG, "核对住户")
        await town.say(WANG, "1")
        await town.say(WANG, "是这户的")
    await FactKind.create(code="cat", name="养猫", type=FactType.YES)
    for openid, words in [*((dog, "养犬 是") for dog in dogs), ("o_cat_1", "养猫 是")]:
        await town.say(openid, "我的档案")
        await town.say(openid, words)
        await agrees(openid, town)
    draft = broadcasts.Draft("养犬年检", "带犬只免疫证到社区办年检。", {"fact": "dog", "is": True}, topic="policy")
    author = await officer("S001")
    written = await broadcasts.create(author, draft, town.clock())
    await broadcasts.hand_in(author, written.id, 3, town.clock())
    await broadcasts.approve(await officer("J001"), written.id, written.version, town.clock())
    await run(town)
    told = {openid for openid in [*dogs, *others, CHEN] if any("养犬年检" in text for text in town.heard(openid))}
    assert told == set(dogs)
    by_hand = await Delivery.filter(broadcast_id=written.id, state=DeliveryState.BY_HAND).select_related("member")
    assert [row.member.name for row in by_hand] == ["张国强"], "who has no WeChat is told at the door"


async def agrees(openid: str, town: Town) -> None:
    """Somebody over fourteen agrees to be told of policies."""
    person = await find_person(openid, town.clock())
    await consents.say_age(person, over_fourteen=True, now=town.clock())
    await consents.give(person, Purpose.NOTICES, consents.texts()[Purpose.NOTICES].version, town.clock())
