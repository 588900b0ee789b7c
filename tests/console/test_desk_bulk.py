"""One step for many cases at the desk: each by itself, each told of, and nothing learned of others' cases."""

from __future__ import annotations

import re
from datetime import timedelta

from domain.people import find_person
from models.audit import AuditEvent
from models.cases import Case, CaseEvent, CaseRequest
from models.database import fetch
from models.enums import Status
from models.people import Area, Staff
from tests.console.conftest import Desk, sit_down
from tests.console.test_desk import OTHER_GRID, held
from tests.domain.test_indicators import a_case
from tests.town import CHEN, LI, WANG, Town

FIRST, SECOND = "第一网格", "第二网格"


def refused(page: str) -> str:
    """What a page says was not done."""
    return page.partition("没办成的")[2].partition("<details")[0]


async def do(desk: Desk, step: str, cases: list[Case], to: str = "", words: str = "") -> str:
    """Choose these cases on the desk and take the step."""
    await desk.open("/cases")
    return await desk.send("/desk/bulk", step=step, cases=[str(case.id) for case in cases], to=to, words=words)


async def test_each_case_is_given_to_a_grid_by_itself_and_refusals_say_why(town: Town, desk: Desk):
    grid = await Area.get(code="429906001001001")
    waiting = [await a_case(area_id=grid.parent_id, grid_id=None, reported_at=town.clock()) for _ in range(2)]
    ended = await a_case(status=Status.CLOSED, closed_at=town.clock())
    beyond = await Area.get(code=OTHER_GRID)
    foreign = await a_case(grid_id=beyond.id, area_id=beyond.id, subject="别家的事")
    await sit_down(town, desk, "李主任")
    await do(desk, "dispatch", [waiting[0], ended, foreign, waiting[1]], to=FIRST)
    assert "办成 2 件，没办成 2 件" in desk.page
    assert "已经办结，这一步现在做不了" in refused(desk.page)
    assert ended.number[-4:] in refused(desk.page)
    assert "没有找到" in refused(desk.page)
    assert "别家的事" not in desk.page
    for case in waiting:
        given = await Case.get(id=case.id)
        assert (given.status, given.grid_id) == (Status.DISPATCHED, grid.id)
    assert await AuditEvent.filter(tag="case:dispatch", object_id=foreign.id, allowed=False).count() == 1
    assert (await Case.get(id=foreign.id)).status is Status.ACCEPTED


async def test_the_bar_begins_with_what_fits_the_cases_of_the_list(town: Town, desk: Desk):
    area = (await Area.get(code="429906001001001")).parent_id
    for status in (Status.ACCEPTED, Status.ACCEPTED, Status.REPORTED, Status.DISPOSED):
        await a_case(area_id=area, grid_id=None, status=status)
    await held(town, "王芳", 5)
    own = await held(town, "李主任", 5, status=Status.DISPATCHED)
    await sit_down(town, desk, "李主任")
    for address, first in {
        "": "dispatch",
        "?state=reported": "accept",
        "?state=disposing": "nudge",
        f"?holder={own.holder_id}": "sign",
        "?state=disposed": "",
    }.items():
        page = await desk.open(f"/cases{address}")
        chosen = re.findall(r'<option value="(\w+)" selected>', page.partition('id="step"')[2])
        assert chosen == ([first] if first else []), address
    await sit_down(town, desk, "王芳")
    assert 'data-fits="transfer"' in await desk.open("/")


async def test_what_would_fail_in_all_of_them_is_said_before_anything_is_done(town: Town, desk: Desk):
    case = await held(town, "王芳", 5)
    await sit_down(town, desk, "李主任")
    assert "请先在左边勾选" in await do(desk, "nudge", [])
    assert "请写派给哪个网格" in await do(desk, "dispatch", [case])
    assert "转办请写转给谁和原因" in await do(desk, "transfer", [case], to="赵敏")
    assert "一次最多选 100 件" in await do(desk, "sign", [case.__class__(id=number) for number in range(1, 102)])
    assert not await CaseEvent.filter(case_id=case.id).exists()


async def test_a_grid_worker_takes_and_hands_on_several_at_once(town: Town, desk: Desk):
    new = [await held(town, "王芳", 5, status=Status.DISPATCHED) for _ in range(2)]
    await sit_down(town, desk, "王芳")
    await desk.open("/")
    assert 'value="dispatch"' not in desk.page, "who gives no work is not offered it"
    offered = desk.page.partition("<datalist")[2].partition("</datalist>")[0]
    assert 'value="李主任"' in offered
    assert f'value="{FIRST}"' not in offered
    assert 'value="王芳"' not in offered
    assert "办成 2 件。" in await do(desk, "sign", new)
    assert {case.status for case in await Case.filter(id__in=[one.id for one in new])} == {Status.DISPOSING}
    assert "已转给东亭社区李主任，等对方接" in await do(desk, "transfer", new, to="李主任", words="要社区出面")
    assert await CaseRequest.filter(kind="transfer", state="open").count() == 2
    await do(desk, "dispatch", new, to=SECOND)
    assert "办成 0 件，没办成 2 件" in desk.page


