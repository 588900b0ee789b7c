"""Photos and recordings that came with a form, kept as uploads of who sent them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from os import SEEK_END
from typing import Protocol
from uuid import UUID

from aiohttp.web import FileField

from console.frame import Visit
from domain.reports import Media
from domain.uploads import MOST_BYTES, own_uploads, receive
from errors import BadRequest, TooLarge
from models.enums import UploadKind


class Sent(Protocol):
    """A file as it was kept."""

    @property
    def id(self) -> UUID: ...
    @property
    def kind(self) -> UploadKind: ...


#: Files of one form.
MOST = 9
_PIECE = 64 * 1024


async def media_of(visit: Visit, name: str = "photos") -> Sequence[Media]:
    """The files of the field `name`, as a report or an action takes them. Raises as `uploads_of`."""
    kept = await uploads_of(visit, name)
    return await own_uploads(visit.staff, [one.id for one in kept]) if kept else []


async def uploads_of(visit: Visit, name: str) -> Sequence[Sent]:
    """The files of the field `name`, kept. Raises BadRequest for what is no picture and no sound and for too many at
    once, TooLarge, and TooMany for more in an hour than a person sends."""
    given = [sent for sent in (await visit.request.post()).getall(name, []) if isinstance(sent, FileField)]
    if len(given) > MOST:
        raise BadRequest("too many files", say=f"一次最多 {MOST} 张照片，请少选几张。")
    for sent in given:
        if sent.file.seek(0, SEEK_END) > MOST_BYTES:
            raise TooLarge("photo", say=f"“{sent.filename[:40]}”超过 20 MB，请换一张小一点的。")
        sent.file.seek(0)
        await visit.office.limit("upload", visit.post.actor)
    return [await receive(visit.staff, _pieces(sent), visit.office.media, visit.now) for sent in given]


async def _pieces(sent: FileField) -> AsyncIterator[bytes]:
    while piece := sent.file.read(_PIECE):
        yield piece
