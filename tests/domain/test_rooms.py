"""网格群: who sits in a room, what each of them reads, and what may be done with what was said."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from domain import room_messages, rooms, screening
from domain.people import Person, find_person, join_grid
from domain.room_messages import entries, post, recall, remove
from domain.room_words import Words
from errors import BadRequest, Conflict, LinliError, NotAllowed, NotFound
from models.accounts import Upload
from models.audit import AuditEvent
from models.enums import MessageKind, MessageState, OutboxKind, RoomKind, UploadKind
from models.messaging import Outbox
from models.people import Area, Resident, Staff
from models.rooms import Review, Room, RoomMessage, RoomSeat
from tests.domain.neighbours import FAR, SECOND, first_room, neighbour, officer, words
from tests.town import Clock

pytestmark = pytest.mark.usefixtures("orm")

INSULT, PHONE = "你这个傻逼", "找我就打13812345678"


async def said(person: Person, room: Room, text: str, clock: Clock) -> int:
    return (await post(person, room.id, words(text), clock())).id


async def texts(person: Person, room: Room) -> list[str]:
    return [entry.text for entry in await entries(person, room.id)]


async def test_neighbours_and_their_grid_worker_read_one_another_in_order(clock: Clock):
    chen, zhao, wang = await neighbour("chen", clock()), await neighbour("zhao", clock()), await officer("G001")
    room = await first_room()
    for person, text in ((chen, "东门的垃圾又满了"), (zhao, "对，都招苍蝇了"), (wang, "我下午去看看")):
        await said(person, room, text, clock)
    read = await entries(zhao, room.id)
    assert [(entry.seq, entry.text) for entry in read] == [
        (1, "东门的垃圾又满了"),
        (2, "对，都招苍蝇了"),
        (3, "我下午去看看"),
    ]
    assert [entry.staff for entry in read] == [False, False, True]
    assert read[2].author == "网格员王芳"
    assert [mark.label for mark in read[2].badges] == ["网格员"]
    assert read[0].author.startswith("邻居")
    assert len({entry.handle for entry in read}) == 3


@pytest.mark.parametrize("code", ["G001", "S001", "J001", "Q001", "C001", "B001", "B021", "B101"])
async def test_the_grids_worker_its_superiors_and_the_departments_above_it_sit_in(code: str, clock: Clock):
    officer_there = await officer(code)
    room = await first_room()
    assert (await rooms.access_room(officer_there, room.id)).id == room.id
    assert room.id in [line.id for line in await rooms.my_rooms(officer_there)]
    assert officer_there.post
    assert officer_there.post.id in [post.id for post in await rooms.members_on_duty(room.id)]


@pytest.mark.parametrize("code", ["G002", "G011", "S002"])
async def test_other_grids_and_communities_have_no_such_room(code: str, clock: Clock):
    stranger = await officer(code)
    room = await first_room()
    with pytest.raises(NotFound):
        await rooms.access_room(stranger, room.id)
    assert room.id not in [line.id for line in await rooms.my_rooms(stranger)]
    assert stranger.post
    assert stranger.post.id not in [post.id for post in await rooms.members_on_duty(room.id)]


async def test_a_foreign_room_answers_exactly_as_one_that_does_not_exist(clock: Clock):
    room, far = await first_room(), await neighbour("far", clock(), FAR)
    for attempt in (rooms.access_room(far, room.id), entries(far, room.id), post(far, room.id, words("您好"), clock())):
        with pytest.raises(NotFound) as foreign:
            await attempt
        with pytest.raises(NotFound) as absent:
            await rooms.access_room(far, 999_999)
        assert foreign.value.say == absent.value.say
    assert await RoomMessage.all().count() == 0


async def test_who_moves_to_another_grid_leaves_the_room(clock: Clock):
    chen, room = await neighbour("chen", clock()), await first_room()
    await said(chen, room, "我要搬走了", clock)
    await join_grid(chen, clock(), code=SECOND)
    moved = await find_person(chen.openid, clock())
    with pytest.raises(NotFound):
        await entries(moved, room.id)
    assert [line.name for line in await rooms.my_rooms(moved)] == ["东亭社区第二网格"]


async def test_staff_who_live_in_another_grid_are_a_neighbour_there(clock: Clock):
    lives = await neighbour("wang", clock(), FAR)
    await Staff.filter(code="G001").update(openid=lives.openid)
    both = await find_person(lives.openid, clock())
    at_home = await post(both, (await first_room(FAR)).id, words("楼下好吵"), clock())
    on_duty = await post(both, (await first_room()).id, words("我是网格员"), clock())
    assert (at_home.staff, at_home.by) == (False, f"resident:{both.resident_id}")
    assert (on_duty.staff, on_duty.author) == (True, "网格员王芳")


async def test_a_nickname_is_shown_and_never_more_than_that(clock: Clock):
    chen, zhao, room = await neighbour("chen", clock()), await neighbour("zhao", clock()), await first_room()
    await Resident.filter(id=chen.resident_id).update(nickname="三栋老陈", name="陈建国", phone="13800001111")
    await said(chen, room, "早上好", clock)
    [entry] = await entries(zhao, room.id)
    assert entry.author == "三栋老陈"
    assert not {"陈建国", "13800001111", chen.openid} & {str(value) for value in (entry.author, entry.text, entry.data)}


async def test_a_nickname_taken_away_is_gone_from_what_was_said_before(clock: Clock):
    chen, zhao, room = await neighbour("chen", clock()), await neighbour("zhao", clock()), await first_room()
    await Resident.filter(id=chen.resident_id).update(nickname="三栋老陈")
    slip = await said(chen, room, "说错了", clock)
    await recall(chen, slip, clock())
    assert {entry.author for entry in await entries(zhao, room.id)} == {"三栋老陈"}
    await Resident.filter(id=chen.resident_id).update(nickname="")
    assert not await RoomMessage.filter(author="三栋老陈").exists()
    assert {entry.author[:2] for entry in await entries(zhao, room.id)} == {"邻居"}
    await Resident.filter(id=chen.resident_id).update(deleted_at=clock())
    assert {entry.author for entry in await entries(zhao, room.id)} == {"已注销"}


async def test_one_client_id_is_one_entry_however_often_it_is_sent(clock: Clock):
    chen, room = await neighbour("chen", clock()), await first_room()
    first = await post(chen, room.id, words("停水了吗", "c1"), clock())
    again = await post(chen, room.id, words("停水了吗", "c1"), clock())
    other = await post(await neighbour("zhao", clock()), room.id, words("停水了吗", "c1"), clock())
    assert again.id == first.id
    assert [entry.seq for entry in await entries(chen, room.id)] == [1, 2]
    assert other.id != first.id


async def test_who_was_away_asks_for_what_came_after_the_last_number_they_have(clock: Clock):
    chen, room = await neighbour("chen", clock()), await first_room()
    for number in range(1, 8):
        await said(chen, room, f"第{number}句", clock)
    assert [entry.seq for entry in await entries(chen, room.id, after=4)] == [5, 6, 7]
    assert [entry.seq for entry in await entries(chen, room.id, after=2, limit=2)] == [3, 4]
    assert [entry.seq for entry in await entries(chen, room.id, before=4, limit=2)] == [2, 3]
    assert [entry.seq for entry in await entries(chen, room.id, limit=3)] == [5, 6, 7]
    assert await entries(chen, room.id, after=7) == []


async def test_what_was_taken_back_is_gone_and_who_was_away_learns_of_it(clock: Clock):
    chen, zhao, room = await neighbour("chen", clock()), await neighbour("zhao", clock()), await first_room()
    slip = await said(chen, room, "发错群了", clock)
    clock.advance(timedelta(minutes=2))
    await recall(chen, slip, clock())
    [left] = await entries(zhao, room.id, after=1)
    assert (left.seq, left.kind, left.target) == (2, MessageKind.RECALL, slip)
    for person in (chen, zhao, await officer("G001")):
        first = (await entries(person, room.id))[0]
        assert (first.state, first.text) == (MessageState.RECALLED, "")
    assert not await RoomMessage.filter(text="发错群了").exists()
    await recall(chen, slip, clock())
    assert len(await entries(zhao, room.id)) == 2


async def test_after_two_minutes_it_stays(clock: Clock):
    chen, room = await neighbour("chen", clock()), await first_room()
    slip = await said(chen, room, "说出去的话", clock)
    clock.advance(timedelta(minutes=2, seconds=1))
    with pytest.raises(Conflict) as refused:
        await recall(chen, slip, clock())
    assert "网格员" in refused.value.say
    assert await texts(chen, room) == ["说出去的话"]


async def test_nobody_takes_back_what_somebody_else_said(clock: Clock):
    chen, room = await neighbour("chen", clock()), await first_room()
    message = await said(chen, room, "是我说的", clock)
    for person, error in (
        (await neighbour("zhao", clock()), NotAllowed),
        (await officer("G001"), NotAllowed),
        (await neighbour("far", clock(), FAR), NotFound),
    ):
        with pytest.raises(error):
            await recall(person, message, clock())
    assert await texts(chen, room) == ["是我说的"]


async def test_what_staff_removed_is_read_by_its_sender_and_staff_alone(clock: Clock):
    chen, zhao, wang = await neighbour("chen", clock()), await neighbour("zhao", clock()), await officer("G001")
    room = await first_room()
    message = await said(chen, room, "便宜卖烟花", clock)
    await remove(wang, message, "群里不卖东西", clock())
    assert await texts(zhao, room) == ["", ""]
    assert (await texts(chen, room))[0] == (await texts(wang, room))[0] == "便宜卖烟花"
    [own, notice] = await entries(chen, room.id)
    assert (own.state, own.why) == (MessageState.REMOVED, "群里不卖东西")
    assert (notice.kind, notice.target, notice.author) == (MessageKind.REMOVAL, message, "网格员王芳")
    assert (await entries(zhao, room.id))[0].why == ""
    assert await AuditEvent.filter(tag="room_message:remove", object_id=message).count() == 1
    with pytest.raises(Conflict):
        await remove(wang, message, "群里不卖东西", clock())


@pytest.mark.parametrize(
    ("who", "error"), [("zhao", NotAllowed), ("B021", NotAllowed), ("G002", NotFound), ("S002", NotFound)]
)
async def test_only_the_staff_of_the_grid_and_above_remove(who: str, error: type[LinliError], clock: Clock):
    room = await first_room()
    message = await said(await neighbour("chen", clock()), room, "楼下好吵", clock)
    person = await neighbour(who, clock()) if who == "zhao" else await officer(who)
    with pytest.raises(error):
        await remove(person, message, "不喜欢", clock())
    assert (await RoomMessage.get(id=message)).state is MessageState.SHOWN


async def test_a_grid_worker_corrects_no_superior(clock: Clock):
    wang, li, room = await officer("G001"), await officer("S001"), await first_room()
    above, below = await said(li, room, "明天停水", clock), await said(wang, room, "后天停水", clock)
    with pytest.raises(NotAllowed):
        await remove(wang, above, "不对", clock())
    assert (await remove(li, below, "不对", clock())).state is MessageState.REMOVED


async def test_what_is_shown_again_comes_whole_under_a_new_number(clock: Clock):
    chen, zhao, room = await neighbour("chen", clock()), await neighbour("zhao", clock()), await first_room()
    message = await said(chen, room, "物业不作为", clock)
    await room_messages.hide(message, "有人投诉", clock())
    assert (await entries(zhao, room.id))[0].text == ""
    await room_messages.show(message, clock())
    [first, _, returned] = await entries(zhao, room.id)
    assert (first.text, first.why) == ("物业不作为", "")
    assert (returned.kind, returned.seq, returned.target) == (MessageKind.RETURN, 3, message)
    assert returned.data["message"]["text"] == "物业不作为"
    await room_messages.hide(message, "再次投诉", clock())
    assert "物业不作为" not in str(await entries(zhao, room.id))


async def test_unsure_words_wait_for_staff_and_are_numbered_when_they_are_shown(clock: Clock):
    chen, zhao, room = await neighbour("chen", clock()), await neighbour("zhao", clock()), await first_room()
    waiting = await post(chen, room.id, words(PHONE), clock())
    await said(zhao, room, "收到", clock)
    assert (waiting.seq, waiting.state, waiting.why) == (None, MessageState.REVIEW, "含有手机号码")
    assert await texts(zhao, room) == ["收到"]
    assert [entry.text for entry in await room_messages.waiting(chen, room.id)] == [PHONE]
    assert await room_messages.waiting(zhao, room.id) == []
    assert await Review.filter(message_id=waiting.id, outcome="open", kind="words").count() == 1
    clock.advance(timedelta(hours=1))
    shown = await room_messages.show(waiting.id, clock())
    assert (shown.seq, shown.at) == (2, clock())
    assert await texts(zhao, room) == ["收到", PHONE]
    assert (await room_messages.show(waiting.id, clock())).seq == 2


async def test_an_insult_is_refused_and_can_be_shown_after_an_appeal(clock: Clock):
    chen, zhao, room = await neighbour("chen", clock()), await neighbour("zhao", clock()), await first_room()
    refused = await post(chen, room.id, words(INSULT), clock())
    assert (refused.seq, refused.state) == (None, MessageState.REFUSED)
    assert "辱骂" in refused.why
    assert await texts(zhao, room) == []
    assert (await room_messages.show(refused.id, clock())).state is MessageState.SHOWN


async def test_staff_may_name_a_telephone_but_insult_nobody(clock: Clock):
    wang, room = await officer("G001"), await first_room()
    assert (await post(wang, room.id, words(PHONE), clock())).state is MessageState.SHOWN
    assert (await post(wang, room.id, words(INSULT), clock())).state is MessageState.REFUSED


async def test_to_the_grid_worker_alone_anything_can_be_said(clock: Clock):
    chen = await neighbour("chen", clock())
    room = await rooms.private_room(chen, clock())
    said_privately = await post(chen, room.id, words(f"他骂我{INSULT}"), clock())
    assert (said_privately.seq, said_privately.state) == (1, MessageState.SHOWN)
    [flagged] = await entries(await officer("G001"), room.id)
    assert "辱骂" in flagged.why


async def test_where_a_platform_is_asked_residents_wait_for_its_answer_and_staff_do_not(clock: Clock):
    chen, wang, room = await neighbour("chen", clock()), await officer("G001"), await first_room()
    with screening.use(lambda kind, text: True):
        mine = await post(chen, room.id, words("明天聚餐"), clock())
        theirs = await post(wang, room.id, words("明天停水"), clock())
    assert (mine.seq, mine.state) == (None, MessageState.CHECKING)
    assert (theirs.seq, theirs.state) == (1, MessageState.SHOWN)
    [job] = await Outbox.filter(kind=OutboxKind.CHECK)
    assert job.payload == {"message": mine.id}
    await room_messages.settle(mine.id, MessageState.REVIEW, "没有等到审核结果", clock())
    assert (await room_messages.waiting(chen, room.id))[0].why == "没有等到审核结果"


async def test_what_its_sender_took_back_while_it_waited_never_appears(clock: Clock):
    chen, zhao, room = await neighbour("chen", clock()), await neighbour("zhao", clock()), await first_room()
    waiting = await post(chen, room.id, words(PHONE), clock())
    clock.advance(timedelta(hours=3))
    await recall(chen, waiting.id, clock())
    assert (await room_messages.show(waiting.id, clock())).state is MessageState.RECALLED
    assert await entries(zhao, room.id) == []
    assert await Review.filter(outcome="open").count() == 0
    assert (await Room.get(id=room.id)).last_seq == 0


async def test_what_waits_is_nobody_elses_to_find(clock: Clock):
    chen, zhao, room = await neighbour("chen", clock()), await neighbour("zhao", clock()), await first_room()
    waiting = await post(chen, room.id, words(PHONE), clock())
    with pytest.raises(NotFound):
        await room_messages.access_message(zhao, waiting.id)
    assert (await room_messages.access_message(await officer("G001"), waiting.id)).text == PHONE
    with pytest.raises(BadRequest):
        await post(zhao, room.id, words("回你一句", reply_to=waiting.id), clock())


async def test_who_is_muted_reads_but_does_not_speak_until_it_ends(clock: Clock):
    chen, room = await neighbour("chen", clock()), await first_room()
    await said(chen, room, "刷屏", clock)
    until = clock() + timedelta(hours=1)
    await RoomSeat.filter(who=f"resident:{chen.resident_id}").update(muted_until=until, muted_why="刷屏")
    with pytest.raises(NotAllowed) as refused:
        await said(chen, room, "再刷", clock)
    assert "刷屏" in refused.value.say
    assert "申诉" in refused.value.say
    assert await texts(chen, room) == ["刷屏"]
    private = await rooms.private_room(chen, clock())
    await said(chen, private, "为什么禁言我", clock)
    clock.advance(timedelta(hours=1))
    await said(chen, room, "抱歉", clock)
    assert await texts(chen, room) == ["刷屏", "抱歉"]


async def test_announcements_are_the_staffs(clock: Clock):
    room, chen, police = await first_room(), await neighbour("chen", clock()), await officer("B021")
    announcement = words("今晚八点停水", kind=MessageKind.ANNOUNCEMENT)
    made = await post(police, room.id, announcement, clock())
    assert (made.kind, [mark.label for mark in made.badges]) == (MessageKind.ANNOUNCEMENT, ["水果湖派出所"])
    with pytest.raises(NotAllowed):
        await post(chen, room.id, announcement, clock())
    assert await AuditEvent.filter(tag="room:announce", object_id=room.id).count() == 1


@pytest.mark.parametrize(
    "given",
    [
        Words(MessageKind.TEXT, " \n\x00", "c"),
        Words(MessageKind.TEXT, "长" * 2001, "c"),
        Words(MessageKind.TEXT, "没有名字", ""),
        Words(MessageKind.TEXT, "名字太长", "c" * 65),
        Words(MessageKind.TEXT, "名字看不见", "c\x00"),
        Words(MessageKind.CASE, "冒充系统", "c"),
        Words(MessageKind.RECALL, "冒充撤回", "c"),
        Words(MessageKind.LOCATION, "", "c", data={"latitude": "30", "longitude": 114}),
        Words(MessageKind.LOCATION, "", "c", data={"latitude": 91.0, "longitude": 114.0}),
        Words(MessageKind.IMAGE, "", "c", data={"upload": "../../etc/passwd"}),
        Words(MessageKind.IMAGE, "", "c", data={"upload": str(uuid4())}),
        Words(MessageKind.TEXT, "提到谁", "c", data={"mentions": ["m999999"]}),
        Words(MessageKind.TEXT, "提到谁", "c", data={"mentions": ["resident:1"]}),
        Words(MessageKind.TEXT, "提到谁", "c", data={"mentions": ["m" + "9" * 30]}),
        Words(MessageKind.TEXT, "提到谁", "c", data={"mentions": ["m１"]}),
        Words(MessageKind.TEXT, "提到谁", "c", data={"mentions": "助手"}),
        Words(MessageKind.TEXT, "回复谁", "c", reply_to=999_999),
    ],
)
async def test_what_no_room_takes_is_refused_with_a_reason_and_leaves_nothing(given: Words, clock: Clock):
    chen, room = await neighbour("chen", clock()), await first_room()
    with pytest.raises(BadRequest) as refused:
        await post(chen, room.id, given, clock())
    assert refused.value.say
    assert await RoomMessage.all().count() == 0
    assert (await Room.get(id=room.id)).last_seq == 0


async def test_text_is_kept_as_typed_and_means_nothing_but_itself(clock: Clock):
    chen, room = await neighbour("chen", clock()), await first_room()
    typed = "<script>alert('一')</script> & \"二\"\n第二行"
    await post(chen, room.id, words(f"  {typed}\x00\u202e ", "c1"), clock())
    assert await texts(chen, room) == [typed]


async def test_a_picture_is_its_senders_own_upload(clock: Clock):
    chen, zhao, room = await neighbour("chen", clock()), await neighbour("zhao", clock()), await first_room()
    upload = await Upload.create(
        id=uuid4(),
        owner=chen.actor,
        kind=UploadKind.IMAGE,
        path="a",
        content_type="image/jpeg",
        size=1,
        digest="0" * 64,
        created_at=clock(),
    )
    picture = Words(MessageKind.IMAGE, "", "p1", data={"upload": str(upload.id), "owner": "resident:1"})
    with pytest.raises(BadRequest):
        await post(zhao, room.id, picture, clock())
    with pytest.raises(BadRequest):
        await post(chen, room.id, Words(MessageKind.VOICE, "", "p2", data={"upload": str(upload.id)}), clock())
    assert (await post(chen, room.id, picture, clock())).data == {"upload": str(upload.id)}


async def test_the_grid_worker_reads_what_a_message_seems_to_want_and_neighbours_do_not(clock: Clock):
    chen, zhao, wang = await neighbour("chen", clock()), await neighbour("zhao", clock()), await officer("G001")
    room = await first_room()
    await said(chen, room, "3栋2单元楼道灯坏了好几天了", clock)
    await said(zhao, room, "大家早上好", clock)
    [report, greeting] = await entries(wang, room.id)
    assert report.intent == "report"
    assert report.hint
    assert (report.hint["subject"], report.hint["place"]) == ("楼道照明损坏", "3栋2单元楼道")
    assert greeting.hint is None
    for person in (chen, zhao):
        assert [(entry.hint, entry.intent) for entry in await entries(person, room.id)] == [(None, ""), (None, "")]


async def test_an_answer_by_somebody_on_duty_is_remembered(clock: Clock):
    chen, zhao, wang = await neighbour("chen", clock()), await neighbour("zhao", clock()), await officer("G001")
    room = await first_room()
    question = await said(chen, room, "居住证在哪里办", clock)
    await post(zhao, room.id, words("我也想知道", reply_to=question), clock())
    assert (await RoomMessage.get(id=question)).answered_at is None
    await post(wang, room.id, words("派出所一楼", reply_to=question), clock())
    assert (await RoomMessage.get(id=question)).answered_at == clock()


async def test_a_list_of_rooms_says_what_is_new_in_each(clock: Clock):
    chen, zhao, room = await neighbour("chen", clock()), await neighbour("zhao", clock()), await first_room()
    for text in ("一", "二", "三"):
        await said(zhao, room, text, clock)
    await said(chen, room, "四", clock)
    [line] = await rooms.my_rooms(chen)
    assert (line.name, line.last_seq, line.unread) == ("东亭社区第一网格", 4, 3)
    await room_messages.mark_read(chen, room.id, 2)
    assert [(line.read_seq, line.unread) for line in await rooms.my_rooms(chen)] == [(2, 1)]


async def test_a_read_position_never_goes_back_nor_past_the_newest_entry(clock: Clock):
    chen, room = await neighbour("chen", clock()), await first_room()
    for text in ("一", "二", "三"):
        await said(chen, room, text, clock)
    assert [await room_messages.mark_read(chen, room.id, seq) for seq in (2, 1, 99)] == [2, 2, 3]


async def test_a_private_room_is_the_residents_their_grid_workers_and_their_communitys(clock: Clock):
    chen = await neighbour("chen", clock())
    room = await rooms.private_room(chen, clock())
    assert room.kind is RoomKind.PRIVATE
    assert [post.name for post in await rooms.members_on_duty(room.id)] == ["王芳", "李主任"]
    for code in ("G001", "S001"):
        person = await officer(code)
        assert (await rooms.private_room(person, clock(), resident_id=chen.resident_id)).id == room.id
        assert room.id in [line.id for line in await rooms.my_rooms(person)]
    strangers = [await neighbour("zhao", clock()), *[await officer(code) for code in ("G002", "J001", "B001", "C001")]]
    for person in strangers:
        with pytest.raises(NotFound):
            await rooms.access_room(person, room.id)
        with pytest.raises(NotFound):
            await rooms.private_room(person, clock(), resident_id=chen.resident_id)
        assert room.id not in [line.id for line in await rooms.my_rooms(person)]


async def test_a_refused_private_room_leaves_no_room(clock: Clock):
    chen = await neighbour("chen", clock())
    with pytest.raises(NotFound):
        await rooms.private_room(await officer("G002"), clock(), resident_id=chen.resident_id)
    assert await Room.filter(kind=RoomKind.PRIVATE).count() == 0


async def test_without_a_grid_there_is_no_room_and_it_is_said_what_to_do(clock: Clock):
    nowhere = await find_person("o_nowhere", clock())
    assert await rooms.my_rooms(nowhere) == []
    with pytest.raises(BadRequest) as refused:
        await rooms.private_room(nowhere, clock())
    assert "网格" in refused.value.say


async def test_there_is_no_room_for_what_is_no_grid():
    community = await Area.get(code="429906001001")
    with pytest.raises(NotFound):
        await rooms.room_of_grid(community.id)


async def test_the_systems_entries_are_written_once_under_their_name(clock: Clock):
    chen, room = await neighbour("chen", clock()), await first_room()
    question = await said(chen, room, "灯坏了", clock)
    made = [
        await room_messages.append(
            room.id, MessageKind.CASE, "已转为事件 0044", clock(), reply_to=question, client_id="case:44:accept"
        )
        for _ in range(2)
    ]
    assert made[0].id == made[1].id
    assert [(entry.author, entry.reply_to) for entry in await entries(chen, room.id, after=1)] == [("助手", question)]
