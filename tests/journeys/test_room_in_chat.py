"""网格群 for who only chats: into the room and out again, what comes back, in how many messages, and private talk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from domain import casework, consents, rooms, uploads
from domain.erasure import erase
from domain.people import Person, find_person, join_grid
from domain.room_cases import Changes, to_case
from domain.room_messages import mark_read, post, recall, remove
from domain.room_words import Words
from models.accounts import PurposeConsent, Upload
from models.audit import AuditEvent
from models.cases import Case
from models.database import fetch
from models.enums import MessageKind, MessageState, Purpose, UploadKind
from models.messaging import Outbox
from models.people import Resident
from models.rooms import RelayLine, Room, RoomMessage, RoomSeat
from tests.domain.neighbours import FIRST, SECOND, first_room, neighbour, officer
from tests.town import CHEN, LI, PNG, WANG, Town

SCAN = f"grid:{FIRST}"


async def goes_in(town: Town, openid: str = CHEN) -> str:
    """Scans the grid's code, agrees and goes in; gives the last answer."""
    await town.platform.scan(openid, SCAN)
    await town.say(openid, "进群")
    return await town.say(openid, "1")


async def zhao(town: Town) -> Person:
    """A neighbour who has the mini-program."""
    return await neighbour("zhao", town.clock())


async def says(town: Town, person: Person, text: str, reply_to: int | None = None, **data: object) -> int:
    """Something said in the first grid's room by whoever has the mini-program."""
    town.clock.advance(timedelta(seconds=1))
    given = Words(MessageKind.TEXT, text, uuid4().hex, reply_to, data)
    return (await post(person, (await first_room()).id, given, town.clock())).id


async def last_said() -> RoomMessage:
    found = await RoomMessage.filter(seq__isnull=False).order_by("-id").first()
    assert found
    return found


async def told(town: Town, after: timedelta = timedelta(minutes=1)) -> None:
    """The workers tell the chats; lines are gathered for a while first."""
    await town.deliver()
    town.clock.advance(after)
    await town.deliver()


async def test_scanning_the_grids_code_tells_of_the_room(town: Town):
    welcome = await town.platform.scan(CHEN, SCAN)
    assert "回复“进群”" in welcome.text


async def test_going_in_asks_for_consent_once_and_says_what_neighbours_will_read(town: Town):
    await town.platform.scan(CHEN, SCAN)
    asked = await town.say(CHEN, "进群")
    assert "本网格的邻居和工作人员都能看到" in asked
    entered = await town.say(CHEN, "1")
    assert "您进了东亭社区第一网格群" in entered
    assert "退群" in entered
    assert [row.purpose for row in await PurposeConsent.all()] == [Purpose.ROOM]
    await town.say(CHEN, "退群")
    assert "您进了" in await town.say(CHEN, "进群")


@pytest.mark.parametrize(("said", "answered"), [("2", "监护人"), ("不进了", "没有进群")])
async def test_children_and_who_declines_stay_outside(town: Town, said: str, answered: str):
    await town.platform.scan(CHEN, SCAN)
    await town.say(CHEN, "进群")
    assert answered in await town.say(CHEN, said)
    await town.say(CHEN, "大家晚上去跳舞吗")
    assert await RoomMessage.all().count() == 0


async def test_without_a_grid_the_grid_is_asked_first(town: Town):
    assert "住在哪个网格" in await town.say("o_newcomer", "进群")


async def test_what_is_written_goes_into_the_room_and_the_answer_says_so(town: Town):
    await goes_in(town)
    assert "已发到群里" in await town.say(CHEN, "晚上有人一起跳舞吗")
    entry = await last_said()
    assert (entry.text, entry.state) == ("晚上有人一起跳舞吗", MessageState.SHOWN)
    assert entry.author.startswith("邻居")
    chen = await Resident.get(openid=CHEN)
    assert entry.sender == f"resident:{chen.id}"


async def test_out_of_the_room_words_go_to_the_desk_again(town: Town):
    await goes_in(town)
    assert "已退群" in await town.say(CHEN, "退群")
    assert "要交给网格员王芳处理吗" in await town.say(CHEN, "3栋2单元楼道灯坏了")
    assert await RoomMessage.all().count() == 0
    assert "没有进群" in await town.say(CHEN, "退群")
    assert [row.tag for row in await AuditEvent.filter(tag__startswith="room:relay").order_by("id")] == [
        "room:relay_on",
        "room:relay_off",
    ]


