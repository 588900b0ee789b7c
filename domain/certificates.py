"""志愿服务证书: volunteer time on paper, for the one who gave it; whoever is shown it checks it by its number.

The number cannot be guessed. The public check says what stands on the paper, with the name masked: enough to see that
the paper is real, too little to learn who somebody is.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from domain.activity_notices import certificate_ready
from domain.booking_cards import read_card
from domain.booking_notices import tell
from domain.booking_rules import masked_name
from domain.bookings import runs
from domain.journal import audit
from domain.people import Person
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.bookings import Certificate
from models.database import fetch, transaction

__all__ = [
    "Certificate",
    "Checked",
    "certificate_of",
    "check_certificate",
    "find_certificate",
    "make_certificate",
    "make_for",
    "my_certificates",
    "own_certificate",
]

_NAME = re.compile(r"[\u4e00-\u9fff·]{2,16}|[A-Za-z][A-Za-z .'-]{1,31}")
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that look alike
_LONG = 15  # letters: 75 bits
NUMBER = re.compile(r"V[2-9A-HJ-NP-Z]{15}")
"""How a number looks."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What everybody may know of a certificate."""

    number: str
    name: str
    community: str
    starts_on: date
    ends_on: date
    minutes: int
    times: int
    made_at: datetime


# What was credited in these days, each booking once however often it was corrected.
_GIVEN = """
SELECT coalesce(sum(minutes), 0)::int AS minutes, count(DISTINCT booking_id)::int AS times, min(v.on) AS first,
    max(v.on) AS last
FROM volunteer_time v WHERE resident_id = $1 AND v.on BETWEEN $2 AND $3
"""
_COMMUNITY = """
SELECT c.name FROM resident r JOIN area g ON g.id = r.grid_id JOIN area c ON c.id = g.parent_id WHERE r.id = $1
"""
_EVER = date(2000, 1, 1), date(2999, 12, 31)


async def make_certificate(
    person: Person,
    name: str,
    now: datetime,
    *,
    first: date | None = None,
    last: date | None = None,
    send: bool = False,
    source: str = "",
) -> Certificate:
    """A certificate of the time this person gave from `first` to `last` (all they gave); `send` also sends it as a
    picture. Asked for once more with nothing new, it is the same one.

    Raises BadRequest for what is no name, Conflict where no time was credited.
    """
    name = " ".join(name.split())
    if not _NAME.fullmatch(name):
        raise BadRequest("name on a certificate", say="请写您的姓名，比如“李桂英”。")
    async with transaction():
        made, fresh = await _written(person.resident_id, name, now, first or _EVER[0], last or _EVER[1])
        if fresh:
            await audit(f"resident:{person.resident_id}", "certificate:make", made.id, now, source=source)
        if send:
            await tell(certificate_ready(person.openid, made, now), now)
    return made


async def make_for(person: Person, booking_id: int, now: datetime, *, source: str = "") -> Certificate:
    """For somebody without WeChat, all they gave: made and printed by staff who look after one of their shifts, as
    this community's. Raises NotFound, Conflict where no time was credited."""
    async with transaction():
        card = await read_card(booking_id)
        if card is None or card.resident_id is not None or not await runs(person, card.area_id):
            raise NotFound(f"booking {booking_id}", tag="certificate:make", object_id=booking_id)
        rows = await fetch(_WHOSE, booking_id)
        if not rows:
            raise _no_time()
        made, fresh = await _written(rows[0]["resident_id"], rows[0]["name"], now, *_EVER)
        if fresh:
            made.community = (await fetch(_COMMUNITY_OF, card.area_id))[0]["name"]
            await made.save(update_fields=["community"])
            await audit(person.actor, "certificate:make", made.id, now, source=source)
    return made


_WHOSE = """
SELECT r.id AS resident_id, r.name FROM volunteer_time v JOIN resident r ON r.id = v.resident_id
WHERE v.booking_id = $1 AND r.name <> '' LIMIT 1
"""
_COMMUNITY_OF = """
SELECT CASE WHEN a.level = 'grid' THEN c.name ELSE a.name END AS name FROM area a LEFT JOIN area c ON c.id = a.parent_id
WHERE a.id = $1
"""
_OF_SHIFT = """
SELECT c.id FROM certificate c
WHERE c.resident_id = (SELECT resident_id FROM volunteer_time WHERE booking_id = $1 LIMIT 1)
ORDER BY c.id DESC LIMIT 1
"""


async def certificate_of(person: Person, booking_id: int) -> Certificate | None:
    """The newest of whom a booking was for, where they have no WeChat; for staff who look after it. Raises NotFound."""
    card = await read_card(booking_id)
    if card is None or card.resident_id is not None or not await runs(person, card.area_id):
        raise NotFound(f"booking {booking_id}", tag="certificate:read", object_id=booking_id)
    rows = await fetch(_OF_SHIFT, booking_id)
    return await Certificate.get(id=rows[0]["id"]) if rows else None


async def _written(resident_id: int, name: str, now: datetime, first: date, last: date) -> tuple[Certificate, bool]:
    """The certificate that says this, and whether it is new. In the running transaction."""
    if not await fetch("SELECT id FROM resident WHERE id = $1 FOR NO KEY UPDATE", resident_id):
        raise NotAllowed("no resident", say="志愿时长记在居民名下。请用您自己的微信来办。")
    given = (await fetch(_GIVEN, resident_id, first, last))[0]
    if given["minutes"] <= 0:
        raise _no_time()
    same: dict[str, Any] = {"name": name, "minutes": given["minutes"], "times": given["times"]}
    same["starts_on"] = given["first"] if first == _EVER[0] else first
    same["ends_on"] = given["last"] if last == _EVER[1] else last
    if made := await Certificate.filter(resident_id=resident_id, **same).first():
        return made, False
    found = await fetch(_COMMUNITY, resident_id)
    number = "V" + "".join(secrets.choice(_LETTERS) for _ in range(_LONG))
    community = found[0]["name"] if found else ""
    return await Certificate.create(
        number=number, resident_id=resident_id, community=community, made_at=now, **same
    ), True


def _no_time() -> Conflict:
    return Conflict("no volunteer time", say="还没有记到志愿时长。参加志愿服务并签到后，活动结束就会记上。")


async def find_certificate(number: str) -> Certificate:
    """One by its number, whole: for whoever draws it for its owner. Raises NotFound."""
    found = await Certificate.get_or_none(number=number) if NUMBER.fullmatch(number) else None
    if found is None:
        raise _absent()
    return found


async def own_certificate(person: Person, number: str) -> Certificate:
    """One of one's own. Raises NotFound for any other."""
    found = await Certificate.get_or_none(number=number, resident_id=person.resident_id)
    if found is None:
        raise NotFound("no such certificate", tag="certificate:read", object_id=None)
    return found


async def my_certificates(person: Person, limit: int = 20) -> Sequence[Certificate]:
    """One's own, the newest first."""
    return await Certificate.filter(resident_id=person.resident_id).order_by("-id").limit(limit)


async def check_certificate(number: str) -> Checked:
    """Whether there is such a certificate, and what stands on it. For everybody. Raises NotFound."""
    found = await find_certificate(number.strip().upper())
    return Checked(
        found.number,
        masked_name(found.name),
        found.community,
        found.starts_on,
        found.ends_on,
        found.minutes,
        found.times,
        found.made_at,
    )


def _absent() -> NotFound:
    say = "没有这张证书。请核对编号，16 位字母和数字，以 V 开头。"
    return NotFound("no such certificate", say=say, tag="certificate:read", object_id=None)
