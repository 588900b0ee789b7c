"""Rooms at the desk: what is said is read, answered, made a case of, taken out; foreign rooms do not exist."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import aiohttp
import pytest

from domain.badges import agree, list_badges
from domain.room_desk import desk_rooms
from domain.room_digests import make_digests
from domain.room_messages import entries, post, recall
from domain.rooms import private_room
from models.audit import AuditEvent
from models.cases import Case
from models.enums import MessageKind, MessageState, RoomKind
from models.rooms import RoomMessage, RoomSeat
from tests.api.files import picture
from tests.console.conftest import Desk, sit_down
from tests.domain.grid_room import LAMP, RUBBISH, Grid, make_grid
from tests.domain.neighbours import FAR, first_room, neighbour, words
from tests.town import Town


@pytest.fixture
async def grid(town: Town) -> Grid:
    """The first grid's room with four neighbours in it."""
    return await make_grid(town)


async def sign_in(town: Town, desk: Desk, name: str) -> Desk:
    """At the console, as this member of staff."""
    await sit_down(town, desk, name)
    return desk


async def test_a_worker_sees_their_room_with_what_is_new_and_what_nobody_answered(town: Town, desk: Desk, grid: Grid):
    await grid.say(grid.chen, "今晚停水吗")
    await sign_in(town, desk, "王芳")
    page = await desk.open("/rooms")
    assert re.search(r"第一网格</a>.*?1 条</b>.*?1 条</b>", page, re.DOTALL)
    assert "今晚停水吗" in await desk.open(f"/rooms/{grid.room.id}")
    assert "以下是新消息" in desk.page
    again = await desk.open("/rooms")
    assert again.count("1 条</b>") == 1  # read, and still without an answer


async def test_rooms_are_found_by_name_and_listed_page_by_page(town: Town, desk: Desk, grid: Grid):
    await sign_in(town, desk, "李主任")
    assert "第一网格</a>" in await desk.open("/rooms?name=第一")
    assert "第二网格</a>" not in desk.page
    assert "没有找到名字里有“水果湖”的群" in await desk.open("/rooms/list?name=水果湖")
    names, following = list[str](), None
    while True:
        found = await desk_rooms(grid.li, RoomKind.GRID, grid.now, limit=1, beyond=following)
        names += [room.line.name for room in found.rooms]
        following = found.following
        if following is None:
            break
    assert sorted(names) == ["东亭社区第一网格", "东亭社区第三网格", "东亭社区第二网格"]


async def test_what_is_said_at_the_desk_is_read_in_the_room_and_answers_the_question(
    town: Town, desk: Desk, grid: Grid
):
    asked = await grid.say(grid.chen, "今晚停水吗")
    await sign_in(town, desk, "王芳")
    await desk.open(f"/rooms/{grid.room.id}?reply={asked.id}")
    assert "回复 邻居" in desk.page
    said = {"client_id": "desk-1", "reply_to": str(asked.id), "text": "停到明早六点"}
    assert "已发出" in await desk.send(f"/rooms/{grid.room.id}/say", **said)
    await desk.send(f"/rooms/{grid.room.id}/say", **said)  # sent twice by a nervous finger
    answers = [one for one in await entries(grid.chen, grid.room.id) if one.text == "停到明早六点"]
    assert [(one.author, one.reply_to) for one in answers] == [("网格员王芳", asked.id)]
    assert "都回过了" in await desk.open("/conversations")


