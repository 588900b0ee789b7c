"""kill -9 and SIGTERM of real processes: what was acknowledged is there, once; what is owed goes out."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
from collections import Counter
from datetime import UTC, datetime

import aiohttp

from models.database import fetch, transaction
from tests.fault.conftest import Cluster
from tests.reliability.wire import Got, event, text
from tests.town import WANG
from tests.waiting import eventually

GRID = "<EventKey>qrscene_grid:429906001001001</EventKey>"
_WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
_WRONGLY_AUDITED = """
SELECT c.id FROM cases c WHERE ARRAY['reported', 'accepted', 'dispatched']::text[] <> (
    SELECT array_agg(a.after::text ORDER BY a.id) FROM audit_event a
    WHERE a.object_id = c.id AND a.tag LIKE 'case:%' AND a.allowed)
"""
LAMP = "3栋2单元楼道灯坏了好几天了"
#: Neighbours are asked whether it is the same matter; this says no, and yes to handing it in.
HAND_IN = "提交"


async def deliver(cluster: Cluster, xml: bytes, dice: random.Random, copies: int = 1) -> list[Got]:
    """As WeChat behind a load balancer: every copy goes out again, the same to the byte, until somebody answers."""
    at = datetime.now(UTC)
    request = cluster.wechat.seal(xml, at)

    async def one() -> Got:
        async def answered() -> Got | None:
            try:
                return await cluster.wechat.post(request, dice.randrange(2))
            except (aiohttp.ClientError, TimeoutError):
                return None

        return await eventually(answered)

    return list(await asyncio.gather(*(one() for _ in range(copies))))


async def live(cluster: Cluster, openid: str, dice: random.Random, copies: int = 1) -> None:
    """Follow, report, confirm; all copies of a message are answered alike."""
    now = datetime.now(UTC)
    for xml in (event(openid, "subscribe", now, GRID), text(openid, LAMP, now), text(openid, HAND_IN, now)):
        answers = await deliver(cluster, xml, dice, copies)
        assert {answer.status for answer in answers} == {200}
        assert len({answer.text for answer in answers}) == 1
    assert "已交给" in answers[0].text


async def assert_each_has_one_case(prefix: str, people: int) -> None:
    """The oracle: one case each, three stored messages each, nothing unfinished, every case audited from the start."""
    rows = await fetch(
        "SELECT count(*) AS cases, count(DISTINCT c.reporter_id) AS people, count(DISTINCT c.message_id) AS messages "
        "FROM cases c JOIN resident r ON r.id = c.reporter_id WHERE starts_with(r.openid, $1)",
        prefix,
    )
    assert rows == [{"cases": people, "people": people, "messages": people}]
    stored = await fetch("SELECT state, count(*) AS n FROM inbox WHERE starts_with(openid, $1) GROUP BY state", prefix)
    assert stored == [{"state": "done", "n": 3 * people}]
    audited = await fetch(_WRONGLY_AUDITED)
    assert audited == []


async def drained() -> bool:
    """Nothing is left to be sent."""
    rows = await fetch("SELECT count(*) AS n FROM outbox WHERE finished_at IS NULL")
    return not rows[0]["n"]


async def leases_run_out() -> None:
    """A minute passes for the jobs that a dead worker held."""
    await fetch("UPDATE outbox SET leased_until = now() - interval '1 second' WHERE state = 'leased'")


async def test_two_processes_take_each_message_once_though_each_comes_three_times(cluster: Cluster) -> None:
    for number in (0, 1):
        await cluster.start(f"web {number}").start()
    gate = asyncio.Semaphore(8)

    async def one(number: int) -> None:
        async with gate:
            await live(cluster, f"o_thrice_{number}", random.Random(number), copies=3)

    await asyncio.gather(*(one(number) for number in range(34)))  # 102 messages
    await assert_each_has_one_case("o_thrice", 34)


async def test_a_killed_web_process_loses_and_doubles_nothing(cluster: Cluster) -> None:
    dice = random.Random(20261120)
    webs = [cluster.start(f"web {number}") for number in (0, 1)]
    await asyncio.gather(*(web.start() for web in webs))
    killing = True
    finished: list[str] = []

    async def flow(lane: int) -> None:
        number = 0
        while killing or number < 3:
            openid = f"o_killed_{lane}_{number}"
            await live(cluster, openid, dice, copies=2)
            finished.append(openid)
            number += 1

    flows = [asyncio.create_task(flow(lane)) for lane in range(5)]
    for _ in range(3):
        seen = len(finished)
        await eventually(lambda seen=seen: len(finished) > seen + 1)
        victim = dice.choice(webs)
        await victim.kill()  # in the middle of somebody's transaction, or between commit and reply
        await victim.start()
    killing = False
    await asyncio.gather(*flows)
    await assert_each_has_one_case("o_killed", len(finished))


async def test_a_reply_that_died_with_its_process_is_given_to_the_next_delivery(cluster: Cluster) -> None:
    web = cluster.start("web 0")
    await asyncio.gather(web.start(), cluster.start("web 1").start())
    await live(cluster, "o_first", random.Random(1))
    now = datetime.now(UTC)
    request = cluster.wechat.seal(text("o_first", "楼下垃圾没人收", now, msg_id=77), now)
    lost = asyncio.create_task(cluster.wechat.post(request, 0))

    async def committed() -> bool:
        return bool(await fetch("SELECT 1 FROM inbox WHERE dedupe_key = 'm:77'"))

    await eventually(committed)
    await web.kill()
    await asyncio.gather(lost, return_exceptions=True)
    again = await cluster.wechat.post(request, 1)
    assert again.text.startswith("看起来您要反映")
    assert again.text == (await cluster.wechat.post(request, 1)).text
    assert len(await fetch("SELECT id FROM inbox WHERE dedupe_key = 'm:77'")) == 1


async def test_killed_workers_leave_every_notice_delivered_and_repeat_only_what_they_held(cluster: Cluster) -> None:
    dice = random.Random(7)
    worker = cluster.start("worker")
    await asyncio.gather(cluster.start("web 0").start(), worker.start())
    await cluster.platform.send(WANG, text="待办")
    killing = True
    people: list[str] = []

    async def flow(lane: int) -> None:
        while killing:
            openid = f"o_told_{lane}_{len(people)}"
            people.append(openid)
            await live(cluster, openid, dice)

    flows = [asyncio.create_task(flow(lane)) for lane in range(2)]
    for _ in range(3):
        heard = len(cluster.platform.pushes(WANG))
        await eventually(lambda heard=heard: len(cluster.platform.pushes(WANG)) > heard + dice.randrange(9))
        await worker.kill()
        await leases_run_out()
        await worker.start()
    killing = False
    await asyncio.gather(*flows)
    await eventually(drained)
    await assert_each_has_one_case("o_told", len(people))
    told = _told(cluster)
    numbers = {row["number"].split("-")[1] for row in await fetch("SELECT number FROM cases")}
    assert set(told) == numbers
    assert max(told.values()) <= 1 + 3  # each kill can repeat what was under way, and nothing else
    assert sum(told.values()) - len(told) <= 3 * 6  # what a worker can have under way when it dies
    lost = await fetch("SELECT error FROM outbox WHERE state <> 'sent'")
    assert lost == []


def _told(cluster: Cluster) -> Counter[str]:
    """How often the grid worker's phone showed each new task, by its number."""
    told: Counter[str] = Counter()
    for push in cluster.platform.pushes(WANG):
        told.update(re.findall(r"新任务 (\d{4,})", push.text))
        told.update(value.split("-")[1] for label, value in push.rows if label == "事项编号")
    return told


