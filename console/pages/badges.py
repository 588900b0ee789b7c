"""亮身份: the badges of one's community, set on the page of a message; each shows once its bearer agrees."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from console.frame import Form, Pages, Visit
from console.values import Ident
from domain import badges, room_messages
from domain.room_cards import watcher
from models.enums import BadgeKind, Role

pages = Pages()


class NewBadge(Form):
    """For whom is in the address."""

    kind: Annotated[BadgeKind, Field(title="身份")]
    unit: Annotated[str, Field(max_length=32, title="单位")] = ""


class Which(Form):
    """A badge."""

    badge: Ident


def sets_badges(visit: Visit) -> bool:
    """Whether they may set them."""
    return visit.post.role is Role.COMMUNITY_STAFF


@pages.get("/rooms/badges")
async def show(visit: Visit) -> web.StreamResponse:
    """One's own, and for the community's staff those of everybody there."""
    found = await badges.list_badges(visit.staff)
    return visit.render("badges.html", title="亮身份", found=found, sets_badges=sets_badges(visit))


@pages.post("/rooms/messages/{message_id:[1-9][0-9]{0,17}}/badge")
async def grant(visit: Visit) -> web.StreamResponse:
    """Set one for whoever wrote the message; they are asked whether they agree."""
    given = await visit.form(NewBadge)
    entry = await room_messages.access_message(visit.staff, int(visit.request.match_info["message_id"]))
    await watcher(visit.staff, entry.room_id)
    await badges.grant(visit.staff, entry.room_id, entry.handle, given.kind, given.unit, visit.now, visit.source)
    return visit.go("/rooms/badges", "已经问了对方，对方同意以后邻居才看得到。")


@pages.post("/rooms/badges/agree")
async def agree(visit: Visit) -> web.StreamResponse:
    """Let neighbours see one's own."""
    given = await visit.form(Which)
    await badges.agree(visit.staff, given.badge, visit.now, visit.source)
    return visit.go("/rooms/badges", "邻居现在看得到了。")


@pages.post("/rooms/badges/end")
async def end(visit: Visit) -> web.StreamResponse:
    """Take one back."""
    given = await visit.form(Which)
    await badges.end(visit.staff, given.badge, visit.now, visit.source)
    return visit.go("/rooms/badges", "已经收回。")