async def test_a_photo_goes_into_the_room_with_its_words_and_nothing_does_not(town: Town, desk: Desk, grid: Grid):
    await sign_in(town, desk, "王芳")
    await desk.open(f"/rooms/{grid.room.id}")
    assert "消息是空的" in await desk.send(f"/rooms/{grid.room.id}/say", client_id="1", text="  ")
    assert desk.status == 400
    page = await desk.open(f"/rooms/{grid.room.id}")
    form = aiohttp.FormData({"mark": unescape(page.split('name="mark" value="')[1].split('"')[0]), "client_id": "p1"})
    form.add_field("text", "水管修好了")
    form.add_field("photo", picture(), filename="a.png", content_type="image/png")
    async with desk.session.post(f"{desk.url}/console/rooms/{grid.room.id}/say", data=form) as answer:
        page = await answer.text()
    [entry] = await entries(grid.chen, grid.room.id)
    assert (entry.kind, entry.text) == (MessageKind.IMAGE, "水管修好了")
    assert f'src="/console/files/m{entry.id}"' in page
    async with desk.session.get(f"{desk.url}/console/files/m{entry.id}") as answer:
        assert answer.content_type == "image/jpeg"


async def test_the_page_asks_for_what_came_after_its_last_number(town: Town, desk: Desk, grid: Grid):
    await grid.say(grid.chen, "早上好")
    await sign_in(town, desk, "王芳")
    await desk.open(f"/rooms/{grid.room.id}")
    looks = re.search(r'hx-get="/console(/rooms/\d+/new\?after=\d+)"', desk.page)
    assert looks
    await desk.open(looks[1])
    assert desk.status == 204
    slip = await grid.say(grid.zhao, "发错了这一句")
    part = await desk.open(looks[1])
    assert "发错了这一句" in part
    assert "早上好" not in part
    assert "<html" not in part
    looks = re.search(r'hx-get="/console(/rooms/\d+/new\?after=\d+)"', part)
    assert looks
    await recall(grid.zhao, slip.id, grid.now)
    part = await desk.open(looks[1])
    assert f'id="m{slip.id}"' in part
    assert 'hx-swap-oob="true"' in part
    assert "发错了这一句" not in part


async def test_looking_for_news_does_not_keep_the_session_alive(town: Town, desk: Desk, grid: Grid):
    await sign_in(town, desk, "王芳")
    for _ in range(2):
        town.clock.advance(timedelta(minutes=16))
        await desk.open(f"/rooms/{grid.room.id}/new?after=0")
    await desk.open(f"/rooms/{grid.room.id}")
    assert desk.path == "/console/login"


async def test_a_room_of_another_grid_is_no_room(town: Town, desk: Desk, grid: Grid):
    far = await first_room(FAR)
    stranger = await neighbour("far", town.clock(), FAR)
    said = await post(stranger, far.id, words("这里是另一个网格"), town.clock())
    await sign_in(town, desk, "王芳")
    for path in ("", "/new?after=0", "/announcements", "/digests", "/mutes", "/reach"):
        assert "这里是另一个网格" not in await desk.open(f"/rooms/{far.id}{path}")
        assert desk.status == 404, path
    await desk.open(f"/rooms/messages/{said.id}")
    assert desk.status == 404
    await desk.open(f"/rooms/{grid.room.id}")
    for path, form in {
        f"/rooms/{far.id}/say": {"client_id": "1", "text": "我来看看"},
        f"/rooms/{far.id}/announce": {"client_id": "1", "text": "我来看看"},
        f"/rooms/{far.id}/read": {"seq": "1"},
        f"/rooms/{far.id}/unmute": {"handle": "m1"},
        f"/rooms/messages/{said.id}/case": {},
        f"/rooms/messages/{said.id}/remove": {"why": "不让说"},
        f"/rooms/messages/{said.id}/mute": {"minutes": "60", "why": "不让说"},
        f"/rooms/messages/{said.id}/private": {},
    }.items():
        await desk.open(f"/rooms/{grid.room.id}")
        await desk.send(path, **form)
        assert desk.status == 404, path
    assert [one.text for one in await entries(stranger, far.id)] == ["这里是另一个网格"]


