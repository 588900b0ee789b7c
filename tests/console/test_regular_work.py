"""The workers' regular work on the health page: when each piece was done, what is late, what went wrong."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from app.services import worker
from bot.inbox import Inbox
from console.regular_work import NAMES
from jobs.broadcasts import BROADCASTING
from jobs.loops import plan_of, start_scheduler
from jobs.ticks import Ticks
from models.enums import AdminKind
from tests.console.administration import at_desk
from tests.console.conftest import Desk
from tests.town import Town
from tests.waiting import eventually


@pytest.fixture
async def system(town: Town, desk: Desk) -> Desk:
    """The system administrator's desk."""
    await at_desk(town, desk, "吴处长", AdminKind.SYSTEM)
    return desk


def row(page: str, name: str) -> str:
    """The words of one line of the page."""
    found = re.search(rf'<tr[^>]*><th scope="row">{name}<br>.*?</tr>', page, re.DOTALL)
    return re.sub(r"<[^>]*>", " ", found[0]) if found else ""


async def test_all_regular_work_has_a_name_people_understand():
    scheduler = start_scheduler(
        Inbox(_nobody, _nobody), now=lambda: pytest.fail("nothing is due yet"), silence=timedelta(), miniapp=True
    )
    try:
        assert {*plan_of(scheduler), BROADCASTING} == set(NAMES)
    finally:
        scheduler.shutdown(wait=False)


async def _nobody(*_: object) -> None:
    raise AssertionError("no message was sent")


async def test_what_no_worker_does_any_more_is_late_and_what_failed_is_told(town: Town, system: Desk):
    assert "还没有后台进程报到" in await system.open("/health")
    notes = Ticks(town.services.redis, town.clock)
    await notes.plan({"watch deadlines": 60, "anchor the audit trail": 3600, "make digests of rooms": 300})
    await notes.done("watch deadlines", 0.25)
    page = await system.open("/health")
    assert "3 项，都按时做了" in page
    assert "今天 10:00，用了 0.2 秒" in row(page, "按时限提醒和升级")
    assert "还没有过" in row(page, "群聊日报")

    town.clock.advance(timedelta(minutes=20))
    await notes.failed("make digests of rooms", KeyError("王芳"))
    page = await system.open("/health/lines")
    assert "2 项迟了，1 项刚出过错" in page
    assert "迟了 ，本该今天 10:01" in row(page, "按时限提醒和升级")
    assert "今天 10:20出错：KeyError" in row(page, "群聊日报")
    assert "今天 11:00左右" in row(page, "给审计记录打锚点")
    assert page.index("群聊日报") < page.index("给审计记录打锚点")  # what needs somebody comes first


async def test_a_worker_notes_what_it_does(town: Town, system: Desk):
    async with worker(town.services):
        page = await eventually(lambda: _if_shown(system, "推进群发", "用了"))
    assert f"{len(NAMES)} 项，都按时做了" in page


async def _if_shown(desk: Desk, name: str, words: str) -> str:
    page = await desk.open("/health/lines")
    return page if words in row(page, name) else ""
