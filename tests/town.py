"""A running Linli as a test sees it: people say things, pushes are delivered, time passes when the test says so."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.serve import Served
from bot.outbox import Outbox
from simulator import Platform

CHEN, WANG, LI, ZHOU = "o_sim_resident_chen", "o_sim_grid_wang", "o_sim_community_li", "o_sim_street_zhou"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def __call__(self) -> datetime:
        return self._now

    def advance(self, step: timedelta) -> None:
        """Let time pass."""
        self._now += step


class Town:
    """The demo community with everybody's phone in hand."""

    def __init__(self, served: Served, platform: Platform, clock: Clock) -> None:
        self.services = served.services
        self.url = served.url
        self.platform = platform
        self.clock = clock
        self.outbox: Outbox = served.services.outbox()

    async def say(self, openid: str, text: str) -> str:
        """Type a text; gives what the account answers at once ("" for nothing). A second passes first."""
        return await self.send(openid, "text", text=text)

    async def send(self, openid: str, kind: str, **given: object) -> str:
        """Send anything; gives the passive reply."""
        self.clock.advance(timedelta(seconds=1))
        delivery = await self.platform.send(openid, kind, **given)
        assert delivery.outcome != "fault", delivery.reason
        return delivery.text

    async def photo(self, openid: str) -> str:
        """Send a small photo."""
        return await self.send(openid, "image", data=PNG)

    async def tap(self, openid: str, label: str) -> str:
        """Tap a line of the newest menu or reply on the phone that has it."""
        self.clock.advance(timedelta(seconds=1))
        delivery = await self.platform.choose(openid, label)
        assert delivery.outcome != "fault", delivery.reason
        return delivery.text

    async def deliver(self) -> int:
        """Let a worker do everything that is due; gives how many jobs it claimed."""
        done = 0
        while claimed := await self.outbox.run_once():
            done += claimed
        return done

    def heard(self, openid: str) -> list[str]:
        """The texts pushed to a phone, oldest first."""
        return [push.text for push in self.platform.pushes(openid)]

    def last(self, openid: str) -> str:
        """The newest push on a phone."""
        heard = self.heard(openid)
        return heard[-1] if heard else ""


# The smallest PNG there is: one grey pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c6360000000020001"
    "48afa4710000000049454e44ae426082"
)
