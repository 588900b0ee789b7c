"""The work desk: what waits for somebody in the order of its time, and the area's list as its address says."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from io import BytesIO

import openpyxl

from domain.clock import SHANGHAI
from domain.contacts import Contact
from domain.desk_rows import SHOWN
from domain.on_behalf import report_for
from domain.people import find_person
from domain.reports import Draft
from domain.shortlist import put_on
from domain.together import assist, transfer
from models.accounts import LoginToken
from models.audit import AuditEvent
from models.cases import Case
from models.console import Administrator, Credential, SavedView
from models.enums import AdminKind, Status, Urgency
from models.people import Area, Staff
from tests.console.conftest import Desk, give_password, sit_down
from tests.domain.test_indicators import a_case
from tests.town import LI, WANG, Town

OTHER_GRID = "429906001002001"


async def held(town: Town, name: str, hours: int | None, **given: object) -> Case:
    """A case of 王芳's grid that somebody has, due in so many hours (None = nothing is promised)."""
    holder = await Staff.get(name=name)
    due = town.clock() + timedelta(hours=hours) if hours is not None else None
    facts = {"status": Status.DISPOSING, "holder_id": holder.id, "due_at": due, "reported_at": town.clock()}
    return await a_case(**facts | given)


def shown(page: str) -> list[int]:
    """The cases of the lines on a page, in their order."""
    return [int(found) for found in re.findall(r'data-case="(\d+)"', page)]


def line(page: str, case: Case) -> str:
    """The line of one case."""
    found = re.search(rf'<tr id="\w+-{case.id}".*?</tr>', page, re.DOTALL)
    return found[0] if found else ""


async def test_the_to_do_comes_by_due_time_and_says_in_words_what_the_colour_means(town: Town, desk: Desk):
    calm = await held(town, "王芳", 100)
    late = await held(town, "王芳", -3, urgency=Urgency.URGENT, urged=2)
    never = await held(town, "王芳", None)
    soon = await held(town, "王芳", 4)
    await sit_down(town, desk, "王芳")
    await desk.open("/")
    assert shown(desk.page) == [late.id, soon.id, calm.id, never.id]
    assert "<title>待办 4 ·" in desk.page
    assert 'class="late"' in line(desk.page, late)
    assert all(said in line(desk.page, late) for said in ("已超时 3 小时", "紧急", "居民催 2 次"))
    assert 'class="soon"' in line(desk.page, soon)
    assert "快到期" in line(desk.page, soon)
    assert 'class="calm"' in line(desk.page, calm)
    assert f'href="/console/cases/{late.id}"' in line(desk.page, late)
    assert "东亭社区第一网格" in line(desk.page, late)


async def test_an_empty_desk_says_how_work_will_come(town: Town, desk: Desk):
    await sit_down(town, desk, "王芳")
    await desk.open("/")
    assert "有新任务会出现在这里，也会推到您的微信" in desk.page
    assert "<title>待办 ·" in desk.page


async def test_an_empty_desk_of_a_leader_says_what_is_open_in_their_area_and_leads_there(town: Town, desk: Desk):
    await sit_down(town, desk, "周科长")
    assert "没办结" not in await desk.open("/")
    for hours in (5, -5):
        await held(town, "王芳", hours)
    for path in ("/", "/desk/todo"):
        page = await desk.open(path)
        assert "还有 2 件没办结" in page
        assert all(f'href="/console{leads}"' in page for leads in ("/cases", "/dashboards"))
    await held(town, "周科长", 5)
    assert "没办结" not in await desk.open("/")


