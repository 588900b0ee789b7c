"""The one shape of errors: `{"error": {"code", "say", "request_id", "fields"?}}`, and the header every answer has."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

import orjson
import structlog
from aiohttp import web
from pydantic import BaseModel

from errors import BadRequest, LinliError, NotFound, TooLarge, Unavailable

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,36}")
_GIVEN = web.RequestKey("request id", str)


class BadFields(BadRequest):
    """Something in the path, the query or the body is not as the document says. `detail` goes to the log: where names
    are the client's own, give one without them."""

    def __init__(self, fields: Sequence[Mapping[str, str]], detail: str = "") -> None:
        detail = detail or "; ".join(f"{one['field']}: {one['say']}" for one in fields)
        super().__init__(detail, say="有内容填得不对，请按提示改好再提交。", fields=list(fields))


class WrongMethod(BadRequest):
    """The address is there, the method is not."""

    code = "wrong_method"
    http_status = 405


def request_id(request: web.Request) -> str:
    """The client's own id where it is one, else a new one; the same for the whole request."""
    if _GIVEN not in request:
        given = request.headers.get("X-Request-Id", "")
        request[_GIVEN] = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
    return request[_GIVEN]


def error_answer(error: LinliError, ident: str) -> web.Response:
    """An error as the client reads it. `detail` stays here."""
    said: dict[str, Any] = {"code": error.code, "say": error.say, "request_id": ident}
    if fields := error.data.get("fields"):
        said["fields"] = fields
    answer = json_answer({"error": said}, error.http_status)
    if error.http_status in (429, 503):
        answer.headers["Retry-After"] = str(error.data.get("retry_after", 5))
    return answer


def json_answer(content: Any, status: int) -> web.Response:
    """JSON as real UTF-8."""
    if isinstance(content, BaseModel):
        return text_answer(content.model_dump_json(by_alias=True), status)
    return web.Response(body=orjson.dumps(content), status=status, content_type="application/json", charset="utf-8")


def text_answer(text: str, status: int) -> web.Response:
    """JSON that is text already."""
    return web.Response(text=text, status=status, content_type="application/json", charset="utf-8")


def framed(away: Callable[[BaseException], bool]) -> Any:
    """The middleware that turns every error into its answer, and puts the id on every answer."""

    @web.middleware
    async def frame(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            answer = await handler(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer in our shape
            answer = error_answer(told(error, request.path, request_id(request), away), request_id(request))
        if not answer.prepared:
            answer.headers["X-Request-Id"] = request_id(request)
            answer.headers.setdefault("Cache-Control", "no-store")
            answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer

    return frame


def told(error: Exception, path: str, ident: str, away: Callable[[BaseException], bool]) -> LinliError:
    """What the client is told of any error; what only the operator should know goes to the log."""
    if isinstance(error, LinliError):
        log.info("api refused", path=path, code=error.code, detail=error.detail, request=ident)
        return error
    if isinstance(error, web.HTTPException):
        return _of_http(error)
    if away(error):
        log.warning("database away", path=path, request=ident)
        return Unavailable(str(error), say="系统正在恢复，请过几秒再试。", retry_after=5)
    log.error("api failed", path=path, request=ident, exc_info=error)
    return LinliError()


def _of_http(error: web.HTTPException) -> LinliError:
    if error.status == 404:
        return NotFound("no such address", say="没有这个地址，请对照接口文档。")
    if error.status == 405:
        return WrongMethod("method", say="这个地址不支持这种请求方法，请对照接口文档。")
    if error.status == 413:
        return TooLarge("body", say="内容太大了。")
    return BadRequest(error.reason) if error.status < 500 else LinliError(error.reason)
