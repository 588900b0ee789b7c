"""Every page of the console, in a community where everything has happened once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

from app.demo import settle_homes
from console.app import SUBJECTS
from console.frame import Page, Visit
from domain import broadcast_reports, broadcast_runs, broadcasts, moderation, surveys
from domain.administrators import kind_of
from domain.api_keys import add_key
from domain.bookings import book
from domain.connectors import ConnectorPlan, add_connector
from domain.console_login import issue_setup
from domain.people import Person, find_person, post_of
from domain.service_help import ask
from domain.surveys import Plan
from models.database import fetch
from models.enums import AdminKind
from models.people import Area, Resident, Staff
from models.surveys import SurveyAnswer, SurveyVoter
from tests.console.administration import make_administrator
from tests.console.conftest import Desk, sit_down
from tests.domain.applied import applied
from tests.domain.counter import make_plan, make_slot
from tests.domain.grid_room import LAMP, make_grid
from tests.domain.neighbours import FIRST, officer
from tests.domain.on_the_board import announced
from tests.town import CHEN, WANG, Town

ADMINISTRATORS = {"系统员": AdminKind.SYSTEM, "安全员": AdminKind.SECURITY, "审计员": AdminKind.AUDIT}
#: A person of each kind: nobody, somebody of a grid, a community and a department, each administrator.
WORKERS = ("王芳", "李主任", "马队长")
PEOPLE = ("", *WORKERS, *ADMINISTRATORS)

_PARAMETER = re.compile(r"\{(\w+)(?::(?:[^{}]|\{[^{}]*\})*)?\}")
#: What is downloaded, or is a picture or a part without a frame around it.
_NOT_A_PAGE = re.compile(r"\.(xlsx|svg|png|csv|json)$|/export$|/chart/|/files/|/book$|^/screen/figures$|^/scan/wait$")


def every(method: str) -> list[Page]:
    """All addresses of this method."""
    return [page for pages in SUBJECTS for page in pages.all if page.method == method]


def parameters(page: Page) -> list[str]:
    """The names that stand in its address."""
    return _PARAMETER.findall(page.path)


def is_whole(page: Page) -> bool:
    """Whether it is a page of its own: no part that refreshes itself, nothing that is downloaded."""
    return page.method == "GET" and not page.quiet and not _NOT_A_PAGE.search(page.path)


class Everything:
    """The ids of what has happened."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.found = found

    def path(self, page: Page) -> str:
        """Its address, with one of each thing that is named in it."""

        def fill(match: re.Match[str]) -> str:
            special = f"{page.path.split('/')[1]}/{match[1]}"
            return str(self.found[special] if special in self.found else self.found[match[1]])

        return _PARAMETER.sub(fill, page.path)

    def paths(self, pages: list[Page]) -> Iterator[str]:
        """Their addresses."""
        return (self.path(page) for page in pages)


async def make_everything(town: Town) -> Everything:
    """One of each thing that a page shows."""
    now = town.clock()
    await settle_homes(now)
    await town.say(CHEN, "您好")
    await town.say(WANG, "待办")
    found: dict[str, Any] = {"place": 0, "name": "u" + "0" * 32, "table": "special_days"}
    found |= await _cases_and_rooms(town)
    found |= await _services(town)
    found |= await _told_and_asked(town)
    found |= await _administration(town)
    return Everything(found)


async def _cases_and_rooms(town: Town) -> dict[str, Any]:
    grid = await make_grid(town)
    said = await grid.say(grid.chen, LAMP)
    rude = await grid.say(grid.zhao, "今晚停水吗，打我电话 13800001234")
    await moderation.complain(grid.sun, said.id, "说得不对", town.clock())
    for words in ("3栋2单元楼道灯坏了好几天了，晚上看不见", "1"):
        await town.say(CHEN, words)
    rows = await fetch(
        "SELECT (SELECT min(id) FROM cases) AS case_id, (SELECT min(id) FROM review) AS review_id, $1::int AS room_id, "
        "$2::bigint AS message_id",
        grid.room.id,
        rude.id,
    )
    return rows[0]


#: An item with a form, that the community writes itself.
_DIRECTORY = """
UPDATE service_item SET area_id = (SELECT id FROM area WHERE code = $1)
WHERE id = (SELECT min(item_id) FROM service_form)
RETURNING id AS item_id, (SELECT min(id) FROM provider) AS provider_id
"""


