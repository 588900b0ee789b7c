"""The official account and the settings at the console: menu, grid posters, what the process runs with."""

from __future__ import annotations

from app.back_office import Back
from app.settings import Settings
from models.audit import AuditEvent
from models.enums import AdminKind
from tests.console.administration import at_desk
from tests.console.conftest import Desk, sit_down
from tests.town import Town


async def test_the_menu_is_put_into_the_account_and_the_trail_says_by_whom(town: Town, desk: Desk):
    wu = await at_desk(town, desk, "吴处长", AdminKind.SYSTEM)
    assert "看自己的事项办到哪了" in await desk.open("/wechat")
    assert "已放到公众号" in await desk.send("/wechat/menu")
    assert "我要说事" in str(town.platform.menu.buttons)
    assert (await AuditEvent.get(tag="wechat:menu")).actor == f"staff:{wu.id}"


async def test_each_grid_has_a_poster_with_its_code_and_its_people(town: Town, desk: Desk):
    await at_desk(town, desk, "吴处长", AdminKind.SYSTEM)
    page = await desk.open("/wechat/posters?below=429906001001")
    assert page.count('<section class="poster">') == 3
    assert "网格员 王芳" in page
    assert "027-55503456" in page
    picture = await desk.open("/wechat/codes/429906001001001.svg")
    assert desk.headers["Content-Type"].startswith("image/svg+xml")
    assert "<svg" in picture
    assert picture != await desk.open("/wechat/codes/429906001001002.svg")
    await desk.open("/wechat/codes/429906.svg")
    assert desk.status == 404


async def test_settings_are_shown_without_secrets(town: Town, desk: Desk):
    await at_desk(town, desk, "吴处长", AdminKind.SYSTEM)
    page = await desk.open("/settings")
    assert "LINLI_REOPEN_DAYS" in page
    assert "办结后多少天内居民还可以说“没解决”" in page
    assert str(town.services.settings.home) in page
    assert "没有发现不对的设置" in page


async def test_the_machine_and_wechat_are_examined_when_asked_to(town: Town, desk: Desk):
    await at_desk(town, desk, "吴处长", AdminKind.SYSTEM)
    await desk.open("/settings")
    page = await desk.send("/settings/check")
    assert f"data folder {town.services.settings.home.resolve()}" in page
    assert "the simulator plays WeChat" in page


async def test_no_secret_is_told_and_what_is_wrong_is(town: Town):
    given = Settings(
        home=town.services.settings.home,
        wechat_appid="wx0123456789abcdef",
        wechat_secret="not-for-anybodys-eyes",
        database_url="postgresql://linli:sesame@db/linli",
        _env_file=None,
    )
    running = town.services
    told = {
        one.variable: one for one in Back(given, running.api, running.session, running.redis, town.clock).settings()
    }
    assert not [one for one in told.values() if "eyes" in one.value or "sesame" in one.value]
    assert told["LINLI_WECHAT_SECRET"].wrong == ""
    assert "missing" in told["LINLI_WECHAT_TOKEN"].wrong


async def test_both_are_the_system_administrators(town: Town, desk: Desk):
    await sit_down(town, desk, "李主任")
    for path in ("/wechat", "/wechat/grids", "/wechat/posters", "/wechat/codes/429906001001001.svg", "/settings"):
        await desk.open(path)
        assert desk.status == 403, path
    await desk.open("/account")
    await desk.send("/wechat/menu")
    assert desk.status == 403
