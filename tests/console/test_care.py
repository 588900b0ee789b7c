"""Care at the console: platforms and keys, what got stuck, the audit trail, how the installation is, help, the tour."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import openpyxl
import pytest
from aiohttp import web

from models.audit import AuditEvent
from models.console import ConsoleChoice
from models.database import fetch
from models.enums import AdminKind
from models.interconnection import ApiKey, Connector
from models.people import Staff
from tests.conftest import free_port
from tests.console.administration import at_desk
from tests.console.conftest import Desk, give_password, sit_down
from tests.town import CHEN, WANG, Town

PLATFORM = {"name": "street", "url": "https://platform.example.gov.cn/in", "area": "429906001001"}


@pytest.fixture
async def system(town: Town, desk: Desk) -> Desk:
    """The system administrator's desk."""
    await at_desk(town, desk, "吴处长", AdminKind.SYSTEM)
    return desk


async def test_a_platforms_key_is_shown_once_and_who_connected_it_is_audited(town: Town, system: Desk):
    await system.open("/connectors")
    await system.send("/connectors", **PLATFORM)
    made = await Connector.get(name="street")
    assert made.secret in system.page
    assert made.secret not in await system.open("/connectors")
    assert made.secret not in await system.open("/connectors/street")
    wu = await Staff.get(name="吴处长")
    assert await AuditEvent.filter(tag="connector:add", object_id=made.id, actor=f"staff:{wu.id}").exists()


async def test_a_form_sent_by_htmx_gets_the_key_alone_beside_it(town: Town, system: Desk):
    await system.open("/connectors")
    system.session.headers["HX-Request"] = "true"
    await system.send("/connectors", **PLATFORM)
    assert (await Connector.get(name="street")).secret in system.page
    assert "<html" not in system.page


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"url": "http://platform.example.gov.cn/in"}, "not encrypted"),
        ({"area": "999"}, "没有找到"),
        ({"mapping": "{"}, "不是完整的 JSON"),
        ({"mapping": '{"statuses": {"nonsense": "x"}}'}, "nonsense"),
    ],
)
async def test_a_platform_that_is_written_down_wrong_is_not_connected(town: Town, system: Desk, wrong, said: str):
    await system.open("/connectors")
    assert said in await system.send("/connectors", **(PLATFORM | wrong))
    assert not await Connector.exists()


async def test_a_stopped_platform_is_used_again_and_what_it_missed_is_sent_again(town: Town, system: Desk):
    await system.open("/connectors")
    await system.send("/connectors", **PLATFORM)
    await system.open("/connectors/street")
    assert "已停用" in await system.send("/connectors/street/stop")
    assert not (await Connector.get(name="street")).active
    assert "已恢复使用" in await system.send("/connectors/street/start")
    await system.send("/connectors/street/start")
    assert "本来就在用" in system.page
    await system.open("/connectors/street")
    assert "0 条正在重发" in await system.send(
        "/connectors/street/replay", start="2026-11-19T08:00", end="2026-11-20T08:00", failed="yes"
    )
    await system.open("/connectors/street")
    await system.send("/connectors/street/replay", start="2026-11-20T08:00", end="2026-11-19T08:00")
    assert "要在开始时间之后" in system.page


