"""Nobody finds out by trying what there is that is not theirs (S24): what a body names answers the same, byte for
byte, whether it is somebody else's or does not exist. Objects in paths are tested by the policy matrix."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from domain import rooms
from domain.people import Person
from domain.reports import Draft, report
from models.enums import Purpose
from models.people import Staff
from models.rooms import RoomMessage, RoomSeat
from tests.api.caller import Caller
from tests.api.conftest import SignIn
from tests.api.files import picture
from tests.api.talk import MoveIn, room_of, say
from tests.api.test_cases import agree
from tests.api.test_uploads import send
from tests.domain.neighbours import FAR, FIRST, neighbour
from tests.town import Town

NOWHERE = 2**40


class Strangers:
    """A resident of the first grid with its worker and its community's staff, and things in another community."""

    def __init__(self, town: Town, move_in: MoveIn, sign_in: SignIn) -> None:
        self._town, self._move_in, self._sign_in = town, move_in, sign_in

    async def settle(self) -> Strangers:
        self.chen, self.far = await self._move_in("chen"), await self._move_in("far", FAR)
        await agree("o_neighbour_chen", Purpose.SERVICE)
        self.wang, self.li = [await self._sign_in(staff=await Staff.get(code=code)) for code in ("G001", "S001")]
        self.room = await room_of(self.chen)
        self.own = (await say(self.chen, self.room, "3栋2单元楼道灯坏了"))["id"]
        self.message = (await say(self.far, await room_of(self.far), "这里是茶港"))["id"]
        self.handle = rooms.handle((await RoomSeat.get(who=(await self.person("far")).actor)).id)
        self.upload = (await send(self.far, picture())).json["id"]
        draft = Draft("楼道灯坏了", "lighting.corridor", "楼道照明损坏")
        self.case = (await report(await self.person("far"), draft, self._town.clock())).case
        return self

    async def person(self, name: str) -> Person:
        return await neighbour(name, self._town.clock(), FAR)


@pytest.fixture
async def strangers(town: Town, move_in: MoveIn, sign_in: SignIn) -> Strangers:
    return await Strangers(town, move_in, sign_in).settle()


async def same(caller: Caller, path: str, foreign: dict[str, Any], absent: dict[str, Any]) -> int:
    """The status both get, where nothing tells them apart."""
    there, nowhere = await caller.post(path, foreign), await caller.post(path, absent)
    assert there.as_seen == nowhere.as_seen, path
    return there.status


async def test_what_a_message_points_to(strangers: Strangers):
    path = f"/rooms/{strangers.room}/messages"
    for foreign, absent in (
        ({"reply_to": strangers.message}, {"reply_to": NOWHERE}),
        ({"mentions": [strangers.handle]}, {"mentions": ["m999999"]}),
        ({"kind": "image", "upload": strangers.upload}, {"kind": "image", "upload": str(uuid4())}),
    ):
        body = {"client_id": "1", "text": "在吗"}
        assert await same(strangers.chen, path, body | foreign, body | absent) == 400
    assert await RoomMessage.filter(room_id=strangers.room).count() == 1


async def test_photos_of_a_report_and_links_to_files(strangers: Strangers):
    lamp = {"text": "3栋2单元楼道灯坏了"}
    photos = {"uploads": [strangers.upload]}, {"uploads": [str(uuid4())]}
    assert await same(strangers.chen, "/cases", lamp | photos[0], lamp | photos[1]) == 404
    foreign = [f"m{strangers.message}", f"u{strangers.upload.replace('-', '')}", f"a{strangers.case.id}"]
    absent = [f"m{NOWHERE}", f"u{uuid4().hex}", f"a{NOWHERE}"]
    assert await same(strangers.chen, "/files/links", {"names": foreign}, {"names": absent}) == 200


async def test_numbers_of_cases(strangers: Strangers):
    path = f"/messages/{strangers.own}/join"
    assert await same(strangers.wang, path, {"number": strangers.case.number}, {"number": "20261120-9999"}) == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [("mutes", {"minutes": 60, "why": "刷屏"}), ("badges", {"kind": "volunteer"}), ("private", {})],
)
async def test_members_of_other_rooms(strangers: Strangers, path: str, body: dict[str, Any]):
    where = "/rooms/private" if path == "private" else f"/rooms/{strangers.room}/{path}"
    more = {"room": strangers.room} if path == "private" else {}
    names = [body | more | {"handle": handle} for handle in (strangers.handle, "m999999")]
    assert await same(strangers.li, where, *names) in (400, 404)


async def test_what_waits_for_a_look_in_ones_own_room(strangers: Strangers, move_in: MoveIn):
    zhao = await move_in("zhao", FIRST)
    waiting = await say(zhao, strangers.room, "找我就打13812345678")
    assert waiting["state"] == "review"
    for method, verb, body in (
        ("GET", "", None),
        ("POST", "/recall", None),
        ("POST", "/complain", {"reason": "骂人"}),
        ("POST", "/appeal", {"reason": "没有"}),
    ):
        there, nowhere = [
            await strangers.chen.ask(method, f"/messages/{ident}{verb}", json=body)
            for ident in (waiting["id"], NOWHERE)
        ]
        assert (there.status, there.as_seen) == (404, nowhere.as_seen), verb
