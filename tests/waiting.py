"""Waiting for a condition instead of for a time. How long only matters where it never comes true: long enough for a
machine that is four times slower and busy."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


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