async def test_decisions_checks_assists_and_what_nobody_has_stand_under_their_own_headings(town: Town, desk: Desk):
    wang, li = await find_person(WANG, town.clock()), await find_person(LI, town.clock())
    offered = await held(town, "王芳", 30)
    await transfer(wang, offered.id, "李主任", "要社区出面", town.clock())
    helped = await held(town, "王芳", 30)
    await assist(wang, helped.id, "李主任", "借一把梯子", town.clock())
    done = await held(town, "王芳", 30, status=Status.DISPOSED, disposed_at=town.clock())
    free, sooner = [
        await a_case(area_id=li.post.area_id if li.post else 0, status=Status.REPORTED, due_at=due)
        for due in (None, town.clock() + timedelta(hours=2))
    ]
    await put_on(li, done.id, town.clock())
    await sit_down(town, desk, "李主任")
    await desk.open("/")
    parts = {found[1]: found[2] for found in re.finditer(r'<section id="(\w+)"(.*?)</section>', desk.page, re.DOTALL)}
    assert shown(parts["decisions"]) == [offered.id]
    assert "王芳申请转给您：要社区出面" in parts["decisions"]
    assert shown(parts["assists"]) == [helped.id]
    assert "借一把梯子" in parts["assists"]
    assert shown(parts["checks"]) == [done.id]
    assert shown(parts["unassigned"]) == [sooner.id, free.id]
    assert shown(parts["shortlist"]) == [done.id]
    assert "<title>待办 5 ·" in desk.page


async def test_a_heading_that_has_more_than_it_shows_says_so_and_leads_to_the_rest(town: Town, desk: Desk):
    cases = [await held(town, "王芳", 5 + hours) for hours in range(SHOWN + 1)]
    await sit_down(town, desk, "王芳")
    await desk.open("/")
    assert shown(desk.page) == [case.id for case in cases[:SHOWN]]
    assert f'<span class="count">{SHOWN}+</span>' in desk.page
    rest = re.search(r'href="/console(/cases\?[^"]+)">在“事项”里看全部', desk.page)
    assert rest
    following = re.search(r'href="/console(/cases\?[^"]+)">下一页', await desk.open(rest[1]))
    assert following
    assert shown(await desk.open(unescape(following[1]))) == [cases[SHOWN].id]


async def test_who_is_to_be_told_by_telephone_is_called_from_the_desk(town: Town, desk: Desk):
    wang = await find_person(WANG, town.clock())
    draft = Draft("楼道灯坏了", "light.stairs", "楼道灯", "城乡建设", "3栋")
    receipt = await report_for(wang, Contact("张奶奶", "13800000000"), draft, town.clock(), agreed=True)
    await Case.filter(id=receipt.case.id).update(
        status=Status.VERIFIED, verified_at=town.clock(), result="换了灯泡", holder_id=(await Staff.get(name="王芳")).id
    )
    await sit_down(town, desk, "李主任")
    await desk.open("/")
    assert all(said in desk.page for said in ("张奶奶", "13800000000", "换了灯泡"))
    fields = {"case": str(receipt.case.id), "satisfaction": "", "words": ""}
    assert "请写一句居民说哪里没解决" in await desk.send("/desk/calls", **fields, spoke="not_solved")
    await desk.open("/")
    assert "回访记下了" in await desk.send("/desk/calls", **fields | {"satisfaction": "3"}, spoke="solved")
    case = await Case.get(id=receipt.case.id)
    assert (case.status, case.satisfaction) == (Status.CLOSED, 3)
    assert "张奶奶" not in desk.page


async def test_the_lists_freshen_themselves_without_a_sign_of_life(town: Town, desk: Desk):
    await sit_down(town, desk, "王芳")
    used = (await LoginToken.get(kind="console")).seen_at
    town.clock.advance(timedelta(minutes=10))
    case = await held(town, "王芳", 5)
    assert shown(await desk.open("/desk/todo")) == [case.id]
    assert 'data-title="待办 1"' in desk.page
    assert shown(await desk.open("/desk/rows?state=open")) == [case.id]
    before = re.search(r'data-state="(\w+)"', desk.page)
    await Case.filter(id=case.id).update(supervised=1)
    assert before
    assert before[0] not in await desk.open("/desk/rows?state=open")
    assert (await LoginToken.get(kind="console")).seen_at == used
    await desk.open("/")
    assert (await LoginToken.get(kind="console")).seen_at > used


