"""What each request goes through: who asks, may they, how often, what exactly, once."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, TypeVar

from aiohttp import web
from prometheus_client import Histogram

from domain.idempotency import Asked, Kept, kept_answer, once
from domain.journal import audit
from domain.people import Person
from domain.second_try import once_more
from domain.tokens import Token
from errors import LinliError, NotSignedIn
from miniapp_api.addresses import client_of
from miniapp_api.answers import BadFields, Handler, json_answer, request_id, text_answer
from miniapp_api.kernel import Call, Desk, Proof, Route, Signed
from miniapp_api.policy import POLICY, admit
from miniapp_api.reading import read_body, read_bytes, read_path, read_query, read_upload

SECONDS = Histogram("linli_api_seconds", "Time to answer a request of the API", ["operation", "outcome"])

T = TypeVar("T")

_NOBODY = Person("", 0, None, None)
_BEARER = re.compile(r"Bearer +([A-Za-z0-9_-]{1,200})", re.IGNORECASE)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def endpoint(route: Route, desk: Desk) -> Handler:
    """The route as the server calls it; how long a socket stays open is no time to answer."""

    async def answered(request: web.Request) -> web.StreamResponse:
        started, outcome = time.perf_counter(), "failed"
        try:
            answer = await _answered(route, desk, request)
            outcome = "done"
        except LinliError as error:
            outcome = error.code
            raise
        finally:
            if route.status != HTTPStatus.SWITCHING_PROTOCOLS:
                SECONDS.labels(route.name, outcome).observe(time.perf_counter() - started)
        if route.writes:
            await desk.wake()
        return answer

    return answered


async def _answered(route: Route, desk: Desk, request: web.Request) -> web.StreamResponse:
    call = await _call(route, desk, request)
    taken: dict[str, Any] = {}
    try:
        admit(call.person, route.rule)
        raw = await _read(route, call, request, taken)
        return await _answer(route, call, taken, _asked(route, call, request, raw))
    except LinliError as error:
        await _audit_refusal(error, call, taken.get("signer"))
        raise


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


def _asked(route: Route, call: Call, request: web.Request, raw: bytes) -> Asked | None:
    """The request under its key; None where nothing is kept. Raises BadFields for a key of another form."""
    key = request.headers.get("Idempotency-Key")
    if key is None or not route.writes or not route.keyed or call.token is None:
        return None
    if not _KEY.fullmatch(key):
        raise BadFields([{"field": "Idempotency-Key", "say": "必须是 1 到 255 个不含空格的英文字符。"}])
    digest = hashlib.sha256(b"\n".join((request.method.encode(), request.raw_path.encode(), raw))).hexdigest()
    return Asked(call.person.actor, key, digest, call.now)


async def _answer(route: Route, call: Call, taken: dict[str, Any], asked: Asked | None) -> web.StreamResponse:
    """Do it, once for each key. What is only repeated counts against no limit of its own."""
    kept = await kept_answer(asked) if asked else None
    if kept is None:
        for kind in route.limits:
            await call.limit(kind, call.address if kind.endswith("_address") else "")
        apart = route.network or "upload" in taken
        once_only = apart or "request" in taken
        if asked is None:
            return await _tried(lambda: _handled(route, call, taken), once_only=once_only)

        async def act() -> Kept:
            answer = await _handled(route, call, taken)
            return Kept(answer.status, answer.text or "" if isinstance(answer, web.Response) else "")

        kept = await _tried(lambda: once(asked, act, apart=apart), once_only=once_only)
    return text_answer(kept.body, kept.status) if kept.body else web.Response(status=kept.status)


async def _tried(work: Callable[[], Awaitable[T]], *, once_only: bool) -> T:
    """What waits for others, reads a file as it comes in, or is a line that stays open, cannot be done again from its
    beginning."""
    return await (work() if once_only else once_more(work))


async def _read(route: Route, call: Call, request: web.Request, taken: dict[str, Any]) -> bytes:
    """Put what the handler takes into `taken`; gives the body as it came."""
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
    return raw


async def _handled(route: Route, call: Call, taken: dict[str, Any]) -> web.StreamResponse:
    given = await route.handler(call, **{name: taken[name] for name in route.handed})
    if isinstance(given, web.StreamResponse):
        return given
    return web.Response(status=route.status) if given is None else json_answer(given, route.status)


async def _audit_refusal(error: LinliError, call: Call, signer: Signed | None) -> None:
    """A refused attempt at something leaves a row, whoever made it."""
    if tag := error.data.get("tag"):
        actor, source = (signer.actor, signer.actor) if signer else (call.person.actor, call.source)
        await audit(actor, str(tag)[:40], error.data.get("object_id"), call.now, allowed=False, source=source)
