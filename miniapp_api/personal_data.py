"""The caller's own data: all of it as a package, none of it any more, and what they were told."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from domain import erasure, personal_data
from miniapp_api.kernel import Body, Call, Page, Routes
from miniapp_api.pages import seal, unseal

routes = Routes("personal data")

Row = Annotated[dict[str, Any], Field(description="one row, as it is kept")]


class Package(Body):
    """Everything kept about the caller. Files are fetched by their names, as everywhere."""

    made_at: datetime
    account: Row
    consents: list[Row]
    devices: list[Row]
    cases: list[Row]
    looked_at: list[Row]
    followed: list[Row]
    said_in_rooms: list[Row]
    private_talks: list[Row]
    badges: list[Row]
    complaints: list[Row]
    ratings: list[Row]
    checklists: list[Row]
    household: list[Row]
    opt_outs: list[Row]
    broadcasts: list[Row]
    surveys: list[Row]
    follow_ups: list[Row]
    applications: list[Row]
    bookings: list[Row]
    volunteer_time: list[Row]
    certificates: list[Row]
    files: list[Row]
    notices: list[Row]
    messages: list[Row]
    conversation: list[Row]


class Forget(Body):
    """`confirm` is the word 删除; `even_open`: also while cases of yours are open, whose result you then never hear."""

    confirm: Literal["删除"]
    even_open: bool = False


class Told(Body):
    """A notice. `arrived` is null while it is under way, false where it reached you nowhere but here."""

    id: int
    at: datetime
    text: str
    case_number: str
    arrived: bool | None


class Notices(Body):
    """A page of them, the newest first."""

    items: list[Told]
    next: str


@routes.get("/me/export", rule="me:export")
async def export(call: Call) -> Package:
    """Everything we have about you."""
    package = await personal_data.gather(call.person, call.now, call.source)
    return Package.model_validate(asdict(package))


@routes.get("/me/notices", rule="me:read")
async def notices(call: Call, query: Page) -> Notices:
    """What you were told, wherever it was sent."""
    place = unseal(call, "notices", query.cursor)
    found = await personal_data.list_notices(call.person, place[0] if place else None, query.limit, call.now)
    items = [Told(**asdict(one)) for one in found]
    return Notices(items=items, next=seal(call, "notices", [found[-1].id]) if len(found) == query.limit else "")


@routes.post("/me/erase", rule="me:erase", keyed=False, errors=(409,))
async def erase(call: Call, body: Forget) -> None:
    """Delete everything by which you could be known, for good. You are signed out everywhere."""
    await erasure.erase(call.person, call.now, call.source, even_open=body.even_open)