async def test_a_danger_opens_a_case_at_once_and_is_not_read_by_the_neighbours(town: Town):
    await goes_in(town)
    answered = await town.say(CHEN, "我家闻到很浓的煤气味")
    assert "已同时通知网格员王芳" in answered
    assert (await Case.get()).urgency == "urgent"
    assert await RoomMessage.all().count() == 0


async def test_commands_and_reports_by_the_menu_work_in_the_room_too(town: Town):
    await goes_in(town)
    assert "请说说是什么事" in await town.say(CHEN, "我要说事")
    assert "楼道照明损坏" in await town.say(CHEN, "3栋2单元楼道灯坏了")
    assert "已交给网格员王芳" in await town.say(CHEN, "1")
    assert "楼道照明损坏" in await town.say(CHEN, "查 0001")
    assert await RoomMessage.all().count() == 0


async def test_an_answer_comes_back_with_a_number_and_is_answered_by_it(town: Town):
    await goes_in(town)
    await town.say(CHEN, "晚上有人一起跳舞吗")
    await says(town, await zhao(town), "七点广场见", (await last_said()).id)
    await told(town)
    line = town.last(CHEN)
    assert "网格群里有人找您" in line
    assert "：七点广场见" in line
    assert "11 邻居" in line
    assert "已在群里回复邻居" in await town.say(CHEN, "回复 11 好的，我带音响")
    answer = await last_said()
    assert answer.text == "好的，我带音响"
    assert answer.reply_to == (await RoomMessage.get(text="七点广场见")).id


async def test_the_words_may_come_after_the_number(town: Town):
    await goes_in(town)
    await town.say(CHEN, "晚上有人一起跳舞吗")
    await says(town, await zhao(town), "七点广场见", (await last_said()).id)
    await told(town)
    assert "请说要回的话" in await town.say(CHEN, "回复11")
    assert "已在群里回复" in await town.say(CHEN, "好的")
    assert "没有第 55 条" in await town.say(CHEN, "回复 55 好的")


@pytest.mark.parametrize("said", ["答 12月5日停水吗", "回复 12栋有人吗", "回复 2026年的通知"])
async def test_a_date_or_a_building_is_no_line(town: Town, said: str):
    await goes_in(town)
    assert "已发到群里" in await town.say(CHEN, said)
    assert (await last_said()).text == said


async def test_mentions_and_announcements_come_back_and_other_talk_does_not(town: Town):
    await goes_in(town)
    await town.say(CHEN, "大家好")
    seat = await RoomSeat.get(who=f"resident:{(await Resident.get(openid=CHEN)).id}")
    await says(town, await zhao(town), "今天的菜很便宜")
    await told(town)
    assert town.heard(CHEN) == []
    await says(town, await zhao(town), "您的快递在我家", mentions=[rooms.handle(seat.id)])
    given = Words(MessageKind.ANNOUNCEMENT, "今晚八点停水到十点", "a1")
    await post(await officer("S001"), (await first_room()).id, given, town.clock())
    await told(town)
    [message] = town.heard(CHEN)
    assert "：您的快递在我家" in message
    assert "【公告】" in message
    assert "今晚八点停水到十点" in message


async def test_who_is_not_in_relay_mode_is_told_nothing(town: Town):
    await goes_in(town)
    await town.say(CHEN, "晚上有人一起跳舞吗")
    await town.say(CHEN, "退群")
    await says(town, await zhao(town), "七点广场见", (await last_said()).id)
    await told(town, timedelta(hours=1))
    assert town.heard(CHEN) == []


async def test_many_lines_are_one_message_of_the_quota(town: Town):
    await goes_in(town)
    await town.say(CHEN, "晚上有人一起跳舞吗")
    asked, neighbour_there = (await last_said()).id, await zhao(town)
    for number in range(9):
        await says(town, neighbour_there, f"我去，第 {number} 个", asked)
        await town.deliver()
    await told(town)
    [message] = town.heard(CHEN)
    assert "我去，第 5 个" in message
    assert "还有 3 条" in message
    assert town.platform.quota.left(CHEN, town.clock()) == 4


