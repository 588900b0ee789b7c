"""Tasks that go on beside the work of a process, and how they end."""

from __future__ import annotations

import asyncio
from typing import Any


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until they have ended. Once may not do: a cancellation that meets the end of what somebody
    waits for with a time limit, as the client of Redis does, is lost in it (Python 3.11's `wait_for`), and the task
    would go on for ever."""
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=0.5)
    await asyncio.gather(*tasks, return_exceptions=True)
