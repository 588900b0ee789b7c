"""Public words and pictures wait for WeChat's word, and whatever goes wrong they are not shown for it (W13, W14).

Linli, its worker and the simulated WeChat run as they do in production; texts go in where the API puts them.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
import stamina
from redis import asyncio as aioredis

from app.engines import Engines
from app.serve import Parts, serving
from app.settings import Settings
from bot.content_check import TEXT_API, ContentCheck, Suggest
from bot.crypto import Cryptor, signature
from bot.limits import PLATFORM_LIMITS, RateLimits
from domain import reviews
from domain.checking import leave_to_staff
from domain.people import Person
from domain.room_messages import entries, post
from domain.rooms import private_room
from errors import Unavailable
from models.accounts import MiniappUser, Upload
from models.audit import AuditEvent
from models.enums import MessageKind, MessageState, OutboxState, UploadKind, UploadState
from models.messaging import Outbox
from models.rooms import Review, RoomMessage
from tests.conftest import free_port
from tests.domain.neighbours import first_room, neighbour, officer, words
from tests.town import CHEN, PNG, Clock, Town

TIMES = 50
TEXT, MEDIA = f"/{TEXT_API}", "/wxa/media_check_async"


class Checked(Town):
    """A Linli that asks WeChat about what residents say in public."""

    async def settle_in(self) -> Checked:
        """Somebody with the mini-program open, a neighbour, and the grid's room."""
        now = self.clock()
        self.chen, self.zhao = await neighbour("chen", now), await neighbour("zhao", now)
        self.wang, self.room = await officer("G001"), await first_room()
        self.mini = f"mini_{CHEN}"
        self.user = await MiniappUser.create(
            openid=self.mini, resident_id=self.chen.resident_id, created_at=now, seen_at=now
        )
        self.open_miniapp()
        self._count = itertools.count()
        return self

    def open_miniapp(self) -> None:
        self.platform.visit(CHEN)

    async def says(self, text: str, person: Person | None = None, **more: Any) -> int:
        said = words(text, f"{next(self._count)}", **more)
        return (await post(person or self.chen, self.room.id, said, self.clock())).id

    async def seen(self) -> list[str]:
        """What the neighbour reads."""
        kinds = (MessageKind.TEXT, MessageKind.IMAGE)
        found: list[str] = []
        after = 0
        while page := await entries(self.zhao, self.room.id, after=after, limit=100):
            found += [entry.text for entry in page if entry.kind in kinds]
            after = page[-1].seq or 0
        return found

    async def work(self, *, minutes: int = 0) -> None:
        """Let a worker do what is due, now and every half minute."""
        await self.deliver()
        for _ in range(2 * minutes):
            self.clock.advance(timedelta(seconds=30))
            await self.deliver()
        await self.platform.settle()
        await self.deliver()

    async def states(self) -> set[MessageState]:
        return {message.state for message in await RoomMessage.filter(sender=self.chen.actor)}

    def calls(self, path: str) -> int:
        appid = self.platform.config.miniapp_appid
        return self.platform.calls.quota(appid, path, self.clock())["used"]


@pytest.fixture(autouse=True)
def no_waiting_between_repeats() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
def more_settings() -> dict[str, Any]:
    """A test overrides it by parametrizing."""
    return {}


@pytest.fixture
async def town(
    started_engines: Engines, database_url: str, clock: Clock, tmp_path: Path, more_settings: dict[str, Any]
) -> AsyncIterator[Checked]:
    redis = aioredis.from_url(started_engines.redis_url)
    await redis.flushall()
    await redis.aclose()
    wanted = {"content_check": "on"} | more_settings
    settings = Settings(home=tmp_path, port=free_port(), simulator=True, _env_file=None, **wanted)
    own = Engines(database_url, started_engines.redis_url)
    async with serving(settings, own, Parts(web=True, worker=False), now=clock) as served:
        assert served.platform
        yield await Checked(served, served.platform, clock).settle_in()


async def test_what_passes_is_shown_in_the_order_it_was_said(town: Checked):
    said = [f"第{number}句" for number in range(TIMES)]
    for text in said:
        await town.says(text)
    assert await town.seen() == []
    assert await town.states() == {MessageState.CHECKING}
    await town.work()
    assert await town.seen() == said


async def test_what_is_risky_is_refused_and_its_sender_told(town: Checked):
    for number in range(TIMES):
        await town.says(f"试探违规 {number}")
    await town.work()
    assert (await town.seen(), await town.states()) == ([], {MessageState.REFUSED})
    assert await AuditEvent.filter(tag="room_message:refuse", allowed=True).count() == TIMES
    notices = await Outbox.filter(kind="notice", recipient=town.chen.openid)
    assert len(notices) == TIMES
    assert all("违法犯罪" in notice.payload["text"] for notice in notices)


