"""活动 over the API: what is on, signing up, coming; staff write, change, call off, see who comes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import Field

from domain import activity_desk as desk
from domain import arrivals, sign_ups
from domain.activities import find_activity, list_activities, list_looked_after
from domain.activity_desk import Changes, NewActivity
from domain.consents import need
from miniapp_api.activity_shapes import (
    ActivityChanges,
    ActivityInfo,
    Kind,
    NewActivityBody,
    SessionBody,
    SignUpInfo,
    SignUpLine,
    Why,
    activity_of,
    sign_up_line,
    sign_up_of,
)
from miniapp_api.application_shapes import Behalf
from miniapp_api.kernel import Body, Call, Id, Page, Routes
from miniapp_api.pages import seal, unseal
from models.enums import ActivityState, PlanKind, Purpose

routes = Routes("activities")

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ActivityPath(Body):
    """Which activity."""

    activity_id: Annotated[int, Field(ge=1, le=2**31 - 1)]


class SessionPath(ActivityPath):
    """Which of its times."""

    session_id: Id


class ActivityQuery(Page):
    """Of one kind; of all where none is named."""

    kind: Kind | None = None


class DeskQuery(Page):
    """In one state; in all where none is named."""

    state: ActivityState | None = None


class SessionQuery(Page):
    """Of one time; of all where none is named."""

    session_id: Id | None = None


class SignUp(Body):
    """`session_id`: which time; none for all of a course, or where there is one. `behalf`: somebody without WeChat.
    `wait`: a place on the waiting list will do."""

    session_id: Id | None = None
    behalf: Behalf | None = None
    note: Annotated[str, Field(max_length=200)] = ""
    wait: bool = False


class Arrival(Body):
    """The four digits shown on the spot."""

    code: Annotated[str, Field(pattern=r"^\d{4}$")]


class BroughtIn(Body):
    """Somebody without WeChat who has come; `session_id` where several times take place now."""

    behalf: Behalf
    session_id: Id | None = None


class CallOff(Body):
    """Why it does not take place."""

    why: Why


class Activities(Body):
    """What begins first in front; for staff the newest first."""

    items: list[ActivityInfo]
    next: str


class SignUps(Body):
    """One's own, the soonest first."""

    items: list[SignUpInfo]


class SignUpList(Body):
    """Who signed up, by time and in the order they did."""

    items: list[SignUpLine]
    next: str


@routes.get("/activities", rule="activity:list")
async def list_open(call: Call, query: ActivityQuery) -> Activities:
    """What is on where the caller lives or works, and can be signed up for."""
    place = unseal(call, "activities", query.cursor)
    beyond = await find_activity(call.person, place[0]) if place else None
    kind = query.kind or ""
    found = await list_activities(call.person, call.now, kind=kind, beyond=beyond, limit=query.limit)
    following = seal(call, "activities", [found[-1].id]) if len(found) == query.limit else ""
    return Activities(items=[activity_of(one, call.now) for one in found], next=following)


@routes.get("/activities/{activity_id}", rule="activity:read")
async def show(call: Call, path: ActivityPath) -> ActivityInfo:
    """One activity with its times."""
    return await _shown(call, path.activity_id)


async def _shown(call: Call, activity_id: int) -> ActivityInfo:
    return activity_of(await find_activity(call.person, activity_id), call.now)


@routes.post("/activities/{activity_id}/sign-ups", rule="activity:join", status=201, errors=(409,))
async def join(call: Call, path: ActivityPath, body: SignUp) -> SignUps:
    """Take part, or sign up somebody without WeChat. To cancel, cancel the booking."""
    await need(call.person, Purpose.SERVICE)
    cards = await sign_ups.sign_up(
        call.person,
        path.activity_id,
        call.now,
        slot_id=body.session_id or 0,
        other=body.behalf.other if body.behalf else None,
        note=body.note,
        wait=body.wait,
        source=call.source,
    )
    return SignUps(items=[sign_up_of(card) for card in cards])


@routes.get("/sign-ups", rule="activity:list")
async def list_own(call: Call) -> SignUps:
    """What the caller signed up for, or others for whom they did, and what is not over yet."""
    return SignUps(items=[sign_up_of(card) for card in await sign_ups.my_sign_ups(call.person, call.now, 100)])


@routes.post("/arrivals", rule="activity:arrive", errors=(409, 429))
async def arrive(call: Call, body: Arrival) -> SignUpInfo:
    """Say on the spot that one has come, with the code shown there."""
    return sign_up_of(await arrivals.arrive_by_code(call.person, body.code, call.now, source=call.source))


