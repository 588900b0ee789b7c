"""The calls Linli makes to WeChat, as typed methods.

wechatpy builds the requests it knows (custom text and image, template, menu, QR code, user, media): its API
classes only ever pass a path and data to a client, so they are given one that hands these back as a `Call`.
Sending is ours (`bot/transport.py`), because wechatpy's client blocks, has fixed hosts, no time-out, and
retries a refused token without end. Built here are the messages wechatpy 1.8.18 does not know: msgmenu,
typing, subscription notices.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Literal, TypeVar
from urllib.parse import quote, urlsplit

import aiohttp
import stamina
from redis import asyncio as aioredis
from wechatpy.client.api import WeChatMedia, WeChatMenu, WeChatMessage, WeChatQRCode, WeChatUser

from bot.config import WeChatConfig
from bot.limits import RateLimits
from bot.menu import Button, menu_body
from bot.messages import Choice
from bot.tokens import TokenStore, stable_token
from bot.transport import MEDIA_LIMIT, Answer, Call, Transport, Upload, read_object, unreachable
from errors import BadRequest, WeChatError, WeChatUnreachable

OFFICIAL_BASE = "https://api.weixin.qq.com"
QR_SECONDS = 30 * 24 * 3600
"""Life of a temporary QR code: the longest WeChat gives."""
_BUSY = -1
_BAD_TOKEN = frozenset({40001, 40014, 42001})
_VIDEO_HOSTS = (".qq.com", ".qpic.cn")


@dataclass(frozen=True, slots=True)
class CustomText:
    """A customer-service text, 2,048 bytes at most."""

    content: str


@dataclass(frozen=True, slots=True)
class CustomImage:
    """A customer-service picture the account has uploaded."""

    media_id: str


@dataclass(frozen=True, slots=True)
class CustomMenu:
    """A question with tappable answers. Only verified service accounts may send it (40200 otherwise)."""

    head: str
    choices: tuple[Choice, ...]
    tail: str = ""


CustomMessage = CustomText | CustomImage | CustomMenu


@dataclass(frozen=True, slots=True)
class Notice:
    """A template message or subscription notice: keyword to value, already made to fit (`bot.fields.fill`),
    and the page it opens. The mini-program page wins where both are given."""

    template_id: str
    data: Mapping[str, str]
    url: str = ""
    mini_appid: str = ""
    mini_page: str = ""


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code: `ticket` for the platform's picture, `url` for one's own. `seconds` is None for a permanent
    one."""

    ticket: str
    url: str
    seconds: int | None


@dataclass(frozen=True, slots=True)
class Media:
    """A file a person has sent."""

    data: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class UserInfo:
    """What WeChat still tells about a person: names and pictures are empty since 2021."""

    openid: str
    subscribed: bool
    unionid: str = ""
    language: str = ""
    remark: str = ""
    tag_ids: tuple[int, ...] = ()
    scene: str = ""
    """Scene of the QR code the person followed through."""


MediaKind = Literal["image", "voice", "video", "thumb"]
T = TypeVar("T")
Make = Callable[[Call, str], Awaitable[T]]
"""One try of a call with a token."""


class Repeat(Enum):
    """When a call may be made again without asking."""

    NEVER = "never"
    """A message: a repeat may reach the person twice."""
    BUSY = "busy"
    """Done twice is done once, and WeChat has said that it was not done (-1). Not after a time-out."""
    ALWAYS = "always"
    """It only reads."""


class _Builder:
    """Stands in for wechatpy's client: what its API classes would send comes back as a Call."""

    def get(self, url: str, **parts: Any) -> Call:
        return self._call("GET", url, parts)

    def post(self, url: str, **parts: Any) -> Call:
        return self._call("POST", url, parts)

    @staticmethod
    def _call(method: str, url: str, parts: Mapping[str, Any]) -> Call:
        params = {name: str(value) for name, value in (parts.get("params") or {}).items()}
        upload = (parts.get("files") or {}).get("media")
        return Call(method, f"cgi-bin/{url}", params, parts.get("data"), upload)


def connect(config: WeChatConfig, session: aiohttp.ClientSession, redis: aioredis.Redis) -> "WeChatApi":
    """An API client with its token store and limits."""
    transport = Transport(config.api_base, session)
    tokens = TokenStore(redis, config.appid, stable_token(config, transport))
    return WeChatApi(config, session, tokens, RateLimits(redis, config.appid))


