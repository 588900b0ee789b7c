"""转为事件: what is said in a room becomes one case, by staff or by itself, and the room reads what becomes of it."""

from __future__ import annotations

import asyncio

import pytest

from bot.outbox import Job
from domain import casework, rating, room_cases, room_messages, rooms
from domain.people import Person, find_person
from domain.reports import Media
from domain.room_cases import Changes, ignore_hint, join_case, set_auto, to_case
from domain.room_messages import entries, post
from errors import BadRequest, Conflict, LinliError, NotAllowed, NotFound
from jobs.rooms import RoomWork
from models.audit import AuditEvent
from models.cases import Attachment, Case, CaseEvent, Follower
from models.enums import MessageKind, MessageState, Source, Status, Urgency
from models.messaging import Outbox
from models.people import Staff
from models.rooms import Room, RoomMessage
from tests.domain.grid_room import GAS, LAMP, QUARREL, RUBBISH, Grid
from tests.domain.neighbours import FAR, first_room, neighbour, officer, words
from tests.town import CHEN, LI, WANG


async def test_a_grid_worker_makes_a_case_of_a_message_and_the_room_reads_its_number_and_time(grid: Grid):
    said = await grid.say(grid.chen, RUBBISH)
    filed = await to_case(grid.wang, said.id, Changes(), grid.now, "api:1")
    assert (filed.case.category, filed.case.source, filed.case.description) == (
        "rubbish.overflow",
        Source.ROOM,
        RUBBISH,
    )
    assert filed.case.reporter_id == grid.chen.resident_id
    assert filed.holder
    [reply] = [entry for entry in await grid.read() if entry.kind is MessageKind.CASE]
    assert (reply.seq, reply.reply_to, reply.case_number) == (2, said.id, filed.case.number)
    assert reply.text.startswith(f"已转为事件 {filed.case.number[-4:]} 垃圾满溢，网格员王芳处理，最晚")
    assert (await grid.read())[0].case_number == filed.case.number
    assert await AuditEvent.filter(tag="room_message:file", object_id=said.id, actor=grid.wang.actor).count() == 1
    assert (await CaseEvent.filter(case_id=filed.case.id).order_by("id").first()).actor == "网格员王芳"


async def test_what_the_worker_put_right_goes_into_the_case(grid: Grid):
    said = await grid.say(grid.chen, "这里又这样了，没人管吗")
    changes = Changes(category="lighting.corridor", place="3栋2单元", text="3栋2单元楼道灯不亮", urgent=True)
    case = (await to_case(grid.wang, said.id, changes, grid.now)).case
    assert (case.category, case.place, case.urgency) == ("lighting.corridor", "3栋2单元", Urgency.URGENT)
    assert case.description == "3栋2单元楼道灯不亮"
    with pytest.raises(BadRequest):
        await to_case(grid.wang, (await grid.say(grid.chen, "又来了")).id, Changes(category="no.such"), grid.now)


async def test_a_message_becomes_one_case_however_many_try_at_once(grid: Grid):
    said = await grid.say(grid.chen, RUBBISH)
    tries = [to_case(person, said.id, Changes(), grid.now) for person in (grid.wang, grid.li) * 4]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, room_cases.Filed) for one in done) == 1
    assert sum(isinstance(one, Conflict) for one in done) == 7
    assert await Case.filter(source=Source.ROOM).count() == 1
    assert [entry.seq for entry in await grid.read()] == [1, 2]


async def test_cases_made_of_each_others_messages_at_once_do_not_block_one_another(grid: Grid):
    first, second = await grid.say(grid.chen, RUBBISH), await grid.say(grid.zhao, LAMP)
    done = await asyncio.gather(
        *(to_case(grid.wang, first.id, Changes(together=(second.id,)), grid.now) for _ in range(3)),
        *(to_case(grid.li, second.id, Changes(together=(first.id,)), grid.now) for _ in range(3)),
        return_exceptions=True,
    )
    assert all(isinstance(one, room_cases.Filed | Conflict) for one in done)
    assert await RoomMessage.filter(case_id=None, sender__startswith="resident:").count() == 0


@pytest.mark.parametrize(
    ("who", "error"), [("chen", NotAllowed), ("zhao", NotAllowed), ("B021", NotAllowed), ("G002", NotFound)]
)
async def test_residents_departments_and_other_grids_make_no_cases(grid: Grid, who: str, error: type[LinliError]):
    said = await grid.say(grid.chen, RUBBISH)
    person = await officer(who) if who[0].isupper() else getattr(grid, who)
    with pytest.raises(error):
        await to_case(person, said.id, Changes(), grid.now)
    assert await Case.filter(source=Source.ROOM).count() == 0


