"""The organisation at the console: people and areas one at a time, whole tables as files, and who may do neither."""

from __future__ import annotations

import io
import re
from typing import Any

import aiohttp
import openpyxl

from models.audit import AuditEvent
from models.console import Administrator
from models.enums import AdminKind
from models.people import Absence, Area, Department, Staff
from tests.console.administration import at_desk, make_administrator
from tests.console.conftest import Desk, sit_down
from tests.console.forms import form_to
from tests.town import Town


async def test_one_walks_from_the_city_down_to_a_grid_and_sees_who_works_there(town: Town, desk: Desk):
    await at_desk(town, desk, "吴处长", AdminKind.SYSTEM)
    assert "东湖区" in await desk.open("/organisation")
    street = await Area.get(name="水果湖街道")
    page = await desk.open(f"/organisation?area={street.id}")
    assert "城管执法队" in page
    assert "周科长" in page
    grid = await Area.get(code="429906001001001")
    assert "王芳" in await desk.open(f"/organisation?area={grid.id}")
    await desk.open("/organisation?area=99999")
    assert desk.status == 404


async def test_somebody_new_is_checked_as_a_file_would_be_and_then_works_there(town: Town, desk: Desk):
    await at_desk(town, desk, "吴处长", AdminKind.SYSTEM)
    grid = await Area.get(code="429906001001002")
    page = await desk.open(f"/organisation/rows/staff?area={grid.id}")
    assert 'value="429906001001002"' in page
    given = {"code": "G077", "name": "马超", "role": "网格员", "area": grid.code, "area_id": str(grid.id)}
    await desk.send("/organisation/rows/staff", **given, phone="12")
    assert "不像电话号码" in desk.page
    assert not await Staff.filter(code="G077").exists()
    await desk.open(f"/organisation/rows/staff?area={grid.id}")
    await desk.send("/organisation/rows/staff", **given, phone="13812345678")
    assert "保存好了" in desk.page
    assert "马超" in desk.page
    made = await Staff.get(code="G077")
    assert (made.area_id, made.phone) == (grid.id, "13812345678")
    await desk.open(f"/organisation/rows/staff?area={grid.id}")
    assert "已经有了" in await desk.send("/organisation/rows/staff", **given | {"name": "马岱"}), "one number for two"
    row = await AuditEvent.get(tag="staff:import")
    assert row.actor == f"staff:{(await Staff.get(name='吴处长')).id}"
    assert row.source.startswith("console:")


async def test_a_field_that_is_emptied_is_empty_and_one_that_must_not_be_is_told(town: Town, desk: Desk):
    await at_desk(town, desk, "吴处长", AdminKind.SYSTEM)
    await Department.filter(name="城管执法队").update(kind="城管")
    unit = await Department.get(name="城管执法队").select_related("area")
    address = f"/organisation/rows/departments?key={unit.code}"
    given = form_to(await desk.open(address), "/organisation/rows/departments").typed()
    await desk.send("/organisation/rows/departments", **given | {"name": ""})
    assert "“名称”不能空着" in desk.page
    given = form_to(await desk.open(address), "/organisation/rows/departments").typed()
    await desk.send("/organisation/rows/departments", **given | {"name": "城管中队", "kind": ""})
    await unit.refresh_from_db()
    assert (unit.name, unit.kind) == ("城管中队", "")
    await desk.open(address)
    await desk.send("/organisation/rows/departments", **given | {"kind": "执法"})
    assert "刚被别人改过" in desk.page, "the form was opened before the change"
    await unit.refresh_from_db()
    assert (unit.name, unit.kind) == ("城管中队", "")


async def test_a_form_that_was_tampered_with_is_refused(town: Town, desk: Desk):
    await at_desk(town, desk, "吴处长", AdminKind.SYSTEM)
    for given in ({"area_id": "x"}, {"openid": "o_mine"}, {"key": "nobody"}):
        await desk.open("/organisation/rows/staff")
        await desk.send("/organisation/rows/staff", code="G001", name="王芳芳", **given)
        assert desk.status in {400, 404}, given
    await desk.open("/organisation/rows/households")
    assert desk.status == 404
    assert (await Staff.get(code="G001")).name == "王芳"


