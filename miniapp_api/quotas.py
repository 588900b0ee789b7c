"""额度 over the API: what WeChat still takes, for staff who write to residents."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from domain import quotas
from domain.quotas import Way
from miniapp_api.kernel import Body, Call, Routes

routes = Routes("quotas")


class QuotaLine(Body):
    """What is left of one way."""

    way: Annotated[
        Way,
        Field(
            description="service: customer-service messages; subscription, template: notices; mass: mass sends to a "
            "list; mass_all: mass sends to all followers"
        ),
    ]
    name: str
    used: Annotated[int, Field(ge=0, description="today; of `mass_all` this month")]
    left: Annotated[int, Field(ge=0)]
    until: Annotated[datetime, Field(description="when `left` is counted anew")]
    why: Annotated[str, Field(description="the rule behind it, or why nothing is left")]


class Quotas(Body):
    """Every way."""

    items: list[QuotaLine]


@routes.get("/quotas", rule="quota:read")
async def show(call: Call) -> Quotas:
    """What WeChat still takes of the account today and this month."""
    found = await quotas.quotas(call.person, call.now)
    return Quotas(
        items=[
            QuotaLine(
                way=one.way,
                name=quotas.NAMES[one.way],
                used=one.used,
                left=one.left,
                until=one.until,
                why=one.why,
            )
            for one in found
        ]
    )