class WeChatApi:
    """One account's API. Every method raises WeChatError when WeChat refuses, WeChatUnreachable when there
    is no usable answer (TokenUnavailable when there is no token), Unavailable when a limit of ours is
    reached."""

    def __init__(
        self, config: WeChatConfig, session: aiohttp.ClientSession, tokens: TokenStore, limits: RateLimits
    ) -> None:
        self._transport = Transport(config.api_base, session)
        self._fetch_token = stable_token(config, self._transport)
        self._tokens = tokens
        self._limits = limits
        builder = _Builder()
        self._message = WeChatMessage(builder)
        self._menu = WeChatMenu(builder)
        self._qrcode = WeChatQRCode(builder)
        self._user = WeChatUser(builder)
        self._media = WeChatMedia(builder)
        self._builder = builder

    async def send_custom(self, openid: str, message: CustomMessage) -> None:
        """A customer-service message. Possible for 48 hours after the person wrote (5 of them), for a minute
        after a tap, a scan or following (3)."""
        match message:
            case CustomText(content):
                call = self._message.send_text(openid, content)
            case CustomImage(media_id):
                call = self._message.send_image(openid, media_id)
            case CustomMenu():
                call = self._builder.post("message/custom/send", data=_menu_message(openid, message))
        await self._json(call, Repeat.NEVER)

    async def typing(self, openid: str, on: bool) -> None:
        """Show or hide "is typing" for up to 15 seconds; needs something from the person in the last 30."""
        command = "Typing" if on else "CancelTyping"
        call = self._builder.post("message/custom/typing", data={"touser": openid, "command": command})
        await self._json(call, Repeat.NEVER)

    async def send_template(self, openid: str, notice: Notice, client_msg_id: str) -> int:
        """A template message to a follower; answers WeChat's id of it, which comes back in
        TEMPLATESENDJOBFINISH. WeChat sends one `client_msg_id` to one person once in ten minutes."""
        call = self._message.send_template(
            openid, notice.template_id, _values(notice), notice.url or None, _mini_program(notice)
        )
        call = replace(call, body={**call.body, "client_msg_id": client_msg_id})
        answer = await self._json(call, Repeat.BUSY)
        return int(answer.get("msgid") or 0)

    async def send_subscription(self, openid: str, notice: Notice) -> None:
        """A subscription notice (bizsend): uses up one consent of the person."""
        body: dict[str, Any] = {"touser": openid, "template_id": notice.template_id, "data": _values(notice)}
        if notice.url:
            body["page"] = notice.url
        if mini_program := _mini_program(notice):
            body["miniprogram"] = mini_program
        await self._json(self._builder.post("message/subscribe/bizsend", data=body), Repeat.NEVER)

    async def create_menu(self, buttons: Sequence[Button]) -> None:
        """Put the account's menu; phones show it within 24 hours. Raises SettingsError for a menu beyond
        limits."""
        await self._json(self._menu.create(menu_body(buttons)), Repeat.BUSY)

    async def create_qrcode(self, scene: str | int, *, permanent: bool) -> QrCode:
        """A QR code that tells us `scene` when scanned. Raises BadRequest for a scene beyond WeChat's
        limits."""
        call = self._qrcode.create(_qrcode_body(scene, permanent=permanent))
        answer = await self._json(call, Repeat.BUSY)
        if not isinstance(answer.get("ticket"), str) or not isinstance(answer.get("url"), str):
            raise unreachable(call.path, "no ticket in the answer", sent=True)
        seconds = answer.get("expire_seconds")
        return QrCode(answer["ticket"], answer["url"], int(seconds) if seconds and not permanent else None)

    def qrcode_url(self, ticket: str) -> str:
        """Address of the platform's picture of a QR code; it needs no token."""
        base = self._transport.api_base
        host = "https://mp.weixin.qq.com" if base == OFFICIAL_BASE else base
        return f"{host}/cgi-bin/showqrcode?ticket={quote(ticket, safe='')}"

    async def download_media(self, media_id: str) -> Media:
        """A file a person has sent in the last three days, 20 MB at most."""
        call = self._media.download(media_id)
        answer = await self._repeating(call, Repeat.ALWAYS, self._download)
        return Media(answer.data, answer.content_type)

    async def upload_media(self, kind: MediaKind, filename: str, data: bytes, content_type: str) -> str:
        """Upload a file for three days; answers its media_id."""
        call = self._media.upload(kind, Upload(filename, data, content_type))
        answer = await self._json(call, Repeat.NEVER)
        media_id = answer.get("media_id") or answer.get("thumb_media_id")
        if not isinstance(media_id, str):
            raise unreachable(call.path, "no media_id in the answer", sent=True)
        return media_id

    async def user_info(self, openid: str) -> UserInfo:
        """Whether the person follows, and what little WeChat tells."""
        answer = await self._json(self._user.get(openid), Repeat.ALWAYS)
        return UserInfo(
            openid=str(answer.get("openid", openid)),
            subscribed=bool(answer.get("subscribe")),
            unionid=str(answer.get("unionid", "")),
            language=str(answer.get("language", "")),
            remark=str(answer.get("remark", "")),
            tag_ids=tuple(tag for tag in answer.get("tagid_list") or () if isinstance(tag, int)),
            scene=str(answer.get("qr_scene_str") or answer.get("qr_scene") or ""),
        )

    async def ask(self, path: str, body: Mapping[str, Any], repeat: Repeat) -> dict[str, Any]:
        """The answer of an API that has no method here, by its path below the base ("wxa/msg_sec_check")."""
        return await self._json(Call("POST", path, body=body), repeat)

    async def stable_token(self) -> tuple[str, float]:
        """A token straight from WeChat and its seconds to live, past the store: for checking the settings."""
        return await self._fetch_token()

    async def _json(self, call: Call, repeat: Repeat) -> dict[str, Any]:
        return await self._repeating(call, repeat, self._transport.json)

    async def _repeating(self, call: Call, repeat: Repeat, make: Make[T]) -> T:
        """The call, counted against its limit, again where `repeat` allows it."""

        def again(error: Exception) -> bool:
            if isinstance(error, WeChatError):
                return repeat is not Repeat.NEVER and error.errcode == _BUSY
            unanswered = isinstance(error, WeChatUnreachable) and "retry_after" not in error.data
            return unanswered and repeat is Repeat.ALWAYS

        async for attempt in stamina.retry_context(on=again, attempts=3, timeout=15):
            with attempt:
                await self._limits.take(call.path)
                return await self._with_token(call, make)
        raise AssertionError("stamina raises the last error")

    async def _with_token(self, call: Call, make: Make[T]) -> T:
        """The call with our token, a second time with a new one if WeChat refuses it, and no third time."""
        token = await self._tokens.get()
        try:
            return await make(call, token)
        except WeChatError as error:
            if error.errcode not in _BAD_TOKEN:
                raise
        return await make(call, await self._tokens.refused(token))

    async def _download(self, call: Call, token: str) -> Answer:
        """A file's bytes. Errors come as JSON, and so does the address of a video."""
        answer = await self._transport.fetch(call, token, limit=MEDIA_LIMIT)
        if not answer.data.startswith(b"{"):
            return answer
        url = str(read_object(call.path, answer.data).get("video_url", ""))
        host = urlsplit(url).hostname or ""
        if not (host == urlsplit(self._transport.api_base).hostname or host.endswith(_VIDEO_HOSTS)):
            raise unreachable(call.path, "neither a file nor the address of one", sent=True)
        return await self._transport.fetch_url(url, call.path, limit=MEDIA_LIMIT)


