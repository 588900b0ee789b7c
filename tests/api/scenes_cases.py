"""Cases, results, requests and files for the policy matrix."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import aiohttp

from domain.contacts import Contact, keep
from miniapp_api.policy import Caller, Relation
from models.cases import Assist, Case, CaseRequest, Follower
from models.enums import Level, RequestKind, Source, Status, Urgency
from models.people import Staff
from tests.api.matrix import BODIES, FORMS, OTHERWISE, Actor, Target, World, scene
from tests.town import PNG

_ABSENT = {"case_id": 2**40}


async def _a_case(world: World, actor: Actor, relation: Relation, **more: Any) -> Case | None:
    """A case that lies to the actor as the relation says; OWN = they reported it, or have it."""
    if relation is Relation.DELETED or (relation is Relation.OWN and actor.role is Caller.NOBODY):
        return None
    grid, now = world.grid(relation), world.town.clock()
    own = relation is Relation.OWN
    reporter = actor.resident if own and actor.resident else await world.resident(grid)
    await reporter.__class__.filter(id=reporter.id).update(phone="13800000000")
    holder = actor.staff if own and actor.staff else await _somebody_else(actor)
    given = {
        "status": Status.DISPOSING,
        "category": "lighting.corridor",
        "subject": "楼道照明损坏",
        "urgency": Urgency.NORMAL,
        "source": Source.MINIAPP,
        "description": "灯坏了",
        "reporter_id": reporter.id,
        "grid_id": grid.id,
        "area_id": grid.id,
        "holder_id": holder.id,
        "reported_at": now,
        "due_at": now + timedelta(days=30),
    }
    return await Case.create(number=f"20261120-{100_000 + await Case.all().count()}", **given | more)


async def _somebody_else(actor: Actor) -> Staff:
    """Who has a case that is not the actor's: somebody of another place, who is asked for nothing else."""
    staff, _ = await Staff.get_or_create(
        code="X999", defaults={"name": "外人", "role": "grid_worker", "area_id": await _far_area()}
    )
    return staff


async def _far_area() -> int:
    return (await Staff.get(code="G002")).area_id


@scene("case")
async def case(world: World, actor: Actor, relation: Relation) -> Target:
    """One that is being handled."""
    made = await _a_case(world, actor, relation)
    return {"case_id": made.id} if made else _absent(relation)


def _absent(relation: Relation) -> Target:
    return _ABSENT if relation is Relation.DELETED else None


@scene("lamp")
async def lamp(world: World, actor: Actor, relation: Relation) -> Target:
    """A matter of a public place, which neighbours may join."""
    made = await _a_case(world, actor, relation, category="lighting.street", subject="路灯不亮")
    return {"case_id": made.id} if made else _absent(relation)


@scene("result")
async def result(world: World, actor: Actor, relation: Relation) -> Target:
    """One whose reporter is asked 解决了吗."""
    now = world.town.clock()
    made = await _a_case(world, actor, relation, status=Status.VERIFIED, disposed_at=now, verified_at=now)
    return {"case_id": made.id} if made else _absent(relation)


@scene("told")
async def told(world: World, actor: Actor, relation: Relation) -> Target:
    """A result of somebody without WeChat, who waits for a call."""
    if actor.role is Caller.RESIDENT and relation is Relation.OWN:
        return None
    now = world.town.clock()
    made = await _a_case(world, actor, relation, status=Status.VERIFIED, disposed_at=now, verified_at=now)
    if made is None:
        return _absent(relation)
    reporter = await keep(Contact("张奶奶", f"138{made.id:08d}"), made.grid_id or 0, now)
    await Case.filter(id=made.id).update(reporter_id=reporter.resident_id)
    return {"case_id": made.id}


async def _with_request(made: Case, now: datetime, kind: RequestKind, to_staff_id: int | None) -> None:
    await CaseRequest.create(
        case_id=made.id,
        kind=kind,
        asked_by_id=made.holder_id or 0,
        asked_at=now,
        reason="不是我这里的",
        to_staff_id=to_staff_id,
        decider_level=Level.COMMUNITY,
    )


@scene("asked")
async def asked(world: World, actor: Actor, relation: Relation) -> Target:
    """One whose holder asks to send it back; nobody decides what they asked themselves."""
    if relation is Relation.OWN and actor.staff:
        return None
    made = await _a_case(world, actor, relation)
    if made is None:
        return _absent(relation)
    await _with_request(made, world.town.clock(), RequestKind.RETURN, None)
    return {"case_id": made.id}


@scene("offered")
async def offered(world: World, actor: Actor, relation: Relation) -> Target:
    """One that is offered to somebody; OWN = to the actor."""
    own = relation is Relation.OWN and actor.staff is not None
    made = await _a_case(world, actor, Relation.SAME_GRID if own else relation)
    if made is None:
        return _absent(relation)
    to = actor.staff.id if own and actor.staff else await _third()
    await _with_request(made, world.town.clock(), RequestKind.TRANSFER, to)
    return {"case_id": made.id}


