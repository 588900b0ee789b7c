"""Waiting for a condition instead of for a time. How long only matters where it never comes true: long enough for a
machine that is four times slower and busy."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

T = TypeVar("T")


_LOCKED_OUT = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def locked_out(connection: asyncpg.Connection, many: int) -> None:
    """Until so many wait for rows that others hold; `connection`: one of the test's own."""

    async def are_waiting() -> bool:
        await connection.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees what it saw first
        return int(await connection.fetchval(_LOCKED_OUT)) == many

    await eventually(are_waiting)


async def eventually(condition: Callable[[], T | Awaitable[T]], within: float = 120.0) -> T:
    """The first true value of the condition, asked again and again for `within` seconds; then the test fails."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while True:
        asked = condition()
        value = await asked if inspect.isawaitable(asked) else asked
        if value:
            return value
        assert loop.time() < deadline, f"not within {within} seconds; last value {value!r}"
        await asyncio.sleep(0.02)
