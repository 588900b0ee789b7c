"""Broadcasts from the draft to the report: who may, what goes out when, and that nobody is told twice."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain import broadcast_control, broadcast_reports, broadcast_runs, broadcasts, deliveries, room_messages
from domain.accounts import MiniappLogin, login_miniapp
from domain.broadcasts import Draft
from domain.erasure import erase
from domain.linking import link_union, merge
from domain.people import Person, find_person, join_grid
from domain.personal_data import gather
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.broadcasts import Broadcast, BroadcastRun, Delivery
from models.database import fetch
from models.enums import BroadcastState, Channel, RunState
from tests.domain.homes import home, member
from tests.domain.neighbours import FIRST, SECOND, first_room, neighbour, officer
from tests.town import CHEN, LI, Town

EVERYBODY: dict[str, Any] = {"area": [FIRST]}
WATER = Draft("明天停水", "明天上午 9 点到下午 3 点停水，请先接好水。", EVERYBODY)


class Office:
    """The community's office: somebody writes, somebody else approves, the workers do the rest."""

    def __init__(self, town: Town, author: Person, approver: Person, worker: Person) -> None:
        self.town, self.author, self.approver, self.worker = town, author, approver, worker

    @property
    def now(self) -> datetime:
        return self.town.clock()

    async def write(self, draft: Draft = WATER) -> Broadcast:
        """A draft that has been handed in."""
        written = await broadcasts.create(self.author, draft, self.now)
        return await broadcast_reports.submit(self.author, written.id, self.now)

    async def publish(self, draft: Draft = WATER) -> Broadcast:
        """One that somebody has approved."""
        written = await self.write(draft)
        return await broadcasts.approve(self.approver, written.id, written.version, self.now)

    async def work(self) -> None:
        """Let scheduler and workers do all that is due."""
        while await broadcast_runs.advance(self.now) + await self.town.deliver():
            pass

    async def counts(self, broadcast: Broadcast) -> dict[str, int]:
        """People by outcome."""
        seen = await broadcast_reports.report(self.author, broadcast.id, self.now)
        return {outcome: seen.count(outcome) for outcome in broadcast_reports.OUTCOMES if seen.count(outcome)}


@pytest.fixture
async def office(town: Town) -> Office:
    """The community's staff writes, the street's approves. Some of the first grid follow the account."""
    await fetch("DELETE FROM household_member")  # the demo's own people are not looked at here
    await fetch("DELETE FROM household")
    await town.say(CHEN, "您好")
    await town.say(LI, "待办")
    return Office(town, await officer("S001"), await officer("J001"), await officer("G001"))


def mentions(office: Office, openid: str, words: str = "明天停水") -> int:
    """How often somebody's phone has it."""
    return sum(words in text for text in office.town.heard(openid))


async def test_a_broadcast_goes_from_the_draft_to_the_phone_and_into_the_report(office: Office) -> None:
    followers = int(
        (
            await fetch(
                "SELECT count(*)::int AS n FROM resident r JOIN area a ON a.id = r.grid_id WHERE a.code = $1", FIRST
            )
        )[0]["n"]
    )
    await office.town.say("o_sim_street_zhou", "待办")
    written = await office.write()
    await office.town.deliver()
    assert written.expected == followers
    assert f"发给 {followers} 人" in office.town.last("o_sim_street_zhou")
    assert mentions(office, CHEN) == 0
    await broadcasts.approve(office.approver, written.id, 1, office.now)
    await office.work()
    assert mentions(office, CHEN) == 1
    assert "请先接好水" in office.town.last(CHEN)
    counts = await office.counts(written)
    assert sum(counts.values()) == followers
    assert (await BroadcastRun.get(broadcast_id=written.id)).state is RunState.DONE
    assert (await Broadcast.get(id=written.id)).state is BroadcastState.DONE
    delivery = await Delivery.get(broadcast_id=written.id, recipient=f"resident:{await _resident(CHEN, office)}")
    chen = await find_person(CHEN, office.now)
    assert (await deliveries.read(chen, delivery.id, office.now)).title == "明天停水"
    assert (await broadcast_reports.report(office.author, written.id, office.now)).read == 1