async def test_a_test_message_says_what_the_platform_answered(town: Town, system: Desk):
    answers, taken = [503, 200], []

    async def take(request: web.Request) -> web.Response:
        taken.append(request.headers["X-Linli-Signature"][:7])
        return web.Response(status=answers.pop(0))

    app, port = web.Application(), free_port()
    app.router.add_post("/in", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await system.open("/connectors")
    await system.send("/connectors", **(PLATFORM | {"url": f"http://127.0.0.1:{port}/in"}))
    await system.open("/connectors/street")
    assert "对方没有收下" in await system.send("/connectors/street/test")
    await system.open("/connectors/street")
    assert "对方收下了" in await system.send("/connectors/street/test")
    assert taken == ["sha256=", "sha256="]
    await runner.cleanup()


async def test_a_key_is_shown_once_and_works_until_it_is_revoked(town: Town, system: Desk):
    await system.open("/connectors")
    await system.send("/connectors/keys", name="随手拍", reads="yes")
    key = re.findall(r'<code class="wrap">([\w-]+)</code>', system.page)[0]
    found = await ApiKey.get(name="随手拍")
    assert (key in found.key_hash, found.may_write) == (False, False)
    assert key not in await system.open("/connectors")
    await system.send("/connectors/keys", name="随手拍")
    assert "这个名称已经有了" in system.page
    await system.open("/connectors")
    assert "已作废" in await system.send("/connectors/keys/revoke", name="随手拍")
    assert not (await ApiKey.get(id=found.id)).active


_STUCK = """
INSERT INTO outbox (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, error,
    created_at, finished_at)
VALUES ('notice', 'parked', $1, '{"text": "您的事有进展", "rendered": true}', 7, 5, $2, '', '', 0, '接口没有答复', $2,
    $2)
RETURNING id
"""


async def test_what_was_put_aside_is_shown_with_its_reason_and_sent_again(town: Town, system: Desk):
    await town.say(WANG, "待办")
    job = (await fetch(_STUCK, WANG, town.clock() - timedelta(days=2)))[0]["id"]
    page = await system.open("/stuck")
    assert "接口没有答复" in page
    assert "您的事有进展" not in page  # reasons, not words
    assert "正在重发" in await system.send(f"/stuck/{job}/retry")
    await town.deliver()
    assert town.last(WANG) == "您的事有进展"
    assert "都送到了" in await system.open("/stuck")
    await system.open("/account")
    await system.send(f"/stuck/{job}/retry")
    assert "已经在重发，或者已经办成" in system.page
    assert await AuditEvent.filter(tag="outbox:retry", object_id=job).count() == 1


async def test_what_may_have_arrived_is_sent_again_only_by_who_says_how_they_know_that_it_has_not(
    town: Town, system: Desk
):
    await town.say(WANG, "待办")
    job = (await fetch(_STUCK, WANG, town.clock() - timedelta(days=2)))[0]["id"]
    once = "UPDATE outbox SET payload = payload || '{\"once\": true}', called_at = $2 WHERE id = $1"
    await fetch(once, job, town.clock())
    assert "可能已经收到" in await system.open("/stuck")
    assert "请选怎么知道没收到的" in await system.send(f"/stuck/{job}/retry")
    await town.deliver()
    assert "您的事有进展" not in town.heard(WANG)
    await system.open("/stuck")
    assert "正在重发" in await system.send(f"/stuck/{job}/retry", sure="asked")
    await town.deliver()
    assert town.heard(WANG).count("您的事有进展") == 1
    assert [row.tag for row in await AuditEvent.filter(tag__startswith="outbox:", object_id=job)] == [
        "outbox:retry_asked"
    ]


async def test_a_message_that_could_not_be_handled_is_handled_again(town: Town, system: Desk):
    await town.say(CHEN, "您好")
    await fetch(
        "UPDATE inbox SET state = 'parked', tries = 5, error = 'KeyError: x' WHERE id = (SELECT max(id) FROM inbox)"
    )
    rows = await fetch("SELECT max(id) AS id FROM inbox")
    assert "KeyError: x" in await system.open("/stuck/messages")
    assert "马上再处理一次" in await system.send(f"/stuck/messages/{rows[0]['id']}/retry")
    assert await town.services.inbox.retry_failed(town.clock()) == 1
    assert "都处理成了" in await system.open("/stuck/messages")


async def test_the_trail_is_searched_by_who_what_when_and_about_what(town: Town, desk: Desk):
    wang = await give_password(town, "王芳")
    await desk.enter(wang.code, "not this one")
    await desk.enter(wang.code)
    await desk.open("/settings")
    await at_desk(town, desk, "吴处长", AdminKind.AUDIT)
    found = "王芳 <code>"
    assert found in await desk.open(f"/audit?actor={wang.code}")
    assert found in await desk.open(f"/audit?tag=工作台&about={wang.id}")
    assert found not in await desk.open(f"/audit?actor={wang.code}&tag=case:*")
    assert "console:page" in await desk.open(f"/audit?actor=staff:{wang.id}&allowed=no")
    assert found not in await desk.open("/audit?start=2026-11-01&end=2026-11-18")
    await desk.open("/audit?start=2026-11-18&end=2026-11-01")
    assert desk.status == 400
    assert await AuditEvent.filter(tag="audit:search").count() > 3


async def test_the_trail_is_saved_as_a_workbook_without_formulas(town: Town, desk: Desk):
    await at_desk(town, desk, "吴处长", AdminKind.AUDIT)
    await desk.open("/audit")
    async with desk.session.get(f"{desk.url}/console/audit/rows.xlsx?tag=audit:*") as answer:
        book = openpyxl.load_workbook(io.BytesIO(await answer.read()))
    rows = list(book.active.iter_rows(values_only=True))
    assert rows[0][:3] == ("编号", "时间", "谁")
    assert len(rows) > 1
    assert {(str(row[4])[:5], str(row[5])[:6]) for row in rows[1:]} == {("审计记录·", "audit:")}
    assert await AuditEvent.filter(tag="audit:export").exists()


async def test_reading_the_chain_again_names_a_row_that_was_changed(town: Town, desk: Desk):
    await at_desk(town, desk, "吴处长", AdminKind.AUDIT)
    await desk.open("/audit")
    assert "全部对得上" in await desk.send("/audit/verify")
    await fetch("UPDATE audit_event SET actor = 'system' WHERE id = (SELECT max(id) FROM audit_event)")
    await desk.open("/audit")
    assert "changed after it was written" in await desk.send("/audit/verify")


async def test_the_health_page_says_what_waits_and_what_to_do(town: Town, system: Desk):
    page = await system.open("/health")
    assert page.count("要处理") == 0, page
    await fetch(_STUCK, WANG, town.clock() - timedelta(days=2))
    await fetch("UPDATE outbox SET state = 'pending', finished_at = NULL")
    page = await system.open("/health")
    assert "最久的等了 2 天" in page
    assert "linli worker" in page
    assert "<html" not in await system.open("/health/lines")


@pytest.mark.parametrize("path", ["/connectors", "/stuck", "/stuck/messages", "/health", "/audit"])
async def test_none_of_this_is_for_who_works_with_cases(town: Town, desk: Desk, path: str):
    await sit_down(town, desk, "李主任")
    await desk.open(path)
    assert desk.status == 403


async def test_the_tour_is_shown_until_it_was_seen_and_not_again_on_another_day(town: Town, desk: Desk):
    wang = await give_password(town, "王芳")
    assert "第一次使用" in await desk.enter(wang.code)
    assert "第一次使用" not in await desk.send("/help/toured")
    assert (await ConsoleChoice.get(staff_id=wang.id)).toured_at == town.clock()
    await desk.send("/logout")
    assert "第一次使用" not in await desk.enter(wang.code)


async def test_larger_type_is_kept_for_the_next_sign_in(town: Town, desk: Desk):
    wang = await give_password(town, "王芳")
    await sit_down(town, desk, wang)
    await desk.open("/help")
    assert 'class="large"' in await desk.send("/help/type", large="yes")
    await desk.send("/logout")
    desk.session.cookie_jar.clear()
    await desk.enter(wang.code)
    assert 'class="large"' in await desk.open("/cases")
    await desk.open("/help")
    assert 'class="large"' not in await desk.send("/help/type")
