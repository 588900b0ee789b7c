"""All of `/api/v1`: every subject's routes, and what each request goes through."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import orjson
from aiohttp import web

from domain.idempotency import Asked, Kept, once
from domain.journal import audit
from domain.people import Person
from domain.tokens import Token
from errors import LinliError, NotSignedIn
from miniapp_api import (
    badges,
    cases,
    casework,
    connectors,
    consents,
    document,
    files,
    me,
    moderation,
    openapi,
    personal_data,
    rooms,
    sign_in,
    socket,
    tasks,
)
from miniapp_api.addresses import client_of
from miniapp_api.answers import BadFields, framed, json_answer, request_id, text_answer
from miniapp_api.kernel import Call, Desk, Proof, Route, Routes, Signed
from miniapp_api.policy import POLICY, admit
from miniapp_api.reading import read_body, read_bytes, read_path, read_query, read_upload

#: Every subject of the API, in the order of the document. A new module of routes is listed here.
SUBJECTS: tuple[Routes, ...] = (
    document.routes,
    sign_in.routes,
    me.routes,
    consents.routes,
    personal_data.routes,
    files.routes,
    cases.routes,
    tasks.routes,
    casework.routes,
    rooms.routes,
    badges.routes,
    moderation.routes,
    socket.routes,
    connectors.routes,
)

_NOBODY = Person("", 0, None, None)
_BEARER = re.compile(r"Bearer +([A-Za-z0-9_-]{1,200})", re.IGNORECASE)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def create_api(desk: Desk, subjects: Sequence[Routes] = SUBJECTS) -> web.Application:
    """The application to be mounted at `/api/v1`."""
    app = web.Application(middlewares=[framed(desk.away)])
    app[document.DOCUMENT] = orjson.dumps(openapi.document(all_routes(subjects), desk.public_url)).decode()
    for route in all_routes(subjects):
        app.router.add_route(route.method, route.path, _endpoint(route, desk))
    return app


def all_routes(subjects: Sequence[Routes] = SUBJECTS) -> list[Route]:
    """Every route of every subject."""
    return [route for subject in subjects for route in subject.all]


def _endpoint(route: Route, desk: Desk) -> Any:
    async def answered(request: web.Request) -> web.StreamResponse:
        call = await _call(route, desk, request)
        try:
            admit(call.person, route.rule)
            for kind in route.limits:
                await call.limit(kind, call.address if kind.endswith("_address") else "")
            taken, raw = await _read(route, call, request)
            signer = taken.get("signer")
        except LinliError as error:
            await _audit_refusal(error, call, None)
            raise
        try:
            answer = await _answer(route, call, request, taken, raw)
        except LinliError as error:
            await _audit_refusal(error, call, signer)
            raise
        if route.writes:
            await desk.wake()
        return answer

    return answered


async def _call(route: Route, desk: Desk, request: web.Request) -> Call:
    """Who asks. Raises NotSignedIn, TooMany, Unavailable."""
    now, address = desk.now(), client_of(request, desk.proxies)
    person, token = _NOBODY, None
    try:
        person, token = await _signed_in(desk, request)
    except NotSignedIn:
        await desk.limit("platform" if route.guard else "address", address)
        if not POLICY[route.rule].public:
            raise
    else:
        await desk.limit("staff" if person.post else "user", person.actor)
    return Call(person, token, now, request_id(request), address, desk)


async def _signed_in(desk: Desk, request: web.Request) -> tuple[Person, Token]:
    bearer = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    if bearer is None:
        raise NotSignedIn("no token")
    return await desk.find_token(bearer[1], desk.now())


async def _answer(
    route: Route, call: Call, request: web.Request, taken: dict[str, Any], raw: bytes
) -> web.StreamResponse:
    """Do it, once for each key."""
    key = request.headers.get("Idempotency-Key")
    if key is None or not route.writes or not route.keyed or call.token is None:
        return _as_answer(route, await _handled(route, call, taken))
    if not _KEY.fullmatch(key):
        raise BadFields([{"field": "Idempotency-Key", "say": "必须是 1 到 255 个不含空格的英文字符。"}])

    async def act() -> Kept:
        answer = _as_answer(route, await _handled(route, call, taken))
        return Kept(answer.status, answer.text or "" if isinstance(answer, web.Response) else "")

    digest = hashlib.sha256(b"\n".join((request.method.encode(), request.raw_path.encode(), raw))).hexdigest()
    asked = Asked(call.person.actor, key, digest, call.now)
    first = await once(asked, act, apart=route.network or "upload" in taken)
    return text_answer(first.body, first.status) if first.body else web.Response(status=first.status)


async def _read(route: Route, call: Call, request: web.Request) -> tuple[dict[str, Any], bytes]:
    """What the handler takes, and the body as it came."""
    taken: dict[str, Any] = {}
    raw = b""
    if "path" in route.takes:
        taken["path"] = read_path(route, request)
    if "query" in route.takes:
        taken["query"] = read_query(route.takes["query"], request)
    if "body" in route.takes:
        raw = await read_bytes(request, route.most_bytes)
    if route.guard:
        headers = request.headers
        proof = Proof(headers.get("X-Linli-Timestamp", ""), headers.get("X-Linli-Signature", ""), raw)
        taken["signer"] = await route.guard(call, taken.get("path"), proof)
    if "body" in route.takes:
        taken["body"] = read_body(route, request, raw)
    if "upload" in route.takes:
        taken["upload"] = await read_upload(request, route.most_bytes)
    if "request" in route.takes:
        taken["request"] = request
    return taken, raw


async def _handled(route: Route, call: Call, taken: dict[str, Any]) -> Any:
    return await route.handler(call, **{name: taken[name] for name in route.handed})


def _as_answer(route: Route, given: Any) -> web.StreamResponse:
    if isinstance(given, web.StreamResponse):
        return given
    return web.Response(status=route.status) if given is None else json_answer(given, route.status)


async def _audit_refusal(error: LinliError, call: Call, signer: Signed | None) -> None:
    """A refused attempt at something leaves a row, whoever made it."""
    if tag := error.data.get("tag"):
        actor, source = (signer.actor, signer.actor) if signer else (call.person.actor, call.source)
        await audit(actor, str(tag)[:40], error.data.get("object_id"), call.now, allowed=False, source=source)
