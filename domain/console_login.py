"""Signing in to the console: number and password, the code of a second factor, and what too many wrong ones lead to."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

import pyotp

from domain import tokens
from domain.administrators import make_first
from domain.journal import audit
from domain.passwords import check_new, fits, hash_password
from domain.people import Post
from domain.sealing import seal, unseal
from errors import Conflict, NotFound, NotSignedIn
from models.console import Credential, SetupLink
from models.database import fetch, transaction
from models.enums import LoginKind

#: Wrong ones in a row after which nothing is taken for a while.
MOST_FAILURES, LOCKED = 5, timedelta(minutes=15)
SETUP_LIFE = timedelta(days=1)
_STEP = 30  # seconds of a code, RFC 6238
_SEALED = "totp"
_WRONG = "工号或密码不对。连错 5 次要等 15 分钟；忘了密码请找安全管理员要新的设置链接。"
_WRONG_CODE = "动态码不对或已经用过。请等手机上换了新的再输，并确认手机时间是准的。"


_KNOWN = """
SELECT s.id, c.password_hash, c.locked_until
FROM staff s LEFT JOIN credential c ON c.staff_id = s.id WHERE s.code = $1 AND s.active
"""
_FAIL = """
UPDATE credential SET failures = CASE WHEN failures + 1 >= $2 THEN 0 ELSE failures + 1 END,
    locked_until = CASE WHEN failures + 1 >= $2 THEN $3 ELSE locked_until END
WHERE staff_id = $1 RETURNING locked_until
"""


async def enter(number: str, password: str, now: datetime, source: str = "") -> int:
    """Whose number (工号) and password these are. Raises NotSignedIn, the same for whatever is wrong."""
    rows = await fetch(_KNOWN, number)
    row = rows[0] if rows else None
    right = await fits(row["password_hash"] if row else None, password)
    if row is None or row["password_hash"] is None:
        await audit("system", "console:enter", None, now, allowed=False, source=source)
        raise NotSignedIn("console password", say=_WRONG)
    if not right or (row["locked_until"] and row["locked_until"] > now):
        await _failed(row["id"], now, source)
        raise NotSignedIn("console password", say=_WRONG)
    return int(row["id"])


async def _failed(staff_id: int, now: datetime, source: str) -> None:
    async with transaction():
        await fetch(_FAIL, staff_id, MOST_FAILURES, now + LOCKED)
        await audit("system", "console:enter", staff_id, now, allowed=False, source=source)


async def check_code(staff_id: int, code: str, key: bytes, now: datetime, source: str = "") -> None:
    """Take the second factor's code, each once. Raises NotSignedIn."""
    async with transaction():
        found = await Credential.filter(staff_id=staff_id).select_for_update().get_or_none()
        open_now = found is not None and not (found.locked_until and found.locked_until > now)
        step = _step_of(unseal(key, _SEALED, found.totp_secret), code, now) if found and found.totp_at else None
        taken = bool(found and open_now and step is not None and step > found.totp_step)
        if found and taken and step is not None:
            found.totp_step, found.failures = step, 0
            await found.save(update_fields=["totp_step", "failures"])
    if not taken:
        await _failed(staff_id, now, source)
        raise NotSignedIn("console code", say=_WRONG_CODE)


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """Which time step this code is of: the present one, or one before or after it; None = of none."""
    present = int(now.timestamp()) // _STEP
    totp = pyotp.TOTP(secret, interval=_STEP)
    said = "".join(filter(str.isdecimal, code))
    near = (present, present - 1, present + 1)
    return next((step for step in near if secrets.compare_digest(totp.generate_otp(step), said)), None)


async def begin_session(staff_id: int, now: datetime, device: str, source: str = "") -> str:
    """The session's secret, for a cookie. What was wrong before is forgotten."""
    async with transaction():
        await fetch("UPDATE credential SET failures = 0, locked_until = NULL WHERE staff_id = $1", staff_id)
        secret = await tokens.issue(LoginKind.CONSOLE, now, staff_id=staff_id, device=device)
        await audit(f"staff:{staff_id}", "console:enter", staff_id, now, source=source)
    return secret


async def has_code(staff_id: int) -> bool:
    """Whether they have a second factor."""
    return await Credential.filter(staff_id=staff_id, totp_at__not_isnull=True).exists()


