"""The page `/simulator`: phones side by side, and the JSON its script works with."""

import asyncio
import base64
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

import orjson
from aiohttp import web
from jinja2 import Environment, FileSystemLoader, select_autoescape

from errors import BadRequest, Conflict, LinliError, NotFound, Unavailable
from simulator import samples
from simulator.codes import Purpose
from simulator.config import Person
from simulator.courier import Delivery
from simulator.feed import next_news
from simulator.links import segments
from simulator.phones import SHOWN, Bubble, Phone
from simulator.platform import Platform
from simulator.qrcodes import draw
from simulator.refusals import ApiRefusal

HERE: Final = Path(__file__).parent
MAX_BODY: Final = 8 * 1024 * 1024
"""A photo of 5 MB as base64 inside JSON."""
SHOWN_BUBBLES: Final = 120
QUIET: Final = 15.0
"""Seconds between signs of life on the stream of news."""
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
SURNAMES: Final = "张刘赵周吴徐孙胡朱高林何郭马罗"

Act = Callable[[str, dict[str, Any]], Awaitable[Delivery]]


class Page:
    """The page and its JSON for one platform."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._html = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape())
        self._acts: dict[str, Act] = {
            "text": lambda openid, body: platform.send(openid, "text", text=_text(body, "text")),
            "tap": lambda openid, body: platform.tap(openid, int(body["id"]), _text(body, "content")),
            "click": lambda openid, body: platform.click(openid, _text(body, "key")),
            "press": self._press,
            "photo": self._photo,
            "voice": self._voice,
            "video": lambda openid, _body: platform.send(openid, "video"),
            "location": self._location,
            "scan": lambda openid, body: platform.scan(openid, _text(body, "scene")),
            "follow": lambda openid, _body: platform.follow(openid),
            "unfollow": lambda openid, _body: platform.unfollow(openid),
            "consent": self._consent,
        }

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Everything but the account's API."""
        # Mounted at /simulator, the page answers with and without the final slash.
        router.add_get("", self.show)
        router.add_get("/", self.show)
        router.add_static("/static", HERE / "static")
        router.add_get("/samples/{name}.png", self.show_sample)
        router.add_get("/media/{media_id}", self.show_media)
        router.add_get("/qrcode", self.show_qrcode)
        router.add_get("/api/state", self.state)
        router.add_get("/api/events", self.events)
        router.add_get("/api/faults", self.faults)
        router.add_get("/api/phones/{openid}", self.phone)
        router.add_post("/api/phones", self.add_phone)
        router.add_post("/api/phones/{openid}/code", self.make_code)
        router.add_post("/api/phones/{openid}/{act}", self.act)
        router.add_post("/api/faults", self.change_faults)
        router.add_delete("/api/faults", self.reset_faults)
        router.add_post("/api/verify", self.verify)

    async def show(self, request: web.Request) -> web.Response:
        """The page."""
        base = request.path.rstrip("/")
        html = self._html.get_template("phones.html").render(
            base=base,
            title=self._platform.config.title,
            mode=self._platform.config.mode,
            callback=self._platform.config.callback_url,
            room=urljoin(self._platform.config.callback_url, "/room?from=wechat"),
            places=self._platform.config.places,
            photos=samples.PHOTOS,
            subscriptions=list(self._platform.subscriptions),
        )
        return web.Response(text=html, content_type="text/html", headers={"Content-Security-Policy": POLICY})

    async def state(self, _request: web.Request) -> web.Response:
        """All the page shows, once; news follow on the stream."""
        platform = self._platform
        return _json(
            {
                "phones": [self._phone_json(phone, bubbles=True) for phone in platform.phones.on_page()],
                "menu": platform.menu.buttons,
                "qrcodes": self._qrcodes_json(),
                "journal": [note.as_json() for note in platform.journal][-60:],
                "faults": platform.faults.as_json(),
            }
        )

    async def events(self, request: web.Request) -> web.StreamResponse:
        """News as server-sent events."""
        try:
            with self._platform.feed.subscribe() as queue:
                return await self._stream(request, queue)
        except Unavailable as error:
            raise _http(error) from error

    async def phone(self, request: web.Request) -> web.Response:
        """One phone, shown or not, with its bubbles unless `?bubbles=0`."""
        return _json(self._phone_json(self._known(request), bubbles=request.query.get("bubbles") != "0"))

    async def add_phone(self, request: web.Request) -> web.Response:
        """One more resident, with an invented name unless one is given, who does not follow the account yet."""
        body = await _body(request)
        shown = self._platform.phones.on_page()
        if len(shown) >= SHOWN:
            raise _http(Conflict(say=f"最多同时显示 {SHOWN} 部手机。"))
        name = str(body.get("name") or f"{secrets.choice(SURNAMES)}{secrets.choice(('先生', '女士', '阿姨'))}")
        openid = str(body.get("openid") or f"o_sim_{secrets.token_urlsafe(9)}")
        person = Person(openid[:64], name[:20], str(body.get("role") or "居民")[:10])
        phone = self._platform.add_phone(person, following=body.get("following") is True)
        return _json(self._phone_json(phone, bubbles=True))

    async def act(self, request: web.Request) -> web.Response:
        """Something a person does with a phone; answers what became of the push."""
        phone = self._known(request)
        act = self._acts.get(request.match_info["act"])
        if act is None:
            raise _http(NotFound("no such act"))
        body = await _body(request)
        try:
            delivery = await act(phone.openid, body)
        except (KeyError, TypeError, ValueError) as error:
            raise _http(BadRequest(str(error))) from error
        except LinliError as error:
            raise _http(error) from error
        return _json(_delivery_json(delivery))

    async def make_code(self, request: web.Request) -> web.Response:
        """A mini-program code: {"purpose": "login"} or "phone"."""
        phone, body = self._known(request), await _body(request)
        purpose: Purpose = "phone" if body.get("purpose") == "phone" else "login"
        return _json({"code": self._platform.make_code(phone.openid, "phone" if purpose == "phone" else "login")})

    async def faults(self, _request: web.Request) -> web.Response:
        """The switches of the fault panel."""
        return _json(self._platform.faults.as_json())

    async def change_faults(self, request: web.Request) -> web.Response:
        """Set some of them."""
        body = await _body(request)
        try:
            self._platform.faults.change(body)
        except LinliError as error:
            raise _http(error) from error
        return await self.faults(request)

    async def reset_faults(self, request: web.Request) -> web.Response:
        """No faults."""
        self._platform.faults.reset()
        return await self.faults(request)

    async def verify(self, request: web.Request) -> web.Response:
        """The GET check of the callback address."""
        await _body(request)
        return _json(asdict(await self._platform.verify_callback()))

    async def show_sample(self, request: web.Request) -> web.Response:
        """A sample photo."""
        try:
            data = samples.photo(request.match_info["name"])
        except KeyError as error:
            raise web.HTTPNotFound from error
        return web.Response(body=data, content_type="image/png")

    async def show_media(self, request: web.Request) -> web.Response:
        """A medium inside a chat."""
        media = self._platform.media.find(request.match_info["media_id"])
        if media is None:
            raise web.HTTPNotFound
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "max-age=86400"}
        return web.Response(body=self._platform.media.read(media), content_type=media.content_type, headers=headers)

    async def show_qrcode(self, request: web.Request) -> web.Response:
        """A QR code by its ticket."""
        code = self._platform.qrcodes.find(request.query.get("ticket", ""))
        if code is None:
            raise web.HTTPNotFound
        return web.Response(body=draw(code), content_type="image/png")

    async def _stream(self, request: web.Request, queue: asyncio.Queue[bytes | None]) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await stream.prepare(request)
        try:
            await stream.write(b"retry: 2000\n\n")
            while (line := await next_news(queue, QUIET)) is not None:
                await stream.write(b"data: " + self._enrich(line) + b"\n\n" if line else b": quiet\n\n")
        except ConnectionError:
            # The page was closed; there is nobody left to answer.
            return stream
        return stream

    def _known(self, request: web.Request) -> Phone:
        phone = self._platform.phones.find(request.match_info["openid"])
        if phone is None:
            raise _http(NotFound("no such phone"))
        return phone

    async def _press(self, openid: str, body: dict[str, Any]) -> Delivery:
        path = [int(index) for index in body["path"]]
        return await self._platform.press(openid, path, str(body.get("result", "")))

    async def _photo(self, openid: str, body: dict[str, Any]) -> Delivery:
        if "sample" in body:
            data = samples.photo(str(body["sample"]))
        else:
            data = base64.b64decode(_text(body, "data"), validate=True)
        return await self._platform.send(openid, "image", data=data)

    async def _voice(self, openid: str, body: dict[str, Any]) -> Delivery:
        seconds = min(60, max(1, int(body.get("seconds", 3))))
        return await self._platform.send(openid, "voice", seconds=seconds)

    async def _location(self, openid: str, body: dict[str, Any]) -> Delivery:
        latitude, longitude = float(body["latitude"]), float(body["longitude"])
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            raise BadRequest("no place on earth")
        label = str(body.get("label", ""))[:100]
        return await self._platform.send(openid, "location", latitude=latitude, longitude=longitude, label=label)

    async def _consent(self, openid: str, body: dict[str, Any]) -> Delivery:
        accept = body.get("accept") is not False
        try:
            return await self._platform.subscribe_consent(openid, _text(body, "template_id"), accept)
        except ApiRefusal as refusal:
            raise NotFound(str(refusal)) from refusal

    def _enrich(self, line: bytes) -> bytes:
        """Complete a line of news with what the page needs; done once per page, not once per message."""
        news = orjson.loads(line)
        phone = self._platform.phones.find(str(news.get("openid", "")))
        if phone is not None:
            news["phone"] = self._phone_json(phone, bubbles=False)
        if "bubble" in news:
            news["bubble"]["segments"] = [asdict(segment) for segment in segments(news["bubble"]["text"])]
        if news["kind"] == "qrcodes":
            news["qrcodes"] = self._qrcodes_json()
        return orjson.dumps(news)

    def _phone_json(self, phone: Phone, *, bubbles: bool) -> dict[str, Any]:
        platform, now = self._platform, self._platform.now()
        typing = (phone.typing_until - now).total_seconds() if phone.typing_until else 0.0
        plain: dict[str, Any] = {
            "openid": phone.openid,
            "name": phone.name,
            "role": phone.role,
            "following": phone.following,
            "quota": platform.quota.left(phone.openid, now),
            "quota_changes_in": platform.quota.next_close(phone.openid, now),
            "consents": {t.template_id: platform.consents.left(phone.openid, t) for t in platform.subscriptions},
            "typing": max(0.0, typing),
        }
        if bubbles:
            plain["bubbles"] = [_bubble_json(bubble) for bubble in list(phone.bubbles)[-SHOWN_BUBBLES:]]
        return plain

    def _qrcodes_json(self) -> list[dict[str, str]]:
        alive = self._platform.qrcodes.alive(self._platform.now())
        labels = self._platform.config.scenes
        return [
            {"scene": code.scene, "ticket": code.ticket, "label": labels.get(code.scene, code.scene)}
            for code in reversed(alive[:100])
        ]


