"""Where residents live and what is known of them, as a conversation: claimed, confirmed by a tap, kept, put right."""

from __future__ import annotations

from datetime import date

from app.demo import settle_homes
from domain.facts import my_record
from domain.people import find_person
from models.audit import AuditEvent
from models.broadcasts import Broadcast, BroadcastRun, Delivery
from models.people import Household
from models.people_facts import HouseholdMember, OptOut
from tests.town import CHEN, LI, WANG, Town


async def settled(town: Town) -> None:
    """The demo's people live in their households."""
    assert await settle_homes(town.clock()) == 10
    assert await settle_homes(town.clock()) == 0
    rules = await Broadcast.filter(event__isnull=False)
    assert (len(rules), {one.state for one in rules}) == (7, {"draft"}), "nothing goes out before it is approved"


async def test_what_a_claim_is_answered_does_not_tell_who_lives_there(town: Town):
    await settled(town)
    answers = []
    for home, name in (("3栋1单元302", "周德福"), ("3栋1单元302", "没这人"), ("66栋1单元101", "周德福")):
        await town.say(CHEN, f"我住{home}")
        answers.append(await town.say(CHEN, name))
    assert len(set(answers)) == 1
    assert await HouseholdMember.filter(resident_id__isnull=False).count() == 1, "the last claim is the one that counts"
    await town.say(WANG, "核对住户")
    assert "周德福说住66栋1单元101，对吗" in await town.say(WANG, "1")
    assert "没有登记" in await town.say(WANG, "不是")
    assert not await Household.filter(building="66栋").exists(), "what was only said is gone again"
    zhou = await HouseholdMember.get(name="周德福")
    assert (zhou.resident_id, zhou.facts["alone"]) == (None, True)
    await town.deliver()
    assert "核对不上" in town.last(CHEN)


async def test_a_grid_worker_keeps_the_households_of_their_grid_and_nobody_elses(town: Town):
    await settled(town)
    assert "3栋1单元302，点一个人看档案" in await town.say(WANG, "档案 3栋302")
    card = await town.say(WANG, "1")
    assert "周德福（户主） 3栋1单元302" in card
    assert "☑ 独居" in card
    assert "☐ 空巢" in card
    assert "☑ 空巢" in await town.say(WANG, "2")
    assert "☐ 退役军人" in await town.say(WANG, "更多标签")
    assert "☑ 退役军人" in await town.say(WANG, "1")
    assert "驾驶证到期 2027-01-15" in await town.say(WANG, "驾驶证到期 2027-01-15")
    assert "生日 1940-02-29，86 岁" in await town.say(WANG, "生日 1940-02-29")
    assert "日期看不懂" in await town.say(WANG, "驾驶证到期 明年")
    assert "没有这一项" in await town.say(WANG, "爱好 下棋")
    found = await HouseholdMember.get(name="周德福")
    assert (found.facts["empty_nest"], found.facts["licence_expires"]) == (True, "2027-01-15")
    assert found.birthday == date(1940, 2, 29)
    assert await AuditEvent.filter(tag="member:read_sensitive", object_id=found.id).count() == 2, "each look is noted"

    assert "还没有12栋1单元301这一户" in await town.say(WANG, "档案 12栋1单元301")
    assert "还没有记人" in await town.say(WANG, "1")
    await town.say(WANG, "1")
    assert "刘小明（子女） 12栋1单元301" in await town.say(WANG, "刘小明 子女")
    assert "刘小明（子女）" in await town.say(WANG, "档案 刘小明")
    await town.say(WANG, "1")
    await town.say(WANG, "搬走")
    assert await town.say(WANG, "删掉") == "已删掉。"
    assert not await HouseholdMember.filter(name="刘小明").exists()

    assert "没有找到" in await town.say(WANG, "档案 孙玉梅")
    assert "孙玉梅" in await town.say(LI, "档案 孙玉梅")
    assert "点一个人看档案" not in await town.say(CHEN, "档案 3栋302")


