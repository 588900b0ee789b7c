"""A client of the API as the tests use it: signed in as somebody of the demo community."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

import aiohttp

from models.accounts import LoginToken
from models.enums import LoginKind
from models.people import Resident, Staff
from tests.town import Town


class Reply:
    """What came back."""

    def __init__(self, status: int, headers: Any, raw: bytes, content: Any) -> None:
        self.status = status
        self.headers = headers
        self.raw = raw
        self.json = content

    @property
    def code(self) -> str:
        """The error's code; "" for none."""
        return self.json["error"]["code"] if isinstance(self.json, dict) and "error" in self.json else ""

    @property
    def as_seen(self) -> tuple[object, ...]:
        """All there is to see of it but the request's own id and the time: to tell two answers apart by."""
        headers = {name: text for name, text in self.headers.items() if name.lower() not in ("x-request-id", "date")}
        body = self.raw.replace(self.headers["X-Request-Id"].encode(), b"")
        return (self.status, body, *sorted(headers.items()))

    @property
    def fields(self) -> list[str]:
        """The fields the error names."""
        return [one["field"] for one in self.json["error"].get("fields", [])]


class Caller:
    """Somebody with a token, or nobody."""

    def __init__(self, session: aiohttp.ClientSession, base: str, token: str = "") -> None:
        self._session = session
        self.base = base
        self.token = token

    def holding(self, token: str) -> Caller:
        """The same connection with another token."""
        return Caller(self._session, self.base, token)

    async def get(self, path: str, **more: Any) -> Reply:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> Reply:
        return await self.ask("POST", path, json=body, **more)

    async def ask(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> Reply:
        """Any request; `path` below /api/v1."""
        given = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self._session.request(method, self.base + path, headers=given | (headers or {}), **more) as answer:
            raw = await answer.read()
            content = await answer.json() if answer.content_type == "application/json" else None
            return Reply(answer.status, answer.headers, raw, content)


async def token_of_resident(town: Town, openid: str) -> str:
    """A token of the resident with this openid, without the way through WeChat."""
    resident = await Resident.get(openid=openid)
    return await _token(town, LoginKind.MINIAPP, timedelta(days=30), resident_id=resident.id)


async def token_of_staff(town: Town, staff: Staff) -> str:
    """A token of a member of staff, as after a one-time code."""
    return await _token(town, LoginKind.STAFF, timedelta(hours=12), staff_id=staff.id)


async def _token(town: Town, kind: LoginKind, life: timedelta, **whose: int) -> str:
    token = "ll_" + secrets.token_urlsafe(32)
    now = town.clock()
    await LoginToken.create(
        digest=hashlib.sha256(token.encode()).hexdigest(),
        kind=kind,
        created_at=now,
        seen_at=now,
        expires_at=now + life,
        **whose,
    )
    return token
