"""Two platforms talk over real HTTP: ours, and a small server that checks signatures, refuses, hangs and repeats."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.outbox import Outbox
from domain.connectors import ConnectorPlan, add_connector, replay, stop_connector
from jobs.webhooks import Webhooks
from models.audit import AuditEvent
from models.cases import Attachment, Case, CaseEvent
from models.enums import OutboxKind, OutboxState, Outcome, Source, Status
from models.interconnection import ConnectorCase, InboundUpdate
from models.messaging import Outbox as Job
from models.people import Staff
from tests.conftest import free_port
from tests.town import CHEN, PNG, WANG, Town

MAPPING = {
    "categories": {"lighting.corridor": "SZ-0101", "rubbish.overflow": "SZ-0202"},
    "statuses": {"dispatched": "待处置", "disposing": "处置中"},
    "outcomes": {"cannot": "无法办理"},
    "orders": {"12345-A": "lighting.street"},
    "actions": {
        "SIGN": "sign",
        "DONE": "dispose",
        "EXPLAINED": "dispose:explained",
        "CANNOT": "dispose:cannot",
        "BACK": "ask_return",
        "PROGRESS": "note",
        "MORE": "supplement",
        "HURRY": "urge",
        "SATISFIED": "close",
        "NOT_SOLVED": "reopen",
    },
}


def signed(secret: str, timestamp: str, body: bytes) -> str:
    """Made by hand from the documentation, not by our own function."""
    return "sha256=" + hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


class Platform:
    """The other side. `answers` are given in turn, then 200."""

    def __init__(self) -> None:
        self.port = free_port()
        self.secret = ""
        self.answers: list[int] = []
        self.hang = False
        self.got: list[dict[str, Any]] = []
        self.wrong = 0
        self.known: dict[str, int] = {}

    @property
    def home(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.home}/updates"

    async def picture(self, request: web.Request) -> web.Response:
        known = request.match_info["name"] == "after.png"
        return web.Response(body=PNG, content_type="image/png") if known else web.Response(status=404)

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        meant = signed(self.secret, request.headers["X-Linli-Timestamp"], body)
        self.wrong += not hmac.compare_digest(meant, request.headers["X-Linli-Signature"])
        if self.hang:
            await asyncio.Event().wait()
        status = self.answers.pop(0) if self.answers else 200
        if status == 302:
            raise web.HTTPFound("http://127.0.0.1:1/elsewhere")
        if status >= 300:
            return web.Response(status=status, text="不收")
        key = request.headers["Idempotency-Key"]
        self.known[key] = self.known.get(key, 0) + 1
        if self.known[key] == 1:
            self.got.append(json.loads(body))
        return web.json_response({"external_id": f"QP-{json.loads(body)['case']['number'][-4:]}"})


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    there = Platform()
    app = web.Application()
    app.router.add_post("/updates", there.receive)
    app.router.add_get("/{name}", there.picture)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", there.port).start()
    yield there
    await runner.cleanup()


@pytest.fixture
async def connected(town: Town, platform: Platform) -> Platform:
    """The platform, connected to the district, with a post of its own in the community."""
    area = (await Staff.get(name="李主任")).area_id
    await Staff.create(name="区平台", role="department_staff", area_id=area, code="QP")
    plan = ConnectorPlan("district", platform.url, area="429906", staff="QP", mapping=MAPPING)
    platform.secret = await add_connector(plan, town.clock())
    return platform


async def report(town: Town) -> Case:
    await town.say(CHEN, "3栋2单元楼道灯坏了好几天了 晚上老人上下楼看不见")
    await town.say(CHEN, "1")
    return await Case.all().order_by("-id").first()


async def state(case: Case) -> list[tuple[OutboxState, str]]:
    jobs = await Job.filter(kind=OutboxKind.WEBHOOK, case_id=case.id).order_by("id")
    return [(job.state, job.error) for job in jobs]


# --- out


async def test_every_step_arrives_signed_mapped_and_in_order(town: Town, connected: Platform):
    case = await report(town)
    await town.say(WANG, "1")
    await town.deliver()
    assert connected.wrong == 0
    assert [[line["verb"] for line in body["events"]] for body in connected.got] == [
        ["report", "accept", "dispatch"],
        ["sign"],
    ]
    last = connected.got[-1]
    assert (last["case"]["number"], last["case"]["category"], last["case"]["status"]) == (
        case.number,
        "SZ-0101",
        "处置中",
    )
    link = await ConnectorCase.get(case_id=case.id)
    assert link.external_id == f"QP-{case.number[-4:]}"
    assert last["case"]["external_id"] == link.external_id


async def test_what_fails_is_tried_again_and_keeps_what_is_behind_it_waiting(town: Town, connected: Platform):
    connected.answers = [500]
    case = await report(town)
    await town.say(WANG, "1")
    await town.deliver()
    assert connected.got == []
    assert {entry[0] for entry in await state(case)} == {OutboxState.PENDING}
    assert "district 答复 500" in (await state(case))[0][1]
    town.clock.advance(timedelta(minutes=1))
    await town.deliver()
    assert [body["events"][0]["verb"] for body in connected.got] == ["report", "sign"]


async def test_a_platform_that_is_away_costs_one_try_and_no_notice_waits_for_it(town: Town, connected: Platform):
    connected.answers = [503]
    await report(town)
    await town.deliver()
    assert "楼道照明损坏" in town.last(WANG)
    await report(town)
    await town.deliver()
    assert (connected.answers, connected.got) == ([], [])
    town.clock.advance(timedelta(minutes=2))
    await town.deliver()
    assert len(connected.got) == 2


async def test_a_platform_that_is_away_for_a_day_leaves_parked_jobs_that_a_replay_sends(
    town: Town, connected: Platform
):
    case = await report(town)
    start = town.clock()
    connected.answers = [500] * 1000
    for _ in range(110):
        await town.deliver()
        town.clock.advance(timedelta(minutes=15))
    assert [entry[0] for entry in await state(case)] == [OutboxState.PARKED]
    connected.answers = []
    assert await replay("district", start - timedelta(hours=1), town.clock(), town.clock()) == 1
    await town.deliver()
    assert [body["case"]["number"] for body in connected.got] == [case.number]


@pytest.mark.parametrize(("status", "reason"), [(400, "不接受（400）：不收"), (302, "不接受（302）")])
async def test_what_the_platform_refuses_or_sends_elsewhere_is_parked_at_once(
    town: Town, connected: Platform, status: int, reason: str
):
    connected.answers = [status]
    case = await report(town)
    await town.deliver()
    [(found, error)] = await state(case)
    assert found is OutboxState.PARKED
    assert reason in error


async def test_a_platform_that_hangs_is_not_waited_for(town: Town, connected: Platform):
    connected.hang = True
    case = await report(town)
    impatient = Webhooks(town.services.session, now=town.clock, timeout=aiohttp.ClientTimeout(total=0.2))
    await Outbox({OutboxKind.WEBHOOK: impatient, OutboxKind.NOTICE: _leave}, now=town.clock).run_once()
    [(found, error)] = await state(case)
    assert found is OutboxState.PENDING
    assert "连不上：TimeoutError" in error or "连不上：ServerTimeoutError" in error


async def _leave(_jobs: object, _end: object) -> None:
    """For jobs this test does not care about."""


async def test_a_replayed_update_has_its_old_id_so_nothing_is_done_twice_there(town: Town, connected: Platform):
    await report(town)
    await town.deliver()
    start = town.clock()
    await replay("district", start - timedelta(hours=1), start, start)
    await town.deliver()
    assert list(connected.known.values()) == [2]
    assert len(connected.got) == 1


async def test_a_stopped_platform_gets_nothing_of_what_was_still_waiting(town: Town, connected: Platform):
    case = await report(town)
    await stop_connector("district", town.clock())
    await town.deliver()
    assert await state(case) == [(OutboxState.PARKED, "平台已停用，没有发送")]
    assert connected.got == []


# --- in


class Caller:
    """The platform as it calls us."""

    def __init__(self, town: Town, secret: str, session: aiohttp.ClientSession) -> None:
        self.town = town
        self.secret = secret
        self._session = session
        self.status = 0

    async def call(self, page: str, *, name: str = "district", headers: dict[str, str] | None = None, **body: Any):
        raw = json.dumps(body, ensure_ascii=False).encode()
        return await self.send(page, raw, name=name, headers=headers)

    async def send(self, page: str, raw: bytes, *, name: str = "district", headers: dict[str, str] | None = None):
        timestamp = str(int(self.town.clock().timestamp()))
        sent = {"X-Linli-Timestamp": timestamp, "X-Linli-Signature": signed(self.secret, timestamp, raw)}
        url = f"{self.town.url}/api/v1/connectors/{name}/{page}"
        async with self._session.post(url, data=raw, headers=sent | (headers or {})) as answer:
            self.status = answer.status
            return await answer.json()


@pytest.fixture
async def caller(town: Town, connected: Platform) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession() as session:
        yield Caller(town, connected.secret, session)


ORDER = {
    "update_id": "u1",
    "external_id": "WH-1",
    "category": "12345-A",
    "description": "中山路路灯不亮",
    "place": "东亭社区第一网格 中山路 12 号",
    "contact": {"name": "张三", "phone": "13800138000"},
}


async def test_an_order_becomes_a_case_with_their_number(caller: Caller):
    made = await caller.call("orders", **ORDER)
    assert caller.status == 200, made
    case = await Case.get(number=made["number"])
    assert (case.source, case.category) == (Source.CONNECTOR, "lighting.street")
    assert (await ConnectorCase.get(case_id=case.id)).external_id == "WH-1"
    assert (await CaseEvent.get(case_id=case.id, verb="memo")).text == "联系人：张三 13800138000"
    assert await AuditEvent.exists(tag="case:report", object_id=case.id, source="connector:district")
    assert await state(case) == []  # they know: nothing goes back


async def test_the_same_order_sent_again_gets_the_same_answer_and_no_second_case(caller: Caller):
    first = await caller.call("orders", **ORDER)
    again = await asyncio.gather(*(caller.call("orders", **ORDER) for _ in range(10)))
    assert all(answer == first | {"repeated": True} for answer in again)
    assert await Case.filter(source=Source.CONNECTOR).count() == 1
    await caller.call("orders", **ORDER | {"description": "别的事"})
    assert caller.status == 409
    await caller.call("orders", **ORDER | {"update_id": "u2"})
    assert caller.status == 409


async def test_ten_equal_orders_at_once_are_one_case(caller: Caller):
    answers = await asyncio.gather(*(caller.call("orders", **ORDER) for _ in range(10)))
    assert len({answer["number"] for answer in answers}) == 1
    assert await Case.filter(source=Source.CONNECTOR).count() == 1


async def test_progress_is_written_down_and_told_to_the_resident(caller: Caller, town: Town):
    case = await report(town)
    said = await caller.call(
        "updates", update_id="n1", number=case.number, external_id="QP-9", status="PROGRESS", text="已派人去看"
    )
    assert (caller.status, said["verb"]) == (200, "note")
    await town.deliver()
    assert "district：已派人去看" in town.last(CHEN)
    again = await caller.call("updates", update_id="n2", external_id="QP-9", status="PROGRESS", text="又去了一次")
    assert again["number"] == case.number


async def test_a_platform_that_fills_a_post_signs_and_disposes_of_what_it_holds(
    caller: Caller, town: Town, connected: Platform
):
    case = await report(town)
    post = await Staff.get(code="QP")
    await Case.filter(id=case.id).update(holder_id=post.id, area_id=post.area_id)
    await caller.call("updates", update_id="s1", number=case.number, status="SIGN", text="")
    assert caller.status == 200
    assert (await Case.get(id=case.id)).status is Status.DISPOSING
    done = {"update_id": "s2", "number": case.number, "status": "DONE", "text": "换了整条线路"}
    said = await caller.call("updates", **done)
    assert (caller.status, "要有照片" in said["error"]["say"]) == (400, True)
    said = await caller.call("updates", **done, photos=["http://127.0.0.1:1/after.png"])
    assert (caller.status, "同一个主机" in said["error"]["say"]) == (400, True)
    said = await caller.call("updates", **done, photos=[f"{connected.home}/after.png", f"{connected.home}/no.png"])
    assert caller.status == 200, said
    read = await Case.get(id=case.id)
    assert (read.result, read.status in (Status.DISPOSED, Status.VERIFIED)) == ("换了整条线路", True)
    await town.deliver()
    kept, missing = await Attachment.filter(case_id=case.id).order_by("id")
    assert (town.services.media / kept.path).read_bytes() == PNG
    assert missing.path == ""
    assert (await Job.get(recipient=f"media:{missing.id}")).state is OutboxState.PARKED


@pytest.mark.parametrize(("theirs", "outcome"), [("EXPLAINED", Outcome.EXPLAINED), ("CANNOT", Outcome.CANNOT)])
async def test_a_platform_says_that_nothing_could_be_done_but_explain_once_and_with_its_reason(
    caller: Caller, town: Town, connected: Platform, theirs: str, outcome: Outcome
):
    case = await report(town)
    post = await Staff.get(code="QP")
    await Case.filter(id=case.id).update(holder_id=post.id, area_id=post.area_id)
    ended = {"update_id": "e1", "number": case.number, "status": theirs}
    said = await caller.call("updates", **ended, text="")
    assert (caller.status, "原因" in said["error"]["say"]) == (400, True)
    assert (await Case.get(id=case.id)).outcome is None

    reason = "路灯属于供电公司，已转告，预计下月更换"
    for time in range(2):
        said = await caller.call("updates", **ended, text=reason)
        assert (caller.status, said["verb"], "repeated" in said) == (200, "dispose", time == 1)
    read = await Case.get(id=case.id)
    assert (read.result, read.outcome) == (reason, outcome)
    assert await CaseEvent.filter(case_id=case.id, verb="dispose").count() == 1
    assert await AuditEvent.filter(tag="case:dispose", object_id=case.id, source="connector:district").count() == 1
    await town.deliver()
    assert reason in town.last(WANG), "the grid worker looks at it first"
    await town.say(WANG, "通过 0001")
    await town.deliver()
    assert reason in town.last(CHEN)

    await town.tap(CHEN, "解决了")
    assert ((await Case.get(id=case.id)).status, (await Case.get(id=case.id)).outcome) == (Status.CLOSED, outcome)
    await town.deliver()
    told = {"explained": "explained", "cannot": "无法办理"}
    assert connected.got[-1]["case"]["outcome"] == told[outcome], "in their words where they have one"


async def test_a_platform_touches_nothing_that_another_holds(caller: Caller, town: Town):
    case = await report(town)
    await caller.call("updates", update_id="s1", number=case.number, status="DONE", text="假装办好了")
    assert caller.status in (403, 404)
    assert (await Case.get(id=case.id)).status is Status.DISPATCHED
    refused = await AuditEvent.get(allowed=False)
    assert (refused.tag, refused.source) == ("case:dispose", "connector:district")
    assert not await InboundUpdate.exists(update_id="s1")


async def test_who_ordered_a_case_may_hurry_it_and_say_whether_it_is_solved(caller: Caller, town: Town):
    made = await caller.call("orders", **ORDER)
    await caller.call("updates", update_id="h", external_id="WH-1", status="HURRY", text="")
    assert (await Case.get(number=made["number"])).urged == 1
    await Case.filter(number=made["number"]).update(status=Status.VERIFIED, verified_at=town.clock())
    await caller.call("updates", update_id="c", external_id="WH-1", status="SATISFIED", text="")
    assert caller.status == 200
    assert (await Case.get(number=made["number"])).solved is True


async def test_who_did_not_report_a_case_cannot_close_it(caller: Caller, town: Town):
    case = await report(town)
    await Case.filter(id=case.id).update(status=Status.VERIFIED, verified_at=town.clock())
    await caller.call("updates", update_id="c", number=case.number, status="SATISFIED", text="")
    assert caller.status == 404
    assert (await Case.get(id=case.id)).status is Status.VERIFIED


async def test_a_case_outside_the_platforms_area_does_not_exist_for_it(caller: Caller, town: Town):
    case = await report(town)
    secret = await add_connector(ConnectorPlan("other", area="429906001002", mapping=MAPPING), town.clock())
    caller.secret = secret
    await caller.call("updates", name="other", update_id="1", number=case.number, status="PROGRESS", text="看看")
    assert caller.status == 404


async def test_what_was_refused_works_once_it_is_mended(caller: Caller, town: Town):
    case = await report(town)
    body = {"update_id": "1", "number": case.number, "text": "看看"}
    said = await caller.call("updates", **body, status="未知")
    assert caller.status == 422
    assert "“未知”没有对应" in said["error"]["say"]
    await caller.call("updates", **body, status="PROGRESS")
    assert caller.status == 200


REFUSED: list[tuple[str, str, dict[str, Any], int]] = [
    ("no id", "orders", ORDER | {"update_id": ""}, 400),
    ("no number of theirs", "orders", ORDER | {"external_id": None}, 400),
    ("an unknown category", "orders", ORDER | {"category": "ZZ"}, 422),
    ("no words", "orders", ORDER | {"description": "  "}, 400),
    ("words that are no text", "orders", ORDER | {"description": {"a": 1}}, 400),
    ("half a position", "orders", ORDER | {"position": {"wgs84": [114.3]}}, 400),
    ("a position on the moon", "orders", ORDER | {"position": {"wgs84": [114.3, 300]}}, 400),
    ("a position of no datum", "orders", ORDER | {"position": {"bd09": [114.3, 30.5]}}, 400),
    ("a NUL", "orders", ORDER | {"description": "a\x00b"}, 400),
    ("a photo that is no text", "updates", {"update_id": "1", "status": "PROGRESS", "number": "2", "photos": [1]}, 400),
    (
        "a photo of no host",
        "updates",
        {"update_id": "1", "status": "DONE", "number": "2", "photos": ["http://[x"]},
        400,
    ),
    ("which case", "updates", {"update_id": "1", "status": "PROGRESS", "text": "x"}, 400),
    ("no such case", "updates", {"update_id": "1", "status": "PROGRESS", "text": "x", "number": "2"}, 404),
    ("an unknown status", "updates", {"update_id": "1", "status": "?", "number": "2"}, 422),
    ("too long", "updates", {"update_id": "1", "status": "PROGRESS", "number": "2", "text": "x" * 2001}, 400),
    ("too large", "orders", ORDER | {"description": "x" * 70_000}, 413),
]


@pytest.mark.parametrize(("page", "body", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_refused(caller: Caller, page: str, body: dict[str, Any], code: int):
    said = await caller.call(page, **body)
    assert caller.status == code, said
    assert said["error"]["say"]
    assert not await InboundUpdate.exists()
    assert not await Case.exists()


async def test_nothing_unsigned_forged_or_stale_is_let_in(caller: Caller, town: Town):
    for headers in (
        {"X-Linli-Signature": ""},
        {"X-Linli-Signature": "sha256=" + "0" * 64},
        {"X-Linli-Timestamp": "1763604001"},
        {"X-Linli-Timestamp": ""},
    ):
        said = await caller.call("orders", **ORDER, headers=headers)
        assert (caller.status, said["error"]["code"]) == (403, "bad_signature")
    await caller.call("orders", **ORDER, name="nobody")
    assert caller.status == 403
    raw = json.dumps(ORDER).encode()
    for seconds in (-301, 301):
        timestamp = str(int(town.clock().timestamp()) + seconds)
        old = {"X-Linli-Timestamp": timestamp, "X-Linli-Signature": signed(caller.secret, timestamp, raw)}
        said = await caller.send("orders", raw, headers=old)
        assert (caller.status, said["error"]["code"]) == (403, "stale_timestamp")
    await caller.send("orders", b"[1]")
    assert caller.status == 400
    await stop_connector("district", town.clock())
    await caller.call("orders", **ORDER)
    assert caller.status == 403
    assert not await Case.exists()


async def test_an_order_lands_where_its_position_lies(caller: Caller):
    made = await caller.call("orders", **ORDER | {"position": {"gcj02": [114.34, 30.55]}})
    case = await Case.get(number=made["number"])
    assert (case.longitude, case.latitude) == (114.34, 30.55)