async def test_more_words_of_the_same_person_go_in_and_neighbours_who_agree_follow(grid: Grid):
    said, also = await grid.say(grid.chen, "你们看看"), await grid.say(grid.chen, RUBBISH)
    agrees = await grid.say(grid.zhao, "对啊，都招苍蝇了", reply_to=also.id)
    case = (await to_case(grid.wang, also.id, Changes(together=(said.id, agrees.id)), grid.now)).case
    assert case.description == f"你们看看\n{RUBBISH}"
    assert await Follower.filter(case_id=case.id, resident_id=grid.zhao.resident_id).count() == 1
    assert {row.case_id for row in await RoomMessage.filter(id__in=[said.id, also.id, agrees.id])} == {case.id}
    far = await neighbour("far", grid.now, FAR)
    elsewhere = await post(far, (await first_room(FAR)).id, words("我们这也是"), grid.now)
    with pytest.raises(BadRequest):
        await to_case(grid.wang, (await grid.say(grid.sun, LAMP)).id, Changes(together=(elsewhere.id,)), grid.now)


async def test_what_is_known_already_joins_by_its_number(grid: Grid):
    first = await to_case(grid.wang, (await grid.say(grid.chen, RUBBISH)).id, Changes(), grid.now)
    again = await grid.say(grid.zhao, "东门垃圾又堆起来了")
    filed = await join_case(grid.wang, again.id, first.case.number[-4:], grid.now)
    assert (filed.case.id, filed.joined, filed.case.joined) == (first.case.id, True, 1)
    assert await Follower.filter(case_id=filed.case.id, resident_id=grid.zhao.resident_id).count() == 1
    [answer] = await grid.answers(again.id)
    assert answer.startswith(f"这件事已有 {first.case.number[-4:]} 垃圾满溢")
    with pytest.raises(NotFound):
        await join_case(grid.wang, (await grid.say(grid.sun, LAMP)).id, "9999", grid.now)


async def test_the_room_hears_each_step_once_as_a_reply_to_the_message(grid: Grid):
    said = await grid.say(grid.chen, RUBBISH)
    case = (await to_case(grid.wang, said.id, Changes(), grid.now)).case
    holder = await _holder(case)
    number = case.number[-4:]
    await casework.sign(holder, case.id, grid.now)
    await casework.write_note(holder, case.id, "已联系环卫，下午来清", grid.now)
    await _dispose(grid, holder, case, "已清运，桶也换了，电话13812345678")
    await rating.confirm_solved(await _reporter(grid), case.id, grid.now)
    await grid.town.deliver()
    await grid.town.deliver()
    assert (await grid.answers(said.id))[1:] == [
        f"网格员王芳已接手 {number} 垃圾满溢。",
        f"{number} 垃圾满溢，网格员王芳：“已联系环卫，下午来清”",
        f"网格员王芳已处理 {number} 垃圾满溢：“已清运，桶也换了，电话***”",
        f"{number} 垃圾满溢 已办结，居民确认解决了。",
    ]
    seqs = [entry.seq for entry in await grid.read()]
    assert seqs == list(range(1, len(seqs) + 1))


async def test_of_what_is_nobody_elses_business_the_room_hears_the_status_alone(grid: Grid):
    said = await grid.say(grid.chen, QUARREL)
    case = (await to_case(grid.wang, said.id, Changes(category="noise.neighbour"), grid.now)).case
    holder = await _holder(case)
    await casework.sign(holder, case.id, grid.now)
    await casework.write_note(holder, case.id, "和楼上李先生谈过了", grid.now)
    await grid.town.deliver()
    spoken = await grid.answers(said.id)
    assert spoken[-1] == f"{holder.post.label}已接手 {case.number[-4:]}。"
    assert not any("李先生" in one or case.subject in one for one in spoken)


async def test_in_a_private_talk_the_resident_reads_everything(grid: Grid):
    room = await rooms.private_room(grid.chen, grid.now)
    said = await post(grid.chen, room.id, words(QUARREL), grid.now)
    case = (await to_case(grid.wang, said.id, Changes(category="noise.neighbour"), grid.now)).case
    await casework.write_note(await _holder(case), case.id, "和楼上谈过了", grid.now)
    await grid.town.deliver()
    assert "和楼上谈过了" in (await entries(grid.chen, room.id))[-1].text
    assert await grid.read() == []


