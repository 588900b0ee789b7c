"""The account's API over HTTP: finds the endpoint, applies faults, checks token and daily limit, answers HTTP
200."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson
from aiohttp import BodyPartReader, web

from simulator import api_account as account
from simulator import api_mass as mass
from simulator import api_messages as messages
from simulator import content_check, oauth
from simulator.call import Call, File
from simulator.faults import ApiFault
from simulator.platform import Platform
from simulator.qrcodes import draw
from simulator.refusals import ApiRefusal, request_id

MAX_JSON: Final = 1024 * 1024
MAX_UPLOAD: Final = 12 * 1024 * 1024
LONGEST_HANG: Final = 120.0

Run = Callable[[Call], dict[str, Any] | File]
Owner = Literal["", "account", "miniapp"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path of the API. `owner` says whose token it takes, "" that it takes none."""

    method: Literal["GET", "POST"]
    run: Run
    owner: Owner = "account"


ENDPOINTS: Final[dict[str, Endpoint]] = {
    "/cgi-bin/token": Endpoint("GET", account.token, ""),
    "/cgi-bin/stable_token": Endpoint("POST", account.stable_token, ""),
    "/cgi-bin/message/custom/send": Endpoint("POST", messages.custom_send),
    "/cgi-bin/message/custom/typing": Endpoint("POST", messages.typing),
    "/cgi-bin/message/template/send": Endpoint("POST", messages.template_send),
    "/cgi-bin/message/subscribe/bizsend": Endpoint("POST", messages.subscribe_send),
    "/cgi-bin/message/mass/send": Endpoint("POST", mass.mass_send),
    "/cgi-bin/message/mass/sendall": Endpoint("POST", mass.mass_send_all),
    "/cgi-bin/message/mass/get": Endpoint("POST", mass.mass_get),
    "/cgi-bin/message/mass/delete": Endpoint("POST", mass.mass_delete),
    "/cgi-bin/message/mass/preview": Endpoint("POST", mass.mass_preview),
    "/cgi-bin/template/get_all_private_template": Endpoint("GET", messages.template_list),
    "/wxaapi/newtmpl/gettemplate": Endpoint("GET", messages.subscription_list),
    "/cgi-bin/menu/create": Endpoint("POST", account.menu_create),
    "/cgi-bin/menu/get": Endpoint("GET", account.menu_get),
    "/cgi-bin/menu/delete": Endpoint("GET", account.menu_delete),
    "/cgi-bin/qrcode/create": Endpoint("POST", account.qrcode_create),
    "/cgi-bin/media/upload": Endpoint("POST", account.media_upload),
    "/cgi-bin/media/get": Endpoint("GET", account.media_get),
    "/cgi-bin/user/info": Endpoint("GET", account.user_info),
    "/cgi-bin/user/get": Endpoint("GET", account.user_list),
    "/cgi-bin/getcallbackip": Endpoint("GET", account.callback_ips),
    "/cgi-bin/get_api_domain_ip": Endpoint("GET", account.api_ips),
    "/cgi-bin/openapi/quota/get": Endpoint("POST", account.quota_get),
    "/cgi-bin/clear_quota": Endpoint("POST", account.clear_quota),
    "/sns/jscode2session": Endpoint("GET", account.code_to_session, ""),
    "/sns/oauth2/access_token": Endpoint("GET", oauth.web_user, ""),
    "/wxa/business/getuserphonenumber": Endpoint("POST", account.phone_number, "miniapp"),
    "/wxa/msg_sec_check": Endpoint("POST", content_check.msg_sec_check, "miniapp"),
    "/wxa/media_check_async": Endpoint("POST", content_check.media_check_async, "miniapp"),
}