async def test_the_fewer_messages_are_left_the_later_they_come_and_never_more_than_the_quota(town: Town):
    await goes_in(town)
    await town.say(CHEN, "晚上有人一起跳舞吗")
    asked, neighbour_there = (await last_said()).id, await zhao(town)
    waits = []
    for number in range(12):
        await says(town, neighbour_there, f"第 {number} 句", asked)
        before = town.clock()
        heard = len(town.heard(CHEN))
        await town.deliver()
        while len(town.heard(CHEN)) == heard:
            town.clock.advance(max(timedelta(seconds=10), (town.clock() - before) / 10))
            await town.deliver()
            assert town.clock() - before < timedelta(hours=6)
        waits.append(town.clock() - before)
    assert waits[:5] == sorted(waits[:5])
    assert waits[0] <= timedelta(seconds=30)
    assert waits[4] >= timedelta(hours=1)
    sent = [row.channel for row in await Outbox.filter(kind="notice", recipient=CHEN).order_by("id")]
    assert sent == ["service"] * 5 + ["template"] * 7
    assert not [note for note in town.platform.journal if note.detail.startswith(("45015", "45047"))]


async def test_what_waits_comes_with_the_next_answer_and_costs_nothing(town: Town):
    await goes_in(town)
    await town.say(CHEN, "晚上有人一起跳舞吗")
    await says(town, await zhao(town), "七点广场见", (await last_said()).id)
    await town.deliver()
    answered = await town.say(CHEN, "有人吗")
    assert "已发到群里" in answered
    assert "：七点广场见" in answered
    await told(town)
    assert town.heard(CHEN) == []
    assert "已在群里回复" in await town.say(CHEN, "回复 11 好的")


async def test_what_is_taken_back_before_it_was_told_is_not_told(town: Town):
    await goes_in(town)
    await town.say(CHEN, "晚上有人一起跳舞吗")
    asked, neighbour_there = (await last_said()).id, await zhao(town)
    slip = await says(town, neighbour_there, "发错了的话", asked)
    await town.deliver()
    await recall(neighbour_there, slip, town.clock())
    await told(town)
    assert town.heard(CHEN) == []
    await says(town, neighbour_there, "七点广场见", asked)
    rude = await says(town, neighbour_there, "你们跳得太吵", asked)
    await town.deliver()
    await remove(await officer("G001"), rude, "不友好", town.clock())
    await told(town)
    assert "：七点广场见" in town.last(CHEN)
    assert "太吵" not in town.last(CHEN)


async def test_who_has_read_it_in_the_mini_program_is_not_told_again(town: Town):
    await goes_in(town)
    await town.say(CHEN, "晚上有人一起跳舞吗")
    asked, neighbour_there = (await last_said()).id, await zhao(town)
    await says(town, neighbour_there, "七点广场见", asked)
    await town.deliver()
    chen = await find_person(CHEN, town.clock())
    await mark_read(chen, (await first_room()).id, (await last_said()).seq or 0)
    await says(town, neighbour_there, "带把伞", asked)
    await told(town)
    [message] = town.heard(CHEN)
    assert "带把伞" in message
    assert "七点广场见" not in message


async def test_what_was_just_said_is_taken_back_and_later_no_more(town: Town):
    await goes_in(town)
    await town.say(CHEN, "我家电话是多少来着")
    assert "已撤回" in await town.say(CHEN, "撤回")
    assert (await RoomMessage.get(kind=MessageKind.TEXT)).text == ""
    await town.say(CHEN, "大家好")
    town.clock.advance(timedelta(minutes=3))
    assert "超过两分钟" in await town.say(CHEN, "撤回")
    town.clock.advance(timedelta(hours=2))
    assert "撤回 0037" in await town.say(CHEN, "撤回")


async def test_a_bare_number_is_no_talk_for_the_neighbours(town: Town):
    await goes_in(town)
    await town.say(CHEN, "2")
    assert await RoomMessage.all().count() == 0


