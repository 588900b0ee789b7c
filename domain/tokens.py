"""Opaque login tokens: given out once, known here by their hash alone, ended at any time.

A resident's lasts thirty days from its last use. Whoever acts as staff signs in again after twelve hours, however they
signed in; in the console also when they have done nothing for half an hour. Who somebody is gets read anew for every
request: a post that is gone or elsewhere counts at once.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from domain.journal import audit
from domain.people import Person, person_of, post_of
from errors import NotFound, NotSignedIn
from models.accounts import LoginToken
from models.database import fetch, transaction
from models.enums import LoginKind

RESIDENT_LIFE = timedelta(days=30)
STAFF_LIFE = timedelta(hours=12)
#: A session of the console ends when nobody has done anything for so long, and after STAFF_LIFE in any case.
CONSOLE_IDLE = timedelta(minutes=30)
#: How exactly "last used" is kept: a write for every request would cost more than it tells.
_TOUCH, _CONSOLE_TOUCH = timedelta(minutes=5), timedelta(minutes=1)
_FORM = re.compile(r"ll_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Token:
    """A token as a request carries it, without its secret."""

    id: int
    kind: LoginKind
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Device:
    """One signed-in device as its owner sees it."""

    id: int
    kind: LoginKind
    name: str
    created_at: datetime
    seen_at: datetime
    current: bool


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


async def issue(
    kind: LoginKind, now: datetime, *, resident_id: int | None = None, staff_id: int | None = None, device: str = ""
) -> str:
    """A new token for a resident or a member of staff; the only time its text is known. In the running transaction."""
    secret = f"ll_{secrets.token_urlsafe(32)}"
    await LoginToken.create(
        digest=_digest(secret),
        kind=kind,
        resident_id=resident_id,
        staff_id=staff_id,
        device=device[:64],
        created_at=now,
        seen_at=now,
        expires_at=now + _life(kind, staff_id),
    )
    return secret


def _life(kind: LoginKind, staff_id: int | None) -> timedelta:
    if kind is LoginKind.CONSOLE:
        return CONSOLE_IDLE
    return STAFF_LIFE if staff_id else RESIDENT_LIFE


# Signed in now: neither ended nor run out, their post (if it is one) not taken away, nobody deleted.
_FOUND = """
SELECT t.id, t.kind, t.resident_id, t.staff_id, t.created_at, t.seen_at, t.expires_at,
    s.id IS NOT NULL AND NOT s.active AS dismissed,
    t.ended_at IS NULL AND t.expires_at > $2 AND r.deleted_at IS NULL AND (s.id IS NULL OR s.active)
    AND (t.created_at > $3 OR NOT EXISTS (SELECT 1 FROM staff b WHERE b.openid = r.openid AND b.active)) AS living
FROM login_token t LEFT JOIN resident r ON r.id = t.resident_id LEFT JOIN staff s ON s.id = t.staff_id
"""
_BY_DIGEST = _FOUND + "WHERE t.digest = $1"
_BY_IDS = _FOUND + "WHERE t.id = ANY ($1::bigint[])"


async def find_token(secret: str, now: datetime, *, console: bool = False, touch: bool = True) -> tuple[Person, Token]:
    """Whose token this is. Raises NotSignedIn for one that is unknown, run out, ended, or of staff dismissed, and for a
    token of the API in the console or the other way round. Without `touch` this is no use of it: a page that looks for
    news by itself keeps nobody signed in."""
    rows = await fetch(_BY_DIGEST, _digest(secret), now, now - STAFF_LIFE) if _FORM.fullmatch(secret) else []
    row = rows[0] if rows and (rows[0]["kind"] == LoginKind.CONSOLE) is console else None
    if row is None or not row["living"]:
        if row and row["dismissed"]:  # taken on again, they sign in again
            await fetch("UPDATE login_token SET ended_at = coalesce(ended_at, $2) WHERE id = $1", row["id"], now)
        raise NotSignedIn("token")
    token = Token(row["id"], LoginKind(row["kind"]), row["expires_at"])
    if row["staff_id"]:
        person = Person("", 0, None, await post_of(row["staff_id"]))
    else:
        person = await person_of(row["resident_id"])
    return person, await _touched(token, row, now) if touch else token


async def _touched(token: Token, row: Mapping[str, Any], now: datetime) -> Token:
    console = token.kind is LoginKind.CONSOLE
    if now - row["seen_at"] < (_CONSOLE_TOUCH if console else _TOUCH):
        return token
    until = token.expires_at if token.kind is LoginKind.STAFF else now + RESIDENT_LIFE
    if console:
        until = min(now + CONSOLE_IDLE, row["created_at"] + STAFF_LIFE)
    await fetch("UPDATE login_token SET seen_at = $2, expires_at = $3 WHERE id = $1", token.id, now, until)
    return Token(token.id, token.kind, until)


async def living(ids: Collection[int], now: datetime) -> set[int]:
    """Which of these tokens still hold: what an open connection asks again and again."""
    rows = await fetch(_BY_IDS, list(ids), now, now - STAFF_LIFE)
    return {row["id"] for row in rows if row["living"]}


# A person's own: those of the resident, and those of their post.
_DEVICES = """
SELECT id, kind, device AS name, created_at, seen_at FROM login_token
WHERE ended_at IS NULL AND expires_at > $3 AND ($1::bigint > 0 AND resident_id = $1 OR staff_id = $2::int)
ORDER BY seen_at DESC, id DESC
"""
_END = """
UPDATE login_token SET ended_at = $3
WHERE ended_at IS NULL AND expires_at > $3 AND ($1::bigint > 0 AND resident_id = $1 OR staff_id = $2::int)
    AND ($4::bigint IS NULL OR id = $4) AND id <> $5
RETURNING id
"""


def _owner(person: Person) -> tuple[int, int | None]:
    return person.resident_id, person.post.id if person.post else None


async def list_devices(person: Person, current: int, now: datetime) -> list[Device]:
    """Where this person is signed in, last used first. `current`: the token that asks."""
    rows = await fetch(_DEVICES, *_owner(person), now)
    return [Device(**(row | {"kind": LoginKind(row["kind"])}), current=row["id"] == current) for row in rows]


async def end_token(person: Person, token_id: int, now: datetime, source: str = "") -> None:
    """Sign one device out. Raises NotFound for a token of somebody else, exactly as for none."""
    async with transaction():
        if not await fetch(_END, *_owner(person), now, token_id, 0):
            raise NotFound(f"token {token_id}", say="没有找到这个设备。", tag="login:end", object_id=token_id)
        await audit(person.actor, "login:end", token_id, now, source=source)


async def end_all(person: Person, now: datetime, source: str = "", *, keep: int = 0) -> int:
    """Sign out everywhere, but for the token `keep`. Gives how many there were."""
    async with transaction():
        ended = await fetch(_END, *_owner(person), now, None, keep)
        await audit(person.actor, "login:end_all", None, now, source=source)
    return len(ended)
