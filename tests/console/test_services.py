"""The directory at the console: looked up, reviewed, written as a form with versions, and what was asked in vain."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from domain.organisation import import_row
from domain.people import find_operator, find_person
from domain.service_corrections import MOST_A_DAY, suggest
from domain.service_help import ask
from domain.service_tables import ITEMS
from models.audit import AuditEvent
from models.messaging import Outbox
from models.people import Area, Staff
from models.services import MissingItem, ServiceItem
from tests.console.administration import sit_down
from tests.console.conftest import Desk
from tests.console.desks import history
from tests.console.forms import form_to
from tests.town import CHEN, Town

COMMUNITY = "429906001001"


@pytest.fixture
async def li(town: Town, desk: Desk) -> Desk:
    """The community's desk."""
    await sit_down(town, desk, await Staff.get(name="李主任"))
    return desk


async def own_item(code: str = "jzz") -> ServiceItem:
    """An item of the community alone."""
    await ServiceItem.filter(code=code).update(area_id=(await Area.get(code=COMMUNITY)).id)
    return await ServiceItem.get(code=code)


async def test_a_form_saved_as_it_is_changes_no_word_and_one_change_makes_the_next_version(town: Town, li: Desk):
    item = await own_item()
    before = form_to(await li.open(f"/services/{item.id}"), f"/services/{item.id}").typed()
    await li.send(f"/services/{item.id}", **before)
    same = await ServiceItem.get(id=item.id)
    assert (same.version, same.materials, same.steps, same.area_id) == (1, item.materials, item.steps, item.area_id)
    assert (same.reviewer, str(same.reviewed_on)) == ("李主任", "2026-11-20")

    changed = before | {"fee": "免费", "materials": "身份证｜原件｜1\n租房合同｜复印件｜2", "phone": ""}
    town.clock.advance(timedelta(minutes=1))
    page = await li.send(f"/services/{item.id}", **changed)
    assert history(page) == ["改了材料、费用", "核对过，没有改动"]
    assert re.search(r"第 2 版</strong> <span[^>]*>[^<]*李主任", page)
    town.clock.advance(timedelta(minutes=1))
    await import_row(ITEMS, {"code": item.code, "hours": "全天"}, town.clock(), by=("operator", "import"))
    page = await li.open(f"/services/{item.id}")
    assert history(page)[0] == "改了开放时间"
    assert re.search(r"第 3 版</strong> <span[^>]*>[^<]*运维", page)
    stored = await ServiceItem.get(id=item.id)
    assert (stored.version, stored.fee, stored.phone) == (3, "免费", "")
    assert [(one["name"], one["count"]) for one in stored.materials] == [("身份证", 1), ("租房合同", 2)]
    assert await AuditEvent.filter(tag="service:edit", object_id=item.id, allowed=True).count() == 2
    await town.say(CHEN, "居住证怎么办")
    assert "免费" in await town.say(CHEN, "1")


async def test_what_cannot_be_read_is_refused_with_its_column_and_an_older_form_is_not_taken(town: Town, li: Desk):
    item = await own_item()
    before = form_to(await li.open(f"/services/{item.id}"), f"/services/{item.id}").typed()
    assert "材料" in await li.send(f"/services/{item.id}", **before | {"materials": "身份证｜铁板"})
    assert li.status == 400
    assert "不能空着" in await li.send(f"/services/{item.id}", **before | {"title": ""})
    await li.open(f"/services/{item.id}")
    await li.send(f"/services/{item.id}", **before | {"fee": "十元"})
    await li.open(f"/services/{item.id}")
    assert "刚刚有人改过" in await li.send(f"/services/{item.id}", **before | {"fee": "二十元"})
    assert (await ServiceItem.get(id=item.id)).fee == "十元"


async def test_what_everybody_sees_is_written_by_the_city_and_read_by_a_community(town: Town, li: Desk):
    item = await ServiceItem.get(code="jzz")
    assert "上级统一管理" in await li.open(f"/services/{item.id}")
    own = await own_item("gljt")
    given = form_to(await li.open(f"/services/{own.id}"), f"/services/{own.id}").typed()
    assert "上级统一管理" in await li.send(f"/services/{item.id}", **given | {"version": "1"})
    assert li.status == 403
    await li.open(f"/services/{own.id}")
    await li.send(f"/services/{own.id}", **given | {"area": "全部"})
    assert li.status == 403
    await sit_down(town, li, await Staff.get(name="吴处长"))
    city = form_to(await li.open(f"/services/{item.id}"), f"/services/{item.id}").typed()
    await li.send(f"/services/{item.id}", **city | {"fee": "不收费"})
    assert (await ServiceItem.get(id=item.id)).fee == "不收费"