async def test_what_is_doubtful_waits_for_staff(town: Checked):
    for number in range(TIMES):
        await town.says(f"试探可疑 {number}")
    await town.work()
    assert (await town.seen(), await town.states()) == ([], {MessageState.REVIEW})
    assert await Review.filter(kind="platform", outcome="open").count() == TIMES
    [line] = await reviews.list_reviews(town.wang, limit=1)
    await reviews.decide(town.wang, line.id, True, "", town.clock())
    assert await town.seen() == [f"试探可疑 {TIMES - 1}"]


@pytest.mark.parametrize("fault", ["reset", "reset_after", "http_500", "garbage"])
async def test_without_an_answer_nothing_is_shown_and_staff_get_it_within_minutes(town: Checked, fault: str):
    town.platform.faults.fail_api(fault, TEXT)
    for number in range(TIMES):
        await town.says(f"第{number}句")
    await town.work()
    assert (await town.seen(), await town.states()) == ([], {MessageState.CHECKING})
    await town.work(minutes=4)
    assert (await town.seen(), await town.states()) == ([], {MessageState.REVIEW})


async def test_what_fails_for_a_moment_is_tried_again(town: Checked):
    town.platform.faults.fail_api("errcode", TEXT, errcode=-1, left=3)
    await town.says("楼道灯坏了")
    await town.work(minutes=1)
    assert await town.seen() == ["楼道灯坏了"]


@pytest.mark.parametrize("errcode", [45009, 48001, 40129, 43104, 87014])
async def test_what_wechat_refuses_to_check_goes_to_staff_at_once(town: Checked, errcode: int):
    town.platform.faults.fail_api("errcode", TEXT, errcode=errcode)
    town.platform.faults.fail_api("errcode", MEDIA, errcode=errcode)
    await town.says("楼道灯坏了")
    await show_picture(town, await picture(town))
    await town.work()
    assert (await town.seen(), await town.states()) == ([], {MessageState.REVIEW})


@pytest.mark.parametrize("more_settings", [{"content_check": "off"}])
async def test_without_the_check_the_word_lists_alone_decide(town: Checked):
    await town.says("楼道灯坏了")
    await town.says("找我打13812345678")
    assert (await town.seen(), await town.states()) == (["楼道灯坏了"], {MessageState.SHOWN, MessageState.REVIEW})
    await town.work()
    assert town.calls(TEXT) == 0


