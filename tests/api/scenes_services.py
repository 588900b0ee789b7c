"""Services and providers for the policy matrix."""

from __future__ import annotations

from typing import Any

from domain import service_help
from domain.people import person_of
from miniapp_api.policy import Caller, Relation
from models.people import Area
from models.services import MissingItem, Provider, ServiceClass, ServiceItem
from tests.api.matrix import BODIES, QUERIES, Actor, Target, World, scene

_MATERIALS = [{"name": "身份证", "form": "original", "count": 1, "note": "", "source": ""}]
_ANSWERS = [{"text": "是", "verdict": "yes", "say": ""}, {"text": "不是", "verdict": "no", "say": ""}]


def _area(world: World, actor: Actor, relation: Relation) -> Area | None:
    """Where it is offered; None where there can be no such thing. OWN = in the first grid."""
    return None if relation is Relation.OWN and actor.role is Caller.NOBODY else world.grid(relation)


@scene("service")
async def service(world: World, actor: Actor, relation: Relation) -> Target:
    """An item of one grid."""
    if relation is Relation.DELETED:
        return {"code": "no-such-item"}
    area = _area(world, actor, relation)
    if area is None:
        return None
    given: dict[str, Any] = {"materials": _MATERIALS, "questions": [{"text": "是吗？", "answers": _ANSWERS}]}
    group = await ServiceClass.get(code="gov")
    item, _ = await ServiceItem.get_or_create(
        code=f"m{area.id}", defaults={"title": "试试", "service_class": group, "area": area} | given
    )
    return {"code": item.code}


@scene("provider")
async def provider(world: World, actor: Actor, relation: Relation) -> Target:
    """Who works in one grid."""
    if relation is Relation.DELETED:
        return {"provider_id": 2**40}
    area = _area(world, actor, relation)
    if area is None:
        return None
    found, _ = await Provider.get_or_create(
        code=f"m{area.id}", defaults={"name": "试试家政", "kind": "家政", "area": area}
    )
    return {"provider_id": found.id}


@scene("missing")
async def missing(world: World, actor: Actor, relation: Relation) -> Target:
    """A question from one community that nobody had written an answer to."""
    if relation is Relation.DELETED:
        return {"missing_id": 2**40}
    area = _area(world, actor, relation)
    if area is None:
        return None
    asked = await service_help.ask(
        await person_of((await world.resident(area)).id), f"怎么开飞艇 {area.code}", world.town.clock()
    )
    return {"missing_id": (await MissingItem.get(case_id=asked.case.id)).id}


QUERIES["GET /service-search"] = lambda: {"q": "怎么办居住证"}
BODIES |= {
    "POST /services/{code}/eligibility": lambda: {"answers": [1]},
    "PUT /services/{code}/checklist": lambda: {"ticked": ["身份证"]},
    "POST /missing-services/{missing_id}/done": lambda: {"code": "jzz"},
    "POST /service-questions": lambda: {"text": "怎么开飞艇"},
    "PUT /providers/{provider_id}/rating": lambda: {"stars": 4},
    "POST /providers/{provider_id}/complaints": lambda: {"text": "收费不合理"},
}
