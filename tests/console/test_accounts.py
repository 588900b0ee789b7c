"""Accounts: who sees them, links that set a password, what the security administrator does, three administrators."""

from __future__ import annotations

import re
from datetime import timedelta

from domain.console_login import issue_setup
from models.audit import AuditEvent
from models.console import Administrator, Credential, SetupLink
from models.enums import AdminKind
from models.people import Staff
from tests.console.administration import at_desk, make_administrator
from tests.console.conftest import PASSWORD, Desk, give_password, sit_down
from tests.town import Town


async def test_accounts_are_for_administrators_of_security_and_system_alone(town: Town, desk: Desk):
    await sit_down(town, desk, "王芳")
    await desk.open("/")
    assert "账号" not in re.findall(r'<nav class="side".*?</nav>', desk.page, re.DOTALL)[0]
    await desk.open("/accounts")
    assert desk.status == 403
    await at_desk(town, desk, "周科长", AdminKind.AUDIT)
    await desk.open("/accounts")
    assert desk.status == 403
    await at_desk(town, desk, "吴处长", AdminKind.SECURITY)
    assert "王芳" in await desk.open("/accounts")


async def test_a_link_is_shown_once_and_sets_the_password(town: Town, desk: Desk):
    await at_desk(town, desk, "吴处长", AdminKind.SECURITY)
    wang = await Staff.get(name="王芳")
    assert "发设置链接" in await desk.open(f"/accounts/{wang.id}")
    await desk.send(f"/accounts/{wang.id}/link")
    secret = re.findall(r"/console/setup/([\w-]+)", desk.page)[0]
    again = await desk.open(f"/accounts/{wang.id}")
    assert secret not in again
    assert "还没有用" in again
    await desk.open(f"/setup/{secret}")
    await desk.send(f"/setup/{secret}", password=PASSWORD, again=PASSWORD)
    desk.session.cookie_jar.clear()
    assert "网格员王芳" in await desk.enter(wang.code)
    row = await AuditEvent.get(tag="account:link")
    assert (row.object_id, row.source.startswith("console:")) == (wang.id, True)


async def test_the_system_administrator_helps_in_the_first_of_the_others_and_nobody_else(town: Town, desk: Desk):
    await at_desk(town, desk, "吴处长", AdminKind.SYSTEM)
    wang, zhou = await Staff.get(name="王芳"), await Staff.get(name="周科长")
    await desk.open("/accounts")
    await desk.send("/accounts/appoint", number=zhou.code, kind="security")
    assert "已指定为安全管理员" in desk.page
    await desk.send(f"/accounts/{zhou.id}/link")
    assert "/console/setup/" in desk.page
    assert "发设置链接" not in await desk.open(f"/accounts/{wang.id}")
    await desk.send(f"/accounts/{wang.id}/link")
    assert desk.status == 403
    assert not await SetupLink.filter(staff_id=wang.id).exists()

    await give_password(town, "周科长")
    await desk.open(f"/accounts/{zhou.id}")
    await desk.send(f"/accounts/{zhou.id}/link")
    assert desk.status == 403


async def test_the_security_administrator_unlocks_signs_out_and_clears_a_lost_code(town: Town, desk: Desk):
    wang = await make_administrator(town, "王芳", AdminKind.SYSTEM)
    for _ in range(5):
        await desk.enter(wang.code, "not this one")
        town.clock.advance(timedelta(seconds=100))
    await sit_down(town, desk, wang)
    kept = {cookie.key: cookie.value for cookie in desk.session.cookie_jar}["linli_console"]
    await Credential.filter(staff_id=wang.id).update(locked_until=town.clock() + timedelta(minutes=9))

    await at_desk(town, desk, "吴处长", AdminKind.SECURITY)
    assert "锁住" in await desk.open("/accounts?words=王芳")
    await desk.open(f"/accounts/{wang.id}")
    assert "已解锁" in await desk.send(f"/accounts/{wang.id}/unlock")
    assert "已退出 1 处登录" in await desk.send(f"/accounts/{wang.id}/end")
    assert "动态码已清除" in await desk.send(f"/accounts/{wang.id}/code")
    stored = await Credential.get(staff_id=wang.id)
    assert (stored.locked_until, stored.totp_secret, stored.totp_at) == (None, "", None)
    tags = await AuditEvent.filter(object_id=wang.id, tag__startswith="account:").order_by("id").values_list("tag")
    assert [tag for (tag,) in tags] == ["account:unlock", "account:end", "account:forget_code"]

    desk.session.cookie_jar.update_cookies({"linli_console": kept})
    await desk.open("/")
    assert desk.path == "/console/login"


async def test_nobody_clears_their_own_second_factor(town: Town, desk: Desk):
    wu = await at_desk(town, desk, "吴处长", AdminKind.SECURITY)
    assert "清除动态码" not in await desk.open(f"/accounts/{wu.id}")
    await desk.send(f"/accounts/{wu.id}/code")
    assert desk.status == 403
    assert (await Credential.get(staff_id=wu.id)).totp_secret


async def test_one_person_is_one_kind_of_administrator_and_the_last_of_a_kind_stays(town: Town, desk: Desk):
    await at_desk(town, desk, "吴处长", AdminKind.SECURITY)
    zhou = await make_administrator(town, "周科长", AdminKind.AUDIT)
    await desk.open("/accounts")
    await desk.send("/accounts/appoint", number=zhou.code, kind="system")
    assert "只能当一种管理员" in desk.page
    await desk.open("/accounts")
    await desk.send(f"/accounts/{zhou.id}/dismiss")
    assert "这是唯一的审计管理员" in desk.page
    he = await Staff.get(name="何主任")
    await desk.open("/accounts")
    await desk.send("/accounts/appoint", number=he.code, kind="audit")
    await desk.send(f"/accounts/{zhou.id}/dismiss")
    assert "已撤销" in desk.page
    assert [one.staff_id for one in await Administrator.filter(kind="audit")] == [he.id]


async def test_a_wrong_number_is_told_and_nothing_happens(town: Town, desk: Desk):
    await at_desk(town, desk, "吴处长", AdminKind.SECURITY)
    await desk.open("/accounts")
    assert "没有工号是“XX-1”的在岗人员" in await desk.send("/accounts/appoint", number="XX-1", kind="audit")
    assert await Administrator.all().count() == 1
    await desk.open("/accounts/9999999999999")
    assert desk.status == 404


async def test_a_link_that_waits_is_told_in_the_list(town: Town, desk: Desk):
    await at_desk(town, desk, "吴处长", AdminKind.SECURITY)
    wang = await Staff.get(name="王芳")
    assert "链接未用" not in await desk.open("/accounts?words=王芳")
    await issue_setup(wang.id, "operator", town.clock())
    assert "链接未用" in await desk.open("/accounts?words=王芳")
