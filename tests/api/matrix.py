"""The policy table as requests: for each route, each caller and each relation an object is made and the API is called.

A subject's objects are made in its own `scenes_<subject>.py`:

    @scene("room")
    async def room(world: World, actor: Actor, relation: Relation) -> Target:
        grid = world.grid(relation)            # lies to the actor as the relation says
        ...                                    # OWN: the actor made it, or it is about them; DELETED: it is gone
        return {"room_id": found.id}           # the path's values; None where there can be no such object

    BODIES["POST /rooms/{room_id}/messages"] = lambda: {"text": "你好", "client_id": uuid4().hex}
    OTHERWISE["POST /cases/{case_id}/rate"] = {409}   # what an allowed caller may be answered besides 2xx

`QUERIES` and `FORMS` are the same for query strings and multipart bodies.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from domain.consents import texts
from miniapp_api.api import all_routes
from miniapp_api.kernel import Route
from miniapp_api.policy import POLICY, STAFF, Relation, Rule
from miniapp_api.policy import Caller as Role
from models.accounts import PurposeConsent
from models.enums import Level, Purpose
from models.people import Area, Resident, Staff
from tests.api.caller import Caller, Reply, token_of_resident, token_of_staff
from tests.town import Town

Target = Mapping[str, Any] | None

GRID, COMMUNITY_GRID, STREET_GRID = "429906001001001", "429906001001002", "429906001002001"
_POSTS = {
    Role.GRID_WORKER: "G001",
    Role.COMMUNITY_STAFF: "S001",
    Role.STREET_STAFF: "J001",
    Role.DISTRICT_STAFF: "Q001",
    Role.CITY_STAFF: "C001",
    Role.DEPARTMENT_STAFF: "B001",
}
_RELATION_OF = {
    Level.GRID: Relation.SAME_GRID,
    Level.COMMUNITY: Relation.SAME_COMMUNITY,
    Level.STREET: Relation.SAME_STREET,
    Level.DISTRICT: Relation.SAME_DISTRICT,
    Level.CITY: Relation.ELSEWHERE,
}


@dataclass(frozen=True)
class Actor:
    """Who calls: a resident of the first grid, staff of it or of what lies above it, or nobody."""

    role: Role
    caller: Caller
    resident: Resident | None = None
    staff: Staff | None = None
    level: Level = Level.GRID

    @property
    def name(self) -> str:
        """As the audit trail has them."""
        return f"staff:{self.staff.id}" if self.staff else f"resident:{self.resident.id if self.resident else 0}"

    @property
    def relations(self) -> list[Relation]:
        """What an object can be to them: the smallest area that both lie in is no smaller than their own."""
        area = [_RELATION_OF[level] for level in Level if level.rank >= self.level.rank]
        return [Relation.OWN, *area, Relation.DELETED]


class World:
    """The demo community with a second street and a second district, and one caller of each kind."""

    def __init__(self, town: Town, grids: Mapping[Relation, Area], actors: Mapping[Role, Actor]) -> None:
        self.town = town
        self.actors = actors
        self._grids = grids
        self._made = 0

    def grid(self, relation: Relation) -> Area:
        """A grid that lies to everybody's own area as the relation says; the callers' own for OWN and DELETED."""
        return self._grids.get(relation, self._grids[Relation.SAME_GRID])

    async def resident(self, grid: Area) -> Resident:
        """Somebody new who lives there."""
        self._made += 1
        return await _settled(f"o_matrix_{self._made}", grid, self.town.clock())

    async def ask(self, actor: Actor, route: Route, target: Mapping[str, Any]) -> Reply:
        """One request, a second after the one before."""
        self.town.clock.advance(timedelta(seconds=1))
        given = f"{route.method} {route.path}"
        more: dict[str, Any] = {}
        if given in BODIES:
            more["json"] = BODIES[given]()
        if given in QUERIES:
            more["params"] = QUERIES[given]()
        if given in FORMS:
            more["data"] = FORMS[given]()
        caller = await self._again(actor) if given in LEAVING else actor.caller
        return await caller.ask(route.method, route.path.format(**target), **more)

    async def _again(self, actor: Actor) -> Caller:
        """The same person on one more device."""
        if actor.staff:
            return actor.caller.holding(await token_of_staff(self.town, actor.staff))
        if actor.resident:
            return actor.caller.holding(await token_of_resident(self.town, actor.resident.openid))
        return actor.caller


Scene = Callable[[World, Actor, Relation], Awaitable[Target]]

SCENES: dict[str, Scene] = {}
BODIES: dict[str, Callable[[], Any]] = {}
QUERIES: dict[str, Callable[[], Any]] = {}
FORMS: dict[str, Callable[[], Any]] = {}
OTHERWISE: dict[str, set[int]] = {}
#: Routes that end the token they are asked with: each caller gets one more for them.
LEAVING: set[str] = set()


def scene(kind: str) -> Callable[[Scene], Scene]:
    """How an object of this kind is made."""

    def kept(make: Scene) -> Scene:
        SCENES[kind] = make
        return make

    return kept


def read_scenes() -> None:
    """Load every subject's."""
    for path in sorted(Path(__file__).parent.glob("scenes_*.py")):
        importlib.import_module(f"tests.api.{path.stem}")


