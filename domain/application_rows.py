"""The rows beside an application: its number, its history, its files, whom it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from domain.people import Person
from errors import BadRequest, NotFound
from models.accounts import Upload
from models.bookings import Application, ApplicationEvent, ApplicationFile
from models.database import fetch
from models.enums import UploadKind
from models.services import ServiceItem

_DRAW = """
INSERT INTO application_day AS d (day, last) VALUES ($1, 1) ON CONFLICT (day) DO UPDATE SET last = d.last + 1
RETURNING to_char(day, '"B"YYYYMMDD') || '-' || lpad(last::text, greatest(4, length(last::text)), '0') AS number
"""


async def draw_number(day: date) -> str:
    """`B20261121-0007`, in the running transaction: the day's next, without gaps."""
    return str((await fetch(_DRAW, day))[0]["number"])


async def note_event(application: Application, verb: str, actor: str, now: datetime, text: str = "") -> None:
    """A line of the history, which the applicant reads."""
    await ApplicationEvent.create(
        application_id=application.id, at=now, verb=verb, state=application.state, actor=actor[:40], text=text[:500]
    )


async def paused_since(application_id: int) -> datetime | None:
    """When the applicant was last asked for more."""
    asked = await ApplicationEvent.filter(application_id=application_id, verb="ask").order_by("-id").first()
    return asked.at if asked else None


async def title_of(application: Application) -> str:
    """What the item is called."""
    return (await ServiceItem.get(id=application.item_id)).title


async def titles_of(found: Sequence[Application]) -> Mapping[int, str]:
    """What the items of several are called, by item id."""
    items = await ServiceItem.filter(id__in=[one.item_id for one in found])
    return {item.id: item.title for item in items}


async def keep_files(
    person: Person, application: Application, by_field: Mapping[str, Sequence[UUID]], *, add: bool = False
) -> None:
    """These pictures belong to these fields now (`add`: besides those that do); each was sent by this person or is
    there already. Raises NotFound for others' files, BadRequest for a recording."""
    there = {file.upload_id: file for file in await ApplicationFile.filter(application_id=application.id)}
    await need_own(person, [one for ids in by_field.values() for one in ids if one not in there])
    for key, ids in by_field.items():
        if not add:
            await ApplicationFile.filter(application_id=application.id, field=key).delete()
        for upload_id in ids:
            if add or upload_id not in there or there[upload_id].field == key:
                await ApplicationFile.get_or_create(
                    application_id=application.id, upload_id=upload_id, defaults={"field": key}
                )


async def need_own(person: Person, ids: Sequence[UUID]) -> None:
    """Pictures this person sent. Raises NotFound for any other, BadRequest for a recording."""
    owners = [person.actor, f"resident:{person.resident_id}"]
    found = {one.id: one for one in await Upload.filter(id__in=list(ids), owner__in=owners)}
    if len(found) < len(set(ids)):
        say = "有照片没有传好，请重新选一次再提交。"
        raise NotFound("an upload of the form", say=say, tag="upload:use", object_id=None)
    if any(one.kind is not UploadKind.IMAGE for one in found.values()):
        raise BadRequest("a recording for a photo", say="这里只能传照片，请换成照片。")


_OPENID = """
SELECT openid FROM resident WHERE id = coalesce($1, CASE WHEN $2 LIKE 'resident:%' THEN substr($2, 10)::bigint END)
    AND deleted_at IS NULL
UNION ALL
SELECT openid FROM staff WHERE $1::bigint IS NULL AND openid IS NOT NULL AND active
    AND id = CASE WHEN $2 LIKE 'staff:%' THEN substr($2, 7)::int END
"""


async def openid_of(application: Application) -> str:
    """Whom to tell: the applicant, or who did it for them; "" for nobody."""
    rows = await fetch(_OPENID, application.resident_id, application.by)
    return str(rows[0]["openid"]) if rows else ""