async def test_a_likely_report_becomes_a_case_with_what_was_put_right(town: Town, desk: Desk, grid: Grid):
    said = await grid.say(grid.chen, RUBBISH)
    agreed = await grid.say(grid.sun, "对啊都招苍蝇了")
    await sign_in(town, desk, "王芳")
    page = await desk.open(f"/rooms/{grid.room.id}")
    assert "像是：垃圾满溢" in page
    page = await desk.open(f"/rooms/messages/{said.id}")
    assert "垃圾满溢（系统看着像）" in page
    assert f'name="together" value="{agreed.id}"' in page
    changes = {"place": "东门北侧垃圾点", "text": "两个垃圾桶都满了", "together": str(agreed.id)}
    assert "已转为事件" in await desk.send(f"/rooms/messages/{said.id}/case", **changes)
    case = await Case.get()
    assert (case.place, case.description, case.subject) == ("东门北侧垃圾点", "两个垃圾桶都满了", "垃圾满溢")
    assert {one.case_id for one in await RoomMessage.filter(id__in=[said.id, agreed.id])} == {case.id}
    assert any("已转为事件" in text for text in await grid.answers(said.id))
    assert "这条消息已经是" in await desk.open(f"/rooms/messages/{said.id}")


async def test_a_report_joins_the_case_it_belongs_to_or_is_called_none(town: Town, desk: Desk, grid: Grid):
    first = await grid.say(grid.chen, RUBBISH)
    await sign_in(town, desk, "王芳")
    await desk.open(f"/rooms/messages/{first.id}")
    await desk.send(f"/rooms/messages/{first.id}/case")
    case = await Case.get()
    same, nothing = await grid.say(grid.sun, RUBBISH), await grid.say(grid.zhao, LAMP)
    page = await desk.open(f"/rooms/messages/{same.id}")
    assert f'name="number" value="{case.number}"' in page
    assert "已并入" in await desk.send(f"/rooms/messages/{same.id}/join", number=case.number)
    assert "没有找到" in await desk.send(f"/rooms/messages/{nothing.id}/join", number="9999-9999")
    await desk.open(f"/rooms/messages/{nothing.id}")
    assert "这条不当事件" in await desk.send(f"/rooms/messages/{nothing.id}/ignore")
    assert "像是：" not in await desk.open(f"/rooms/{grid.room.id}")
    assert await Case.all().count() == 1


async def test_a_removed_message_is_gone_with_a_reason_and_its_sender_silent_for_a_day(
    town: Town, desk: Desk, grid: Grid
):
    said = await grid.say(grid.chen, "3栋的人都没素质")
    await sign_in(town, desk, "王芳")
    await desk.open(f"/rooms/messages/{said.id}")
    await desk.send(f"/rooms/messages/{said.id}/remove", why="")
    assert desk.status == 400
    await desk.open(f"/rooms/messages/{said.id}")
    assert "对方可以申诉" in await desk.send(f"/rooms/messages/{said.id}/remove", why="广告")
    [entry] = [one for one in await entries(grid.zhao, grid.room.id) if one.id == said.id]
    assert (entry.state, entry.text) == (MessageState.REMOVED, "")
    assert "别人看不到，因为：广告" in await desk.open(f"/rooms/{grid.room.id}")

    await desk.open(f"/rooms/messages/{said.id}")
    page = await desk.send(f"/rooms/messages/{said.id}/mute", minutes="1440", why="劝了还吵")
    assert ("2026-11-21 10:00" in page, "劝了还吵" in page) == (True, True)
    handle = re.search(r'name="handle" value="(m\d+)"', page)
    assert handle
    assert "没有人被禁言" in await desk.send(f"/rooms/{grid.room.id}/unmute", handle=handle[1])
    assert await RoomSeat.filter(muted_until__not_isnull=True).count() == 0


