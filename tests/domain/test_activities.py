"""活动: from the draft to the certificate; what is changed or called off is told; courses, refusals, the table."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from datetime import datetime, timedelta

import openpyxl
import pytest

from domain import activity_desk as desk
from domain import arrivals, bookings, certificates, sign_ups, volunteers
from domain.activities import find_activity, list_activities, list_looked_after
from domain.activity_desk import Changes, NewActivity, NewSession
from domain.booking_rounds import remind
from domain.booking_rules import Other
from domain.contacts import forget_contacts
from domain.drawn import draw
from domain.erasure import erase
from domain.linking import merge
from domain.personal_data import gather
from domain.slots import resize_slot
from domain.volunteers import my_time
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.bookings import Booking, Certificate, VolunteerTime
from models.database import fetch, from_json, transaction
from models.enums import ActivityState, BookingState, PlanKind
from tests.domain.neighbours import FAR, SECOND, neighbour, officer
from tests.domain.on_the_board import HOUR, announced, times
from tests.town import Clock

pytestmark = pytest.mark.usefixtures("orm")

DAY = timedelta(days=1)


async def told(openid: str) -> list[str]:
    """What waits for somebody, oldest first."""
    rows = await fetch("SELECT payload FROM outbox WHERE recipient = $1 ORDER BY id", openid)
    return [from_json(row["payload"])["text"] for row in rows]


async def test_a_draft_is_staffs_alone_and_what_is_open_is_seen_by_who_lives_there(clock: Clock):
    now = clock()
    staff, event = await announced(now, opened=False)
    near, same, far = [await neighbour(f"n{grid}", now, grid) for grid in ("429906001001001", SECOND, FAR)]
    assert await list_activities(near, now) == []
    with pytest.raises(NotFound):
        await find_activity(near, event.id)
    assert [one.id for one in await list_looked_after(staff, state="draft")] == [event.id]

    await desk.open_activity(staff, event.id, now)
    for person in (near, same):
        assert [(one.title, one.code) for one in await list_activities(person, now)] == [("重阳节包饺子", "")]
    assert await list_activities(far, now) == []
    with pytest.raises(NotFound):
        await find_activity(far, event.id)
    with pytest.raises(NotFound):
        await sign_ups.sign_up(far, event.id, now)
    opened = await find_activity(staff, event.id)
    assert (len(opened.code), opened.code.isdigit(), opened.state) == (4, True, ActivityState.OPEN)


async def test_lists_go_page_by_page_by_when_things_begin(clock: Clock):
    now, person = clock(), await neighbour("reads", clock())
    later = (await announced(now, 72, title="合唱"))[1]
    sooner = (await announced(now, 30, 100, title="义诊"))[1]
    await announced(now, 48, title="楼道清扫", kind=PlanKind.VOLUNTEER, minutes=120)
    first = await list_activities(person, now, limit=2)
    assert [one.title for one in first] == ["义诊", "楼道清扫"]
    assert [one.title for one in await list_activities(person, now, beyond=first[-1])] == ["合唱"]
    assert [one.title for one in await list_activities(person, now, kind="volunteer")] == ["楼道清扫"]
    # of what has two times the second can be signed up for when the first has begun; a course cannot be joined then
    soon, course = now + 31 * HOUR, (await announced(now, 30, 110, kind=PlanKind.COURSE, title="书法"))[1]
    assert [one.title for one in await list_activities(person, soon)] == ["楼道清扫", "合唱", "义诊"]
    assert (sooner.until, later.until, course.until) == (now + 100 * HOUR, now + 72 * HOUR, now + 30 * HOUR)


async def test_a_shift_from_signing_up_to_the_certificate(clock: Clock):
    now = clock()
    staff, event = await announced(now, 24, kind=PlanKind.VOLUNTEER, title="楼道清扫", minutes=120, seats=1)
    first, second = await neighbour("first", now), await neighbour("second", now)
    [seat] = await sign_ups.sign_up(first, event.id, now)
    with pytest.raises(Conflict, match="full"):
        await sign_ups.sign_up(second, event.id, now)
    [queued] = await sign_ups.sign_up(second, event.id, now, wait=True)
    assert (seat.state, queued.state) == (BookingState.BOOKED, BookingState.WAITING)
    await bookings.cancel(first, seat.id, now)
    assert "排到了：您约的楼道清扫" in (await told(second.openid))[-1]

    code = (await find_activity(staff, event.id)).code
    early = now + 22 * HOUR
    with pytest.raises(NotFound):
        await arrivals.arrive_by_code(second, code, early)
    begun = now + 24 * HOUR
    with pytest.raises(Conflict) as full:
        await arrivals.arrive_by_code(first, code, begun)
    assert "没有空位" in full.value.say
    came = await arrivals.arrive_by_code(second, code, begun)
    assert (came.id, came.state) == (queued.id, BookingState.ARRIVED)
    assert (await arrivals.arrive_by_code(second, code, begun)).state is BookingState.ARRIVED

    assert await volunteers.credit(begun) == 0
    over = now + 26 * HOUR
    assert sorted(await asyncio.gather(volunteers.credit(over), volunteers.credit(over))) == [0, 1]
    assert await volunteers.credit(over + DAY) == 0
    assert await desk.note_held(over) == 1
    assert (await find_activity(second, event.id)).state is ActivityState.HELD

    account = await volunteers.correct(staff, queued.id, -30, "提前走了", over)
    assert (account.minutes, account.times) == (90, 1)
    assert "减了 30 分钟：提前走了。\n您现在共有 1 小时 30 分钟" in (await told(second.openid))[-1]
    with pytest.raises(Conflict):
        await volunteers.correct(staff, queued.id, -91, "再减", over)
    mine = await my_time(second)
    assert [(one.what, one.minutes) for one in mine.rows] == [("更正 楼道清扫：提前走了", -30), ("楼道清扫", 120)]

    paper = await certificates.make_certificate(second, "李桂英", over, send=True)
    again = await certificates.make_certificate(second, "李桂英", over + DAY)
    assert (paper.number, paper.community, paper.minutes, paper.times) == (again.number, "东亭社区", 90, 1)
    checked = await certificates.check_certificate(paper.number.lower())
    assert (checked.name, checked.minutes, checked.starts_on) == ("李**", 90, paper.starts_on)
    assert (await draw(f"certificate:{paper.number}", "http://linli.test")).startswith(b"\x89PNG")
    with pytest.raises(NotFound):
        await certificates.own_certificate(first, paper.number)
    with pytest.raises(NotFound):
        await certificates.check_certificate("V" + "2" * 15)
    with pytest.raises(Conflict, match="no volunteer time"):
        await certificates.make_certificate(first, "王大明", over)
    with pytest.raises(BadRequest):
        await certificates.make_certificate(second, "=1+1", over)


async def test_who_comes_without_having_signed_up_gets_a_seat_that_is_free(clock: Clock):
    now = clock()
    staff, event = await announced(now, 24, seats=2)
    code, begun = (await find_activity(staff, event.id)).code, now + 24 * HOUR
    passing, far = await neighbour("passing", now), await neighbour("far", now, FAR)
    came, again = await asyncio.gather(*(arrivals.arrive_by_code(passing, code, begun) for _ in range(2)))
    assert came.id == again.id
    assert (came.state, came.note, came.by) == (BookingState.ARRIVED, "现场报名", passing.actor)
    assert (await arrivals.arrive_by_code(passing, code, begun)).id == came.id
    with pytest.raises(NotFound):
        await arrivals.arrive_by_code(far, code, begun)
    assert (await find_activity(staff, event.id)).sessions[0].taken == 1


async def test_staff_note_who_came_without_wechat_signed_up_or_not(clock: Clock):
    now, elder, other = clock(), Other("张奶奶", "13800001234"), Other("王爷爷", "13800005678")
    staff, event = await announced(now, 24, seats=1)
    person, begun = await neighbour("helps", now), now + 24 * HOUR
    [seat] = await sign_ups.sign_up(person, event.id, now, other=elder)
    with pytest.raises(Conflict, match="does not take place now"):
        await arrivals.bring(staff, event.id, elder, now)
    with pytest.raises(NotAllowed):
        await arrivals.bring(person, event.id, elder, begun)
    came = await arrivals.bring(staff, event.id, elder, begun)
    assert (came.id, came.state) == (seat.id, BookingState.ARRIVED)
    with pytest.raises(Conflict, match="no seat"):
        await arrivals.bring(staff, event.id, other, begun)
    await resize_slot(staff, came.slot_id, 2, now)
    assert (await arrivals.bring(staff, event.id, other, begun)).by == staff.actor
    assert (await find_activity(staff, event.id)).sessions[0].taken == 2


async def test_somebody_without_wechat_has_an_account_by_name_and_number_which_is_kept_while_they_help(clock: Clock):
    now = clock()
    staff, worker = await officer("S001"), await officer("G003")
    elder, seats = Other("李桂英", "13800001234", "邻居"), []
    for day in (1, 2):
        _, event = await announced(now, 24 * day, kind=PlanKind.VOLUNTEER, minutes=60)
        seats.append(await arrivals.bring(staff, event.id, elder, now + day * DAY))
    over = now + 3 * DAY
    assert sorted(await asyncio.gather(volunteers.credit(over), volunteers.credit(over))) == [0, 2]
    assert (await volunteers.correct(staff, seats[1].id, 30, "多留了半小时", over)).minutes == 150
    account = await volunteers.time_of_shift(staff, seats[1])
    assert account
    assert (account.minutes, account.times, [row.minutes for row in account.rows]) == (150, 2, [60, 30])
    with pytest.raises(NotFound):
        await volunteers.time_of_shift(worker, seats[0])
    assert await forget_contacts(over + 100 * DAY) == 0
    assert await forget_contacts(over + 800 * DAY) == 1
    assert not await fetch("SELECT FROM resident WHERE name = '李桂英'")
    assert (await fetch("SELECT sum(minutes)::int AS given FROM volunteer_time"))[0]["given"] == 150


async def test_a_correction_is_made_by_who_looks_after_the_shift_and_never_for_oneself(clock: Clock):
    now = clock()
    _, event = await announced(now, 24, kind=PlanKind.VOLUNTEER, minutes=60)
    person, other, over = await neighbour("gives", now), await neighbour("other", now), now + 3 * DAY
    [card] = await sign_ups.sign_up(person, event.id, now)
    community, elsewhere, worker = await officer("S001"), await officer("G003"), await officer("G001")
    with pytest.raises(Conflict):
        await volunteers.correct(community, card.id, 30, "还没开始", now)
    await Booking.filter(id=card.id).update(state=BookingState.MISSED)
    for stranger in (other, elsewhere, person, worker):
        with pytest.raises(NotFound):
            await volunteers.correct(stranger, card.id, 30, "给我加", over)
    with pytest.raises(NotAllowed):
        await volunteers.correct(replace(community, resident_id=person.resident_id), card.id, 30, "给我加", over)
    assert community.post
    at_desk = replace(community, post=replace(community.post, openid=person.openid))
    with pytest.raises(NotAllowed):
        await volunteers.correct(at_desk, card.id, 30, "给我加", over)
    assert (await volunteers.correct(community, card.id, 45, "签到漏了", over)).minutes == 45


async def test_who_signed_up_is_told_of_another_time_another_place_and_that_it_is_called_off(clock: Clock):
    now = clock()
    staff, event = await announced(now, 24, seats=1)
    comes, waits = await neighbour("comes", now), await neighbour("waits", now)
    await sign_ups.sign_up(comes, event.id, now)
    [queued] = await sign_ups.sign_up(waits, event.id, now, wait=True)
    [session] = event.sessions
    await Booking.all().update(reminded=[1440])
    await desk.change_session(staff, event.id, session.id, *times(now, 26, seats=2), now)
    assert "改了时间。\n现在是：明天（周六）12:00\n地点：社区活动室" in (await told(comes.openid))[-1]
    assert "排到了" in (await told(waits.openid))[-1]
    assert {tuple(one.reminded) for one in await Booking.all()} == {()}
    with pytest.raises(Conflict) as fewer:
        await desk.change_session(staff, event.id, session.id, *times(now, 26, seats=1), now)
    assert "已经有 2 人报上了" in fewer.value.say

    await desk.change_activity(staff, event.id, Changes(place="二楼大厅", words="下雨改期"), now)
    assert "改了地点。" in (await told(comes.openid))[-1]
    count = len(await told(comes.openid))
    await desk.change_activity(staff, event.id, Changes(words="自带伞"), now)
    assert len(await told(comes.openid)) == count

    with pytest.raises(BadRequest):
        await desk.cancel_activity(staff, event.id, " ", now)
    await desk.cancel_activity(staff, event.id, "暴雨", now)
    await desk.cancel_activity(staff, event.id, "暴雨", now)
    for person in (comes, waits):
        assert "取消了：暴雨" in (await told(person.openid))[-1]
    assert len(await told(comes.openid)) == count + 1
    assert (await Booking.get(id=queued.id)).state is BookingState.CANCELLED
    with pytest.raises(Conflict) as over:
        await sign_ups.sign_up(comes, event.id, now)
    assert "取消了：暴雨" in over.value.say
    assert await list_activities(comes, now) == []


async def test_a_reminder_of_the_old_time_that_waits_for_the_morning_never_goes_out(clock: Clock):
    now = clock()
    staff, event = await announced(now, 47)
    comes = await neighbour("comes", now)
    await sign_ups.sign_up(comes, event.id, now)
    now += timedelta(hours=36)
    assert await remind(now) == 1, "ten in the evening"
    await desk.change_session(staff, event.id, event.sessions[0].id, *times(now, 20), now)
    [only] = await told(comes.openid)
    assert "改了时间" in only
    assert await remind(now) == 0, "they have just been told of it"


async def test_a_course_is_taken_whole_or_not_at_all_and_other_activities_by_the_time_chosen(clock: Clock):
    now, elder = clock(), Other("张奶奶", "13800001234", "邻居")
    staff, course = await announced(now, 24, 48, 72, kind=PlanKind.COURSE, title="智能手机课", seats=1, waiting=0)
    person, late = await neighbour("learns", now), await neighbour("late", now)
    cards = await sign_ups.sign_up(person, course.id, now)
    assert [card.starts_at for card in cards] == [one.starts_at for one in course.sessions]
    await bookings.cancel(person, cards[0].id, now)
    with pytest.raises(Conflict):
        await sign_ups.sign_up(late, course.id, now)
    assert not await Booking.filter(resident_id=late.resident_id).exists()
    added = await desk.add_session(staff, course.id, *times(now, 96, seats=3), now)
    again = await sign_ups.sign_up(person, course.id, now)
    assert [card.slot_id for card in again] == [cards[0].slot_id, added]
    with pytest.raises(Conflict, match="session then"):
        await desk.add_session(staff, course.id, *times(now, 96), now)

    _, event = await announced(now, 24, 48)
    with pytest.raises(BadRequest, match="which session"):
        await sign_ups.sign_up(late, event.id, now)
    [card] = await sign_ups.sign_up(late, event.id, now, slot_id=event.sessions[1].id, other=elder)
    assert (card.who, card.number, card.by) == ("张**", "138****1234", late.actor)
    with pytest.raises(NotFound):
        await sign_ups.sign_up(late, event.id, now, slot_id=course.sessions[0].id)
    await desk.drop_session(staff, event.id, card.slot_id, "老师病了", now)
    assert "您给张**约的重阳节包饺子，后天（周日）10:00，取消了：老师病了" in (await told(late.openid))[-1]
    assert [one.id for one in (await find_activity(late, event.id)).ahead(now)] == [event.sessions[0].id]


async def test_the_list_is_for_who_looks_after_it_and_as_a_table_holds_no_formula(clock: Clock):
    now = clock()
    staff, event = await announced(now)
    person = await neighbour("signs", now)
    [card] = await sign_ups.sign_up(person, event.id, now, other=Other("李桂英", "13900001111"), note="=HYPERLINK(1)")
    listed = await sign_ups.list_sign_ups(staff, event.id)
    assert [(one.id, one.who, one.number) for one in listed] == [(card.id, "李**", "139****1111")]
    assert await sign_ups.list_sign_ups(staff, event.id, beyond=(card.starts_at, card.id)) == []
    far = await neighbour("far", now, FAR)
    for stranger, error in ((person, NotAllowed), (await officer("G003"), NotAllowed), (far, NotFound)):
        with pytest.raises(error):
            await sign_ups.sign_ups_book(stranger, event.id, now)
    name, book = await sign_ups.sign_ups_book(staff, event.id, now)
    sheet = openpyxl.load_workbook(io.BytesIO(book)).active
    cells = next(sheet.iter_rows(min_row=2))
    assert name == f"activity-{event.id}.xlsx"
    assert [cell.value for cell in cells][:6] == [
        "2026-11-21 10:00",
        "已约好",
        "李桂英",
        "13900001111",
        "家人",
        "=HYPERLINK(1)",
    ]
    assert {cell.data_type for cell in cells} <= {"s", "n"}


def _new(now: datetime, **more: object) -> NewActivity:
    return replace(NewActivity(PlanKind.ACTIVITY, "读书会", times(now, 24)), **more)


async def test_what_cannot_be_held_is_refused_with_a_sentence(clock: Clock):
    now, staff = clock(), await officer("S001")
    twice, endless = times(now, 24, 24), [NewSession(now + DAY, now + 3 * DAY, 5)]
    refused = {
        "活动名称": {"title": " 茶 "},
        "至少一个时间": {"sessions": []},
        "开始时间一样": {"sessions": twice},
        "之后、一年之内": {"sessions": times(now, -1)},
        "一场最长 24 小时": {"sessions": endless},
        "名额要在": {"sessions": times(now, 24, seats=0)},
        "只有志愿服务记时长": {"minutes": 60},
        "报名截止": {"until": now + 2 * DAY},
        "活动、课程或志愿服务": {"kind": PlanKind.COUNTER},
    }
    for sentence, wrong in refused.items():
        with pytest.raises(BadRequest) as error:
            await desk.create_activity(staff, _new(now, **wrong), now)
        assert sentence in error.value.say
    with pytest.raises(NotFound):
        await desk.create_activity(staff, _new(now, area_code=FAR), now)
    with pytest.raises(NotAllowed):
        await desk.create_activity(await neighbour("wants", now), _new(now), now)
    made = await desk.create_activity(staff, _new(now, area_code="429906001001001"), now)
    with pytest.raises(Conflict):
        await desk.open_activity(staff, made, now + 2 * DAY)


async def test_forgetting_and_joining_people_takes_time_and_certificates_along(clock: Clock):
    now = clock()
    _, event = await announced(now, 1, kind=PlanKind.VOLUNTEER, minutes=60)
    gone, stays = await neighbour("gone", now), await neighbour("stays", now)
    [card] = await sign_ups.sign_up(gone, event.id, now)
    await bookings.arrive(card, now + HOUR, "staff:1")
    over = now + 4 * HOUR
    await volunteers.credit(over)
    paper = await certificates.make_certificate(gone, "李桂英", over)
    package = await gather(gone, over)
    assert [row["minutes"] for row in package.volunteer_time] == [60]
    assert [row["number"] for row in package.certificates] == [paper.number]
    async with transaction():
        await merge(gone.resident_id, stays.resident_id, over)
    assert (await my_time(stays)).minutes == 60
    assert (await certificates.own_certificate(stays, paper.number)).name == "李桂英"
    await erase(stays, over)
    assert await Certificate.all().count() == 0
    assert [row.minutes for row in await VolunteerTime.all()] == [60]
    with pytest.raises(NotFound):
        await certificates.check_certificate(paper.number)