async def _resident(openid: str, office: Office) -> int:
    return (await find_person(openid, office.now)).resident_id


async def test_only_somebody_else_of_the_same_or_a_higher_area_approves_the_version_they_read(office: Office) -> None:
    written = await office.write()
    with pytest.raises(NotAllowed):
        await broadcasts.approve(office.author, written.id, 1, office.now)
    for stranger in (office.worker, await officer("S002"), await find_person(CHEN, office.now)):
        with pytest.raises(NotFound):
            await broadcasts.approve(stranger, written.id, 1, office.now)
    await broadcasts.change(office.author, written.id, replace(WATER, text="改到后天。"), office.now)
    with pytest.raises(Conflict):
        await broadcasts.approve(office.approver, written.id, 1, office.now)
    await broadcasts.hand_in(office.author, written.id, 3, office.now)
    with pytest.raises(Conflict, match="approve"):
        await broadcasts.approve(office.approver, written.id, 1, office.now)
    with pytest.raises(BadRequest):
        await broadcasts.refuse(office.approver, written.id, 2, "  ", office.now)
    refused = await broadcasts.refuse(office.approver, written.id, 2, "时间写错了", office.now)
    assert refused.state is BroadcastState.REFUSED
    await office.work()
    assert "时间写错了" in office.town.last(LI)
    assert mentions(office, CHEN) == 0
    tags = [row["tag"] for row in await fetch("SELECT tag FROM audit_event WHERE tag LIKE 'broadcast:%' ORDER BY id")]
    assert tags == [f"broadcast:{verb}" for verb in ("create", "hand_in", "change", "hand_in", "refuse")]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"title": ""}, "标题"),
    ({"text": "字" * 501}, "正文"),
    ({"link": "http://example.org"}, "https://"),
    ({"channels": ()}, "至少选一种"),
    ({"audience": {"age": {"from": 80}}, "channels": (Channel.ROOM,)}, "网格群"),
    ({"area_code": "429906001002"}, "自己管"),
    ({"calendar": {"at": "2020-01-01 09:00"}}, "现在之后"),
    ({"calendar": {"days": ["礼拜八"], "time": "09:00"}}, "周一"),
    ({"event": {"from": "nothing"}}, "birthday"),
    ({"audience": {"nonsense": 1}}, "一种条件"),
]


async def test_what_does_not_fit_is_refused_in_words(office: Office) -> None:
    for wrong, say in WRONG:
        with pytest.raises(BadRequest) as refused:
            await broadcasts.create(office.author, replace(WATER, **wrong), office.now)
        assert say in refused.value.say
    assert await Broadcast.all().count() == 0


async def test_in_the_quiet_hours_only_what_is_urgent_goes_out(office: Office) -> None:
    office.town.clock.advance(timedelta(hours=13))  # eleven in the evening
    calm, urgent = await office.publish(), await office.publish(replace(WATER, title="燃气泄漏", urgent=True))
    await office.work()
    assert (mentions(office, CHEN), mentions(office, CHEN, "燃气泄漏")) == (0, 1)
    assert set(await office.counts(calm)) == {"waiting"}
    office.town.clock.advance(timedelta(hours=9))
    await office.work()
    assert mentions(office, CHEN) == 1
    assert "waiting" not in await office.counts(urgent)


async def test_a_broadcast_can_be_paused_resumed_and_cancelled_while_it_waits_in_the_outbox(office: Office) -> None:
    published = await office.publish()
    await broadcast_runs.advance(office.now)
    await broadcast_control.pause(office.author, published.id, "先等等", office.now)
    await office.work()
    assert mentions(office, CHEN) == 0
    assert set(await office.counts(published)) == {"waiting"}
    await broadcast_control.resume(office.author, published.id, office.now)
    await broadcast_runs.advance(office.now)
    await broadcast_control.pause(office.author, published.id, "", office.now)
    await broadcast_control.resume(office.author, published.id, office.now)
    await office.work()
    assert mentions(office, CHEN) == 1
    second = await office.publish(replace(WATER, title="又停水"))
    await broadcast_runs.advance(office.now)
    await broadcast_control.cancel(office.approver, second.id, "不停了", office.now)
    await office.work()
    assert mentions(office, CHEN, "又停水") == 0
    assert set(await office.counts(second)) == {"skipped"}
    with pytest.raises(Conflict):
        await broadcast_control.resume(office.author, second.id, office.now)


