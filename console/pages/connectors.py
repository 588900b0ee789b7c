"""对接: connectors to other platforms and keys of the open interface; what is secret is shown once."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from console.frame import AdminKind, Form, Pages, Visit, administrator
from domain import console_connectors
from domain.clock import SHANGHAI
from domain.connectors import ConnectorPlan
from errors import BadRequest

pages = Pages()

_SYSTEM = administrator(AdminKind.SYSTEM)
_NAMED = r"/connectors/{name:[A-Za-z0-9_-]{1,32}}"


class NewConnector(Form):
    """Another platform."""

    name: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,32}$", title="名称（字母、数字）")]
    url: Annotated[str, Field(max_length=300, title="地址")] = ""
    area: Annotated[str, Field(max_length=20, title="区域编码")] = ""
    staff: Annotated[str, Field(max_length=20, title="工号")] = ""
    mapping: Annotated[str, Field(max_length=20_000, title="对照表")] = ""


class Mapping(Form):
    """Categories, statuses and actions in their words."""

    mapping: Annotated[str, Field(max_length=20_000, title="对照表")]


class Period(Form):
    """From when to when something is sent again; nothing = until now."""

    start: Annotated[datetime, Field(title="从什么时候")]
    end: Annotated[datetime | None, Field(title="到什么时候")] = None
    failed: Annotated[str, Field(pattern="^yes$", title="只重发没送到的")] = ""


class NewKey(Form):
    """A client of the open interface."""

    name: Annotated[str, Field(min_length=1, max_length=64, title="谁用")]
    reads: Annotated[str, Field(pattern="^yes$", title="只读")] = ""


class KeyName(Form):
    """A key by its name."""

    name: Annotated[str, Field(min_length=1, max_length=64, title="谁用")]


@pages.get("/connectors", who=_SYSTEM)
async def show(visit: Visit) -> web.StreamResponse:
    """All platforms and keys."""
    return await _all(visit)


async def _all(visit: Visit, secret: str = "", whose: str = "") -> web.Response:
    return visit.render(
        "connectors.html",
        title="对接",
        connectors=await console_connectors.connectors_of(visit.post),
        keys=await console_connectors.keys_of(visit.post),
        secret=secret,
        whose=whose,
    )


async def _shown_once(visit: Visit, secret: str, whose: str) -> web.Response:
    """The secret, beside the form that asked for it or above the lists."""
    if visit.by_htmx:
        return visit.render("connectors_secret.html", secret=secret, whose=whose)
    return await _all(visit, secret, whose)


@pages.post("/connectors", who=_SYSTEM)
async def add(visit: Visit) -> web.StreamResponse:
    """One more platform; its key stands on the page that answers, and nowhere else."""
    given = await visit.form(NewConnector)
    plan = ConnectorPlan(given.name, given.url, given.area, given.staff, _mapping(given.mapping))
    plain_http = visit.office.back.plain_http()
    secret = await console_connectors.add(visit.post, plan, visit.now, visit.source, plain_http=plain_http)
    return await _shown_once(visit, secret, f"平台 {given.name}")


def _mapping(text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        read = json.loads(text)
    except ValueError as error:
        raise BadRequest("mapping", say=f"对照表不是完整的 JSON，请检查引号和逗号：{error}") from None
    if not isinstance(read, dict):
        raise BadRequest("mapping", say="对照表要写成 {…} 的形式。")
    return read


@pages.get(_NAMED, who=_SYSTEM)
async def one(visit: Visit) -> web.StreamResponse:
    """One platform, with what may be done."""
    found = await console_connectors.connector_of(visit.post, visit.request.match_info["name"])
    return visit.render(
        "connector.html",
        title=f"对接平台 {found.name}",
        connector=found,
        mapping=json.dumps(found.mapping, ensure_ascii=False, indent=2),
        since=visit.now - timedelta(days=1),
    )


@pages.post(f"{_NAMED}/mapping", who=_SYSTEM)
async def change(visit: Visit) -> web.StreamResponse:
    """Another mapping."""
    name, given = visit.request.match_info["name"], await visit.form(Mapping)
    await console_connectors.change_mapping(visit.post, name, _mapping(given.mapping), visit.now, visit.source)
    return visit.go(f"/connectors/{name}", "对照表换好了，以后发出的都按它。")


@pages.post(f"{_NAMED}/test", who=_SYSTEM)
async def test(visit: Visit) -> web.StreamResponse:
    """A signed message without a case."""
    found = await console_connectors.connector_of(visit.post, visit.request.match_info["name"])
    fault = await visit.office.back.try_platform(found.name, found.url, found.secret)
    if fault:
        raise BadRequest(fault, say=f"对方没有收下：{fault}")
    return visit.go(f"/connectors/{found.name}", "对方收下了测试消息。")


@pages.post(f"{_NAMED}/stop", who=_SYSTEM)
async def stop(visit: Visit) -> web.StreamResponse:
    """Used no more."""
    name = visit.request.match_info["name"]
    await console_connectors.stop(visit.post, name, visit.now, visit.source)
    return visit.go(f"/connectors/{name}", "已停用：不再发给它，也不收它的。")


@pages.post(f"{_NAMED}/start", who=_SYSTEM)
async def start(visit: Visit) -> web.StreamResponse:
    """Used again."""
    name = visit.request.match_info["name"]
    await console_connectors.start(visit.post, name, visit.now, visit.source)
    return visit.go(f"/connectors/{name}", "已恢复使用。停用期间没发的，可以用下面的重发补上。")


@pages.post(f"{_NAMED}/replay", who=_SYSTEM)
async def replay(visit: Visit) -> web.StreamResponse:
    """Sent again."""
    name, given = visit.request.match_info["name"], await visit.form(Period)
    start, end = given.start.replace(tzinfo=SHANGHAI), visit.now
    if given.end:
        end = given.end.replace(tzinfo=SHANGHAI)
    if end <= start:
        raise BadRequest("period", say="结束时间要在开始时间之后。")
    count = await console_connectors.replay(
        visit.post, name, (start, end), visit.now, visit.source, also_sent=not given.failed
    )
    return visit.go(f"/connectors/{name}", f"{count} 条正在重发，对方按编号认得，不会办两次。")


@pages.post("/connectors/keys", who=_SYSTEM)
async def add_key(visit: Visit) -> web.StreamResponse:
    """A key for a client, on the page that answers alone."""
    given = await visit.form(NewKey)
    key = await console_connectors.add_key(visit.post, given.name, visit.now, visit.source, may_write=not given.reads)
    return await _shown_once(visit, key, given.name)


@pages.post("/connectors/keys/revoke", who=_SYSTEM)
async def revoke_key(visit: Visit) -> web.StreamResponse:
    """A client is let in no more."""
    given = await visit.form(KeyName)
    await console_connectors.revoke_key(visit.post, given.name, visit.now, visit.source)
    return visit.go("/connectors", "密钥已作废，马上不能用了。")
