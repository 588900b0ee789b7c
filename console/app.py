"""The console as one aiohttp application below `/console`: its pages, its files, and what is told of every error."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import structlog
from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.runtime import Context
from markupsafe import Markup

from console import shown, ways
from console.frame import ROOT, CodeFirst, Office, Page, Pages, StaleForm, Visit, note_refusal, opened
from console.menu import here, menu
from console.pages import (
    account,
    accounts,
    activities,
    application_new,
    applications,
    area_map,
    audit,
    badges,
    broadcast_drafts,
    broadcasts,
    calendars,
    case_steps,
    cases,
    connectors,
    conversations,
    counter,
    dashboards,
    desk,
    desk_cases,
    duties,
    events,
    formulas,
    guide,
    health,
    households,
    leave,
    organisation,
    plans,
    providers,
    register,
    reviews,
    room_messages,
    rooms,
    rows,
    screen,
    service_forms,
    services,
    settings,
    sign_in,
    stuck,
    survey_drafts,
    surveys,
    wechat,
    words,
)
from console.pages.events import EVENTS
from domain.second_try import once_more
from errors import LinliError, NotFound, NotSignedIn, TooLarge, Unavailable

log = structlog.get_logger(__name__)

SUBJECTS: tuple[Pages, ...] = (
    sign_in.pages,
    account.pages,
    desk.pages,
    desk_cases.pages,
    area_map.pages,
    cases.pages,
    case_steps.pages,
    register.pages,
    counter.pages,
    plans.pages,
    applications.pages,
    application_new.pages,
    activities.pages,
    services.pages,
    providers.pages,
    service_forms.pages,
    households.pages,
    badges.pages,
    rooms.pages,
    room_messages.pages,
    conversations.pages,
    reviews.pages,
    broadcasts.pages,
    broadcast_drafts.pages,
    surveys.pages,
    survey_drafts.pages,
    accounts.pages,
    organisation.pages,
    rows.pages,
    duties.pages,
    words.pages,
    calendars.pages,
    formulas.pages,
    settings.pages,
    wechat.pages,
    leave.pages,
    dashboards.pages,
    screen.pages,
    connectors.pages,
    stuck.pages,
    audit.pages,
    health.pages,
    guide.pages,
    events.pages,
)

_TEMPLATES = web.AppKey("templates", Environment)
_IDENT, _VISIT = web.RequestKey("ident", str), web.RequestKey("visit", Visit)
_HERE = Path(__file__).parent
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}
_YEAR = 31_536_000
#: Bytes of a form that sends files, in all.
MOST_FILES = 64 * 1024 * 1024
# Nothing from elsewhere, no script inside a page. ECharts sets styles of elements, which a policy of this kind permits.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:{tiles}; media-src 'self'; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def create_console(office: Office) -> web.Application:
    """The application, to be mounted at `/console`."""
    app = web.Application(middlewares=[_framed(office)], client_max_size=2 * 1024 * 1024)
    app.on_response_prepare.append(_dressed(office))
    parts, templates = _files(), _templates()
    app[_TEMPLATES] = templates
    mounted = []
    for page in (page for pages in SUBJECTS for page in pages.all):
        # HEAD is a GET without the body.
        add = app.router.add_get if page.method == "GET" else app.router.add_post
        mounted.append((page, add(page.path, _handled(page, office, templates))))
    app[ways.PAGES] = ways.own_pages(mounted)

    async def give_file(request: web.Request) -> web.StreamResponse:
        return _file(request, parts)

    app.router.add_get("/static/{mark}/{name}", give_file)
    app.router.add_get("", _to_desk)
    return app


async def _to_desk(_request: web.Request) -> web.StreamResponse:
    """`/console`, as people type it."""
    return web.Response(status=303, headers={"Location": f"{ROOT}/"})


@cache
def _templates() -> Environment:
    """Compiled once a process, each when it is first shown."""
    parts = _files()
    templates = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals["file"] = lambda name: f"{ROOT}/static/{parts[name][0]}/{name}"
    templates.globals |= {"mark": _mark, "menu": menu, "here": here}
    templates.filters.update(shown.FILTERS)
    return templates


@pass_context
def _mark(context: Context) -> Markup:
    """What every form carries."""
    visit: Visit = context["visit"]
    return Markup('<input type="hidden" name="mark" value="{}">').format(visit.mark)


@cache
def _files() -> Mapping[str, tuple[str, bytes, str]]:
    """name → (mark of its content, bytes, type). The mark stands in the address: a browser may keep the file."""
    found = {}
    for entry in files("console").joinpath("static").iterdir():
        kind = _TYPES.get("." + entry.name.rpartition(".")[2])
        if kind:
            body = entry.read_bytes()
            found[entry.name] = (hashlib.sha256(body).hexdigest()[:16], body, kind)
    return MappingProxyType(found)


def _file(request: web.Request, parts: Mapping[str, tuple[str, bytes, str]]) -> web.StreamResponse:
    mark, body, kind = parts.get(request.match_info["name"], ("", b"", ""))
    if not mark or mark != request.match_info["mark"]:
        raise NotFound("console file")
    answer = web.Response(body=body, content_type=kind, charset="utf-8")
    answer.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
    answer.enable_compression()
    return answer


def _handled(page: Page, office: Office, templates: Environment) -> Any:
    async def handle(request: web.Request) -> web.StreamResponse:
        asked = request.clone(client_max_size=MOST_FILES) if page.files else request
        visit = await opened(page, asked, office, templates, request[_IDENT])
        request[_VISIT] = visit
        if page.method == "POST":
            await visit.check_mark()
        try:
            answer = await (page.handler(visit) if page.files else once_more(lambda: page.handler(visit)))
        except LinliError as error:
            await note_refusal(visit, error)
            raise
        if page.method == "POST":
            await office.wake()
        return answer

    return handle


def _dressed(office: Office) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Every answer has our headers."""

    origin = "://".join(urlsplit(office.map_tiles)[:2]) if office.map_tiles else ""
    headers = {**_HEADERS, "Content-Security-Policy": _POLICY.format(tiles=f" {origin}" if origin else "")}

    async def dress(request: web.Request, answer: web.StreamResponse) -> None:
        answer.headers.setdefault("Cache-Control", "no-store")
        answer.headers["X-Request-Id"] = request[_IDENT]
        answer.headers.update(headers)

    return dress


