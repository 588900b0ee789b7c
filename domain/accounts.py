"""Signing in: the mini-program's user, a visitor of a page inside WeChat, a member of staff with a one-time code.

Who somebody is comes from WeChat or from the code, never from what a client says of itself. The calls to WeChat are
made before; nothing here waits for anybody but the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.journal import MINI, audit
from domain.linking import link_union, merge, note_union, one_at_a_time
from domain.people import Person, find_person, person_of, post_of
from domain.tokens import issue
from errors import NotFound
from models.database import fetch, transaction
from models.enums import LoginKind


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh token, shown once, and whose it is."""

    token: str
    person: Person


@dataclass(frozen=True, slots=True)
class MiniappLogin:
    """What WeChat says of a login code."""

    openid: str
    unionid: str


async def login_miniapp(login: MiniappLogin, device: str, now: datetime, source: str = "") -> SignedIn:
    """Sign in the mini-program's user; the account's resident where `unionid` says that it is the same person."""
    async with transaction():
        resident_id = await _resident_of(login, now, source)
        while not await fetch(_STAYS, resident_id):  # was just forgotten: who they are now is somebody new
            resident_id = await _resident_of(login, now, source)
        await fetch(_SEEN, login.openid, login.unionid or None, resident_id, now)
        token = await issue(LoginKind.MINIAPP, now, resident_id=resident_id, device=device)
        await audit(f"resident:{resident_id}", "login:miniapp", resident_id, now, source=source)
        return SignedIn(token, await person_of(resident_id))


# The person before what is theirs, as everywhere.
_STAYS = "SELECT FROM resident WHERE id = $1 AND deleted_at IS NULL FOR KEY SHARE"
_SEEN = """
INSERT INTO miniapp_user (openid, unionid, resident_id, created_at, seen_at)
VALUES ($1, $2, $3, $4, $4) ON CONFLICT (openid) DO UPDATE SET
    unionid = coalesce(excluded.unionid, miniapp_user.unionid), resident_id = excluded.resident_id,
    seen_at = excluded.seen_at
"""
_JOINED = "SELECT id FROM resident WHERE unionid = $1 AND deleted_at IS NULL"
_NEW = "INSERT INTO resident (openid, unionid, created_at) VALUES ($1, $2, $3) RETURNING id"


async def _resident_of(login: MiniappLogin, now: datetime, source: str) -> int:
    await one_at_a_time(login.unionid or login.openid)
    known = await fetch(
        "SELECT r.id, r.openid, r.unionid FROM miniapp_user m JOIN resident r ON r.id = m.resident_id "
        "WHERE m.openid = $1 AND r.deleted_at IS NULL",
        login.openid,
    )
    joined = await fetch(_JOINED, login.unionid) if login.unionid else []
    if not known:
        fresh = joined or await fetch(_NEW, MINI + login.openid, login.unionid or None, now)
        return int(fresh[0]["id"])
    resident = known[0]
    if joined and joined[0]["id"] != resident["id"] and resident["openid"].startswith(MINI):
        await merge(resident["id"], joined[0]["id"], now, source)
        return int(joined[0]["id"])
    if login.unionid and not joined and resident["unionid"] is None:
        await note_union(resident["id"], login.unionid)
    return int(resident["id"])


async def login_web(openid: str, unionid: str, device: str, now: datetime, source: str = "") -> SignedIn:
    """Sign in whoever opened a page inside WeChat; `openid` is that of the official account."""
    async with transaction():
        person = await find_person(openid, now)
        await link_union(openid, unionid, now, source)
        token = await issue(LoginKind.WEB, now, resident_id=person.resident_id, device=device)
        await audit(f"resident:{person.resident_id}", "login:web", person.resident_id, now, source=source)
        return SignedIn(token, await person_of(person.resident_id))


async def login_staff(staff_id: int, device: str, now: datetime, source: str = "") -> SignedIn:
    """Sign in a member of staff whose one-time code was right (`domain.login_codes.redeem`)."""
    async with transaction():
        post = await post_of(staff_id)
        if post is None:
            raise NotFound(f"staff {staff_id}")
        token = await issue(LoginKind.STAFF, now, staff_id=staff_id, device=device)
        await audit(f"staff:{staff_id}", "login:staff", staff_id, now, source=source)
    return SignedIn(token, Person("", 0, None, post))
