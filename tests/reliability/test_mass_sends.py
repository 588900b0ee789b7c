"""Mass sends (群发) through the real stack: the month of each person, the minute, lost answers, refusals, reports."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from bot.limits import RateLimits
from bot.mass import SEND_API, MassSender
from domain import deliveries, mass_calls
from errors import Unavailable
from models.broadcasts import Broadcast, BroadcastRun, Delivery, MassCall
from models.database import fetch, transaction
from models.enums import BroadcastState, Channel, RunState
from models.people import Resident, Staff
from tests.town import CHEN, LI, WANG, ZHOU, Town

SEND = "/cgi-bin/message/mass/send"
EVERYBODY = (CHEN, WANG, LI)


async def mass(town: Town, title: str, *openids: str, channels: Sequence[Channel] = (Channel.MASS,)) -> int:
    """A broadcast that is handed over to these people as one mass send; gives the call's id."""
    now, author = town.clock(), await Staff.get(openid=LI)
    broadcast = await Broadcast.create(
        state=BroadcastState.APPROVED,
        topic="notice",
        title=title,
        text="明天上午停水，请提前接水。",
        channels=list(channels),
        area_id=author.area_id,
        audience={"followers": True},
        author_id=author.id,
        created_at=now,
        changed_at=now,
    )
    run = await BroadcastRun.create(broadcast=broadcast, number=1, state=RunState.SENDING, due_at=now)
    rows = [await _row(run, openid) for openid in openids]
    async with transaction():
        await deliveries.by_mass(run, rows, now)
    return (await MassCall.get(run_id=run.id)).id


async def _row(run: BroadcastRun, openid: str) -> dict[str, Any]:
    """One person's delivery, as the run picks it."""
    staff = await Staff.get_or_none(openid=openid)
    resident = None if staff else await Resident.get(openid=openid)
    recipient = f"staff:{staff.id}" if staff else f"resident:{resident.id}"
    made = await Delivery.create(
        broadcast_id=run.broadcast_id,
        run=run,
        key="1",
        recipient=recipient,
        resident_id=resident.id if resident else None,
        grid_id=None,
    )
    return {"id": made.id, "recipient": recipient, "openid": openid, "about": ""}


def got(town: Town, openid: str) -> list[str]:
    """The titles of the mass sends on a phone."""
    return [push.text.split("】")[0][1:] for push in town.platform.pushes(openid) if push.source == "mass"]


async def made(call_id: int) -> tuple[str, str]:
    """(state, error) of a call."""
    call = await MassCall.get(id=call_id)
    return call.state, call.error


async def reported(town: Town) -> None:
    """Make the calls that are due, and hear how they ended: also of those whose report was faster than our own note."""
    await town.deliver()
    await town.platform.settle()
    town.clock.advance(timedelta(minutes=1))
    await town.deliver()


async def job(call_id: int) -> dict[str, Any]:
    """The outbox row of a call."""
    return (await fetch("SELECT * FROM outbox WHERE kind = 'mass' AND (payload->>'call')::bigint = $1", call_id))[0]


async def test_the_fifth_of_a_month_is_kept_back_and_who_can_be_told_another_way_is(town: Town) -> None:
    await town.say(CHEN, "你好")
    for number in range(4):
        await mass(town, f"第{number}条", CHEN, WANG)
        await town.deliver()
    called = town.platform.calls.quota(town.services.wechat.appid, SEND, town.clock())["used"]
    fifth = await mass(town, "第四条", CHEN, WANG, LI, ZHOU, channels=(Channel.MASS, Channel.NOTICE))
    await town.deliver()
    assert got(town, CHEN) == [f"第{number}条" for number in range(4)]
    assert got(town, LI) == got(town, ZHOU) == ["第四条"]
    assert "【第四条】" in town.last(CHEN), "who wrote within 48 hours gets it as a service message instead"
    assert (await MassCall.get(id=fifth)).people == 2
    sixth = await mass(town, "第五条", CHEN, WANG)
    await town.deliver()
    assert await made(sixth) == ("parked", mass_calls.FULL)
    assert ((await job(sixth))["state"], (await job(sixth))["error"]) == ("undelivered", mass_calls.FULL)
    told = await Delivery.filter(mass_call_id=None, state="by_hand").values_list("reason", flat=True)
    assert list(told) == [mass_calls.FULL] * 2
    used = town.platform.calls.quota(town.services.wechat.appid, SEND, town.clock())["used"]
    assert used - called == 1, "WeChat was not asked for what it would have left out"
    town.clock.advance(timedelta(days=12))
    await mass(town, "下个月", CHEN, WANG)
    await town.deliver()
    assert got(town, CHEN)[-1] == got(town, WANG)[-1] == "下个月"


