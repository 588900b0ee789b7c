"""`linli bench broadcast`: one broadcast to a whole district, with workers that are killed on the way.

Two thirds of the people have not written for days and get a template message, which WeChat dedupes; the others have
the 48 hours open and get a customer-service message, which it does not. The platform answers each call after 50 ms and
keeps its own record of who got what; a template of the same `client_msg_id` reaches nobody twice, as with WeChat. One
worker process after the other is killed (SIGKILL) with calls in flight. In the end nobody may have it twice, and the
report of the broadcast must say what the platform's record says: whom it calls reached has one copy, all others have
none, but for those of whom the report itself says that nobody knows.

Meanwhile the notice of a case comes each second: how long it waits says whether the broadcast stands in its way.

Peers and limits, in the same run: what `executemany` of the driver puts into the outbox, and how many calls of 50 ms
one worker can make at most.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from time import perf_counter
from typing import Any

import asyncpg
import orjson
from aiohttp import web

from bench import stage
from bench.audience import look_through
from bench.stage import BenchFailed, Place, WeChatStandIn
from bot.once import UNSURE
from domain import broadcast_control, broadcast_reports, broadcast_runs, broadcasts
from domain.broadcasts import Draft
from domain.people import Person, find_operator
from models.broadcasts import Broadcast
from models.database import database, fetch, parse_url, to_json

ANSWER = 0.05
"""Seconds WeChat takes for an answer."""
PARALLEL = 32
"""Calls one worker makes at once (`bot.outbox.Outbox`)."""
KILLS = 3
_PATIENCE = 1800.0
_CASE = "oBenchCase"
_AUTHOR, _APPROVER = "J001", "Q001"
_WORDS = Draft(
    "医保缴费提醒",
    "城乡居民医保下个月 31 日截止，没交的请在微信或社区交。家里有老人的请转告一声。",
    {"followers": True},
    urgent=True,  # the bench may run at night
)


class Record(WeChatStandIn):
    """WeChat with a memory: how many copies each person got, by openid."""

    def __init__(self) -> None:
        super().__init__()
        self.templates: set[str] = set()
        self.copies: Counter[str] = Counter()
        self.case_notice = asyncio.Event()
        self.repeated = 0

    async def answer(self, request: web.Request) -> web.Response:
        """Any call: what it does is done before the answer is on its way."""
        if request.path == "/cgi-bin/stable_token":
            return web.Response(body=self.token, content_type="application/json")
        body = orjson.loads(await request.read())
        name = body.get("client_msg_id")
        if body["touser"].startswith(_CASE):
            self.case_notice.set()
        elif name in self.templates:
            self.repeated += 1
        else:
            self.copies[body["touser"]] += 1
            if name:
                self.templates.add(name)
        self.messages += 1
        await asyncio.sleep(ANSWER)
        return web.Response(body=self.taken, content_type="application/json")


@dataclass(frozen=True, slots=True)
class Enqueued:
    """How fast people become jobs; `plain`: rows a second of the driver alone."""

    listed_per_s: float
    enqueued_per_s: float
    plain_per_s: float


async def enqueue(place: Place, author: Person, approver: Person, people: int) -> Enqueued:
    """List everybody and hand all of them over at once, then take it back."""
    broadcast = await _publish(author, approver)
    began = perf_counter()
    now = _now()
    await broadcast_runs.begin_runs(now)
    while await broadcast_runs.list_next(now):
        pass
    listed = perf_counter()
    while await broadcast_runs.hand_over(now, broadcast_runs.PORTION):
        pass
    ended = perf_counter()
    rows = await fetch("SELECT count(*) AS jobs FROM outbox WHERE payload ? 'delivery'")
    if rows[0]["jobs"] != people:
        raise BenchFailed(f"{rows[0]['jobs']} jobs for {people} people")
    plain = await _plain(place, people)
    await broadcast_control.cancel(author, broadcast.id, "", now)
    await fetch("DELETE FROM delivery WHERE broadcast_id = $1", broadcast.id)
    return Enqueued(people / (listed - began), people / (ended - began), plain)


_PLAIN = """
INSERT INTO outbox (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at, quiet, finished_at)
VALUES ('notice', 'parked', $1, $2::jsonb, 0, 0, now(), '', '', 0, '', now(), false, now())
"""


async def _plain(place: Place, people: int) -> float:
    """Rows of the same form a second, by the driver's `executemany` in one transaction."""
    payload = (await fetch("SELECT payload::text AS text FROM outbox WHERE payload ? 'delivery' LIMIT 1"))[0]["text"]
    rows = [(f"plain{number}", payload) for number in range(min(people, 20_000))]
    db = await asyncpg.connect(**parse_url(place.database_url))
    try:
        began = perf_counter()
        async with db.transaction():
            await db.executemany(_PLAIN, rows)
        took = perf_counter() - began
        await db.execute("DELETE FROM outbox WHERE recipient LIKE 'plain%'")
    finally:
        await db.close()
    return len(rows) / took