@routes.get("/activity-desk", rule="activity:watch")
async def list_desk(call: Call, query: DeskQuery) -> Activities:
    """For staff: all activities of their area, drafts too."""
    place = unseal(call, "activity desk", query.cursor)
    before = place[0] if place else 0
    found = await list_looked_after(call.person, state=query.state or "", before=before, limit=query.limit)
    following = seal(call, "activity desk", [found[-1].id]) if len(found) == query.limit else ""
    return Activities(items=[activity_of(one, call.now) for one in found], next=following)


@routes.post("/activities", rule="activity:make", status=201)
async def create(call: Call, body: NewActivityBody) -> ActivityInfo:
    """Write one down as a draft."""
    new = NewActivity(
        PlanKind(body.kind),
        body.title,
        [one.new for one in body.sessions],
        body.words,
        body.place,
        body.phone,
        body.area,
        body.until,
        body.minutes,
        body.waiting_most,
    )
    return await _shown(call, await desk.create_activity(call.person, new, call.now, source=call.source))


@routes.patch("/activities/{activity_id}", rule="activity:manage", errors=(409,))
async def change(call: Call, path: ActivityPath, body: ActivityChanges) -> ActivityInfo:
    """Change what is announced; who signed up is told of another place."""
    await desk.change_activity(
        call.person, path.activity_id, Changes(**body.model_dump()), call.now, source=call.source
    )
    return await _shown(call, path.activity_id)


@routes.post("/activities/{activity_id}/open", rule="activity:manage", errors=(409,))
async def publish(call: Call, path: ActivityPath) -> ActivityInfo:
    """Let residents sign up."""
    await desk.open_activity(call.person, path.activity_id, call.now, source=call.source)
    return await _shown(call, path.activity_id)


@routes.post("/activities/{activity_id}/cancellation", rule="activity:manage", errors=(409,))
async def call_off(call: Call, path: ActivityPath, body: CallOff) -> ActivityInfo:
    """Call it off; everybody who signed up is told why."""
    await desk.cancel_activity(call.person, path.activity_id, body.why, call.now, source=call.source)
    return await _shown(call, path.activity_id)


@routes.post("/activities/{activity_id}/sessions", rule="activity:manage", status=201, errors=(409,))
async def add_session(call: Call, path: ActivityPath, body: SessionBody) -> ActivityInfo:
    """One more time."""
    await desk.add_session(call.person, path.activity_id, body.new, call.now, source=call.source)
    return await _shown(call, path.activity_id)


@routes.put("/activities/{activity_id}/sessions/{session_id}", rule="activity:manage", errors=(409,))
async def change_session(call: Call, path: SessionPath, body: SessionBody) -> ActivityInfo:
    """Another time, or more or fewer seats; who signed up is told, who waits moves up."""
    await desk.change_session(call.person, path.activity_id, path.session_id, body.new, call.now, source=call.source)
    return await _shown(call, path.activity_id)


@routes.post("/activities/{activity_id}/sessions/{session_id}/cancellation", rule="activity:manage", errors=(409,))
async def drop_session(call: Call, path: SessionPath, body: CallOff) -> ActivityInfo:
    """One time does not take place; who signed up for it is told why."""
    await desk.drop_session(call.person, path.activity_id, path.session_id, body.why, call.now, source=call.source)
    return await _shown(call, path.activity_id)


@routes.post("/activities/{activity_id}/arrivals", rule="activity:manage", status=201, errors=(409,))
async def bring(call: Call, path: ActivityPath, body: BroughtIn) -> SignUpLine:
    """For staff on the spot: somebody without WeChat has come, signed up or not."""
    other, slot_id = body.behalf.other, body.session_id or 0
    return sign_up_line(
        await arrivals.bring(call.person, path.activity_id, other, call.now, slot_id=slot_id, source=call.source)
    )


@routes.get("/activities/{activity_id}/sign-ups", rule="activity:manage")
async def list_people(call: Call, path: ActivityPath, query: SessionQuery) -> SignUpList:
    """Who signed up and who came; names and numbers masked."""
    name = f"sign-ups of {path.activity_id}"
    place = unseal(call, name, query.cursor)
    beyond = {"beyond": (datetime.fromisoformat(place[0]), int(place[1]))} if place else {}
    found = await sign_ups.list_sign_ups(
        call.person, path.activity_id, slot_id=query.session_id or 0, limit=query.limit, **beyond
    )
    last = [found[-1].starts_at.isoformat(), found[-1].id] if len(found) == query.limit else None
    return SignUpList(items=[sign_up_line(one) for one in found], next=seal(call, name, last) if last else "")


@routes.get("/activities/{activity_id}/sign-ups.xlsx", rule="activity:manage", media_type=_XLSX)
async def export_people(call: Call, path: ActivityPath) -> web.StreamResponse:
    """Everybody who signed up as a workbook, with names and numbers to call. Audited."""
    name, book = await sign_ups.sign_ups_book(call.person, path.activity_id, call.now, source=call.source)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=book, content_type=_XLSX, headers=headers)
