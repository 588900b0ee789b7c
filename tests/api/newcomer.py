"""Somebody who opens the mini-program: signs in with their own phone, says their age, agrees to what a test needs."""

from __future__ import annotations

from domain.consents import texts
from models.enums import Purpose
from simulator.config import Person
from tests.api.caller import Caller
from tests.town import Town

GRID = "429906001001001"


async def open_miniapp(town: Town, nobody: Caller, openid: str, *, follows: bool = False) -> Caller:
    """Sign in to the mini-program with this phone."""
    if town.platform.phones.find(openid) is None:
        town.platform.add_phone(Person(openid, "新邻居", "居民"), following=follows)
    reply = await nobody.post("/login/miniapp", {"code": town.platform.make_code(openid)})
    assert reply.status == 200, reply.json
    return nobody.holding(reply.json["token"])


async def agree(caller: Caller, *purposes: Purpose) -> None:
    """Say that one is fourteen, and agree to these."""
    assert (await caller.ask("PUT", "/me/age", json={"over_fourteen": True})).status == 200
    for purpose in purposes:
        reply = await caller.ask("PUT", f"/me/consents/{purpose}", json={"version": texts()[purpose].version})
        assert reply.status == 200, reply.json
