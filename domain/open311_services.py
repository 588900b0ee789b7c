"""What may be reported over Open311: our categories as services, with their further questions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache

import nlp
from domain.clock import SHANGHAI
from errors import NotFound
from models.database import fetch
from nlp import Category

#: Matters of minutes. They are for the telephone, and Open311 is for what is no emergency.
_NOT_OFFERED = frozenset({"fire.alarm", "health.emergency", "police.violence", "police.missing", "police.rescue"})
#: Where a point on the map does not say which floor.
_INDOORS = frozenset({"物业服务", "房屋维修", "电梯"})


@dataclass(frozen=True, slots=True)
class Service:
    """One kind of matter. `batch` services give a token first: a person decides whether it is taken on."""

    service_code: str
    service_name: str
    description: str
    metadata: bool
    type: str
    keywords: str
    group: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """One further question of a service; `variable` False is a word to the reporter, no question."""

    variable: bool
    code: str
    datatype: str
    required: bool
    datatype_description: str
    order: int
    description: str
    values: tuple[tuple[str, str], ...] = ()


def code_of(category: str) -> str:
    """Our category code as a service code: clients put it into paths, where a dot would end it."""
    return category.replace(".", "-")


def offered() -> list[Category]:
    """The kinds one may report here: what people only ask about, and emergencies, are left out."""
    return [entry for entry in nlp.categories() if not entry.service and entry.code not in _NOT_OFFERED]


@cache
def names() -> dict[str, str]:
    """What each of our categories is called as a service."""
    return {entry.code: entry.name for entry in nlp.categories()}


def find_offered(service_code: str) -> Category:
    """The kind with this service code. Raises NotFound."""
    for entry in offered():
        if code_of(entry.code) == service_code:
            return entry
    raise NotFound(f"service_code {service_code!r}", say="service_code was not found")


async def list_services(now: datetime) -> list[Service]:
    """Every service, by group, in the order of our tables."""
    slow, rest = await _decided_by_a_person(now)
    return [
        Service(
            service_code=code_of(entry.code),
            service_name=entry.name,
            description=entry.subject if not entry.examples else f"{entry.subject}，例如：{entry.examples[0]}",
            metadata=True,
            type="batch" if slow.get(entry.code, rest) else "realtime",
            keywords=",".join(dict.fromkeys([entry.subject, entry.group, entry.domain, entry.department])).strip(","),
            group=entry.group if entry.group != "其他" else entry.domain,
        )
        for entry in offered()
    ]


_BY_HAND = """
SELECT DISTINCT ON (category) category, NOT auto_accept AS slow FROM duty
WHERE version_id = (SELECT id FROM duty_list WHERE effective_on <= $1 ORDER BY effective_on DESC, id DESC LIMIT 1)
ORDER BY category, array_position(ARRAY['grid', 'community', 'street', 'district', 'city'], level::text)
"""


async def _decided_by_a_person(now: datetime) -> tuple[dict[str, bool], bool]:
    """For each category of the duty list whether a person takes it on; and for what has no line."""
    slow = {row["category"]: row["slow"] for row in await fetch(_BY_HAND, now.astimezone(SHANGHAI).date())}
    return slow, slow.get("", False)


async def is_batch(category: str, now: datetime) -> bool:
    """Whether a person decides first if a case of this kind is taken on."""
    slow, rest = await _decided_by_a_person(now)
    return slow.get(category, rest)


def define(service_code: str) -> list[Attribute]:
    """The further questions of a service. Raises NotFound."""
    entry = find_offered(service_code)
    where = entry.group in _INDOORS or entry.code == "lighting.corridor"
    return [
        Attribute(
            variable=False,
            code="notice",
            datatype="string",
            required=False,
            datatype_description="",
            order=1,
            description="危及人身安全时，请先拨打 110、119 或 120。",
        ),
        Attribute(
            variable=True,
            code="place_detail",
            datatype="string",
            required=where,
            datatype_description="100 字以内",
            order=2,
            description="楼栋、单元，或者路灯杆、井盖上的编号",
        ),
        Attribute(
            variable=True,
            code="danger",
            datatype="singlevaluelist",
            required=False,
            datatype_description="选一个",
            order=3,
            description="现在是否有危险",
            values=(("yes", "有危险"), ("no", "没有")),
        ),
    ]
