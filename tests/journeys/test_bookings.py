"""预约 in the chat: what, day, time, yes; reminded, checked in, asked how it was. For an elder by family and worker."""

from __future__ import annotations

import re
from datetime import timedelta

from domain.booking_rounds import GRACE, end_waiting, remind, settle
from domain.slot_making import make_slots
from models.bookings import Booking, BookingPlan, Slot
from models.enums import BookingState
from models.people import Household, Resident
from models.people_facts import HouseholdMember
from tests.town import CHEN, LI, WANG, Town

MOTHER = "李桂英 13812345678 母亲"


def short(reply: str) -> bool:
    """Six lines at most before the choices, none of them long."""
    lines = [line for line in reply.split("\n") if line and not line[0].isdigit()]
    return len(lines) <= 6 and all(len(line) <= 60 for line in lines)


async def opened(town: Town) -> None:
    """The demo's counters have their slots."""
    assert await make_slots(town.clock()) > 50


async def test_a_resident_books_is_reminded_checked_in_and_rates(town: Town):
    await opened(town)
    guide = await town.say(CHEN, "怎么预约社区律师咨询")
    number = next(line[0] for line in guide.split("\n") if line.endswith("预约"))
    days = await town.say(CHEN, number)
    assert "想约哪一天" in days
    assert "11 月 25 日（周三） 剩 5 个号" in days
    times = await town.say(CHEN, "1")
    assert "15:00（剩 1 个）" in times
    asked = await town.say(CHEN, "2")
    assert "东亭社区公共法律服务室" in asked
    booked = await town.say(CHEN, "1")
    assert booked.startswith("约好了：社区律师咨询，11 月 25 日（周三）15:00。")
    assert all(short(one) for one in (days, asked, booked))
    code = re.findall(r"签到码 (\d{6})", booked)[0]
    town.clock.advance(timedelta(days=4, hours=5))  # Tuesday, three in the afternoon: chat is closed by now
    await remind(town.clock())
    await remind(town.clock())
    await town.deliver()
    [card] = [push for push in town.platform.pushes(CHEN) if push.source == "template"]
    assert (card.title, dict(card.rows)["签到码"]) == ("预约提醒", code)
    await town.say(CHEN, "帮助")
    town.clock.advance(timedelta(hours=22))
    await remind(town.clock())
    await town.deliver()
    assert town.last(CHEN).startswith("提醒：您约的社区律师咨询，今天（周三）15:00。")
    assert len(town.platform.pushes(CHEN)) == 2, "a day and two hours before, each once"
    assert "由工作人员签到" in await town.say(CHEN, f"签到 {code}")
    listed = await town.say(LI, "今天预约")
    assert "今天预约 1 人，已到 0 人" in listed
    assert "15:00 居民 社区律师咨询" in listed
    assert (await town.say(LI, f"签到{code}")).startswith("签到好了：")
    assert "已到 1 人" in await town.say(LI, "今天预约")
    town.clock.advance(timedelta(hours=3) + GRACE)
    assert await settle(town.clock()) >= 1
    assert await settle(town.clock()) == 0
    await town.deliver()
    assert "办得满意吗" in town.last(CHEN)
    assert "谢谢您的评价" in await town.say(CHEN, "五分")
    assert (await Booking.get()).stars == 5
    assert "现在没有要选的" in await town.say(CHEN, "5")
    assert "已经评过了" in await town.tap(CHEN, "4 分")


async def test_a_full_time_has_a_waiting_list_that_moves_up_when_somebody_cancels(town: Town):
    await opened(town)
    await Slot.filter(plan__code="lvshi").exclude(starts_at__gte=town.clock() + timedelta(days=6)).update(capacity=1)
    for place, who in enumerate((CHEN, WANG)):
        assert "想约哪一天" in await town.say(who, "我想预约律师")
        await town.say(who, "1")
        asked = await town.say(who, "1")
        assert ("候补" in asked) is bool(place)
        said = await town.say(who, "1")
    assert said.startswith("已候补：社区律师咨询，11 月 25 日（周三）14:30，您排第一。")
    assert short(said)
    shown = await town.say(CHEN, "我的预约")
    assert "取消预约" in shown
    assert "签到码" in shown
    assert "要取消吗" in await town.say(CHEN, "我约律师的预约取消一下")
    assert "已取消" in await town.say(CHEN, "1")
    assert await town.say(CHEN, "我的预约") == "您现在没有预约。\n要约，回复“预约”。"
    await town.deliver()
    assert town.last(WANG).startswith("排到了：您约的社区律师咨询，11 月 25 日（周三）14:30，有位置了。")
    assert "要取消吗" in await town.tap(WANG, "来不了，取消")
    assert "预约还在" in await town.say(WANG, "不取消")
    assert {one.state for one in await Booking.all()} == {BookingState.CANCELLED, BookingState.BOOKED}


