"""Each message once: duplicates, events without an id, floods of one person, handlers that fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from app.web import build_app
from bot.inbox import GIVEN_UP, LATE_REPLY, MAX_TRIES, PAUSES, Inbox
from bot.messages import Reply
from bot.router import Turn
from domain import casework
from domain.people import find_person
from errors import Conflict
from models.database import fetch
from tests.reliability.wire import WeChat, event, message, text
from tests.town import CHEN, PNG, WANG, Town

GRID = "grid:429906001001001"
LAMP = "3栋2单元楼道灯坏了好几天了"


async def stored(prefix: str) -> list[dict[str, object]]:
    """The inbox rows of some people."""
    return await fetch("SELECT * FROM inbox WHERE starts_with(openid, $1) ORDER BY id", prefix)


async def cases_of(openid: str) -> int:
    """How many cases somebody has."""
    rows = await fetch(
        "SELECT count(*) AS n FROM cases c JOIN resident r ON r.id = c.reporter_id WHERE r.openid = $1", openid
    )
    return int(rows[0]["n"])


async def test_three_deliveries_at_once_and_late_are_one_message_with_one_answer(town: Town, wechat: WeChat) -> None:
    now = town.clock()
    asked = [text(f"o_thrice_{person}", LAMP, now) for person in range(20)]
    answers = await asyncio.gather(*(wechat.push(xml, now) for xml in asked for _ in range(3)))
    town.clock.advance(timedelta(seconds=10))
    answers += await asyncio.gather(*(wechat.push(xml, now) for xml in asked))
    assert all(got.text.startswith("看起来您要反映") for got in answers)
    assert len(await stored("o_thrice")) == 20


async def test_a_report_confirmed_thrice_at_once_is_one_case(town: Town, wechat: WeChat) -> None:
    await town.platform.follow("o_once", GRID)
    await town.say("o_once", LAMP)
    one, other = (text("o_once", "1", town.clock()) for _ in range(2))
    answers = await asyncio.gather(*(wechat.push(xml, town.clock()) for xml in (one, one, one, other, other)))
    assert await cases_of("o_once") == 1
    assert len({got.text for got in answers[:3]}) == 1
    assert sum("已交给" in got.text for got in answers) in (2, 3)  # one of the two was first, with its copies


async def test_events_without_an_id_are_taken_once_and_none_is_lost(town: Town, wechat: WeChat) -> None:
    now = town.clock()
    for person in range(20):
        one = event(f"o_event_{person}", "CLICK", now, "<EventKey>help</EventKey>")
        other = event(f"o_event_{person}", "CLICK", now, "<EventKey>my_cases</EventKey>")
        place = event(f"o_event_{person}", "LOCATION", now, "<Latitude>30.5</Latitude><Longitude>114.3</Longitude>")
        got = await asyncio.gather(*(wechat.push(xml, now) for xml in (one, other, place) for _ in range(3)))
        assert [len({answer.text for answer in got[i : i + 3]}) for i in (0, 3, 6)] == [1, 1, 1]
        assert got[0].text != got[3].text
    assert len(await stored("o_event")) == 60


async def test_two_results_of_one_second_to_one_person_are_two_events(town: Town, wechat: WeChat) -> None:
    now = town.clock()
    for msgid in (1, 2):
        inner = f"<MsgID>{msgid}</MsgID><Status>success</Status>"
        for _ in range(3):
            assert (await wechat.push(event("o_result", "TEMPLATESENDJOBFINISH", now, inner), now)).body == b"success"
    assert len(await stored("o_result")) == 2


@pytest.mark.parametrize("first_words", [False, True])
async def test_nine_photos_within_one_second_are_one_report_with_nine_photos(town: Town, first_words: bool) -> None:
    people = [f"o_photos_{number}" for number in range(10)]
    for openid in people:
        await town.platform.follow(openid, GRID)
        if first_words:
            await town.say(openid, LAMP)
    await asyncio.gather(*(town.platform.send(openid, "image", data=PNG) for openid in people for _ in range(9)))
    for openid in people:
        if not first_words:
            await town.say(openid, LAMP)
        assert "已交给" in await town.say(openid, "提交")
    rows = await fetch(
        "SELECT count(DISTINCT c.id) AS cases, count(a.id) AS photos, count(DISTINCT a.media_id) AS different "
        "FROM cases c JOIN attachment a ON a.case_id = c.id"
    )
    assert rows == [{"cases": 10, "photos": 90, "different": 90}]


async def test_of_twenty_who_sign_one_case_at_once_one_wins(town: Town) -> None:
    await town.say(CHEN, LAMP)
    await town.say(CHEN, "1")
    case_id = (await fetch("SELECT id FROM cases"))[0]["id"]
    wang = await find_person(WANG, town.clock())
    results = await asyncio.gather(
        *(casework.sign(wang, case_id, town.clock()) for _ in range(20)), return_exceptions=True
    )
    assert sum(isinstance(result, Conflict) for result in results) == 19
    lines = await fetch("SELECT count(*) AS n FROM case_event WHERE verb = 'sign'")
    audits = await fetch("SELECT count(*) AS n FROM audit_event WHERE tag = 'case:sign' AND allowed")
    assert (lines[0]["n"], audits[0]["n"]) == (1, 1)


async def test_twenty_taps_on_sign_are_one_signature_and_nineteen_refusals_on_record(town: Town) -> None:
    await town.say(CHEN, LAMP)
    await town.say(CHEN, "1")
    case_id = (await fetch("SELECT id FROM cases"))[0]["id"]
    answers = await asyncio.gather(*(town.platform.tap(WANG, case_id * 100 + 11, "接") for _ in range(20)))
    assert sum("已接" in answer.text for answer in answers) == 1
    refused = await fetch("SELECT count(*) AS n FROM audit_event WHERE tag = 'case:sign' AND NOT allowed")
    assert refused[0]["n"] == 19


@pytest.fixture
async def poisoned(town: Town, session: aiohttp.ClientSession) -> AsyncIterator[WeChat]:
    """The callback with a bot whose handler always raises for “毒”, and asks PostgreSQL the impossible for “零”."""
    inbox = town.services.inbox

    async def dispatch(turn: Turn) -> Reply | None:
        if turn.message.text == "毒" or turn.message.event == "poison":
            raise ValueError("bad \x00 luck \ud800")
        if turn.message.text == "零":
            await fetch("SELECT 1 / 0")
        return await inbox.dispatch(turn)

    services = replace(town.services, inbox=Inbox(dispatch, inbox.refused))
    async with TestServer(build_app(services)) as server:
        yield WeChat(town.services.wechat, session, str(server.make_url("")).rstrip("/"))


async def test_a_message_nobody_can_handle_is_kept_told_and_parked_and_harms_no_other(
    town: Town, poisoned: WeChat
) -> None:
    await town.platform.follow("o_poison_7", GRID)
    await town.say("o_poison_7", "您好")  # opens the 48 hours in which the push can come
    bad = text("o_poison_7", "毒", town.clock())

    async def talk(person: int) -> list[str]:
        answers = []
        for number in range(10):
            xml = bad if (person, number) == (7, 5) else text(f"o_poison_{person}", f"你好{number}", town.clock())
            answers.append((await poisoned.push(xml, town.clock())).text)
        return answers

    conversations = await asyncio.gather(*(talk(person) for person in range(20)))
    assert [answer for talked in conversations for answer in talked].count(LATE_REPLY) == 1
    assert conversations[7][5] == LATE_REPLY
    assert (await poisoned.push(bad, town.clock())).text == LATE_REPLY  # WeChat's retry gets the same answer
    states = await fetch("SELECT state, count(*) AS n FROM inbox WHERE starts_with(openid, 'o_poison') GROUP BY state")
    assert {row["state"]: row["n"] for row in states} == {"done": 201, "failed": 1}  # with the first two
    await _give_up(town)
    row = (await fetch("SELECT state, tries, error, due_at FROM inbox WHERE state <> 'done'"))[0]
    assert (row["state"], row["tries"], row["due_at"]) == ("parked", MAX_TRIES, None)
    assert row["error"] == "ValueError: bad  luck "
    await town.deliver()
    assert town.heard("o_poison_7") == [GIVEN_UP]
    assert (await poisoned.push(text("o_poison_7", "你好", town.clock()), town.clock())).text.startswith("您好")


async def _give_up(town: Town) -> None:
    """Let the worker try until there is nothing more to try."""
    broken = _Broken(town.services.inbox)
    tried = 1
    for pause in PAUSES:
        town.clock.advance(pause - timedelta(seconds=1))
        await broken.inbox.retry_failed(town.clock())
        assert broken.calls == tried - 1  # not before its time
        town.clock.advance(timedelta(seconds=2))
        await broken.inbox.retry_failed(town.clock())
        tried += 1
        assert broken.calls == tried - 1
    town.clock.advance(timedelta(days=1))
    assert await broken.inbox.retry_failed(town.clock()) == 0
    assert broken.calls == MAX_TRIES - 1


class _Broken:
    """A worker's inbox whose handlers still raise."""

    def __init__(self, inbox: Inbox) -> None:
        self.calls = 0
        self.inbox = Inbox(self._dispatch, inbox.refused)

    async def _dispatch(self, _turn: Turn) -> Reply | None:
        self.calls += 1
        raise ValueError("bad \x00 luck \ud800")