async def use_up(town: Town, at: float) -> None:
    """Make all calls that this minute has."""
    limits = RateLimits(town.services.redis, town.services.wechat.appid, now=lambda: at)
    with suppress(Unavailable):
        while True:
            await limits.take(SEND_API)


async def test_the_61st_call_of_a_minute_waits_and_says_why(town: Town) -> None:
    for minute in range(3):  # the next ones too: they may begin any moment
        await use_up(town, time.time() + 60 * minute)
    call = await mass(town, "排队", *EVERYBODY)
    await town.deliver()
    waiting = await job(call)
    assert (waiting["state"], waiting["error"]) == ("pending", "这一分钟的发送次数已到上限，稍后自动再发")
    assert await made(call) == ("planned", "这一分钟的发送次数已到上限，稍后自动再发")
    used = town.platform.calls.quota(town.services.wechat.appid, SEND, town.clock())["used"]
    assert (used, got(town, CHEN)) == (0, [])


async def test_a_lost_answer_is_asked_again_and_nobody_hears_it_twice(town: Town) -> None:
    call = await mass(town, "停水", *EVERYBODY)
    town.platform.faults.fail_api("reset_after", SEND, left=1)
    await town.deliver()
    assert await made(call) == ("planned", "微信没有回应，不确定是否已送达")
    town.clock.advance(timedelta(seconds=10))
    await town.deliver()
    assert await made(call) == ("planned", "同一群发重试太快（45066）")
    async with transaction():
        await deliveries.take_back((await Broadcast.get(title="停水")).id)
    assert await Delivery.filter(mass_call_id=call).count() == 3, "what WeChat may have is not taken back"
    town.clock.advance(timedelta(minutes=2))
    await reported(town)
    assert [got(town, openid) for openid in EVERYBODY] == [["停水"]] * 3
    call_row = await MassCall.get(id=call)
    assert (call_row.state, call_row.error) == ("sent", "")
    assert call_row.report == {"total": 3, "eligible": 3, "sent": 3, "errors": 0}
    assert (await job(call))["reference"] == call_row.msg_id


async def test_a_worker_that_died_between_call_and_note_leaves_nobody_told_twice(town: Town) -> None:
    call = await mass(town, "停水", *EVERYBODY)
    await town.outbox.claim()
    ready = await mass_calls.prepare(call, town.clock())
    assert isinstance(ready, mass_calls.Ready)
    await MassSender(town.services.api).send(ready.openids, ready.text, ready.client_id)
    town.clock.advance(timedelta(seconds=90))
    await reported(town)
    assert (await made(call))[0] == "sent"
    assert [got(town, openid) for openid in EVERYBODY] == [["停水"]] * 3


async def test_after_a_day_without_an_answer_it_is_not_sent_again(town: Town) -> None:
    call = await mass(town, "停水", *EVERYBODY)
    town.platform.faults.fail_api("http_500", SEND)
    await town.deliver()
    town.platform.faults.reset()
    town.clock.advance(timedelta(hours=23, minutes=30))
    await town.deliver()
    assert await made(call) == ("parked", mass_calls.UNSURE)
    assert (await job(call))["error"] == mass_calls.UNSURE
    assert got(town, CHEN) == []


async def test_a_call_whose_worker_gave_up_is_over(town: Town) -> None:
    call = await mass(town, "停水", *EVERYBODY)
    town.platform.faults.fail_api("http_500", SEND)
    for _ in range(6):
        await town.deliver()
        town.clock.advance(timedelta(minutes=20))
    assert (await job(call))["state"] == "parked"
    assert await mass_calls.settle(town.clock()) == 1
    state, error = await made(call)
    assert (state, "试了 5 次没有发出" in error) == ("parked", True)