def _now() -> datetime:
    return datetime.now(UTC)


async def _publish(author: Person, approver: Person) -> Broadcast:
    written = await broadcasts.create(author, _WORDS, _now())
    await broadcasts.hand_in(author, written.id, 0, _now())
    return await broadcasts.approve(approver, written.id, 1, _now())


@dataclass(slots=True)
class Sending:
    """One broadcast on its way: what was seen of the workers."""

    kills: int = 0
    early_rss_mb: float = 0.0
    end_rss_mb: float = 0.0
    peak_rss_mb: float = 0.0
    sent_per_s: float = 0.0
    waits: list[float] = field(default_factory=list)  # seconds until a case's notice was there, one each second


async def send(place: Place, record: Record, port: int, people: int, kills: int, lease: timedelta | None) -> Sending:
    """Let workers send it all; the first `kills` of them are killed with calls in flight, one each time another
    twentieth of the people has been told. `lease`: how long the killed worker's jobs stay its own, None = as always."""
    seen = Sending()
    environment = stage.settings(place, stage.free_port(), port, 8)
    for number in range(kills):
        async with stage.process(place, f"worker{number}", "app.cli", "worker", **environment) as pid:
            await _told(record, people * (number + 1) // 20)
            os.kill(pid, signal.SIGKILL)
            seen.kills += 1
        if lease is not None:
            await fetch(_LET_GO, _now() + lease)
    async with stage.process(place, "worker", "app.cli", "worker", **environment) as pid:
        begin = await _told(record, people * (kills + 1) // 20)
        before, began = record.messages, begin
        watching = [asyncio.create_task(_watch(pid, seen, record, people)), asyncio.create_task(_cases(record, seen))]
        ended = await _told(record, people * 19 // 20)
        seen.sent_per_s = (record.messages - before) / (ended - began)
        for task in watching[1:]:
            task.cancel()
        await _over()
        watching[0].cancel()
        seen.end_rss_mb = stage.resident_megabytes(pid)
        seen.peak_rss_mb = max(seen.peak_rss_mb, seen.end_rss_mb)
    return seen


# As if the time had passed: who is dead comes back no more.
_LET_GO = "UPDATE outbox SET leased_until = least(leased_until, $1) WHERE state = 'leased'"


async def _told(record: Record, people: int) -> float:
    """When so many people have something."""
    began = perf_counter()
    while len(record.copies) < people:
        if perf_counter() - began > _PATIENCE:
            raise BenchFailed(f"{len(record.copies)} of {people} people after {_PATIENCE:.0f} s")
        await asyncio.sleep(0.05)
    return perf_counter()


async def _watch(pid: int, seen: Sending, record: Record, people: int) -> None:
    """The worker's memory: soon after its start, and the most of it."""
    while True:
        now = stage.resident_megabytes(pid)
        seen.peak_rss_mb = max(seen.peak_rss_mb, now)
        if not seen.early_rss_mb and len(record.copies) >= people * 3 // 10:
            seen.early_rss_mb = now
        await asyncio.sleep(0.5)


_NOTICE = """
INSERT INTO outbox (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at, quiet)
VALUES ('notice', 'pending', $1, $2::jsonb, 0, 0, $3, '', '', 0, '', $3, false)
"""


async def _cases(record: Record, seen: Sending) -> None:
    """The notice of a case each second: how long it waits while the broadcast is on its way."""
    fields = {"number": "20261120-0001", "subject": "楼道照明", "status": "处理中", "time": "2026年11月20日 10:00"}
    payload = to_json({"text": "已接手", "choices": [], "images": [], "fields": fields | {"note": "已接手"}})
    for number in count():
        record.case_notice.clear()
        began = perf_counter()
        await fetch(_NOTICE, f"{_CASE}{number}", payload, _now())
        await record.case_notice.wait()
        seen.waits.append(perf_counter() - began)
        await asyncio.sleep(1.0)


async def _over() -> None:
    began = perf_counter()
    while await fetch("SELECT 1 FROM broadcast_run WHERE state IN ('listing', 'sending') LIMIT 1"):
        if perf_counter() - began > _PATIENCE:
            raise BenchFailed("the broadcast does not end")
        await asyncio.sleep(0.1)


_ENDS = """
SELECT r.openid, o.state, o.channel, o.error FROM delivery d JOIN resident r ON r.id = d.resident_id
LEFT JOIN outbox o ON o.id = d.outbox_id WHERE d.broadcast_id = $1
"""


@dataclass(frozen=True, slots=True)
class Compared:
    """The broadcast's report beside the platform's own record."""

    sent: int
    unsure: int
    doubled: int
    wrong: Sequence[str]  # whose state is not what the platform saw


async def compare(record: Record, reader: Person, broadcast: Broadcast, people: int) -> Compared:
    """Person by person, and the sums of the report. Raises BenchFailed where the sums do not add up."""
    rows = await fetch(_ENDS, broadcast.id)
    unsure = {row["openid"] for row in rows if row["error"] == UNSURE.error and row["state"] == "undelivered"}
    sent = {row["openid"] for row in rows if row["state"] == "sent"}
    told = await broadcast_reports.report(reader, broadcast.id, _now())
    if (told.total, told.count("sent"), told.count("undelivered")) != (people, len(sent), len(unsure)):
        raise BenchFailed(f"{told} does not say {len(sent)} sent and {len(unsure)} unsure of {people}")
    everybody = sent | unsure | set(record.copies)
    wrong = [one for one in everybody - unsure if record.copies[one] != (1 if one in sent else 0)]
    doubled = sum(copies > 1 for copies in record.copies.values())
    return Compared(len(sent), len(unsure), doubled, sorted(wrong))


_QUIET_ONES = """
UPDATE conversation SET last_message_at = now() - interval '5 days'
WHERE openid LIKE 'oBenchResident%' AND right(openid, 2)::int % 3 > 0
"""


async def run(place: Place, people: int, kills: int = KILLS, lease: timedelta | None = None) -> dict[str, Any]:
    """The whole benchmark over a migrated database with the demo community: figures, peers and ratios."""
    db = await asyncpg.connect(**parse_url(place.database_url))
    # The demo's own people are not counted: nobody but the made-up ones is told anything.
    await db.execute("DELETE FROM household_member; DELETE FROM household; UPDATE resident SET grid_id = NULL")
    await db.execute("UPDATE staff SET openid = NULL")
    await stage.settle(db, people)
    await db.execute(_QUIET_ONES)
    await db.execute("VACUUM ANALYZE conversation")
    await db.close()
    async with database(place.database_url, 4):
        looked = await look_through(people)
        author, approver = await find_operator(_AUTHOR), await find_operator(_APPROVER)
        enqueued = await enqueue(place, author, approver, people)
        broadcast, record = await _publish(author, approver), Record()
        async with stage.wechat(record) as (port, _):
            seen = await send(place, record, port, people, kills, lease)
        compared = await compare(record, author, broadcast, people)
    if compared.doubled or compared.wrong:
        raise BenchFailed(f"{compared.doubled} people have it twice; wrong of {compared.wrong[:5]}")
    return _result(people, looked, enqueued, seen, compared, record)


def _share(waits: Sequence[float], share: float) -> float:
    """The seconds that this share of the notices did not exceed; 0 for none."""
    return round(sorted(waits)[min(len(waits) - 1, int(len(waits) * share))], 2) if waits else 0.0


def _result(
    people: int, looked: float, enqueued: Enqueued, seen: Sending, compared: Compared, record: Record
) -> dict[str, Any]:
    figures: Mapping[str, Any] = {
        "people": people,
        "looked_through_per_s": round(looked),
        "listed_per_s": round(enqueued.listed_per_s),
        "enqueued_per_s": round(enqueued.enqueued_per_s),
        "sent_per_s": round(seen.sent_per_s, 1),
        "case_notice_p50_s": _share(seen.waits, 0.5),
        "case_notice_p99_s": _share(seen.waits, 0.99),
        "peak_rss_mb": seen.peak_rss_mb,
        "early_rss_mb": seen.early_rss_mb,
        "end_rss_mb": seen.end_rss_mb,
        "kills": seen.kills,
        "doubled": compared.doubled,
        "sent": compared.sent,
        "unsure": compared.unsure,
        "repeated_templates": record.repeated,
        "report_equals_simulator": not compared.wrong,
    }
    limit = PARALLEL / ANSWER
    return {
        "figures": dict(figures),
        "peers": {"limit_sent_per_s": limit, "plain_inserts_per_s": round(enqueued.plain_per_s)},
        "ratios": {
            "sent_of_limit": round(seen.sent_per_s / limit, 3),
            "enqueued_of_plain_inserts": round(enqueued.enqueued_per_s / enqueued.plain_per_s, 3),
        },
    }
