"""Signing in by scanning a code with one's own WeChat: the desk shows it, the phone agrees, the desk goes on."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from domain.journal import audit
from domain.people import Post, find_person
from errors import NotAllowed, NotFound
from models.console import ScanTicket
from models.database import fetch, transaction

TICKET_LIFE = timedelta(minutes=3)
_GONE = "这个码过期了，请在电脑上刷新，再扫一次。"


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


async def open_ticket(now: datetime) -> str:
    """The secret of a new ticket; it stands in the code that is scanned. Old tickets are cleared away."""
    secret = secrets.token_urlsafe(24)
    async with transaction():
        await fetch("DELETE FROM scan_ticket WHERE expires_at < $1", now - timedelta(days=1))
        await ScanTicket.create(digest=_digest(secret), expires_at=now + TICKET_LIFE)
    return secret


async def is_open(secret: str, now: datetime) -> bool:
    """Whether the ticket still waits for somebody."""
    return await ScanTicket.filter(digest=_digest(secret), staff_id=None, used_at=None, expires_at__gt=now).exists()


async def agree(secret: str, openid: str, now: datetime, source: str = "") -> Post:
    """The person with this WeChat signs in at the desk that shows the ticket. Raises NotAllowed for who is no staff,
    NotFound for a ticket that is taken or over."""
    post = (await find_person(openid, now)).post
    if post is None:
        raise NotAllowed("scan of no staff", say="这个微信还没有绑定工号。请先在公众号里绑定，或用工号和密码登录。")
    async with transaction():
        waiting = ScanTicket.filter(digest=_digest(secret), staff_id=None, used_at=None, expires_at__gt=now)
        found = await waiting.select_for_update().first()
        if found is None:
            raise NotFound("scan ticket", say=_GONE)
        found.staff_id = post.id
        await found.save(update_fields=["staff_id"])
        await audit(post.actor, "console:scan", post.id, now, source=source)
    return post


async def take(secret: str, now: datetime) -> int | None:
    """Whose session the desk may begin, once; None while nobody has agreed. Raises NotFound when it is over."""
    async with transaction():
        alive = ScanTicket.filter(digest=_digest(secret), used_at=None, expires_at__gt=now)
        found = await alive.select_for_update().first()
        if found is None:
            raise NotFound("scan ticket", say=_GONE)
        if found.staff_id is None:
            return None
        found.used_at = now
        await found.save(update_fields=["used_at"])
    return found.staff_id
