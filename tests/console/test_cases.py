"""One case at the desk: what its page shows, what each person may do there, and what they may not see."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from html import unescape

import aiohttp
import pytest

from console.case_steps import STEPS
from console.pages import case_steps
from domain.people import find_person
from domain.personal_data import gather
from models.audit import AuditEvent
from models.cases import Attachment, Case
from models.enums import Status
from models.people import Area, Resident, Staff
from tests.console.conftest import Desk
from tests.console.desks import Desks, offered, sentence
from tests.town import CHEN, PNG, WANG, Town

SQUARE = ((114.350, 30.550), (114.356, 30.550), (114.356, 30.556), (114.350, 30.556))


@pytest.fixture
async def desks(town: Town) -> AsyncIterator[Desks]:
    """Nobody is signed in yet."""
    async with AsyncExitStack() as stack:
        yield Desks(town, stack)


async def a_lamp(town: Town, said: str = "3栋2单元楼道灯坏了好几天了，晚上看不见") -> Case:
    """陈阿姨's lamp is 王芳's, not signed yet."""
    await town.say(CHEN, said)
    await town.say(CHEN, "1")
    await town.deliver()
    return (await Case.all().order_by("-id"))[0]


async def take(desk: Desk, case: Case, step: str, **given: str) -> str:
    """One step from the case's page; gives what is said."""
    await desk.open(f"/cases/{case.id}")
    return sentence(await desk.send(f"/cases/{case.id}/{step}", **given))


async def with_photo(desk: Desk, case: Case, step: str, photo: bytes = PNG, **given: str) -> str:
    """The same with a photo."""
    await desk.open(f"/cases/{case.id}")
    mark = re.search(r'name="mark" value="([^"]+)"', desk.page)
    form = aiohttp.FormData({"mark": mark[1] if mark else ""} | given)
    form.add_field("photos", photo, filename="after.png", content_type="image/png")
    async with desk.session.post(
        f"{desk.url}/console/cases/{case.id}/{step}", data=form, headers={"Origin": desk.url}
    ) as answer:
        desk.status, desk.page = answer.status, await answer.text()
    return sentence(desk.page)


def test_every_step_on_the_page_has_an_address_that_takes_it():
    taken = {page.path.rpartition("/")[2]: page.files for page in case_steps.pages.all}
    assert {step.path: step.files for step in STEPS}.items() <= taken.items()
    keys = [step.key for step in STEPS if step.key]
    assert len(keys) == len(set(keys))


async def test_a_grid_worker_takes_a_case_disposes_of_it_with_a_photo_and_the_community_checks_it(
    town: Town, desks: Desks
):
    case, wang = await a_lamp(town), await desks.of("王芳")
    page = await wang.open(f"/cases/{case.id}")
    assert "0001 楼道照明损坏" in page
    assert "晚上看不见" in page
    assert offered(page)[0] == "sign"
    assert {"dispose", "note", "memo", "escalate", "return"} <= set(offered(page))
    assert not {"accept", "dispatch", "verify", "supervise", "answer", "nudge"} & set(offered(page))
    assert "已接 0001" in await take(wang, case, "sign")
    assert offered(wang.page)[0] == "dispose"
    assert "要有照片" in await take(wang, case, "dispose", text="换了灯泡和开关，试过能亮")
    assert "超过 20 MB" in await with_photo(wang, case, "dispose", PNG + bytes(20 * 1024 * 1024))
    assert "只能传照片" in await with_photo(wang, case, "dispose", b"<svg onload=alert(1)>")
    assert (await Case.get()).status is Status.DISPOSING
    assert "已记为办好" in await with_photo(wang, case, "dispose", text="", ready="换了灯泡和开关，试过能亮")
    assert (await Case.get()).result == "换了灯泡和开关，试过能亮"

    photo = await Attachment.get(after=True)
    li, stranger = await desks.of("李主任"), await desks.of("孙丽")
    assert f"/console/files/a{photo.id}" in await li.open(f"/cases/{case.id}")
    for desk, status in ((li, 200), (stranger, 404)):
        async with desk.session.get(f"{town.url}/console/files/a{photo.id}") as answer:
            assert answer.status == status
            assert (answer.content_type == "image/jpeg") is (status == 200)
    await Case.filter(id=case.id).update(status=Status.DISPOSED, verified_at=None)
    assert "请说一句哪里没做好" in await take(li, case, "rework")
    assert "已退回返工" in await take(li, case, "rework", reason="二楼那盏还不亮")
    assert "二楼那盏还不亮" in await wang.open(f"/cases/{case.id}")


