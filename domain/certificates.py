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
from domain.booking_notices import tell
from domain.booking_rules import masked_name
from domain.journal import audit
from domain.people import Person
from errors import BadRequest, Conflict, NotAllowed, NotFound
from models.bookings import Certificate
from models.database import fetch, transaction

__all__ = [
    "Certificate",
    "Checked",
    "check_certificate",
    "find_certificate",
    "make_certificate",
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
        if not await fetch("SELECT id FROM resident WHERE id = $1 FOR NO KEY UPDATE", person.resident_id):
            raise NotAllowed("no resident", say="志愿时长记在居民名下。请用您自己的微信来办。")
        given = (await fetch(_GIVEN, person.resident_id, first or _EVER[0], last or _EVER[1]))[0]
        if given["minutes"] <= 0:
            raise Conflict("no volunteer time", say="还没有记到志愿时长。参加志愿服务并签到后，活动结束就会记上。")
        same = {"name": name, "starts_on": first or given["first"], "ends_on": last or given["last"]}
        same |= {"minutes": given["minutes"], "times": given["times"]}
        made = await Certificate.filter(resident_id=person.resident_id, **same).first()
        if made is None:
            made = await _make(person, same, now)
            await audit(f"resident:{person.resident_id}", "certificate:make", made.id, now, source=source)
        if send:
            await tell(certificate_ready(person.openid, made, now), now)
    return made


async def _make(person: Person, values: dict[str, Any], now: datetime) -> Certificate:
    found = await fetch(_COMMUNITY, person.resident_id)
    number = "V" + "".join(secrets.choice(_LETTERS) for _ in range(_LONG))
    community = found[0]["name"] if found else ""
    return await Certificate.create(
        number=number, resident_id=person.resident_id, community=community, made_at=now, **values
    )


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