async def test_a_call_that_could_not_be_made_for_a_day_goes_another_way(town: Town) -> None:
    call = await mass(town, "停水", CHEN, WANG, channels=(Channel.MASS, Channel.NOTICE))
    town.platform.faults.fail_api("errcode", SEND, errcode=45009)
    for _ in range(26):
        await town.deliver()
        town.clock.advance(timedelta(hours=1))
    assert "等了一天没有发出" in (await job(call))["error"]
    assert await mass_calls.settle(town.clock()) == 1
    await town.deliver()
    told = [push for push in town.platform.pushes(CHEN) if push.source == "template"]
    assert (await made(call))[0] == "parked"
    assert ("通知主题", "停水") in told[-1].rows


@pytest.mark.parametrize(
    ("errcode", "reason"), [(45028, "本月群发次数已用完（45028）"), (48001, "公众号没有这种消息的权限（48001）")]
)
async def test_what_wechat_refuses_goes_by_notice_or_is_left_to_the_worker_with_the_reason(
    town: Town, errcode: int, reason: str
) -> None:
    await town.say(CHEN, "你好")
    town.platform.faults.fail_api("errcode", SEND, errcode=errcode)
    laddered = await mass(town, "有别的路", CHEN, WANG, channels=(Channel.MASS, Channel.NOTICE))
    alone = await mass(town, "没有别的路", CHEN, WANG)
    await town.deliver()
    assert await made(laddered) == await made(alone) == ("parked", reason)
    assert (await job(alone))["error"] == reason
    assert "【有别的路】" in town.last(CHEN)
    by_hand = await Delivery.filter(state="by_hand").values_list("reason", flat=True)
    assert list(by_hand) == [reason] * 2


async def test_a_stopped_mass_send_says_what_the_review_found(town: Town) -> None:
    town.platform.faults.mass_status = "err(20001)"
    call = await mass(town, "停水", *EVERYBODY)
    await reported(town)
    assert await made(call) == ("failed", "群发没有送出：微信审核没有通过，涉嫌政治")
    assert got(town, CHEN) == []


async def test_a_report_that_is_faster_than_our_note_waits_and_a_lost_one_is_asked_for(town: Town) -> None:
    first = await mass(town, "先报告", *EVERYBODY)
    await town.deliver()
    await town.platform.settle()
    msg_id = (await MassCall.get(id=first)).msg_id
    await MassCall.filter(id=first).update(state="planned", msg_id="", report={})
    await mass_calls.note_report(msg_id, "send success", {"sent": 3}, town.clock())
    await mass_calls.note_taken(first, msg_id, town.clock())
    town.clock.advance(timedelta(minutes=1))
    await town.deliver()
    assert ((await made(first))[0], (await MassCall.get(id=first)).report) == ("sent", {"sent": 3})
    await MassCall.filter(id=first).update(state="taken", report={})
    town.clock.advance(timedelta(hours=2))
    await town.deliver()
    assert await made(first) == ("sent", "")


async def test_to_everybody_once_a_day_and_four_times_a_month_and_it_counts_for_each(town: Town) -> None:
    async def to_all(title: str) -> int:
        call = await mass(town, title, CHEN, WANG)
        await Delivery.filter(mass_call_id=call).delete()
        await MassCall.filter(id=call).update(everybody=True)
        await town.deliver()
        return call

    town.clock.advance(timedelta(days=12))
    await to_all("甲")
    assert await made(await to_all("当天第二次")) == ("parked", mass_calls.ALL_FULL["day"])
    for title in "乙丙丁":
        town.clock.advance(timedelta(days=1))
        await to_all(title)
    town.clock.advance(timedelta(days=1))
    assert await made(await to_all("第五次")) == ("parked", mass_calls.ALL_FULL["month"])
    assert got(town, CHEN) == got(town, ZHOU) == list("甲乙丙丁")
    call = await mass(town, "再来一条", CHEN, WANG)
    await town.deliver()
    assert await made(call) == ("parked", mass_calls.FULL)