async def _third() -> int:
    return (await Staff.get(code="G002")).id


@scene("assisting")
async def assisting(world: World, actor: Actor, relation: Relation) -> Target:
    """One that somebody assists with; OWN = the actor does."""
    own = relation is Relation.OWN and actor.staff is not None
    made = await _a_case(world, actor, Relation.SAME_GRID if own else relation)
    if made is None:
        return _absent(relation)
    to = actor.staff.id if own and actor.staff else await _third()
    await Assist.create(case_id=made.id, staff_id=to, text="搭把手", asked_at=world.town.clock())
    return {"case_id": made.id}


@scene("followed")
async def followed(world: World, actor: Actor, relation: Relation) -> Target:
    """A neighbour's; OWN = the actor joined it."""
    if relation is Relation.OWN and actor.resident is None:
        return None
    made = await _a_case(world, actor, Relation.SAME_GRID if relation is Relation.OWN else relation)
    if made is None:
        return _absent(relation)
    if relation is Relation.OWN and actor.resident:
        await Follower.create(case_id=made.id, resident_id=actor.resident.id, since=world.town.clock())
    return {"case_id": made.id}


@scene("file")
async def file(world: World, actor: Actor, relation: Relation) -> Target:
    """One that is not there: addresses are signed, whoever asks."""
    return {"name": f"u{uuid4().hex}"}


def _form() -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("file", PNG, filename="a.png", content_type="image/png")
    return form


_REPORT = {"text": "3栋2单元楼道灯坏了"}
_REASON = {"reason": "要换线路，得物业来"}
FORMS["POST /uploads"] = _form
OTHERWISE["GET /files/{name}"] = {404}
BODIES |= {
    "POST /files/links": lambda: {"names": ["a1"]},
    "POST /reports/preview": lambda: _REPORT,
    "POST /cases": lambda: _REPORT,
    "POST /cases/{case_id}/supplements": lambda: {"text": "还有一盏"},
    "POST /cases/{case_id}/rating": lambda: {"solved": True, "satisfaction": 3},
    "POST /cases/{case_id}/follow": lambda: {"text": "我家门口也是"},
    "POST /patrols": lambda: _REPORT,
    "POST /patrols/preview": lambda: _REPORT,
    "POST /on-behalf": lambda: _REPORT | {"name": "张奶奶", "phone": "13812345678", "agreed": True},
    "POST /cases/{case_id}/calls": lambda: {"solved": True, "satisfaction": 3},
    "POST /cases/{case_id}/notes": lambda: {"text": "看过了"},
    "POST /cases/{case_id}/memos": lambda: {"text": "钥匙在门卫"},
    "POST /cases/{case_id}/disposal": lambda: {"result": "灯归供电公司管，已经转告", "outcome": "explained"},
    "POST /cases/{case_id}/escalation": lambda: _REASON,
    "POST /cases/{case_id}/requests": lambda: _REASON | {"kind": "return"},
    "POST /cases/{case_id}/voiding": lambda: _REASON,
    "POST /cases/{case_id}/decision": lambda: {"kind": "return", "agree": True},
    "POST /cases/{case_id}/transfer": lambda: _REASON | {"to": "刘洋"},
    "POST /cases/{case_id}/assists": lambda: {"to": "刘洋", "text": "搭把手"},
    "POST /cases/{case_id}/assisted": lambda: {"text": "搭好了"},
    "POST /cases/{case_id}/answer": lambda: {"text": "已到现场"},
    "POST /cases/{case_id}/question": lambda: {"text": "是哪一盏灯"},
    "POST /cases/{case_id}/rework": lambda: _REASON,
    "POST /cases/{case_id}/dispatch": lambda: {"grid": "王芳"},
    "POST /cases/{case_id}/rejection": lambda: _REASON,
}
OTHERWISE |= {
    "POST /cases/{case_id}/withdrawal": {409},  # somebody has begun
    "POST /cases/{case_id}/follow": {409},  # their own
    "POST /cases/{case_id}/calls": {409},  # their own work
    "POST /patrols": {400},  # who has no grid of their own must name one
    "POST /patrols/preview": {400},
    "POST /on-behalf": {400},
    # Another status is wanted than these cases have.
    "POST /cases/{case_id}/sign": {409},
    "POST /cases/{case_id}/answer": {409},
    "POST /cases/{case_id}/resumption": {409},
    "POST /cases/{case_id}/verification": {409},
    "POST /cases/{case_id}/rework": {409},
    "POST /cases/{case_id}/dispatch": {409},
    "POST /cases/{case_id}/rejection": {409},
    # Nobody stands above the city.
    "POST /cases/{case_id}/escalation": {409},
    "POST /cases/{case_id}/requests": {409},
    "POST /cases/{case_id}/voiding": {409},
}
