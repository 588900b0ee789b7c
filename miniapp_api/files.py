"""Files: sent in piece by piece, seen through addresses that are signed, made for one person and soon over."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Annotated
from uuid import UUID

from aiohttp import web
from pydantic import Field

from domain.files import access_file, viewer
from domain.uploads import MOST_BYTES, receive
from errors import NotFound
from miniapp_api.kernel import Body, Call, Routes, Upload, sign_with
from models.enums import UploadKind

routes = Routes("files")

#: Seconds an address holds at least, and at most twice as long: within that time it stays the same, so that it is
#: read from the phone's own cache.
HOLDS = 600
_MOST_LINKS = 50

FileName = Annotated[str, Field(pattern=r"^([amp][1-9][0-9]{0,17}|u[0-9a-f]{32})$")]


class Sent(Body):
    """An upload. `url` shows it to its sender; others see it where it is used."""

    id: UUID
    kind: UploadKind
    content_type: str
    size: int
    width: int | None
    height: int | None
    seconds: int | None
    url: str


class FilePath(Body):
    """A file by its name."""

    name: Annotated[str, Field(min_length=1, max_length=40)]


class Signature(Body):
    """What makes an address of ours: for whom, until when (seconds since 1970), signed."""

    who: Annotated[str, Field(max_length=40)] = ""
    until: Annotated[int, Field(ge=0, le=2**40)] = 0
    sign: Annotated[str, Field(max_length=64)] = ""


class Wanted(Body):
    """Names of files: `a12` of a case, `m7` what the entry 7 of a room shows, `p9` of an application, `u…` an upload of
    one's own."""

    names: Annotated[tuple[FileName, ...], Field(min_length=1, max_length=_MOST_LINKS)]


class Link(Body):
    """Where one of them is."""

    name: str
    url: str
    content_type: str
    size: int


class Links(Body):
    """Those the caller may see."""

    items: list[Link]


@routes.post(
    "/uploads",
    rule="upload:send",
    status=201,
    limits=("upload",),
    errors=(413,),
    network=True,
    most_bytes=MOST_BYTES,
)
async def send(call: Call, upload: Upload) -> Sent:
    """Send a photo or a recording, 20 MB at most; it is made anew and stays private until it is used."""
    kept = await receive(call.person, upload.pieces, call.desk.media, call.now)
    return Sent(
        id=kept.id,
        kind=kept.kind,
        content_type=kept.content_type,
        size=kept.size,
        width=kept.width,
        height=kept.height,
        seconds=kept.seconds,
        url=signed_address(call, f"u{kept.id.hex}"),
    )


@routes.post("/files/links", rule="file:link", keyed=False)
async def links(call: Call, body: Wanted) -> Links:
    """Addresses of files; those the caller may not see are left out."""
    found = []
    for name in dict.fromkeys(body.names):
        try:
            stored = await access_file(call.person, name)
        except NotFound:
            continue
        url = signed_address(call, name)
        found.append(Link(name=name, url=url, content_type=stored.content_type, size=stored.size))
    return Links(items=found)


@routes.get("/files/{name}", rule="file:open")
async def show(call: Call, path: FilePath, query: Signature) -> web.StreamResponse:
    """The bytes of a file, by an address that was made for somebody who may still see it."""
    if not _is_ours(call, path.name, query):
        raise _gone(path.name)
    try:
        stored = await access_file(await viewer(query.who), path.name)
    except NotFound as error:
        raise _gone(path.name) from error
    location = call.desk.media / stored.path
    if not location.is_file():
        raise _gone(path.name)
    extension = location.suffix
    return web.FileResponse(
        location,
        headers={
            "Content-Type": stored.content_type,
            "Content-Disposition": f'attachment; filename="{path.name}{extension}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cross-Origin-Resource-Policy": "same-site",
            "Cache-Control": f"private, max-age={max(0, query.until - int(call.now.timestamp()))}, immutable",
        },
    )


def _gone(name: str) -> NotFound:
    return NotFound(f"address of {name}", say="这个文件的地址过期了，请返回上一页重新打开。")


def signed_address(call: Call, name: str) -> str:
    """Where the caller sees this file for the next minutes."""
    return file_address(call.desk.key, call.desk.public_url, name, call.person.actor, _until(call.now))


def file_address(key: bytes, base: str, name: str, who: str, until: int) -> str:
    """Where `who` sees this file until then (seconds since 1970), signed with the installation's key."""
    query = f"who={who}&until={until}&sign={_sign(key, name, who, until)}"
    return f"{base.rstrip('/')}/api/v1/files/{name}?{query}"


def _until(now: datetime) -> int:
    return (int(now.timestamp()) // HOLDS + 2) * HOLDS


def _sign(key: bytes, name: str, who: str, until: int) -> str:
    return sign_with(key, "file", f"{name} {who} {until}")


def _is_ours(call: Call, name: str, query: Signature) -> bool:
    meant = _sign(call.desk.key, name, query.who, query.until)
    return hmac.compare_digest(meant.encode(), query.sign.encode()) and call.now.timestamp() < query.until
