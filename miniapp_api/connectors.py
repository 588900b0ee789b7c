"""`POST /api/v1/connectors/{name}/orders` and `/updates`: what other platforms send us, signed as we sign to them.

The signature is over the time and the body as it came. Unknown names and wrong signatures get the same answer.
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog
from aiohttp import web

from domain.connectors import find_connector, signature
from domain.inbound import Arrival, News, Order, take_order, take_update
from domain.journal import audit
from errors import BadRequest, BadSignature, LinliError, NotFound, StaleTimestamp, TooLarge

log = structlog.get_logger(__name__)

_MOST_BYTES = 64 * 1024
_WINDOW = timedelta(minutes=5)
_CONTACT = ("name", "phone")
_MOST_PHOTOS = 9

Page = Callable[[Arrival], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Connectors:
    """What the pages need to know."""

    now: Callable[[], datetime]
    wake: Callable[[], Awaitable[None]]
    reopen_within: timedelta


def add_routes(app: web.Application, options: Connectors) -> None:
    """Mount both pages."""

    async def update(arrival: Arrival) -> dict[str, Any]:
        return await take_update(arrival, read_news(arrival.body), reopen_within=options.reopen_within)

    async def order(arrival: Arrival) -> dict[str, Any]:
        return await take_order(arrival, read_order(arrival.body))

    app.router.add_post("/api/v1/connectors/{name}/orders", _signed(order, options))
    app.router.add_post("/api/v1/connectors/{name}/updates", _signed(update, options))


def _signed(page: Page, options: Connectors) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answered(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        try:
            answer = await page(await _arrival(request, name, options.now()))
        except LinliError as error:
            await _audit_refusal(error, name, options.now())
            log.info("connector refused", connector=name, code=error.code, detail=error.detail)
            return _json({"error": {"code": error.code, "say": error.say}}, error.http_status)
        except Exception:
            log.exception("connector page failed", connector=name)
            return _json({"error": {"code": LinliError.code, "say": LinliError.default_say}}, LinliError.http_status)
        await options.wake()
        return _json(answer, 200)

    return answered


def _json(content: Mapping[str, Any], status: int) -> web.Response:
    return web.Response(body=orjson.dumps(content), status=status, content_type="application/json", charset="utf-8")


async def _audit_refusal(error: LinliError, name: str, now: datetime) -> None:
    """A refused attempt at a case leaves a row, as anybody's does."""
    if tag := error.data.get("tag"):
        via = f"connector:{name}"[:40]
        await audit(via, str(tag), error.data.get("object_id"), now, allowed=False, source=via)


async def _arrival(request: web.Request, name: str, now: datetime) -> Arrival:
    """The message, its signature checked. Raises BadSignature, StaleTimestamp, TooLarge, BadRequest."""
    body = await _body(request)
    timestamp = request.headers.get("X-Linli-Timestamp", "")
    try:
        connector = await find_connector(name)
    except NotFound:
        connector = None
    # Something is computed for an unknown name too: how long the answer takes says nothing.
    meant = signature(connector.secret if connector else "", timestamp, body)
    fits = hmac.compare_digest(meant.encode(), request.headers.get("X-Linli-Signature", "").encode(errors="replace"))
    if connector is None or not connector.active or not fits:
        raise BadSignature(f"connector {name}", say="签名不对，或者没有这个平台。")
    if not timestamp.isascii() or not timestamp.isdigit() or not _is_recent(int(timestamp[:12]), now):
        raise StaleTimestamp(f"connector {name}", say="时间戳和我们的时间相差超过五分钟，请校准时钟后重新签名。")
    return Arrival(connector, _object(body), now)


def _is_recent(seconds: int, now: datetime) -> bool:
    return abs(now.timestamp() - seconds) <= _WINDOW.total_seconds()


async def _body(request: web.Request) -> bytes:
    try:
        return await request.clone(client_max_size=_MOST_BYTES).read()
    except web.HTTPRequestEntityTooLarge as error:
        raise TooLarge("body", say=f"内容超过 {_MOST_BYTES // 1024} KB。") from error


def _object(body: bytes) -> dict[str, Any]:
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict):
        raise BadRequest("no JSON object", say="内容必须是一个 JSON 对象。")
    if b"\\u0000" in body:
        raise BadRequest("NUL", say="内容里有不能保存的字符（\\u0000）。")
    return given


def read_order(body: Mapping[str, Any]) -> Order:
    """An order. Raises BadRequest that names the field."""
    contact = body.get("contact") or {}
    if not isinstance(contact, dict):
        raise BadRequest("contact", say='contact 必须是对象：{"name": …, "phone": …}。')
    position, gcj = _position(body.get("position"))
    return Order(
        update_id=_text(body, "update_id", 64, needed=True),
        external_id=_text(body, "external_id", 64, needed=True),
        category=_text(body, "category", 64, needed=True),
        description=_text(body, "description", 4000, needed=True),
        place=_text(body, "place", 200),
        position=position,
        gcj=gcj,
        urgent=body.get("urgent") is True,
        contact={name: _text(contact, name, 100) for name in _CONTACT if contact.get(name)},
    )


def read_news(body: Mapping[str, Any]) -> News:
    """An update. Raises BadRequest that names the field."""
    news = News(
        update_id=_text(body, "update_id", 64, needed=True),
        status=_text(body, "status", 64, needed=True),
        text=_text(body, "text", 2000),
        number=_text(body, "number", 24),
        external_id=_text(body, "external_id", 64),
        photos=_photos(body.get("photos")),
    )
    if not news.number and not news.external_id:
        raise BadRequest("which case", say="请写 number（我们的编号）或 external_id（贵方编号）。")
    return news


def _photos(given: Any) -> list[str]:
    if given is None:
        return []
    if not isinstance(given, list) or len(given) > _MOST_PHOTOS or not all(isinstance(one, str) for one in given):
        raise BadRequest("photos", say=f"photos 必须是照片地址的列表，最多 {_MOST_PHOTOS} 张。")
    return given


def _text(body: Mapping[str, Any], name: str, most: int, *, needed: bool = False) -> str:
    value = body.get(name)
    value = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    value = value.strip() if isinstance(value, str) else value
    if value is None or value == "":
        if needed:
            raise BadRequest(f"{name} missing", say=f"缺少 {name}。")
        return ""
    if not isinstance(value, str) or len(value) > most:
        raise BadRequest(f"{name} wrong", say=f"{name} 必须是不超过 {most} 字的文字。")
    return value


def _position(given: Any) -> tuple[tuple[float, float] | None, bool]:
    """((latitude, longitude), whether in GCJ-02) of {"wgs84": [longitude, latitude]} or {"gcj02": …}."""
    if given is None:
        return None, False
    datum = next((name for name in ("gcj02", "wgs84") if isinstance(given, dict) and name in given), "")
    point = given[datum] if datum else None
    if not isinstance(point, list) or len(point) != 2 or not all(map(_is_degree, point)) or abs(point[1]) > 90:
        raise BadRequest("position", say='position 必须是 {"wgs84": [经度, 纬度]} 或 {"gcj02": [经度, 纬度]}。')
    return (float(point[1]), float(point[0])), datum == "gcj02"


def _is_degree(number: Any) -> bool:
    return isinstance(number, int | float) and math.isfinite(number) and abs(number) <= 180