async def test_a_run_that_cannot_go_on_holds_up_no_other(office: Office) -> None:
    broken = await office.publish(replace(WATER, urgent=True))
    await Broadcast.filter(id=broken.id).update(channels=["a pigeon"])
    await office.publish(replace(WATER, title="又停水"))
    with pytest.raises(broadcast_runs.RunFailed):
        await broadcast_runs.advance(office.now)
    await office.town.deliver()
    assert (mentions(office, CHEN), mentions(office, CHEN, "又停水")) == (0, 1)


async def test_an_urgent_run_that_waits_for_its_answers_holds_up_none_that_began_earlier(office: Office) -> None:
    await office.publish(replace(WATER, title="又停水"))
    await office.publish(replace(WATER, urgent=True))
    await broadcast_runs.advance(office.now)
    assert await Delivery.filter(state="listed").count() == 0


async def test_a_calendar_starts_a_run_on_each_of_its_days_and_never_twice(office: Office) -> None:
    weekly = await office.publish(replace(WATER, calendar={"days": ["工作日"], "time": "10:30", "until": "2026-11-24"}))
    for _ in range(6):  # from Friday ten o'clock to Wednesday
        await office.work()
        await office.work()
        office.town.clock.advance(timedelta(days=1))
        await office.town.say(CHEN, "您好")
    runs = [run.due_at.isoformat() for run in await BroadcastRun.filter(broadcast_id=weekly.id).order_by("number")]
    assert runs == [f"2026-11-{day}T02:30:00+00:00" for day in (20, 23, 24)]
    assert mentions(office, CHEN) == 3
    assert (await Broadcast.get(id=weekly.id)).state is BroadcastState.DONE


async def test_an_announcement_stands_once_in_each_room_and_who_read_it_there_has_read_it(office: Office) -> None:
    zhao = await neighbour("zhao", office.now)
    far = await neighbour("far", office.now, SECOND)
    both = await office.publish(replace(WATER, audience={"followers": True}, channels=(Channel.NOTICE, Channel.ROOM)))
    await office.work()
    await office.work()
    for person, room in ((zhao, await first_room()), (far, await first_room(SECOND))):
        said = await room_messages.announcements(person, room.id)
        assert ["明天停水" in entry.text for entry in said] == [True]
        assert said[0].author.endswith("李主任")
    seen = await broadcast_reports.report(office.author, both.id, office.now)
    grids = await fetch("SELECT count(*)::int AS n FROM area WHERE level = 'grid' AND parent_id = $1", both.area_id)
    assert f"群公告 {grids[0]['n']} 个" in broadcast_reports.progress(both, seen)
    room = await first_room()
    await room_messages.mark_read(zhao, room.id, 10_000)
    names = [one.id for one in await broadcast_reports.unread(office.author, both.id, office.now)]
    his = await Delivery.get(broadcast_id=both.id, recipient=f"resident:{zhao.resident_id}")
    hers = await Delivery.get(broadcast_id=both.id, recipient=f"resident:{far.resident_id}")
    assert his.id not in names
    assert hers.id in names


_OUT = "INSERT INTO opt_out (resident_id, topic, at) VALUES ($1, $2, $3)"
_HOUSE = (
    "INSERT INTO household (grid_id, building, unit, room, contact, phone, note) SELECT id, '3栋', '', $2, '', '', '' "
)
_HOUSE += "FROM area WHERE code = $1 RETURNING id"
_MEMBER = """
INSERT INTO household_member
    (household_id, resident_id, name, relation, birthday, facts, confirmed_at, source, changed_at)
VALUES ($1, $2, $3, '', $4, '{}', $5, 'staff:1', $5)
"""


