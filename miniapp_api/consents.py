"""What the caller agreed to, purpose by purpose, and whether they are fourteen."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from domain import consents
from miniapp_api.kernel import Body, Call, Routes
from models.enums import Purpose

routes = Routes("consents")


class OneConsent(Body):
    """One purpose: the text to be shown, and how the caller stands to it.

    `holds` is false as well when the text has changed since: ask again. `without`: what works all the same."""

    purpose: Purpose
    version: int
    title: str
    text: str
    without: str
    holds: bool
    given_at: datetime | None


class Consents(Body):
    """All purposes."""

    items: list[OneConsent]


class PurposePath(Body):
    """Which purpose."""

    purpose: Purpose


class Agreed(Body):
    """`version`: that of the text which was shown."""

    version: Annotated[int, Field(ge=1, le=32_767)]


class Age(Body):
    """Whether the caller is fourteen or older."""

    over_fourteen: bool


@routes.get("/me/consents", rule="me:read")
async def list_consents(call: Call) -> Consents:
    """Everything you may agree to, with the text."""
    return await _all(call)


@routes.put("/me/consents/{purpose}", rule="consent:change", errors=(409,))
async def give(call: Call, path: PurposePath, body: Agreed) -> Consents:
    """Agree. Refused with `consent_needed` before the question for the age, and for a child before the guardian's."""
    await consents.give(call.person, path.purpose, body.version, call.now, call.source)
    return await _all(call)


@routes.delete("/me/consents/{purpose}", rule="consent:change")
async def withdraw(call: Call, path: PurposePath) -> Consents:
    """Take it back: what was kept for this purpose is deleted at once."""
    await consents.withdraw(call.person, path.purpose, call.now, call.source)
    return await _all(call)


@routes.put("/me/age", rule="me:change", errors=(409,))
async def say_age(call: Call, body: Age) -> Consents:
    """Say whether you are fourteen or older. Until then, and for a child without a guardian, nothing is kept."""
    await consents.say_age(call.person, body.over_fourteen, call.now, call.source)
    return await _all(call)


async def _all(call: Call) -> Consents:
    return Consents(items=[_shown(one) for one in await consents.list_consents(call.person)])


def _shown(one: consents.Consent) -> OneConsent:
    asked = one.asked
    return OneConsent(
        purpose=one.purpose,
        version=asked.version,
        title=asked.title,
        text=asked.text,
        without=asked.without,
        holds=one.holds,
        given_at=one.given_at,
    )
