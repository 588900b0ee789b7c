"""Accounts of the console as administrators see them: who can sign in, links that set a password, sessions ended.

The security administrator looks after them (安全管理员). The system administrator sees the list, and helps the first
two other administrators in: nobody else could.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.administrators import kind_of
from domain.console_login import issue_setup
from domain.journal import audit
from domain.people import Post
from errors import NotAllowed, NotFound
from models.database import fetch, transaction
from models.enums import AdminKind, Role

_MAY_SEE = (AdminKind.SECURITY, AdminKind.SYSTEM)


@dataclass(frozen=True, slots=True)
class Account:
    """One member of staff, and how they sign in."""

    staff_id: int
    number: str
    name: str
    role: Role
    unit: str
    kind: AdminKind | None
    bound: bool  # to a WeChat, which can sign in by a code or a scan
    has_password: bool
    has_code: bool
    locked_until: datetime | None
    sessions: int
    seen_at: datetime | None
    link_until: datetime | None  # until when a link waits to be used


# A page of people on duty: by number or name, or all of them in the order of their ids.
_PAGE = """
SELECT s.id AS staff_id, coalesce(s.code, '') AS number, s.name, s.role, coalesce(u.name, a.name) AS unit, d.kind,
    s.openid IS NOT NULL AS bound, c.password_hash IS NOT NULL AS has_password, c.totp_at IS NOT NULL AS has_code,
    CASE WHEN c.locked_until > $1 THEN c.locked_until END AS locked_until,
    t.sessions, t.seen_at, l.until AS link_until
FROM staff s JOIN area a ON a.id = s.area_id LEFT JOIN department u ON u.id = s.department_id
LEFT JOIN administrator d ON d.staff_id = s.id LEFT JOIN credential c ON c.staff_id = s.id
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE ended_at IS NULL AND expires_at > $1) AS sessions, max(seen_at) AS seen_at
    FROM login_token WHERE staff_id = s.id
) t
CROSS JOIN LATERAL (
    SELECT max(expires_at) AS until FROM setup_link WHERE staff_id = s.id AND used_at IS NULL AND expires_at > $1
) l
WHERE s.active AND s.id > $2 AND ($3 = '' OR s.code = $3 OR position($3 in s.name) > 0)
    AND ($4::int IS NULL OR s.id = $4) ORDER BY s.id LIMIT $5
