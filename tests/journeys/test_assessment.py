"""剔除 and 封存 in chat: two people for what does not count, and figures that stay as they were published."""

from __future__ import annotations

from datetime import timedelta

from domain.indicators import Period, measure
from models.cases import Case
from models.people import Area, Staff
from tests.town import CHEN, LI, WANG, ZHOU, Town


async def a_closed_case(town: Town) -> None:
    await town.say(CHEN, "3栋2单元楼道灯坏了好几天了")
    await town.say(CHEN, "1")
    await town.say(WANG, "接 0001")
    await town.say(WANG, "办好了 0001 换了灯泡")
    await town.photo(WANG)
    await town.deliver()
    await town.tap(CHEN, "解决了")


async def closed_after_exclusions(town: Town) -> tuple[int, int]:
    """(before, after) exclusions: how many closed cases count this month for the street."""
    street = await Area.get(level="street")
    lines = await measure(street.id, Period.of_month(town.clock().date()))
    return lines[0].before.counts["closed"], lines[0].after.counts["closed"]


async def test_a_case_is_left_out_only_when_a_second_person_agrees_and_both_figures_stay(town: Town):
    await a_closed_case(town)
    assert "请写剔除的理由" in await town.say(WANG, "剔除 0001")
    assert "已申请不计入考核" in await town.say(WANG, "剔除 0001 演练用的")
    assert await closed_after_exclusions(town) == (1, 1)
    await town.say(WANG, "同意剔除 0001")
    assert await closed_after_exclusions(town) == (1, 1)
    assert "0001 不计入考核（演练用的）" in await town.say(LI, "同意剔除 0001")
    assert await closed_after_exclusions(town) == (1, 0)


async def test_a_resident_cannot_have_a_case_left_out(town: Town):
    await a_closed_case(town)
    await town.say(CHEN, "剔除 0001 不想算")
    await town.say(LI, "同意剔除 0001")
    assert await closed_after_exclusions(town) == (1, 1)


async def test_a_frozen_month_is_compared_with_what_the_data_say_later(town: Town):
    await a_closed_case(town)
    said = f"{town.clock():%Y-%m}"
    assert "还没有过完" in await town.say(ZHOU, f"封存 {said}")
    town.clock.advance(timedelta(days=40))
    assert "已封存" in await town.say(ZHOU, f"封存 {said}")
    assert "已经封存" in await town.say(ZHOU, f"封存 {said}")
    assert "完全一样" in await town.say(ZHOU, f"重算对比 {said}")
    case = await Case.get()
    case.due_at = case.disposed_at - timedelta(hours=1)
    await case.save()
    assert "和封存的不同" in await town.say(ZHOU, f"重算对比 {said}")


async def test_nobody_closes_the_figures_of_an_area_that_is_not_theirs(town: Town):
    await Staff.filter(name="刘洋").update(openid="o_liu")
    town.clock.advance(timedelta(days=40))
    assert "已封存" not in await town.say("o_liu", "封存 2026-11")
