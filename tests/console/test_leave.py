"""One's own leave at the console."""

from __future__ import annotations

from datetime import timedelta

from models.people import Absence
from tests.console.conftest import Desk, sit_down
from tests.town import Town


async def test_leave_is_taken_with_a_deputy_who_sees_it_and_ended(town: Town, desk: Desk):
    await Absence.all().delete()
    wang = await sit_down(town, desk, "王芳")
    await desk.open("/account")
    assert "/console/account/leave" in desk.page
    assert "没有请假" in await desk.open("/account/leave")
    await desk.send("/account/leave", first="2026-11-20", last="2026-11-22", deputy="刘洋")
    assert "由网格员刘洋代" in desk.page
    taken = await Absence.get(staff_id=wang.id)
    await desk.send("/account/leave", first="2026-11-21", last="2026-11-21")
    assert "那几天已经请假了" in desk.page

    await sit_down(town, desk, "刘洋")
    assert "我代别人办" in await desk.open("/account/leave")

    town.clock.advance(timedelta(hours=1))
    await sit_down(town, desk, wang)
    await desk.open("/account/leave")
    assert "已销假" in await desk.send("/account/leave/end")
    await taken.refresh_from_db()
    assert taken.ends_at == town.clock()


async def test_days_in_the_past_and_somebody_unknown_are_told(town: Town, desk: Desk):
    await Absence.all().delete()
    await sit_down(town, desk, "王芳")
    await desk.open("/account/leave")
    assert "已经过去了" in await desk.send("/account/leave", first="2026-11-01", last="2026-11-02")
    await desk.open("/account/leave")
    assert "没有找到同事“没这人”" in await desk.send(
        "/account/leave", first="2026-11-21", last="2026-11-22", deputy="没这人"
    )
    assert not await Absence.exists()
