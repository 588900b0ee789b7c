"""Staff bind their WeChat by a one-time code that was handed to them in person."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from domain.journal import audit
from domain.people import Person, Post, find_person
from errors import NotFound, Unavailable
from models.database import fetch, transaction
from models.people import BindCode, Staff

CODE_LIFE = timedelta(days=7)
#: Wrong codes one WeChat may try within an hour: 10^8 codes against 5 guesses an hour.
_TRIES_PER_HOUR = 5
_UNKNOWN = "绑定码不对，或者已经用过、过期了。请向社区要一个新的。"
_SEND = "有了就发“绑定 八位数字”。"


def _hash(code: str) -> str:
    return sha256(code.encode()).hexdigest()


async def issue_code(staff_id: int, now: datetime, code: str = "") -> str:
    """A new code of eight digits for one member of staff; earlier unused ones stop working."""
    code = code or f"{secrets.randbelow(10**8):08}"
    async with transaction():
        if not await Staff.filter(id=staff_id, active=True).exists():
            raise NotFound(f"no active staff {staff_id}")
        await BindCode.filter(staff_id=staff_id, used_at=None).delete()
        await BindCode.create(staff_id=staff_id, code_hash=_hash(code), expires_at=now + CODE_LIFE)
    return code


async def bind(person: Person, code: str, now: datetime, source: str = "") -> Post:
    """Make this WeChat the member of staff's; raises NotFound for a wrong, used or expired code."""
    async with transaction():
        tried = await fetch(
            "SELECT count(*) AS n FROM audit_event "
            "WHERE tag = 'staff:bind' AND object_id = $1 AND NOT allowed AND at > $2",
            person.resident_id,
            now - timedelta(hours=1),
        )
        if tried[0]["n"] >= _TRIES_PER_HOUR:
            raise Unavailable("too many wrong codes", say="绑定码试错太多次了，请一小时后再试，或请社区重发绑定码。")
        found = await BindCode.filter(code_hash=_hash(code)).select_for_update().get_or_none()
        if found is None or found.used_at or found.expires_at <= now:
            raise NotFound("bind code", say=_UNKNOWN, chat=_SEND, tag="staff:bind", object_id=person.resident_id)
        found.used_at = now
        await found.save()
        await Staff.filter(openid=person.openid).update(openid=None)
        await Staff.filter(id=found.staff_id).update(openid=person.openid, bound_at=now)
        await audit(person.actor, "staff:bind", found.staff_id, now, source=source)
        post = (await find_person(person.openid, now)).post
    if post is None:
        raise NotFound("staff is not active", say=_UNKNOWN, chat=_SEND)
    return post


async def unbind(person: Person, now: datetime, source: str = "") -> None:
    """This WeChat is no member of staff's any more."""
    if person.post is None:
        raise NotFound("not bound", say="您还没有绑定工作身份。")
    async with transaction():
        await Staff.filter(id=person.post.id).update(openid=None)
        await audit(person.actor, "staff:unbind", person.post.id, now, source=source)