async def test_the_case_made_of_ones_words_is_told_once_and_its_steps_as_everywhere(town: Town):
    await goes_in(town)
    await town.say(CHEN, "3栋2单元楼道灯坏了好几天了")
    wang = await find_person(WANG, town.clock())
    filed = await to_case(wang, (await last_said()).id, Changes(), town.clock())
    await told(town)
    assert "已转为事件 0001" in town.last(CHEN)
    heard = len(town.heard(CHEN))
    town.clock.advance(timedelta(hours=1))
    await casework.sign(wang, filed.case.id, town.clock())
    await told(town, timedelta(hours=1))
    assert "0001" in town.last(CHEN)
    assert len(town.heard(CHEN)) == heard + 1


async def test_a_report_said_in_the_room_is_handed_in_by_one_tap(town: Town):
    await goes_in(town)
    offered = await town.say(CHEN, "3栋2单元楼道灯坏了好几天了")
    assert "已发到群里" in offered
    assert "要同时交给网格员王芳处理吗" in offered
    done = await town.say(CHEN, "1")
    assert "已转为事件 0001" in done
    assert "查 0001" in done
    case, entry = await Case.get(), await RoomMessage.get(kind=MessageKind.TEXT)
    assert entry.case_id == case.id
    assert case.reporter_id == (await Resident.get(openid=CHEN)).id
    await told(town)
    assert town.heard(CHEN) == []
    assert "新任务 0001" in town.last(WANG)


async def test_who_does_not_hand_it_in_goes_on_talking(town: Town):
    await goes_in(town)
    await town.say(CHEN, "3栋2单元楼道灯坏了好几天了")
    assert "已发到群里" in await town.say(CHEN, "算了不说这个了，晚上谁去跳舞")
    assert await Case.all().count() == 0


async def test_what_the_worker_has_made_a_case_of_is_not_handed_in_twice(town: Town):
    await goes_in(town)
    await town.say(CHEN, "3栋2单元楼道灯坏了好几天了")
    await to_case(await find_person(WANG, town.clock()), (await last_said()).id, Changes(), town.clock())
    assert "已经交给网格员了" in await town.say(CHEN, "1")
    assert await Case.all().count() == 1


async def test_the_helpers_answer_comes_back_into_the_chat(town: Town):
    await goes_in(town)
    await town.say(CHEN, "@助手 你会做什么")
    await told(town)
    assert "助手：" in town.last(CHEN)
    assert "我来上报" in town.last(CHEN)


async def test_a_job_done_twice_tells_once(town: Town):
    await goes_in(town)
    await town.say(CHEN, "晚上有人一起跳舞吗")
    await says(town, await zhao(town), "七点广场见", (await last_said()).id)
    await town.deliver()
    await fetch("UPDATE outbox SET state = 'pending', finished_at = NULL WHERE kind = 'relay'")
    await told(town)
    [message] = town.heard(CHEN)
    assert message.count("七点广场见") == 1


async def test_the_room_is_read_in_the_chat_and_counts_as_read(town: Town):
    await goes_in(town)
    assert "还没有人说话" in await town.say(CHEN, "群里说了什么")
    neighbour_there = await zhao(town)
    for number in range(10):
        await says(town, neighbour_there, f"第 {number} 句")
    shown = await town.say(CHEN, "群里说了什么")
    assert "前面还有 2 条新的" in shown
    assert "第 2 句" in shown
    assert "第 9 句" in shown
    assert "第 1 句" not in shown
    chen = await find_person(CHEN, town.clock())
    [line] = [one for one in await rooms.my_rooms(chen) if one.kind == "grid"]
    assert line.unread == 0
    assert "已在群里回复" in await town.say(CHEN, "回复 18 看到了")
    assert (await last_said()).reply_to == (await RoomMessage.get(text="第 9 句")).id


async def test_one_sentence_goes_into_the_room_without_relay_mode(town: Town):
    await goes_in(town)
    await town.say(CHEN, "退群")
    assert "已发到群里" in await town.say(CHEN, "群里说 明天几点停水")
    assert (await last_said()).text == "明天几点停水"


async def agrees_to_exact_places(town: Town) -> None:
    chen = await find_person(CHEN, town.clock())
    version = consents.texts()[Purpose.LOCATION].version
    await consents.give(chen, Purpose.LOCATION, version, town.clock())