def _menu_message(openid: str, menu: CustomMenu) -> dict[str, Any]:
    items = [{"id": str(choice.tap), "content": choice.label} for choice in menu.choices]
    body = {"head_content": menu.head, "list": items, "tail_content": menu.tail}
    return {"touser": openid, "msgtype": "msgmenu", "msgmenu": body}


def _values(notice: Notice) -> dict[str, dict[str, str]]:
    return {keyword: {"value": value} for keyword, value in notice.data.items()}


def _mini_program(notice: Notice) -> dict[str, str] | None:
    return {"appid": notice.mini_appid, "pagepath": notice.mini_page} if notice.mini_appid else None


def _qrcode_body(scene: str | int, *, permanent: bool) -> dict[str, Any]:
    value: dict[str, str | int]
    if isinstance(scene, int):
        if not 1 <= scene <= (100_000 if permanent else 2**32 - 1):
            raise BadRequest(f"QR scene {scene}: 1 to 100000 for a permanent code, else 32 bits")
        name, value = ("QR_LIMIT_SCENE" if permanent else "QR_SCENE"), {"scene_id": scene}
    else:
        if not 1 <= len(scene) <= 64:
            raise BadRequest(f"QR scene of {len(scene)} characters: 1 to 64")
        name, value = ("QR_LIMIT_STR_SCENE" if permanent else "QR_STR_SCENE"), {"scene_str": scene}
    body: dict[str, Any] = {"action_name": name, "action_info": {"scene": value}}
    return body if permanent else {"expire_seconds": QR_SECONDS, **body}
