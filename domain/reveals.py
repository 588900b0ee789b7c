"""Who reported a case, as its staff read it: masked, until somebody says why they must know.

Every look is kept with its reason; the resident finds it in their own data (`domain.personal_data`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.casework import need
from domain.contacts import Contact, is_contact
from domain.journal import is_platform
from domain.on_behalf import contact_of
from domain.patrols import need_post
from domain.people import Person
from domain.privacy import mask
from errors import Conflict
from models.cases import Case
from models.console import Reveal
from models.database import transaction
from models.people import Resident

#: How long somebody goes on seeing what they had shown to them.
SHOWN_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Reporter:
    """`name` and `phone` are masked unless `revealed`. `known`: there is something to reveal; `how`: by which way they
    came, for people."""

    name: str
    phone: str
    how: str
    known: bool
    revealed: bool


def masked(contact: Contact) -> Contact:
    """`张**`, `138****5678`: enough to tell two apart, too little to call."""
    name = f"{contact.name[0]}**" if contact.name else ""
    phone = f"{contact.phone[:3]}****{contact.phone[-4:]}" if len(contact.phone) >= 10 else "****" * bool(contact.phone)
    return Contact(name, phone)


async def reporter_of(person: Person, case: Case, now: datetime) -> Reporter:
    """As this person may see them now; who must ask first has asked `access_case` already."""
    resident = await Resident.get_or_none(id=case.reporter_id) if case.reporter_id else None
    if resident is None or case.anonymous:
        said = "居民要求匿名，办理人员看不到是谁。" if case.anonymous else "没有记下是谁反映的。"
        return Reporter("", "", said, known=False, revealed=False)
    contact = Contact(resident.name, resident.phone)
    how = "来电或来访，结果打电话告诉" if is_contact(resident.openid) else "微信居民，进展自动发给本人"
    if is_platform(resident.openid) and not is_contact(resident.openid):
        how = "其他平台转来"
    shown = await _shown_lately(person, case.id, now)
    seen = contact if shown else masked(contact)
    return Reporter(seen.name, seen.phone, how, known=bool(contact.name or contact.phone), revealed=shown)


async def _shown_lately(person: Person, case_id: int, now: datetime) -> bool:
    if person.post is None:
        return False
    return await Reveal.exists(case_id=case_id, staff_id=person.post.id, at__gt=now - SHOWN_FOR)


async def reveal(person: Person, case_id: int, reason: str, now: datetime, source: str = "") -> Contact:
    """Show name and telephone to who has the case, checks it or gives it to others, for the next minutes.

    Raises NotFound where nobody is known, BadRequest without a reason, NotAllowed for others who may read the case.
    """
    need(reason, "请写一句为什么要看，比如“约上门时间”。居民查自己的资料时会看到。")
    post = need_post(person, "case:contact")
    async with transaction():
        contact = await contact_of(person, case_id, now, source)
        case = await Case.get(id=case_id)
        if case.reporter_id is None:
            raise Conflict("forgotten meanwhile")
        await Reveal.create(
            case_id=case_id, resident_id=case.reporter_id, staff_id=post.id, at=now, reason=mask(reason.strip())[:200]
        )
        return contact