async def test_without_consent_to_exact_places_the_room_reads_the_name_of_a_place(town: Town):
    await goes_in(town)
    assert "已发到群里" in await town.send(CHEN, "location", latitude=30.55, longitude=114.34, label="东门")
    entry = await last_said()
    assert (entry.kind, entry.text, entry.data) == (MessageKind.TEXT, "位置：东门", {})


async def test_one_sentence_is_said_once_they_agreed_and_they_stay_outside(town: Town):
    await town.platform.scan(CHEN, SCAN)
    assert "邻居和工作人员都能看到" in await town.say(CHEN, "群里说 明天几点停水")
    assert "已发到群里" in await town.say(CHEN, "1")
    assert (await last_said()).text == "明天几点停水"
    assert await RoomSeat.filter(relay_since__isnull=False).count() == 0


async def test_a_photo_in_private_talk_arrives_as_a_photo(town: Town):
    await town.platform.scan(CHEN, SCAN)
    await town.say(CHEN, "私聊 我家老人要人照看")
    wang, talk = await officer("G001"), await Room.get(kind="private")
    folder = town.services.media
    upload = await uploads.receive(wang, _pieces(PNG), folder, town.clock())
    given = Words(MessageKind.IMAGE, "", "p1", data={"upload": str(upload.id)})
    await post(wang, talk.id, given, town.clock())
    await told(town)
    kinds = [push.kind for push in town.platform.pushes(CHEN)]
    assert kinds == ["image", "text"]
    assert "网格员王芳：［照片］" in town.last(CHEN)


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def test_whoever_is_forgotten_leaves_no_line_behind(town: Town):
    await goes_in(town)
    await town.say(CHEN, "晚上有人一起跳舞吗")
    neighbour_there = await zhao(town)
    await says(town, neighbour_there, "七点在我家楼下见", (await last_said()).id)
    await town.deliver()
    await erase(neighbour_there, town.clock())
    await told(town)
    assert "七点在我家楼下见" not in " ".join(town.heard(CHEN))
    assert await RelayLine.filter(openid=CHEN).count() == 1
    await erase(await find_person(CHEN, town.clock()), town.clock())
    assert await RelayLine.filter(openid=CHEN).count() == 0


async def test_photos_and_places_go_into_the_room(town: Town):
    await goes_in(town)
    await agrees_to_exact_places(town)
    assert "马上发到群里" in await town.photo(CHEN)
    assert "已发到群里" in await town.send(CHEN, "location", latitude=30.55, longitude=114.34, label="东门")
    await town.deliver()
    kinds = {entry.kind: entry for entry in await RoomMessage.filter(state=MessageState.SHOWN)}
    assert set(kinds) == {MessageKind.IMAGE, MessageKind.LOCATION}
    upload = await Upload.get(id=kinds[MessageKind.IMAGE].data["upload"])
    assert (upload.kind, upload.content_type) == (UploadKind.IMAGE, "image/jpeg")
    assert kinds[MessageKind.LOCATION].data["place"] == "东门"


async def test_a_photo_that_cannot_be_opened_is_told_to_its_sender(town: Town):
    await goes_in(town)
    await town.send(CHEN, "image", data=b"\x89PNG\r\n\x1a\nbroken" * 20)
    await town.deliver()
    assert "照片没有发到群里" in town.last(CHEN)
    assert await RoomMessage.all().count() == 0


async def test_what_the_lists_refuse_is_not_shown_and_a_report_is_still_taken(town: Town):
    await goes_in(town)
    assert "没有发到群里" in await town.say(CHEN, "你这个傻逼")
    offered = await town.say(CHEN, "3栋2单元楼道灯坏了，物业是傻逼")
    assert "没有发到群里" in offered
    assert "要交给网格员王芳处理吗" in offered
    assert await RoomMessage.filter(seq__isnull=False).count() == 0


async def test_who_is_muted_still_reaches_the_desk(town: Town):
    await goes_in(town)
    await town.say(CHEN, "大家好")
    await RoomSeat.filter(relay_since__isnull=False).update(muted_until=town.clock() + timedelta(days=1))
    assert "要交给网格员王芳处理吗" in await town.say(CHEN, "3栋2单元楼道灯坏了")


