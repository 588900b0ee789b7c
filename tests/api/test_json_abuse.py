"""What no client of good will sends: answered at once with 400 that says why, and nothing is done (S18)."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from models.audit import AuditEvent
from tests.api.caller import Caller, Reply
from tests.town import CHEN, Town

Trial = Callable[..., Awaitable[Caller]]
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def chen(town: Town, trial: Trial) -> Caller:
    await town.say(CHEN, "你好")
    return await trial(CHEN)


async def send(caller: Caller, raw: bytes, **headers: str) -> Reply:
    return await caller.ask("POST", "/notes", data=raw, headers=JSON | headers)


def deep(depth: int, opened: str, closed: str, middle: str = "") -> bytes:
    return (opened * depth + middle + closed * depth).encode()


NOT_JSON = {
    "nothing": b"",
    "blank": b"   \n",
    "half": b'{"text": "a"',
    "two": b'{"text": "a"}{"text": "b"}',
    "a comma too many": b'{"text": "a",}',
    "single quotes": b"{'text': 'a'}",
    "a comment": b'{"text": "a"} // x',
    "NaN": b'{"text": "a", "weight": NaN}',
    "Infinity": b'{"text": "a", "weight": Infinity}',
    "1e400": b'{"text": "a", "weight": 1e400}',
    "-1e400": b'{"text": "a", "weight": -1e400}',
    "an endless number": b'{"text": "a", "weight": ' + b"9" * 5000 + b"}",
    "a leading zero": b'{"text": "a", "stars": 01}',
    "a plus": b'{"text": "a", "stars": +1}',
    "hexadecimal": b'{"text": "a", "stars": 0x1}',
    "half a surrogate": b'{"text": "\\ud800"}',
    "surrogates the wrong way round": b'{"text": "\\udc00\\ud800"}',
    "no UTF-8": b'{"text": "\xff\xfe"}',
    "UTF-8 of a surrogate": b'{"text": "\xed\xa0\x80"}',
    "overlong UTF-8": b'{"text": "\xc0\xaf"}',
    "GBK": '{"text": "灯坏了"}'.encode("gbk"),
    "UTF-16": '{"text": "a"}'.encode("utf-16"),
    "UTF-32": '{"text": "a"}'.encode("utf-32"),
    "a byte order mark": b'\xef\xbb\xbf{"text": "a"}',
    "a raw NUL": b'{"text": "a\x00b"}',
    "an escaped NUL": b'{"text": "a\\u0000b"}',
    "a NUL in a name": b'{"text": "a", "\\u0000": 1}',
    "a raw line break": b'{"text": "a\nb"}',
    "10,000 lists": deep(10_000, "[", "]"),
    "10,000 objects": deep(10_000, '{"a":', "}", "1"),
    "10,000 lists in a field": b'{"text": ' + deep(10_000, "[", "]") + b"}",
    "30,000 open brackets": b"[" * 30_000,
    "30,000 open braces": b'{"a":' * 12_000,
    "XML": b"<a/>",
    "a form": b"text=a",
}

WRONG: dict[str, tuple[Any, list[str]]] = {
    "a list": ([], [""]),
    "a text": ("a", [""]),
    "a number": (1, [""]),
    "null": (None, [""]),
    "no text": ({}, ["text"]),
    "an empty text": ({"text": ""}, ["text"]),
    "a long text": ({"text": "x" * 51}, ["text"]),
    "a number for a text": ({"text": 1}, ["text"]),
    "a list for a text": ({"text": ["a"]}, ["text"]),
    "an object for a text": ({"text": {"a": 1}}, ["text"]),
    "null for a text": ({"text": None}, ["text"]),
    "a text for a number": ({"text": "a", "stars": "5"}, ["stars"]),
    "true for a number": ({"text": "a", "stars": True}, ["stars"]),
    "a fraction": ({"text": "a", "stars": 1.5}, ["stars"]),
    "too many": ({"text": "a", "stars": 6}, ["stars"]),
    "too few": ({"text": "a", "stars": -1}, ["stars"]),
    "a huge number": ({"text": "a", "stars": 10**40}, ["stars"]),
    "an unknown word": ({"text": "a", "mood": "angry"}, ["mood"]),
    "another case": ({"text": "a", "mood": "GLAD"}, ["mood"]),
    "a text for a weight": ({"text": "a", "weight": "1"}, ["weight"]),
    "no time": ({"text": "a", "when": "tomorrow"}, ["when"]),
    "a day that is none": ({"text": "a", "when": "2026-02-30T00:00:00Z"}, ["when"]),
    "a list for an object": ({"text": "a", "inner": []}, ["inner"]),
    "an unknown field": ({"text": "a", "other": 1}, ["other"]),
    "an unknown field inside": ({"text": "a", "inner": {"other": 1}}, ["inner.other"]),
    "a long name inside": ({"text": "a", "inner": {"name": "x" * 11}}, ["inner.name"]),
    "an object for a list": ({"text": "a", "names": {}}, ["names"]),
    "a long list": ({"text": "a", "names": ["a"] * 4}, ["names"]),
    "a number in a list": ({"text": "a", "names": ["a", 1]}, ["names.1"]),
    "prototype": ({"text": "a", "__proto__": {"admin": True}}, ["__proto__"]),
    "several at once": ({"text": "", "stars": 9, "mood": "?"}, ["text", "mood", "stars"]),
}


async def quick(caller: Caller, raw: bytes) -> Reply:
    """The answer, which costs next to nothing: what it takes on a busy machine is no more than its turn."""
    started = time.process_time()
    reply = await send(caller, raw)
    assert reply.status == 400, raw[:100]
    assert time.process_time() - started < 0.5, raw[:100]
    return reply


async def test_what_is_no_json_is_refused_at_once(chen: Caller):
    for name, raw in NOT_JSON.items():
        reply = await quick(chen, raw)
        assert (reply.code, reply.json["error"]["say"][-1]) == ("bad_request", "。"), name
    assert not await AuditEvent.filter(tag="trial:write").exists()


async def test_what_does_not_fit_is_named_field_by_field(chen: Caller):
    for name, (body, fields) in WRONG.items():
        reply = await quick(chen, json.dumps(body).encode())
        assert reply.fields == fields, name
        says = [one["say"] for one in reply.json["error"]["fields"]]
        assert all(say.endswith("。") and "{" not in say for say in says), (name, says)
    assert not await AuditEvent.filter(tag="trial:write").exists()


def mutilated(seed: bytes) -> Iterator[bytes]:
    """Every prefix, and the text with each byte left out, doubled or turned into a bracket."""
    for place in range(len(seed)):
        yield seed[:place]
        yield seed[:place] + seed[place + 1 :]
        yield seed[:place] + seed[place : place + 1] * 2 + seed[place + 1 :]
        yield seed[:place] + b"[" + seed[place + 1 :]


async def test_no_mutilated_body_makes_the_server_fail(town: Town, chen: Caller):
    seed = (
        '{"text":"灯","mood":"sad","stars":3,"weight":1.5,"when":"2026-11-20T02:00:00Z","inner":{"name":"a"}}'.encode()
    )
    bodies = list(mutilated(seed))
    assert len(bodies) > 400
    statuses = set()
    for number, raw in enumerate(bodies):
        if number % 150 == 0:
            town.clock.advance(timedelta(minutes=1))
        statuses.add((await send(chen, raw)).status)
    assert statuses == {201, 400}


async def test_the_same_name_twice_is_refused_and_named(chen: Caller):
    twice = await send(chen, b'{"text": "a", "text": "b"}')
    inside = await send(chen, b'{"text": "a", "inner": {"name": "a", "name": "b"}}')
    assert (twice.status, twice.fields, inside.fields) == (400, ["text"], ["name"])


async def test_a_body_of_64_kib_is_read_and_one_byte_more_is_not(chen: Caller):
    fill = b'{"text": "a"' + b" " * (64 * 1024)
    most, more = fill[: 64 * 1024 - 1] + b"}", fill[: 64 * 1024] + b"}"
    read, refused = await send(chen, most), await send(chen, more)
    assert (read.status, refused.status, refused.code) == (201, 413, "too_large")
    assert "64 KB" in refused.json["error"]["say"]


async def test_a_million_names_are_not_even_read(chen: Caller):
    raw = b"{" + b",".join(b'"k%d":1' % n for n in range(1_000_000)) + b"}"
    started = time.process_time()
    assert (await send(chen, raw)).status == 413
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json"]
)
async def test_what_is_not_called_json_is_not_taken_for_it(chen: Caller, kind: str):
    reply = await send(chen, b'{"text": "a"}', **{"Content-Type": kind})
    assert (reply.status, "application/json" in reply.json["error"]["say"]) == (400, True)


@pytest.mark.parametrize(
    "path",
    ["/notes/0", "/notes/-1", "/notes/x", "/notes/1.5", "/notes/9223372036854775808", "/notes/%00", "/notes/１",
     "/notes/1%27%20OR%201=1", "/notes/" + "9" * 5000, "/numbers?limit=0", "/numbers?limit=101", "/numbers?limit=x",
     "/numbers?limit=1&limit=2", "/numbers?other=1", "/numbers?cursor=%00", "/numbers?cursor=abc", "/numbers?limit="],
)  # fmt: skip
async def test_a_wrong_address_is_refused(chen: Caller, path: str):
    reply = await chen.get(path)
    assert (reply.status, reply.code) == (400, "bad_request")


async def test_a_list_goes_on_where_its_cursor_says(chen: Caller):
    seen, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        page = (await chen.get("/numbers", params={"limit": 2, "cursor": cursor})).json
        seen, cursor, pages = seen + page["items"], page["next"], pages + 1
    assert (seen, pages) == ([1, 2, 3, 4, 5], 3)


async def test_a_cursor_is_good_as_it_is_and_for_whom_it_was_made(town: Town, chen: Caller, trial: Trial):
    await town.say("o_sim_community_li", "你好")
    cursor = (await chen.get("/numbers", params={"limit": 2})).json["next"]
    other = await trial("o_sim_community_li")
    assert (await other.get("/numbers", params={"cursor": cursor})).status == 400
    for place in range(len(cursor)):
        changed = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        assert (await chen.get("/numbers", params={"cursor": changed})).status == 400
