"""Applications of the demo's items, filled in."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from domain.applications import Filled, submit
from domain.booking_rules import Other
from domain.people import Person
from models.accounts import Upload
from models.bookings import Application
from models.enums import UploadKind

ID_NUMBER, PHONE, NAME = "11010519491231002X", "13800001234", "李桂英"
ELDER = Other(NAME, PHONE, "女儿")


async def photo(person: Person, now: datetime) -> UUID:
    """A picture this person sent."""
    ident = uuid4()
    await Upload.create(
        id=ident,
        owner=person.actor,
        kind=UploadKind.IMAGE,
        path=f"uploads/2026/11/20/{ident.hex}.jpg",
        content_type="image/jpeg",
        size=9,
        digest="0" * 64,
        created_at=now,
    )
    return ident


def answers(picture: UUID, **more: Any) -> dict[str, Any]:
    """What 高龄津贴 asks."""
    given = {"f1": NAME, "f2": ID_NUMBER, "f3": PHONE, "f4": True, "f5": "6222021234567890123", "f6": [str(picture)]}
    return given | more


async def applied(person: Person, now: datetime, other: Other | None = None, code: str = "gljt") -> Application:
    """Handed in."""
    return await submit(person, code, Filled(answers(await photo(person, now)), other), now)
