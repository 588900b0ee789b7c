"""What goes on beside the work of a process ends when it is told to."""

from __future__ import annotations

import asyncio

from domain.background import end


async def test_a_task_ends_although_what_it_waited_for_came_with_the_cancellation():
    answer, asked, forever = asyncio.get_running_loop().create_future(), asyncio.Event(), asyncio.Event()

    async def ask_and_go_on() -> None:
        asked.set()
        await asyncio.wait_for(answer, 60)
        await forever.wait()

    asking = asyncio.create_task(ask_and_go_on())
    await asked.wait()
    answer.set_result("now")
    await end(asking)
    assert asking.cancelled()