async def test_a_private_talk_shows_how_many_messages_still_reach_the_resident(town: Town, desk: Desk, grid: Grid):
    said = await grid.say(grid.chen, LAMP)
    await sign_in(town, desk, "王芳")
    await desk.open(f"/rooms/messages/{said.id}")
    page = await desk.send(f"/rooms/messages/{said.id}/private")
    assert "现在不能直接发到对方微信" in page
    room = await private_room(grid.wang, grid.now, resident_id=grid.chen.resident_id)
    await town.say(grid.chen.openid, "你好")
    assert "现在还能发 " in await desk.open(f"/rooms/{room.id}/reach")
    await desk.open(f"/rooms/{room.id}")
    assert "已发出" in await desk.send(f"/rooms/{room.id}/say", client_id="p1", text="我下午去看")
    await post(grid.chen, room.id, words("好的，几点？"), grid.now)
    page = await desk.open("/conversations")
    assert "好的，几点？" in page
    assert "去回复（会显示还能发几条）" in page
    assert f'href="/console/rooms/{room.id}"' in page
    await post(grid.chen, room.id, words("还在吗"), grid.now)
    await desk.send(f"/rooms/{room.id}/say", client_id="p2", text="三点到")  # one word answers all that waited
    assert "好的，几点？" not in await desk.open("/conversations")


async def test_what_was_answered_on_the_telephone_waits_no_longer(town: Town, desk: Desk, grid: Grid):
    asked = await grid.say(grid.chen, "今晚停水吗")
    await grid.say(grid.zhao, "明天停电吗")
    far = await post(await neighbour("far", grid.now, FAR), (await first_room(FAR)).id, words("停气吗"), grid.now)
    await sign_in(town, desk, "王芳")
    await desk.open("/conversations")
    page = await desk.send(f"/conversations/{asked.id}/answered")
    assert ("今晚停水吗" in page, "明天停电吗" in page) == (False, True)
    await desk.send(f"/conversations/{far.id}/answered")
    assert desk.status == 404
    assert [row.id for row in await RoomMessage.filter(answered_at__not_isnull=True)] == [asked.id]
    assert await AuditEvent.filter(tag="room_message:answered", object_id=asked.id, allowed=True).count() == 1


async def test_street_staff_answer_in_rooms_and_read_no_private_talk(town: Town, desk: Desk, grid: Grid):
    room = await private_room(grid.chen, grid.now)
    await post(grid.chen, room.id, words("这是我家里的私事"), grid.now)
    await grid.say(grid.zhao, "广场舞太吵怎么办")
    await sign_in(town, desk, "周科长")
    page = await desk.open("/conversations")
    assert "广场舞太吵怎么办" in page
    assert "这是我家里的私事" not in page
    await desk.open(f"/rooms/{room.id}")
    assert desk.status == 404


async def test_an_officer_of_a_department_answers_in_the_room_and_makes_no_case(town: Town, desk: Desk, grid: Grid):
    said = await grid.say(grid.chen, RUBBISH)
    await sign_in(town, desk, "马队长")
    page = await desk.open(f"/rooms/messages/{said.id}")
    assert "这由网格员和社区来转" in page
    assert not re.search(r"/(case|remove|mute|private)\"", page)
    await desk.send(f"/rooms/messages/{said.id}/case")
    assert desk.status == 403
    await desk.open("/conversations")
    given = {"client_id": "m1", "reply_to": str(said.id), "text": "我们去看", "back": "waiting"}
    assert "已发出" in await desk.send(f"/rooms/{grid.room.id}/say", **given)
    assert "都回过了" in desk.page
    assert await Case.all().count() == 0


async def test_what_comes_while_the_list_is_open_is_announced(town: Town, desk: Desk, grid: Grid):
    first = await grid.say(grid.chen, "今晚停水吗")
    await sign_in(town, desk, "王芳")
    await desk.open("/conversations")
    looks = re.search(r'hx-get="/console(/conversations/news\?waiting=\d+)"', desk.page)
    assert looks
    assert looks[1].endswith(f"={first.id}")
    assert "在等" not in await desk.open(looks[1])
    await grid.say(grid.zhao, "明天停电吗")
    assert "又有 1 条在等" in await desk.open(looks[1])