async def test_a_failed_message_is_handled_later_and_answered_by_push(town: Town, poisoned: WeChat) -> None:
    await town.platform.follow("o_later", GRID)
    for said in ("毒", "零"):
        assert (await poisoned.push(text("o_later", said, town.clock()), town.clock())).text == LATE_REPLY
    town.clock.advance(PAUSES[0])
    assert await town.services.inbox.retry_failed(town.clock()) == 2  # the mended bot
    assert await town.services.inbox.retry_failed(town.clock()) == 0
    await town.deliver()
    assert "我没完全明白" in "".join(town.heard("o_later"))
    assert {row["state"] for row in await stored("o_later")} == {"done"}


async def test_two_workers_that_try_again_at_once_answer_once(town: Town, poisoned: WeChat) -> None:
    await town.platform.follow("o_later", GRID)
    await poisoned.push(text("o_later", "毒", town.clock()), town.clock())
    town.clock.advance(PAUSES[0])
    done = await asyncio.gather(*(town.services.inbox.retry_failed(town.clock()) for _ in range(4)))
    assert sum(done) == 1
    await town.deliver()
    assert len(town.heard("o_later")) == 1


async def test_an_event_that_fails_puts_no_words_into_the_chat(town: Town, poisoned: WeChat) -> None:
    await town.platform.follow("o_quiet", GRID)
    assert (await poisoned.push(event("o_quiet", "poison", town.clock()), town.clock())).body == b"success"
    await _give_up(town)
    await town.deliver()
    assert town.heard("o_quiet") == []


async def test_a_value_too_long_for_its_column_loses_no_message(town: Town, wechat: WeChat) -> None:
    await town.platform.follow("o_long", GRID)
    await town.say("o_long", LAMP)
    xml = message("o_long", "image", town.clock(), f"<PicUrl>u</PicUrl><MediaId>{'m' * 300}</MediaId>")
    assert (await wechat.push(xml, town.clock())).status == 200
    assert (await wechat.push(text("o_long", "1", town.clock()), town.clock())).text
    assert [row["openid"] for row in await stored("o_long")] == ["o_long"] * 4
