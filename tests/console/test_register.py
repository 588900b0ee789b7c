"""What is told by telephone is registered at the desk, and its result is told by telephone by somebody else."""

from __future__ import annotations

from contextlib import AsyncExitStack

from domain import casework
from domain.clock import SHANGHAI
from domain.people import Person, post_of
from models.cases import Case
from models.enums import Source, Status
from models.people import Area, Staff
from tests.console.desks import Desks, offered, sentence
from tests.town import Town


async def _person(name: str) -> Person:
    member = await Staff.get(name=name)
    return Person(member.openid or "", 0, None, await post_of(member.id))


async def test_a_call_becomes_a_case_and_its_result_is_told_by_somebody_who_did_not_do_the_work(town: Town):
    async with AsyncExitStack() as stack:
        li = await Desks(town, stack).of("李主任")
        grid = await Area.get(code="429906001001001")
        page = await li.open("/register")
        assert f'<option value="{grid.id}">东亭社区第一网格</option>' in page
        assert "茶港社区" not in page
        told = {"how": "told", "text": "楼上半夜打麻将太吵了", "grid": str(grid.id), "name": "张奶奶"}
        assert "对方同意了再提交" in sentence(await li.send("/register", **told))
        await li.open("/register")
        assert "电话填得不对" in sentence(await li.send("/register", **told, phone="12345", agreed="true"))
        await li.open("/register")
        await li.send("/register", **told, phone="13712345678", agreed="true")
        case = await Case.get()
        assert case.source is Source.STAFF
        assert li.path == f"/console/cases/{case.id}"
        assert "请告诉对方" in li.page
        assert "张**" in li.page
        assert "137****5678" in li.page

        holder = await _person((await Staff.get(id=case.holder_id)).name)
        await casework.dispose(
            holder, case.id, "上门劝过了，答应十点后不打", town.clock(), outcome="explained", source="test"
        )
        if (await Case.get()).status is Status.DISPOSED:
            await casework.verify(await _person("李主任"), case.id, town.clock(), "test")
        await li.open(f"/cases/{case.id}")
        assert "打电话问是否解决" in li.page
        assert "没解决" in sentence(await li.send(f"/cases/{case.id}/call", solved="no", satisfaction="", words=""))
        await li.open(f"/cases/{case.id}")
        await li.send(f"/cases/{case.id}/call", solved="yes", satisfaction="3", words="谢谢")
        assert "的回访记下了" in sentence(li.page)
        closed = await Case.get()
        assert (closed.status, closed.solved, closed.satisfaction) == (Status.CLOSED, True, 3)
        assert "解决了，满意" in li.page
        assert closed.closed_at
        assert f"{closed.closed_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" in li.page
        assert not {"dispose", "sign", "escalate"} & set(offered(li.page))


async def test_what_is_known_already_is_shown_while_somebody_types_and_only_to_whom_it_belongs(town: Town):
    async with AsyncExitStack() as stack:
        desks = Desks(town, stack)
        wang, sun = await desks.of("王芳"), await desks.of("孙丽")
        await wang.open("/register")
        found = {"how": "found", "text": "3栋2单元楼道灯坏了", "place": "3栋2单元"}
        await wang.send("/register", **found)
        case = await Case.get()
        assert case.source is Source.PATROL
        assert "自己巡查" in await wang.open("/register")
        assert f"/console/cases/{case.id}" in await wang.send("/register/alike", **found)
        await sun.open("/register")
        assert "/console/cases/" not in await sun.send("/register/alike", **found)
        await sun.open("/register")
        await sun.send("/register", **found, grid=str(case.grid_id))
        assert sun.status == 404