async def test_old_people_are_told_over_family_or_by_the_worker_and_who_opted_out_is_left_alone(office: Office) -> None:
    born, now = datetime(1940, 1, 1).date(), office.now  # noqa: DTZ001 - a date
    daughter, out = await neighbour("daughter", now), await neighbour("out", now)
    await fetch(_OUT, out.resident_id, "policy", now)
    homes = [(await fetch(_HOUSE, FIRST, room))[0]["id"] for room in ("501", "502", "503")]
    await fetch(_MEMBER, homes[0], None, "王秀英", born, now)
    await fetch(_MEMBER, homes[0], daughter.resident_id, "王小梅", datetime(1970, 1, 1).date(), now)  # noqa: DTZ001
    await fetch(_MEMBER, homes[1], None, "孙独居", born, now)
    await fetch(_MEMBER, homes[2], out.resident_id, "李退订", born, now)
    elders = await office.publish(Draft("高龄津贴", "满 80 岁可领。", {"age": {"from": 80}}, topic="policy"))
    await office.work()
    jobs = await fetch("SELECT recipient, payload->>'text' AS text FROM outbox WHERE payload ? 'delivery'")
    assert [(job["recipient"], "您家里王秀英" in job["text"]) for job in jobs] == [(daughter.openid, True)]
    counts = await office.counts(elders)
    assert (counts["by_hand"], counts["skipped"]) == (1, 1)
    [alone] = [one for one in await broadcast_reports.unread(office.worker, elders.id, now) if one.outcome == "by_hand"]
    assert (alone.name, alone.place) == ("孙独居", "3栋502")
    with pytest.raises(NotFound):
        await deliveries.tell(await officer("G002"), alone.id, now)
    await deliveries.tell(office.worker, alone.id, now)
    assert (await office.counts(elders))["told"] == 1
    masked = await broadcast_reports.unread(office.approver, elders.id, now)
    assert all("*" in one.name and not one.place for one in masked if one.name)


async def test_a_birthday_is_told_once_however_often_and_however_late_the_rule_runs(office: Office) -> None:
    home = (await fetch(_HOUSE, FIRST, "601"))[0]["id"]
    lin = await neighbour("lin", office.now)
    await fetch(_MEMBER, home, lin.resident_id, "林八十", datetime(1946, 11, 22).date(), office.now)  # noqa: DTZ001
    rule = await office.publish(
        Draft(
            "满八十了", "可以办高龄津贴。", {"followers": True}, topic="policy", event={"from": "birthday", "years": 80}
        )
    )
    for _ in range(5):
        await office.work()
        office.town.clock.advance(timedelta(days=1))
    told = await Delivery.filter(broadcast_id=rule.id)
    assert [(one.resident_id, one.key) for one in told] == [(lin.resident_id, "2026-11-22")]
    heard = await fetch("SELECT payload->>'text' AS text FROM outbox WHERE recipient = $1", lin.openid)
    assert [row["text"] for row in heard] == ["【满八十了】\n可以办高龄津贴。"]
    assert (await Broadcast.get(id=rule.id)).state is BroadcastState.APPROVED


async def test_a_rule_that_is_no_rule_any_more_pauses_its_broadcast_and_holds_up_no_other(office: Office) -> None:
    broken, sound = await office.publish(replace(WATER, title="坏了")), await office.publish()
    await fetch("UPDATE broadcast SET audience = $2::jsonb WHERE id = $1", broken.id, '{"fact": "gone", "is": true}')
    await office.work()
    found = await Broadcast.get(id=broken.id)
    assert (found.state, "gone" in found.why) == (BroadcastState.PAUSED, True)
    assert mentions(office, CHEN) == 1
    assert (await Broadcast.get(id=sound.id)).state is BroadcastState.DONE


async def test_few_jobs_of_a_large_broadcast_wait_at_a_time(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast_runs, "MOST_WAITING", 2)
    for name in ("a", "b", "c", "d", "e"):
        await neighbour(name, office.now)
    published = await office.publish()
    await broadcast_runs.advance(office.now)
    [waiting] = await fetch("SELECT count(*)::int AS n FROM outbox WHERE finished_at IS NULL AND payload ? 'delivery'")
    assert waiting["n"] == 2
    await office.work()
    assert "waiting" not in await office.counts(published)


