"""Broadcasts by mass send (群发): stopped and gone on with, reported from WeChat's own word, past the month's four."""

from __future__ import annotations

from dataclasses import replace

from domain import broadcast_control, broadcast_reports
from domain.broadcast_runs import advance
from domain.people import find_person, join_grid
from models.broadcasts import Broadcast, BroadcastRun, MassCall
from models.enums import Channel, RunState
from tests.domain.neighbours import FIRST, officer
from tests.domain.test_broadcasts import WATER, Office
from tests.reliability.test_mass_sends import got, reported
from tests.town import CHEN, Town

SUN = "o_sun_granddad"
MASS = replace(WATER, channels=(Channel.MASS, Channel.NOTICE))


async def _office(town: Town) -> Office:
    """The community's office, and a second follower in the first grid."""
    await town.say(CHEN, "您好")
    await town.platform.follow(SUN, "grid:" + FIRST)
    return Office(town, await officer("S001"), await officer("J001"), await officer("G001"))


async def test_a_mass_send_stopped_and_gone_on_with_reaches_each_once_and_is_reported(town: Town) -> None:
    office = await _office(town)
    await join_grid(await find_person("mini:o_zhou", office.now), office.now, code=FIRST)
    published = await office.publish(MASS)
    shares = (await broadcast_reports.preview(office.author, published.id, office.now)).shares
    assert {share.way: share.people for share in shares} == {"群发": 2, "小程序消息": 1}
    assert {share.why for share in shares if share.way == "群发"} == {"这个月收到的群发不到 4 次"}
    for _ in range(2):
        await advance(office.now)
        await broadcast_control.pause(office.author, published.id, "等一等", office.now)
        await broadcast_control.resume(office.author, published.id, office.now)
    await office.work()
    await reported(town)
    assert got(town, CHEN) == got(town, SUN) == ["明天停水"]
    text = next(push.text for push in town.platform.pushes(CHEN) if push.source == "mass")
    assert text.splitlines()[-1] == "不想收这类通知，回复“退订”。"
    states = [call.state for call in await MassCall.all().order_by("id")]
    assert states == ["withdrawn", "withdrawn", "sent"]
    await office.work()
    assert (await BroadcastRun.get(broadcast_id=published.id)).state is RunState.DONE
    counts = await office.counts(published)
    assert (counts.get("sent", 0) >= 2, counts.get("sending", 0)) == (True, 0)
    assert "【明天停水】" not in "".join(push.text for push in town.platform.pushes(CHEN) if push.source == "kf")


async def test_who_has_had_four_this_month_gets_the_fifth_as_a_notice(town: Town) -> None:
    office = await _office(town)
    for number in range(4):
        await office.publish(replace(MASS, title=f"第{number}条"))
        await office.work()
    fifth = await office.publish(replace(MASS, title="第四条"))
    ways = {share.way: share.people for share in (await _preview(office, fifth)).shares}
    assert "群发" not in ways
    await office.work()
    assert got(town, CHEN) == got(town, SUN) == [f"第{number}条" for number in range(4)]
    assert "【第四条】" in town.last(CHEN)
    assert (await office.counts(fifth)).get("sending", 0) == 0


async def _preview(office: Office, broadcast: Broadcast) -> broadcast_reports.Preview:
    return await broadcast_reports.preview(office.author, broadcast.id, office.now)
