"""Who may see a file, asked each time one is opened: photos of cases, files in rooms, one's own uploads.

A file has a name that says where it is shown: `a12` is an attachment of a case, `m7` what an entry of a room shows,
`p9` a picture of an application, `u…` (32 hexadecimal digits) an upload, which its sender alone sees by that name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.access import access_case, relation
from domain.applications import Tie, ties
from domain.people import Person, person_of, post_of
from domain.rooms import sit
from errors import NotFound
from models.accounts import Upload
from models.bookings import ApplicationFile
from models.cases import Attachment, Case
from models.database import fetch
from models.enums import MessageState
from models.rooms import RoomMessage
from models.transitions import Who

_NAME = re.compile(r"[amp][1-9]\d{0,17}|u[0-9a-f]{32}")

#: What browsers get to see under its own name; everything else is a file to be saved.
_KNOWN = {
    *("image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4"),
    *("audio/amr", "audio/mpeg", "audio/mp4", "audio/wav"),
}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as it is handed out. `path` is below the media folder."""

    name: str
    path: str
    content_type: str
    size: int


async def access_file(person: Person, name: str) -> StoredFile:
    """A file this person may see now; NotFound otherwise, as if there were none."""
    if _NAME.fullmatch(name):
        kind, ident = name[0], name[1:]
        found = await (
            _attachment(person, int(ident))
            if kind == "a"
            else _shown(person, int(ident))
            if kind == "m"
            else _applied(person, int(ident))
            if kind == "p"
            else _own(person, UUID(ident))
        )
        if found and found.path:
            known = found.content_type if found.content_type in _KNOWN else "application/octet-stream"
            return StoredFile(name, found.path, known, found.size or 0)
    raise NotFound(f"file {name[:40]!r}", say="没有找到这个文件。", tag="file:read", object_id=None)


_STAFF = """
SELECT r.id AS resident_id FROM staff s LEFT JOIN resident r ON r.openid = s.openid WHERE s.id = $1 AND s.active
"""


async def viewer(actor: str) -> Person:
    """Whom a signed address was made for, as they are now: `resident:7`, `staff:12`. Raises NotFound for nobody."""
    kind, _, number = actor.partition(":")
    if number.isascii() and number.isdigit() and len(number) < 10:
        if kind == "resident":
            return await person_of(int(number))
        rows = await fetch(_STAFF, int(number)) if kind == "staff" else []
        if rows and rows[0]["resident_id"]:
            return await person_of(rows[0]["resident_id"])
        if rows:
            return Person("", 0, None, await post_of(int(number)))
    raise NotFound(f"viewer {actor[:40]!r}")


async def _attachment(person: Person, ident: int) -> Attachment | None:
    attachment = await Attachment.get_or_none(id=ident)
    if attachment is None:
        return None
    case = await access_case(person, attachment.case_id)
    return attachment if attachment in await shown_to(person, case, [attachment]) else None


async def _shown(person: Person, ident: int) -> Upload | None:
    message = await RoomMessage.get_or_none(id=ident)
    upload = message.data.get("upload") if message else None
    if message is None or not upload:
        return None
    member = await sit(person, message.room_id)
    mine = message.sender in _actors(person)
    if not (message.state is MessageState.SHOWN or member.staff or mine):
        return None
    return await Upload.get_or_none(id=UUID(upload))


async def _applied(person: Person, ident: int) -> Upload | None:
    file = await ApplicationFile.filter(id=ident).select_related("application", "upload").first()
    reads = file and await ties(person, file.application) & {Tie.APPLICANT, Tie.HOLDER}
    return file.upload if file and reads else None


async def _own(person: Person, ident: UUID) -> Upload | None:
    return await Upload.get_or_none(id=ident, owner__in=_actors(person))


def _actors(person: Person) -> list[str]:
    return [person.actor, f"resident:{person.resident_id}"]


async def shown_to(person: Person, case: Case, attachments: Sequence[Attachment]) -> list[Attachment]:
    """Those of a case's photos this person may see. Staff see all; who reported it sees their own and those of the
    result, and not what neighbours sent with 我也遇到."""
    if await relation(person, case) - {Who.REPORTER}:
        return list(attachments)
    owned = await Upload.filter(path__in=[one.path for one in attachments if one.path], owner__in=_actors(person))
    own = {upload.path for upload in owned}
    return [one for one in attachments if one.after or one.created_at <= case.reported_at or one.path in own]
