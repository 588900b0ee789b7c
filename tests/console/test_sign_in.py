"""Signing in to the console: what gets in, what stays out, and what ends a session."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest

from domain.console_login import issue_setup
from models.audit import AuditEvent
from models.console import Administrator, Credential, SetupLink
from models.people import Staff
from tests.console.conftest import PASSWORD, Desk, give_password, sit_down
from tests.town import WANG, Town


async def test_a_page_without_sign_in_leads_to_the_sign_in(desk: Desk):
    for typed in ("", "/", "/cases"):
        assert "工号和密码" in await desk.open(typed)
        assert desk.path == "/console/login"


async def test_number_and_password_lead_to_ones_own_to_do(town: Town, desk: Desk):
    wang = await give_password(town, "王芳")
    assert "我的待办" in await desk.enter(wang.code)
    assert "网格员王芳" in desk.page


async def test_what_is_wrong_reads_the_same_whether_number_or_password(town: Town, desk: Desk):
    wang = await give_password(town, "王芳")
    wrong_password = await desk.enter(wang.code, "not this one")
    assert desk.status == 401
    wrong_number = await desk.enter("nobody", PASSWORD)
    assert _sentence(wrong_password) == _sentence(wrong_number)
    assert "工号或密码不对" in wrong_password


def _sentence(page: str) -> str:
    return page.split('class="lead">')[1].split("<", maxsplit=1)[0]


async def test_five_wrong_passwords_lock_for_a_quarter_of_an_hour_and_the_right_one_stays_out(town: Town, desk: Desk):
    wang = await give_password(town, "王芳")
    for _ in range(5):
        await desk.enter(wang.code, "not this one")
        town.clock.advance(timedelta(seconds=100))
    await desk.enter(wang.code)
    assert desk.status == 401
    town.clock.advance(timedelta(minutes=16))
    assert "我的待办" in await desk.enter(wang.code)


async def test_a_code_from_ones_own_wechat_signs_in_without_a_password(town: Town, desk: Desk):
    said = await town.say(WANG, "登录")
    wang = await Staff.get(openid=WANG)
    code = "".join(filter(str.isdecimal, said.replace(wang.code, "")))[:6]
    await desk.open("/login")
    assert "我的待办" in await desk.send("/login/wechat", number=wang.code, code=code)


async def test_after_signing_in_one_is_where_one_was_going_and_nowhere_else(town: Town, desk: Desk):
    poll, elsewhere = {"HX_Request": "true"}, "https://elsewhere.example/console/cases"
    forged = {"linli_wanted": "0" * 32 + b"//elsewhere.example".hex()}
    for path, headers, cookies, leads in (
        ("/cases?late=1", {}, {}, "/console/cases"),
        ("/cases/17", {}, {}, "/console/cases/17"),
        ("/desk/rows", poll | {"HX_Current_URL": f"{desk.url}/console/map?pace=overdue"}, {}, "/console/map"),
        ("/desk/rows", poll | {"HX_Current_URL": elsewhere}, {}, "/console/"),
        ("/desk/rows", poll | {"HX_Current_URL": f"{desk.url}/console//elsewhere.example"}, {}, "/console/"),
        ("/desk/cases.xlsx", {}, {}, "/console/"),
        ("/files/a1", {}, {}, "/console/"),
        ("/login", {}, forged, "/console/"),
    ):
        await sit_down(town, desk, "王芳")
        session = {cookie.key: cookie.value for cookie in desk.session.cookie_jar}
        desk.session.cookie_jar.clear()
        desk.session.cookie_jar.update_cookies(cookies)
        await desk.open(path, **headers)
        desk.session.cookie_jar.update_cookies(session)
        await desk.open("/login")
        assert desk.path == leads, (path, headers)
        await desk.open("/login")
        assert desk.path == "/console/", "once"


async def test_after_a_form_that_came_too_late_one_begins_at_the_desk(town: Town, desk: Desk):
    await sit_down(town, desk, "王芳")
    session = {cookie.key: cookie.value for cookie in desk.session.cookie_jar}
    for before, login in (("/login", "/login"), ("/cases?late=1", "/login?form=1")):
        desk.session.cookie_jar.clear()
        await desk.open(before)
        await desk.send("/desk/views", name="超时的")
        assert desk.status == 401
        await desk.open(login)
        desk.session.cookie_jar.update_cookies(session)
        await desk.open("/login")
        assert desk.path == "/console/", login


async def test_half_an_hour_of_doing_nothing_ends_the_session_and_so_do_twelve_hours(town: Town, desk: Desk):
    wang = await sit_down(town, desk, "王芳")
    town.clock.advance(timedelta(minutes=29))
    assert "我的待办" in await desk.open("/")
    town.clock.advance(timedelta(minutes=31))
    assert "工号和密码" in await desk.open("/")

    await sit_down(town, desk, wang)
    for _ in range(25):
        town.clock.advance(timedelta(minutes=29))
        await desk.open("/")
    assert desk.path == "/console/login"


async def test_signing_out_everywhere_ends_the_other_browser_too(town: Town, desk: Desk):
    await sit_down(town, desk, "王芳")
    kept = {cookie.key: cookie.value for cookie in desk.session.cookie_jar}["linli_console"]
    await desk.open("/account")
    assert "所有设备都已退出" in await desk.send("/account/everywhere")
    desk.session.cookie_jar.update_cookies({"linli_console": kept})
    await desk.open("/")
    assert desk.path == "/console/login"


async def test_a_changed_password_is_the_only_one_that_works(town: Town, desk: Desk):
    wang = await give_password(town, "王芳")
    await desk.enter(wang.code)
    await desk.open("/account")
    new = "樟树 三轮车 黄昏 灯笼"
    assert "其他设备都已退出" in await desk.send("/account/password", old=PASSWORD, password=new, again=new)
    await desk.send("/logout")
    await desk.enter(wang.code)
    assert desk.status == 401
    assert "我的待办" in await desk.enter(wang.code, new)


@pytest.mark.parametrize("poor", ["short", "1234567890", "aaaaaaaaaaaa", "password1234", "wangfang WG001 ok"])
async def test_a_poor_password_is_refused_with_a_better_idea(town: Town, desk: Desk, poor: str):
    member = await Staff.get(name="王芳")
    member.code = "WG001"
    await member.save()
    secret = await issue_setup(member.id, "operator", town.clock())
    await desk.open(f"/setup/{secret}")
    await desk.send(f"/setup/{secret}", password=poor, again=poor)
    assert desk.status == 400
    assert not await Credential.exists()


async def test_the_first_link_makes_the_system_administrator_once_who_needs_a_second_factor(town: Town, desk: Desk):
    secret = await issue_setup(None, "operator", town.clock())
    assert "第一次使用" in await desk.open(f"/setup/{secret}")
    await desk.send(f"/setup/{secret}", number="A001", name="赵管理", password=PASSWORD, again=PASSWORD)
    assert "密码设好了" in desk.page
    assert [one.kind for one in await Administrator.all()] == ["system"]
    await desk.open(f"/setup/{secret}")
    assert desk.status == 404

    await desk.enter("A001")
    assert "管理员要先设置动态码" in desk.page
    await desk.open("/")
    assert desk.path == "/console/account/code"
    shown = desk.page.split("<code>")[1].split("<")[0]
    totp = pyotp.TOTP(shown)
    await desk.send("/account/code", code=totp.at(town.clock()))
    assert "动态码设好了" in desk.page
    await desk.send("/logout")

    await desk.open("/settings")
    await desk.enter("A001")
    assert desk.path == "/console/login/code"
    await desk.send("/login/code", code=totp.at(town.clock()))
    assert desk.status == 401  # used when it was set up
    town.clock.advance(timedelta(seconds=30))
    await desk.open("/login/code")
    await desk.send("/login/code", code=totp.at(town.clock()))
    assert desk.path == "/console/settings", "where they were going"
    stored = await Credential.get()
    assert shown not in stored.totp_secret


async def test_a_setup_link_dies_after_a_day_and_only_its_hash_is_stored(town: Town, desk: Desk):
    member = await Staff.get(name="王芳")
    secret = await issue_setup(member.id, "operator", town.clock())
    assert secret not in (await SetupLink.get()).digest
    town.clock.advance(timedelta(hours=25))
    assert "用过了或过期了" in await desk.open(f"/setup/{secret}")


async def test_a_form_without_our_mark_or_from_another_site_does_nothing(town: Town, desk: Desk):
    await sit_down(town, desk, "王芳")
    desk.page = ""
    await desk.send("/account/everywhere")
    assert desk.status == 403
    await desk.open("/account")
    mark = desk.page.split('name="mark" value="')[1].split('"')[0]
    foreign = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    async with desk.session.post(
        f"{desk.url}/console/account/everywhere", data={"mark": mark}, headers=foreign
    ) as answer:
        assert answer.status == 403
    assert "我的待办" in await desk.open("/")


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_of_other_sites(town: Town, desk: Desk):
    wang = await give_password(town, "王芳")
    await desk.open("/login")
    mark = desk.page.split('name="mark" value="')[1].split('"')[0]
    form = {"mark": mark, "number": wang.code, "password": PASSWORD}
    async with desk.session.post(f"{desk.url}/console/login", data=form, allow_redirects=False) as answer:
        cookie = answer.cookies["linli_console"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/console")
    await desk.open("/")
    assert "script-src 'self'" in desk.headers["Content-Security-Policy"]
    assert "unsafe" not in desk.headers["Content-Security-Policy"]


async def test_somebody_dismissed_is_out_at_once(town: Town, desk: Desk):
    wang = await sit_down(town, desk, "王芳")
    await Staff.filter(id=wang.id).update(active=False)
    await desk.open("/")
    assert desk.path == "/console/login"


async def test_sign_ins_and_refused_ones_stand_in_the_audit_trail(town: Town, desk: Desk):
    wang = await give_password(town, "王芳")
    await desk.enter(wang.code, "not this one")
    await desk.enter(wang.code)
    rows = await AuditEvent.filter(tag="console:enter").order_by("id")
    assert [(row.object_id, row.allowed) for row in rows] == [(wang.id, False), (wang.id, True)]
