"""Rooms over WebSockets: who is let in, what each hears, and that nobody misses or doubles an entry."""

from __future__ import annotations

import asyncio
import random
import socket as socketlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import pytest

from bench.members import masked
from domain import room_messages, tokens
from domain.people import Person, find_operator, find_person, join_grid
from domain.room_words import Words
from domain.rooms import private_room, room_of_grid
from domain.standing import standing_of, standings
from miniapp_api import hub, socket
from models.audit import AuditEvent
from models.enums import MessageKind
from models.people import Area, Staff
from models.rooms import RoomMessage
from tests.api.caller import Caller
from tests.api.conftest import SignIn
from tests.api.sockets import Line, agree_to_rooms
from tests.town import CHEN, LI, WANG, ZHOU, Town

Connect = Callable[..., Awaitable[Line]]
GRID, NEXT = "429906001001001", "429906001001002"
_SOON = 5.0  # a second, and what a busy machine adds to it


@pytest.fixture
async def connect(town: Town) -> AsyncIterator[Connect]:
    """`await connect(caller)` = a WebSocket with this caller's token; `by_frame` = sent in the first frame;
    `await connect()` = nobody's."""
    async with aiohttp.ClientSession() as session:

        async def connected(caller: Caller | None = None, *, by_frame: bool = False) -> Line:
            headers = {"Authorization": f"Bearer {caller.token}"} if caller and not by_frame else {}
            line = Line(await session.ws_connect(f"{town.url}/api/v1/ws", headers=headers))
            if caller and by_frame:
                await line.say("sign_in", token=caller.token)
            if caller:
                await line.hear("welcome")
            return line

        yield connected


@pytest.fixture
async def chen(town: Town) -> Person:
    """A resident who agreed that neighbours read what she writes."""
    return await agree_to_rooms(town, CHEN)


@pytest.fixture
async def room(chen: Person) -> int:
    """The room of Chen's grid."""
    return (await room_of_grid((await Area.get(code=GRID)).id)).id


async def say(town: Town, person: Person, room: int, *texts: str) -> list[int]:
    """Say something without a WebSocket; gives the entries' ids."""
    words = [Words(MessageKind.TEXT, text, uuid4().hex) for text in texts]
    return [(await room_messages.post(person, room, one, town.clock())).id for one in words]


async def test_what_one_says_the_others_hear_at_once_and_each_as_they_may(sign_in: SignIn, connect: Connect, room: int):
    chen, wang = await connect(await sign_in(CHEN)), await connect(await sign_in(WANG), by_frame=True)
    for line in (chen, wang):
        assert (await line.ask("subscribe", room=room))["seq"] == 0
    said = await chen.post(room, "3栋2单元楼道灯坏了好几天了")
    answered = await wang.post(room, "收到，下午去修", reply_to=said["id"])
    assert await chen.hear_up_to(2) == await wang.hear_up_to(2) == [1, 2]
    assert [entry["author"]["me"] for entry in chen.entries] == [True, False]
    assert [entry["author"]["me"] for entry in wang.entries] == [False, True]
    assert chen.entries[0]["client_id"] == said["client_id"]
    assert wang.entries[0]["client_id"] == ""
    assert chen.entries[0]["hint"] is None
    assert wang.entries[0]["hint"]["category"]
    assert (wang.entries[1]["reply_to"], wang.entries[1]["seq"]) == (said["id"], answered["seq"])


async def test_what_is_sent_twice_is_heard_once(sign_in: SignIn, connect: Connect, room: int):
    chen, wang = await connect(await sign_in(CHEN)), await connect(await sign_in(WANG))
    await wang.ask("subscribe", room=room)
    name = uuid4().hex
    first, again = await chen.post(room, "在吗", client_id=name), await chen.post(room, "在吗", client_id=name)
    assert first["id"] == again["id"]
    last = await chen.post(room, "没事了")
    assert await wang.hear_up_to(last["seq"]) == [1, 2]


async def test_what_waits_for_a_look_reaches_its_sender_alone(sign_in: SignIn, connect: Connect, room: int):
    chen, wang = await connect(await sign_in(CHEN)), await connect(await sign_in(WANG))
    await wang.ask("subscribe", room=room)
    waiting = await chen.post(room, "找我就打13812345678")
    assert (waiting["seq"], waiting["state"]) == (None, "review")
    await chen.post(room, "谁家的快递放门口了")
    assert await wang.hear_up_to(1) == [1]
    assert wang.entries[0]["text"] == "谁家的快递放门口了"