async def test_the_call_after_the_four_thousandth_of_a_minute_is_not_made(town: Checked, redis_url: str):
    redis, begun = aioredis.from_url(redis_url), time.time()
    most = PLATFORM_LIMITS[TEXT_API][0].count
    for at in (begun, begun + 60):  # the next minute too: it may begin any moment
        limits = RateLimits(redis, town.platform.config.miniapp_appid, now=lambda at=at: at)
        for _ in range(most // 50):
            await asyncio.gather(*(limits.take(TEXT_API) for _ in range(50)), return_exceptions=True)
        with pytest.raises(Unavailable):
            await limits.take(TEXT_API)
    await redis.aclose()
    for number in range(TIMES):
        await town.says(f"第{number}句")
    await town.work()
    assert (town.calls(TEXT), await town.seen(), await town.states()) == (0, [], {MessageState.CHECKING})
    await town.work(minutes=6)
    assert (await town.seen(), await town.states()) == ([], {MessageState.REVIEW})


@pytest.mark.parametrize("length", [2_500, 2_501, 4_950, 4_951, 20_000])
async def test_long_texts_are_cut_so_that_no_word_hides_at_a_cut(town: Checked, length: int):
    assert town.services.miniapp
    check = ContentCheck(town.services.miniapp)
    assert (await check.text(town.mini, "好" * length)).suggest is Suggest.PASS
    pieces = -(-max(length - 50, 1) // 2_450)
    assert town.calls(TEXT) == pieces
    for at in (0, 2_449, 2_498, 2_499, length - 4):
        found = await check.text(town.mini, "好" * at + "试探违规" + "好" * (length - at - 4))
        assert (found.suggest, found.label) == (Suggest.RISKY, "违法犯罪")


async def test_an_emoji_counts_twice(town: Checked):
    assert town.services.miniapp
    await ContentCheck(town.services.miniapp).text(town.mini, "😀" * 1_250)
    assert town.calls(TEXT) == 1
    await ContentCheck(town.services.miniapp).text(town.mini, "😀" * 1_251)
    assert town.calls(TEXT) == 3


async def test_who_was_not_in_the_mini_program_for_two_hours_is_not_asked_about(town: Checked):
    town.clock.advance(timedelta(hours=2, seconds=1))
    for number in range(TIMES):
        await town.says(f"第{number}句")
        await town.says(f"第{number}句", town.zhao)  # never there at all
    await town.work()
    assert (town.calls(TEXT), await town.seen(), await town.states()) == (0, [], {MessageState.REVIEW})
    [line] = await reviews.list_reviews(town.wang, limit=1)
    assert line.entry
    assert "没有打开小程序" in line.entry.why


async def test_wechat_knows_better_who_was_there(town: Checked):
    town.clock.advance(timedelta(hours=2, seconds=1))
    town.user.seen_at = town.clock()
    await town.user.save()
    await town.says("楼道灯坏了")
    await town.work()
    assert (await town.seen(), await town.states()) == ([], {MessageState.REVIEW})


@pytest.mark.parametrize("more_settings", [{"unseen_visitors": "words"}])
async def test_an_operator_may_let_the_word_lists_alone_decide_about_the_others(town: Checked):
    await town.says("楼道灯坏了", town.zhao)
    await town.says("找我打13812345678", town.zhao)
    await town.work()
    assert await town.seen() == ["楼道灯坏了"]


async def test_a_report_to_staff_is_never_refused_and_never_asked_about(town: Checked):
    room = await private_room(town.chen, town.clock())
    for number in range(TIMES):
        text = f"有人办证刻章，还骂我是傻逼 {number}"
        entry = await post(town.chen, room.id, words(text), town.clock())
        assert (entry.state, entry.text) == (MessageState.SHOWN, text)
        assert entry.why
    await town.work()
    assert town.calls(TEXT) == 0
    assert await RoomMessage.filter(room_id=room.id, state=MessageState.SHOWN).count() == TIMES


async def test_staff_do_not_wait_for_wechat(town: Checked):
    await town.says("明天停水", town.wang)
    assert (await town.seen(), town.calls(TEXT)) == (["明天停水"], 0)


async def test_a_check_that_is_lost_with_its_worker_ends_with_staff(town: Checked):
    await town.says("楼道灯坏了")
    await Outbox.filter(kind="check").update(state=OutboxState.PARKED, finished_at=town.clock())
    assert await leave_to_staff(town.clock()) == 0
    town.clock.advance(timedelta(minutes=16))
    assert await leave_to_staff(town.clock()) == 1
    assert (await town.seen(), await town.states()) == ([], {MessageState.REVIEW})


async def picture(town: Checked, person: Person | None = None) -> str:
    """A file somebody has sent, as it is kept."""
    owner, ident = (person or town.chen).actor, uuid4()
    name = f"uploads/{ident.hex}.png"
    path = town.services.media / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(PNG)
    await Upload.create(
        id=ident,
        owner=owner,
        kind=UploadKind.IMAGE,
        path=name,
        content_type="image/png",
        size=len(PNG),
        digest="",
        created_at=town.clock(),
    )
    return str(ident)


async def show_picture(town: Checked, upload: str) -> int:
    return await town.says("", kind=MessageKind.IMAGE, data={"upload": upload})


async def test_a_picture_is_fetched_by_wechat_and_shown_once_it_passed(town: Checked):
    upload = await picture(town)
    await show_picture(town, upload)
    assert await town.seen() == []
    await town.work()
    assert await town.seen() == [""]
    [(address, size)] = town.platform.media_checks.seen
    assert size == len(PNG)
    assert address.startswith(f"{town.url}/api/v1/files/u")
    assert (await Upload.get(id=upload)).state is UploadState.PASSED
    await show_picture(town, upload)
    await town.work()
    assert (await town.seen(), town.calls(MEDIA)) == (["", ""], 1)  # asked about once


@pytest.mark.parametrize(
    ("finding", "state", "file"),
    [
        ("risky", MessageState.REFUSED, UploadState.REFUSED),
        ("review", MessageState.REVIEW, UploadState.UNCHECKED),
    ],
)
async def test_a_picture_that_does_not_pass_is_not_shown(
    town: Checked, finding: Any, state: MessageState, file: UploadState
):
    town.platform.media_checks.findings.append(finding)
    upload = await picture(town)
    await show_picture(town, upload)
    await town.work()
    assert (await town.seen(), await town.states()) == ([], {state})
    assert (await Upload.get(id=upload)).state is file


async def test_who_looks_at_a_doubtful_picture_decides_about_the_file_too(town: Checked):
    town.platform.media_checks.findings.append("review")
    upload = await picture(town)
    await show_picture(town, upload)
    await town.work()
    [line] = await reviews.list_reviews(town.wang)
    await reviews.decide(town.wang, line.id, True, "", town.clock())
    assert await town.seen() == [""]
    assert (await Upload.get(id=upload)).state is UploadState.PASSED


async def test_a_picture_whose_result_never_comes_goes_to_staff(town: Checked):
    town.platform.media_checks.silent = True
    await show_picture(town, await picture(town))
    await town.work(minutes=1)
    assert await town.states() == {MessageState.CHECKING}
    town.clock.advance(timedelta(minutes=35))
    assert await leave_to_staff(town.clock()) == 1
    assert (await town.seen(), await town.states()) == ([], {MessageState.REVIEW})


async def test_a_picture_wechat_could_not_fetch_goes_to_staff(town: Checked):
    upload = await picture(town)
    (town.services.media / (await Upload.get(id=upload)).path).unlink()
    await show_picture(town, upload)
    await town.work()
    assert (await town.seen(), await town.states()) == ([], {MessageState.REVIEW})


class Pusher:
    """Whoever pushes to the mini-program's message server."""

    def __init__(self, town: Checked, session: aiohttp.ClientSession) -> None:
        config = town.services.settings.miniapp()
        assert config
        self.config, self.town, self.session = config, town, session
        self.url = f"{town.url}/wechat/miniapp"
        self.cryptor = Cryptor(config.appid, config.token, config.aes_keys)

    async def push(self, body: bytes, *, token: str = "", age: int = 0) -> tuple[int, bytes]:
        timestamp, nonce = str(int(self.town.clock().timestamp()) - age), "1320562132"
        encrypted = self.cryptor.encrypt(body)
        query = {"encrypt_type": "aes", "timestamp": timestamp, "nonce": nonce}
        query["msg_signature"] = signature(token or self.config.token, timestamp, nonce, encrypted)
        sealed = b'{"ToUserName":"gh_x","Encrypt":"' + encrypted.encode() + b'"}'
        async with self.session.post(self.url, params=query, data=sealed) as answer:
            return answer.status, await answer.read()

    @staticmethod
    def result(trace_id: str, suggest: str = "pass") -> bytes:
        return (
            b'{"ToUserName":"gh_x","FromUserName":"o","CreateTime":1,"MsgType":"event","Event":"wxa_media_check",'
            b'"appid":"wx","trace_id":"%b","version":2,"errcode":0,"result":{"suggest":"%b","label":100}}'
        ) % (trace_id.encode(), suggest.encode())


@pytest.fixture
async def pusher(town: Checked) -> AsyncIterator[Pusher]:
    async with aiohttp.ClientSession() as session:
        yield Pusher(town, session)


async def test_a_result_may_come_before_its_question_is_noted_and_more_than_once(town: Checked, pusher: Pusher):
    town.platform.media_checks.silent = True
    upload = await picture(town)
    for _ in range(3):
        assert await pusher.push(pusher.result("trace-1")) == (200, b"success")
    await town.deliver()
    await show_picture(town, upload)
    await town.deliver()
    await Upload.filter(id=upload).update(trace_id="trace-1")
    await town.work(minutes=1)
    assert await town.seen() == [""]


async def test_a_result_of_no_question_of_ours_is_put_aside(town: Checked, pusher: Pusher):
    await pusher.push(pusher.result("unknown"))
    await town.work(minutes=20)
    assert [job.state for job in await Outbox.filter(kind="check")] == [OutboxState.PARKED]


async def test_only_wechat_pushes_results(town: Checked, pusher: Pusher):
    status, _ = await pusher.push(pusher.result("trace-1"), token="another")
    assert status == 403
    status, _ = await pusher.push(pusher.result("trace-1"), age=3_600)
    assert status == 403
    async with pusher.session.post(pusher.url, data=pusher.result("trace-1")) as answer:
        assert answer.status == 403
    assert await Outbox.filter(kind="check").count() == 0


async def test_other_pushes_are_acknowledged_and_leave_nothing(town: Checked, pusher: Pusher):
    entered = b"<xml><ToUserName>gh_x</ToUserName><MsgType>event</MsgType><Event>user_enter_tempsession</Event></xml>"
    assert await pusher.push(entered) == (200, b"success")
    assert await Outbox.filter(kind="check").count() == 0


async def test_the_address_of_the_pushes_proves_itself(pusher: Pusher):
    timestamp = str(int(pusher.town.clock().timestamp()))
    query = {"timestamp": timestamp, "nonce": "1", "echostr": "4375120948345356249"}
    query["signature"] = signature(pusher.config.token, timestamp, "1")
    async with pusher.session.get(pusher.url, params=query) as answer:
        assert (answer.status, await answer.text()) == (200, "4375120948345356249")
    async with pusher.session.get(pusher.url, params=query | {"signature": "0" * 40}) as answer:
        assert answer.status == 403