async def _services(town: Town) -> dict[str, Any]:
    chen, now = await find_person(CHEN, town.clock()), town.clock()
    plan = await make_plan("hall")
    slot = await make_slot(plan, now + timedelta(hours=2))
    booking = await book(chen, slot.id, now)
    application = await applied(chen, now)
    _, event = await announced(now)
    await ask(chen, "怎么领养老补贴的年审章", now)
    shown = await fetch(_DIRECTORY, FIRST)
    found = {"booking_id": booking.id, "application_id": application.id, "activity_id": event.id}
    return found | {"counter/code": "hall", **shown[0], **await _home()}


async def _home() -> dict[str, Any]:
    return (await fetch("SELECT household_id, id AS member_id FROM household_member ORDER BY id LIMIT 1"))[0]


async def _told_and_asked(town: Town) -> dict[str, Any]:
    li, zhou, now = await officer("S001"), await officer("J001"), town.clock()
    draft = broadcasts.Draft("明天停水", "明天上午 9 点到下午 3 点停水。", {"area": [FIRST]})
    told = await broadcasts.create(li, draft, now)
    await broadcast_reports.submit(li, told.id, now)
    await broadcasts.approve(zhou, told.id, 1, now)
    await broadcast_runs.advance(now)
    assert li.post
    area = (await Area.get(id=li.post.area_id)).id
    questions = [
        {"text": "夜间停车够吗？", "type": "choice", "choices": ["够", "不够"]},
        {"text": "还想说什么", "type": "text"},
    ]
    plan = Plan("questionnaire", "小区停车怎么安排", questions, area, now, now + timedelta(days=5), results="all")
    asked = await surveys.make_survey(li, plan, now)
    await surveys.hand_in(li, asked.id, now)
    await surveys.decide(zhou, asked.id, 1, True, now)
    for place, one in enumerate(await Resident.all().limit(6)):
        voter = await SurveyVoter.create(survey_id=asked.id, resident_id=one.id, on=now.date(), grid_id=one.grid_id)
        given = {"q1": place % 2 + 1, "q2": "多画几个车位"}
        await SurveyAnswer.create(id=uuid4(), survey_id=asked.id, voter=voter, answers=given, grid_id=one.grid_id)
    await surveys.make_survey(li, plan, now)
    return {"broadcast": told.id, "survey": asked.id}


_FAILED = """
INSERT INTO inbox (dedupe_key, openid, kind, body, state, tries, error, received_at)
VALUES ('every-page', 'o_sim_resident_chen', 'text', '<xml/>', 'parked', 5, 'ValueError: 读不懂这条消息', $1)
RETURNING id
"""
_PARKED = """
INSERT INTO outbox (kind, state, recipient, case_id, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at, finished_at)
SELECT kind, state, recipient, (SELECT min(id) FROM cases), '{"text": "您的事有进展"}', 1, 5,
    $1, '', '', 0, '试了 5 次没有发出：接口没有答复', $1, $1
FROM (VALUES ('notice', 'undelivered', 'o_sim_resident_chen'), ('webhook', 'parked', 'connector:1:case:1'))
    AS o(kind, state, recipient)
RETURNING id
"""


async def _administration(town: Town) -> dict[str, Any]:
    now, wang = town.clock(), await Staff.get(name="王芳")
    top = await Staff.get(name="吴处长")
    for place, (name, kind) in enumerate(ADMINISTRATORS.items()):
        await Staff.create(code=f"AD{place}", name=name, role=top.role, area_id=top.area_id)
        await make_administrator(town, name, kind)
    await add_connector(ConnectorPlan("street12345", "https://platform.example.gov.cn/in"), now)
    await add_key("市政小程序", now)
    secret = await issue_setup(wang.id, "operator", now)
    failed = await fetch(_FAILED, now)
    parked = await fetch(_PARKED, now)
    rule = "light.stairs"
    found = {"id": wang.id, "secret": secret, "ticket": "nothing", "screen": 1, "rules/code": rule, "rule": 1}
    return found | {
        "connectors/name": "street12345",
        "job": parked[0]["id"],
        "message": failed[0]["id"],
        "wechat/code": FIRST,
        "key": "市政小程序",
    }


async def sit(town: Town, desk: Desk, name: str) -> None:
    """This person is signed in at the desk; nobody for ""."""
    if name:
        await sit_down(town, desk, await Staff.get(name__startswith=name))
    else:
        desk.session.cookie_jar.clear()


async def visit_of(name: str) -> Visit:
    """What `who` of a page looks at: this person, without a request."""
    member = await Staff.get(name__startswith=name)
    visit = Visit.__new__(Visit)
    visit.person = Person("", 0, None, await post_of(member.id))
    visit.admin = await kind_of(member.id)
    return visit