async def test_a_day_of_a_room_stands_there_in_figures(town: Town, desk: Desk, grid: Grid):
    await sign_in(town, desk, "李主任")
    assert "还没有日报" in await desk.open(f"/rooms/{grid.room.id}/digests")
    await grid.say(grid.chen, RUBBISH)
    await grid.say(grid.zhao, "早上好")
    town.clock.advance(timedelta(days=1))
    await make_digests(town.clock())
    await desk.open("/login")
    await sit_down(town, desk, "李主任")
    page = await desk.open(f"/rooms/{grid.room.id}/digests")
    cells = re.findall(r"<t[hd][^>]*>(?:<b[^>]*>)?([^<]*)", page.split("<tbody>")[1])
    assert cells == ["11 月 20 日", "2", "2", "1", "0", "1", "—", "0", "垃圾满溢 1"]


async def test_the_community_sets_a_badge_that_shows_once_its_bearer_agreed(town: Town, desk: Desk, grid: Grid):
    said = await grid.say(grid.chen, "我来帮忙")
    await sign_in(town, desk, "李主任")
    assert "亮身份" in await desk.open(f"/rooms/messages/{said.id}")
    page = await desk.send(f"/rooms/messages/{said.id}/badge", kind="volunteer", unit="爱心队")
    assert "等本人同意" in page
    assert "爱心队" not in await desk.open(f"/rooms/{grid.room.id}")
    [badge] = await list_badges(grid.chen)
    await desk.send("/rooms/badges/agree", badge=str(badge.id))
    assert desk.status == 403
    await agree(grid.chen, badge.id, grid.now)
    assert "爱心队</span>" in await desk.open(f"/rooms/{grid.room.id}")
    await desk.open("/rooms/badges")
    assert "已经收回" in await desk.send("/rooms/badges/end", badge=str(badge.id))
    assert "爱心队" not in await desk.open(f"/rooms/{grid.room.id}")


async def test_an_announcement_reaches_everybody_of_the_grid(town: Town, desk: Desk, grid: Grid):
    await sign_in(town, desk, "王芳")
    await desk.open(f"/rooms/{grid.room.id}/announcements")
    assert "还没有发过公告" in desk.page
    given = {"client_id": "a1", "text": "明天上午九点消防演练，请大家下楼"}
    assert "公告发出了" in await desk.send(f"/rooms/{grid.room.id}/announce", **given)
    assert desk.page.count("消防演练") == 1
    [entry] = await entries(grid.zhao, grid.room.id)
    assert (entry.kind, entry.author) == (MessageKind.ANNOUNCEMENT, "网格员王芳")


async def test_the_community_lets_clear_reports_open_a_case_by_themselves_and_a_worker_does_not(
    town: Town, desk: Desk, grid: Grid
):
    await sign_in(town, desk, "王芳")
    await desk.open(f"/rooms/{grid.room.id}")
    assert "让清楚的自动转" not in desk.page
    await desk.send(f"/rooms/{grid.room.id}/auto", on="true")
    assert desk.status == 403
    await desk.open("/account")
    await desk.send("/logout")
    await sign_in(town, desk, "李主任")
    await desk.open(f"/rooms/{grid.room.id}")
    assert "说得清楚的自动转为事件。" in await desk.send(f"/rooms/{grid.room.id}/auto", on="true")


async def test_words_of_people_are_shown_as_words(town: Town, desk: Desk, grid: Grid):
    said = await grid.say(grid.chen, '<script>alert(1)</script>"><img src=x onerror=alert(2)>楼道灯坏了')
    await sign_in(town, desk, "王芳")
    for path in (
        f"/rooms/{grid.room.id}",
        f"/rooms/messages/{said.id}",
        "/conversations",
        f"/rooms/{grid.room.id}/new?after=0",
    ):
        page = await desk.open(path)
        assert "&lt;script&gt;alert(1)" in page, path
        assert "<script>alert" not in page
        assert "<img src=x" not in page