async def test_who_was_away_asks_for_what_came_meanwhile_and_gets_it_once(
    town: Town, sign_in: SignIn, connect: Connect, room: int, chen: Person
):
    wang = await connect(await sign_in(WANG))
    await wang.ask("subscribe", room=room)
    ids = await say(town, chen, room, "一", "二")
    await wang.hear_up_to(2)
    await wang.hang_up()
    await say(town, chen, room, *(f"第{number}条" for number in range(3, 30)))
    await room_messages.recall(chen, ids[1], town.clock())
    back = await connect(await sign_in(WANG))
    assert (await back.ask("subscribe", room=room, after=wang.numbers[-1]))["seq"] == 30
    assert back.numbers == list(range(3, 31))
    assert (back.entries[-1]["kind"], back.entries[-1]["target"]) == ("recall", ids[1])
    whole = await connect(await sign_in(WANG))
    await whole.ask("subscribe", room=room, after=0)
    assert whole.numbers == list(range(1, 31))
    assert (whole.entries[1]["text"], whole.entries[1]["state"]) == ("", "recalled")


async def test_joining_in_the_middle_of_a_talk_misses_and_doubles_nothing(
    town: Town, sign_in: SignIn, connect: Connect, room: int, chen: Person
):
    caller, dice = await sign_in(WANG), random.Random(20261121)
    talk = asyncio.create_task(say(town, chen, room, *(f"第{number}条" for number in range(1, 101))))
    lines = [await connect(caller) for _ in range(12)]

    async def join(line: Line) -> None:
        for _ in range(4):  # again and again, each time from where it stands
            await line.ask("unsubscribe", room=room)
            after = line.numbers[-1] if line.numbers else 0
            await line.ask("subscribe", room=room, after=after)
            await line.hear_up_to(after + dice.randrange(1, 20))

    await asyncio.gather(*(join(line) for line in lines))
    await talk
    assert [await line.hear_up_to(100) for line in lines] == [list(range(1, 101))] * 12


async def test_who_has_left_a_room_hears_no_more_of_it(sign_in: SignIn, connect: Connect, room: int):
    chen, wang = await connect(await sign_in(CHEN)), await connect(await sign_in(WANG))
    await wang.ask("subscribe", room=room)
    await chen.post(room, "一")
    await wang.hear_up_to(1)
    assert (await wang.ask("unsubscribe", room=room))["type"] == "unsubscribed"
    await chen.post(room, "二")
    assert (await wang.ask("subscribe", room=room))["seq"] == 2
    await chen.post(room, "三")
    assert await wang.hear_up_to(3) == [1, 3]


async def test_a_wrong_token_in_the_header_is_refused_before_the_line_is_open(town: Town):
    async with aiohttp.ClientSession() as session:
        for token in ("ll_" + "A" * 43, "ll_short", "nonsense"):
            headers = {"Authorization": f"Bearer {token}", "Upgrade": "websocket", "Connection": "Upgrade"}
            async with session.get(f"{town.url}/api/v1/ws", headers=headers) as answer:
                assert (answer.status, (await answer.json())["error"]["code"]) == (401, "not_signed_in")


async def test_a_tampered_token_in_the_first_frame_ends_the_line(sign_in: SignIn, connect: Connect):
    token = (await sign_in(CHEN)).token
    dice = random.Random(20261121)
    for place in dice.sample(range(3, len(token)), 12):
        flipped = token[:place] + ("B" if token[place] != "B" else "C") + token[place + 1 :]
        line = await connect()
        answer = await line.ask("sign_in", token=flipped)
        assert answer["type"] == "error"
        assert await line.ended() == hub.Close.NOT_SIGNED_IN


@pytest.mark.parametrize(
    "first", ['{"type":"subscribe","room":1}', "hello", "[" * 10_000, '{"type":"sign_in"}', '{"token":"ll_x"}', b"\0"]
)
async def test_who_does_not_sign_in_first_is_shown_out(connect: Connect, first: str | bytes):
    line = await connect()
    await line.raw(first)
    assert (await line.hear("error"))["error"]["say"]
    assert await line.ended() == hub.Close.NOT_SIGNED_IN


