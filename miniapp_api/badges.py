"""亮身份 over the API: community staff set a badge, the person agrees, either takes it back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from domain import badges
from miniapp_api.kernel import Body, Call, Id, Routes
from miniapp_api.room_shapes import Handle
from miniapp_api.rooms import RoomPath
from models.enums import BadgeKind

routes = Routes("badges")


class BadgePath(Body):
    """Which badge."""

    badge_id: Id


class NewBadge(Body):
    """For whom, and what. `unit` stands behind it: 物业·幸福物业."""

    handle: Handle
    kind: BadgeKind
    unit: Annotated[str, Field(max_length=32)] = ""


class Made(Body):
    """What was made."""

    id: int


class OneBadge(Body):
    """A badge; others see it once `agreed_at` is set. `mine`: it is about you."""

    id: int
    kind: BadgeKind
    label: str
    person: str
    mine: bool
    granted_by: str
    granted_at: datetime
    agreed_at: datetime | None


class Badges(Body):
    """Badges that have not ended, the newest first."""

    items: list[OneBadge]


@routes.get("/badges", rule="badge:list")
async def list_badges(call: Call) -> Badges:
    """Badges set for you; for community staff, those of their community too."""
    return Badges(items=[_shown(line) for line in await badges.list_badges(call.person)])


@routes.post("/rooms/{room_id}/badges", rule="badge:grant", status=201)
async def grant(call: Call, path: RoomPath, body: NewBadge) -> Made:
    """Set a badge for somebody in the room; they are asked whether they agree."""
    found = await badges.grant(call.person, path.room_id, body.handle, body.kind, body.unit, call.now, call.source)
    return Made(id=found)


@routes.post("/badges/{badge_id}/agree", rule="badge:agree")
async def agree(call: Call, path: BadgePath) -> OneBadge:
    """Let your neighbours see a badge that was set for you."""
    return _shown(await badges.agree(call.person, path.badge_id, call.now, call.source))


@routes.delete("/badges/{badge_id}", rule="badge:end")
async def end(call: Call, path: BadgePath) -> None:
    """Take a badge back, your own or one you may set."""
    await badges.end(call.person, path.badge_id, call.now, call.source)


def _shown(line: badges.BadgeLine) -> OneBadge:
    return OneBadge(
        id=line.id,
        kind=line.kind,
        label=line.label,
        person=line.person,
        mine=line.mine,
        granted_by=line.granted_by,
        granted_at=line.granted_at,
        agreed_at=line.agreed_at,
    )