async def test_the_list_shows_what_its_address_says(town: Town, desk: Desk):
    grid = await Area.get(code="429906001001001")
    late = await held(town, "王芳", -2, place="3栋", subject="楼道灯坏")
    urgent = await held(town, "王芳", 50, urgency=Urgency.URGENT, status=Status.DISPATCHED)
    other = await held(town, "李主任", 50, area_id=grid.parent_id, grid_id=None, category="pipe.blocked")
    ended = await held(town, "王芳", 50, status=Status.CLOSED, closed_at=town.clock())
    old = await held(town, "王芳", 60, reported_at=town.clock() - timedelta(days=40))
    beyond = await Area.get(code=OTHER_GRID)
    foreign = await held(town, "王芳", 60, grid_id=beyond.id, area_id=beyond.id, holder_id=None)
    wang, day = (await Staff.get(name="王芳")).id, f"{town.clock():%Y-%m-%d}"
    await sit_down(town, desk, "李主任")
    for address, expected in {
        "": {late, urgent, other, old},
        "?state=all": {late, urgent, other, ended, old},
        "?state=closed": {ended},
        "?state=dispatched": {urgent},
        "?late=1": {late},
        "?urgent=1": {urgent},
        "?kind=pipe.blocked": {other},
        f"?area={grid.id}": {late, urgent, old},
        f"?holder={wang}&late=": {late, urgent, old},
        f"?since={day}&area=&words=": {late, urgent, other},
        f"?until={town.clock() - timedelta(days=30):%Y-%m-%d}": {old},
        "?words=3栋&state=all": {late},
        f"?words={ended.number[-4:]}&state=all": {ended},
    }.items():
        assert set(shown(await desk.open(f"/cases{address}"))) == {case.id for case in expected}, address
    assert shown(await desk.open(f"/cases?words={foreign.number[-4:]}&state=all")) == []
    assert "没有符合条件的事项" in desk.page
    await desk.open(f"/cases?area={beyond.id}")
    assert desk.status == 404
    assert await AuditEvent.filter(tag="area:read", object_id=beyond.id, allowed=False).exists()
    assert "状态填得不对" in await desk.open("/cases?state=nothing")


async def test_pages_go_on_where_the_one_before_ended(town: Town, desk: Desk):
    made = [await held(town, "王芳", hours) for hours in range(1, 61)]
    await sit_down(town, desk, "李主任")
    first = shown(await desk.open("/cases?urgent="))
    assert "<title>事项 60 ·" in desk.page
    following = re.search(r'href="/console(/cases\?[^"]*)">下一页', desk.page)
    rest = shown(await desk.open(following[1].replace("&amp;", "&") if following else ""))
    assert [*first, *rest] == [case.id for case in made]
    assert "回到第一页" in desk.page
    assert len(desk.page.encode()) < 100_000
    made += [await held(town, "王芳", hours) for hours in range(61, 102)]
    assert "<title>事项 101 ·" in await desk.open("/cases")
    await Case.filter(id__in=[case.id for case in made]).update(status=Status.CLOSED, closed_at=town.clock())
    assert "<title>事项 100+ ·" in await desk.open("/cases?state=closed")
    await desk.open("/cases?after=nonsense")
    assert (desk.status, "这一页打不开了" in desk.page) == (400, True)


async def test_a_case_leads_back_to_the_list_it_was_opened_from(town: Town, desk: Desk):
    case, beside = await held(town, "王芳", -2), await held(town, "王芳", -1)
    await sit_down(town, desk, "王芳")
    listed, own = f"{desk.url}/console/cases?late=1&words=%E7%81%AF", f"{desk.url}/console/cases/{case.id}"
    way = 'href="/console/cases?late=1&amp;words=%E7%81%AF">‹ 回到事项列表'
    assert way in await desk.open(f"/cases/{case.id}", Referer=listed)
    assert way in await desk.open(f"/cases/{case.id}", Referer=own), "after a step on its page"
    assert way in await desk.open(f"/cases/{beside.id}", Referer=own), "from a case beside it"
    for before in ("", own, "https://elsewhere.example/console/cases", f"{desk.url}/console/account"):
        assert 'href="/console/">‹ 回到待办' in await desk.open(f"/cases/{case.id}", Referer=before), before


