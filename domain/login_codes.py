"""One-time codes with which a member of staff signs in on another device: asked for in their bound WeChat, six digits,
good once and for five minutes."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest

from domain.journal import audit
from domain.people import Person
from errors import NotAllowed, NotFound, NotSignedIn
from models.accounts import LoginCode
from models.database import fetch, transaction

CODE_LIFE = timedelta(minutes=5)
#: Wrong codes after which the one given out is dead: a million codes against five guesses.
MOST_TRIES = 5
_WRONG = "工号或验证码不对，或者验证码过期了。请在公众号里发“登录”要一个新的。"


def _hash(staff_id: int, code: str) -> str:
    return sha256(f"{staff_id}:{code}".encode()).hexdigest()


async def issue_login_code(person: Person, now: datetime, source: str = "") -> tuple[str, str]:
    """(staff number, code) for a member of staff who writes from their own WeChat; codes asked for before end.

    Raises NotAllowed for residents, NotFound for staff without a number (工号).
    """
    if person.post is None:
        raise NotAllowed(
            "login code of a resident",
            say="登录码是工作人员用的。",
            chat="您直接说事就行，看进度回复“我的事项”。",
            tag="login:code",
            object_id=person.resident_id,
        )
    staff_id, code = person.post.id, f"{secrets.randbelow(10**6):06}"
    async with transaction():
        rows = await fetch("SELECT code FROM staff WHERE id = $1 FOR NO KEY UPDATE", staff_id)
        number = str(rows[0]["code"] or "")
        if not number:
            raise NotFound(f"staff {staff_id} has no number", say="您还没有工号，请管理员先登记工号，再来登录。")
        await LoginCode.filter(staff_id=staff_id, used_at=None).delete()
        await LoginCode.create(staff_id=staff_id, code_hash=_hash(staff_id, code), expires_at=now + CODE_LIFE)
        await audit(person.actor, "login:code", staff_id, now, source=source)
    return number, code


async def redeem(number: str, code: str, now: datetime, source: str = "") -> int:
    """Whose code it is; it works no second time. Raises NotSignedIn, the same for everything that is wrong."""
    async with transaction():
        staff_id = await _staff_of(number, code, now)
        if staff_id is None:
            await audit("system", "login:staff", None, now, allowed=False, source=source)
    # Outside: the try that was counted stays counted.
    if staff_id is None:
        raise NotSignedIn("login code", say=_WRONG)
    return staff_id


async def _staff_of(number: str, code: str, now: datetime) -> int | None:
    rows = await fetch(
        "SELECT c.id, c.staff_id, c.code_hash, c.tries FROM staff s JOIN login_code c ON c.staff_id = s.id "
        "WHERE s.code = $1 AND s.active AND c.used_at IS NULL AND c.expires_at > $2 ORDER BY c.id DESC LIMIT 1 "
        "FOR UPDATE OF c",
        number,
        now,
    )
    found = rows[0] if rows else None
    # Something is compared for an unknown number too: how long the answer takes says nothing.
    meant = found["code_hash"] if found else _hash(0, "")
    fits = compare_digest(meant, _hash(found["staff_id"] if found else 0, code))
    if found is None or found["tries"] >= MOST_TRIES:
        return None
    if not fits:
        await fetch("UPDATE login_code SET tries = tries + 1 WHERE id = $1", found["id"])
        return None
    await fetch("UPDATE login_code SET used_at = $2 WHERE id = $1", found["id"], now)
    return int(found["staff_id"])