class WeChatApi:
    """The HTTP side of one platform's API."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any path below the API base."""
        path = "/" + request.match_info["path"]
        if path == "/cgi-bin/showqrcode":
            return self._show_qrcode(request)
        if path == oauth.AUTHORIZE:
            return oauth.authorize(self._platform, request)
        fault = self._platform.faults.take_api(path)
        if fault is None:
            return await self._answer(request, path)
        return await self._answer_with_fault(request, path, fault)

    async def _answer(self, request: web.Request, path: str) -> web.StreamResponse:
        body = b""
        try:
            endpoint = _endpoint(path, request.method)
            appid = self._check_token(request, endpoint.owner)
            self._platform.calls.count(appid, path, self._platform.now())
            files = None
            if request.content_type.startswith("multipart/"):
                files = await _read_files(request)
            else:
                body = await _read(request.content.iter_any(), MAX_JSON)
            result = endpoint.run(Call(self._platform, path, request.query, body, appid, files))
        except ApiRefusal as refusal:
            return self._refused(path, refusal, _addressee(body))
        if isinstance(result, File):
            return web.Response(
                body=result.content,
                content_type=result.content_type,
                headers={"Content-disposition": f'attachment; filename="{result.name}"'},
            )
        return _json(path, result)

    def _check_token(self, request: web.Request, owner: Owner) -> str:
        """The appid the call speaks for. Raises ApiRefusal."""
        if not owner:
            return ""
        appid = self._platform.tokens.check(request.query.get("access_token", ""), self._platform.now())
        config = self._platform.config
        wanted = config.appid if owner == "account" else config.miniapp_appid or config.appid
        if appid != wanted:
            raise ApiRefusal(48001)
        return appid

    def _refused(self, path: str, refusal: ApiRefusal, openid: str = "") -> web.Response:
        """HTTP 200 with the errcode; the journal tells whose message it was."""
        self._platform.note(f"接口 {path}", f"{refusal.errcode} {refusal.errmsg}", openid)
        rid = request_id(self._platform.random)
        return _json(path, {"errcode": refusal.errcode, "errmsg": f"{refusal.errmsg} rid: {rid}"})

    async def _answer_with_fault(self, request: web.Request, path: str, fault: ApiFault) -> web.StreamResponse:
        self._platform.note(f"接口 {path}", f"故障演练：{fault.kind}")
        if fault.kind == "errcode":
            return self._refused(path, ApiRefusal(fault.errcode, fault.errmsg))
        if fault.kind == "http_500":
            return web.Response(status=500, text="<html><body><h1>500 Internal Server Error</h1></body></html>")
        if fault.kind == "garbage":
            return web.Response(text="<html><title>网络认证</title></html>", content_type="text/html")
        if fault.kind in ("hang", "slow"):
            await self._pause(fault.seconds)
        answer: web.StreamResponse = web.Response()
        if fault.kind in ("slow", "reset_after"):
            answer = await self._answer(request, path)
        if fault.kind != "slow" and request.transport is not None:
            request.transport.abort()
        return answer

    async def _pause(self, seconds: float) -> None:
        """Wait, but not longer than the platform lives."""
        try:
            async with asyncio.timeout(min(seconds, LONGEST_HANG)):
                await self._platform.closing.wait()
        except TimeoutError:
            return

    def _show_qrcode(self, request: web.Request) -> web.Response:
        """The image of a ticket; needs no token."""
        code = self._platform.qrcodes.find(request.query.get("ticket", ""))
        if code is None:
            # Assumption: an unknown ticket is answered with 404.
            return web.Response(status=404)
        return web.Response(body=draw(code), content_type="image/png")


def _endpoint(path: str, method: str) -> Endpoint:
    """Raises ApiRefusal 40066 for an unknown path, 43001 or 43002 for the wrong method."""
    endpoint = ENDPOINTS.get(path)
    if endpoint is None:
        raise ApiRefusal(40066)
    if endpoint.method != method:
        raise ApiRefusal(43001 if endpoint.method == "GET" else 43002)
    return endpoint


def _addressee(body: bytes) -> str:
    """`touser` of a refused call, whatever else is wrong with it; "" when there is none."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    openid = parsed.get("touser") if isinstance(parsed, dict) else None
    return openid[:64] if isinstance(openid, str) else ""


def _json(path: str, answer: dict[str, Any]) -> web.Response:
    # Login codes are answered as text/plain on WeChat, a trap for clients that go by the header.
    kind = "text/plain" if path.startswith("/sns/") else "application/json; encoding=utf-8"
    return web.Response(body=orjson.dumps(answer), headers={"Content-Type": kind})


async def _read(chunks: Any, most: int) -> bytes:
    """All bytes of a body. Raises ApiRefusal 45002 past the limit."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > most:
            raise ApiRefusal(45002)
    return bytes(body)


async def _read_files(request: web.Request) -> dict[str, bytes]:
    """The parts of a multipart body by name, read here because the mounting application has its own, lower
    limit."""
    files: dict[str, bytes] = {}
    try:
        reader = await request.multipart()
        async for part in reader:
            if isinstance(part, BodyPartReader) and part.name:
                files[part.name] = await _read_part(part.read_chunk)
    except ValueError as error:
        raise ApiRefusal(41005) from error
    return files


async def _read_part(read_chunk: Callable[[int], Awaitable[bytes]]) -> bytes:
    data = bytearray()
    while chunk := await read_chunk(64 * 1024):
        data += chunk
        if len(data) > MAX_UPLOAD:
            raise ApiRefusal(40006)
    return bytes(data)