async def test_a_frozen_worker_that_thaws_ends_nothing_that_another_did(cluster: Cluster) -> None:
    frozen, other = cluster.start("worker"), cluster.start("worker")
    await asyncio.gather(cluster.start("web 0").start(), frozen.start())
    await cluster.platform.send(WANG, text="待办")
    cluster.platform.faults.fail_api("slow", "/cgi-bin/message/custom/send", seconds=5.0, left=1)
    await live(cluster, "o_frozen", random.Random(1))

    async def held() -> bool:
        return bool(await fetch("SELECT 1 FROM outbox WHERE state = 'leased'"))

    await eventually(held)
    os.kill(frozen.pid, signal.SIGSTOP)
    await leases_run_out()
    await other.start()
    await eventually(drained)
    before = await fetch("SELECT * FROM outbox ORDER BY id")
    os.kill(frozen.pid, signal.SIGCONT)
    assert (await frozen.stop())[0] == 0
    assert await fetch("SELECT * FROM outbox ORDER BY id") == before
    assert max(_told(cluster).values()) <= 2


async def test_sigterm_answers_what_is_under_way_and_ends_within_ten_seconds(cluster: Cluster) -> None:
    web = cluster.start("web 0")
    await web.start()
    now = datetime.now(UTC)
    await cluster.wechat.push(text("o_way", "你好", now), now)
    async with transaction():
        await fetch("SELECT 1 FROM conversation WHERE openid = 'o_way' FOR UPDATE")  # holds the next message up
        under_way = asyncio.create_task(cluster.wechat.push(text("o_way", LAMP, now), now))

        async def waits() -> bool:
            rows = await fetch(
                "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            return bool(rows)

        await eventually(waits)
        web.interrupt()

        async def closed() -> bool:
            try:
                await cluster.wechat.push(text("o_other", "你好", now), now)
            except aiohttp.ClientError:
                return True
            return False

        await eventually(closed)
    assert (await under_way).text.startswith("看起来您要反映")
    assert await web.ended() == 0
    assert "Traceback" not in web.log.read_text()


async def test_sigterm_of_a_worker_that_waits_for_wechat_ends_within_ten_seconds(cluster: Cluster) -> None:
    worker = cluster.start("worker")
    await asyncio.gather(cluster.start("web 0").start(), worker.start())
    await cluster.platform.send(WANG, text="待办")
    cluster.platform.faults.fail_api("hang", "/cgi-bin/message/custom/send", seconds=60, left=1)
    await live(cluster, "o_hang", random.Random(1))
    await eventually(lambda: any("hang" in note.detail for note in cluster.platform.journal))
    code, seconds = await worker.stop()
    assert (code, seconds < 10) == (0, True), worker.log.read_text()[-2000:]
    assert "Traceback" not in worker.log.read_text()
    await leases_run_out()
    await worker.start()
    await eventually(drained)
    assert len(_told(cluster)) == 1
