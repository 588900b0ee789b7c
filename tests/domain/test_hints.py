"""On the first working morning of a week staff are told of the hot spots of their place: once, if there are any."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.inbox import Inbox
from domain import timing
from domain.hints import push_hints
from domain.timing import Timing, parse_hours, parse_quiet
from jobs.loops import start_scheduler
from models.audit import AuditEvent
from models.cases import Case
from models.enums import Source, Status, Urgency
from models.messaging import Outbox
from models.people import Absence, Area, Resident, Staff
from models.statistics import HintWeek
from tests.domain.watched import DAY, HOUR, MONDAY, at, told
from tests.town import LI, WANG, ZHOU, Town
from tests.waiting import eventually

MORNING = at(2026, 11, 16, 8, 30)
FIRST, SECOND, CHAGANG = "429906001001001", "429906001001002", "429906001002001"


async def complaints(
    people: int, *, grid: str = FIRST, kind: str = "rubbish.overflow", now: datetime = MORNING, **more: object
) -> None:
    """So many residents have reported the same within the last days, nobody before."""
    area = await Area.get(code=grid)
    for _ in range(people):
        number = await Case.all().count() + 1
        resident = await Resident.create(openid=f"o_complains_{number}", created_at=now)
        await Case.create(
            number=f"20261001-{number:05}",
            status=Status.CLOSED,
            category=kind,
            subject={"rubbish.overflow": "垃圾满溢"}.get(kind, "别的事"),
            urgency=Urgency.NORMAL,
            source=Source.WECHAT,
            description="又满了",
            reporter_id=resident.id,
            grid_id=area.id,
            area_id=area.id,
            reported_at=now - 2 * DAY,
            **more,
        )


async def when_told(start: datetime, end: datetime, step: timedelta = HOUR / 2) -> list[datetime]:
    """Let schedulers look all the time; gives when one of them told somebody."""
    acted, now = [], start
    while now <= end:
        if await push_hints(now):
            acted.append(now)
        now += step
    return acted


async def test_worker_and_community_are_told_when_work_begins_and_not_again_that_week(orm: None):
    await complaints(8)
    sunday = at(2026, 11, 15, 0, 0)
    assert await when_told(sunday, at(2026, 11, 20, 23, 0)) == [MORNING]
    said = (
        "未诉先办：这些事最近比平时多，建议先去看看。\n"
        "第一网格 垃圾满溢：近 7 天 8 人反映，平时一周 不到 1 人\n"
        "回复“热点”看是哪几件。"
    )
    assert await told(WANG) == [said]
    assert await told(LI) == [said]
    assert await told(ZHOU) == [], "the street asks for it"
    assert await AuditEvent.filter(tag="hotspots:push", actor="system").count() == 1
    week = await HintWeek.get(area__name="东亭社区")
    assert (week.week, week.found) == (date(2026, 11, 16), 1)


async def test_each_hears_of_their_own_place(orm: None):
    await Staff.filter(name="刘洋").update(openid="o_liu")
    await complaints(8, grid=FIRST)
    await complaints(8, grid=SECOND)
    await complaints(8, grid=CHAGANG)
    await push_hints(MORNING)
    assert "第二网格" not in (await told(WANG))[0]
    assert "第一网格" not in (await told("o_liu"))[0]
    community = (await told(LI))[0]
    assert [place in community for place in ("第一网格", "第二网格")] == [True, True]
    assert len(community.splitlines()) == 4, "two places of the own community, not the third"


async def test_where_nothing_stands_out_nobody_is_told_anything(orm: None):
    await complaints(2)
    assert await when_told(MORNING, MORNING + 5 * DAY) == []
    assert await Outbox.all().count() == 0


async def test_six_short_lines_at_most(orm: None):
    for kind in (
        "rubbish.overflow",
        "dog.unleashed",
        "lighting.corridor",
        "drain.blocked",
        "noise.square",
        "air.smoke",
    ):
        await complaints(9, kind=kind)
    await push_hints(MORNING)
    lines = (await told(LI))[0].splitlines()
    assert len(lines) == 6
    assert lines[-2] == "还有 3 处"


@pytest.mark.parametrize(
    ("monday", "first"),
    [
        (at(2026, 10, 5, 0, 0), at(2026, 10, 8, 8, 30)),  # 国庆
        (at(2026, 1, 5, 0, 0), at(2026, 1, 5, 8, 30)),
    ],
)
async def test_after_a_holiday_it_is_told_on_the_first_working_day(orm: None, monday: datetime, first: datetime):
    await complaints(8, now=monday + 2 * DAY)
    assert (await when_told(monday, monday + 7 * DAY - HOUR))[:1] == [first]


async def test_a_worked_sunday_waits_for_monday(orm: None):
    sunday = at(2026, 9, 20, 9, 0)  # worked for 国庆
    await complaints(8, now=sunday)
    assert await when_told(sunday, sunday + 4 * DAY) == [at(2026, 9, 21, 8, 30)]


async def test_a_scheduler_that_was_off_on_monday_tells_it_in_the_next_working_hour(orm: None):
    await complaints(8)
    assert await when_told(at(2026, 11, 17, 20, 0), at(2026, 11, 18, 12, 0)) == [at(2026, 11, 18, 8, 30)]


async def test_the_next_week_is_another_one(orm: None):
    await complaints(8)
    await push_hints(MORNING)
    await complaints(8, now=MORNING + 7 * DAY)
    assert await push_hints(MORNING + 7 * DAY)


async def test_a_working_hour_that_lies_in_the_quiet_hours_waits_for_their_end(orm: None):
    await complaints(8)
    with timing.use(Timing(hours=parse_hours("06:00-11:00"), quiet=parse_quiet("21:30-07:30"))):
        assert await push_hints(at(2026, 11, 16, 6, 0))
    waiting = await Outbox.filter(recipient=WANG).first()
    assert waiting
    assert (waiting.due_at, waiting.quiet) == (at(2026, 11, 16, 7, 30), True)


async def test_whoever_is_away_is_stood_in_for(orm: None):
    await complaints(8)
    wang, liu = await Staff.get(name="王芳"), await Staff.get(name="刘洋")
    await Staff.filter(id=liu.id).update(openid="o_liu")
    await Absence.create(staff_id=wang.id, deputy_id=liu.id, starts_at=MORNING - DAY, ends_at=MORNING + DAY)
    await push_hints(MORNING)
    assert await told(WANG) == []
    assert len(await told("o_liu")) == 1


async def test_two_schedulers_alive_tell_each_hint_once(orm: None):
    await complaints(8)
    schedulers = [start_scheduler(Inbox(_nobody, _nobody), now=lambda: MORNING, silence=7 * DAY) for _ in range(2)]
    try:
        ran: list[int] = []
        for scheduler in schedulers:
            scheduler.add_listener(lambda event: ran.append(1) if event.job_id == "tell of hot spots" else None)
            scheduler.modify_job("tell of hot spots", next_run_time=datetime.now(UTC))
        await eventually(lambda: len(ran) >= 6)  # each: changed, submitted, executed
    finally:
        for scheduler in schedulers:
            scheduler.shutdown(wait=False)
    assert len(await told(WANG)) == 1
    assert len(await told(LI)) == 1


async def test_many_at_once_tell_each_hint_once(orm: None):
    await complaints(8)
    assert sum(await asyncio.gather(*(push_hints(MONDAY) for _ in range(5)))) == 2


async def _nobody(*_: object) -> None:
    raise AssertionError("no message was sent")


async def test_it_arrives_on_the_phone_and_leads_to_the_cases(town: Town):
    await town.say(WANG, "待办")
    await complaints(8, now=town.clock())
    await push_hints(town.clock())
    await town.deliver()
    assert "第一网格 垃圾满溢：近 7 天 8 人反映" in town.last(WANG)
    assert "1 第一网格 垃圾满溢" in await town.say(WANG, "热点")


async def test_who_has_not_written_for_days_gets_it_as_a_template_notice(town: Town):
    await town.say(WANG, "待办")
    town.clock.advance(3 * DAY)
    await complaints(8, now=town.clock())
    await push_hints(town.clock())
    await town.deliver()
    job = await Outbox.filter(recipient=WANG).order_by("-id").first()
    assert job is not None
    assert (job.channel, job.error) == ("template", "对方超过 48 小时没有互动；对方没有同意订阅通知")
