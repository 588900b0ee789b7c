"""What every answer of the API has in common."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

import aiohttp
import asyncpg
import pytest

from models.audit import AuditEvent
from tests.api import trial as book
from tests.api.caller import Caller
from tests.api.conftest import SignIn
from tests.town import CHEN, WANG, Town

Trial = Callable[..., Awaitable[Caller]]


async def test_who_signed_in_is_told_who_they_are(town: Town, sign_in: SignIn):
    await town.say(CHEN, "你好")
    reply = await (await sign_in(CHEN)).get("/me")
    assert (reply.status, reply.json["post"]) == (200, None)
    assert reply.json["actor"].startswith("resident:")


async def test_staff_are_told_their_post(town: Town, sign_in: SignIn):
    await town.say(WANG, "你好")
    reply = await (await sign_in(WANG)).get("/me")
    assert reply.json["post"]["label"] == "网格员王芳"


async def test_without_a_token_the_answer_is_401_and_says_what_to_do(sign_in: SignIn):
    reply = await (await sign_in()).get("/me", headers={"X-Request-Id": "abc-1"})
    assert (reply.status, reply.code) == (401, "not_signed_in")
    assert reply.json["error"]["request_id"] == reply.headers["X-Request-Id"] == "abc-1"
    assert "登录" in reply.json["error"]["say"]


@pytest.mark.parametrize("claimed", ["x" * 37, "a b", "灯", "<script>", ""])
async def test_a_request_id_of_another_form_is_replaced(sign_in: SignIn, claimed: str):
    reply = await (await sign_in()).get("/me", headers={"X-Request-Id": claimed})
    assert re.fullmatch("[0-9a-f]{32}", reply.headers["X-Request-Id"])
    assert reply.json["error"]["request_id"] == reply.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic bGw6bGw=", "bearer  x y", "Bearer ll_灯", "ll_x", "Bearer " + "x" * 9000]
)
async def test_what_is_no_token_is_nobody(sign_in: SignIn, header: str):
    reply = await (await sign_in()).get("/me", headers={"Authorization": header})
    assert reply.status in (400, 401)
    assert reply.status == 401 or len(header) > 8190  # such a header is not HTTP for our server


async def test_an_address_that_does_not_exist_answers_in_the_same_shape(sign_in: SignIn):
    caller = await sign_in()
    absent, wrong = await caller.get("/nothing/here"), await caller.ask("DELETE", "/me")
    assert (absent.status, absent.code) == (404, "not_found")
    assert (wrong.status, wrong.code) == (405, "wrong_method")
    for header in ("X-Request-Id", "X-Content-Type-Options", "Cache-Control"):
        assert header in absent.headers
        assert header in wrong.headers


async def test_an_error_nobody_thought_of_says_nothing_of_itself(town: Town, trial: Trial):
    await town.say(CHEN, "你好")
    book.gate = asyncio.Event()
    book.gate.set()
    reply = await (await trial(CHEN)).post("/apart", {"text": "密码是 1234", "mood": "sad"})
    assert (reply.status, reply.code) == (500, "internal")
    assert "1234" not in reply.raw.decode()
    assert "Error" not in reply.raw.decode()


async def test_while_the_database_is_away_the_client_is_told_when_to_come_again(
    town: Town, trial: Trial, admin: asyncpg.Connection, database_url: str
):
    await town.say(CHEN, "你好")
    caller = await trial(CHEN)
    name = database_url.split("/test_")[1].split("?", maxsplit=1)[0]
    await admin.execute(f'ALTER DATABASE "test_{name}" ALLOW_CONNECTIONS false')
    await admin.execute(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = $1", f"test_{name}"
    )
    reply = await caller.post("/notes", {"text": "一"})
    assert (reply.status, reply.code, reply.headers["Retry-After"]) == (503, "unavailable", "5")
    await admin.execute(f'ALTER DATABASE "test_{name}" ALLOW_CONNECTIONS true')
    assert (await caller.post("/notes", {"text": "一"})).status == 201


async def test_a_write_is_audited_with_its_request(town: Town, trial: Trial):
    await town.say(CHEN, "你好")
    await (await trial(CHEN)).post("/notes", {"text": "一"}, headers={"X-Request-Id": "r-1"})
    row = await AuditEvent.get(tag="trial:write")
    assert (row.source, row.actor.split(":")[0]) == ("api:r-1", "resident")


def form(content: bytes, name: str = "a.jpg", **fields: str) -> aiohttp.FormData:
    """A file after its fields."""
    made = aiohttp.FormData()
    for field, value in fields.items():
        made.add_field(field, value)
    made.add_field("file", content, filename=name, content_type="image/jpeg")
    return made


@pytest.fixture
async def chen(town: Town, trial: Trial) -> Caller:
    await town.say(CHEN, "你好")
    return await trial(CHEN)


async def test_a_file_comes_in_with_its_fields(chen: Caller):
    reply = await chen.ask("POST", "/files", data=form(b"x" * 1000, words="路灯"))
    assert reply.json == {"size": 1000, "name": "a.jpg", "words": "路灯"}


async def test_a_file_may_be_as_large_as_its_route_says_and_no_larger(chen: Caller):
    most = await chen.ask("POST", "/files", data=form(b"x" * 1024 * 1024))
    more = await chen.ask("POST", "/files", data=form(b"x" * (1024 * 1024 + 1)))
    assert (most.status, more.status, more.code) == (200, 413, "too_large")
    assert "1 MB" in more.json["error"]["say"]


_DISPOSED = b"--b\r\nContent-Disposition: form-data; name="
FORMS = {
    "no boundary": ("multipart/form-data", b"x"),
    "nothing": ("multipart/form-data; boundary=b", b""),
    "no part": ("multipart/form-data; boundary=b", b"--b--\r\n"),
    "another boundary": ("multipart/form-data; boundary=b", b"--c\r\n\r\nx\r\n--c--"),
    "no name": ("multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--"),
    "cut off": ("multipart/form-data; boundary=b", _DISPOSED + b'"file"; filename="a"\r\n\r\nx'),
    "two files": ("multipart/form-data; boundary=b", (_DISPOSED + b'"file"\r\n\r\nx\r\n') * 2 + b"--b--\r\n"),
    "no UTF-8": ("multipart/form-data; boundary=b", _DISPOSED + b'"words"\r\n\r\n\xff\r\n--b--'),
    "no file": ("multipart/form-data; boundary=b", _DISPOSED + b'"words"\r\n\r\nx\r\n--b--'),
    "mixed": ("multipart/mixed; boundary=b", b"--b\r\n\r\nx\r\n--b--"),
    "JSON": ("application/json", b"{}"),
}


@pytest.mark.parametrize(("kind", "raw"), FORMS.values(), ids=FORMS)
async def test_what_is_no_proper_form_is_refused(chen: Caller, kind: str, raw: bytes):
    reply = await chen.ask("POST", "/files", data=raw, headers={"Content-Type": kind})
    assert (reply.status, reply.json["error"]["say"][-1]) == (400, "。")


async def test_fields_without_end_are_refused(chen: Caller):
    many = await chen.ask("POST", "/files", data=form(b"x", **{f"f{n}": "x" for n in range(21)}))
    long = await chen.ask("POST", "/files", data=form(b"x", words="x" * 9000))
    assert (many.status, long.status) == (400, 400)