async def test_what_one_person_asks_for_another_decides_on_the_case_itself(town: Town, desks: Desks):
    case, wang, li = await a_lamp(town), await desks.of("王芳"), await desks.of("李主任")
    due = (await Case.get()).due_at
    assert due
    later = f"{due + timedelta(days=3):%Y-%m-%d}"
    assert "请选延到哪一天" in await take(wang, case, "extend", until="", reason="等配件")
    assert "已请东亭社区李主任决定延期" in await take(wang, case, "extend", until=later, reason="等配件")
    assert "等您决定" not in wang.page
    page = await li.open(f"/cases/{case.id}")
    assert "等您决定：延期" in page
    assert "等配件" in page
    assert 'name="kind" value="extend"' in page
    assert "请说一句为什么不同意" in await take(li, case, "decide", kind="extend", agree="no")
    assert "已经有人决定" in await take(li, case, "decide", kind="return", agree="yes")
    assert "已同意延期" in await take(li, case, "decide", kind="extend", agree="yes")
    assert (await Case.get()).due_at > due
    assert "等您决定" not in li.page

    await take(wang, case, "transfer", to="刘洋", reason="在他那边")
    liu = await desks.of("刘洋")
    assert "等您决定：转办" in await liu.open(f"/cases/{case.id}")
    assert "现在归您办" in await take(liu, case, "decide", kind="transfer", agree="yes")
    assert (await Case.get()).holder_id == (await Staff.get(name="刘洋")).id


async def test_a_superior_wants_an_answer_and_the_case_waits_for_it(town: Town, desks: Desks):
    case, wang, li = await a_lamp(town), await desks.of("王芳"), await desks.of("李主任")
    assert "已催网格员王芳" in await take(li, case, "nudge")
    assert "一小时" in await take(li, case, "nudge")
    assert "请网格员王芳答复" in await take(li, case, "supervise", text="今天内到现场", within="2小时")
    page = await wang.open(f"/cases/{case.id}")
    assert "督办中" in page
    assert offered(page)[0] == "answer"
    assert (await take(wang, case, "dispose", text="换好了灯泡和开关")).endswith("请先答复督办。"), (
        "no words for a chat"
    )
    assert "答复已转给" in await take(wang, case, "answer", text="已到现场，下午换")
    assert "督办中" not in wang.page
    assert "已到现场，下午换" in await li.open(f"/cases/{case.id}")


async def test_who_assists_sees_the_case_and_only_their_part_of_the_work(town: Town, desks: Desks):
    case, wang = await a_lamp(town), await desks.of("王芳")
    assert "已请城管执法队马队长协办" in await take(wang, case, "assist", to="城管", text="照一下路灯", within="")
    ma = await desks.of("马队长")
    page = await ma.open(f"/cases/{case.id}")
    assert offered(page)[0] == "assisted"
    assert not {"sign", "dispose", "transfer", "merge"} & set(offered(page))
    assert "协办结果已告诉经办人" in await take(ma, case, "assisted", text="路灯照过了，不用换")
    assert "路灯照过了" in await wang.open(f"/cases/{case.id}")


async def test_who_reads_a_case_for_their_department_alone_reads_no_numbers_and_may_do_nothing(
    town: Town, desks: Desks
):
    case, wang = await a_lamp(town, "3栋2单元楼道灯坏了，我的电话13912345678"), await desks.of("王芳")
    await take(wang, case, "assist", to="城管", text="找 13912345678 问一下", within="")
    assert "13912345678" in wang.page
    ma = await Staff.get(name="马队长")
    await Staff.create(name="小林", code="CG02", role=ma.role, area_id=ma.area_id, department_id=ma.department_id)
    lin = await desks.of("小林")
    page = await lin.open(f"/cases/{case.id}")
    assert lin.status == 200
    assert "协办" in page
    assert "13912345678" not in page
    assert offered(page) == []
    assert "看联系方式" not in page
    await take(lin, case, "reporter", reason="想看看")
    assert lin.status == 403


async def test_the_reporter_is_masked_until_somebody_says_why_and_reads_of_it_later(town: Town, desks: Desks):
    case, li = await a_lamp(town), await desks.of("李主任")
    await Resident.filter(openid=CHEN).update(name="陈秀兰", phone="13812345678")
    page = await li.open(f"/cases/{case.id}")
    assert "陈**" in page
    assert "138****5678" in page
    assert "陈秀兰" not in page
    assert "请写一句为什么要看" in await take(li, case, "reporter", reason=" ")
    assert "13812345678" not in await li.open(f"/cases/{case.id}")
    await take(li, case, "reporter", reason="约上门时间")
    assert "陈秀兰" in li.page
    assert "13812345678" in li.page
    assert "13812345678" not in await (await desks.of("王芳")).open(f"/cases/{case.id}")
    town.clock.advance(timedelta(minutes=11))
    assert "13812345678" not in await li.open(f"/cases/{case.id}")

    assert await AuditEvent.filter(tag="case:contact", object_id=case.id, allowed=True).count() == 1
    package = await gather(await find_person(CHEN, town.clock()), town.clock())
    assert [(row["who"], row["reason"]) for row in package.looked_at] == [("东亭社区李主任", "约上门时间")]
    await Case.filter(id=case.id).update(anonymous=True)
    assert "陈**" not in await li.open(f"/cases/{case.id}")
    await take(li, case, "reporter", reason="约上门时间")
    assert li.status == 404


