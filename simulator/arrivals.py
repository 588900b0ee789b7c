"""Waiting for a push: whoever drives a phone can sleep until the account says something."""

import asyncio
from collections.abc import Iterable

from simulator.phones import Bubble


class Arrivals:
    """Sleepers by openid."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[asyncio.Future[Bubble]]] = {}

    def ring(self, openid: str, bubble: Bubble) -> None:
        """Wake everybody who waits for this phone."""
        for sleeper in self._waiting.pop(openid, []):
            if not sleeper.done():
                sleeper.set_result(bubble)

    async def next(self, openid: str, arrived: Iterable[Bubble], after: int, within: float) -> Bubble:
        """The first bubble numbered above `after`, of those that arrived or are to come. Raises TimeoutError."""
        for bubble in arrived:
            if bubble.number > after:
                return bubble
        sleeper: asyncio.Future[Bubble] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(openid, []).append(sleeper)
        try:
            async with asyncio.timeout(within):
                return await sleeper
        finally:
            sleepers = self._waiting.get(openid, [])
            if sleeper in sleepers:
                sleepers.remove(sleeper)