async def test_private_talk_goes_both_ways_in_chat_and_staff_see_what_is_left(town: Town):
    await town.platform.scan(CHEN, SCAN)
    assert "已单独发给网格员王芳" in await town.say(CHEN, "私聊 我家老人要人照看")
    await town.say(WANG, "待办")
    await told(town)
    asked = town.last(WANG)
    assert "居民单独找您" in asked
    assert "：我家老人要人照看" in asked
    assert "答 11" in asked
    answered = await town.say(WANG, "答 0011 明天上午我来看看")
    assert "已发给邻居" in answered
    assert "对方还能收 5 条消息" in answered
    await told(town)
    assert "网格员王芳：明天上午我来看看" in town.last(CHEN)
    assert "网格员单独跟您说" in town.last(CHEN)
    await town.say(CHEN, "回复 11 谢谢您")
    talk = await Room.get(kind="private")
    assert [entry.text for entry in await RoomMessage.filter(room=talk).order_by("seq")] == [
        "我家老人要人照看",
        "明天上午我来看看",
        "谢谢您",
    ]


async def test_after_two_days_of_silence_staff_are_told_and_one_notice_goes_out(town: Town):
    await town.platform.scan(CHEN, SCAN)
    await town.say(CHEN, "私聊 我家老人要人照看")
    await town.say(WANG, "待办")
    await told(town)
    town.clock.advance(timedelta(days=3))
    answered = await town.say(WANG, "答 11 我来看看")
    assert "超过 48 小时" in answered
    assert "先发一条提醒" in answered
    await told(town, timedelta(minutes=11))
    [row] = await Outbox.filter(recipient=CHEN, kind="notice")
    assert (row.channel, row.used) == ("template", 0)
    assert "看哪个群" in await town.say(CHEN, "群里说了什么")
    assert "网格员王芳：我来看看" in await town.say(CHEN, "1")


async def test_staff_are_called_by_a_mention_and_do_not_relay_what_they_type(town: Town):
    await town.say(WANG, "待办")
    assert "答 编号" in await town.say(WANG, "进群")
    await goes_in(town)
    await town.say(CHEN, "@网格员 东门的灯什么时候修")
    await told(town)
    assert "：@网格员 东门的灯什么时候修" in town.last(WANG)
    assert "已在群里回复" in await town.say(WANG, "答 11 明天修")
    await town.say(WANG, "你好")
    assert [entry.text for entry in await RoomMessage.filter(seq__isnull=False, kind="text").order_by("seq")] == [
        "@网格员 东门的灯什么时候修",
        "明天修",
    ]
    await told(town)
    assert "网格员王芳：明天修" in town.last(CHEN)


async def test_staff_of_several_rooms_choose_one(town: Town):
    await rooms.room_of_grid((await first_room()).grid_id)
    await first_room(SECOND)
    await says(town, await zhao(town), "东门的灯坏了好几天")
    assert "看哪个群" in await town.say(LI, "群里说了什么")
    assert "东门的灯坏了好几天" in await town.say(LI, "1")
    assert "发到哪个群" in await town.say(LI, "群里说 明天上门查燃气")
    assert "已发到群里" in await town.say(LI, "1")
    assert (await last_said()).author == "东亭社区李主任"


async def test_whoever_moves_to_another_grid_is_out_of_the_old_room(town: Town):
    await goes_in(town)
    await town.platform.scan(CHEN, f"grid:{SECOND}")
    await town.say(CHEN, "晚上有人一起跳舞吗")
    assert await RoomMessage.all().count() == 0


async def test_a_line_is_not_answered_by_somebody_else(town: Town):
    await goes_in(town)
    await town.say(CHEN, "晚上有人一起跳舞吗")
    await says(town, await zhao(town), "七点广场见", (await last_said()).id)
    await told(town)
    stranger = await find_person("o_stranger", town.clock())
    await join_grid(stranger, town.clock(), code=SECOND)
    assert "没有第 11 条" in await town.say("o_stranger", "回复 11 好的")
    line = await RelayLine.get()
    await RelayLine.create(openid="o_stranger", message_id=line.message_id, number=11, at=town.clock())
    assert "没有找到这个群" in await town.say("o_stranger", "回复 11 好的")