"""


async def list_accounts(by: Post, now: datetime, *, words: str = "", after: int = 0, limit: int = 50) -> list[Account]:
    """People on duty whose number or name fits, from the id `after` on. Raises NotAllowed."""
    await _check_sees(by)
    return [_read(row) for row in await fetch(_PAGE, now, after, words.strip(), None, limit)]


async def account_of(by: Post, staff_id: int, now: datetime) -> Account:
    """One of them. Raises NotAllowed, NotFound."""
    await _check_sees(by)
    rows = await fetch(_PAGE, now, 0, "", staff_id, 1)
    if not rows:
        raise _nobody(staff_id)
    return _read(rows[0])


def _read(row: dict[str, object]) -> Account:
    kind = row["kind"]
    found = row | {"role": Role(str(row["role"])), "kind": AdminKind(str(kind)) if kind else None}
    return Account(**found)  # type: ignore[arg-type]


def _nobody(staff_id: int) -> NotFound:
    return NotFound(f"staff {staff_id}", say="没有这位在岗人员，请核对工号。", tag="account:read", object_id=staff_id)


async def find_number(number: str) -> int:
    """Whose staff number (工号) this is. Raises NotFound."""
    rows = await fetch("SELECT id FROM staff WHERE code = $1 AND active", number.strip())
    if not rows:
        raise NotFound(f"staff number {number!r}", say=f"没有工号是“{number.strip()}”的在岗人员，请核对。")
    return int(rows[0]["id"])


async def _check_sees(by: Post) -> None:
    if await kind_of(by.id) not in _MAY_SEE:
        raise NotAllowed("accounts", say="账号由安全管理员管理。", tag="account:read", object_id=None)


async def may_give_link(by: Post, kind: AdminKind | None) -> bool:
    """Whether `by` gives links to such a person: the security administrator to everybody, the system administrator to a
    security or audit administrator as long as none of that kind has a password."""
    mine = await kind_of(by.id)
    if mine is AdminKind.SECURITY:
        return True
    if mine is not AdminKind.SYSTEM or kind not in (AdminKind.SECURITY, AdminKind.AUDIT):
        return False
    return not await fetch(
        "SELECT 1 FROM administrator d JOIN credential c ON c.staff_id = d.staff_id WHERE d.kind = $1 LIMIT 1", kind
    )


async def give_link(by: Post, staff_id: int, now: datetime, source: str = "") -> str:
    """The secret of a link with which they set a password, to be shown once. Raises NotAllowed, NotFound."""
    async with transaction():
        rows = await fetch("SELECT 1 FROM staff WHERE id = $1 AND active FOR NO KEY UPDATE", staff_id)
        if not await may_give_link(by, await kind_of(staff_id)):
            say = "设置链接由安全管理员发。"
            raise NotAllowed("setup link", say=say, tag="account:link", object_id=staff_id)
        if not rows:
            raise _nobody(staff_id)
        secret = await issue_setup(staff_id, by.actor, now)
        await audit(by.actor, "account:link", staff_id, now, source=source)
    return secret


_UNLOCK = "UPDATE credential SET failures = 0, locked_until = NULL WHERE staff_id = $1 RETURNING id"
_FORGET_CODE = """
UPDATE credential SET totp_secret = '', totp_at = NULL, totp_step = 0 WHERE staff_id = $1 AND totp_at IS NOT NULL
RETURNING id
"""
_END_ALL = """
UPDATE login_token SET ended_at = $2 WHERE staff_id = $1 AND ended_at IS NULL AND expires_at > $2 RETURNING id
"""


async def unlock(by: Post, staff_id: int, now: datetime, source: str = "") -> None:
    """Wrong passwords are forgotten: they may try again at once. Raises NotAllowed, NotFound."""
    async with transaction():
        await _check_keeps(by, staff_id, "account:unlock")
        if not await fetch(_UNLOCK, staff_id):
            raise NotFound(f"credential of {staff_id}", say="这位还没有设置密码，没有被锁住。")
        await audit(by.actor, "account:unlock", staff_id, now, source=source)


async def end_sessions(by: Post, staff_id: int, now: datetime, source: str = "") -> int:
    """They are signed out everywhere as staff; gives from how many places. Raises NotAllowed."""
    async with transaction():
        await _check_keeps(by, staff_id, "account:end")
        ended = await fetch(_END_ALL, staff_id, now)
        await audit(by.actor, "account:end", staff_id, now, source=source)
    return len(ended)


async def forget_code(by: Post, staff_id: int, now: datetime, source: str = "") -> None:
    """Their second factor is gone, with a lost telephone; they are signed out and set up another one. Nobody does so
    for themselves. Raises NotAllowed, NotFound."""
    async with transaction():
        await _check_keeps(by, staff_id, "account:forget_code")
        if staff_id == by.id:
            say = "自己的动态码请在“我的账号”里重新设置。"
            raise NotAllowed("own second factor", say=say, tag="account:forget_code", object_id=staff_id)
        if not await fetch(_FORGET_CODE, staff_id):
            raise NotFound(f"code of {staff_id}", say="这位没有设置动态码。")
        await fetch(_END_ALL, staff_id, now)
        await audit(by.actor, "account:forget_code", staff_id, now, source=source)


async def _check_keeps(by: Post, staff_id: int, tag: str) -> None:
    if await kind_of(by.id) is not AdminKind.SECURITY:
        raise NotAllowed("account", say="账号由安全管理员管理。", tag=tag, object_id=staff_id)
