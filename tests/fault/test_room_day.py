"""A room's day from real messages, through two web processes: one number each, and no report is lost."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

import nlp
from domain.room_rules import is_clear
from domain.rooms import room_of_grid
from models.cases import Case
from models.database import fetch
from models.enums import MessageState, Source
from models.people import Area
from models.rooms import Review, Room, RoomMessage
from tests.fault.conftest import Cluster
from tests.fault.test_rooms_killed import GRID, signed_in
from tests.waiting import eventually

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SAID, LETTERS = DATA / "chat_dev.jsonl", DATA / "messages_unlabelled.csv"
SURE = 0.7


def real_messages() -> tuple[list[str], list[str]]:
    """What people said in chats, and the beginnings of letters to a mayor; and those of the first that are reports."""
    lines = [json.loads(line) for line in SAID.read_text(encoding="utf-8").splitlines()]
    with LETTERS.open(encoding="utf-8-sig", newline="") as file:
        titles = [row["title"].strip() for row in csv.DictReader(file)]
    said = [line["text"] for line in lines]
    return said + titles[::17][:250], [line["text"] for line in lines if line["intent"] == "report"]


class Neighbour:
    """Somebody who says their messages one after the other, each over both processes, as on a bad line."""

    def __init__(self, session: aiohttp.ClientSession, urls: Sequence[str], token: str, room: int) -> None:
        self._session, self._urls, self._token, self._room = session, urls, token, room

    async def say_all(self, texts: Sequence[str]) -> None:
        for text in texts:
            name = uuid4().hex
            first, second = await asyncio.gather(*(self._say(url, name, text) for url in self._urls))
            assert first == second

    async def _say(self, url: str, name: str, text: str) -> int:
        async with self._session.post(
            f"{url}/api/v1/rooms/{self._room}/messages",
            json={"client_id": name, "text": text},
            headers={"Authorization": f"Bearer {self._token}"},
        ) as answer:
            assert answer.status == 201, await answer.text()
            return int((await answer.json())["id"])


async def jobs_left() -> bool:
    """Whether workers still have to do something in rooms."""
    rows = await fetch("SELECT count(*) AS left FROM outbox WHERE kind = 'room' AND finished_at IS NULL")
    return bool(rows[0]["left"])


@pytest.mark.skipif(not LETTERS.exists(), reason="the messages of ../shared/data are not here")
async def test_every_message_of_a_day_has_one_number_and_every_report_is_a_case_or_a_hint(cluster: Cluster) -> None:
    texts, reports = real_messages()
    room = (await room_of_grid((await Area.get(code=GRID)).id)).id
    await Room.filter(id=room).update(auto_case=True)
    processes = [cluster.start("web 0"), cluster.start("web 1"), cluster.start("worker")]
    await asyncio.gather(*(process.start() for process in processes))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        people = [Neighbour(session, cluster.urls, await signed_in(number), room) for number in range(20)]
        theirs: list[list[str]] = [[] for _ in people]
        for text, own in zip(texts, cycle(theirs), strict=False):
            own.append(text)
        await asyncio.gather(*(one.say_all(own) for one, own in zip(people, theirs, strict=True)))

    async def quiet() -> bool:
        return not await jobs_left()

    await eventually(quiet)
    spoken = await RoomMessage.filter(room_id=room, sender__startswith="resident:")
    assert sorted(row.text for row in spoken) == sorted(texts)
    numbers = sorted(row.seq for row in await RoomMessage.filter(room_id=room, seq__isnull=False))
    assert numbers == list(range(1, len(numbers) + 1))
    held = [row for row in spoken if row.seq is None]
    assert all(row.state in (MessageState.REVIEW, MessageState.REFUSED) for row in held)
    assert len([row for row in held if row.state is MessageState.REVIEW]) == await Review.filter(room_id=room).count()

    assert [row.text for row in spoken if row.text in reports and not (row.hint or row.case_id)] == []
    shown = [row for row in spoken if row.seq is not None]
    clear = [row for row in shown if is_clear(nlp.understand(row.text), SURE)]
    assert [row.text for row in clear if row.case_id is None] == []
    await _check_replies(room, shown)


async def _check_replies(room: int, shown: Sequence[RoomMessage]) -> None:
    """Each message that is a case was answered with its number, exactly once; and no case stands alone."""
    answers = await RoomMessage.filter(room_id=room, sender="system", client_id__startswith="case:")
    answered = [row.reply_to for row in answers]
    with_case = [row for row in shown if row.case_id is not None]
    assert sorted(answered) == sorted(row.id for row in with_case)
    numbers = {case.id: case.number for case in await Case.filter(source=Source.ROOM)}
    assert set(numbers) == {row.case_id for row in with_case}
    assert all(numbers[row.case_id][-4:] in row.text for row in answers)
