"""回访 over the API: what a resident was asked some weeks after a case was closed, and how it was found."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from domain import follow_ups
from miniapp_api.kernel import Body, Call, Id, Routes
from models.enums import FollowUpState

routes = Routes("follow_ups")


class Still(StrEnum):
    """What a resident answers."""

    FINE = "fine"  # 还好
    AGAIN = "again"  # 又出现了
    NO_MORE = "no_more"  # 不用再问我


class FollowUpPath(Body):
    """Which question."""

    follow_up_id: Id


class StillWell(Body):
    """How it is now; `words` are added where it happened again."""

    answer: Still
    words: Annotated[str, Field(max_length=500)] = ""


class FollowUpInfo(Body):
    """What was asked, about which case; `led_to` is the number of the case that is open now."""

    id: int
    case_number: str
    subject: str
    asked_at: datetime
    state: FollowUpState
    led_to: str = ""


class FollowUps(Body):
    """What the caller was asked and has not answered, the newest first."""

    items: list[FollowUpInfo]


class Days(Body):
    """How far back."""

    days: Annotated[int, Field(ge=1, le=366)] = 90


class FigureInfo(Body):
    """`share_fine` is of those who said fine or again; who said nothing (`silent`) is never counted as fine."""

    asked: int
    fine: int
    again: int
    silent: int
    no_more: int
    share_fine: float | None


@routes.get("/follow-ups", rule="follow_up:list")
async def list_asked(call: Call) -> FollowUps:
    """What waits for the caller's answer."""
    found = await follow_ups.list_asked(call.person)
    items = [
        FollowUpInfo(id=one.id, case_number=case.number, subject=case.subject, asked_at=one.asked_at, state=one.state)
        for one, case in found
    ]
    return FollowUps(items=items)


@routes.post("/follow-ups/{follow_up_id}/answer", rule="follow_up:answer")
async def answer(call: Call, path: FollowUpPath, body: StillWell) -> FollowUpInfo:
    """Still well; or it happened again: the case is reopened, or a new one made; or never ask again."""
    ident, led_to = path.follow_up_id, ""
    if body.answer is Still.FINE:
        found = await follow_ups.say_fine(call.person, ident, body.words, call.now, call.source)
    elif body.answer is Still.NO_MORE:
        found = await follow_ups.want_no_more(call.person, ident, call.now, call.source)
    else:
        await call.limit("report")
        found, case = await follow_ups.say_again(
            call.person, ident, body.words, call.now, within=call.desk.reopen_within, source=call.source
        )
        led_to = case.number
    asked = await follow_ups.case_of(found)
    return FollowUpInfo(
        id=found.id,
        case_number=asked.number,
        subject=asked.subject,
        asked_at=found.asked_at,
        state=found.state,
        led_to=led_to,
    )


@routes.get("/follow-up-figures", rule="follow_up:watch")
async def figures(call: Call, query: Days) -> FigureInfo:
    """How it was found in the caller's area."""
    found = await follow_ups.figures(call.person, call.now, query.days)
    return FigureInfo(
        asked=found.asked,
        fine=found.fine,
        again=found.again,
        silent=found.silent,
        no_more=found.no_more,
        share_fine=found.share_fine,
    )
