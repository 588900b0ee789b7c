"""One HTTP call to WeChat's API: time-outs, bounded answers, and errors that arrive as 200 + errcode.

Error details never carry the address: the access token is part of it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from errors import WeChatError, WeChatUnreachable

TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5, sock_connect=5)
JSON_LIMIT = 1024 * 1024
MEDIA_LIMIT = 20 * 1024 * 1024
"""Bytes; above WeChat's own limits (images and videos 10 MB)."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to send as multipart field `media`."""

    filename: str
    data: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Call:
    """One API call, without the access token."""

    method: str
    path: str
    """Under the API base, without a leading slash: "cgi-bin/menu/create". It is also the API's name in
    errors and limits."""
    params: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    upload: Upload | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, unread."""

    data: bytes
    content_type: str


def unreachable(api: str, detail: str, *, sent: bool) -> WeChatUnreachable:
    """The error for no usable answer. `data["sent"]` is False where WeChat has certainly not seen the call,
    so that repeating it cannot do it twice."""
    error = WeChatUnreachable(api, detail)
    error.data["sent"] = sent
    return error


class Transport:
    """Calls to one API base over a shared client session."""

    def __init__(self, api_base: str, session: aiohttp.ClientSession) -> None:
        self.api_base = api_base.rstrip("/")
        self._session = session

    async def json(self, call: Call, token: str = "") -> dict[str, Any]:
        """The answer's JSON object, its errcode 0 or absent. Raises WeChatError, WeChatUnreachable."""
        answer = await self.fetch(call, token)
        return read_object(call.path, answer.data)

    async def fetch(self, call: Call, token: str = "", *, limit: int = JSON_LIMIT) -> Answer:
        """The answer's bytes, at most `limit`. Raises WeChatUnreachable."""
        params = {"access_token": token, **call.params} if token else dict(call.params)
        return await self._request(call, f"{self.api_base}/{call.path}", params, limit)

    async def fetch_url(self, url: str, api: str, *, limit: int) -> Answer:
        """The bytes at an address WeChat has given us. Raises WeChatUnreachable."""
        return await self._request(Call("GET", api), url, {}, limit)

    async def _request(self, call: Call, url: str, params: Mapping[str, str], limit: int) -> Answer:
        data, headers = _payload(call)
        try:
            # A redirect would carry the token to another host.
            async with self._session.request(
                call.method,
                url,
                params=params,
                data=data,
                headers=headers,
                timeout=TIMEOUT,
                allow_redirects=False,
            ) as response:
                if response.status != 200:
                    raise unreachable(call.path, f"HTTP {response.status}", sent=True)
                return Answer(await _read(response, call.path, limit), response.content_type)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise unreachable(call.path, type(error).__name__, sent=False) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(call.path, type(error).__name__, sent=True) from None


def read_object(api: str, data: bytes) -> dict[str, Any]:
    """The JSON object of an answer. Raises WeChatError for an errcode, WeChatUnreachable for anything
    else."""
    try:
        parsed = orjson.loads(data)
    except orjson.JSONDecodeError:
        parsed = _loose_object(data)
    if not isinstance(parsed, dict):
        raise unreachable(api, "no JSON object", sent=True)
    try:
        errcode = int(parsed.get("errcode") or 0)
    except (TypeError, ValueError):
        raise unreachable(api, "errcode is no number", sent=True) from None
    if errcode:
        error = WeChatError(errcode, str(parsed.get("errmsg", "")), api)
        error.data.update({"msg_id": parsed["msg_id"]} if "msg_id" in parsed else {})  # of a mass send known already
        raise error
    return parsed


def _loose_object(data: bytes) -> Any:
    """WeChat lets broken characters of people's names through into its JSON; such an answer still counts."""
    try:
        return json.loads(data.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        return None


def _payload(call: Call) -> tuple[bytes | aiohttp.FormData | None, dict[str, str]]:
    if call.upload is not None:
        form = aiohttp.FormData()
        form.add_field("media", call.upload.data, filename=call.upload.filename, content_type=call.upload.content_type)
        return form, {}
    if call.body is not None:
        # Real UTF-8: people see "\u6211" as it is.
        return orjson.dumps(call.body), {"Content-Type": "application/json; charset=utf-8"}
    return None, {}


async def _read(response: aiohttp.ClientResponse, api: str, limit: int) -> bytes:
    """The whole body, refused beyond the limit whatever its headers say."""
    chunks = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        chunks += chunk
        if len(chunks) > limit:
            raise unreachable(api, f"answer over {limit} bytes", sent=True)
    return bytes(chunks)