async def test_an_administrator_is_put_off_duty_only_after_the_appointment_ended(town: Town, desk: Desk):
    zhou = await make_administrator(town, "周科长", AdminKind.SECURITY)
    await at_desk(town, desk, "吴处长", AdminKind.SYSTEM)
    given = form_to(await desk.open("/organisation/rows/staff?key=J001"), "/organisation/rows/staff").typed()
    await desk.send("/organisation/rows/staff", **given | {"active": "否"})
    assert "周科长是安全管理员" in desk.page
    await Administrator.filter(staff_id=zhou.id).delete()
    await desk.open("/organisation/rows/staff?key=J001")
    await desk.send("/organisation/rows/staff", **given | {"active": "否"})
    await zhou.refresh_from_db()
    assert not zhou.active


async def test_leave_is_written_down_and_shown_until_it_is_over(town: Town, desk: Desk):
    await at_desk(town, desk, "吴处长", AdminKind.SYSTEM)
    grid = await Area.get(code="429906001001001")
    await desk.open(f"/organisation/rows/absences?area={grid.id}")
    given = {"staff": "G001", "deputy": "G002", "reason": "年休假", "area_id": str(grid.id)}
    await desk.send("/organisation/rows/absences", **given, starts_at="2026-11-23", ends_at="2026-11-24")
    assert "年休假" in desk.page
    assert "还没开始" in desk.page
    address = desk.page.split("/console/organisation/rows/absences?key=G001")[1].split('"')[0].replace("&amp;", "&")
    assert 'value="2026-11-24"' in await desk.open(f"/organisation/rows/absences?key=G001{address}")
    assert await Absence.filter(staff__code="G001", deputy__code="G002", reason="年休假").count() == 1


def _workbook(*rows: list[str]) -> bytes:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.title = "人员"
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


async def _bring(desk: Desk, data: bytes, name: str, step: str) -> str:
    mark = re.findall(r'name="mark" value="([^"]+)"', await desk.open("/organisation/tables"))[0]
    form = aiohttp.FormData({"mark": mark, "step": step, "effective_on": ""})
    form.add_field("file", data, filename=name, content_type="application/octet-stream")
    async with desk.session.post(f"{desk.url}/console/organisation/tables", data=form) as answer:
        desk.status = answer.status
        return await answer.text()


async def test_a_file_is_tried_first_and_written_only_when_asked_to(town: Town, desk: Desk):
    await at_desk(town, desk, "吴处长", AdminKind.SYSTEM)
    book = _workbook(["工号", "姓名", "区域编码"], ["G088", "黄忠", "429906001001003"])
    assert "还没有写" in await _bring(desk, book, "人员.xlsx", "try")
    assert not await Staff.filter(code="G088").exists()
    assert "已导入" in await _bring(desk, book, "人员.xlsx", "write")
    assert (await Staff.get(code="G088")).name == "黄忠"

    wrong = _workbook(["工号", "姓名", "区域编码"], ["G089", "关羽", "429906001001999"], ["G090", "<b>张飞</b>", "x"])
    page = await _bring(desk, wrong, "人员.xlsx", "write")
    assert "什么都没有写" in page
    assert "<b>" not in page
    assert not await Staff.filter(code="G089").exists()


async def test_what_is_no_table_is_refused_with_what_to_do(town: Town, desk: Desk):
    await at_desk(town, desk, "吴处长", AdminKind.SYSTEM)
    assert "只能导入 .xlsx 或 .csv" in await _bring(desk, b"MZ", "../../setup.exe", "write")
    assert desk.status == 400
    assert "打不开" in await _bring(desk, b"PK nothing", "a.xlsx", "write")


async def test_a_table_goes_out_as_a_workbook_and_the_trail_says_who_took_it(town: Town, desk: Desk):
    wu = await at_desk(town, desk, "吴处长", AdminKind.SYSTEM)
    async with desk.session.get(f"{desk.url}/console/organisation/tables.xlsx?table=staff") as answer:
        book = openpyxl.load_workbook(io.BytesIO(await answer.read()))
        assert 'filename="linli-staff-20261120.xlsx"' in answer.headers["Content-Disposition"]
    assert "王芳" in [cell.value for cell in book["人员"]["B"]]
    assert book.sheetnames == ["人员", "说明"]
    assert (await AuditEvent.get(tag="staff:export")).actor == f"staff:{wu.id}"


async def test_only_the_system_administrator_keeps_the_organisation(town: Town, desk: Desk):
    await sit_down(town, desk, "李主任")
    for path in ("/organisation", "/organisation/tables", "/organisation/tables.xlsx", "/organisation/rows/staff"):
        await desk.open(path)
        assert desk.status == 403, path
    await desk.open("/account")
    await desk.send("/organisation/rows/staff", key="G001", name="王芳芳")
    assert desk.status == 403
    assert await Staff.filter(code="G001", name="王芳").exists()