def _bubble_json(bubble: Bubble) -> dict[str, Any]:
    return bubble.as_json() | {"segments": [asdict(segment) for segment in segments(bubble.text)]}


def _delivery_json(delivery: Delivery) -> dict[str, Any]:
    return {
        "outcome": delivery.outcome,
        "text": delivery.text,
        "kind": delivery.kind,
        "attempts": delivery.attempts,
        "seconds": round(delivery.seconds, 4),
        "reason": delivery.reason,
        "msg_id": str(delivery.msg_id or ""),
    }


async def _body(request: web.Request) -> dict[str, Any]:
    """A JSON object. Only JSON is taken: a foreign page cannot send it without asking, so none can work the
    phones."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="application/json")
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > MAX_BODY:
            raise web.HTTPRequestEntityTooLarge(MAX_BODY, len(body))
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _http(BadRequest("not JSON")) from error
    if not isinstance(parsed, dict):
        raise _http(BadRequest("not a JSON object"))
    return parsed


def _text(body: dict[str, Any], name: str) -> str:
    value = body[name]
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{name} is a text")
    return value


def _http(error: LinliError) -> web.HTTPException:
    """The error as the page's script reads it."""
    kinds: dict[int, type[web.HTTPException]] = {
        404: web.HTTPNotFound,
        409: web.HTTPConflict,
        503: web.HTTPServiceUnavailable,
    }
    text = orjson.dumps({"code": error.code, "say": error.say, "detail": error.detail}).decode()
    return kinds.get(error.http_status, web.HTTPBadRequest)(text=text, content_type="application/json")


def _json(answer: Any) -> web.Response:
    return web.Response(body=orjson.dumps(answer), content_type="application/json")