async def test_who_says_nothing_is_not_kept(connect: Connect, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(socket, "_SIGN_IN_SECONDS", 0.1)
    assert await (await connect()).ended() == hub.Close.NOT_SIGNED_IN


async def test_a_foreign_room_is_told_apart_from_none_by_nobody(
    town: Town, sign_in: SignIn, connect: Connect, chen: Person
):
    foreign = (await room_of_grid((await Area.get(code=NEXT)).id)).id
    line = await connect(await sign_in(CHEN))
    message = {"client_id": "1", "text": "我不是这个网格的"}
    for more in ({"kind": "subscribe"}, {"kind": "read", "seq": 1}, {"kind": "post", "message": message}):
        there, nowhere = await line.ask(room=foreign, **more), await line.ask(room=2**40, **more)
        for answer in (there, nowhere):
            answer["error"].pop("request_id")
            answer.pop("id")
        assert there == nowhere
        assert there["error"]["code"] == "not_found"
    assert await RoomMessage.filter(room_id=foreign).count() == 0
    assert await AuditEvent.filter(tag="room:speak", object_id=foreign, actor=chen.actor, allowed=False).count() == 1
    await say(town, await find_operator("G002"), foreign, "这里是第二网格")
    own = (await room_of_grid((await Area.get(code=GRID)).id)).id
    await line.ask("subscribe", room=own)
    await line.post(own, "大家好")
    await line.hear_up_to(1)
    assert [entry["room"] for entry in line.entries] == [own]


@pytest.mark.parametrize(
    ("frame", "named"),
    [
        ("{", ""),
        ("[1]", ""),
        ('{"type":"dance"}', "type"),
        ('{"type":["post"]}', "type"),
        ('{"type":"subscribe","room":0}', "room"),
        ('{"type":"subscribe","room":1,"room":2}', "room"),
        ('{"type":"subscribe","room":"1"}', "room"),
        ('{"type":"subscribe","room":1e400}', ""),
        ('{"type":"subscribe","room":1,"who":"staff:1"}', "who"),
        ('{"type":"post","room":1,"message":{"client_id":"1","text":"x","sender":"staff:1"}}', "message.sender"),
        ('{"type":"post","room":1,"message":{"client_id":"1","text":"' + "长" * 2001 + '"}}', "message.text"),
        ('{"type":"post","room":1,"message":{"client_id":"1","text":"\\u0000"}}', ""),
        ('{"type":"read","room":1,"seq":-1}', "seq"),
        ('{"type":' + "[" * 10_000, ""),
        ('{"type":"sign_in","token":"ll_x"}', ""),
    ],
)
async def test_a_frame_that_does_not_fit_is_refused_by_name_and_the_line_stays(
    sign_in: SignIn, connect: Connect, frame: str, named: str
):
    line = await connect(await sign_in(CHEN))
    await line.raw(frame)
    error = (await line.hear("error"))["error"]
    assert error["code"] == "bad_request"
    assert named in [field["field"] for field in error.get("fields", [{"field": ""}])]
    assert (await line.ask("ping"))["type"] == "pong"
    assert await RoomMessage.all().count() == 0


async def test_frames_too_long_too_many_or_of_bytes_end_the_line(sign_in: SignIn, connect: Connect):
    caller = await sign_in(CHEN)
    long, flood, bytes_ = [await connect(caller) for _ in range(3)]
    await long.raw('{"type":"ping","id":"' + "x" * 65_536 + '"}')
    assert await long.ended() == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    await bytes_.raw(b'{"type":"ping"}')
    assert await bytes_.ended() == hub.Close.UNREADABLE
    for _ in range(201):
        await flood.raw('{"type":"ping"}')
    assert await flood.ended() == hub.Close.TOO_MANY


async def test_a_login_that_ended_hears_no_more_within_a_second(
    town: Town, sign_in: SignIn, connect: Connect, room: int, chen: Person
):
    line = await connect(await sign_in(CHEN))
    await line.ask("subscribe", room=room)
    await tokens.end_all(chen, town.clock())
    assert await line.ended(within=_SOON) == hub.Close.NOT_SIGNED_IN


async def test_staff_dismissed_or_elsewhere_hear_no_more_within_a_second(sign_in: SignIn, connect: Connect, room: int):
    dismissed, moved = await Staff.get(code="G001"), await Staff.get(code="S001")
    lines = [await connect(await sign_in(staff=staff)) for staff in (dismissed, moved)]
    for line in lines:
        await line.ask("subscribe", room=room)
    await Staff.filter(id=dismissed.id).update(active=False)
    await Staff.filter(id=moved.id).update(area_id=(await Area.get(code=NEXT)).id)
    ended = await asyncio.gather(*(line.ended(within=_SOON) for line in lines))
    assert ended == [hub.Close.NOT_SIGNED_IN, hub.Close.CHANGED]


async def test_who_moves_to_another_grid_leaves_the_old_room(
    town: Town, sign_in: SignIn, connect: Connect, room: int, chen: Person
):
    line = await connect(await sign_in(CHEN))
    await line.ask("subscribe", room=room)
    await join_grid(chen, town.clock(), code=NEXT)
    assert await line.ended() == hub.Close.CHANGED
    back = await connect(await sign_in(CHEN))
    assert (await back.ask("subscribe", room=room))["error"]["code"] == "not_found"


async def test_who_somebody_was_at_sign_in_is_what_is_asked_later_for_every_kind_of_person(
    town: Town, sign_in: SignIn, chen: Person
):
    """Else their line would be closed again and again."""
    await find_person("o_without_a_grid", town.clock())
    people = [await sign_in(openid) for openid in (CHEN, WANG, LI, ZHOU, "o_without_a_grid")]
    people += [await sign_in(staff=await Staff.get(code=code)) for code in ("G001", "S001", "J001", "B021", "C001")]
    for caller in people:
        person, token = await tokens.find_token(caller.token, town.clock())
        assert await standings([token.id], town.clock()) == {token.id: standing_of(person)}


async def test_a_client_that_does_not_read_is_cut_off_and_holds_up_nobody(
    town: Town, sign_in: SignIn, connect: Connect, room: int
):
    chen, wang = await connect(await sign_in(CHEN)), await connect(await sign_in(WANG))
    await wang.ask("subscribe", room=room)
    async with deaf(town.url, (await sign_in(WANG)).token, room) as slow:
        for _ in range(120):  # 720 kilobytes
            await chen.post(room, "长" * 2_000)
        assert await wang.hear_up_to(120) == list(range(1, 121))
        assert 0 < await everything(slow) < 600_000
    after = await connect(await sign_in(WANG))
    await after.ask("subscribe", room=room, after=0)
    assert after.numbers == list(range(1, 121))


@asynccontextmanager
async def deaf(url: str, token: str, room: int) -> AsyncIterator[socketlib.socket]:
    """Somebody in the room who reads nothing from now on, with as little room for what comes as the system gives."""
    loop, address = asyncio.get_running_loop(), urlsplit(url)
    with socketlib.socket() as line:
        line.setsockopt(socketlib.SOL_SOCKET, socketlib.SO_RCVBUF, 4096)
        line.setblocking(False)
        await loop.sock_connect(line, (address.hostname, address.port))
        head = (
            "GET /api/v1/ws HTTP/1.1\r\nHost: linli\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {'A' * 22}==\r\nAuthorization: Bearer {token}\r\n\r\n"
        )
        await loop.sock_sendall(line, head.encode() + masked(0x81, b'{"type":"subscribe","room":%d}' % room))
        heard = b""
        while b'"subscribed"' not in heard:
            heard += await loop.sock_recv(line, 4096)
        yield line


async def everything(line: socketlib.socket) -> int:
    """Bytes that were still on their way when the server hung up."""
    loop, count = asyncio.get_running_loop(), 0
    async with asyncio.timeout(60):
        while piece := await loop.sock_recv(line, 65_536):
            count += len(piece)
    return count


async def test_a_room_tells_how_many_people_are_in_it(sign_in: SignIn, connect: Connect, room: int):
    chen, wang = await sign_in(CHEN), await sign_in(WANG)
    phone, computer = await connect(chen), await connect(chen)
    for line in (phone, computer):
        await line.ask("subscribe", room=room)
    worker = await connect(wang)
    await worker.ask("subscribe", room=room)
    await phone.hear(lambda frame: frame["type"] == "presence" and frame["present"] == 2)
    await computer.hang_up()
    later = await connect(await sign_in(LI))
    await later.ask("subscribe", room=room)
    await phone.hear(lambda frame: frame["type"] == "presence" and frame["present"] == 3)
    await worker.hang_up()
    await phone.hear(lambda frame: frame["type"] == "presence" and frame["present"] == 2)


async def test_what_was_read_on_one_device_is_read_on_the_other(sign_in: SignIn, connect: Connect, room: int):
    chen, wang = await sign_in(CHEN), await sign_in(WANG)
    phone, computer, worker = await connect(chen), await connect(chen), await connect(wang)
    for line in (phone, computer, worker):
        await line.ask("subscribe", room=room)
    await worker.post(room, "今晚八点停水")
    assert (await phone.ask("read", room=room, seq=99))["seq"] == 1, "never beyond what there is"
    heard = await computer.hear("read")
    assert (heard["room"], heard["seq"], heard["me"]) == (room, 1, True)
    assert (await chen.get(f"/rooms/{room}")).json["read_seq"] == 1
    await worker.ask("ping")
    with pytest.raises(TimeoutError):
        await worker.hear("read", within=0.3)


async def test_in_a_private_talk_each_side_sees_what_the_other_has_read(
    town: Town, sign_in: SignIn, connect: Connect, chen: Person
):
    private = (await private_room(chen, town.clock())).id
    resident, worker = await sign_in(CHEN), await connect(await sign_in(WANG))
    line = await connect(resident)
    for one in (line, worker):
        await one.ask("subscribe", room=private)
    said = await worker.post(private, "水管修好了吗？")
    await resident.ask("PUT", f"/rooms/{private}/read", json={"seq": said["seq"]})
    heard = await worker.hear("read")
    assert (heard["seq"], heard["me"]) == (said["seq"], False)