async def test_who_is_forgotten_stays_a_figure_and_who_is_merged_takes_along_what_they_were_told(
    office: Office,
) -> None:
    sun, mini, follower = [await neighbour(name, office.now) for name in ("sun", "mini", "follower")]
    published = await office.publish()
    await office.work()
    before = await office.counts(published)
    package = await gather(sun, office.now)
    assert [(row["title"], row["state"]) for row in package.broadcasts] == [("明天停水", "queued")]
    later = await office.publish(replace(WATER, title="后天停水"))
    await broadcast_runs.advance(office.now)
    await erase(sun, office.now)
    await merge(mini.resident_id, follower.resident_id, office.now)
    assert sum((await office.counts(published)).values()) == sum(before.values())
    told = await gather(follower, office.now)
    assert [row["title"] for row in told.broadcasts] == ["明天停水", "明天停水", "后天停水", "后天停水"]
    await office.work()
    assert (await office.counts(later))["skipped"] == 2, "the one who is gone, and what the follower gets already"
    assert not await fetch("SELECT 1 FROM outbox WHERE recipient = $1", sun.openid)


@pytest.mark.parametrize(
    ("handed_over", "read_there", "pushed"),
    [(False, False, 1), (True, False, 1), (True, True, 0)],
    ids=["while it is written down", "while it waits", "after it was read in the mini-program"],
)
async def test_who_is_found_to_be_one_person_in_the_middle_of_a_run_is_told_once(
    office: Office, handed_over: bool, read_there: bool, pushed: int
) -> None:
    mini, follower = await known_twice(office)
    published = await office.publish()
    await listed(office)
    if handed_over:
        everybody_else = await Delivery.all().count() - 1
        await broadcast_runs.hand_over(office.now, everybody_else)
    if read_there:
        await office.town.deliver()
        await deliveries.read(mini, (await Delivery.get(resident_id=mini.resident_id)).id, office.now)
    await link_union(follower.openid, "union_he", office.now)
    await office.work()
    assert mentions(office, follower.openid) == pushed
    assert len(await deliveries.received(follower)) == 1
    assert (await office.counts(published))["skipped"] == 1


async def known_twice(office: Office) -> tuple[Person, Person]:
    """Somebody in the mini-program, who is a follower too."""
    mini = (await login_miniapp(MiniappLogin("he", "union_he"), "", office.now)).person
    await join_grid(mini, office.now, code=FIRST)
    follower = await neighbour("he", office.now)
    await office.town.say(follower.openid, "您好")
    return await find_person(mini.openid, office.now), follower


async def listed(office: Office) -> None:
    """Whom it concerns is written down, and nothing handed over."""
    await broadcast_runs.begin_runs(office.now)
    while await broadcast_runs.list_next(office.now):
        pass


async def test_whose_birthday_stands_in_two_households_is_told_once_when_they_turn_out_to_be_one(
    office: Office,
) -> None:
    people = await known_twice(office)
    for person, room in zip(people, ("101", "102"), strict=True):
        await member(await home(room), "何大爷", "1946-12-03", follower=person)
    await office.publish(replace(WATER, event={"from": "birthday", "years": 80, "days_before": 30}))
    office.town.clock.advance(timedelta(days=1))
    await listed(office)
    assert await Delivery.filter(state="listed").count() == 2
    await link_union(people[1].openid, "union_he", office.now)
    await office.work()
    assert mentions(office, people[1].openid) == 1


async def test_several_schedulers_at_once_write_everybody_down_once_and_make_one_job_each(office: Office) -> None:
    for number in range(30):
        await neighbour(f"n{number}", office.now)
    published = await office.publish()
    await asyncio.gather(*(broadcast_runs.advance(office.now) for _ in range(6)))
    await office.work()
    assert await BroadcastRun.filter(broadcast_id=published.id).count() == 1
    per_person = "SELECT recipient, count(*) FROM outbox WHERE payload ? 'delivery' GROUP BY 1 HAVING count(*) > 1"
    assert await fetch(per_person) == []
    told = await fetch("SELECT count(*)::int AS n FROM outbox WHERE payload ? 'delivery' AND state <> 'pending'")
    assert told[0]["n"] >= 30
    assert mentions(office, CHEN) == 1
