"""Applications at the console: the list by due time, what is read by whom, every step to the result."""

from __future__ import annotations

from datetime import timedelta

import aiohttp
import pytest

from domain.people import find_person
from models.audit import AuditEvent
from models.bookings import Application, ApplicationFile
from models.people import Staff
from models.services import ServiceItem
from tests.console.administration import sit_down
from tests.console.conftest import Desk
from tests.domain.applied import ID_NUMBER, applied
from tests.town import CHEN, PNG, Town


@pytest.fixture
async def made(town: Town) -> Application:
    """Chen applied for 高龄津贴."""
    return await applied(await find_person(CHEN, town.clock()), town.clock())


@pytest.fixture
async def li(town: Town, desk: Desk) -> Desk:
    """The community's desk."""
    await sit_down(town, desk, await Staff.get(name="李主任"))
    return desk


async def test_who_has_not_taken_it_sees_what_it_is_and_not_what_was_written(town: Town, made: Application, li: Desk):
    assert made.number in await li.open("/applications")
    page = await li.open(f"/applications/{made.id}")
    assert "我来办" in page
    assert ID_NUMBER not in page
    assert ID_NUMBER in await li.send(f"/applications/{made.id}/take")
    assert await AuditEvent.filter(tag="application:read", object_id=made.id, allowed=True).exists()


async def test_from_a_missing_paper_to_the_result_the_applicant_hears_each_step(
    town: Town, made: Application, li: Desk
):
    path = f"/applications/{made.id}"
    await li.open(path)
    await li.send(f"{path}/take")
    await li.send(f"{path}/ask", text="请补一张户口本照片")
    await town.deliver()
    assert "户口本照片" in town.last(CHEN)
    assert "等申请人补材料" in li.page
    await Application.filter(id=made.id).update(state="submitted")
    await li.open(path)
    await li.send(f"{path}/accept")
    await li.send(f"{path}/finish", text="津贴从下月起发放", pick_up="")
    assert "已办结" in li.page
    await town.deliver()
    assert "津贴从下月起发放" in town.last(CHEN)
    assert (await Application.get(id=made.id)).state == "done"


async def test_a_result_may_bring_pictures_and_the_applicant_may_see_them(town: Town, made: Application, li: Desk):
    path = f"/applications/{made.id}"
    await li.open(path)
    await li.send(f"{path}/take")
    form = aiohttp.FormData({"mark": li.page.split('name="mark" value="')[1].split('"')[0]})
    form.add_field("text", "证办好了")
    form.add_field("pick_up", "社区服务大厅")
    form.add_field("photos", PNG, filename="result.png", content_type="image/png")
    async with li.session.post(f"{li.url}/console{path}/finish", data=form) as answer:
        assert "带身份证到社区服务大厅取" in await answer.text()
    file = await ApplicationFile.get(application_id=made.id, field="")
    async with li.session.get(f"{li.url}/console/files/p{file.id}") as answer:
        assert (answer.status, answer.content_type) == (200, "image/jpeg")


async def test_a_refusal_needs_its_reason(town: Town, made: Application, li: Desk):
    path = f"/applications/{made.id}"
    await li.open(path)
    await li.send(f"{path}/take")
    await li.send(f"{path}/refuse", text=" ")
    assert li.status == 400
    await li.open(path)
    await li.send(f"{path}/refuse", text="年龄不到，满 80 岁再来")
    assert (await Application.get(id=made.id)).result == "年龄不到，满 80 岁再来"


async def test_what_is_over_its_time_is_marked_in_words_too(town: Town, made: Application, li: Desk):
    await Application.filter(id=made.id).update(due_at=town.clock() - timedelta(hours=3))
    assert "已超时 3 小时" in await li.open("/applications")
    await li.open(f"/applications?number={made.number[-4:]}")
    assert li.path == f"/console/applications/{made.id}"


async def test_another_community_finds_nothing_and_the_grid_worker_sees_how_far_it_is(
    town: Town, made: Application, desk: Desk
):
    await sit_down(town, desk, await Staff.get(name="何主任"))
    assert made.number not in await desk.open("/applications")
    await desk.open(f"/applications/{made.id}")
    assert desk.status == 404
    await desk.open("/applications")
    await desk.send(f"/applications/{made.id}/take")
    assert desk.status == 404
    await sit_down(town, desk, await Staff.get(name="王芳"))
    page = await desk.open(f"/applications/{made.id}")
    assert "待审核" in page
    assert ID_NUMBER not in page
    assert "我来办" not in page


async def test_the_department_whose_item_it_is_has_it_on_its_desk(town: Town, made: Application, desk: Desk):
    han = await Staff.get(name="韩警官")
    await sit_down(town, desk, han)
    assert made.number not in await desk.open("/applications")
    await ServiceItem.filter(code="gljt").update(department_id=han.department_id)
    assert made.number in await desk.open("/applications")
    await desk.open(f"/applications/{made.id}")
    assert ID_NUMBER in await desk.send(f"/applications/{made.id}/take")


def _form(page: str, **given: str) -> aiohttp.FormData:
    mark = page.split('name="mark" value="')[1].split('"', maxsplit=1)[0]
    form = aiohttp.FormData({"mark": mark} | given)
    form.add_field("answer-f6", PNG, filename="front.png", content_type="image/png")
    return form


FILLED = {
    "code": "gljt",
    "version": "1",
    "name": "李桂英",
    "phone": "13812345678",
    "relation": "邻居",
    "grid_id": "",
    "answer-f1": "李桂英",
    "answer-f2": ID_NUMBER,
    "answer-f3": "13812345678",
    "answer-f4": "是",
    "answer-f5": "6222021234567890123",
}


async def test_somebody_without_wechat_has_it_filled_in_at_the_desk_with_their_papers(town: Town, li: Desk):
    page = await li.open("/applications/new?code=gljt")
    assert "老人身份证号" in page
    wrong = _form(page, **FILLED | {"answer-f2": "110105194912310021"})
    async with li.session.post(f"{li.url}/console/applications/new", data=wrong) as answer:
        assert "好像有一位写错了" in await answer.text()
    assert not await Application.exists()
    async with li.session.post(f"{li.url}/console/applications/new", data=_form(page, **FILLED)) as answer:
        assert "替李桂英交上了" in await answer.text()
    made = await Application.get()
    assert (made.name, made.relation, made.answers["f4"]) == ("李桂英", "邻居", True)
    assert await ApplicationFile.filter(application_id=made.id, field="f6").count() == 1
