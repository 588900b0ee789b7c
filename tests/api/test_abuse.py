"""The abuse nobody of good will sends, against every real route of a served Linli: refused in the one shape of errors
with a sentence, and not one row is written (S18)."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit

import aiohttp
import pytest

from miniapp_api import reading
from miniapp_api.api import SUBJECTS
from models.enums import Purpose
from tests.api.abuse import HOSTILE, UNSEEN, bodies, faults, rows
from tests.api.conftest import SignIn
from tests.api.matrix import BODIES, make_world, read_scenes, routes_of, some_target
from tests.api.sockets import Line, agree_to_rooms
from tests.api.talk import MoveIn, room_of, say
from tests.api.test_cases import agree
from tests.api.test_mass_assignment import allowed
from tests.domain.neighbours import first_room
from tests.town import CHEN, WANG, Town

read_scenes()

HEADERS = {"Content-Type": "application/json", "Idempotency-Key": "abuse"}
WRITES = {
    subject.subject: [route for route in routes_of(subject.subject) if "body" in route.takes] for subject in SUBJECTS
}


@pytest.mark.parametrize("subject", [name for name, routes in WRITES.items() if routes])
async def test_no_write_reads_a_body_that_is_no_proper_json(town: Town, sign_in: SignIn, subject: str):
    world = await make_world(town, sign_in)
    wrong = []
    for route in WRITES[subject]:
        actor = allowed(world, route)
        target = await some_target(world, route, actor) or {}
        name = next(iter(BODIES.get(f"{route.method} {route.path}", dict)()), "text")
        before = await rows()
        for what, raw in bodies(name):
            reply = await actor.caller.ask(route.method, route.path.format(**target), data=raw, headers=HEADERS)
            wrong += [f"{route.method} {route.path}, {what}: {fault}" for fault in faults(reply, 400, 413)]
        if await rows() != before:
            wrong.append(f"{route.method} {route.path} wrote something")
    assert wrong == []


async def test_a_body_that_never_ends_is_not_waited_for(town: Town, move_in: MoveIn, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "_PATIENCE", 0.2)
    chen = await move_in("chen")
    room, before = await room_of(chen), await rows()
    head, _, rest = await _trickled(town, f"/api/v1/rooms/{room}/messages", chen.token)
    error = json.loads(rest)["error"]
    assert (head, error["code"]) == (b"HTTP/1.1 400 Bad Request", "bad_request")
    assert "网络太慢" in error["say"]
    assert await rows() == before


async def _trickled(town: Town, path: str, token: str) -> tuple[bytes, bytes, bytes]:
    """The answer to a request that says a hundred bytes will come and sends one."""
    url = urlsplit(town.url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(
        f"POST {path} HTTP/1.1\r\nHost: {url.netloc}\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{".encode()
    )
    async with asyncio.timeout(60):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length"))
        rest = await reader.readexactly(length)
    writer.close()
    return head.split(b"\r\n")[0], head, rest


async def test_what_somebody_types_comes_back_as_text_in_rooms(town: Town, move_in: MoveIn):
    chen, zhao = await move_in("chen"), await move_in("zhao")
    room = await room_of(chen)
    for number, typed in enumerate(HOSTILE):
        await say(chen, room, typed, client_id=f"h{number}")
    page = await zhao.get(f"/rooms/{room}/messages")
    assert (page.headers["Content-Type"], page.headers["X-Content-Type-Options"]) == (
        "application/json; charset=utf-8",
        "nosniff",
    )
    assert [one["text"] for one in page.json["items"]] == [seen(typed) for typed in HOSTILE]


def seen(typed: str) -> str:
    """A text without what nobody sees; line breaks stay."""
    return "".join(letter for letter in typed if letter == "\n" or letter not in UNSEEN)


async def test_and_over_a_websocket(town: Town, sign_in: SignIn):
    await agree_to_rooms(town, CHEN)
    room = (await first_room()).id
    async with aiohttp.ClientSession() as session:
        lines = []
        for openid in (CHEN, WANG):
            headers = {"Authorization": f"Bearer {(await sign_in(openid)).token}"}
            lines.append(Line(await session.ws_connect(f"{town.url}/api/v1/ws", headers=headers)))
            await lines[-1].ask("subscribe", room=room)
        for typed in HOSTILE:
            await lines[0].post(room, typed)
        await lines[1].hear_up_to(len(HOSTILE))
    assert [entry["text"] for entry in lines[1].entries] == [seen(typed) for typed in HOSTILE]


@pytest.mark.parametrize("typed", HOSTILE)
async def test_and_in_nicknames_and_cases(town: Town, move_in: MoveIn, sign_in: SignIn, typed: str):
    chen = await move_in("chen")
    await agree("o_neighbour_chen", Purpose.PROFILE, Purpose.SERVICE)
    named = await chen.ask("PATCH", "/me", json={"nickname": typed[:16]})
    entry = await say(chen, await room_of(chen), "早上好")
    assert (named.status, entry["author"]["label"]) == (200, " ".join(seen(typed[:16]).split()))
    made = (await chen.post("/cases", {"text": f"3栋2单元楼道灯坏了{typed}"})).json
    read = await (await sign_in(WANG)).get(f"/cases/{made['id']}")
    assert read.json["description"] == f"3栋2单元楼道灯坏了{seen(typed)}"
    assert not UNSEEN - {"\n"} & set(read.raw.decode())
