"""Forms and applications for the policy matrix."""

from __future__ import annotations

import itertools
from typing import Any

from miniapp_api.policy import Caller, Relation
from models.bookings import Application, ServiceForm
from models.enums import ApplicationState
from models.people import Area
from models.services import ServiceClass, ServiceItem
from tests.api.matrix import BODIES, SCENES, Actor, Target, World, scene

_FIELDS: list[dict[str, Any]] = [
    {"key": "f1", "label": "姓名", "type": "text", "required": True, "choices": []}
    | {"least": None, "most": None, "hint": ""}
]
#: Each time it is for somebody else: for the same one nobody applies twice.
_OTHERS = itertools.count(1000)
#: Who may fill in for others.
_FILLS = (Caller.GRID_WORKER, Caller.COMMUNITY_STAFF)


@scene("form")
async def form(world: World, actor: Actor, relation: Relation) -> Target:
    """A form of an item of one grid."""
    found = await SCENES["service"](world, actor, relation)
    if found and relation is not Relation.DELETED:
        item = await ServiceItem.get(code=found["code"])
        await ServiceForm.get_or_create(
            item=item, version=1, defaults={"fields_": _FIELDS, "created_at": world.town.clock()}
        )
    return found


async def _applied(world: World, actor: Actor, relation: Relation, state: ApplicationState) -> Target:
    """Somebody's application from one grid; OWN: the caller filled it in, or works on it."""
    if relation is Relation.DELETED:
        return {"application_id": 2**40}
    own = relation is Relation.OWN
    if own and actor.role is Caller.NOBODY:
        return None
    grid = world.grid(relation)
    who = actor.resident if own and actor.resident else await world.resident(grid)
    group, community = await ServiceClass.get(code="gov"), await Area.get(id=grid.parent_id)
    world_item = await ServiceItem.create(
        code=f"a{await Application.all().count()}", title="试试", service_class=group, department_id=_unit(actor)
    )
    filled = await ServiceForm.create(item=world_item, version=1, fields_=_FIELDS, created_at=world.town.clock())
    made = await Application.create(
        number=f"B-{world_item.id}",
        item=world_item,
        form=filled,
        state=state,
        resident=None if own and actor.role in _FILLS else who,
        by=actor.name if own and actor.role in _FILLS else f"resident:{who.id}",
        answers={"f1": "李桂英"},
        grid=grid,
        area=community,
        holder=actor.staff if own and actor.role is not Caller.GRID_WORKER else None,
        submitted_at=world.town.clock(),
    )
    return {"application_id": made.id}


def _unit(actor: Actor) -> int | None:
    """An item of the caller's department, if they have one."""
    return actor.staff.department_id if actor.staff else None


@scene("application")
async def application(world: World, actor: Actor, relation: Relation) -> Target:
    """Waiting to be looked at."""
    return await _applied(world, actor, relation, ApplicationState.SUBMITTED)


@scene("asked_application")
async def asked_application(world: World, actor: Actor, relation: Relation) -> Target:
    """The applicant must add something."""
    return await _applied(world, actor, relation, ApplicationState.SUPPLEMENT)


@scene("done_application")
async def done_application(world: World, actor: Actor, relation: Relation) -> Target:
    """It is done."""
    return await _applied(world, actor, relation, ApplicationState.DONE)


BODIES |= {
    "POST /services/{code}/applications": lambda: {
        "answers": {"f1": "李桂英"},
        "behalf": {"name": "李桂英", "phone": f"1380000{next(_OTHERS)}", "relation": "女儿"},
    },
    "POST /applications/{application_id}/supplement": lambda: {"words": "补充了照片"},
    "PUT /applications/{application_id}/rating": lambda: {"stars": 4},
    "POST /applications/{application_id}/ask": lambda: {"text": "还缺一张照片"},
    "POST /applications/{application_id}/finish": lambda: {"text": "办好了"},
    "POST /applications/{application_id}/refuse": lambda: {"text": "不符合条件"},
}
