"""A write with a key of the client's own happens once, however often it is sent: for a day the answer is given again.

The answer is kept in the transaction of the write itself, so that there is no moment at which one is there without the
other. Where the write waits for other systems (`apart`), it is noted as under way before, and its answer kept after.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from errors import Conflict, Unprocessable
from models.database import fetch, transaction

_KEPT = timedelta(hours=24)
#: A write that waits for others and has not ended by then never will: its process died.
_UNDER_WAY = timedelta(minutes=2)
_PATIENCE = 3.0
_PAUSE = 0.05
"""Seconds the same request waits for the one under way, and between two looks."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer: HTTP status and body."""

    status: int
    body: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks what with which key; `digest` is over method, address and body."""

    actor: str
    key: str
    digest: str
    now: datetime


Act = Callable[[], Awaitable[Kept]]


async def once(asked: Asked, act: Act, *, apart: bool = False) -> Kept:
    """Do it, or give the answer of the first time. An error is not kept: the same may work later.

    Raises Unprocessable when the key was used for something else, Conflict while the first is still under way.
    """
    clock = asyncio.get_running_loop().time
    until = clock() + _PATIENCE
    while True:
        kept = await (_apart(asked, act) if apart else _together(asked, act))
        if kept:
            return kept
        if clock() >= until:
            raise Conflict(f"{asked.key} under way", say="同一个请求正在处理，请稍等再看结果，不用重复提交。")
        await asyncio.sleep(_PAUSE)


async def kept_answer(asked: Asked) -> Kept | None:
    """The answer of the first time, if it was given already. Raises Unprocessable as `once` does."""
    kept = await _known(asked)
    return kept if kept and kept.status else None


async def forget_answers(now: datetime) -> int:
    """Drop what was kept for a day; gives how many."""
    return len(await fetch("DELETE FROM idempotent_request WHERE created_at <= $1 RETURNING id", now - _KEPT))


async def _together(asked: Asked, act: Act) -> Kept | None:
    """None while another has the key."""
    async with transaction():
        if not await _lock(asked):
            return None
        if kept := await _known(asked):
            return kept if kept.status else None
        kept = await act()
        await _keep(asked, kept)
        return kept


async def _apart(asked: Asked, act: Act) -> Kept | None:
    async with transaction():
        if not await _lock(asked):
            return None
        if kept := await _known(asked):
            return kept if kept.status else None
        await _keep(asked, None)
    try:
        kept = await act()
    except BaseException:
        await _drop(asked)
        raise
    await _keep(asked, kept)
    return kept


async def _lock(asked: Asked) -> bool:
    """Whether nobody else works on this key now. Tried, not waited for: waiting would hold a connection."""
    name = f"{asked.actor} {asked.key}"
    rows = await fetch("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS mine", name)
    return bool(rows[0]["mine"])


async def _known(asked: Asked) -> Kept | None:
    """What the key stands for already; status 0 = under way."""
    rows = await fetch(
        "SELECT digest = $3 AS same, status, body FROM idempotent_request WHERE actor = $1 AND key = $2 "
        "AND created_at > CASE WHEN status IS NULL THEN $5::timestamptz ELSE $4::timestamptz END",
        asked.actor,
        asked.key,
        asked.digest,
        asked.now - _KEPT,
        asked.now - _UNDER_WAY,
    )
    if not rows:
        return None
    if not rows[0]["same"]:
        raise Unprocessable(f"{asked.key} used", say="这个 Idempotency-Key 已经用于别的请求，请换一个新的。")
    return Kept(rows[0]["status"] or 0, rows[0]["body"])


_KEEP = """
INSERT INTO idempotent_request (actor, key, digest, status, body, created_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (actor, key) DO UPDATE SET digest = $3, status = $4, body = $5, created_at = $6
"""


async def _keep(asked: Asked, kept: Kept | None) -> None:
    status, body = (kept.status, kept.body) if kept else (None, "")
    await fetch(_KEEP, asked.actor, asked.key, asked.digest, status, body, asked.now)


async def _drop(asked: Asked) -> None:
    await fetch(
        "DELETE FROM idempotent_request WHERE actor = $1 AND key = $2 AND status IS NULL", asked.actor, asked.key
    )
