"""The OpenAPI 3.1 document, written from the models that validate and from the policy table."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, Literal, TypeGuard

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from miniapp_api.kernel import Body, Route
from miniapp_api.policy import POLICY, SIGNED_IN, Caller

_REF = "#/components/schemas/{model}"
_MODE = Literal["validation", "serialization"]

_ABOUT = """\
The API of the mini-program, of grid workers in the field, and of any page that shows a room.

Sign in, then send `Authorization: Bearer ll_…`. A write may carry an `Idempotency-Key`:
sent again within a day it is not
done again and gets the same answer. Every answer has `X-Request-Id`. Foreign objects are 404, exactly as absent ones.\
"""

_REASONS = {
    400: "Something is not as this document says; `fields` names it.",
    401: "No token, or one that holds no more.",
    403: "Not for this caller.",
    404: "There is no such thing, or it is not for this caller.",
    409: "Somebody was faster, or the same request is still under way.",
    413: "More bytes than this address takes.",
    415: "Not a file of a kind we take.",
    422: "Understood, but it means nothing here; or the Idempotency-Key was used for another request.",
    429: "More often than allowed; `Retry-After` says when again.",
    502: "WeChat did not answer, or refused.",
    503: "Not now: an engine is away; `Retry-After` says when again.",
}


class FieldFault(Body):
    """One field, and what is wrong with it."""

    field: str
    say: str


class Fault(Body):
    """What went wrong, for the machine and for the person."""

    code: str
    say: str
    request_id: str
    fields: tuple[FieldFault, ...] = ()


class ErrorAnswer(Body):
    """Every answer that is not 2xx."""

    error: Fault


def statuses(route: Route) -> list[int]:
    """Every status the route may answer with, errors included."""
    rule = POLICY[route.rule]
    found = {route.status, 429, 503, *route.errors}
    if {"path", "query", "body", "upload"} & route.takes.keys():
        found.add(400)
    if not rule.public:
        found.add(401)
    if rule.kind:
        found.add(404)
    if rule.reads or (not rule.kind and not rule.public and not rule.may.keys() >= set(SIGNED_IN)):
        found.add(403)
    if route.writes and not rule.public:
        found |= {400, 403, 404, 409, 422}  # 403, 404: what the body names, or what the person may just now not do
    if {"body", "upload"} & route.takes.keys():
        found.add(413)
    if route.guard:
        found |= {403, 409, 422}
    if route.network:
        found.add(502)
    return sorted(found)


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The whole document as JSON; its servers are still to be named."""
    references, definitions = models_json_schema(list(_models(routes)), ref_template=_REF)
    schemas = definitions.get("$defs", {})
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(open_path(route.path), {})[route.method.lower()] = _operation(route, references, schemas)
    for model in {route.takes[part] for route in routes for part in ("path", "query") if part in route.takes}:
        schemas.pop(references[model, "validation"]["$ref"].rsplit("/", 1)[1], None)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Linli 邻里", "version": "1", "description": _ABOUT},
        "servers": servers(""),
        "tags": [{"name": subject} for subject in dict.fromkeys(route.subject for route in routes)],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "from a sign-in"}},
        },
    }


def servers(url: str) -> list[dict[str, str]]:
    """Where the API is. `url`: how residents reach us."""
    return [{"url": f"{url.rstrip('/')}/api/v1"}]


def open_path(path: str) -> str:
    """aiohttp's `{id:\\d+}` without its pattern."""
    return re.sub(r"\{(\w+):[^{}]*\}", r"{\1}", path)


def _models(routes: Sequence[Route]) -> Iterable[tuple[type[BaseModel], _MODE]]:
    yield ErrorAnswer, "serialization"
    for route in routes:
        for part in ("path", "query", "body"):
            if part in route.takes:
                yield route.takes[part], "validation"
        if _is_model(route.answers):
            yield route.answers, "serialization"


def _is_model(kind: type[Any] | None) -> TypeGuard[type[BaseModel]]:
    return inspect.isclass(kind) and issubclass(kind, BaseModel)


def _operation(route: Route, references: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    words = inspect.cleandoc(route.handler.__doc__ or "").split("\n\n", 1)
    parameters = [
        *_parameters(route, "path", references, schemas),
        *_parameters(route, "query", references, schemas),
        *_headers(route),
    ]
    operation: dict[str, Any] = {
        "operationId": route.name,
        "tags": [route.subject],
        "summary": " ".join(words[0].split()),
        "description": "\n\n".join([*words[1:], f"For: {_who(route)}."]),
        "security": [] if POLICY[route.rule].public else [{"token": []}],
        "parameters": parameters,
        "responses": {str(status): _response(route, status, references) for status in statuses(route)},
    }
    if "body" in route.takes:
        schema = references[route.takes["body"], "validation"]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if "upload" in route.takes:
        operation["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}
    return operation


_FORM = {
    "type": "object",
    "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
    "required": ["file"],
    "additionalProperties": {"type": "string"},
}


def _who(route: Route) -> str:
    callers = POLICY[route.rule].may
    if Caller.NOBODY in callers:
        return "whoever signs as agreed" if route.guard else "everybody"
    return ", ".join(callers)


def _parameters(route: Route, where: str, references: Any, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    if where not in route.takes:
        return []
    schema = schemas[references[route.takes[where], "validation"]["$ref"].rsplit("/", 1)[1]]
    needed = schema.get("required", [])
    return [
        {"name": name, "in": where, "required": where == "path" or name in needed, "schema": shape}
        for name, shape in schema.get("properties", {}).items()
    ]


def _headers(route: Route) -> list[dict[str, Any]]:
    found = []
    if route.keyed and route.writes and not POLICY[route.rule].public:
        shape = {"type": "string", "pattern": "^[!-~]{1,255}$"}
        found.append(_header("Idempotency-Key", "one of your own for each write, e.g. a UUID", shape))
    if route.guard:
        found.append(_header("X-Linli-Timestamp", "seconds since 1970", {"type": "string"}) | {"required": True})
        words = "`sha256=` and the hexadecimal HMAC-SHA256 of timestamp, a dot and the body"
        found.append(_header("X-Linli-Signature", words, {"type": "string"}) | {"required": True})
    return found


def _header(name: str, words: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": words, "schema": schema}


_REQUEST_ID = {"schema": {"type": "string"}, "required": True, "description": "the client's own, or a new one"}
_RETRY_AFTER = {"schema": {"type": "integer"}, "required": True, "description": "seconds"}


def _response(route: Route, status: int, references: Any) -> dict[str, Any]:
    headers = {"X-Request-Id": _REQUEST_ID} | ({"Retry-After": _RETRY_AFTER} if status in (429, 503) else {})
    answer: dict[str, Any] = {"description": _REASONS.get(status) or HTTPStatus(status).phrase, "headers": headers}
    if status >= 400:
        answer["content"] = {"application/json": {"schema": references[ErrorAnswer, "serialization"]}}
    elif _is_model(route.answers):
        answer["content"] = {"application/json": {"schema": references[route.answers, "serialization"]}}
    elif inspect.isclass(route.answers) and issubclass(route.answers, web.StreamResponse):
        answer["content"] = {route.media_type: {}}
    return answer