async def test_two_reports_of_one_matter_are_seen_side_by_side_and_become_one(town: Town, desks: Desks):
    first = await a_lamp(town)
    second = await a_lamp(town, "3栋楼道的灯不亮")
    wang = await desks.of("王芳")
    assert "可能是同一件事" in await wang.open(f"/cases/{second.id}")
    assert f'href="/console/cases/{first.id}"' in wang.page
    assert "0002 已并到这一件" in await take(wang, second, "merge", into=first.number)
    assert wang.path == f"/console/cases/{first.id}"
    assert f'并来 <a href="/console/cases/{second.id}"' in wang.page
    assert "已并案" in await wang.open(f"/cases/{second.id}")
    assert offered(wang.page) == ["memo"]


async def test_the_other_steps_leave_the_case_where_they_should(town: Town, desks: Desks):
    case, wang, li = await a_lamp(town), await desks.of("王芳"), await desks.of("李主任")
    assert "已告诉东亭社区李主任" in await take(wang, case, "memo", text="物业说明天来 @李主任")
    assert "改成了" in await take(wang, case, "recategorise", category="rubbish.overflow")
    assert "拆出一件" in await take(wang, case, "split", text="5栋门口垃圾桶满了没人收", place="5栋")
    assert "已接" in await take(wang, case, "sign")
    assert "不计时" in await take(wang, case, "wait", text="是哪一层的灯")
    assert "暂停计时" in wang.page
    assert "继续处理" in await take(wang, case, "resume")
    assert "进展已告诉居民" in await take(wang, case, "note", text="", ready="我已到现场看过")
    assert "加到巡查清单" in await take(wang, case, "listed")
    assert "从巡查清单去掉" in await take(wang, case, "unlisted")
    assert "已请东亭社区李主任决定退回" in await take(wang, case, "return", reason="不在我的网格")
    assert "已同意退回" in await take(li, case, "decide", kind="return", agree="yes")
    assert offered(li.page)[0] == "dispatch"
    assert "请写派给哪个网格" in await take(li, case, "dispatch", grid="")
    assert "已交给网格员刘洋" in await take(li, case, "dispatch", grid="刘洋")
    assert "请说一句为什么要上报" in await take(li, case, "escalate")
    assert "已上报" in await take(li, case, "escalate", reason="要换线路，得街道协调")


async def test_a_case_of_another_community_does_not_exist_whichever_address_is_tried(town: Town, desks: Desks):
    case, stranger = await a_lamp(town), await desks.of("孙丽")
    await stranger.open("/account")
    home = stranger.page
    for page in (f"/cases/{case.id}", f"/cases/{case.id}/pulse", f"/cases/{case.id + 1000}"):
        await stranger.open(page)
        assert stranger.status == 404
        assert "楼道照明" not in stranger.page
    given = {
        "text": "一句话够长的结果说明",
        "reason": "原因",
        "to": "刘洋",
        "agree": "yes",
        "kind": "extend",
        "grid": "刘洋",
    }
    wanted = {
        "sign": (),
        "note": ("text",),
        "memo": ("text",),
        "dispose": ("text",),
        "transfer": ("to", "reason"),
        "dispatch": ("grid",),
        "accept": (),
        "decide": ("agree", "kind"),
        "reject": ("reason",),
        "supervise": ("text",),
        "listed": (),
        "reporter": ("reason",),
    }
    for step, names in wanted.items():
        stranger.page = home
        await stranger.send(f"/cases/{case.id}/{step}", **{name: given[name] for name in names})
        assert stranger.status == 404, step
    assert (await Case.get()).status is Status.DISPATCHED


async def test_an_open_page_hears_of_news_by_itself_and_that_keeps_no_session_alive(town: Town, desks: Desks):
    case, li = await a_lamp(town), await desks.of("李主任")
    page = await li.open(f"/cases/{case.id}")
    address = unescape(re.findall(r'hx-get="/console(/cases/\d+/pulse\?seen=\d+)"', page)[0])
    assert await li.open(address) == ""
    assert li.status == 204
    await town.say(WANG, "接 0001")
    assert "刚有新进展" in await li.open(address)
    for _ in range(4):
        town.clock.advance(timedelta(minutes=10))
        await li.open(address)
    assert li.path == "/console/login"


async def test_what_people_wrote_is_shown_as_text_and_where_it_is_as_a_drawing(town: Town, desks: Desks):
    case, wang = await a_lamp(town), await desks.of("王芳")
    evil = "<script>alert(1)</script>"
    await Case.filter(id=case.id).update(description=evil, place=evil, longitude=114.352, latitude=30.552)
    await Area.filter(id=case.grid_id).update(boundary=[list(map(list, SQUARE))])
    page = await wang.open(f"/cases/{case.id}")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert 'class="grid own"' in page
    assert 'class="spot"' in page
    assert "style=" not in page
    await wang.open("/cases/find?number=0001")
    assert wang.path == f"/console/cases/{case.id}"
    assert "没有找到编号" in await wang.open("/cases/find?number=0999")