async def test_whoever_has_a_case_is_asked_to_hurry_and_not_twice_within_the_hour(town: Town, desk: Desk):
    late, own = await held(town, "王芳", -5), await held(town, "李主任", 5)
    nobodys = await held(town, "王芳", 5, holder_id=None, status=Status.ACCEPTED)
    li = await sit_down(town, desk, "李主任")
    await do(desk, "nudge", [late, own, nobodys], words="居民又打电话了")
    assert "办成 1 件，没办成 2 件" in desk.page
    assert "这件事就在您手上" in refused(desk.page)
    assert "现在没有人在办这件事" in refused(desk.page)
    await town.deliver()
    assert "李主任催办：居民又打电话了" in town.last(WANG)
    asked = await CaseEvent.get(case_id=late.id)
    assert (asked.verb, asked.public) == ("memo", False)
    assert (await Case.get(id=late.id)).urged == 0, "it is not the resident who urged"
    town.clock.advance(timedelta(minutes=59))
    await sit_down(town, desk, li)
    assert "刚催过" in refused(await do(desk, "nudge", [late]))
    town.clock.advance(timedelta(minutes=1))
    assert "办成 1 件。" in await do(desk, "nudge", [late])


async def test_who_accepts_leaves_it_to_the_duty_list_whose_it_is(town: Town, desk: Desk):
    chen = await find_person(CHEN, town.clock())
    li = await find_person(LI, town.clock())
    community = li.post.area_id if li.post else 0
    reported = {"status": Status.REPORTED, "accepted_at": None, "reported_at": town.clock(), "area_id": community}
    known = await a_case(**reported, reporter_id=chen.resident_id)
    unknown = await a_case(**reported, grid_id=None)
    await sit_down(town, desk, "李主任")
    await do(desk, "accept", [known, unknown])
    assert "办成 2 件。" in desk.page
    assert re.search(rf"{known.number[-4:]} [^<]*</a>：已受理，交给网格员王芳", desk.page)
    assert re.search(rf"{unknown.number[-4:]} [^<]*</a>：已受理，还要您派人", desk.page)
    known, unknown = await Case.get(id=known.id), await Case.get(id=unknown.id)
    assert (known.status, known.holder_id) == (Status.DISPATCHED, (await Staff.get(name="王芳")).id)
    assert known.accepted_at == town.clock()
    assert known.due_at == unknown.due_at
    assert known.sign_due_at
    assert (unknown.status, unknown.holder_id) == (Status.ACCEPTED, None)
    await town.deliver()
    assert "已交给网格员王芳" in town.last(CHEN)
    assert "新任务" in town.last(WANG)


_BREAK = """
CREATE FUNCTION break_one() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF NEW.subject = 'unlucky' THEN RAISE EXCEPTION 'disk on fire'; END IF; RETURN NEW; END $$;
"""
_ON_CASES = "CREATE TRIGGER break_one BEFORE UPDATE ON cases FOR EACH ROW EXECUTE FUNCTION break_one()"


async def test_what_nobody_foresaw_in_one_case_leaves_the_others_done_and_told(town: Town, desk: Desk):
    first, unlucky, last = [
        await held(town, "王芳", 5, status=Status.DISPATCHED, subject=subject) for subject in ("灯", "unlucky", "井盖")
    ]
    await fetch(_BREAK)
    await fetch(_ON_CASES)
    await sit_down(town, desk, "王芳")
    await do(desk, "sign", [first, unlucky, last])
    assert "办成 2 件，没办成 1 件" in desk.page
    assert "第 2 件：系统刚才没处理好，这一件请再办一次" in refused(desk.page)
    states = {case.id: case.status for case in await Case.all()}
    assert states == {first.id: Status.DISPOSING, unlucky.id: Status.DISPATCHED, last.id: Status.DISPOSING}


async def test_with_script_the_answer_stands_beside_the_list_and_the_list_is_asked_for_anew(town: Town, desk: Desk):
    case = await held(town, "王芳", 5, status=Status.DISPATCHED)
    await sit_down(town, desk, "王芳")
    desk.session.headers["HX-Request"] = "true"
    await do(desk, "sign", [case])
    assert (desk.headers["HX-Retarget"], desk.headers["HX-Trigger"]) == ("#done", "desk-changed")
    assert "办成 1 件" in desk.page
    assert "<html" not in desk.page
    await do(desk, "sign", [])
    assert (desk.status, desk.headers["X-Fault"]) == (200, "bad_request")
    assert "HX-Retarget" not in desk.headers
