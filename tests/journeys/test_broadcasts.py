"""A grid worker tells the grid something; the community looks at it first; the worker visits who has not read it."""

from __future__ import annotations

from datetime import timedelta

from domain import broadcast_runs
from models.database import fetch
from models.services import ServiceItem
from tests.town import CHEN, LI, WANG, ZHOU, Town


async def send(town: Town) -> None:
    """Let the workers send what has been approved."""
    while await broadcast_runs.advance(town.clock()) + await town.deliver():
        pass


async def written(town: Town) -> None:
    """A notice of 王芳's, handed in; 李主任 has it on her phone."""
    for openid in (WANG, LI, CHEN):
        await town.say(openid, "您好")
    asked = await town.say(WANG, "发通知 明天停水，上午9点到下午3点，请先接好水")
    assert "我的网格的人" in asked
    shown = await town.say(WANG, "1")
    assert "【明天停水】" in shown
    assert "发给东亭社区第一网格关注了公众号的人" in shown
    assert "比如" in shown
    assert "李主任批。批了就发" in await town.say(WANG, "1")
    await town.deliver()


async def test_a_worker_writes_the_community_approves_and_the_neighbour_says_that_she_knows(town: Town) -> None:
    await written(town)
    assert "网格员王芳请您批一条通知" in town.last(LI)
    shown = await town.tap(LI, "同意")
    assert "请先接好水" in shown  # whoever agrees has seen all of it
    assert "已批准“明天停水”" in await town.say(LI, "1")
    await send(town)
    assert "批准了" in town.last(WANG)
    assert town.last(CHEN).startswith("【明天停水】")
    assert "好的" in await town.tap(CHEN, "知道了")
    assert "1 人看过" in await town.say(WANG, "通知进度") + await town.say(WANG, "1")


async def test_what_is_declined_comes_back_with_its_reason_and_goes_to_nobody(town: Town) -> None:
    await written(town)
    await town.tap(LI, "看")
    assert "为什么" in await town.say(LI, "2")
    assert "没有批准" in await town.say(LI, "时间写错了，是后天")
    await send(town)
    assert "时间写错了" in town.last(WANG)
    assert "停水" not in town.last(CHEN)


async def test_the_worker_sees_who_has_no_wechat_and_notes_whom_she_told_at_the_door(town: Town) -> None:
    await fetch("DELETE FROM household_member")
    await fetch("DELETE FROM household")
    house = "INSERT INTO household (grid_id, building, unit, room, contact, phone, note) "
    house += "SELECT id, '3栋', '2单元', '501', '', '', '' FROM area WHERE code = '429906001001001' RETURNING id"
    member = "INSERT INTO household_member (household_id, name, relation, birthday, facts, source, changed_at) "
    member += "VALUES ($1, '王秀英', '户主', '1940-01-01', '{}', 'staff:1', $2)"
    await fetch(member, (await fetch(house))[0]["id"], town.clock())
    await town.say(WANG, "发通知 高龄津贴涨了，可以找我办")
    assert "上门或打电话 1 人" in await town.say(WANG, "3")
    await town.say(WANG, "1")
    await town.say(LI, "通知进度")
    await town.say(LI, "1")
    await town.say(LI, "1")
    await send(town)
    assert "您的网格有 1 人没有微信" in town.last(WANG)
    listed = await town.say(WANG, "未读 高龄津贴")
    assert "王秀英 3栋2单元501（没有微信）" in listed
    assert "都看过或告知了" in await town.say(WANG, "1")
    assert "没有这样的通知" in await town.say(WANG, "未读 别的")


async def test_a_policy_leads_to_its_guide_and_can_be_refused_for_ever(town: Town) -> None:
    await written(town)
    item = await ServiceItem.all().order_by("id").first()
    assert item
    await fetch("UPDATE broadcast SET item_id = $1, topic = 'policy'", item.id)
    await town.tap(LI, "看")
    await town.say(LI, "1")
    await send(town)
    assert item.title in await town.tap(CHEN, "看办法")
    assert "政策提醒不再发给您" in await town.tap(CHEN, "不再收这类")
    town.clock.advance(timedelta(hours=1))
    topics = await fetch("SELECT topic FROM opt_out")
    assert [row["topic"] for row in topics] == ["policy"]