async def why_told(town: Town) -> None:
    """Somebody asks why they were told of their mother; none of her data is in the answer."""
    person = await find_person(CHEN, town.clock())
    assert "最近没有给您发过" in await town.say(CHEN, "为什么收到")
    mother = await HouseholdMember.get(name="刘桂兰")
    rule = await Broadcast.get(title="满 80 岁可领高龄津贴")
    run = await BroadcastRun.create(broadcast=rule, number=1, due_at=town.clock(), started_at=town.clock())
    grid = (await Household.get(id=mother.household_id)).grid_id
    await Delivery.create(
        broadcast=rule,
        run=run,
        key="x",
        recipient=f"member:{mother.id}",
        resident_id=person.resident_id,
        member_id=mother.id,
        grid_id=grid,
    )
    said = await town.say(CHEN, "为什么收到")
    assert "因为您家里人" in said
    assert "满 80 岁" in said
    assert said.endswith("不想收这类，回复“退订”；记得不对，回复“我的档案”。")
    assert "1946" not in said
    assert "刘桂兰" not in said


async def test_a_resident_says_where_they_live_one_tap_confirms_it_and_they_put_right_what_is_known(town: Town):
    await settled(town)
    await town.say(CHEN, "预约")  # a list that stands open is no hindrance
    assert "请写您的姓名" in await town.say(CHEN, "我住三号楼2单元501室")
    assert "请网格员王芳核对" in await town.say(CHEN, "陈秀英")
    assert "还没核对" in await town.say(CHEN, "我的档案")
    await town.deliver()
    assert "陈秀英说自己住3栋2单元501" in town.last(WANG)
    assert "好，陈秀英住3栋2单元501" in await town.tap(WANG, "是这户的")
    await town.deliver()
    assert "已核对，您住3栋2单元501" in town.last(CHEN)
    assert "陈秀英（户主） 3栋2单元501" in await town.say(CHEN, "我的档案")
    await why_told(town)
    assert "驾驶证到期 2026-12-30" in await town.say(CHEN, "我的档案")
    assert "驾驶证到期 2031-12-30" in await town.say(CHEN, "驾驶证到期 2031-12-30")
    assert "养犬" in await town.say(CHEN, "养犬 是")
    await town.deliver()
    assert "陈秀英（3栋2单元501）改了自己的档案" in town.last(WANG)
    answer = await town.say(CHEN, "驾驶证到期 无")
    assert "驾驶证到期" not in answer
    person = await find_person(CHEN, town.clock())
    record = await my_record(person)
    assert record is not None
    assert [fact.kind.code for fact in record.known] == ["dog"]
    assert "不再对应这一户" in await town.say(CHEN, "我搬走了")
    assert await my_record(person) is None
    assert await HouseholdMember.filter(name="陈秀英").exists(), "what staff wrote down stays with them"


async def test_topics_are_refused_and_wanted_again_by_words_and_taps(town: Town):
    person = await find_person(CHEN, town.clock())
    assert "☑ 高龄提醒" in await town.say(CHEN, "退订")
    assert "☐ 社区通知" in await town.say(CHEN, "1")
    assert "高龄提醒不再发给您" in await town.say(CHEN, "退订 高龄提醒")
    assert {row.topic for row in await OptOut.filter(resident_id=person.resident_id)} == {"notice", "elder"}
    assert "没有这类通知" in await town.say(CHEN, "退订 天气预报")
    assert "不能退订" in await town.say(CHEN, "退订 safety")
    await town.say(CHEN, "退订 全部")
    assert "高龄提醒以后会发给您" in await town.say(CHEN, "订阅 高龄提醒")
    out = {row.topic for row in await OptOut.filter(resident_id=person.resident_id)}
    assert "elder" not in out
    assert {"notice", "policy", "health"} <= out, "who had refused everything has only this one again"
