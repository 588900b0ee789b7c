"""Keys of the open interface: made once, shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.journal import audit
from errors import Conflict, NotAllowed, NotFound
from models.database import fetch, transaction
from models.interconnection import ApiKey

#: How often "last used" is written down: reading must not cost a write each time.
_NOTED_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Key:
    """A client that is let in."""

    id: int
    name: str
    may_write: bool


async def add_key(name: str, now: datetime, *, may_write: bool = True) -> str:
    """A new key for a client; given here and never again. Raises Conflict where the name is in use."""
    key = secrets.token_urlsafe(32)
    async with transaction():
        if await ApiKey.exists(name=name, active=True):
            raise Conflict(f"there is a key named {name} already: revoke it first, or take another name")
        made = await ApiKey.create(name=name, key_hash=_hash(key), may_write=may_write, created_at=now)
        await audit("system", "key:add", made.id, now)
    return key


async def revoke_key(name: str, now: datetime) -> None:
    """The client is let in no more; what it filed stays. Raises NotFound."""
    async with transaction():
        found = await ApiKey.filter(name=name, active=True).first()
        if found is None:
            raise NotFound(f"no key named {name}")
        await ApiKey.filter(id=found.id).update(active=False)
        await audit("system", "key:revoke", found.id, now)


async def list_keys() -> list[ApiKey]:
    """Every key that works, in the order they were made."""
    return await ApiKey.filter(active=True).order_by("id")


async def find_key(given: str, now: datetime) -> Key | None:
    """The client with this key; None where none was given. Raises NotAllowed for a key that does not work."""
    if not given:
        return None
    hashed = _hash(given)
    row = await ApiKey.get_or_none(key_hash=hashed, active=True)
    if row is None or not hmac.compare_digest(row.key_hash, hashed):
        raise NotAllowed("api_key does not work", say="api_key is not valid")
    if row.last_used_at is None or now - row.last_used_at > _NOTED_EVERY:
        await fetch("UPDATE api_key SET last_used_at = $2 WHERE id = $1", row.id, now)
    return Key(row.id, row.name, row.may_write)


def writing_key(key: Key | None) -> Key:
    """The key, where it is one that may write. Raises NotAllowed."""
    if key is None:
        raise NotAllowed("no api_key", say="api_key was not provided")
    if not key.may_write:
        raise NotAllowed(f"key {key.name} is for reading", say="this api_key may only read", tag="key:write")
    return key


def _hash(key: str) -> str:
    """A key has 256 random bits: nobody guesses it from its hash, so one round will do."""
    return hashlib.sha256(key.encode()).hexdigest()