async def test_nothing_is_said_of_a_message_that_others_do_not_see(grid: Grid):
    said = await grid.say(grid.chen, RUBBISH)
    hidden = await grid.say(grid.zhao, "3栋2单元楼道灯坏了，找我打13812345678")
    assert hidden.state is MessageState.REVIEW
    case = (await to_case(grid.wang, said.id, Changes(), grid.now)).case
    await room_messages.remove(grid.wang, said.id, "说错地方了", grid.now)
    other = (await to_case(grid.wang, hidden.id, Changes(), grid.now)).case
    before = await grid.answers()
    await casework.sign(await _holder(case), case.id, grid.now)
    await casework.sign(await _holder(other), other.id, grid.now)
    await grid.town.deliver()
    assert await grid.answers() == before
    assert len(before) == 1


async def test_what_was_taken_back_makes_no_case(grid: Grid):
    said = await grid.say(grid.chen, RUBBISH)
    await room_messages.recall(grid.chen, said.id, grid.now)
    with pytest.raises(Conflict):
        await to_case(grid.wang, said.id, Changes(), grid.now)


async def test_staff_say_that_a_hint_is_none(grid: Grid):
    said = await grid.say(grid.chen, RUBBISH)
    await ignore_hint(grid.wang, said.id, grid.now)
    assert (await RoomMessage.get(id=said.id)).hint["ignored"] is True
    assert await AuditEvent.filter(tag="room_message:ignore", object_id=said.id).count() == 1
    with pytest.raises(NotAllowed):
        await ignore_hint(grid.zhao, said.id, grid.now)


async def test_without_the_setting_a_report_stays_a_hint(grid: Grid):
    said = await grid.say(grid.chen, RUBBISH)
    assert await Case.filter(source=Source.ROOM).count() == 0
    hint = (await entries(grid.wang, grid.room.id))[0].hint
    assert hint
    assert hint["category"] == "rubbish.overflow"
    assert (await room_messages.access_message(grid.zhao, said.id)).hint is None


async def test_where_the_community_wants_it_clear_reports_open_a_case_by_themselves(grid: Grid):
    await set_auto(grid.li, grid.room.id, grid.now, on=True)
    said = await grid.say(grid.chen, RUBBISH)
    vague = await grid.say(grid.sun, "有点吵啊今天")
    chat = await grid.say(grid.zhao, "早上好各位邻居")
    case = await Case.get(source=Source.ROOM)
    assert (case.reporter_id, case.status) == (grid.chen.resident_id, Status.DISPATCHED)
    [answer] = await grid.answers(said.id)
    assert answer.startswith(f"已转为事件 {case.number[-4:]} 垃圾满溢，网格员王芳处理，最晚")
    assert await grid.answers(vague.id) == await grid.answers(chat.id) == []
    assert case.number[-4:] in grid.town.last(WANG)
    assert await AuditEvent.filter(tag="room:auto_on", object_id=grid.room.id).count() == 1


async def test_the_same_matter_of_a_neighbour_joins_and_of_the_same_person_is_answered(grid: Grid):
    await set_auto(grid.li, grid.room.id, grid.now, on=True)
    await grid.say(grid.chen, RUBBISH)
    neighbours = await grid.say(grid.zhao, "东门的垃圾桶满了没人收，好多苍蝇")
    own = await grid.say(grid.chen, "东门的垃圾桶还是满的，苍蝇乱飞")
    case = await Case.get(source=Source.ROOM)
    assert case.joined == 1
    assert "另一件" in (await grid.answers(neighbours.id))[0]
    [told] = await grid.answers(own.id)
    assert "已有" in told
    assert "另一件" not in told
    another = await grid.say(grid.zhao, "@助手 另一件 西门的垃圾桶也满了")
    assert await Case.filter(source=Source.ROOM).count() == 2
    assert (await grid.answers(another.id))[0].startswith("已转为事件")


async def test_only_the_community_and_above_let_rooms_open_cases(grid: Grid):
    for person in (grid.wang, grid.chen, await officer("B021")):
        with pytest.raises(NotAllowed):
            await set_auto(person, grid.room.id, grid.now, on=True)
    with pytest.raises(NotFound):
        await set_auto(await officer("S002"), grid.room.id, grid.now, on=True)
    assert (await Room.get(id=grid.room.id)).auto_case is False


