"""Notices that must not reach anybody twice, through lost answers and lost workers; the simulated WeChat counts."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from bot.once import DEDUPED_FOR, UNSURE
from bot.outbox import LEASE
from models.database import fetch, parse_url, to_json
from simulator.faults import ApiFault
from tests.reliability.test_delivery_ladder import CUSTOM, FIELDS
from tests.town import CHEN, Town
from tests.waiting import eventually

TEMPLATE = "/cgi-bin/message/template/send"
WORDS = "明天停水，请先接好水"
_PUT = """
INSERT INTO outbox
    (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error, created_at, quiet)
VALUES ('notice', 'pending', $1, $2::jsonb, 0, 0, $3, '', '', 0, '', $3, false)
"""


async def put(town: Town, *, talks: bool) -> None:
    """One such notice for 陈阿姨, who has just said something, or not for a long time."""
    await town.say(CHEN, "您好")
    if not talks:
        town.clock.advance(timedelta(days=3))
    payload = {"text": WORDS, "choices": [], "fields": FIELDS | {"note": WORDS}, "images": [], "once": True}
    await fetch(_PUT, CHEN, to_json(payload), town.clock())


def copies(town: Town) -> int:
    """How often it stands on the phone, as words or as a card; nothing else is pushed there."""
    return len(town.platform.pushes(CHEN))


async def job() -> dict[str, Any]:
    return (await fetch("SELECT * FROM outbox WHERE payload ? 'once'"))[0]


async def called() -> bool:
    """Whether its call has been noted."""
    return (await job())["called_at"] is not None


async def finish(town: Town) -> str:
    """Let a day of workers pass; gives how the job ended, or why it did not reach the person."""
    for _ in range(30):
        await town.deliver()
        town.clock.advance(timedelta(minutes=5))
    ended = await job()
    return str(ended["error"] if ended["state"] != "sent" else ended["channel"])


@pytest.mark.parametrize(
    ("talks", "kind", "ends", "heard"),
    [
        (True, "reset_after", UNSURE.error, 1),  # it was sent, but nobody can know
        (True, "http_500", UNSURE.error, 0),
        (True, "errcode", "service", 1),  # refused for now, certainly not sent
        (False, "reset_after", "template", 1),
        (False, "errcode", "template", 1),
    ],
)
async def test_an_answer_that_is_lost_makes_no_second_copy(
    town: Town, talks: bool, kind: Any, ends: str, heard: int
) -> None:
    await put(town, talks=talks)
    town.platform.faults.api.append(ApiFault(kind, CUSTOM if talks else TEMPLATE, errcode=45011, left=1))
    assert await finish(town) == ends
    assert copies(town) == heard


async def test_what_wechat_has_refused_for_good_is_known_not_to_have_arrived(town: Town) -> None:
    await put(town, talks=True)
    town.platform.faults.api.append(ApiFault("errcode", CUSTOM, errcode=40008, left=1))
    await finish(town)
    ended = await job()
    assert (ended["state"], ended["called_at"], copies(town)) == ("parked", None, 0)


@pytest.mark.parametrize(
    ("talks", "away", "ends"),
    [
        (True, LEASE, UNSURE.error),
        (False, LEASE, "template"),
        (False, DEDUPED_FOR, UNSURE.error),  # WeChat has forgotten the first by then
    ],
)
async def test_a_worker_lost_between_send_and_note_makes_no_second_copy(
    town: Town, database_url: str, talks: bool, away: timedelta, ends: str
) -> None:
    await put(town, talks=talks)
    town.platform.faults.api.append(ApiFault("slow", CUSTOM if talks else TEMPLATE, seconds=1.5, left=1))
    held = await asyncpg.connect(**parse_url(database_url))
    lost = asyncio.create_task(town.services.outbox().run_once())
    await eventually(called)
    async with held.transaction():
        await held.execute("SELECT 1 FROM outbox WHERE payload ? 'once' FOR UPDATE")  # no result can be noted
        await eventually(lambda: copies(town) == 1)
        lost.cancel()
        await asyncio.wait([lost])
    await held.close()
    town.clock.advance(away + timedelta(seconds=1))
    if talks:
        await town.say(CHEN, "您好")
    assert await finish(town) == ends
    assert copies(town) == 1