async def test_a_part_of_a_name_a_day_and_a_time_are_as_good_as_a_number(town: Town):
    await opened(town)
    await town.say(CHEN, "预约")
    assert "想约哪一天" in await town.say(CHEN, "律师")
    assert "想约几点" in await town.say(CHEN, "就约25 日吧")
    assert "社区律师咨询\n11 月 25 日（周三）15:00" in await town.say(CHEN, "15:00")
    assert "替谁约" in await town.say(CHEN, "给我妈约")
    assert "没有约" in await town.say(CHEN, "不约了")
    assert "想约哪一天" in await town.say(CHEN, "律师怎么约")
    for words in ("1", "15:00"):
        await town.say(CHEN, words)
    assert "约好了" in await town.say(CHEN, "可以")
    assert "15:00。" in await town.say(CHEN, "我预约的什么时候")


async def test_family_and_grid_worker_book_for_an_elder_and_it_is_noted_who_did(town: Town):
    await opened(town)
    await BookingPlan.exclude(code="tijian").update(active=False)
    for who, relation in ((CHEN, "母亲"), (WANG, "网格员")):
        await town.say(who, "预约")
        await town.say(who, "1")
        assert ("替家人约" if who == CHEN else "替居民约") in await town.say(who, "1")
        await town.say(who, "2")
        if who == CHEN:
            assert "电话不对" in await town.say(who, "李桂英 1381234 母亲")
            said = await town.say(who, f"{MOTHER}")
            assert said.startswith("给李桂英约好了：老年人免费体检，")
        else:
            assert "约好了" in await town.say(who, "赵大爷，电话13900001111")
        assert (await Booking.all().order_by("-id").first()).relation == relation  # type: ignore[union-attr]
    mothers = await Booking.get(name="李桂英")
    assert (mothers.phone, mothers.resident_id, mothers.by.split(":")[0]) == ("13812345678", None, "resident")
    assert (await Booking.get(name="赵大爷")).by.startswith("staff:")
    listed = await town.say(LI, "预约名单")
    assert "今天没有预约" in listed
    town.clock.advance(timedelta(days=4))
    listed = await town.say(LI, "今天预约")
    assert "李** 老年人免费体检" in listed
    assert "李桂英" not in listed
    assert (await town.say(LI, f"签到 {mothers.code}")).startswith("签到好了：李桂英，老年人免费体检")


async def test_who_lives_in_the_same_household_is_one_tap_away(town: Town):
    await opened(town)
    chen = await Resident.get(openid=CHEN)
    home = await Household.create(grid_id=chen.grid_id, building="3栋", room="901", phone="02755509999")
    told = {"household": home, "changed_at": town.clock()}
    await HouseholdMember.create(**told, name="陈晓", resident=chen, confirmed_at=town.clock())
    await HouseholdMember.create(**told, name="陈奶奶")
    await town.say(CHEN, "预约体检")
    await town.say(CHEN, "1")
    await town.say(CHEN, "1")
    assert "1 陈奶奶" in await town.say(CHEN, "替家人约")
    assert (await town.say(CHEN, "1")).startswith("给陈奶奶约好了：老年人免费体检")
    booked = await Booking.get()
    assert (booked.phone, booked.relation, booked.resident_id) == ("02755509999", "家人", None)


async def test_a_booking_moves_to_another_time_and_waiting_ends_when_the_time_begins(town: Town):
    await opened(town)
    await BookingPlan.exclude(code="lvshi").update(active=False)
    await town.say(CHEN, "预约")
    await town.say(CHEN, "1")
    await town.say(CHEN, "1")
    assert "14:30" in await town.say(CHEN, "1")
    await town.say(CHEN, "我的预约")
    assert "想约哪一天" in await town.say(CHEN, "换个时间")
    await town.say(CHEN, "2")
    assert "改到这个时间吗" in await town.say(CHEN, "3")
    moved = await town.say(CHEN, "1")
    assert moved.startswith("改好了。\n约好了：社区律师咨询，12 月 2 日（周三）15:30。")
    assert [one.taken for one in await Slot.filter(taken__gt=0)] == [1]
    slot = await Slot.get(taken=1)
    await Slot.filter(id=slot.id).update(waiting=1)
    other = await Booking.create(
        slot_id=slot.id,
        plan_id=slot.plan_id,
        state=BookingState.WAITING,
        code="000001",
        name="周奶奶",
        phone="13700000000",
        by="resident:1",
        booked_at=town.clock(),
    )
    town.clock.advance(slot.starts_at - town.clock() + timedelta(minutes=1))
    assert await end_waiting(town.clock()) == 1
    assert (await Booking.get(id=other.id)).state is BookingState.EXPIRED