async def test_a_danger_opens_an_urgent_case_in_every_room_with_advice(grid: Grid):
    said = await grid.say(grid.chen, GAS)
    more = await grid.say(grid.zhao, "3栋我也闻到煤气味了，越来越浓")
    case = await Case.get(source=Source.ROOM)
    assert case.urgency is Urgency.URGENT
    assert "关" in (await grid.answers(said.id))[0]
    assert case.number[4:] in (await grid.answers(said.id))[0]
    assert case.number[4:] in (await grid.answers(more.id))[0]
    assert any("紧急" in text for text in grid.town.heard(LI))
    assert "又有人说" in grid.town.last(WANG)
    await grid.say(grid.sun, "8栋2单元楼道里有很浓的煤气味")
    assert await Case.filter(source=Source.ROOM, urgency=Urgency.URGENT).count() == 2


async def test_danger_in_a_message_that_is_held_back_alarms_all_the_same_and_its_sender_alone_is_answered(grid: Grid):
    await grid.town.say(CHEN, "您好")
    chen = await find_person(CHEN, grid.now)
    held = await grid.say(chen, "3栋楼道着火了，快来人，我电话13812345678")
    assert (held.seq, held.state) == (None, MessageState.REVIEW)
    case = await Case.get(source=Source.ROOM)
    assert (case.urgency, case.reporter_id) == (Urgency.URGENT, chen.resident_id)
    assert await grid.read() == []
    assert case.number[4:] in grid.town.last(CHEN)
    assert any("紧急" in text for text in grid.town.heard(LI))
    await room_messages.show(held.id, grid.now)
    await grid.town.deliver()
    assert await Case.filter(source=Source.ROOM).count() == 1


async def test_a_room_job_done_twice_says_nothing_twice(grid: Grid):
    await set_auto(grid.li, grid.room.id, grid.now, on=True)
    await grid.say(grid.chen, RUBBISH)
    await grid.say(grid.zhao, "@助手 你会做什么")
    case = await Case.get(source=Source.ROOM)
    await casework.sign(await _holder(case), case.id, grid.now)
    await grid.town.deliver()
    before = len(await grid.read())
    for row in await Outbox.filter(kind="room").order_by("id"):
        job = Job(row.id, row.kind, row.recipient, row.case_id, row.payload, 2, 0, row.created_at)
        await RoomWork(now=grid.town.clock, sure=0.7)([job], lambda _job, _done: None)
    assert len(await grid.read()) == before
    assert await Case.filter(source=Source.ROOM).count() == 1


async def _holder(case: Case) -> Person:
    return await officer((await Staff.get(id=case.holder_id)).code)


async def _reporter(grid: Grid) -> Person:
    return grid.chen


async def _dispose(grid: Grid, holder: Person, case: Case, result: str) -> None:
    photo = Media("image", "m_result", path="x.jpg")
    await casework.dispose(holder, case.id, result, grid.now, media=[photo])
    assert await Attachment.filter(case_id=case.id, after=True).count() == 1


async def test_making_cases_and_answering_the_same_messages_at_once_never_stand_in_each_others_way(grid: Grid):
    said = [await post(grid.chen, grid.room.id, words(f"{number}栋楼道灯坏了"), grid.now) for number in range(1, 13)]
    replies = [post(grid.li, grid.room.id, words(f"{one.id} 去看", reply_to=one.id), grid.now) for one in said]
    made = [to_case(grid.wang, one.id, Changes(), grid.now) for one in said]
    await asyncio.gather(*(work for pair in zip(made, replies, strict=True) for work in pair))
    assert await Case.filter(source=Source.ROOM).count() == 12
    assert [entry.seq for entry in await grid.read()] == list(range(1, 37))


async def test_what_comes_from_another_platforms_group_is_a_hint_and_a_case_as_what_is_said_here(grid: Grid):
    came = await room_messages.append(
        grid.room.id, MessageKind.TEXT, RUBBISH, grid.now, sender="group:1", author="企业微信群"
    )
    hint = (await entries(grid.wang, grid.room.id))[0].hint
    assert hint
    assert hint["category"] == "rubbish.overflow"
    case = (await to_case(grid.wang, came.id, Changes(), grid.now)).case
    assert (case.reporter_id, case.category) == (None, "rubbish.overflow")
    assert (await grid.answers(came.id))[0].startswith(f"已转为事件 {case.number[-4:]}")
    alarm = await room_messages.append(
        grid.room.id, MessageKind.TEXT, GAS, grid.now, sender="group:1", author="企业微信群"
    )
    await grid.town.deliver()
    assert "已同时通知" in (await grid.answers(alarm.id))[0]
