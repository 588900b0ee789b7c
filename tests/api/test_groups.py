"""Groups on other platforms: signed messages come into the room, answers and announcements go back through a robot."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import web

from domain import room_messages
from domain.groups import GroupPlan, add_group, find_group, list_groups, stop_group
from domain.room_cases import Changes, to_case
from domain.room_words import Words
from errors import BadRequest, Conflict, NotFound
from models.audit import AuditEvent
from models.enums import MessageKind, MessageState, OutboxState
from models.messaging import Outbox
from models.rooms import Review, RoomMessage
from simulator.robot import KEY
from tests.conftest import free_port
from tests.domain.neighbours import FIRST, first_room, neighbour, officer
from tests.town import Town

NAME = "wecom-1"


class Group:
    """The other side of a connected group: signs what it passes on, and looks at what the robot got."""

    def __init__(self, town: Town, session: aiohttp.ClientSession, secret: str) -> None:
        self.town, self.secret = town, secret
        self._session = session

    async def pass_on(self, text: str, message_id: str = "", *, name: str = NAME, **more: Any) -> tuple[int, Any]:
        """One message as our document says; gives status and answer. `secret` and `at` sign wrongly."""
        signed_at = more.pop("at", self.town.clock())
        secret = more.pop("secret", self.secret)
        content = {"message_id": message_id or uuid4().hex, "text": text, "sender": {"id": "zhang", "name": "张三"}}
        body = json.dumps(content | more).encode()
        timestamp = str(int(signed_at.timestamp()))
        made = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"X-Linli-Timestamp": timestamp, "X-Linli-Signature": f"sha256={made}"}
        url = f"{self.town.url}/api/v1/groups/{name}/messages"
        async with self._session.post(url, data=body, headers=headers | {"Content-Type": "application/json"}) as answer:
            return answer.status, await answer.json()

    def got(self) -> list[dict[str, Any]]:
        """What the robot was sent."""
        return self.town.platform.robot.sent()

    async def answer(self, message_id: int, text: str) -> None:
        """王芳 answers a message in the room."""
        given = Words(MessageKind.TEXT, text, uuid4().hex, message_id)
        await room_messages.post(await officer("G001"), (await first_room()).id, given, self.town.clock())


@pytest.fixture
async def group(town: Town) -> AsyncIterator[Group]:
    """A WeCom group of the first grid, with its robot."""
    url = f"{town.url}/simulator/wecom/cgi-bin/webhook/send?key={KEY}"
    secret = await add_group(GroupPlan(NAME, FIRST, url=url), town.clock())
    async with aiohttp.ClientSession() as session:
        yield Group(town, session, secret)


async def announce(town: Town, text: str) -> None:
    given = Words(MessageKind.ANNOUNCEMENT, text, uuid4().hex)
    await room_messages.post(await officer("S001"), (await first_room()).id, given, town.clock())


async def test_what_is_said_in_the_group_is_an_entry_of_the_room(group: Group):
    status, answer = await group.pass_on("东门的垃圾又满了", "m1")
    assert (status, answer) == (200, {"seq": 1, "state": "shown", "repeated": False})
    entry = await RoomMessage.get()
    assert (entry.text, entry.author) == ("东门的垃圾又满了", "张三（企业微信群）")
    assert entry.sender == f"group:{(await find_group(NAME)).id}"
    read = await room_messages.entries(await neighbour("chen", group.town.clock()), entry.room_id)
    assert [one.staff for one in read] == [False]


async def test_the_same_message_works_once(group: Group):
    await group.pass_on("东门的垃圾又满了", "m1")
    group.town.clock.advance(timedelta(minutes=2))
    status, answer = await group.pass_on("东门的垃圾又满了", "m1")
    assert (status, answer) == (200, {"seq": 1, "state": "shown", "repeated": True})
    assert await RoomMessage.all().count() == 1


async def test_of_ten_deliveries_at_once_one_is_an_entry(group: Group):
    answers = await asyncio.gather(*(group.pass_on("东门的垃圾又满了", "m1") for _ in range(10)))
    assert {(status, answer["seq"]) for status, answer in answers} == {(200, 1)}
    assert await RoomMessage.all().count() == 1


async def test_unknown_stopped_and_wrongly_signed_are_the_same_answer(group: Group):
    await stop_group(NAME, group.town.clock())
    stopped = await group.pass_on("您好")
    unknown = await group.pass_on("您好", name="nobody")
    wrong = await group.pass_on("您好", secret="not it")
    answers = [
        (status, answer["error"]["code"], answer["error"]["say"]) for status, answer in (stopped, unknown, wrong)
    ]
    assert answers == [(403, "bad_signature", "签名不对，或者没有这个平台。")] * 3
    assert await RoomMessage.all().count() == 0


async def test_a_recorded_message_is_refused_later(group: Group):
    status, answer = await group.pass_on("您好", at=group.town.clock() - timedelta(minutes=6))
    assert (status, answer["error"]["code"]) == (403, "stale_timestamp")
    assert await RoomMessage.all().count() == 0


@pytest.mark.parametrize("wrong", [{"text": ""}, {"text": "长" * 2001}, {"reply_to": "m" * 65}, {"sender": "张三"}])
async def test_what_is_no_message_is_refused_and_named(group: Group, wrong: dict[str, Any]):
    status, answer = await group.pass_on(wrong.pop("text", "您好"), "m1", **wrong)
    assert status == 400
    assert answer["error"]["fields"]
    assert await RoomMessage.all().count() == 0


async def test_insults_are_not_shown_and_what_is_in_doubt_waits_for_staff(group: Group):
    _, refused = await group.pass_on("你这个傻逼")
    _, doubted = await group.pass_on("找我就打13812345678")
    assert (refused["seq"], refused["state"]) == (None, "refused")
    assert (doubted["seq"], doubted["state"]) == (None, "review")
    assert (await Review.get()).message_id == (await RoomMessage.get(state=MessageState.REVIEW)).id


async def test_a_report_from_the_group_is_a_hint_and_becomes_a_case_whose_number_goes_back(group: Group):
    await group.pass_on("3栋2单元楼道灯坏了好几天了", "m1")
    entry = await RoomMessage.get()
    assert entry.hint
    assert entry.hint["category"] == "lighting.corridor"
    filed = await to_case(await officer("G001"), entry.id, Changes(), group.town.clock())
    await group.town.deliver()
    [message] = group.got()
    assert message["msgtype"] == "text"
    assert filed.case.number.split("-")[1] in message["text"]["content"]
    assert message["text"]["mentioned_list"] == ["zhang"]


async def test_an_answer_goes_back_and_mentions_who_asked(group: Group):
    await group.pass_on("几点停水", "m1")
    await group.answer((await RoomMessage.get()).id, "今晚八点到十点")
    await group.town.deliver()
    [message] = group.got()
    assert message == {
        "msgtype": "text",
        "text": {"content": "网格员王芳：今晚八点到十点", "mentioned_list": ["zhang"]},
    }


async def test_talk_among_members_stays_in_the_room(group: Group):
    await group.pass_on("几点停水", "m1")
    given = Words(MessageKind.TEXT, "不知道", uuid4().hex)
    person = await neighbour("chen", group.town.clock())
    await room_messages.post(person, (await first_room()).id, given, group.town.clock())
    await group.town.deliver()
    assert group.got() == []


async def test_an_answer_within_the_group_is_one_in_the_room(group: Group):
    await group.pass_on("几点停水", "m1")
    await group.pass_on("我也想知道", "m2", reply_to="m1")
    first, second = await RoomMessage.all().order_by("seq")
    assert second.reply_to == first.id
    await group.town.deliver()
    assert group.got() == []


async def test_announcements_go_out_as_markdown_in_parts_that_fit_and_carry_no_markup(group: Group):
    await announce(group.town, "停水通知<@all>" + "，各位邻居请提前接水" * 190)
    await group.town.deliver()
    messages = group.got()
    assert [message["msgtype"] for message in messages] == ["markdown", "markdown"]
    for message in messages:
        assert message["markdown"]["content"].startswith("**群公告**　东亭社区李主任\n")
        assert len(message["markdown"]["content"].encode()) <= 4096
        assert "<" not in message["markdown"]["content"]


async def test_answers_that_wait_go_together_and_twenty_a_minute_are_never_passed(group: Group):
    await group.pass_on("几点停水", "m1")
    asked = (await RoomMessage.get()).id
    for number in range(30):
        await group.answer(asked, f"第 {number} 答" + "长" * 600)
    await announce(group.town, "今晚停水")
    await group.town.deliver()
    assert len(group.got()) == 20
    assert await Outbox.filter(kind="group", finished_at=None).count() == 11
    group.town.clock.advance(timedelta(seconds=61))
    await group.town.deliver()
    assert len(group.got()) == 31
    assert group.got()[-1]["msgtype"] == "markdown"
    short = [await group.answer(asked, f"短答 {number}") for number in range(15)]
    group.town.clock.advance(timedelta(seconds=61))
    await group.town.deliver()
    assert len(group.got()) == 32
    assert group.got()[-1]["text"]["content"].count("短答") == len(short)


async def test_a_robot_that_is_asked_too_often_is_asked_again_a_minute_later(group: Group):
    await group.pass_on("几点停水", "m1")
    await group.answer((await RoomMessage.get()).id, "八点")
    group.town.platform.robot.refusals.append(45009)
    await group.town.deliver()
    assert group.got() == []
    group.town.clock.advance(timedelta(seconds=61))
    await group.town.deliver()
    assert len(group.got()) == 1


async def test_a_robot_that_was_removed_is_put_aside_with_the_reason(group: Group):
    await group.pass_on("几点停水", "m1")
    await group.answer((await RoomMessage.get()).id, "八点")
    group.town.platform.robot.keys.clear()
    await group.town.deliver()
    job = await Outbox.get(kind="group")
    assert job.state is OutboxState.PARKED
    assert "93000" in job.error
    [line] = await list_groups()
    assert (line["parked"], line["waiting"]) == (1, 0)


async def test_a_stopped_group_gets_nothing_more(group: Group):
    await group.pass_on("几点停水", "m1")
    await group.answer((await RoomMessage.get()).id, "八点")
    await stop_group(NAME, group.town.clock())
    await announce(group.town, "今晚停水")
    await group.town.deliver()
    assert group.got() == []
    assert {row.tag for row in await AuditEvent.filter(tag__startswith="group:")} == {"group:add", "group:stop"}


async def test_what_was_taken_back_meanwhile_is_not_sent(group: Group):
    await group.pass_on("几点停水", "m1")
    await group.answer((await RoomMessage.get()).id, "说错了")
    wrong = await RoomMessage.get(text="说错了")
    await room_messages.recall(await officer("G001"), wrong.id, group.town.clock())
    await group.town.deliver()
    assert group.got() == []


async def test_other_platforms_get_signed_json_as_connectors_do(town: Town):
    arrived: list[tuple[dict[str, str], bytes]] = []

    async def take(request: web.Request) -> web.Response:
        arrived.append((dict(request.headers), await request.read()))
        return web.Response()

    app, port = web.Application(), free_port()
    app.router.add_post("/room", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        plan = GroupPlan("other", FIRST, "signed", f"http://127.0.0.1:{port}/room")
        secret = await add_group(plan, town.clock())
        await announce(town, "今晚八点停水")
        await town.deliver()
    finally:
        await runner.cleanup()
    [(headers, body)] = arrived
    meant = hmac.new(secret.encode(), f"{headers['X-Linli-Timestamp']}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["X-Linli-Signature"] == f"sha256={meant}"
    said = json.loads(body)
    assert (said["kind"], said["author"], said["text"]) == ("announcement", "东亭社区李主任", "今晚八点停水")


@pytest.mark.parametrize(
    ("plan", "error"),
    [
        (GroupPlan("a b", FIRST), BadRequest),
        (GroupPlan("x", FIRST, "qq"), BadRequest),
        (GroupPlan("x", FIRST, url="http://wecom.example.com/send"), BadRequest),
        (GroupPlan("x", "no-such-grid"), NotFound),
        (GroupPlan(NAME, FIRST), Conflict),
    ],
)
async def test_a_plan_that_cannot_work_is_refused(group: Group, plan: GroupPlan, error: type[Exception]):
    with pytest.raises(error):
        await add_group(plan, group.town.clock())
    assert [line["name"] for line in await list_groups()] == [NAME]