def new_code_secret() -> str:
    """A secret for an authenticator app, 160 bits in base 32."""
    return pyotp.random_base32()


def code_address(secret: str, number: str) -> str:
    """The `otpauth:` address that apps scan."""
    return pyotp.TOTP(secret, interval=_STEP).provisioning_uri(name=number, issuer_name="Linli 邻里")


async def set_code(post: Post, secret: str, code: str, key: bytes, now: datetime, source: str = "") -> None:
    """Keep the second factor once a first code of it is right. Raises Conflict."""
    step = _step_of(secret, code, now)
    if step is None:
        raise Conflict("first code", say=_WRONG_CODE)
    async with transaction():
        found = await Credential.filter(staff_id=post.id).select_for_update().get_or_none()
        if found is None:
            raise Conflict("no password", say="请先设置密码，再设置动态码。")
        found.totp_secret, found.totp_at, found.totp_step = seal(key, _SEALED, secret), now, step
        await found.save()
        await audit(post.actor, "console:set_code", post.id, now, source=source)


async def change_password(post: Post, old: str, new: str, now: datetime, source: str = "") -> None:
    """Another password of one's own; all other sessions are ended by the caller. Raises NotSignedIn, BadRequest."""
    rows = await fetch("SELECT password_hash FROM credential WHERE staff_id = $1", post.id)
    if rows and not await fits(rows[0]["password_hash"], old):
        await _failed(post.id, now, source)
        raise NotSignedIn("old password", say="原来的密码不对。")
    await _keep(post.id, await _prepared(post.id, new), now, by=post.actor, source=source)


async def _prepared(staff_id: int, new: str) -> str:
    """The hash of a password that will do for this person. Raises BadRequest."""
    row = (await fetch("SELECT code, name, phone FROM staff WHERE id = $1", staff_id))[0]
    check_new(new, row["code"] or "", row["name"], row["phone"])
    return await hash_password(new)


_KEEP = """
INSERT INTO credential (staff_id, password_hash, password_at, totp_secret, totp_step, failures)
VALUES ($1, $2, $3, '', 0, 0) ON CONFLICT (staff_id)
DO UPDATE SET password_hash = excluded.password_hash, password_at = excluded.password_at, failures = 0,
    locked_until = NULL
"""


async def _keep(staff_id: int, digest: str, now: datetime, *, by: str, source: str) -> None:
    async with transaction():
        await fetch(_KEEP, staff_id, digest, now)
        await audit(by, "console:set_password", staff_id, now, source=source)


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


async def issue_setup(staff_id: int | None, by: str, now: datetime) -> str:
    """The secret of a link that sets a password once, within a day; None = of the first administrator. Earlier ones
    for the same person end."""
    secret = secrets.token_urlsafe(24)
    async with transaction():
        await SetupLink.filter(staff_id=staff_id, used_at=None).delete()
        await SetupLink.create(digest=_digest(secret), staff_id=staff_id, made_by=by, expires_at=now + SETUP_LIFE)
        await audit(by, "console:setup", staff_id, now)
    return secret


_GONE = "这个链接用过了或过期了。请找安全管理员要新的，或在服务器上运行 linli console。"


async def find_setup(secret: str, now: datetime) -> SetupLink:
    """A link that still works. Raises NotFound."""
    found = await SetupLink.filter(digest=_digest(secret), used_at=None, expires_at__gt=now).get_or_none()
    if found is None:
        raise NotFound("setup link", say=_GONE)
    return found


async def use_setup(secret: str, staff_id: int, password: str, now: datetime, source: str = "") -> None:
    """Set the password by a link; by the first administrator's, become the system administrator too. Raises NotFound,
    BadRequest, Conflict."""
    await find_setup(secret, now)
    digest = await _prepared(staff_id, password)
    async with transaction():
        alive = SetupLink.filter(digest=_digest(secret), used_at=None, expires_at__gt=now)
        found = await alive.select_for_update().first()
        if found is None or found.staff_id not in (None, staff_id):
            raise NotFound("setup link", say=_GONE)
        await _keep(staff_id, digest, now, by=f"staff:{staff_id}", source=source)
        if found.staff_id is None:
            await make_first(staff_id, now, source)
        found.used_at = now
        await found.save()