async def test_who_may_not_change_an_item_tells_those_who_may_what_is_wrong(town: Town, li: Desk):
    item = await ServiceItem.get(code="jzz")
    assert "能改的是：江城市吴处长" in await li.open(f"/services/{item.id}")
    assert "还没有绑定微信" in await li.send(f"/services/{item.id}/suggest", words="电话换了")
    await Staff.filter(code="C001").update(openid="o_wu")
    await li.open(f"/services/{item.id}")
    assert "已告诉" in await li.send(f"/services/{item.id}/suggest", words="电话换成 55501234 了")
    [job] = await Outbox.filter(recipient="o_wu")
    assert "东亭社区李主任说办事指南“居住证办理”有不对的：电话换成 55501234 了" in job.payload["text"]
    assert await AuditEvent.filter(tag="service:suggest", object_id=item.id).count() == 1
    speaker = await find_operator("S001")
    for place in range(2, MOST_A_DAY + 1):
        await suggest(speaker, item.id, f"第 {place} 条", town.clock())
    await li.open(f"/services/{item.id}")
    assert "请明天再提" in await li.send(f"/services/{item.id}/suggest", words="还有")
    assert len(await suggest(speaker, item.id, "还有", town.clock() + timedelta(days=1))) == 1
    own = await own_item()
    assert "告诉他们" not in await li.open(f"/services/{own.id}")


async def test_a_new_item_is_found_by_residents_and_a_stopped_one_no_more(town: Town, li: Desk):
    given = form_to(await li.open("/services/new"), "/services/new").typed() | {"code": "gywz", "active": "是"}
    given |= {"service_class": "life", "title": "公益晚托班", "summary": "放学没人接的孩子", "area": COMMUNITY}
    assert "已经有了" in await li.send("/services/new", **given | {"code": "ｊｚ ｚ", "title": "抢来的"})
    await li.open("/services/new")
    assert "居民现在就能查到" in await li.send("/services/new", **given)
    made = await ServiceItem.get(code="gywz")
    assert "公益晚托班" in await li.open("/services?q=晚托班")
    stopped = {
        name: text
        for name, text in form_to(await li.open(f"/services/{made.id}"), f"/services/{made.id}").typed().items()
        if name != "active"
    }
    await li.send(f"/services/{made.id}", **stopped)
    assert "公益晚托班" not in await li.open("/services?q=晚托班")
    assert "公益晚托班" in await li.open("/services/stopped")


async def test_items_nobody_looked_at_are_listed_until_somebody_has(town: Town, li: Desk):
    await ServiceItem.all().update(reviewed_on="2026-11-01")
    await ServiceItem.filter(code="jzz").update(reviewed_on="2026-01-01")
    item = await ServiceItem.get(code="jzz")
    assert "居住证办理" in await li.open("/services/overdue")
    assert "核对过了" in await li.send(f"/services/{item.id}/review")
    assert "居住证办理" not in li.page.split('class="tabs"')[1]


async def test_a_question_without_an_answer_goes_off_the_list_when_an_item_answers_it(town: Town, li: Desk):
    await ask(await find_person(CHEN, town.clock()), "怎么给猫上户口", town.clock())
    missing = await MissingItem.get()
    assert "怎么给猫上户口" in await li.open("/services/missing")
    assert "现在由“居住证办理”回答" in await li.send("/services/missing", missing_id=str(missing.id), code="jzz")
    assert "怎么给猫上户口" not in li.page


async def test_another_communitys_item_is_as_if_there_were_none_and_a_grid_worker_only_reads(town: Town, desk: Desk):
    item = await own_item()
    await sit_down(town, desk, await Staff.get(name="何主任"))
    await desk.open(f"/services/{item.id}")
    assert desk.status == 404
    await sit_down(town, desk, await Staff.get(name="王芳"))
    assert "保存" not in await desk.open(f"/services/{item.id}")
    await desk.send(f"/services/{item.id}/review")
    assert desk.status == 403