def _framed(office: Office) -> Any:
    """Every error has a page (or, asked by htmx, a sentence) with what to do next."""

    @web.middleware
    async def frame(request: web.Request, handler: Any) -> web.StreamResponse:
        request[_IDENT] = uuid4().hex[:12]
        try:
            answer: web.StreamResponse = await handler(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, the person gets a page
            answer = _told(error, request, office)
        return answer

    return frame


def _told(error: Exception, request: web.Request, office: Office) -> web.StreamResponse:
    said = _as_ours(error, request, office)
    if request.headers.get("Accept") == EVENTS:  # asked for by the page itself: nobody reads it
        return web.Response(status=said.http_status, text=said.say)
    templates = request.config_dict[_TEMPLATES]
    visit = request.get(_VISIT) or Visit(request, office, office.now(), request[_IDENT], templates)
    # A wrong password or code that a form brought is told beside it, and so is the end of a session.
    if isinstance(said, NotSignedIn) and request.method != "POST":
        ways.remember_wanted(visit)
        return visit.go("/login", "请先登录。" if visit.by_htmx else "")
    if isinstance(said, CodeFirst):
        return visit.go("/account/code", said.say)
    if visit.by_htmx:
        # 200: it was answered; a page's console is for what nobody foresaw.
        stale = isinstance(said, StaleForm) and visit.person
        over = isinstance(said, NotSignedIn) and _VISIT not in request
        answer = visit.render("fault.html", fault=said, stale=stale, over=over)
        answer.headers["X-Fault"] = said.code
        if stale:  # who signed in since sends it with a second click; no other site can ask by htmx, or read this
            answer.headers["X-Mark"] = visit.mark
        return answer
    return visit.render("error.html", said.http_status, fault=said, title="没有办成")


def _address(request: web.Request) -> str:
    """For the log, by its pattern: what stands in an address may be a secret."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "none of ours"


def _as_ours(error: Exception, request: web.Request, office: Office) -> LinliError:
    path = _address(request)
    if isinstance(error, LinliError):
        log.info("console refused", path=path, code=error.code, detail=error.detail, request=request[_IDENT])
        return error
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return TooLarge("console form", say="一次发的太大了，请少选几张照片，或换小一点的文件。")
    if isinstance(error, web.HTTPException):
        return NotFound("no such page", say="没有这一页。请从左边的菜单进。")
    if office.away(error):
        log.warning("database away", path=path, request=request[_IDENT])
        return Unavailable(str(error), say="系统正在恢复，请过几秒刷新。", retry_after=5)
    log.error("console failed", path=path, request=request[_IDENT], exc_info=error)
    return LinliError()