async def test_a_notice_can_be_stopped_and_taken_up_again_in_the_chat(town: Town) -> None:
    await written(town)
    await town.say(LI, "通知进度")
    await town.say(LI, "1")
    await town.say(LI, "1")
    await town.say(WANG, "通知进度")
    assert "已批准" in await town.say(WANG, "1")
    assert "已暂停" in await town.say(WANG, "1")
    await send(town)
    assert "停水" not in town.last(CHEN)
    assert "已批准" in await town.say(WANG, "1")
    await send(town)
    assert "停水" in town.last(CHEN)


async def test_a_draft_that_was_left_is_taken_up_again_and_what_does_not_fit_is_said_at_once(town: Town) -> None:
    assert "有 501 个字，最多 500 个" in await town.say(WANG, f"发通知 {'水' * 501}")
    assert "第一行要有标题" in await town.say(WANG, "，明天停水")
    assert "发给谁" in await town.say(WANG, "明天停水，请接好水")
    assert "提交审批" in await town.say(WANG, "1")
    await town.say(WANG, "待办")
    await town.say(WANG, "通知进度")
    assert "再发到网格群" in await town.say(WANG, "1")
    assert "群公告 1个" in await town.say(WANG, "3")
    assert "已提交" in await town.say(WANG, "1")


async def test_residents_write_no_notices(town: Town) -> None:
    assert "发给谁" not in await town.say(CHEN, "发通知 明天停水")


async def test_a_policy_finds_exactly_the_three_people_it_concerns(town: Town) -> None:
    await fetch("DELETE FROM household_member")
    await fetch("DELETE FROM household")
    for openid in (CHEN, WANG, LI, ZHOU):
        await town.say(openid, "您好")
    # 陈阿姨 herself, 周科长's mother over him, and 孙爷爷, whom nobody of follows; a neighbour is one year too young.
    homes = [
        ("501", "陈桂兰", CHEN, "1940-05-01"),
        ("502", "周母", None, "1938-01-01"),
        ("502", "周科长", ZHOU, "1975-01-01"),
    ]
    homes += [("503", "孙爷爷", None, "1939-01-01"), ("504", "李阿姨", LI, "1947-01-01")]
    for room, name, openid, birthday in homes:
        await fetch(_LIVES, room, name, openid, birthday, town.clock())
    await town.say(WANG, "发通知 高龄津贴涨了，满80岁的可以申领")
    shown = await town.say(WANG, "3")
    assert "共 3 人" in shown
    assert "比如：陈**、周*、孙**" in shown
    await town.say(WANG, "1")
    await town.deliver()
    await town.tap(LI, "同意")
    await town.say(LI, "1")
    before = {openid: len(town.heard(openid)) for openid in (CHEN, ZHOU, LI)}
    await send(town)
    new = {openid: town.heard(openid)[count:] for openid, count in before.items()}
    assert [len(texts) for texts in new.values()] == [1, 1, 0]
    assert "您家里周母" in new[ZHOU][0]
    assert "您的网格有 1 人没有微信" in town.last(WANG)


_LIVES = """
WITH home AS (
    INSERT INTO household (grid_id, building, unit, room, contact, phone, note)
    SELECT id, '3栋', '', $1, '', '', '' FROM area WHERE code = '429906001001001'
    ON CONFLICT (grid_id, building, unit, room) DO UPDATE SET note = '' RETURNING id
)
INSERT INTO household_member
    (household_id, resident_id, name, relation, birthday, facts, confirmed_at, source, changed_at)
SELECT home.id, (SELECT id FROM resident WHERE openid = $3::text), $2, '', $4::text::date, '{}', $5, 'staff:1', $5
FROM home
"""
