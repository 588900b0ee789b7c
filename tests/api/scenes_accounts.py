"""Signing in, consents and one's own data for the policy matrix."""

from __future__ import annotations

from domain.tokens import issue
from miniapp_api.policy import Relation
from models.accounts import LoginToken
from models.enums import LoginKind
from tests.api.matrix import BODIES, LEAVING, OTHERWISE, QUERIES, Actor, Target, World, scene


@scene("login")
async def login(world: World, actor: Actor, relation: Relation) -> Target:
    """Another device somebody is signed in on; OWN = the actor."""
    now = world.town.clock()
    if relation is Relation.DELETED:
        return {"device_id": 2**40}
    if relation is not Relation.OWN:
        await issue(LoginKind.MINIAPP, now, resident_id=(await world.resident(world.grid(relation))).id)
    elif actor.staff:
        await issue(LoginKind.STAFF, now, staff_id=actor.staff.id)
    elif actor.resident:
        await issue(LoginKind.MINIAPP, now, resident_id=actor.resident.id)
    else:
        return None
    newest = await LoginToken.all().order_by("-id").first()
    return {"device_id": newest.id if newest else 0}


@scene("consent")
async def consent(_world: World, _actor: Actor, relation: Relation) -> Target:
    """One's own to a purpose; there are no others to be named."""
    return {"purpose": "phone"} if relation is Relation.OWN else None


_CODE = {"code": "0123456789"}
BODIES |= {
    "POST /login/miniapp": lambda: _CODE,
    "POST /login/web": lambda: _CODE,
    "POST /login/staff": lambda: {"number": "G001", "code": "000000"},
    "PUT /me/phone": lambda: _CODE,
    "PUT /me/grid": lambda: {"code": "429906001001001"},
    "PATCH /me": lambda: {"nickname": "楼上的老张"},
    "PUT /me/consents/{purpose}": lambda: {"version": 1},
    "PUT /me/age": lambda: {"over_fourteen": True},
    "POST /me/erase": lambda: {"confirm": "删除"},
}
QUERIES |= {"GET /login/web/address": lambda: {"page": "/room", "state": "a1b2c3d4"}}
# Codes nobody was given. The limits of signing in are reached on the way.
OTHERWISE |= {
    "POST /login/miniapp": {400, 429},
    "POST /login/web": {400, 429},
    "POST /login/staff": {401, 429},
    "PUT /me/phone": {400},
}
LEAVING |= {"POST /logout"}
