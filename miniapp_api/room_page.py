"""`/room`: the room page, plain files without a build step. It works with the API as any other client does."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

_INDEX: Final = "room.html"
_TYPES: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class _Part:
    """One file of the page, as it is sent. `mark` changes with its content."""

    body: bytes
    content_type: str
    mark: str


def add_routes(app: web.Application, public_url: str) -> None:
    """Mount the page at `/room` and its parts below."""
    parts, headers = _parts(), _headers(public_url)

    async def show(request: web.Request) -> web.StreamResponse:
        part = parts.get(request.match_info.get("name", _INDEX))
        if part is None:
            raise web.HTTPNotFound
        known = any(tag.value == part.mark for tag in request.if_none_match or ())
        answer = web.Response(status=304) if known else web.Response(body=part.body, content_type=part.content_type)
        if not known:
            answer.charset = "utf-8"
        answer.headers.update(headers)
        answer.etag = part.mark
        return answer

    app.router.add_get("/room", show)
    app.router.add_get("/room/{name}", show)


def _parts() -> Mapping[str, _Part]:
    found = {}
    for entry in files("miniapp_api").joinpath("page").iterdir():
        kind = _TYPES.get("." + entry.name.rpartition(".")[2])
        if kind:
            body = entry.read_bytes()
            found[entry.name] = _Part(body, kind, hashlib.sha256(body).hexdigest()[:20])
    return MappingProxyType(found)


def _headers(public_url: str) -> dict[str, str]:
    """Nothing from elsewhere, no script or style inside the page, and no text that becomes HTML by the way."""
    # Older phones do not take 'self' for the WebSocket of the same host.
    address = urlsplit(public_url)
    socket = f" {'wss' if address.scheme == 'https' else 'ws'}://{address.netloc}" if address.netloc else ""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "
        f"connect-src 'self'{socket}; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Permissions-Policy": "geolocation=(self), camera=(), microphone=()",
        "Referrer-Policy": "no-referrer",  # the address has the sign-in code for a moment
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",  # asked for each time, sent when it has changed
    }