async def make_world(town: Town, sign_in: Callable[..., Awaitable[Caller]]) -> World:
    """Areas and callers."""
    other_district = await _area(await Area.get(code="429900"), "429909", Level.DISTRICT)
    grids = {
        Relation.SAME_GRID: await Area.get(code=GRID),
        Relation.SAME_COMMUNITY: await Area.get(code=COMMUNITY_GRID),
        Relation.SAME_STREET: await Area.get(code=STREET_GRID),
        Relation.SAME_DISTRICT: await _far_grid(await Area.get(code="429906"), "429906009"),
        Relation.ELSEWHERE: await _far_grid(other_district, "429909001"),
    }
    openid = "o_matrix_actor"
    resident = await _settled(openid, grids[Relation.SAME_GRID], town.clock())
    actors = {
        Role.NOBODY: Actor(Role.NOBODY, await sign_in()),
        Role.RESIDENT: Actor(Role.RESIDENT, await sign_in(openid), resident),
    }
    for role in STAFF:
        staff = await Staff.get(code=_POSTS[role]).select_related("area")
        actors[role] = Actor(role, await sign_in(staff=staff), staff=staff, level=staff.area.level)
    return World(town, grids, actors)


async def _settled(openid: str, grid: Area, now: datetime) -> Resident:
    """A grown-up who agreed to everything a resident is asked."""
    resident = await Resident.create(openid=openid, grid_id=grid.id, created_at=now, minor=False)
    agreed = {purpose: texts()[purpose].version for purpose in set(Purpose) - {Purpose.GUARDIAN}}
    await PurposeConsent.bulk_create(
        PurposeConsent(resident=resident, purpose=purpose, version=version, given_at=now)
        for purpose, version in agreed.items()
    )
    return resident


async def _far_grid(district: Area, street_code: str) -> Area:
    street = await _area(district, street_code, Level.STREET)
    community = await _area(street, f"{street_code}001", Level.COMMUNITY)
    return await _area(community, f"{street_code}001001", Level.GRID)


async def _area(parent: Area, code: str, level: Level) -> Area:
    return await Area.create(parent=parent, code=code, level=level, name=f"{level}{code}")


def expected(rule: Rule, role: Role, relation: Relation) -> int:
    """The status a refused caller gets; 200 for one who is let in."""
    if relation in rule.may.get(role, ()) or rule.public:
        return 200
    if role is Role.NOBODY:
        return 401
    reads = POLICY[rule.reads].may.get(role, frozenset()) if rule.reads else frozenset()
    return 404 if rule.kind and relation not in reads else 403


@dataclass(frozen=True)
class Cell:
    """One field of the matrix, and what came of it."""

    actor: Actor
    relation: Relation
    meant: int
    reply: Reply

    @property
    def fault(self) -> str:
        """What is wrong with it; "" for nothing."""
        route_said = f"{self.reply.status} {self.reply.code or ''}".strip()
        return f"{self.actor.role} × {self.relation}: {route_said}, meant {self.meant}"


async def cells(world: World, route: Route) -> AsyncIterator[Cell]:
    """Every cell of a route."""
    rule = POLICY[route.rule]
    for actor in world.actors.values():
        for relation in actor.relations if rule.kind else [Relation.OWN]:
            target = await SCENES[rule.kind](world, actor, relation) if rule.kind else {}
            if target is not None:
                reply = await world.ask(actor, route, target)
                yield Cell(actor, relation, expected(rule, actor.role, relation), reply)


async def some_target(world: World, route: Route, actor: Actor) -> Target:
    """An object the caller may do this with; None where there is none."""
    rule = POLICY[route.rule]
    for relation in actor.relations:
        if rule.kind and relation in rule.may.get(actor.role, ()):
            target = await SCENES[rule.kind](world, actor, relation)
            if target is not None:
                return target
    return None


def fits(route: Route, cell: Cell) -> bool:
    """Whether the answer is the one that was meant."""
    if cell.meant == 200:
        return 200 <= cell.reply.status < 300 or cell.reply.status in OTHERWISE.get(f"{route.method} {route.path}", ())
    return cell.reply.status == cell.meant


def routes_of(subject: str) -> list[Route]:
    """A subject's routes that are called with a token; signed ones have tests of their own."""
    return [route for route in all_routes() if route.subject == subject and route.guard is None]