async def test_views_are_ones_own_and_stand_above_the_list(town: Town, desk: Desk):
    late = await held(town, "王芳", -2)
    await held(town, "王芳", 50)
    await sit_down(town, desk, "王芳")
    await desk.open("/cases?late=1")
    await desk.send("/desk/views", name="超时的", query="late=1")
    assert "视图“超时的”存好了" in desk.page
    assert 'href="/console/cases?late=1" class="own" aria-current="true">超时的' in desk.page
    await desk.send("/desk/views", name="超时的", query="late=1&urgent=1")
    assert desk.page.count('class="own"') == 1, "the same name is the same view"
    assert "请先删掉" in await many_views(town, desk)
    theirs = await SavedView.create(staff=await Staff.get(name="李主任"), page="cases", name="别人的", query={})
    await desk.open("/cases")
    assert "别人的" not in desk.page
    await desk.send("/desk/views/drop", view=str(theirs.id))
    assert (desk.status, await SavedView.filter(id=theirs.id).exists()) == (404, True)
    own = await SavedView.get(name="超时的")
    await desk.open("/cases")
    assert "删掉了" in await desk.send("/desk/views/drop", view=str(own.id))
    assert not await SavedView.filter(id=own.id).exists()
    assert shown(await desk.open("/cases?late=1")) == [late.id]


async def many_views(town: Town, desk: Desk) -> str:
    """As many as there may be, and one more; gives the answer to that."""
    member = await Staff.get(name="王芳")
    for number in range(19):
        await SavedView.create(staff=member, page="cases", name=f"视图{number}", query={}, position=number + 1)
    return await desk.send("/desk/views", name="多一个", query="")


async def test_the_list_as_a_workbook_holds_the_same_lines_and_no_formula(town: Town, desk: Desk):
    await held(town, "王芳", -2, place='=HYPERLINK("https://elsewhere.example","点我")', subject="+1+1")
    await held(town, "王芳", 50)
    member = await sit_down(town, desk, "李主任")
    async with desk.session.get(f"{desk.url}/console/desk/cases.xlsx?late=1") as answer:
        sheet = openpyxl.load_workbook(BytesIO(await answer.read())).active
        assert f"cases-{town.clock().astimezone(SHANGHAI):%Y%m%d-%H%M}.xlsx" in answer.headers["Content-Disposition"]
    rows = list(sheet.iter_rows()) if sheet else []
    cells = {head.value: cell for head, cell in zip(rows[0], rows[1], strict=True)}
    assert len(rows) == 2
    assert (cells["事项"].value, cells["事项"].data_type) == ("+1+1", "s")
    assert cells["网格"].value == "东亭社区第一网格"
    assert (cells["地点"].data_type, cells["是否超时"].value, cells["经办人"].value) == ("s", "超时", "王芳")
    row = await AuditEvent.filter(tag="case:export", after="1 件").get()
    assert row.actor == f"staff:{member.id}"


async def test_what_residents_wrote_is_shown_as_text(town: Town, desk: Desk):
    await held(town, "王芳", 5, subject="<script>alert(1)</script>", place='"><img src=x onerror=alert(1)>')
    await sit_down(town, desk, "王芳")
    await desk.open("/cases")
    assert "<script>alert" not in desk.page
    assert "<img src=x" not in desk.page
    assert "&lt;script&gt;alert(1)" in desk.page


async def test_cases_are_no_business_of_whoever_watches_over_the_system(town: Town, desk: Desk):
    member = await give_password(town, "王芳")
    await sit_down(town, desk, member)
    await Administrator.create(staff=member, kind=AdminKind.AUDIT, given_by="operator", given_at=town.clock())
    await Credential.filter(staff_id=member.id).update(totp_secret="sealed", totp_at=town.clock())
    for path in ("/cases", "/desk/todo", "/desk/rows", "/desk/cases.xlsx"):
        await desk.open(path)
        assert desk.status == 403, path
    await desk.open("/")
    assert "我的待办" not in desk.page
